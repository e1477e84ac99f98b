"""Reads what clients say became of their cards: one entry that is garbage does not lose the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.application.hook_request import Feedback
from cds_service.errors import InvalidHookRequest
from cds_service.web.schemas import find_faults

EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason"
_EPIC_PARTS = ("reasonCategory", "reasonTitle", "reasonDisplay")
"""What Epic sends in place of a reason, the most stable part first."""


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """The entries that can be kept, and for each of the others what is wrong with it."""

    entries: tuple[Feedback, ...]
    faults: tuple[str, ...]


def read_feedback(body: Mapping[str, Any]) -> FeedbackBatch:
    """Raises: InvalidHookRequest where the body is no batch at all."""
    batch = body.get("feedback")
    if not isinstance(batch, list):
        raise InvalidHookRequest("feedback: is required and must be an array.")
    entries: list[Feedback] = []
    faults: list[str] = []
    for index, entry in enumerate(batch):
        found = find_faults(entry, "feedback", "Entry", at=f"feedback[{index}]")
        if found:
            faults.append("; ".join(map(str, found)))
        else:
            entries.append(_read_entry(entry))
    return FeedbackBatch(tuple(entries), tuple(faults))


def _read_entry(entry: Mapping[str, Any]) -> Feedback:
    override = _override(entry)
    code, system = _reason(override)
    return Feedback(
        card=entry["card"],
        outcome=entry["outcome"],
        timestamp=entry["outcomeTimestamp"],
        accepted_suggestions=tuple(suggestion["id"] for suggestion in entry.get("acceptedSuggestions") or ()),
        reason_code=code,
        reason_system=system,
        user_comment=override.get("userComment") or None,
    )


def _override(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reason in the spelling of the specification or of Epic; the first where several were given."""
    override = entry.get("overrideReason") or entry.get("overrideReasons") or {}
    first = next(iter(override), None) if isinstance(override, list) else override
    return first if isinstance(first, Mapping) else {}


def _reason(override: Mapping[str, Any]) -> tuple[str | None, str | None]:
    reason = override.get("reason") or {}
    if reason.get("code"):
        return reason["code"], reason.get("system") or None
    return _epic_reason(override.get("extension") or {})


def _epic_reason(extension: Mapping[str, Any]) -> tuple[str | None, str | None]:
    for part in _EPIC_PARTS:
        name = f"{EPIC_REASON}.{part}"
        value = extension.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)[:500], name
    return None, None
