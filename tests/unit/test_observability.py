"""Logs hold only what is on the allow-list; metrics count what happened."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta

import pytest

from cds_service.application.hook_request import FhirAccess, HookRequest
from cds_service.application.ports import ReadChart
from cds_service.observability import CountedReads, Metrics, configure_logging, loggable_hook_instance
from tests.spec.fakes import NOW


@pytest.fixture
def written(monkeypatch):
    """Returns a function that gives all log lines so far; the loggers are left as they were."""
    root, ours = logging.getLogger(), logging.getLogger("cds_service")
    before = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level, ours.level = before


def test_drops_every_key_that_is_not_allowed(written):
    logging.getLogger("cds_service.web").info("request", extra={"status": 200, "patient": "p1", "url": "/Patient/p1"})
    [line] = written()
    assert set(line) == {"timestamp", "level", "logger", "message", "status"}
    assert line["timestamp"].endswith("Z")


def test_never_fills_values_into_a_message(written):
    logging.getLogger("cds_service.web").warning("read %s", "Patient/p1")
    logging.getLogger("urllib3.connectionpool").warning("retry %s", "http://ehr/Patient/p1")
    assert [line["message"] for line in written()] == ["read %s", "retry %s"]


def test_hears_libraries_only_from_warning_on(written):
    logging.getLogger("urllib3.connectionpool").info("GET /Patient/p1")
    assert written() == []


def test_reduces_an_exception_to_its_kind_and_place(written):
    try:
        raise ValueError("Smith, born 1950")
    except ValueError:
        logging.getLogger("cds_service.web").exception("request_failed")
    [line] = written()
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_observability.py:")
    assert "Smith" not in json.dumps(line)


def test_a_hook_instance_that_is_no_uuid_is_not_logged():
    uuid = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    assert loggable_hook_instance(uuid) == uuid
    assert loggable_hook_instance("John Smith") == "not a UUID"


def test_counts_failed_reads_only_where_a_server_could_be_asked():
    class Reader:
        def read(self, request, templates, *, now, deadline):
            chart = type("Chart", (), {"unavailable": {"cellCounts": "no answer in time"}})()
            return ReadChart(chart)

    metrics = Metrics()
    reads = CountedReads(Reader(), metrics)
    for fhir in (None, FhirAccess("https://ehr.example.org/fhir")):
        request = HookRequest("s", "patient-view", "x", "p1", {}, fhir=fhir)
        reads.read(request, {}, now=NOW, deadline=NOW + timedelta(seconds=2))
    assert 'cds_fhir_failures_total{key="cellCounts"} 1.0' in metrics.text().decode()


def test_applications_do_not_share_their_counts():
    one, other = Metrics(), Metrics()
    one.request_answered("leukopenia-patient-view", 200, 0.01)
    assert "leukopenia-patient-view" in one.text().decode()
    assert "leukopenia-patient-view" not in other.text().decode()
