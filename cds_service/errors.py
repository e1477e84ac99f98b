"""The exceptions of the service. Messages say what, where and what to do; they never carry patient data.

CdsServiceError
├── InvalidHookRequest      the caller's request is malformed or contradicts itself
├── UnknownService          no service has that id
├── ChartUnavailable        needed data were neither sent nor obtainable; names the prefetch keys
├── UnsupportedRelease      the payload is of a FHIR release that is not read here
├── UnauthorizedClient      the caller did not prove who it is
├── StoreUnavailable        the store could not keep what had to be kept
├── SettingsError           a setting is wrong; the service does not start
├── CardFileError           a file of the card library is wrong, with its place
└── CardLibraryError        all faults of a card library together
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class CdsServiceError(Exception):
    """Base of every error that is shown to a caller or an operator without a traceback."""


class InvalidHookRequest(CdsServiceError):
    """The request is not a CDS Hooks request that this service can read."""


class UnknownService(CdsServiceError):
    """The service id in the URL is not one of ours."""


class ChartUnavailable(CdsServiceError):
    """Needed data were neither in prefetch nor obtainable from the FHIR server (HTTP 412)."""

    def __init__(
        self, keys: Sequence[str], reason: str = "neither sent as prefetch nor obtainable from the FHIR server"
    ) -> None:
        self.keys = tuple(keys)
        super().__init__(f"Missing prefetch: {', '.join(self.keys)} ({reason}).")


class UnsupportedRelease(CdsServiceError):
    """The chart is of a FHIR release other than R4 or R4B (HTTP 412)."""


class UnauthorizedClient(CdsServiceError):
    """The client's token was absent or not acceptable. The reason goes to the log, not to the caller."""


class StoreUnavailable(CdsServiceError):
    """The database could not keep what had to be kept."""


class SettingsError(CdsServiceError):
    """A setting has a wrong value; the message names the setting."""


class CardFileError(CdsServiceError):
    """A file of the card library is wrong."""

    def __init__(self, message: str, *, path: Path | None = None, line: int | None = None) -> None:
        self.path, self.line, self.problem = path, line, message
        place = ":".join(str(part) for part in (path, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class CardLibraryError(CdsServiceError):
    """The card library has faults; all of them are listed."""

    def __init__(self, faults: Sequence[CardFileError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
