"""The tour: which hooks are fired at whom, with what, and what is kept of the answers; the table made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console
from werkzeug import Request, Response

from cds_service.client import CdsClient
from cds_service.demo.demo_patients import DemoPatient, write_patient
from cds_service.demo.errors import DemoError
from cds_service.demo.report import cards_table, print_addresses, sandbox_query
from cds_service.demo.tour import SERVICES, TourStop, tour

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
STORY = {"id": "demo-x", "name": "Demo, X", "story": "A test.", "gender": "female", "age": 40}
WITHOUT_ORDER = write_patient(STORY, NOW)
WITH_ORDER = write_patient(STORY | {"id": "demo-y", "draft": {"drug": "paclitaxel", "dose_mg": 300}}, NOW)
CARDS = [{"indicator": "critical", "summary": "First."}, {"indicator": "info", "summary": "Second."}]


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[CdsClient]:
    with CdsClient(httpserver.url_for("/")) as client:
        yield client


def offer_services(httpserver: HTTPServer) -> list[dict[str, object]]:
    """A service for each hook; returns the list that the requests will be put into."""
    prefetch = {"patient": "Patient/{{context.patientId}}", "visit": "Encounter/{{context.encounterId}}"}
    services = [{"id": i, "hook": hook, "description": "d", "prefetch": prefetch} for hook, i in SERVICES.items()]
    httpserver.expect_request("/cds-services").respond_with_json({"services": services})
    httpserver.expect_request("/fhir/Patient/demo-y").respond_with_json({"resourceType": "Patient"})
    received: list[dict[str, object]] = []

    def answer(request: Request) -> Response:
        received.append(json.loads(request.data))
        return Response(json.dumps({"cards": CARDS}), content_type="application/json")

    for service_id in SERVICES.values():
        httpserver.expect_request(f"/cds-services/{service_id}", method="POST").respond_with_handler(answer)
    return received


def fire_all(client: CdsClient, httpserver: HTTPServer, *patients: DemoPatient) -> list[TourStop]:
    return list(tour(client, patients, httpserver.url_for("/fhir")))


def test_an_order_hook_needs_an_order(client: CdsClient, httpserver: HTTPServer) -> None:
    offer_services(httpserver)
    stops = fire_all(client, httpserver, WITHOUT_ORDER, WITH_ORDER)
    assert [(stop.patient.id, stop.hook) for stop in stops] == [
        ("demo-x", "patient-view"),
        ("demo-y", "patient-view"),
        ("demo-y", "order-select"),
        ("demo-y", "order-sign"),
    ]


def test_a_stop_keeps_all_indicators_and_the_first_summary(client: CdsClient, httpserver: HTTPServer) -> None:
    offer_services(httpserver)
    [stop] = fire_all(client, httpserver, WITHOUT_ORDER)
    assert (stop.indicators, stop.summary, stop.problem) == (["critical", "info"], "First.", "")


def test_requests_are_those_of_an_ehr(client: CdsClient, httpserver: HTTPServer) -> None:
    received = offer_services(httpserver)
    fire_all(client, httpserver, WITH_ORDER)
    view, select, sign = received
    common = {"userId": "Practitioner/demo-clinician", "patientId": "demo-y", "encounterId": "demo-y-encounter-1"}
    orders = {"draftOrders": WITH_ORDER.draft_order_bundle}
    assert view["context"] == common
    assert select["context"] == common | orders | {"selections": WITH_ORDER.selections}
    assert sign["context"] == common | orders
    assert [request["hook"] for request in received] == list(SERVICES)
    assert {str(request["fhirServer"]) for request in received} == {httpserver.url_for("/fhir")}
    # The visit cannot be read there: its key is left out, the other is sent.
    assert [request["prefetch"] for request in received] == [{"patient": {"resourceType": "Patient"}}] * 3


def test_a_call_that_failed_is_told_with_its_reason(client: CdsClient, httpserver: HTTPServer) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Missing prefetch: cellCounts"}]}
    failing = f"/cds-services/{SERVICES['patient-view']}"
    httpserver.expect_ordered_request("/cds-services").respond_with_json(
        {"services": [{"id": i, "hook": hook, "description": "d"} for hook, i in SERVICES.items()]}
    )
    httpserver.expect_ordered_request(failing).respond_with_json(outcome, status=412)
    [stop] = fire_all(client, httpserver, WITHOUT_ORDER)
    assert (stop.indicators, stop.summary, stop.problem) == ([], None, "HTTP 412: Missing prefetch: cellCounts")


def test_a_service_that_is_missing_is_named(client: CdsClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/cds-services").respond_with_json({"services": []})
    with pytest.raises(DemoError, match="leukopenia-order-select, leukopenia-order-sign, leukopenia-patient-view"):
        fire_all(client, httpserver, WITHOUT_ORDER)


def stop_of(hook: str, indicators: list[str], summary: str | None, problem: str = "") -> TourStop:
    return TourStop(WITH_ORDER, hook, indicators, summary, 12.4, problem)


def printed(*stops: TourStop) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(cards_table(stops))
    return capture.get()


def test_the_table_is_readable_at_100_columns() -> None:
    summary = "word " * 27
    text = printed(stop_of("patient-view", ["info", "critical", "info"], summary))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert text.count("word") == 27
    assert "1 critical" in text
    assert "2 info" in text
    assert text.index("1 critical") < text.index("2 info")
    assert " 12 " in text


def test_the_table_says_the_same_once() -> None:
    text = printed(
        stop_of("patient-view", ["info"], "Something else."),
        stop_of("order-select", ["warning"], "Count first."),
        stop_of("order-sign", ["warning"], "Count first."),
    )
    assert text.count("demo-y") == 1
    assert text.count("Count first.") == 1
    assert "as on order-select" in text


def test_the_table_tells_no_cards_from_a_failed_call() -> None:
    text = printed(stop_of("patient-view", [], None), stop_of("order-sign", [], None, "HTTP 412: [no counts]"))
    assert "nothing to say" in text
    assert "HTTP 412: [no counts]" in text


def test_the_sandbox_opens_on_the_patient() -> None:
    query = sandbox_query("http://127.0.0.1:8080", "http://127.0.0.1:8090/fhir", "demo-febrile")
    assert parse_qs(query.removeprefix("?")) == {
        "fhirServiceUrl": ["http://127.0.0.1:8090/fhir"],
        "patientId": ["demo-febrile"],
        "serviceDiscoveryURL": ["http://127.0.0.1:8080/cds-services"],
        "hook": ["patient-view"],
        "screen": ["patient-view"],
    }


def test_addresses_are_not_broken_into_lines() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        print_addresses(console, "http://127.0.0.1:8080", "http://127.0.0.1:8090/fhir", "demo-febrile")
    lines = [line.strip() for line in capture.get().splitlines()]
    assert "http://127.0.0.1:8080/cds-services" in lines
    assert sandbox_query("http://127.0.0.1:8080", "http://127.0.0.1:8090/fhir", "demo-febrile") in lines
