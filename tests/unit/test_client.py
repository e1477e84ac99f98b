"""The CDS Hooks client: templates, requests, what prefetch leaves out, and answers that are none."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.client import (
    CdsCall,
    CdsClient,
    CdsClientError,
    build_context,
    build_request,
    fill_template,
    fill_templates,
    template_values,
)

CONTEXT = {"userId": "Practitioner/dr-1", "patientId": "p1", "encounterId": "e1", "draftOrders": {"entry": []}}
DRAFTS = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "m1"}}]}


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[CdsClient]:
    with CdsClient(httpserver.url_for("/")) as client:
        yield client


def test_tokens_are_the_primitives_of_the_context_and_the_id_of_the_users_type() -> None:
    assert template_values(CONTEXT) == {
        "context.userId": "Practitioner/dr-1",
        "context.patientId": "p1",
        "context.encounterId": "e1",
        "userPractitionerId": "dr-1",
    }


@pytest.mark.parametrize(
    ("user", "token"),
    [
        ("Practitioner/x", "userPractitionerId"),
        ("PractitionerRole/x", "userPractitionerRoleId"),
        ("Patient/x", "userPatientId"),
        ("RelatedPerson/x", "userRelatedPersonId"),
    ],
)
def test_each_type_of_user_has_its_own_token(user: str, token: str) -> None:
    assert template_values({"userId": user}) == {"context.userId": user, token: "x"}


def test_a_user_of_no_known_type_has_no_token() -> None:
    assert template_values({"userId": "Device/x"}) == {"context.userId": "Device/x"}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        ("Patient/{{ context.patientId }}", "Patient/p1"),
        ("{{context.userId}}", "Practitioner/dr-1"),
        ("Observation?patient={{context.patientId}}&code=http://loinc.org|751-8,http://loinc.org|6690-2&_sort=-date",
         "Observation?patient=p1&code=http://loinc.org|751-8,http://loinc.org|6690-2&_sort=-date"),
        ("Patient/{{context.nothing}}", None),
        ("Patient/{{context.draftOrders}}", None),
        ("Patient/{{userPatientId}}", None),
        ("Observation?date=ge{{today() - 90 days}}&patient={{context.patientId}}", None),
    ],
)  # fmt: skip
def test_template_is_filled_in_whole_or_not_at_all(template: str, url: str | None) -> None:
    assert fill_template(template, template_values(CONTEXT)) == url


def test_a_value_cannot_add_to_the_query() -> None:
    assert fill_template("Patient/{{context.patientId}}", {"context.patientId": "p1?x&y"}) == "Patient/p1%3Fx%26y"


def test_a_template_without_a_value_loses_its_key_only() -> None:
    templates = {"patient": "Patient/{{context.patientId}}", "role": "PractitionerRole/{{userPractitionerRoleId}}"}
    assert fill_templates(templates, CONTEXT) == {"patient": "Patient/p1"}


def test_order_select_selects_all_drafts_unless_told_which() -> None:
    both = {"patient_id": "p1", "user_id": "Practitioner/x", "draft_orders": DRAFTS}
    assert build_context("order-select", **both)["selections"] == ["MedicationRequest/m1"]
    assert build_context("order-select", **both, selections=[])["selections"] == []
    assert "selections" not in build_context("order-sign", **both)


def test_context_leaves_out_what_it_does_not_have() -> None:
    context = build_context("patient-view", patient_id="p1", user_id="Practitioner/x")
    assert context == {"userId": "Practitioner/x", "patientId": "p1"}


def test_request_has_only_what_was_given_and_a_new_instance_each_time() -> None:
    first, second = (build_request("patient-view", {"patientId": "p1"}) for _ in range(2))
    assert first.keys() == {"hook", "hookInstance", "context"}
    assert uuid.UUID(first["hookInstance"]) != uuid.UUID(second["hookInstance"])


def test_request_with_everything() -> None:
    request = build_request("patient-view", {}, prefetch={"patient": None}, fhir_server="http://f", hook_instance="i")
    assert request == {
        "hook": "patient-view",
        "hookInstance": "i",
        "fhirServer": "http://f",
        "context": {},
        "prefetch": {"patient": None},
    }


def test_discovery_is_read(client: CdsClient, httpserver: HTTPServer) -> None:
    service = {"id": "a", "hook": "patient-view", "description": "b", "prefetch": {"patient": "Patient/1"}}
    httpserver.expect_request("/cds-services").respond_with_json({"services": [service]})
    [entry] = client.discover()
    assert (entry.id, entry.hook, entry.title, entry.prefetch) == ("a", "patient-view", "a", {"patient": "Patient/1"})


def test_the_discovery_url_will_do_as_base() -> None:
    with CdsClient("http://127.0.0.1:1/base/cds-services/") as client:
        assert client.base_url == "http://127.0.0.1:1/base"


@pytest.mark.parametrize(
    "answer",
    [
        Response("[]", content_type="application/json"),
        Response("{}", content_type="application/json"),
        Response("<html>", content_type="text/html"),
        Response('{"services": []}', status=404, content_type="application/json"),
        Response('{"services": [{"id": "a"}]}', content_type="application/json"),
        Response('{"services": ["a"]}', content_type="application/json"),
    ],
)
def test_rejects_what_is_no_discovery(client: CdsClient, httpserver: HTTPServer, answer: Response) -> None:
    httpserver.expect_request("/cds-services").respond_with_response(answer)
    with pytest.raises(CdsClientError, match="/cds-services"):
        client.discover()


def test_a_service_that_is_not_there_is_an_error_of_one_line() -> None:
    with CdsClient("http://127.0.0.1:1") as client, pytest.raises(CdsClientError) as error:
        client.discover()
    assert str(error.value).startswith("No answer from http://127.0.0.1:1/cds-services")
    assert "\n" not in str(error.value)


def test_prefetch_tells_none_from_not_readable(client: CdsClient, httpserver: HTTPServer) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json({"resourceType": "Patient", "id": "p1"})
    httpserver.expect_request("/fhir/Encounter/e1").respond_with_json({"resourceType": "OperationOutcome"}, status=404)
    httpserver.expect_request("/fhir/Observation", query_string="patient=p1&code=a%7Cb").respond_with_json(bundle)
    httpserver.expect_request("/fhir/Condition").respond_with_json({"resourceType": "OperationOutcome"}, status=500)
    httpserver.expect_request("/fhir/Procedure").respond_with_json({"resourceType": "OperationOutcome"}, status=404)
    httpserver.expect_request("/fhir/Goal/1").respond_with_data("<html>", content_type="text/html")
    templates = {
        "patient": "Patient/{{context.patientId}}",
        "encounter": "Encounter/{{context.encounterId}}",
        "cellCounts": "Observation?patient={{context.patientId}}&code=a|b",
        "conditions": "Condition?patient={{context.patientId}}",
        "procedures": "Procedure?patient={{context.patientId}}",
        "goal": "Goal/1",
        "unknown": "Patient/{{context.unknown}}",
    }
    found = client.prefetch(templates, CONTEXT, httpserver.url_for("/fhir/"))
    assert found == {"patient": {"resourceType": "Patient", "id": "p1"}, "encounter": None, "cellCounts": bundle}


def test_prefetch_from_a_server_that_is_not_there_is_empty(client: CdsClient) -> None:
    assert client.prefetch({"patient": "Patient/1"}, {}, "http://127.0.0.1:1/fhir") == {}


def test_call_returns_cards_and_the_time_it_took(client: CdsClient, httpserver: HTTPServer) -> None:
    cards = [{"summary": "s", "indicator": "info"}]
    httpserver.expect_oneshot_request("/cds-services/a", method="POST", json={"hook": "x"}).respond_with_json(
        {"cards": cards}
    )
    call = client.call("a", {"hook": "x"})
    assert (call.ok, call.status, call.cards, call.problem) == (True, 200, cards, "")
    assert call.milliseconds > 0


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (412, {"issue": [{"diagnostics": "Missing prefetch: cellCounts"}]}, "HTTP 412: Missing prefetch: cellCounts"),
        (401, None, "HTTP 401"),
        (500, {"issue": []}, "HTTP 500"),
        (500, {"issue": ["?"]}, "HTTP 500"),
        (200, {"cards": None}, "HTTP 200"),
        (200, [], "HTTP 200"),
    ],
)
def test_an_answer_without_cards_says_why(status: int, body: object, problem: str) -> None:
    call = CdsCall(status, body, 1.0)
    assert (call.ok, call.cards, call.problem) == (False, [], problem)


def test_an_answer_that_is_no_json_has_no_body(client: CdsClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/cds-services/a").respond_with_data("oops", status=502)
    assert client.call("a", {}).body is None


def test_feedback_is_sent_to_the_service(client: CdsClient, httpserver: HTTPServer) -> None:
    received: list[object] = []

    def receive(request: Request) -> Response:
        received.append(json.loads(request.data))
        return Response(status=200)

    httpserver.expect_request("/cds-services/a/feedback", method="POST").respond_with_handler(receive)
    entry = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T12:00:00Z"}
    assert client.feedback("a", [entry]).status == 200
    assert received == [{"feedback": [entry]}]
