"""The routes of CDS Hooks on a fake service: statuses, bodies, what is handed on and what is remembered."""

from __future__ import annotations

import io

import pytest

from cds_service.errors import (
    ChartUnavailable,
    InvalidHookRequest,
    StoreUnavailable,
    UnauthorizedClient,
    UnsupportedRelease,
)
from cds_service.web.rendering import to_json
from tests.spec.fakes import NOW
from tests.spec.invariants import check_cards, check_discovery, check_outcome
from tests.spec.requests import HOOKS, hook_request


def call(client, body, service="leukopenia-patient-view", **kwargs):
    return client.post(f"/cds-services/{service}", data=to_json(body), content_type="application/json", **kwargs)


@pytest.mark.parametrize("hook", HOOKS)
def test_answers_each_hook_with_valid_cards(client, hook):
    response = call(client, hook_request(hook), f"leukopenia-{hook}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    check_cards(response.json)
    assert "extension" not in response.json


def test_hands_the_request_on_and_remembers_the_cards(client, service, store):
    call(client, hook_request(context={"patientId": "Patient/p7"}))
    [asked] = service.asked
    assert (asked.service_id, asked.hook, asked.patient_id) == ("leukopenia-patient-view", "patient-view", "p7")
    [served] = store.served
    assert (served.patient_id, served.served_at, len(served.cards)) == ("p7", NOW, 2)


def test_adds_the_evaluation_where_asked(make_client):
    body = call(make_client(explain=True), hook_request()).json
    check_cards(body)
    evaluation = body["extension"]["org.leukopenia-cds.evaluation"]
    assert evaluation["evaluatedAt"] == "2026-11-22T15:00:00Z"
    assert evaluation["rules"][0]["because"] == [
        {"fact": "anc", "value": 1.2, "unit": "10*9/L", "at": "2026-11-21", "sources": ["Observation/o1"]}
    ]
    assert evaluation["rules"][1] == {
        "id": "anc-severe",
        "version": "1.1.0",
        "outcome": "unknown",
        "suppressedBy": None,
        "indicator": None,
        "suggestions": [],
        "card": None,
        "because": [],
        "missing": ["anc"],
    }


def test_leaves_out_whatever_is_empty(client):
    plain, full = call(client, hook_request()).json["cards"]
    assert set(plain) == {"uuid", "summary", "indicator", "source", "extension"}
    assert set(plain["source"]) == {"label", "topic"}
    assert full["suggestions"][0]["actions"][0]["resource"] == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "quantityQuantity": {"value": 1},
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidHookRequest("context.patientId: is another patient's."), 400, "invalid"),
        (ChartUnavailable(["cellCounts"]), 412, "incomplete"),
        (UnsupportedRelease("The data are DSTU2."), 412, "not-supported"),
        (RuntimeError("patient Smith, p1"), 500, "exception"),
    ],
)
def test_answers_failures_with_an_operation_outcome(client, service, error, status, code):
    service.error = error
    response = call(client, hook_request())
    assert response.status_code == status
    check_outcome(response.json)
    assert response.json["issue"][0]["code"] == code
    assert "Smith" not in response.text


def test_names_the_missing_prefetch_key(client, service):
    service.error = ChartUnavailable(["cellCounts"])
    assert "cellCounts" in call(client, hook_request()).json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("path", ["/cds-services/nope", "/cds-services/nope/feedback", "/nope", "/"])
def test_says_404_of_what_is_not_there(client, path):
    response = client.post(path, json={}) if "services" in path else client.get(path)
    assert response.status_code == 404
    check_outcome(response.json)
    assert "nope" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/cds-services/leukopenia-patient-view", "POST"),
        ("POST", "/cds-services", "GET"),
        ("DELETE", "/healthz", "GET"),
    ],
)
def test_says_405_of_another_method(client, method, path, allowed):
    response = client.open(path, method=method)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]
    check_outcome(response.json)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/jsonlines"]
)
def test_refuses_other_media_types(client, content_type):
    response = client.post("/cds-services/leukopenia-patient-view", data=b"{}", content_type=content_type)
    assert response.status_code == 415
    check_outcome(response.json)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/fhir+json",
        "application/json+fhir",
        "text/json",
        None,
    ],
)
def test_takes_every_kind_of_json(client, content_type):
    body = to_json(hook_request())
    response = client.post("/cds-services/leukopenia-patient-view", data=body, content_type=content_type)
    assert response.status_code == 200


