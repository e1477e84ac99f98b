"""The newest word on each card: a clinician may dismiss a card and accept it later (CDS Hooks 2.0, feedback)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Subquery, func, select, true

from cds_service.store.tables import feedback


def deciding_feedback(of: ColumnElement[bool] | None = None) -> Subquery:
    """The rows of feedback that decide, of all cards or of those chosen."""
    newest = func.row_number().over(
        partition_by=feedback.c.card_uuid,
        order_by=(
            func.coalesce(feedback.c.outcome_at, feedback.c.received_at).desc(),
            feedback.c.received_at.desc(),
            feedback.c.id.desc(),
        ),
    )
    ranked = select(feedback, newest.label("place")).where(true() if of is None else of).subquery()
    return select(ranked).where(ranked.c.place == 1).subquery()
