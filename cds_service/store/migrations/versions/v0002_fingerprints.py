"""Served rules get a fingerprint, so that a card that was answered is recognised when it would be shown again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Cards served before have none: they are shown again."""
    op.add_column("served_rule", sa.Column("fingerprint", sa.String(64)))
    op.create_index("ix_served_rule_fingerprint", "served_rule", ["fingerprint"])
