"""The tables of the store. None has a column for a clinical value, a name or a patient id.

The migrations build them; a test holds that both say the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept as UTC. SQLite forgets the offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

served_card = Table(
    "served_card",
    metadata,
    Column("uuid", String(255), primary_key=True),
    Column("service", String(255), nullable=False),
    Column("hook_instance", String(255), nullable=False),
    Column("client", String(255)),
    Column("tenant", String(255)),
    Column("indicator", String(16), nullable=False),
    Column("suggestions", JSON, nullable=False),
    Column("patient_hash", String(64)),
    Column("served_at", UtcDateTime, nullable=False),
    Index("ix_served_card_served_at", "served_at"),
)
"""One card as shown. `suggestions` is a list of {uuid, kind}; `patient_hash` is keyed (hash_key.py)."""

served_rule = Table(
    "served_rule",
    metadata,
    Column("card_uuid", String(255), ForeignKey("served_card.uuid", ondelete="CASCADE"), primary_key=True),
    Column("rule", String(255), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("fingerprint", String(64)),
    Index("ix_served_rule_rule", "rule"),
    Index("ix_served_rule_fingerprint", "fingerprint"),
)
"""The rules that a card spoke for. `fingerprint` is a keyed hash of what the verdict rested on (hash_key.py)."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("entry_hash", String(64), nullable=False, unique=True),
    Column("card_uuid", String(255), nullable=False),
    Column("service", String(255), nullable=False),
    Column("client", String(255)),
    Column("outcome", String(16), nullable=False),
    Column("accepted_suggestions", JSON, nullable=False),
    Column("reason_code", String(255)),
    Column("reason_system", String(255)),
    Column("comment", Text),
    Column("outcome_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Index("ix_feedback_card_uuid", "card_uuid"),
    Index("ix_feedback_received_at", "received_at"),
)
"""What became of a card. No foreign key: feedback may come before its card is written, or for a card long pruned.

`entry_hash` makes a repeat recognisable; `comment` stays empty unless the site chose to keep comments.
"""

seen_token = Table(
    "seen_token",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("token_hash", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_seen_token_expires_at", "expires_at"),
)
"""Token ids that were used, until they expire."""
