"""What holds for every test: no network but this machine's own, and nothing is asked of a machine that it lacks.

Test modules that use SHARED_DIR or the fixture shared_dir are not collected where that folder is absent, and tests
marked browser or postgresql are deselected where the program is absent; the report's header says so.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.places import SHARED_DIR

HERE = Path(__file__).resolve().parent

hypothesis.settings.register_profile("project", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("project")


def _modules_that_need_shared() -> list[str]:
    needs = re.compile(r"\bshared_dir\b", re.IGNORECASE)
    return [str(path) for path in sorted(HERE.rglob("test_*.py")) if needs.search(path.read_text("utf-8"))]


collect_ignore = [] if SHARED_DIR.is_dir() else _modules_that_need_shared()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The given material: real payloads, vignettes. Read only."""
    return SHARED_DIR


def _has_chromium() -> bool:
    return shutil.which("chromium") is not None


def _has_postgresql() -> bool:
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


PROGRAMS = {"browser": ("Chromium", _has_chromium), "postgresql": ("PostgreSQL", _has_postgresql)}
ABSENT = {mark: program for mark, (program, is_there) in PROGRAMS.items() if not is_there()}


def pytest_report_header() -> list[str]:
    """Say what this run leaves out, and why."""
    lines = [f"left out: tests marked {mark}, because {program} is not installed" for mark, program in ABSENT.items()]
    if collect_ignore:
        lines.append(f"left out: {len(collect_ignore)} module(s), because ../{SHARED_DIR.name} is not there")
    return lines


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs a program that is not installed."""
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in ABSENT)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


class ForeignConnectionError(OSError):
    """A test tried to reach another machine."""


_real_connect = socket.socket.connect
_real_connect_ex = socket.socket.connect_ex
_real_getaddrinfo = socket.getaddrinfo
_refused: list[str] = []


def _address_of(host: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None


def _is_own_machine(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    address = _address_of(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _refuse_foreign(connection: socket.socket, address: Any) -> None:
    if connection.family in (socket.AF_INET, socket.AF_INET6) and not _is_own_machine(address[0]):
        _refused.append(f"{address[0]}:{address[1]}")
        raise ForeignConnectionError(f"tests reach this machine only, not {address[0]}")


def _guarded_connect(connection: socket.socket, address: Any) -> None:
    _refuse_foreign(connection, address)
    _real_connect(connection, address)


def _guarded_connect_ex(connection: socket.socket, address: Any) -> int:
    _refuse_foreign(connection, address)
    return _real_connect_ex(connection, address)


def _guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    # A name of another machine is unknown here at once, as it is on a machine without a network.
    if not _is_own_machine(host) and _address_of(host) is None:
        raise socket.gaierror(socket.EAI_NONAME, "tests look up no names")
    return _real_getaddrinfo(host, *args, **kwargs)


def pytest_configure() -> None:
    """Shut the way out before the first test module is imported."""
    socket.socket.connect = _guarded_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded_connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = _guarded_getaddrinfo


def pytest_unconfigure() -> None:
    """Leave the interpreter as it was."""
    socket.socket.connect = _real_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = _real_connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = _real_getaddrinfo


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail the test that tried to reach another machine, even if its code took the refusal for a dead server."""
    _refused.clear()
    outcome = yield
    if _refused:
        pytest.fail(f"{item.name} tried to reach {', '.join(sorted(set(_refused)))}")
    return outcome
