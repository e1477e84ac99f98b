"""What is kept of an answer and of feedback, as rows. Everything clinical ends here.

Texts come from outside: they are cut to their column and freed of what a database cannot hold, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds_service.application.hook_request import Feedback
from cds_service.application.ports import ServedCards
from cds_service.clinical.cards import Card
from cds_service.store.hash_key import entry_hash, patient_hash

Row = Mapping[str, Any]
_TEXT_LIMIT = 255
_COMMENT_LIMIT = 4000
_LIST_LIMIT = 100


@dataclass(frozen=True, slots=True)
class CardRows:
    """One answer's rows of served_card and served_rule."""

    cards: Sequence[Row]
    rules: Sequence[Row]


def served_rows(served: ServedCards, hash_key: bytes) -> CardRows:
    """Return what is remembered of an answer: which cards, for which rules, never what they said."""
    call = _call_columns(served, hash_key)
    return CardRows(
        cards=[call | _card_columns(card) for card in served.cards],
        rules=[row for card in served.cards for row in _rule_rows(card)],
    )


def _call_columns(served: ServedCards, hash_key: bytes) -> dict[str, Any]:
    hashed = patient_hash(hash_key, client=served.client, tenant=served.tenant, patient_id=served.patient_id)
    return {
        "service": storable(served.service_id),
        "hook_instance": storable(served.hook_instance),
        "client": storable_or_none(served.client),
        "tenant": storable_or_none(served.tenant),
        "patient_hash": hashed if served.patient_id else None,
        "served_at": served.served_at,
    }


def _card_columns(card: Card) -> dict[str, Any]:
    return {
        "uuid": _card_key(card.uuid),
        "indicator": card.indicator.value,
        "suggestions": [{"uuid": suggestion.uuid, "kind": suggestion.kind} for suggestion in card.suggestions],
    }


def _rule_rows(card: Card) -> list[Row]:
    rules = {rule.id: rule for rule in card.rules}
    return [
        {
            "card_uuid": _card_key(card.uuid),
            "rule": storable(rule.id),
            "version": storable(rule.version, 64),
            "fingerprint": rule.fingerprint,
        }
        for rule in rules.values()
    ]


def feedback_row(
    service_id: str, entry: Feedback, *, client: str | None, received_at: datetime, keep_comments: bool
) -> Row:
    """Return the row of one entry. Two entries are the same where all that they report is the same."""
    accepted = sorted({storable(suggestion) for suggestion in entry.accepted_suggestions[:_LIST_LIMIT]})
    said = [
        client,
        _card_key(entry.card),
        entry.outcome,
        entry.timestamp,
        accepted,
        entry.reason_system,
        entry.reason_code,
    ]
    return {
        "entry_hash": entry_hash(said),
        "card_uuid": _card_key(entry.card),
        "service": storable(service_id),
        "client": storable_or_none(client),
        "outcome": storable(entry.outcome, 16),
        "accepted_suggestions": accepted,
        "reason_code": storable_or_none(entry.reason_code),
        "reason_system": storable_or_none(entry.reason_system),
        "comment": storable_or_none(entry.user_comment, _COMMENT_LIMIT) if keep_comments else None,
        "outcome_at": _instant(entry.timestamp),
        "received_at": received_at,
    }


def _card_key(uuid: str) -> str:
    """Clients may send a UUID back in capitals."""
    return storable(uuid).lower()


def storable(text: str, limit: int = _TEXT_LIMIT) -> str:
    """Cut to `limit`; NUL and lone surrogates, which JSON may carry and a database refuses, go."""
    return text[:limit].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def storable_or_none(text: str | None, limit: int = _TEXT_LIMIT) -> str | None:
    """As `storable`; what was not said stays None."""
    return None if text is None else storable(text, limit)


def _instant(text: str) -> datetime | None:
    """RFC 3339 as sent. Missing: not an instant with an offset -> None, and the time of receipt decides."""
    try:
        instant = datetime.fromisoformat(text.upper())
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
