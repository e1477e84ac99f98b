"""SqlCardStore: the ports CardStore, AnswerLog and TokenLog on a SQL database, safe to open before gunicorn forks.

What was shown is written behind the answer; feedback and token ids are written before the call returns.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from alembic.util import CommandError
from sqlalchemy import URL, Connection, delete, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from cds_service.application.feedback_report import summarise
from cds_service.application.hook_request import Feedback
from cds_service.application.ports import PastAnswer, ServedCards
from cds_service.errors import StoreUnavailable
from cds_service.store import migrate
from cds_service.store.answer_query import read_answers
from cds_service.store.background_writer import BackgroundWriter
from cds_service.store.bounded_calls import BoundedCalls
from cds_service.store.engine import database_url, insert_once, migration_engine, serving_engine
from cds_service.store.hash_key import evidence_hash, token_hash
from cds_service.store.report_query import count_cards
from cds_service.store.rows import CardRows, feedback_row, served_rows, storable, storable_or_none
from cds_service.store.tables import feedback, seen_token, served_card, served_rule

_ANSWER_SECONDS = 1.8
_LOOK_SECONDS = 0.25  # a card waits for it
_REPORT_SECONDS = 60.0
_SHUTDOWN_SECONDS = 2.0
# Tokens live an hour at most and get a minute's skew on both ends: what expired two hours before a token
# that was just accepted will expire can be accepted no more.
_TOKEN_MARGIN = timedelta(hours=2)
_log = logging.getLogger(__name__)


class SqlCardStore:
    """Remembers served cards, feedback and token ids (ports CardStore, AnswerLog and TokenLog)."""

    def __init__(self, url: URL, *, hash_key: bytes, queue_size: int, keep_comments: bool) -> None:
        self._hash_key = hash_key
        self._keep_comments = keep_comments
        self._engine = serving_engine(url, durable=False)
        self._durable_engine = serving_engine(url, durable=True)
        self._calls = BoundedCalls(_ANSWER_SECONDS)
        self._quick_calls = BoundedCalls(_LOOK_SECONDS)
        self._long_calls = BoundedCalls(_REPORT_SECONDS)
        self._writer: BackgroundWriter[CardRows] = BackgroundWriter(self._write_cards, size=queue_size)
        self._revision = migrate.newest_revision()

    @classmethod
    def open(cls, url: str, *, hash_key: bytes, queue_size: int = 1000, keep_comments: bool = False) -> SqlCardStore:
        """Bring the database to the newest revision and open it. Free-text comments are dropped unless kept on purpose.

        Raises: SettingsError for a URL that cannot be used; StoreUnavailable where the database cannot be reached.
        """
        parsed = database_url(url)
        with _unavailable("be opened"):
            engine = migration_engine(parsed)
            try:
                migrate.migrate(engine)
            finally:
                engine.dispose()
        store = cls(parsed, hash_key=hash_key, queue_size=queue_size, keep_comments=keep_comments)
        _follow_process(store)
        return store

    @property
    def dropped(self) -> int:
        """How many answers were not remembered, in this process: the queue was full, or they could not be written."""
        return self._writer.dropped

    def remember(self, served: ServedCards) -> None:
        """Queue what was shown; returns at once and never raises: an answer does not depend on it."""
        try:
            rows = served_rows(served, self._hash_key)
            if rows.cards:
                self._writer.put(rows)
        except Exception as error:  # noqa: BLE001 - the answer is already right; what it was stays out of the log
            _log.error("served_cards_not_queued", extra={"reason": type(error).__name__})

    def record_feedback(
        self, service_id: str, feedback: Sequence[Feedback], *, client: str | None, received_at: datetime
    ) -> int:
        """Keep feedback durably and return how many entries are new; a repeat is kept once.

        Raises: StoreUnavailable.
        """
        rows = [
            feedback_row(service_id, entry, client=client, received_at=received_at, keep_comments=self._keep_comments)
            for entry in feedback
        ]
        return self._calls.run(lambda: self._write_feedback(rows)) if rows else 0

    def report(self) -> Sequence[Mapping[str, Any]]:
        """Per rule: rule, shown, accepted, overridden, unanswered, overrideReasons.

        Raises: StoreUnavailable.
        """

        def read() -> Sequence[Mapping[str, Any]]:
            with _unavailable("be read"), self._engine.connect().execution_options(reads_only=True) as connection:
                return [rule.as_json() for rule in summarise(count_cards(connection)).rules]

        return self._long_calls.run(read)

    def fingerprint(self, parts: Sequence[object]) -> str:
        """The keyed hash of nested texts; equal only for equal texts under the same key."""
        return evidence_hash(self._hash_key, parts)

    def answers(self, fingerprints: Collection[str], *, client: str | None, since: datetime) -> Sequence[PastAnswer]:
        """The last answer to each card of this client with one of these fingerprints, given after `since`.

        Answers within a fraction of a second. Raises: StoreUnavailable.
        """

        def read() -> Sequence[PastAnswer]:
            with _unavailable("be read"), self._engine.connect().execution_options(reads_only=True) as connection:
                return read_answers(connection, fingerprints, client=storable_or_none(client), since=since)

        return self._quick_calls.run(read)

    def check(self) -> str | None:
        """None where the store works, else what is wrong in words."""
        try:
            return self._calls.run(self._what_is_wrong)
        except StoreUnavailable as error:
            return str(error)

    def first_use(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        """True the first time a token id of an issuer is seen. Raises: StoreUnavailable."""
        row = {"issuer": storable(issuer), "token_hash": token_hash(issuer, token_id), "expires_at": expires_at}

        def write() -> bool:
            with _unavailable("be written"), self._engine.begin() as connection:
                outdated = seen_token.c.expires_at < expires_at - _TOKEN_MARGIN
                connection.execute(delete(seen_token).where(outdated))
                return connection.execute(insert_once(seen_token, connection), row).rowcount == 1

        return self._calls.run(write)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was remembered in this process is written; False where it was not in time."""
        return self._writer.flush(timeout)

    def prune(self, older_than: datetime) -> int:
        """Delete what was shown, answered or expired before `older_than`; return how many cards and answers went.

        Raises: StoreUnavailable.
        """

        def write() -> int:
            with _unavailable("be written"), self._durable_engine.begin() as connection:
                return _delete_before(connection, older_than)

        return self._long_calls.run(write)

    def close(self) -> None:
        """Write what waits, as far as that is quick, and close all connections."""
        self._writer.close(_SHUTDOWN_SECONDS)
        self._calls.close(_SHUTDOWN_SECONDS)
        self._quick_calls.close(_SHUTDOWN_SECONDS)
        self._long_calls.close(_SHUTDOWN_SECONDS)
        self.before_fork()

    def before_fork(self) -> None:
        """SQLite's connections must not cross a fork, not even to be closed: close those at rest."""
        self._engine.dispose()
        self._durable_engine.dispose()

    def after_fork(self) -> None:
        """Begin anew in a child: threads, locks and connections stayed with the parent."""
        self._engine.dispose(close=False)
        self._durable_engine.dispose(close=False)
        self._calls.after_fork()
        self._quick_calls.after_fork()
        self._long_calls.after_fork()
        self._writer.after_fork()

    def _write_cards(self, batch: Sequence[CardRows]) -> None:
        with _unavailable("be written", poison=True), self._engine.begin() as connection:
            connection.execute(insert_once(served_card, connection), [row for rows in batch for row in rows.cards])
            rules = [row for rows in batch for row in rows.rules]
            if rules:
                connection.execute(insert_once(served_rule, connection), rules)

    def _write_feedback(self, rows: Sequence[Mapping[str, Any]]) -> int:
        with _unavailable("be written"), self._durable_engine.begin() as connection:
            statement = insert_once(feedback, connection)
            return sum(connection.execute(statement, row).rowcount for row in rows)

    def _what_is_wrong(self) -> str | None:
        with _unavailable("be written"), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql" and _is_read_only(connection):
                return "The database is read-only."
            revision = migrate.current_revision(connection)
        if revision != self._revision:
            return f"The database has the tables of revision {revision}, needed is {self._revision}."
        return None


