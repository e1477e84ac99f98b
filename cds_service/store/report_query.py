"""The query behind the feedback report: cards counted by rule, outcome and override reason."""

from __future__ import annotations

from sqlalchemy import Connection, Subquery, func, select

from cds_service.application.feedback_report import CardCount
from cds_service.store.tables import feedback, served_rule


def count_cards(connection: Connection) -> list[CardCount]:
    """Return how many cards of each rule were answered how. Feedback for cards not known here counts for no rule."""
    decided = _deciding_feedback()
    columns = (served_rule.c.rule, decided.c.outcome, decided.c.reason_code)
    query = (
        select(*columns, func.count().label("cards"))
        .select_from(served_rule.outerjoin(decided, decided.c.card_uuid == served_rule.c.card_uuid))
        .group_by(*columns)
    )
    return [CardCount(rule, outcome, reason, cards) for rule, outcome, reason, cards in connection.execute(query)]


def _deciding_feedback() -> Subquery:
    """The newest word on each card: a clinician may dismiss a card and accept it later (CDS Hooks 2.0, feedback)."""
    newest = func.row_number().over(
        partition_by=feedback.c.card_uuid,
        order_by=(
            func.coalesce(feedback.c.outcome_at, feedback.c.received_at).desc(),
            feedback.c.received_at.desc(),
            feedback.c.id.desc(),
        ),
    )
    ranked = select(feedback.c.card_uuid, feedback.c.outcome, feedback.c.reason_code, newest.label("place")).subquery()
    return select(ranked.c.card_uuid, ranked.c.outcome, ranked.c.reason_code).where(ranked.c.place == 1).subquery()
