"""The store on a real PostgreSQL server, started for these tests alone: the same promises as on SQLite, and outages."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from cds_service.errors import StoreUnavailable
from cds_service.store.card_store import SqlCardStore
from tests.unit.store.answer_contract import AnswerContract, ask
from tests.unit.store.contract import StoreContract, record
from tests.unit.store.samples import KEY, NOW, accepted, card, new_uuid, served

pytestmark = pytest.mark.postgresql
ACCOUNT = "postgres"


def program(name: str) -> str:
    """Debian keeps the server's programs off the PATH."""
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), shutil.which(name)]
    if not any(found):
        pytest.fail(f"PostgreSQL's {name} is not installed (Debian: apt-get install postgresql)")
    return str(next(path for path in found if path))


@dataclass(frozen=True)
class Cluster:
    """A private server on a port of its own."""

    directory: Path
    port: int

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c autovacuum=off"
        )
        self._run("pg_ctl", "-D", "data", "-l", "server.log", "-o", options, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def create(self) -> None:
        self._run("initdb", "-D", "data", "-A", "trust", "-U", ACCOUNT, "-E", "UTF8", "--locale=C", "--no-sync")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        name = f"store_{new_uuid().replace('-', '')}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @contextmanager
    def frozen(self, url: str) -> Iterator[None]:
        """The server and its sessions stand still: connections stay open and nobody answers."""
        with psycopg.connect(url) as connection:
            sessions = [
                pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE datname IS NOT NULL")
            ]
            stopped = [int((self.directory / "data" / "postmaster.pid").read_text().split()[0]), *sessions]
            self._signal(stopped, signal.SIGSTOP)
            try:
                yield
            finally:
                self._signal(stopped, signal.SIGCONT)

    def _run(self, name: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        account = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*account, program(name), *arguments],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"

    @staticmethod
    def _signal(pids: list[int], number: int) -> None:
        for pid in pids:
            os.kill(pid, number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def cluster():
    # Not tmp_path: its parents are closed to the account that the server runs as.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        shutil.chown(directory, ACCOUNT)
    private = Cluster(directory, free_port())
    try:
        private.create()
        private.start()
        yield private
        private.stop()
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def url(cluster):
    return cluster.new_database()


@pytest.fixture
def store(url):
    opened = SqlCardStore.open(url, hash_key=KEY)
    yield opened
    opened.close()


class TestPostgresql(StoreContract, AnswerContract):
    """All that the store promises, on PostgreSQL."""


def assert_refuses_soon(store: SqlCardStore) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        record(store, accepted(new_uuid()))
    assert time.monotonic() - began < 2


def test_processes_that_start_at_once_migrate_once(url):
    code = """
        import sys
        from cds_service.store.card_store import SqlCardStore
        sys.stdin.readline()
        store = SqlCardStore.open(sys.argv[1], hash_key=b"k" * 32)
        print(store.check())
        store.close()
    """
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", textwrap.dedent(code), url]
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=120) for worker in workers] == [("None\n", "")] * 3
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]


def test_locked_table_refuses_feedback_soon_and_recovers(store, url):
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE feedback, served_card, seen_token IN ACCESS EXCLUSIVE MODE")
        assert_refuses_soon(store)
        with pytest.raises(StoreUnavailable):
            store.first_use("https://a.example", "id", NOW)
        store.remember(served(card()))
        other.rollback()
    assert record(store, accepted(new_uuid())) == 1
    assert store.flush(10)
    assert [row["shown"] for row in store.report()] == [1]


def test_stopped_server_refuses_feedback_soon_and_recovers(store, cluster):
    record(store, accepted(new_uuid()))
    cluster.stop()
    try:
        assert_refuses_soon(store)
        assert store.check() is not None
        store.remember(served(card()))
        assert not store.flush(0.1)
    finally:
        cluster.start()
    assert store.check() is None
    assert record(store, accepted(new_uuid())) == 1
    assert store.flush(10)
    assert [row["shown"] for row in store.report()] == [1]


def test_frozen_server_refuses_feedback_soon_and_recovers(store, url, cluster):
    record(store, accepted(new_uuid()))
    with cluster.frozen(url):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            ask(store, "f1")
        assert_refuses_soon(store)
        assert store.check() == "The database does not answer."
    assert record(store, accepted(new_uuid())) == 1
    assert store.check() is None


def test_read_only_database_is_said(url):
    SqlCardStore.open(url, hash_key=KEY).close()
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = SqlCardStore.open(url, hash_key=KEY)
    assert store.check() == "The database is read-only."
    with pytest.raises(StoreUnavailable):
        record(store, accepted(new_uuid()))
    store.close()


def test_feedback_is_on_disk_before_it_is_acknowledged(store):
    with store._durable_engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


def test_server_that_is_not_there_refuses_to_open():
    with pytest.raises(StoreUnavailable, match="could not be opened") as raised:
        SqlCardStore.open(f"postgresql://user:hunter2@127.0.0.1:{free_port()}/db", hash_key=KEY)
    assert "hunter2" not in str(raised.value)
