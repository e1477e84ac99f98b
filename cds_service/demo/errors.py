"""The one error of the demonstration: something a person can put right before the next try."""

from __future__ import annotations

from cds_service.errors import CdsServiceError


class DemoError(CdsServiceError):
    """The demonstration cannot run; the message says what to change."""
