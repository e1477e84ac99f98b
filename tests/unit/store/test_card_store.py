"""The store on real SQLite files: its promises, and what happens when the file is locked, gone or killed under it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.errors import SettingsError, StoreUnavailable
from cds_service.store import card_store, migrate, tables
from cds_service.store.card_store import SqlCardStore
from cds_service.store.engine import database_url, migration_engine
from cds_service.store.rows import served_rows
from tests.unit.store.answer_contract import AnswerContract, ask
from tests.unit.store.contract import StoreContract, record, show
from tests.unit.store.samples import KEY, accepted, card, new_uuid, overridden, served


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'new' / 'directory' / 'store.sqlite3'}"


@pytest.fixture
def store(url):
    opened = SqlCardStore.open(url, hash_key=KEY)
    yield opened
    opened.close()


@pytest.fixture
def file(url):
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def away(file):
    """Where the file is when it is not in its place."""
    return file.with_name("away.sqlite3")


class TestSqlite(StoreContract, AnswerContract):
    """All that the store promises, on SQLite."""


def start(code: str, *arguments: str) -> subprocess.Popen:
    program = textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_relative_path_makes_its_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SqlCardStore.open("sqlite:///var/cds.sqlite3", hash_key=KEY).close()
    assert (tmp_path / "var" / "cds.sqlite3").is_file()


@pytest.mark.parametrize(
    "wrong", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "no url", "sqlite:///file:x?uri=true"]
)
def test_url_that_cannot_work_names_the_setting(wrong):
    with pytest.raises(SettingsError, match="CDS_DATABASE_URL"):
        SqlCardStore.open(wrong, hash_key=KEY)


def test_wrong_url_does_not_show_its_password():
    with pytest.raises(SettingsError) as raised:
        SqlCardStore.open("mysql://user:hunter2@host/db", hash_key=KEY)
    assert "hunter2" not in str(raised.value)


def test_file_is_written_ahead(store, file):
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_feedback_is_synced_to_disk_before_it_is_acknowledged(store):
    with store._durable_engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


def test_processes_that_start_at_once_migrate_once(url, file):
    code = """
        import sys
        from cds_service.store.card_store import SqlCardStore
        sys.stdin.readline()
        store = SqlCardStore.open(sys.argv[1], hash_key=b"k" * 32)
        print(store.check())
        store.close()
    """
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=120) for worker in workers] == [("None\n", "")] * 3
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
    other.close()


def test_failed_migration_leaves_nothing_behind(url, file, tmp_path):
    SqlCardStore.open(f"sqlite:///{tmp_path / 'other.sqlite3'}", hash_key=KEY).close()
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE seen_token (in_the_way TEXT)")
    other.close()
    with pytest.raises(StoreUnavailable):
        SqlCardStore.open(url, hash_key=KEY)
    with sqlite3.connect(file) as other:
        tables = {name for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    other.close()
    assert tables == {"seen_token"}


def test_a_store_of_the_first_revision_keeps_its_cards_and_answers(url, file):
    """Cards that were served before there were fingerprints: counted as ever, and never withheld."""
    shown = card()
    rows = served_rows(served(shown), KEY)
    rules = [{name: value for name, value in row.items() if name != "fingerprint"} for row in rows.rules]
    engine = migration_engine(database_url(url))
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(tables.served_card.insert(), rows.cards)
        connection.execute(tables.served_rule.insert(), rules)
    engine.dispose()
    store = SqlCardStore.open(url, hash_key=KEY)
    record(store, overridden(shown.uuid))
    assert store.check() is None
    assert [(row["rule"], row["overridden"]) for row in store.report()] == [("anc-moderate", 1)]
    assert ask(store, "f1") == []
    store.close()


def test_acknowledged_feedback_survives_kill_9(url, file):
    code = """
        import sys
        from datetime import UTC, datetime
        from cds_service.application.hook_request import Feedback
        from cds_service.store.card_store import SqlCardStore
        store = SqlCardStore.open(sys.argv[1], hash_key=b"k" * 32)
        for number in range(100000):
            entry = Feedback(f"card-{number}", "accepted", "2026-11-22T12:00:00Z", ("s",))
            store.record_feedback("service", [entry], client=None, received_at=datetime.now(UTC))
            print(entry.card, flush=True)
    """
    writer = start(code, url)
    acknowledged = [writer.stdout.readline().strip() for _ in range(50)]
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate(timeout=60)
    acknowledged += rest.split("\n")[:-1]
    with sqlite3.connect(file) as other:
        kept = {uuid for (uuid,) in other.execute("SELECT card_uuid FROM feedback")}
    other.close()
    assert writer.returncode == -signal.SIGKILL
    assert len(acknowledged) >= 50
    assert set(acknowledged) <= kept


def test_what_was_shown_is_written_when_the_process_ends(url, file):
    code = """
        import sys
        sys.path.insert(0, "")
        from cds_service.store.card_store import SqlCardStore
        from tests.unit.store.samples import card, served
        store = SqlCardStore.open(sys.argv[1], hash_key=b"k" * 32)
        for _ in range(20):
            store.remember(served(card()))
    """
    process = start(code, url)
    assert process.communicate(timeout=60) == ("", "")
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT count(*) FROM served_card").fetchone() == (20,)
    other.close()


def test_store_opened_before_a_fork_works_on_both_sides(url, file):
    code = """
        import os, sys
        sys.path.insert(0, "")
        from cds_service.store.card_store import SqlCardStore
        from tests.unit.store.contract import record_patiently
        from tests.unit.store.samples import accepted, card, new_uuid, served
        store = SqlCardStore.open(sys.argv[1], hash_key=b"k" * 32)
        store.remember(served(card()))
        record_patiently(store, accepted(new_uuid()))
        child = os.fork()
        for _ in range(10):
            store.remember(served(card()))
            record_patiently(store, accepted(new_uuid()))
        done = store.flush(30) and any(store.check() is None for _ in range(30))
        if child == 0:
            os._exit(0 if done else 1)
        print(done, os.waitpid(child, 0)[1])
    """
    assert start(code, url).communicate(timeout=120)[0] == "True 0\n"
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT count(*) FROM served_card").fetchone() == (21,)
        assert other.execute("SELECT count(*) FROM feedback").fetchone() == (21,)
    other.close()


@pytest.fixture
def lock(file):
    """Holds the file's write lock from the call until `release`."""
    held = []

    def take() -> sqlite3.Connection:
        other = sqlite3.connect(file, isolation_level=None)
        held.append(other)
        other.execute("BEGIN EXCLUSIVE")
        return other

    yield take
    for other in held:
        other.close()


