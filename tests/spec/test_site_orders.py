"""The site's own orders in whole answers: what a profile, an allergy or an open order changes, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest
import yaml
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.app import load_knowledge, make_service
from cds_service.application.discover import service_of_hook
from cds_service.application.hook_request import CallerIdentity, ServiceDescription
from cds_service.application.invoke import HookService
from cds_service.errors import SettingsError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader
from cds_service.settings import Settings
from cds_service.web.envelope import read_hook_request
from cds_service.web.rendering import render_answer
from tests.spec.charts import RXNORM, SUBJECT, patient, searchset
from tests.spec.golden import UUID
from tests.spec.invariants import check_cards
from tests.spec.requests import hook_request

Json = dict[str, Any]
NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
PROFILE = """
orders:
  stat-cbc-diff: {codes: [{system: "urn:oid:2.999.1", code: "LAB293", display: CBC with differential stat}]}
  empiric-antibiotics:
    options:
      - medication:
          codes: [{system: "http://www.nlm.nih.gov/research/umls/rxnorm", code: "20481", display: cefepime}]
          text: Cefepime
        dosage: dose of protocol A
      - {label: Meropenem (protocol B), medication: {text: Meropenem}, dosage: dose of protocol B}
      - order_set: {codes: [{system: "urn:oid:2.999.2", code: "7781", display: Shock set}]}
        contains: [Meropenem, Vancomycin]
