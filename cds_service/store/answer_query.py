"""The query behind quiet cards: what was last answered to the cards that rested on the same evidence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from cds_service.application.ports import PastAnswer
from cds_service.store.deciding_feedback import deciding_feedback
from cds_service.store.tables import feedback, served_card, served_rule


def read_answers(
    connection: Connection, fingerprints: Collection[str], *, client: str | None, since: datetime
) -> list[PastAnswer]:
    """Return the answers given after `since`. Only the client that was shown a card answers for its user."""
    same = served_rule.c.fingerprint.in_(sorted(fingerprints))
    shown = select(served_rule.c.card_uuid).where(same)
    decided = deciding_feedback(feedback.c.card_uuid.in_(shown))
    cards = served_rule.join(served_card, served_card.c.uuid == served_rule.c.card_uuid)
    query = (
        select(
            served_rule.c.fingerprint,
            served_card.c.suggestions,
            decided.c.outcome,
            decided.c.reason_code,
            decided.c.accepted_suggestions,
            decided.c.outcome_at,
            decided.c.received_at,
        )
        .select_from(cards.join(decided, decided.c.card_uuid == served_card.c.uuid))
        .where(same, served_card.c.client.is_not_distinct_from(client), decided.c.client.is_not_distinct_from(client))
    )
    found = [_answer(row) for row in connection.execute(query)]
    return [answer for answer in found if answer.answered_at > since]


def _answer(row: Row[*tuple[Any, ...]]) -> PastAnswer:
    """It is as old as the older of the two times says: a client's clock cannot make it count longer."""
    kinds = {suggestion["uuid"].lower(): suggestion["kind"] for suggestion in row.suggestions}
    return PastAnswer(
        fingerprint=row.fingerprint,
        outcome=row.outcome,
        answered_at=min(row.outcome_at or row.received_at, row.received_at),
        reason=row.reason_code,
        accepted=tuple(kinds.get(taken.lower(), "") for taken in row.accepted_suggestions),
    )
