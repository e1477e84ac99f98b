"""What the use cases need from outside, as Protocols. The contracts stand here; implementations leave them alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cds_service.application.hook_request import Feedback, HookRequest
from cds_service.clinical.cards import Action, Card
from cds_service.clinical.chart import Chart
from cds_service.clinical.suggestions import SuggestedStep


@dataclass(frozen=True, slots=True)
class ReadChart:
    """A chart and the resources it was read from, by relative reference ("MedicationRequest/1"), for updates."""

    chart: Chart
    originals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)


class ChartReader(Protocol):
    """Reads the chart of a hook call: prefetch first, the FHIR server for what is absent."""

    def read(
        self, request: HookRequest, templates: Mapping[str, str], *, now: datetime, deadline: datetime
    ) -> ReadChart:
        """Return all that could be read by `deadline`; what could not be is in `Chart.unavailable`, never an error.

        Raises: InvalidHookRequest where the chart is of another patient; UnsupportedRelease for DSTU2.
        """
        ...


class OrderWriter(Protocol):
    """Turns a suggested step into FHIR actions."""

    def actions_for(
        self, step: SuggestedStep, read: ReadChart, *, now: datetime, requester: str | None = None
    ) -> tuple[Action, ...]:
        """Return valid R4 actions; empty where the site has configured no order for this kind (then it is text)."""
        ...


@dataclass(frozen=True, slots=True)
class ServedCards:
    """What is remembered of an answer: never a clinical value."""

    service_id: str
    hook_instance: str
    client: str | None
    tenant: str | None
    served_at: datetime
    cards: Sequence[Card]
    patient_id: str = field(repr=False, default="")


class CardStore(Protocol):
    """Remembers served cards and their feedback."""

    def remember(self, served: ServedCards) -> None:
        """Queue what was shown; returns at once and never raises: an answer does not depend on it."""
        ...

    def record_feedback(
        self, service_id: str, feedback: Sequence[Feedback], *, client: str | None, received_at: datetime
    ) -> int:
        """Keep feedback durably (idempotent) and return how many entries are kept.

        Raises: StoreUnavailable.
        """
        ...

    def report(self) -> Sequence[Mapping[str, Any]]:
        """Per rule: rule, shown, accepted, overridden, unanswered, overrideReasons."""
        ...

    def check(self) -> str | None:
        """None where the store works, else what is wrong in words."""
        ...


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """What a user last answered to a card that spoke for a rule on this evidence.

    `outcome` is accepted | overridden. `accepted` are the kinds of the suggestions taken, "" for one not known here.
    """

    fingerprint: str
    outcome: str
    answered_at: datetime
    reason: str | None = None
    accepted: tuple[str, ...] = ()


class AnswerLog(Protocol):
    """Finds earlier answers again by a keyed hash of what a card rested on, without keeping any of that."""

    def fingerprint(self, parts: Sequence[object]) -> str:
        """The keyed hash of nested texts; equal only for equal texts under the same key."""
        ...

    def answers(self, fingerprints: Collection[str], *, client: str | None, since: datetime) -> Sequence[PastAnswer]:
        """The last answer to each card of this client with one of these fingerprints, given after `since`.

        Answers within a fraction of a second. Raises: StoreUnavailable.
        """
        ...


class TokenLog(Protocol):
    """Remembers token ids until they expire, across workers."""

    def first_use(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        """True the first time a token id of an issuer is seen. Raises: StoreUnavailable."""
        ...
