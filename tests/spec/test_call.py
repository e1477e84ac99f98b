"""E. The call of a service."""

from __future__ import annotations

import pytest

from tests.spec.charts import CARBOPLATIN, drafts, patient, prefetch
from tests.spec.invariants import check_cards, check_outcome
from tests.spec.requests import HOOKS, hook_request, without


@pytest.mark.parametrize("hook", HOOKS)
def test_reads_the_members_of_a_call(call, hook):
    """E29. hook, hookInstance, context; fhirServer, fhirAuthorization, prefetch and extension are optional."""
    complete = hook_request(
        hook,
        prefetch=prefetch(1.2),
        fhirServer="https://ehr.example.org/fhir",
        fhirAuthorization={
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "x",
            "subject": "y",
        },
        extension={"com.example": {"a": 1}},
    )
    response = call(complete)
    assert response.status_code == 200
    check_cards(response.json)


def test_reads_what_came_before_1_0(call):
    """E29. A resource wrapped in {response, resource} is read as the resource; top-level leftovers are ignored."""
    chart = {key: {"response": {"status": "200 OK"}, "resource": value} for key, value in prefetch(0.3).items()}
    body = hook_request(prefetch=chart) | {
        "user": "Practitioner/u1",
        "patient": "p1",
        "redirect": "x",
        "preFetchData": {},
    }
    assert any("ANC 0.3" in card["summary"] for card in call(body).json["cards"])


def test_a_hook_instance_may_be_seen_again(call, situations):
    """E30. Two services fired together may have one hookInstance; it is no reason to refuse a call."""
    body = situations["mild"]
    assert [call(body).status_code for _ in range(2)] == [200, 200]
    assert call(body | {"hookInstance": "regression-72h"}).status_code == 200


@pytest.mark.parametrize("path", ["hook", "hookInstance", "context", "context.patientId"])
def test_a_missing_member_is_a_400_that_names_it(client, path):
    """E31. A required member is missing: 400, never 500 or 404."""
    response = client.post("/cds-services/leukopenia-patient-view", json=without(hook_request(), path))
    assert response.status_code == 400
    check_outcome(response.json)
    assert path in response.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("hook", "path"),
    [("order-sign", "draftOrders"), ("order-select", "draftOrders"), ("encounter-start", "encounterId")],
)
def test_a_missing_member_of_the_hook_is_named(call, hook, path):
    """E31. What the hook's own context requires is a 400 as well."""
    response = call(without(hook_request(hook), f"context.{path}"))
    assert response.status_code == 400
    assert f"context.{path}" in response.json["issue"][0]["diagnostics"]


def test_another_hook_is_a_400(client, situations):
    """E31. The hook is not the one that the service is registered for."""
    response = client.post("/cds-services/leukopenia-order-sign", json=situations["mild"])
    assert response.status_code == 400
    check_outcome(response.json)
    assert "order-sign" in response.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/cds-services/unknown", {"json": {}}, 404),
        ("/cds-services/leukopenia-patient-view", {"method": "GET"}, 405),
        ("/cds-services/leukopenia-patient-view", {"data": b"{oops", "content_type": "application/json"}, 400),
        ("/cds-services/leukopenia-patient-view", {"data": b"[]", "content_type": "application/json"}, 400),
        (
            "/cds-services/leukopenia-patient-view",
            {"data": b"a=b", "content_type": "application/x-www-form-urlencoded"},
            415,
        ),
    ],
)
def test_every_other_fault_has_its_status(client, path, options, status):
    """E31. Unknown id 404, wrong method 405, bad JSON 400, wrong media type 415, each with an OperationOutcome."""
    response = client.open(path, **{"method": "POST"} | options)
    assert response.status_code == status
    check_outcome(response.json)


def test_too_large_a_call_is_a_413(make_real_client):
    """E31. Larger than CDS_MAX_BODY_BYTES."""
    small = make_real_client(max_body_bytes=1024)
    response = small.post("/cds-services/leukopenia-patient-view", json=hook_request(padding="x" * 2000))
    assert response.status_code == 413
    check_outcome(response.json)


@pytest.mark.parametrize(
    "server",
    [
        "https://ehr.example.org/fhir",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "{{base}}",
    ],
)
def test_a_server_that_is_not_allowed_is_never_called(call, server):
    """E32. fhirServer is the caller's word: not on the allow-list, not called, and no error either."""
    with_data = call(hook_request(prefetch=prefetch(1.2), fhirServer=server))
    assert with_data.status_code == 200
    without_data = call(hook_request(fhirServer=server))
    assert without_data.status_code == 412
    assert server not in without_data.text


def test_drafts_of_r4_are_expected(call, situations):
    """E33. What betrays DSTU2 is refused by name instead of being read as R4."""
    assert call(situations["chemotherapy"]).status_code == 200
    order = {"resourceType": "MedicationOrder", "id": "order-123", "patient": {"reference": "Patient/p1"}}
    response = call(hook_request("order-sign", context={"draftOrders": drafts(order)}, prefetch=prefetch()))
    assert response.status_code == 412
    assert "DSTU2" in response.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("spelling", ["p1", "Patient/p1", "https://ehr.example.org/fhir/Patient/p1"])
def test_both_spellings_of_ids(call, spelling):
    """E34. context.patientId is a bare id; a type or a base before it is stripped."""
    response = call(hook_request(context={"patientId": spelling}, prefetch=prefetch(0.3)))
    assert any("ANC 0.3" in card["summary"] for card in response.json["cards"])


def test_the_encounter_may_be_spelt_with_its_type(call):
    """E34. The same of encounterId."""
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
    }
    for spelling in ("e1", "Encounter/e1"):
        body = hook_request(
            "encounter-start", context={"encounterId": spelling}, prefetch=prefetch(0.3, encounter=encounter)
        )
        assert call(body).status_code == 200


def test_a_patient_that_is_not_the_one_of_the_context_is_a_400(call):
    """E31. Patient of another id than context.patientId: the request contradicts itself."""
    response = call(hook_request(prefetch=prefetch(0.3, patient=patient(id="other"))))
    assert response.status_code == 400
    check_outcome(response.json)
    assert "other" not in response.text


def test_order_select_without_selections_judges_all_drafts(call):
    """E29. A hand-written client leaves selections out: the drafts are judged, not passed over."""
    body = without(
        hook_request("order-select", prefetch=prefetch(0.8), context={"draftOrders": drafts(CARBOPLATIN)}),
        "context.selections",
    )
    assert call(body).json["cards"]


@pytest.mark.parametrize(
    "drafts_sent",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        drafts(
            {
                "resourceType": "MedicationRequest",
                "id": "request-123",
                "status": "draft",
                "subject": {"reference": "Patient/p1"},
            }
        ),
    ],
)
def test_a_draft_may_still_lack_its_medication(call, drafts_sent):
    """E29. order-select fires as soon as the screen opens: no medication yet, no intent, a Bundle without type."""
    response = call(
        hook_request("order-select", prefetch=prefetch(0.8), context={"draftOrders": drafts_sent, "selections": []})
    )
    assert response.status_code == 200
    check_cards(response.json)
