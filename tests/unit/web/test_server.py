"""The production server as a process: it starts, forks, counts over all workers, and stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.web import server
from tests.places import ROOT


@pytest.fixture
def environment(tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "PROMETHEUS_"))}
    return inherited | {"CDS_AUTH": "off", "CDS_DATA_DIR": str(tmp_path / "data"), "TMPDIR": str(temporary)}


@pytest.fixture
def running(environment) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port."""
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process, _port(process)
    finally:
        process.kill()
        process.communicate()


def _port(process: subprocess.Popen[str]) -> int:
    lines = []
    for line in process.stderr:
        lines.append(line)
        entry = json.loads(line)
        if entry["message"] == "starting":
            return int(entry["address"].rpartition(":")[2])
    raise AssertionError("".join(lines))


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def test_serves_with_several_workers_and_stops_when_told(running, tmp_path):
    process, port = running
    response, body = get(port, "/readyz")
    assert (response.status, json.loads(body)) == (200, {"status": "ready"})
    assert response.getheader("Server") is None
    for _ in range(20):
        get(port, "/cds-services")
    assert 'cds_requests_total{service="none",status="200"} 21.0' in get(port, "/metrics")[1]
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert all(json.loads(line)["message"] for line in log.splitlines())
    assert list((tmp_path / "tmp").glob("cds-service-metrics-*")) == []


SECRET = "Jane-Doe-4711"


def refused(port: int, raw: bytes) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(raw)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, dict(response.getheaders()), response.read().decode()


UNREADABLE = [
    (f"GET /readyz HTTP/1.1\r\n{SECRET} no colon\r\n\r\n", 400, "InvalidHeader"),
    (f"GET /readyz HTTP/1.1\r\nX {SECRET}: 1\r\n\r\n", 400, "InvalidHeaderName"),
    (f"GET /{SECRET}\r\n\r\n", 400, "InvalidRequestLine"),
    (f"GET /{SECRET} HTTP/7.7\r\n\r\n", 400, "InvalidHTTPVersion"),
    (f"GET /{SECRET}{'x' * 9000} HTTP/1.1\r\n\r\n", 414, "LimitRequestLine"),
]


def test_what_cannot_be_read_is_neither_logged_nor_sent_back(running):
    process, port = running
    for raw, status, _ in UNREADABLE:
        answered, headers, body = refused(port, raw.encode())
        assert (answered, headers["Content-Type"]) == (status, "application/json")
        assert SECRET not in f"{headers}{body}"
        outcome = json.loads(body)
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["diagnostics"] == "The request could not be read."
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert SECRET not in log
    entries = [e for e in map(json.loads, log.splitlines()) if e["message"] == "request_unreadable"]
    told = sorted((e["level"], e["status"], e["error"]) for e in entries)
    assert told == sorted(("WARNING", status, kind) for _, status, kind in UNREADABLE)


def test_a_failure_while_reading_is_ours_and_keeps_its_words_to_itself(caplog):
    answer = server.refuse_unreadable(ValueError(SECRET))
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert SECRET not in answer.decode() + caplog.text
    assert caplog.records[-1].error == "ValueError"


WAITRESS = """
from cds_service.web import server
with server.listening_socket("127.0.0.1", 0) as listener:
    print(listener.getsockname()[1], flush=True)
    server._run_waitress(lambda environ, start: [], listener, 1)
"""


def test_the_server_for_systems_that_cannot_fork_sends_nothing_back_either(environment):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITRESS], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        raw = f"GET / HTTP/1.1\r\n{SECRET} no colon\r\n\r\n"
        status, headers, body = refused(int(process.stdout.readline()), raw.encode())
    finally:
        process.kill()
        process.communicate()
    assert status == 400
    assert SECRET not in f"{headers}{body}"
    assert "The request could not be read." in body


def test_a_wrong_library_is_told_in_plain_lines(environment, tmp_path):
    (tmp_path / "cards").mkdir()
    wrong = environment | {"CDS_CARDS_DIR": str(tmp_path / "cards")}
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, env=wrong, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "cards") in done.stderr


def test_a_busy_port_is_told_at_once():
    def never(_settings):
        raise AssertionError("the application was made although the port is taken")

    with server.listening_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"--port: cannot listen on 127.0.0.1:{port}"):
            server.serve(Settings(auth="off"), never, host="127.0.0.1", port=port, workers=1)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104 - refused
def test_an_open_door_is_refused_beyond_this_machine(host):
    with pytest.raises(SettingsError, match="CDS_AUTH: off is refused"):
        server.serve(Settings(auth="off"), lambda _: None, host=host, port=0, workers=1)


def test_an_unknown_host_is_told():
    with (
        pytest.raises(SettingsError, match="--host: cannot listen on no-such-host"),
        server.listening_socket("no-such-host.invalid", 0),
    ):
        raise AssertionError("it listens on a host that is not there")


def test_gunicorn_cannot_be_steered_from_outside():
    options = server.gunicorn_options(3, 2)
    assert options["control_socket_disable"]
    assert options["bind"] == "fd://3"


def test_each_processor_gets_a_worker_within_reason(monkeypatch):
    for processors, workers in ((None, 1), (2, 2), (64, server.MOST_DEFAULT_WORKERS)):
        monkeypatch.setattr(os, "cpu_count", lambda processors=processors: processors)
        assert server.default_workers() == workers
