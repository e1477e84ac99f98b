"""Brings the tables of a database to the newest revision, from empty or from any older one.

Several workers may start at once: one migrates, the others wait for it and find nothing to do.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor

_ADVISORY_LOCK = 0x1E_0C_0D_05
_PATIENCE_SECONDS = 60.0
_one_at_a_time = threading.Lock()  # Alembic keeps its context in a module


def migrate(engine: Engine) -> None:
    """Run all outstanding migrations in one transaction, under a lock that all processes share."""
    with _one_at_a_time:
        if engine.dialect.name == "sqlite":
            _switch_to_wal(engine)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(_PATIENCE_SECONDS)}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def newest_revision() -> str | None:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision that the database has; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _switch_to_wal(engine: Engine) -> None:
    """Write-ahead logging is a property of the file. SQLite does not wait when two processes switch at once."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    with closing(engine.raw_connection()) as connection:
        while not _switched(connection.cursor()):
            if time.monotonic() > give_up:
                raise OSError("the database file cannot be switched to write-ahead logging")
            time.sleep(0.05)


def _switched(cursor: DBAPICursor) -> bool:
    """Outside of any transaction, where alone SQLite allows it."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        return bool(cursor.fetchone() == ("wal",))
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
