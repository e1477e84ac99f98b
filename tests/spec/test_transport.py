"""A. JSON and transport."""

from __future__ import annotations

import orjson
import pytest

from cds_service.web.envelope import read_fhir_access
from tests.spec.charts import prefetch
from tests.spec.invariants import check_cards, find_empty
from tests.spec.requests import hook_request


def test_speaks_json_both_ways(client, call, situations):
    """A1. application/json in and out; a FHIR server over plain http is called on this machine only."""
    response = call(situations["mild"])
    assert response.content_type == "application/json"
    assert client.get("/cds-services").content_type == "application/json"
    far = "http://ehr.example.org/fhir"
    access, refused = read_fhir_access({"fhirServer": far}, frozenset({far}))
    assert access is None
    assert "https" in refused


def test_sends_nothing_empty(answers, discovery):
    """A2. No null, "", [] or {} but cards: [] and services: []."""
    for body in (*answers.values(), discovery):
        assert list(find_empty(body)) == []
    assert answers["well"] == {"cards": []}


def test_embeds_standard_fhir_json(cards):
    """A3. Resources in actions are plain FHIR R4 JSON; each is valid for the R4 models."""
    from fhir.resources import R4B

    resources = [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion.get("actions", [])
        if "resource" in action
    ]
    assert {resource["resourceType"] for resource in resources} >= {"ServiceRequest", "MedicationRequest"}
    for resource in resources:
        R4B.get_fhir_model_class(resource["resourceType"]).model_validate_json(orjson.dumps(resource))


def test_ignores_members_it_does_not_know(call, situations):
    """A4. Unknown members anywhere are no reason for a 400, and change nothing."""
    known = situations["mild"]
    body = known | {"vendor": {"a": 1}, "extension": {"com.example": {}}, "user": "x", "preFetchData": {}}
    body["context"] = known["context"] | {"vendorField": ["x"], "extension": {"com.example": 1}}
    response = call(body)
    assert response.status_code == 200
    assert [card["summary"] for card in response.json["cards"]] == [
        card["summary"] for card in call(known).json["cards"]
    ]


@pytest.mark.parametrize("status", [200, 400, 412])
def test_cards_are_never_cached(call, status):
    """A5. no-store on what is about a patient, errors included; discovery may be kept for a short while."""
    bodies = {200: hook_request(prefetch=prefetch(1.2)), 400: {"hook": "patient-view"}, 412: hook_request()}
    response = call(bodies[status])
    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"


def test_discovery_may_be_cached_shortly(client):
    """A5. A short max-age on discovery."""
    assert client.get("/cds-services").headers["Cache-Control"] == "public, max-age=60"


def test_every_situation_is_answered_within_the_schema(answers):
    """A2, G40. The published schema and what it cannot say hold for every answer."""
    for body in answers.values():
        check_cards(body)
