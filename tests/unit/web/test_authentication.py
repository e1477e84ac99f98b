"""Who is let in: the open door, and signed tokens made out for the URL that was called."""

from __future__ import annotations

import pytest

from cds_service.application.hook_request import CallerIdentity
from cds_service.errors import UnauthorizedClient
from cds_service.web.authentication import SignedTokens, audiences_of
from tests.spec.fakes import NOW
from tests.spec.requests import hook_request

FEEDBACK = {"feedback": []}


class Verifier:
    """Lets one token in and remembers the audiences it was asked for."""

    def __init__(self):
        self.audiences = None

    def verify(self, token, *, audiences, now):
        assert now == NOW
        self.audiences = audiences
        if token != "good":
            raise UnauthorizedClient("bad signature")
        return CallerIdentity("https://ehr.example.org", "t1", frozenset({"https://ehr.example.org/fhir"}))


@pytest.fixture
def verifier():
    return Verifier()


@pytest.fixture
def guarded(make_client, verifier):
    return make_client(SignedTokens(verifier), auth="jwt", public_url="https://cds.example.org/base")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic good", "good", "Bearer bad"])
def test_refuses_without_a_good_bearer_token(guarded, header):
    headers = {} if header is None else {"Authorization": header}
    response = guarded.post("/cds-services/leukopenia-patient-view", json=hook_request(), headers=headers)
    assert (response.status_code, response.data) == (401, b"")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_knows_who_called(guarded, service, store, scheme):
    body = hook_request(fhirServer="https://ehr.example.org/fhir/")
    response = guarded.post(
        "/cds-services/leukopenia-patient-view", json=body, headers={"Authorization": f"{scheme} good"}
    )
    assert response.status_code == 200
    assert (service.asked[0].client, service.asked[0].tenant) == ("https://ehr.example.org", "t1")
    assert service.asked[0].fhir.base_url == "https://ehr.example.org/fhir"
    assert store.served[0].client == "https://ehr.example.org"


def test_a_token_may_name_the_public_url_as_it_was_called(guarded, verifier):
    as_called = {"PATH_INFO": "/cds-services//leukopenia-patient-view"}
    guarded.post("/", json=hook_request(), headers={"Authorization": "Bearer good"}, environ_overrides=as_called)
    base = "https://cds.example.org/base/cds-services"
    assert {f"{base}/leukopenia-patient-view", f"{base}//leukopenia-patient-view"} <= verifier.audiences
    assert base not in verifier.audiences


def test_for_feedback_a_token_may_name_the_service(guarded, verifier):
    path = "/cds-services/leukopenia-patient-view/feedback"
    response = guarded.post(path, json=FEEDBACK, headers={"Authorization": "Bearer good"})
    assert response.status_code == 200
    base = "https://cds.example.org/base"
    assert {f"{base}{path}", f"{base}/cds-services/leukopenia-patient-view"} <= verifier.audiences


def test_the_host_that_was_called_does_not_count(guarded, verifier):
    headers = {"Authorization": "Bearer good", "Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org"}
    guarded.post("/cds-services/leukopenia-patient-view", json=hook_request(), headers=headers)
    assert all(audience.startswith("https://cds.example.org/base/") for audience in verifier.audiences)


def test_discovery_takes_any_token_and_none(guarded):
    for header in ({}, {"Authorization": "Bearer bad"}, {"Authorization": "Bearer good"}):
        assert guarded.get("/cds-services", headers=header).status_code == 200


def test_audiences_come_with_and_without_a_slash():
    assert audiences_of("https://x/", "/a/", "/b") == {"https://x/a", "https://x/a/", "https://x/b", "https://x/b/"}