def test_locked_database_refuses_feedback_soon_and_recovers(store, lock):
    other = lock()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        record(store, accepted(new_uuid()))
    assert time.monotonic() - began < 2
    assert store.check() == "The database could not be written (OperationalError)."
    with pytest.raises(StoreUnavailable):
        store.first_use("https://a.example", "id", served().served_at)
    other.execute("ROLLBACK")
    assert record(store, accepted(new_uuid())) == 1
    assert store.check() is None


def test_locked_database_does_not_lose_what_was_shown(store, lock):
    other = lock()
    for _ in range(20):
        store.remember(served(card()))
    assert not store.flush(0.1)
    other.execute("ROLLBACK")
    assert store.flush(10)
    assert [row["shown"] for row in store.report()] == [20]


def test_vanished_file_refuses_feedback_and_recovers(store, file, away):
    record(store, accepted(new_uuid()))
    store.check()
    file.rename(away)
    with pytest.raises(StoreUnavailable):
        record(store, accepted(new_uuid()))
    assert store.check() is not None
    store.remember(served(card()))
    assert not file.exists()
    away.rename(file)
    assert store.flush(10)
    assert record(store, accepted(new_uuid())) == 1
    assert [row["shown"] for row in store.report()] == [1]


def test_vanished_file_has_no_answers_and_says_so(store, file, away):
    ask(store, "f1")
    file.rename(away)
    with pytest.raises(StoreUnavailable):
        ask(store, "f1")
    away.rename(file)
    assert ask(store, "f1") == []


