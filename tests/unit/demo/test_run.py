"""The course of the demo, with stand-ins for the two servers: exit codes, settings of the service, what is put away."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.demo import fhir_server, run
from cds_service.demo.child import Child, running
from cds_service.demo.errors import DemoError
from cds_service.demo.tour import SERVICES

IDLE = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def servers(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """One stand-in for both servers: it takes every resource and every hook call."""

    @contextmanager
    def stand_in(*_: object) -> Iterator[tuple[str, Child]]:
        with running("The stand-in", IDLE, log=tmp_path / "log") as child:
            yield httpserver.url_for("").rstrip("/"), child

    monkeypatch.setattr(run, "running_fhir_server", stand_in)
    monkeypatch.setattr(run, "running_service", stand_in)
    services = [{"id": i, "hook": hook, "description": "d"} for hook, i in SERVICES.items()]
    httpserver.expect_request("/cds-services").respond_with_json({"services": services})
    httpserver.expect_request("/", method="POST").respond_with_json({"resourceType": "Bundle"})
    return httpserver


def answer_calls(httpserver: HTTPServer, status: int) -> list[str]:
    """Answer all hook calls with this status; returns the list that the patients will be put into."""
    patients: list[str] = []

    def answer(request: Request) -> Response:
        patients.append(json.loads(request.data)["context"]["patientId"])
        return Response('{"cards": []}', status=status, content_type="application/json")

    for service_id in SERVICES.values():
        httpserver.expect_request(f"/cds-services/{service_id}").respond_with_handler(answer)
    return patients


@pytest.fixture
def ports() -> dict[str, int]:
    return {"port": 0, "fhir_port": 1}  # 0: any free port; the stand-ins listen elsewhere


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_once_ends_after_the_table_and_tells_failure(
    servers: HTTPServer, ports: dict[str, int], capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    patients = answer_calls(servers, status)
    assert run.run_demo(**ports, once=True) == code
    assert len(set(patients)) >= 12
    printed = capsys.readouterr().out
    assert "demo-febrile" in printed
    assert servers.url_for("/cds-services") in printed
    assert "Ctrl-C" not in printed


def test_it_runs_until_it_is_told_to_terminate(
    servers: HTTPServer, ports: dict[str, int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_calls(servers, 200)
    waiting = SimpleNamespace(sleep=lambda _: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(run, "time", waiting)
    assert run.run_demo(**ports, once=False) == 0
    assert "Running. Stop with Ctrl-C." in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_server_that_stops_ends_the_demo_with_its_last_lines(
    servers: HTTPServer, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_calls(servers, 200)
    monkeypatch.setattr(sys.modules[__name__], "IDLE", [sys.executable, "-c", "print('out of memory')"])
    with pytest.raises(DemoError, match=r"(?s)The stand-in stopped.*out of memory"):
        run.run_demo(**ports, once=False)


def test_two_servers_need_two_ports() -> None:
    with pytest.raises(DemoError, match="--port or --fhir-port"):
        run.run_demo(port=1, fhir_port=1, once=True)


def test_the_service_gets_the_settings_of_a_demonstration_and_nothing_of_a_real_site() -> None:
    inherited = {
        "PATH": "p",
        "CDS_AUTH": "jwt",
        "CDS_CONFIG": "site.yaml",
        "CDS_CLIENTS": "clients.yaml",
        "CDS_DATABASE_URL": "postgresql://real",
        "CDS_LOG_LEVEL": "DEBUG",
    }
    base, fhir_base = "http://127.0.0.1:1", "http://127.0.0.1:2/fhir"
    assert run.service_environment(inherited, base=base, fhir_base=fhir_base, data_dir=Path("data")) == {
        "PATH": "p",
        "CDS_LOG_LEVEL": "DEBUG",
        "CDS_AUTH": "off",
        "CDS_CORS_ORIGINS": "*",
        "CDS_DATA_DIR": "data",
        "CDS_EXPLAIN": "on",
        "CDS_FHIR_SERVERS": fhir_base,
        "CDS_PLAYGROUND": "on",
        "CDS_PUBLIC_URL": base,
    }


def test_a_missing_fhir_server_is_one_line_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_server, "find_spec", lambda _: None)
    with (
        pytest.raises(DemoError, match=r'install the extra "demo"') as error,
        fhir_server.running_fhir_server(0),
    ):
        pass
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("status", [400, 500])
def test_resources_that_are_refused_are_an_error_without_their_content(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/fhir", method="POST").respond_with_json({"resourceType": "OperationOutcome"}, status)
    with pytest.raises(DemoError, match=f"refused the demo patients: HTTP {status}") as error:
        fhir_server.load_resources(httpserver.url_for("/fhir"), [{"resourceType": "Patient", "id": "secret"}])
    assert "secret" not in str(error.value)


def test_a_fhir_server_that_is_gone_is_an_error() -> None:
    with pytest.raises(DemoError, match="did not take the demo patients"):
        fhir_server.load_resources("http://127.0.0.1:1/fhir", [])
