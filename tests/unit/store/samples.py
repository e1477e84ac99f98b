"""Made-up cards, feedback and store helpers that the store's tests share."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from cds_service.application.hook_request import Feedback
from cds_service.application.ports import ServedCards
from cds_service.clinical.cards import Card, Coding, Indicator, RuleVersion, Suggestion

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
SERVICE = "leukopenia-patient-view"


def new_uuid() -> str:
    return str(uuid.uuid4())


def card(*rules: str, card_uuid: str | None = None, fingerprint: str | None = None) -> Card:
    """A card whose words must never be found in a store."""
    return Card(
        uuid=card_uuid or new_uuid(),
        summary="Neutrophils 0.42 fell",
        indicator=Indicator.WARNING,
        detail="ANC 0.42 on 2026-11-21",
        source_label="Guideline",
        topic=Coding("urn:leukopenia-cds:topic", "ancModerate", "Moderate neutropenia"),
        rules=tuple(RuleVersion(rule, "1.0.0", fingerprint) for rule in (rules or ("anc-moderate",))),
        suggestions=(Suggestion(new_uuid(), "repeat-cbc-diff", "Repeat in 0.42 weeks", ()),),
    )


def served(*cards: Card, at: datetime = NOW, patient: str = "marker-q7x", client: str | None = None) -> ServedCards:
    return ServedCards(SERVICE, new_uuid(), client, None, at, cards, patient)


def accepted(card_uuid: str, timestamp: str = "2026-11-22T12:05:00Z", *suggestions: str) -> Feedback:
    return Feedback(card_uuid, "accepted", timestamp, suggestions or ("s-1",))


def overridden(
    card_uuid: str, timestamp: str = "2026-11-22T12:05:00Z", reason: str | None = None, comment: str | None = None
) -> Feedback:
    system = "urn:leukopenia-cds:override" if reason else None
    return Feedback(card_uuid, "overridden", timestamp, (), reason, system, comment)
