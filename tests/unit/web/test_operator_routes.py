"""Health, readiness, metrics and the description of the API."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from tests.spec.requests import HOOKS, hook_request


def test_is_alive_whatever_is_wrong(client, service, store):
    service.problems, store.problem = ["no rules"], "no database"
    response = client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_is_ready_only_with_rules_and_store(client, service, store):
    assert client.get("/readyz").json == {"status": "ready"}
    service.problems, store.problem = ["The library holds no rule."], "The database is gone."
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json["problems"] == ["The library holds no rule.", "The database is gone."]


def test_counts_calls_cards_and_unknown_rules(client):
    client.post("/cds-services/leukopenia-patient-view", json=hook_request())
    client.post("/cds-services/leukopenia-patient-view", json={})
    client.post("/cds-services/Patient-Smith", json={})
    text = client.get("/metrics").text
    assert 'cds_requests_total{service="leukopenia-patient-view",status="200"} 1.0' in text
    assert 'cds_requests_total{service="leukopenia-patient-view",status="400"} 1.0' in text
    assert 'cds_cards_total{indicator="critical",rule="chemo-hold-anc"} 1.0' in text
    assert 'cds_rules_unknown_total{rule="anc-severe"} 1.0' in text
    assert "Smith" not in text


def test_describes_every_route(client):
    document = client.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    rules = {rule.rule for rule in client.application.url_map.iter_rules() if not rule.rule.startswith("/static")}
    described = {path.replace("{id}", "<service_id>").replace("{ruleId}", "<rule_id>") for path in document["paths"]}
    assert described == rules


def test_names_the_services_as_an_enum(client):
    document = client.get("/openapi.json").json
    for path in ("/cds-services/{id}", "/cds-services/{id}/feedback"):
        [parameter] = document["paths"][path]["post"]["parameters"]
        assert parameter["schema"]["enum"] == sorted(f"leukopenia-{hook}" for hook in HOOKS)


def test_its_schemas_hold_together(client):
    document = client.get("/openapi.json").json
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)
    assert "$defs" not in text
    answer = client.post("/cds-services/leukopenia-patient-view", json=hook_request()).json
    Draft202012Validator({"$ref": "#/components/schemas/Response", "components": document["components"]}).validate(
        answer
    )


def test_says_that_a_token_is_needed_where_it_is(make_client):
    call = "/cds-services/{id}"
    assert make_client().get("/openapi.json").json["paths"][call]["post"]["security"] == []
    guarded = make_client(auth="jwt").get("/openapi.json").json["paths"][call]["post"]
    assert guarded["security"] == [{"clientToken": []}]
    assert "401" in guarded["responses"]
