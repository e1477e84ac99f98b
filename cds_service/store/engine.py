"""Opens the database that a URL names, SQLite or PostgreSQL, so that nothing ever waits on it for long.

The differences between the two end here: how they begin, how they wait, how they make a commit durable.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Insert, NullPool, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DisconnectionError

from cds_service.errors import SettingsError

WAIT_SECONDS = 1.0
"""How long a lock of another is waited for."""
_MIGRATION_WAIT_SECONDS = 60.0
_POOL = {"pool_size": 5, "max_overflow": 15, "pool_timeout": 0.5, "pool_pre_ping": True}


def database_url(text: str) -> URL:
    """Read a database URL; PostgreSQL is spoken by psycopg 3 however the URL spells it.

    Raises: SettingsError.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingsError("CDS_DATABASE_URL: is not a SQLAlchemy URL such as sqlite:///var/cds.sqlite3.") from None
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise SettingsError(f"CDS_DATABASE_URL: {url.drivername} is not supported; use sqlite or postgresql.")
    if url.database in {None, "", ":memory:"} or str(url.database).startswith("file:"):
        raise SettingsError("CDS_DATABASE_URL: SQLite needs the path of a file, which all workers share.")
    return url


def migration_engine(url: URL) -> Engine:
    """An engine for start-up alone: it makes the file, and it waits for other workers."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_postgresql_arguments(url))
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": _MIGRATION_WAIT_SECONDS}
    )
    _begin_sqlite_ourselves(engine, synchronous="FULL")
    return engine


def serving_engine(url: URL, *, durable: bool) -> Engine:
    """An engine for requests: pooled, impatient. `durable`: a commit that returned survives a loss of power."""
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url, hide_parameters=True, connect_args=_postgresql_arguments(url), **_POOL)
        _limit_postgresql_waits(engine, synchronous_commit="on" if durable else "off")
        return engine
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT_SECONDS}, **_POOL)
    _begin_sqlite_ourselves(engine, synchronous="FULL" if durable else "NORMAL")
    _demand_same_file(engine, Path(str(url.database)))
    return engine


def insert_once(table: Table, connection: Connection) -> Insert:
    """An INSERT that leaves a row alone that is there already; its `rowcount` says which it was."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def _postgresql_arguments(url: URL) -> dict[str, Any]:
    """Two seconds is the least that psycopg takes; a peer that stopped answering is noticed by its silence."""
    wanted = {"connect_timeout": 2, "tcp_user_timeout": int(WAIT_SECONDS * 1500)}
    return {name: value for name, value in wanted.items() if name not in url.query}


def _limit_postgresql_waits(engine: Engine, *, synchronous_commit: str) -> None:
    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(WAIT_SECONDS * 1000)}")
            cursor.execute(f"SET synchronous_commit = {synchronous_commit}")
        connection.commit()


def _begin_sqlite_ourselves(engine: Engine, *, synchronous: str) -> None:
    """The driver begins late and not for DDL. Taking the write lock at once rules out a deadlock of two readers."""

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _demand_same_file(engine: Engine, path: Path) -> None:
    """SQLite would write on into a deleted file, or make an empty one: both would lose feedback without a word."""

    @event.listens_for(engine, "do_connect")
    def _exists(_dialect: Any, _record: Any, _arguments: Any, _options: Any) -> None:
        if not path.exists():
            raise sqlite3.OperationalError("the database file is gone")

    @event.listens_for(engine, "connect")
    def _remember(_connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def _compare(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if record.info.get("file") != _identity(path):
            raise DisconnectionError("the database file was replaced")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