"""
LINK = {"label": "Protocol", "url": "https://intranet.example.org/fn", "type": "absolute"}
LINKED = "    link: {label: Protocol, url: 'https://intranet.example.org/fn'}\n"
BY_HAND = "**By hand** (no one-click order is set up here): Empiric antibiotics by the local order set."


def observation(own: str, code: str, value: float, unit: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": SUBJECT,
        "effectiveDateTime": "2026-11-22T13:00:00Z",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def febrile(anc: float = 0.3, temperature: float = 38.9, **prefetch: Any) -> Json:
    """A febrile patient with ANC 0.3 and nothing else; None leaves a key out."""
    keys = ("labResults", "conditions", "medicationRequests", "medicationAdministrations", "procedures")
    chart = {key: searchset() for key in (*keys, "serviceRequests", "allergies")} | {
        "patient": patient(),
        "cellCounts": searchset(observation("count", "751-8", anc, "10*9/L")),
        "vitalSigns": searchset(observation("temp", "8310-5", temperature, "Cel")),
    }
    return hook_request(prefetch={key: value for key, value in (chart | prefetch).items() if value is not None})


@cache
def wired(profile: str) -> tuple[HookService, tuple[ServiceDescription, ...]]:
    """The service as it is wired for a site profile."""
    settings = Settings(auth="off", orders=yaml.safe_load(profile)["orders"] if profile else {})
    knowledge = load_knowledge(settings)
    reader = FhirChartReader(knowledge.terminology, FhirClient(), knowledge.library.numbers)
    return make_service(settings, knowledge, reader), knowledge.services


def ask(request: Json, profile: str = "") -> Json:
    """The whole answer under a site profile; uuids are numbered in the order they appear."""
    service, services = wired(profile)
    asked = read_hook_request(request, service_of_hook(services, request["hook"]), CallerIdentity(), allow_http=False)
    text = orjson.dumps(render_answer(service.answer(asked, now=NOW), explain=True)).decode()
    check_cards(json.loads(text))
    seen: dict[str, str] = {}
    document: Json = json.loads(UUID.sub(lambda match: seen.setdefault(match[0], f"uuid-{len(seen)}"), text))
    return document


def first(answer: Json) -> Json:
    card: Json = answer["cards"][0]
    return card


def labels(answer: Json) -> list[str]:
    return [suggestion["label"] for suggestion in first(answer).get("suggestions", [])]


def kinds(answer: Json, rule: str = "febrile-neutropenia") -> list[str]:
    rules = answer["extension"]["org.leukopenia-cds.evaluation"]["rules"]
    (verdict,) = [each for each in rules if each["id"] == rule]
    offered: list[str] = verdict["suggestions"]
    return offered


def renumbered(answer: Json) -> Json:
    """Without the numbers of uuids, which count what comes before them."""
    document: Json = json.loads(re.sub(r'"uuid-\d+"', '"uuid"', json.dumps(answer)))
    return document


def drafted(text: str, dosage: str, codings: list[Json] | None = None) -> Json:
    """The draft of a drug for the febrile patient, as a whole."""
    return {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": ({"coding": codings} if codings else {}) | {"text": text},
        "subject": SUBJECT,
        "status": "draft",
        "intent": "order",
        "authoredOn": "2026-11-22T15:00:00Z",
        "dosageInstruction": [{"text": dosage}],
        "requester": {"reference": "Practitioner/u1"},
    }


def test_a_profile_changes_the_buttons_and_the_line_and_nothing_else() -> None:
    plain, site = ask(febrile()), ask(febrile(), PROFILE)
    card = first(plain)
    assert BY_HAND in card["detail"]
    about = card["suggestions"][0]["actions"][0]["resource"]
    because = {"reasonCode": about["reasonCode"], "supportingInfo": about["supportingInfo"]}
    because_drug = {"reasonCode": about["reasonCode"], "supportingInformation": about["supportingInfo"]}

    expected = copy.deepcopy(plain)
    mine = first(expected)
    mine["detail"] = card["detail"].replace(BY_HAND, "**Allergies on file:** none.")
    mine["suggestions"][0]["actions"][0]["resource"]["code"] = {
        "coding": [{"system": "urn:oid:2.999.1", "code": "LAB293", "display": "CBC with differential stat"}],
        "text": "CBC with differential stat",
    }
    cefepime = drafted("Cefepime", "dose of protocol A", [{"system": RXNORM, "code": "20481", "display": "cefepime"}])
    shock = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "subject": SUBJECT,
        "occurrenceDateTime": "2026-11-22T15:00:00Z",
        "authoredOn": "2026-11-22T15:00:00Z",
        "requester": {"reference": "Practitioner/u1"},
        "code": {
            "coding": [{"system": "urn:oid:2.999.2", "code": "7781", "display": "Shock set"}],
            "text": "Shock set",
        },
    }
    orders = {
        "Cefepime, dose of protocol A": cefepime | because_drug,
        "Meropenem (protocol B)": drafted("Meropenem", "dose of protocol B") | because_drug,
        "Shock set": shock | because,
    }
    mine["suggestions"] += [
        {
            "label": label,
            "uuid": "uuid",
            "actions": [{"type": "create", "description": label, "resource": resource}],
        }
        for label, resource in orders.items()
    ]
    assert renumbered(site) == renumbered(expected)


def test_everything_that_is_offered_is_valid_and_one_order() -> None:
    models: Json = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}
    suggestions = first(ask(febrile(), PROFILE))["suggestions"]
    assert len(suggestions) == 6
    for suggestion in suggestions:
        (action,) = suggestion["actions"]
        assert action["type"] == "create"
        assert action["resource"]["status"] == "draft"
        assert "isRecommended" not in suggestion
        assert models[action["resource"]["resourceType"]].model_validate(action["resource"])


def test_without_options_the_card_links_and_the_kind_stays_offered() -> None:
    plain = ask(febrile())
    linked = ask(febrile(), "orders:\n  empiric-antibiotics:\n" + LINKED)
    expected = copy.deepcopy(plain)
    mine = first(expected)
    line = "**Empiric antibiotics by the local order set:** follow the link “Protocol”."
    mine["detail"] = mine["detail"].replace(BY_HAND, line)
    mine["links"].insert(0, LINK)
    assert linked == expected
    assert kinds(linked) == ["stat-cbc-diff", "blood-cultures", "empiric-antibiotics"]


def allergy(own: str = "a1", clinical: str = "active", verification: str = "confirmed", **code: Any) -> Json:
    base = "http://terminology.hl7.org/CodeSystem/allergyintolerance"
    return {
        "resourceType": "AllergyIntolerance",
        "id": own,
        "clinicalStatus": {"coding": [{"system": f"{base}-clinical", "code": clinical}]},
        "verificationStatus": {"coding": [{"system": f"{base}-verification", "code": verification}]},
        "code": code,
        "patient": SUBJECT,
    }


ALL = ["Cefepime, dose of protocol A", "Meropenem (protocol B)", "Shock set"]
CODED_CEFEPIME = {"coding": [{"system": RXNORM, "code": "20481"}]}
PIPERACILLIN = {"coding": [{"system": RXNORM, "code": "8339", "display": "piperacillin"}]}


@pytest.mark.parametrize(
    ("entry", "left", "line"),
    [
        (allergy(text="Latex"), ALL, "**Allergies on file:** Latex."),
        (allergy(text="Cefepime"), ALL[1:], "Cefepime, dose of protocol A (allergy on file: Cefepime)."),
        (allergy(text="Penicillins"), ALL[1:], "(allergy on file: Penicillins)."),
        (allergy(text="PCN", coding=[{"display": "Penicillin G"}]), ALL[1:], "(allergy on file: PCN; Penicillin G)."),
        (allergy(text="Antibiotic", **PIPERACILLIN), ALL[1:], "(allergy on file: Antibiotic; piperacillin)."),
        (allergy(text="Meropenem"), ALL[:1], "Shock set (allergy on file: Meropenem)."),
        (allergy(text="Vancomycin"), ALL[:2], "Shock set (allergy on file: Vancomycin)."),
        (allergy(text="Cefepime", clinical="resolved"), ALL, "**Allergies on file:** none."),
        (allergy(text="Cefepime", verification="refuted"), ALL, "**Allergies on file:** none."),
        (allergy(text="No known allergies"), ALL, "**Allergies on file:** none."),
        (allergy(), [], "**Allergies not known:**"),
        (allergy(coding=[{"system": "urn:oid:2.999.3", "code": "1"}]), [], "**Allergies not known:**"),
        (None, [], "**Allergies not known:**"),
    ],
)  # fmt: skip
def test_no_drug_is_offered_against_an_allergy(entry: Json | None, left: list[str], line: str) -> None:
    request = febrile(allergies=None if entry is None else searchset(entry))
    answer = ask(request, PROFILE + LINKED)
    assert [label for label in labels(answer) if label in ALL] == left
    assert line in first(answer)["detail"]
    assert LINK in first(answer)["links"]
    assert "empiric-antibiotics" in kinds(answer)


def test_unknown_allergies_do_not_matter_where_no_drug_is_set_up() -> None:
    assert BY_HAND in first(ask(febrile(allergies=None)))["detail"]


def service(own: str, due: str | None, text: str = "CBC with differential", **members: Any) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "id": own,
        "status": "active",
        "intent": "order",
        "code": {"text": text},
        "subject": SUBJECT,
        "authoredOn": "2026-11-22T10:00:00Z",
        **({"occurrenceDateTime": due} if due else {}),
        **members,
    }


@pytest.mark.parametrize(
    ("due", "offered"),
    [
        ("2026-11-22", False),
        ("2026-11-22T18:00:00Z", False),
        ("2026-11-23T15:00:00Z", False),
        ("2026-11-23T15:01:00Z", True),
        ("2026-12-13", True),
        ("2026-10-01", True),
        (None, True),
    ],
)
def test_an_open_count_is_not_suggested_again(due: str | None, offered: bool) -> None:
    """A repeat in three weeks does not replace a count now."""
    answer = ask(febrile(serviceRequests=searchset(service("s1", due))))
    assert ("CBC with differential now" in labels(answer)) is offered
    assert ("stat-cbc-diff" in kinds(answer)) is offered
    line = f"**Already ordered:** CBC with differential (due {(due or '')[:10]})."
    assert (line in first(answer)["detail"]) is not offered


def test_what_is_accepted_is_not_suggested_again() -> None:
    """The orders of one answer, signed, stand in the next request: with the codes of the site."""
    offered = first(ask(febrile(), PROFILE))["suggestions"][:4]
    taken = [
        suggestion["actions"][0]["resource"] | {"id": f"taken{number}", "status": "active"}
        for number, suggestion in enumerate(offered)
    ]
    services = searchset(*(each for each in taken if each["resourceType"] == "ServiceRequest"))
    drugs = searchset(*(each for each in taken if each["resourceType"] == "MedicationRequest"))
    answer = ask(febrile(serviceRequests=services), PROFILE)
    assert labels(answer) == ALL
    assert kinds(answer) == ["empiric-antibiotics"]
    for line in ("CBC with differential (due 2026-11-22)", "blood culture, second set (due 2026-11-22)"):
        assert line in first(answer)["detail"]
    coded = searchset(*(each | {"code": {"coding": each["code"]["coding"]}} for each in taken if "code" in each))
    assert labels(ask(febrile(serviceRequests=coded), PROFILE)) == ALL
    treated = ask(febrile(serviceRequests=services, medicationRequests=drugs), PROFILE)
    assert kinds(treated) == []


def test_one_open_culture_leaves_the_other() -> None:
    answer = ask(febrile(serviceRequests=searchset(service("s1", "2026-11-22", "Blood culture"))))
    assert labels(answer)[1:] == ["Two sets of blood cultures now: second set, other site or each lumen"]
    assert "**Already ordered:** blood culture, first set (due 2026-11-22)." in first(answer)["detail"]


def test_where_open_orders_are_not_known_everything_is_suggested() -> None:
    assert kinds(ask(febrile(serviceRequests=None))) == ["stat-cbc-diff", "blood-cultures", "empiric-antibiotics"]


@pytest.mark.parametrize(("due", "offered"), [("2026-11-29", False), ("2026-12-13", True), (None, False)])
def test_a_repeat_is_not_suggested_again(due: str | None, offered: bool) -> None:
    earlier = observation("before", "751-8", 0.9, "10*9/L") | {"effectiveDateTime": "2026-10-22"}
    counts = searchset(observation("count", "751-8", 0.8, "10*9/L"), earlier)
    answer = ask(febrile(temperature=36.8, cellCounts=counts, serviceRequests=searchset(service("s1", due))))
    assert ("repeat-cbc-diff" in kinds(answer, "anc-moderate")) is offered


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ("orders: {statcbc: {}}", "orders.statcbc: is no kind of suggestion"),
        ("orders: {empiric-antibiotics: {options: [{medication: {text: Gentamicin}, dosage: x}]}}",
         r"orders.empiric-antibiotics.options\[0\].medication: the drug table does not recognise 'Gentamicin'"),
        ("orders: {gcsf-draft: {link: {label: x, url: 'http://example.org'}}}", "orders.gcsf-draft.link.url: must be"),
    ],
)  # fmt: skip
def test_a_wrong_profile_stops_the_start(profile: str, line: str) -> None:
    with pytest.raises(SettingsError, match=line):
        ask(febrile(), profile)


@pytest.mark.parametrize("hook", ["patient-view", "encounter-start", "order-select", "order-sign"])
def test_every_service_asks_for_allergies(discovery: Json, hook: str) -> None:
    (service_,) = [each for each in discovery["services"] if each["hook"] == hook]
    assert service_["prefetch"]["allergies"].startswith("AllergyIntolerance?patient={{context.patientId}}")
