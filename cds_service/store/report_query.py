"""The query behind the feedback report: cards counted by rule, outcome and override reason."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from cds_service.application.feedback_report import CardCount
from cds_service.store.deciding_feedback import deciding_feedback
from cds_service.store.tables import served_rule


def count_cards(connection: Connection) -> list[CardCount]:
    """Return how many cards of each rule were answered how. Feedback for cards not known here counts for no rule."""
    decided = deciding_feedback()
    columns = (served_rule.c.rule, decided.c.outcome, decided.c.reason_code)
    query = (
        select(*columns, func.count().label("cards"))
        .select_from(served_rule.outerjoin(decided, decided.c.card_uuid == served_rule.c.card_uuid))
        .group_by(*columns)
    )
    return [CardCount(rule, outcome, reason, cards) for rule, outcome, reason, cards in connection.execute(query)]
