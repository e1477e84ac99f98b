"""The production server as a process: it starts, forks, counts over all workers, and stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
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