def test_a_database_that_hangs_is_not_waited_for(store, monkeypatch):
    released = threading.Event()

    def hang(*_arguments, **_more):
        released.wait(60)

    monkeypatch.setattr(card_store, "read_answers", hang)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        ask(store, "f1")
    released.set()


def test_a_locked_database_can_still_be_asked(store, lock):
    shown = card(fingerprint="f1")
    show(store, shown)
    record(store, overridden(shown.uuid))
    lock()
    assert [answer.outcome for answer in ask(store, "f1")] == ["overridden"]


def test_replaced_empty_file_refuses_feedback(store, file, away):
    record(store, accepted(new_uuid()))
    file.rename(away)
    file.touch()
    with pytest.raises(StoreUnavailable):
        record(store, accepted(new_uuid()))


def test_full_queue_drops_and_counts_without_raising(url, lock, caplog):
    small = SqlCardStore.open(url, hash_key=KEY, queue_size=5)
    other = lock()
    for _ in range(12):
        small.remember(served(card()))
    assert small.dropped == 7
    assert [entry.message for entry in caplog.records].count("served_cards_dropped") == 1
    other.execute("ROLLBACK")
    assert small.flush(10)
    assert [row["shown"] for row in small.report()] == [5]
    small.close()


def test_remember_never_raises(store, caplog):
    store.remember(served("not a card"))
    assert [entry.message for entry in caplog.records] == ["served_cards_not_queued"]


def test_errors_and_logs_quote_nothing(store, lock, caplog):
    lock()
    store.remember(served(card()))
    with pytest.raises(StoreUnavailable) as raised:
        record(store, overridden("card-marker-q7x", comment="Mrs Smith"))
    time.sleep(1.2)
    quoted = str(raised.value) + str(raised.value.__cause__) + caplog.text + str([vars(r) for r in caplog.records])
    assert "served_cards_not_written" in caplog.text
    assert "marker-q7x" not in quoted
    assert "Smith" not in quoted


def test_closed_store_takes_no_more(url):
    store = SqlCardStore.open(url, hash_key=KEY)
    store.close()
    store.remember(served(card()))
    assert store.dropped == 1


RULES = ("anc-mild-observe", "anc-moderate", "anc-severe")
REASONS = (None, "expected-nadir", "known")
ANSWER = st.one_of(
    st.none(),
    st.tuples(st.just("accepted"), st.none()),
    st.tuples(st.just("overridden"), st.sampled_from(REASONS)),
)
SHOWN = st.lists(st.tuples(st.sets(st.sampled_from(RULES), min_size=1), ANSWER), max_size=12)


def expected_report(shown) -> list[dict]:
    """The same counts, found the long way."""
    report = []
    for rule in sorted({rule for rules, _ in shown for rule in rules}):
        answers = [answer for rules, answer in shown if rule in rules]
        outcomes = Counter(answer[0] for answer in answers if answer)
        report.append(
            {
                "rule": rule,
                "shown": len(answers),
                "accepted": outcomes["accepted"],
                "overridden": outcomes["overridden"],
                "unanswered": answers.count(None),
                "overrideReasons": dict(Counter(answer[1] for answer in answers if answer and answer[1])),
            }
        )
    return report


@settings(max_examples=25, deadline=None)
@given(shown=SHOWN)
def test_report_counts_every_card_once_for_each_of_its_rules(tmp_path_factory, shown):
    store = SqlCardStore.open(f"sqlite:///{tmp_path_factory.mktemp('report') / 's.sqlite3'}", hash_key=KEY)
    cards = [card(*sorted(rules)) for rules, _ in shown]
    show(store, *cards)
    for each, (_, answer) in zip(cards, shown, strict=True):
        if answer:
            entry = accepted(each.uuid) if answer[0] == "accepted" else overridden(each.uuid, reason=answer[1])
            record(store, entry, entry)
    assert store.report() == expected_report(shown)
    store.close()
