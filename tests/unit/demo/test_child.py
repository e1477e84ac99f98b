"""Server processes of the demo: they end with the block, with the demo itself, and say why they did not start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.demo import child as child_module
from cds_service.demo.child import GUARD, check_port_is_free, running, wait_until_ready
from cds_service.demo.errors import DemoError

SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


def eventually(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def pid_in(path: Path) -> int:
    assert eventually(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def test_the_process_ends_with_the_block(tmp_path: Path) -> None:
    with running("It", [sys.executable, "-c", SLEEPER, str(tmp_path / "pid")], log=tmp_path / "log") as child:
        pid = pid_in(tmp_path / "pid")
        assert is_alive(pid)
        assert not child.has_ended()
    assert child.has_ended()
    assert eventually(lambda: not is_alive(pid))


def test_the_process_ends_with_an_error_in_the_block(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupted(command: list[str]) -> None:
        with running("It", command, log=tmp_path / "log"):
            pids.append(pid_in(tmp_path / "pid"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted([sys.executable, "-c", SLEEPER, str(tmp_path / "pid")])
    assert eventually(lambda: not is_alive(pids[0]))


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.3)
    with running("It", [sys.executable, "-c", STUBBORN, str(tmp_path / "pid")], log=tmp_path / "log"):
        pid = pid_in(tmp_path / "pid")
    assert eventually(lambda: not is_alive(pid))


def test_the_process_ends_when_the_demo_is_killed(tmp_path: Path) -> None:
    """The demo's end of the pipe closes with it: here the demo is a process that gets SIGKILL."""
    demo = (
        "import subprocess, sys, time\n"
        "subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)\n"
        "time.sleep(60)"
    )
    guarded = [sys.executable, "-P", str(GUARD), sys.executable, "-c", SLEEPER, str(tmp_path / "pid")]
    parent = subprocess.Popen([sys.executable, "-c", demo, *guarded])
    pid = pid_in(tmp_path / "pid")
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_alive(pid))


def test_the_process_ends_when_its_guard_is_told_to(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(GUARD), sys.executable, "-c", SLEEPER, str(tmp_path / "pid")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guard:
        pid = pid_in(tmp_path / "pid")
        guard.terminate()
        assert guard.wait(10) != 0
    assert eventually(lambda: not is_alive(pid))


def test_the_guard_ends_as_its_command_does() -> None:
    command = [sys.executable, "-P", str(GUARD), sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guard:
        assert guard.wait(20) == 7


def test_a_server_that_ends_at_once_shows_its_last_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('CDS_AUTH: no such value')"]
    with (
        running("The service", command, log=tmp_path / "log") as child,
        pytest.raises(DemoError, match=r"(?s)The service did not start.*CDS_AUTH: no such value"),
    ):
        wait_until_ready(child, "http://127.0.0.1:1/readyz", limit_seconds=20)


def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    with (
        running("The service", [sys.executable, "-c", SLEEPER, str(tmp_path / "pid")], log=tmp_path / "log") as child,
        pytest.raises(DemoError, match="The service was not ready after 0 s"),
    ):
        wait_until_ready(child, "http://127.0.0.1:1/readyz", limit_seconds=0.3)


def test_a_server_is_ready_when_it_answers_200(tmp_path: Path) -> None:
    answers = iter([0, 503, 200])
    asked: list[str] = []

    def get(url: str) -> int:
        asked.append(url)
        return next(answers)

    with running("It", [sys.executable, "-c", SLEEPER, str(tmp_path / "pid")], log=tmp_path / "log") as child:
        wait_until_ready(child, "http://x/readyz", limit_seconds=20, get=get)
    assert asked == ["http://x/readyz"] * 3


def test_a_busy_port_is_one_line_that_names_the_option() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(DemoError) as error:
            check_port_is_free(port, "--fhir-port")
    assert str(error.value).startswith(f"Port {port} on 127.0.0.1 cannot be used (")
    assert str(error.value).endswith("): choose another with --fhir-port.")


def test_a_port_is_free_again_after_its_server(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    check_port_is_free(port, "--port")
