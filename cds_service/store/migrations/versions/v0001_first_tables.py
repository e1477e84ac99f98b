"""The first tables: served cards and their rules, feedback, token ids seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Build the tables of tables.py as they were at this revision."""
    _served_card()
    _served_rule()
    _feedback()
    _seen_token()


def _served_card() -> None:
    op.create_table(
        "served_card",
        sa.Column("uuid", sa.String(255), primary_key=True),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("hook_instance", sa.String(255), nullable=False),
        sa.Column("client", sa.String(255)),
        sa.Column("tenant", sa.String(255)),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("patient_hash", sa.String(64)),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_served_card_served_at", "served_card", ["served_at"])


def _served_rule() -> None:
    op.create_table(
        "served_rule",
        sa.Column("card_uuid", sa.String(255), sa.ForeignKey("served_card.uuid", ondelete="CASCADE"), primary_key=True),
        sa.Column("rule", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(64), nullable=False),
    )
    op.create_index("ix_served_rule_rule", "served_rule", ["rule"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("entry_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("card_uuid", sa.String(255), nullable=False),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("client", sa.String(255)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("accepted_suggestions", sa.JSON, nullable=False),
        sa.Column("reason_code", sa.String(255)),
        sa.Column("reason_system", sa.String(255)),
        sa.Column("comment", sa.Text),
        sa.Column("outcome_at", sa.DateTime(timezone=True)),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_feedback_card_uuid", "feedback", ["card_uuid"])
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])


def _seen_token() -> None:
    op.create_table(
        "seen_token",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_seen_token_expires_at", "seen_token", ["expires_at"])