def test_refuses_compressed_bodies(client):
    response = call(client, hook_request(), headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415


def test_refuses_what_is_too_large_before_reading_it(make_client):
    class Unread:
        def read(self, *_):
            raise AssertionError("the body was read")

    client = make_client(max_body_bytes=1024)
    response = client.post(
        "/cds-services/leukopenia-patient-view",
        content_type="application/json",
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "2000000"},
    )
    assert response.status_code == 413
    check_outcome(response.json)


def test_refuses_a_chunked_body_that_grows_too_large(make_client):
    client = make_client(max_body_bytes=1024)
    response = client.post(
        "/cds-services/leukopenia-patient-view",
        input_stream=io.BytesIO(b" " * 5000),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/cds-services//leukopenia-patient-view",
        "//cds-services/leukopenia-patient-view/",
        "/cds-services/leukopenia-patient-view//",
    ],
)
def test_tolerates_slashes_without_a_redirect(client, path):
    body = to_json(hook_request())
    as_sent = {"PATH_INFO": path}
    response = client.post("/", data=body, content_type="application/json", environ_overrides=as_sent)
    assert response.status_code == 200


def test_discovery_is_open_and_may_be_cached(make_client):
    class NobodyEnters:
        def authenticate(self, request, audiences, *, now):
            raise UnauthorizedClient("no")

    response = make_client(NobodyEnters()).get("/cds-services/")
    assert response.status_code == 200
    assert "max-age" in response.headers["Cache-Control"]
    check_discovery(response.json)
    assert [service["id"] for service in response.json["services"]] == sorted(f"leukopenia-{hook}" for hook in HOOKS)


def test_cards_and_errors_are_not_cached(client):
    assert call(client, hook_request()).headers["Cache-Control"] == "no-store"
    assert call(client, {}).headers["Cache-Control"] == "no-store"


def test_feedback_is_kept(client, store):
    entry = {
        "card": "c1",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-22T14:45:50.792Z",
        "overrideReason": {"reason": {"code": "r1", "system": "urn:x"}, "userComment": "seen"},
    }
    response = client.post("/cds-services/leukopenia-patient-view/feedback", json={"feedback": [entry]})
    assert (response.status_code, response.json) == (200, {})
    [(service_id, kept, issuer)] = store.kept
    assert (service_id, kept.card, kept.reason_code, issuer) == ("leukopenia-patient-view", "c1", "r1", None)


def test_feedback_that_is_partly_garbage_is_partly_kept(client, store):
    good = {"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T14:45:50Z"}
    batch = [good, {"card": "c2"}, "garbage", good | {"card": "c3"}]
    response = client.post("/cds-services/leukopenia-patient-view/feedback", json={"feedback": batch})
    assert response.status_code == 400
    check_outcome(response.json)
    texts = [issue["diagnostics"] for issue in response.json["issue"]]
    assert ["feedback[1]" in texts[0], "feedback[2]" in texts[1]] == [True, True]
    assert [entry.card for _, entry, _ in store.kept] == ["c1", "c3"]


def test_feedback_that_cannot_be_kept_is_asked_for_again(client, store):
    store.error = StoreUnavailable("disk full on /secret")
    body = {"feedback": [{"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T14:45:50Z"}]}
    response = client.post("/cds-services/leukopenia-patient-view/feedback", json=body)
    assert response.status_code == 503
    assert "secret" not in response.text
    check_outcome(response.json)


def test_a_refused_caller_gets_a_bare_401(make_client):
    class Refuses:
        def authenticate(self, request, audiences, *, now):
            raise UnauthorizedClient("the signature is wrong")

    for path in (
        "/cds-services/leukopenia-patient-view",
        "/cds-services/x",
        "/cds-services/leukopenia-patient-view/feedback",
    ):
        response = make_client(Refuses(), cors_origins=("*",)).post(path, json=hook_request())
        assert (response.status_code, response.data) == (401, b"")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_the_answer_is_the_same_bytes_for_the_same_cards(client):
    assert call(client, hook_request()).data == call(client, hook_request()).data