@contextmanager
def _unavailable(deed: str, *, poison: bool = False) -> Iterator[None]:
    """Map what the database layer raises; `poison`: let through what is the fault of the row, not of the database."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, CommandError, OSError) as error:
        if poison and _is_fault_of_row(error):
            raise
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"The database could not {deed} ({type(cause).__name__}).") from error


def _is_fault_of_row(error: Exception) -> bool:
    if isinstance(error, DataError | IntegrityError):
        return True
    return isinstance(error, StatementError) and not isinstance(error, DBAPIError)


def _is_read_only(connection: Connection) -> bool:
    return str(connection.exec_driver_sql("SHOW transaction_read_only").scalar_one()) == "on"


def _delete_before(connection: Connection, older_than: datetime) -> int:
    old_cards = select(served_card.c.uuid).where(served_card.c.served_at < older_than)
    old_answer = (feedback.c.received_at < older_than) | feedback.c.card_uuid.in_(old_cards)
    answers = connection.execute(delete(feedback).where(old_answer)).rowcount
    cards = connection.execute(delete(served_card).where(served_card.c.served_at < older_than)).rowcount
    connection.execute(delete(seen_token).where(seen_token.c.expires_at < older_than))
    return answers + cards


def _follow_process(store: SqlCardStore) -> None:
    """Tell the store when the process forks or ends, without keeping it alive."""
    reference = weakref.ref(store)

    def tell(deed: Callable[[SqlCardStore], None]) -> Callable[[], None]:
        def told() -> None:
            living = reference()
            if living is not None:
                deed(living)

        return told

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=tell(SqlCardStore.before_fork), after_in_child=tell(SqlCardStore.after_fork))
    atexit.register(tell(SqlCardStore.close))
