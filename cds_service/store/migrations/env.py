"""Runs the revisions on the connection that migrate.py opened and locked; it commits, this does not."""

from __future__ import annotations

from alembic import context

from cds_service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite rolls DDL back too, since the transaction is begun by us and not by the driver.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
