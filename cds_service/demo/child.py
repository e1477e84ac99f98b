"""A server process of the demo: started on a free port, watched until it answers, stopped with the demo.

It is stopped on every way out: on leaving the `with` block, on Ctrl-C, and by `guard.py` when the demo itself dies.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from cds_service.demo.errors import DemoError

GUARD = Path(__file__).with_name("guard.py")
STOP_SECONDS = 12.0
POLL_SECONDS = 0.1
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Child:
    """A running server. `log` is the file with everything it printed."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def last_lines(self, count: int = 15) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-count:])


def check_port_is_free(port: int, option: str) -> None:
    """Raises: DemoError naming the command line option that changes the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # elsewhere this option would let two servers share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            problem = f"Port {port} on {LOOPBACK} cannot be used ({error.strerror})"
            raise DemoError(f"{problem}: choose another with {option}.") from error


@contextmanager
def running(
    name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Child]:
    """Start a command and stop it, with all it started, at the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [sys.executable, "-P", str(GUARD), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C in the terminal reaches the demo only, which then stops its children
        )
    try:
        yield Child(name, process, log)
    finally:
        _stop(process)


def wait_until_ready(child: Child, url: str, *, limit_seconds: float, get: Callable[[str], int] | None = None) -> None:
    """Return once `url` answers 200. Raises: DemoError with the child's last lines if it ends or takes too long."""
    get = get or _status_of
    deadline = time.monotonic() + limit_seconds
    while get(url) != 200:
        if child.has_ended():
            raise DemoError(f"{child.name} did not start. Its last lines:\n{child.last_lines()}")
        if time.monotonic() > deadline:
            raise DemoError(
                f"{child.name} was not ready after {limit_seconds:.0f} s. Its last lines:\n{child.last_lines()}"
            )
        time.sleep(POLL_SECONDS)


def _status_of(url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment must not stand before the own machine
        try:
            return session.get(url, timeout=5).status_code
        except requests.RequestException:
            return 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close the guard's standard input, which stops the server; kill what is left of the group after a while."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _kill_group(process)
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
