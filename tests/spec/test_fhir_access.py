"""F. Using the client's FHIR server, on a server of this machine that stands in for it."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug import Request, Response

from tests.spec.charts import counts, patient, searchset
from tests.spec.invariants import check_cards
from tests.spec.requests import hook_request

TOKEN = "made-up-access-token"
FHIR = "application/fhir+json"


class FhirServer:
    """Serves a patient with severe neutropenia and keeps what it was asked."""

    def __init__(self, httpserver):
        self.base = httpserver.url_for("/fhir")
        self.asked: list[Request] = []
        httpserver.expect_request(re.compile(r"/fhir/.*")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        path = request.path.removeprefix("/fhir/")
        if path == "Patient/p1":
            return Response(json.dumps(patient()), content_type=FHIR)
        is_count = path == "Observation" and "751-8" in request.query_string.decode()
        return Response(json.dumps(counts(0.3) if is_count else searchset()), content_type=FHIR)


@pytest.fixture
def fhir(httpserver):
    return FhirServer(httpserver)


@pytest.fixture
def allowed(make_real_client, fhir):
    """The service, allowed to read that server."""
    return make_real_client(fhir_servers=frozenset({fhir.base}), deadline_ms=10_000)


def ask(client, fhir, **authorization):
    body = hook_request(fhirServer=fhir.base)
    if authorization:
        body["fhirAuthorization"] = authorization
    return client.post("/cds-services/leukopenia-patient-view", json=body)


def test_reads_what_is_absent_with_the_token(allowed, fhir):
    """F35, D28. fhirAuthorization's token reads what no prefetch brought."""
    response = ask(
        allowed, fhir, access_token=TOKEN, token_type="Bearer", expires_in=300, scope="patient/*.read", subject="cds"
    )
    assert response.status_code == 200
    check_cards(response.json)
    assert any("ANC 0.3" in card["summary"] for card in response.json["cards"])
    assert {request.method for request in fhir.asked} == {"GET"}


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.read",
        "patient/Observation.rs?category=laboratory",
        "Condition.Read (R4) PATIENT.SEARCH",
        "",
    ],
)
def test_any_notation_of_scopes_will_do(allowed, fhir, scope):
    """F36. SMART v1, SMART v2, Epic's own: the scope is not parsed."""
    response = ask(allowed, fhir, access_token=TOKEN, token_type="Bearer", expires_in=300, scope=scope, subject="cds")
    assert response.status_code == 200
    assert fhir.asked


def test_every_read_bears_the_token(allowed, fhir):
    """F37. Authorization: Bearer on every FHIR call."""
    ask(allowed, fhir, access_token=TOKEN, token_type="bearer", expires_in=300, scope="x", subject="cds")
    assert fhir.asked
    assert {request.headers.get("Authorization") for request in fhir.asked} == {f"Bearer {TOKEN}"}


def test_the_token_leaves_no_trace(allowed, fhir, caplog, tmp_path_factory):
    """F37. The token is transient: in no answer, no log line and no database file."""
    with caplog.at_level("DEBUG", logger="cds_service"):
        response = ask(allowed, fhir, access_token=TOKEN, token_type="Bearer", expires_in=300, scope="x", subject="cds")
    assert TOKEN not in response.text
    assert TOKEN not in caplog.text
    kept = [path for path in tmp_path_factory.getbasetemp().rglob("cds.sqlite3*") if path.is_file()]
    assert kept
    assert not any(TOKEN.encode() in path.read_bytes() for path in kept)


def test_without_a_token_an_open_server_is_read(allowed, fhir):
    """F35. No fhirAuthorization: an allowed server is asked without a token, as the Sandbox does."""
    assert ask(allowed, fhir).status_code == 200
    assert {request.headers.get("Authorization") for request in fhir.asked} == {None}


def test_a_token_of_another_type_is_not_used(allowed, fhir):
    """F35. token_type is fixed: what is no bearer token is not sent as one."""
    ask(allowed, fhir, access_token=TOKEN, token_type="mac", expires_in=300, scope="x", subject="cds")
    assert {request.headers.get("Authorization") for request in fhir.asked} == {None}


def test_asks_for_the_patient_of_the_context_only(allowed, fhir):
    """F37, C21. Every read is of the patient of the call."""
    ask(allowed, fhir)
    for request in fhir.asked:
        query = parse_qs(urlsplit(request.url).query)
        assert request.path == "/fhir/Patient/p1" or query["patient"] == ["p1"]


def test_a_slash_at_the_end_of_the_base_changes_nothing(allowed, fhir):
    """E32. fhirServer with a slash: URLs are joined with one."""
    body = hook_request(fhirServer=f"{fhir.base}/")
    assert allowed.post("/cds-services/leukopenia-patient-view", json=body).status_code == 200
    assert not [request.path for request in fhir.asked if "//" in request.path]
