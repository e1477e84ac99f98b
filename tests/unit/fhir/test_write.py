"""Suggested steps as FHIR resources: complete, valid R4, about the patient, and nothing changed that was not meant."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.task import Task

from cds_service.application.ports import ReadChart
from cds_service.clinical.cards import Action
from cds_service.clinical.codings import Coding
from cds_service.clinical.requested_tests import MEMBERS, TESTS, RequestedTest, every_test
from cds_service.clinical.site_orders import SiteOrders
from cds_service.clinical.suggestions import AT_ONCE, NEEDS_SITE_ORDER, OrderItem, SuggestedStep, SuggestionKind
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.reader import FhirChartReader
from cds_service.fhir.validation import WRITTEN_TYPES, _model, load_models
from cds_service.fhir.write import FhirOrderWriter
from tests.unit.fhir.samples import LOINC, NOW, RXNORM, bundle, mine, order, read

MODELS: dict[str, Any] = {"ServiceRequest": ServiceRequest, "Task": Task, "MedicationRequest": MedicationRequest}
CEFEPIME = OrderItem("Cefepime", codings=(Coding(RXNORM, "20481", "cefepime"),), dosage="2 g IV every 8 hours")
ORIGINAL = order(
    meta={"versionId": "3", "profile": ["http://example.org/profile"]},
    extension=[{"url": "http://example.org/unknown", "valueString": "kept"}],
    statusReason={"text": "older reason"},
    dosageInstruction=[{"text": "100 mg daily", "doseAndRate": [{"doseQuantity": {"value": 100.5, "unit": "mg"}}]}],
)


@pytest.fixture
def chart(reader: FhirChartReader) -> ReadChart:
    existing = [
        ORIGINAL,
        order("held", status="on-hold"),
        order("broken", category="inpatient"),
        order("over", status="completed"),
        order("loose", category={"text": "home"}, reasonCode={"text": "lupus"}, subject=None),
    ]
    drafts = [
        order("d1", "carboplatin", status="draft"),
        mine("ServiceRequest", "s1", status="draft", intent="order", code={"text": "hcv serology"}),
    ]
    return read(reader, {"medicationRequests": bundle(*existing)}, bundle(*drafts))


def step(kind: SuggestionKind, **members: Any) -> SuggestedStep:
    usual: dict[str, Any] = {
        "label": "Label",
        "description": "Description",
        "patient_id": "p1",
        "reason": "ANC 0.8 on 2026-11-22",
        "sources": ("Observation/o1", "Observation", "Observation/o1"),
        "encounter_id": "e1",
        "due_in_days": 21,
    }
    return SuggestedStep(kind, **(usual | members))


def item(kind: SuggestionKind) -> OrderItem | None:
    """What an order of this kind is for, without any site: the first of its tests."""
    tests = TESTS.get(kind) or MEMBERS.get(kind)
    return SiteOrders().item_for(kind, tests[0]) if tests else None


def write(
    terminology: Terminology,
    chart: ReadChart,
    kind: SuggestionKind,
    requester: str | None = "Practitioner/dr1",
    **members: Any,
) -> tuple[Action, ...]:
    about = step(kind, **{"item": item(kind), **members})
    return FhirOrderWriter(terminology).actions_for(about, chart, now=NOW, requester=requester)


ORDERS = {
    SuggestionKind.HOLD_MEDICATION: "MedicationRequest/m1",
    SuggestionKind.STOP_MEDICATION: "MedicationRequest/m1",
    SuggestionKind.RESUME_MEDICATION: "MedicationRequest/held",
    SuggestionKind.REMOVE_DRAFT: "MedicationRequest/d1",
    SuggestionKind.REDUCE_DOSE: "MedicationRequest/m1",
}


@pytest.mark.parametrize("kind", sorted(set(SuggestionKind) - NEEDS_SITE_ORDER - {SuggestionKind.REMOVE_DRAFT}))
def test_writes_valid_resources_about_the_patient(
    terminology: Terminology, chart: ReadChart, kind: SuggestionKind
) -> None:
    actions = write(terminology, chart, kind, order=ORDERS.get(kind))
    assert actions
    for action in actions:
        assert action.resource is not None
        assert action.description.startswith("Description")
        assert MODELS[action.resource["resourceType"]].model_validate(copy.deepcopy(dict(action.resource)))
        about = action.resource.get("subject") or action.resource["for"]
        assert about == {"reference": "Patient/p1"}


def test_loads_all_models_ahead_of_the_first_card() -> None:
    load_models()
    assert {_model(name) for name in WRITTEN_TYPES} == set(MODELS.values())


@pytest.mark.parametrize("kind", sorted(NEEDS_SITE_ORDER))
def test_ships_no_default_drug(terminology: Terminology, chart: ReadChart, kind: SuggestionKind) -> None:
    assert write(terminology, chart, kind) == ()


def test_drafts_a_repeat_count_for_the_day_of_the_rule(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.REPEAT_CBC)
    assert action == Action(
        "create",
        "Description",
        resource={
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "occurrenceDateTime": "2026-12-13",
            "authoredOn": "2026-11-22T15:00:00Z",
            "encounter": {"reference": "Encounter/e1"},
            "requester": {"reference": "Practitioner/dr1"},
            "reasonCode": [{"text": "ANC 0.8 on 2026-11-22"}],
            "supportingInfo": [{"reference": "Observation/o1"}],
            "code": {
                "coding": [{"system": LOINC, "code": "57021-8", "display": "CBC W Auto Differential panel - Blood"}],
                "text": "CBC with differential",
            },
        },
    )


def test_leaves_out_what_is_not_known(terminology: Terminology, chart: ReadChart) -> None:
    unknown = {"reason": None, "sources": (), "encounter_id": None, "due_in_days": None}
    (action,) = write(terminology, chart, SuggestionKind.HAEMATOLOGY_REFERRAL, requester=None, **unknown)
    assert action.resource == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2026-11-22T15:00:00Z",
        "authoredOn": "2026-11-22T15:00:00Z",
        "code": {"text": "Referral to haematology"},
    }


@pytest.mark.parametrize(
    ("user", "written"),
    [
        ("Practitioner/dr1", True),
        ("PractitionerRole/r1", True),
        ("Patient/p1", False),
        ("dr1", False),
        ("Practitioner/", False),
        (None, False),
    ],
)
def test_writes_clinicians_as_requester(
    terminology: Terminology, chart: ReadChart, user: str | None, written: bool
) -> None:
    (action,) = write(terminology, chart, SuggestionKind.REPEAT_CBC, requester=user)
    assert action.resource is not None
    assert ("requester" in action.resource) is written


def test_wants_a_stat_count_now_whatever_the_days(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.STAT_CBC)
    assert action.resource is not None
    assert (action.resource["priority"], action.resource["occurrenceDateTime"]) == ("stat", "2026-11-22T15:00:00Z")


@pytest.mark.parametrize("kind", sorted(set(TESTS) - AT_ONCE))
def test_only_what_is_due_at_once_is_of_stat_priority(
    terminology: Terminology, chart: ReadChart, kind: SuggestionKind
) -> None:
    (action,) = write(terminology, chart, kind)
    assert action.resource is not None
    assert "priority" not in action.resource


def test_tells_whoever_draws_a_blood_culture_where(terminology: Terminology, chart: ReadChart) -> None:
    notes = []
    for test in TESTS[SuggestionKind.BLOOD_CULTURES]:
        culture = SiteOrders().item_for(SuggestionKind.BLOOD_CULTURES, test)
        (action,) = write(terminology, chart, SuggestionKind.BLOOD_CULTURES, item=culture)
        assert action.resource is not None
        assert action.resource["priority"] == "stat"
        assert action.resource["code"]["coding"][0]["code"] == "600-7"
        notes += action.resource["note"]
    assert [note["text"].partition(":")[0] for note in notes] == ["First set", "Second set"]


UNCODED = {
    "haematology-referral", "igg-replacement-referral", "pharmacy-consult",
    "hev-nat", "cmv-nat", "ebv-nat", "parvovirus-b19-nat",
}  # fmt: skip


@pytest.mark.parametrize("test", every_test(), ids=lambda test: test.words)
def test_every_test_has_a_code_or_is_written_in_words(
    terminology: Terminology, chart: ReadChart, test: RequestedTest
) -> None:
    wanted = OrderItem(test.words, purpose=test.purpose)
    (action,) = write(terminology, chart, SuggestionKind.WORKUP_PANEL, item=wanted)
    assert action.resource is not None
    assert action.resource["code"]["text"] == test.words
    codings = action.resource["code"].get("coding", [])
    assert [coding["system"] for coding in codings] == ([] if test.purpose in UNCODED else [LOINC])


def test_writes_the_codes_of_the_site_and_no_other(terminology: Terminology, chart: ReadChart) -> None:
    house = (Coding("urn:oid:1.2.3", "LAB1", "CBC of the house"), Coding("urn:oid:1.2.4", "77", None))
    wanted = OrderItem("CBC of the house", purpose="cbc-diff", codings=house)
    (action,) = write(terminology, chart, SuggestionKind.STAT_CBC, item=wanted)
    assert action.resource is not None
    assert action.resource["code"] == {
        "coding": [
            {"system": "urn:oid:1.2.3", "code": "LAB1", "display": "CBC of the house"},
            {"system": "urn:oid:1.2.4", "code": "77"},
        ],
        "text": "CBC of the house",
    }


@pytest.mark.parametrize("kind", sorted(NEEDS_SITE_ORDER))
def test_drafts_a_ready_made_drug_order(terminology: Terminology, chart: ReadChart, kind: SuggestionKind) -> None:
    (action,) = write(terminology, chart, kind, item=CEFEPIME, due_in_days=None)
    expected = {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": "20481", "display": "cefepime"}],
            "text": "Cefepime",
        },
        "subject": {"reference": "Patient/p1"},
        "status": "draft",
        "intent": "order",
        "authoredOn": "2026-11-22T15:00:00Z",
        "dosageInstruction": [{"text": "2 g IV every 8 hours"}],
        "encounter": {"reference": "Encounter/e1"},
        "requester": {"reference": "Practitioner/dr1"},
        "reasonCode": [{"text": "ANC 0.8 on 2026-11-22"}],
        "supportingInformation": [{"reference": "Observation/o1"}],
    }
    assert action == Action("create", "Description", resource=expected)
    assert MedicationRequest.model_validate(copy.deepcopy(expected))


def test_a_ready_made_drug_order_leaves_out_what_is_not_known(terminology: Terminology, chart: ReadChart) -> None:
    plain = OrderItem("Cefepime", dosage="2 g")
    unknown = {"reason": None, "sources": (), "encounter_id": None, "requester": None}
    (action,) = write(terminology, chart, SuggestionKind.EMPIRIC_ANTIBIOTICS, item=plain, **unknown)
    assert action.resource == {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"text": "Cefepime"},
        "subject": {"reference": "Patient/p1"},
        "status": "draft",
        "intent": "order",
        "authoredOn": "2026-11-22T15:00:00Z",
        "dosageInstruction": [{"text": "2 g"}],
    }


def test_drafts_an_order_set_as_a_service(terminology: Terminology, chart: ReadChart) -> None:
    system = "urn:com.epic.cdshooks.action.code.system.orderset-item"
    order_set = OrderItem("Febrile neutropenia", codings=(Coding(system, "123", "Febrile neutropenia"),))
    (action,) = write(terminology, chart, SuggestionKind.EMPIRIC_ANTIBIOTICS, item=order_set, due_in_days=None)
    assert action.resource is not None
    assert (action.resource["resourceType"], action.resource["status"]) == ("ServiceRequest", "draft")
    assert action.resource["code"]["coding"] == [{"system": system, "code": "123", "display": "Febrile neutropenia"}]


def test_asks_the_laboratory_with_the_code_of_the_site(terminology: Terminology, chart: ReadChart) -> None:
    coded = OrderItem("Verify", codings=(Coding("urn:oid:1.2.3", "V1", "Verify"),))
    (action,) = write(terminology, chart, SuggestionKind.LAB_VERIFICATION, item=coded)
    (plain,) = write(terminology, chart, SuggestionKind.LAB_VERIFICATION)
    assert action.resource is not None
    assert plain.resource is not None
    assert plain.resource["code"] == {"text": "Verify laboratory result"}
    assert action.resource["code"] == {
        "coding": [{"system": "urn:oid:1.2.3", "code": "V1", "display": "Verify"}],
        "text": "Verify laboratory result",
    }


@pytest.mark.parametrize(
    ("kind", "own", "status"),
    [
        (SuggestionKind.HOLD_MEDICATION, "m1", "on-hold"),
        (SuggestionKind.STOP_MEDICATION, "m1", "stopped"),
        (SuggestionKind.STOP_MEDICATION, "held", "stopped"),
        (SuggestionKind.RESUME_MEDICATION, "held", "active"),
    ],
)
def test_changes_only_status_and_reason_of_an_order(
    terminology: Terminology, chart: ReadChart, kind: SuggestionKind, own: str, status: str
) -> None:
    original = chart.originals[f"MedicationRequest/{own}"]
    before = copy.deepcopy(original)
    (action,) = write(terminology, chart, kind, order=f"MedicationRequest/{own}")
    assert action.type == "update"
    assert action.resource == {**before, "status": status, "statusReason": {"text": "ANC 0.8 on 2026-11-22"}}
    assert original == before


def test_puts_lone_objects_into_arrays_and_names_the_patient(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.HOLD_MEDICATION, order="MedicationRequest/loose")
    assert action.resource is not None
    assert (action.resource["category"], action.resource["reasonCode"]) == ([{"text": "home"}], [{"text": "lupus"}])
    assert action.resource["subject"] == {"reference": "Patient/p1"}


def test_keeps_no_older_reason_where_there_is_no_new_one(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.HOLD_MEDICATION, order="MedicationRequest/m1", reason=None)
    assert action.resource is not None
    assert "statusReason" not in action.resource


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (SuggestionKind.HOLD_MEDICATION, "MedicationRequest/held"),
        (SuggestionKind.HOLD_MEDICATION, "MedicationRequest/over"),
        (SuggestionKind.HOLD_MEDICATION, "MedicationRequest/unknown"),
        (SuggestionKind.HOLD_MEDICATION, None),
        (SuggestionKind.RESUME_MEDICATION, "MedicationRequest/m1"),
        (SuggestionKind.REMOVE_DRAFT, "MedicationRequest/m1"),
        (SuggestionKind.REMOVE_DRAFT, "MedicationRequest/unknown"),
        (SuggestionKind.REMOVE_DRAFT, None),
        (SuggestionKind.REDUCE_DOSE, "ServiceRequest/s1"),
        (SuggestionKind.REDUCE_DOSE, None),
    ],
)
def test_offers_nothing_that_makes_no_sense(
    terminology: Terminology, chart: ReadChart, kind: SuggestionKind, target: str | None
) -> None:
    assert write(terminology, chart, kind, order=target) == ()


def test_offers_no_update_of_a_resource_that_is_no_valid_r4(
    terminology: Terminology, chart: ReadChart, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert write(terminology, chart, SuggestionKind.HOLD_MEDICATION, order="MedicationRequest/broken") == ()
    assert [record.members for record in caplog.records] == [["category"]]  # type: ignore[attr-defined]
    assert "p1" not in caplog.text


@pytest.mark.parametrize("target", ["MedicationRequest/d1", "ServiceRequest/s1"])
def test_removes_a_draft_by_its_reference(terminology: Terminology, chart: ReadChart, target: str) -> None:
    assert write(terminology, chart, SuggestionKind.REMOVE_DRAFT, order=target) == (
        Action("delete", "Description", resource_id=target),
    )


def test_leaves_the_dose_of_a_reduced_draft_to_the_prescriber(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.REDUCE_DOSE, order="MedicationRequest/m1")
    assert action.type == "create"
    assert action.resource == {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"text": "azathioprine"},
        "subject": {"reference": "Patient/p1"},
        "status": "draft",
        "intent": "order",
        "authoredOn": "2026-11-22T15:00:00Z",
        "dosageInstruction": [{"text": "Dose to be decided by the prescriber"}],
        "note": [{"text": "ANC 0.8 on 2026-11-22"}],
        "encounter": {"reference": "Encounter/e1"},
        "requester": {"reference": "Practitioner/dr1"},
        "priorPrescription": {"reference": "MedicationRequest/m1"},
    }


def test_names_no_draft_as_the_prior_prescription(terminology: Terminology, chart: ReadChart) -> None:
    (action,) = write(terminology, chart, SuggestionKind.REDUCE_DOSE, order="MedicationRequest/d1")
    assert action.resource is not None
    assert "priorPrescription" not in action.resource


@pytest.mark.parametrize("kind", sorted({*TESTS, *MEMBERS}))
def test_orders_nothing_that_is_not_named(terminology: Terminology, chart: ReadChart, kind: SuggestionKind) -> None:
    assert write(terminology, chart, kind, item=None) == ()


def test_gives_the_laboratory_all_results_in_question(terminology: Terminology, chart: ReadChart) -> None:
    sources = ("Observation/o1", "Observation/o2")
    (action,) = write(terminology, chart, SuggestionKind.LAB_VERIFICATION, sources=sources)
    assert action.resource is not None
    assert action.resource["focus"] == {"reference": "Observation/o1"}
    assert [item["valueReference"]["reference"] for item in action.resource["input"]] == list(sources)


@pytest.mark.parametrize(
    ("draft_status", "existing", "deleted"),
    [("draft", None, 1), ("draft", "draft", 1), ("active", None, 0), ("active", "active", 0), ("draft", "active", 0)],
)
def test_deletes_no_order_that_is_in_force(
    terminology: Terminology, reader: FhirChartReader, draft_status: str, existing: str | None, deleted: int
) -> None:
    stored = bundle(*([order("d1", status=existing)] if existing else []))
    signed = read(reader, {"medicationRequests": stored}, bundle(order("d1", status=draft_status)))
    removal = step(SuggestionKind.REMOVE_DRAFT, order="MedicationRequest/d1")
    assert len(FhirOrderWriter(terminology).actions_for(removal, signed, now=NOW)) == deleted


def test_updates_nothing_with_a_part_of_a_resource(terminology: Terminology, reader: FhirChartReader) -> None:
    part = order(meta={"tag": [{"code": "SUBSETTED"}]})
    found = read(reader, {"medicationRequests": bundle(part)})
    hold = step(SuggestionKind.HOLD_MEDICATION, order="MedicationRequest/m1")
    assert FhirOrderWriter(terminology).actions_for(hold, found, now=NOW) == ()


@pytest.mark.parametrize(("url", "ids"), [("https://x/fhir/MedicationRequest/m9", ["m9"]), (None, [])])
def test_an_update_takes_its_id_from_the_url_of_the_entry(
    terminology: Terminology, reader: FhirChartReader, url: str | None, ids: list[str]
) -> None:
    nameless = {name: value for name, value in order().items() if name != "id"}
    entry = {"resource": nameless} | ({"fullUrl": url} if url else {})
    found = read(reader, {"medicationRequests": bundle(entry=[entry])})
    hold = step(SuggestionKind.HOLD_MEDICATION, order=found.chart.orders[0].source)
    actions = FhirOrderWriter(terminology).actions_for(hold, found, now=NOW)
    assert [action.resource["id"] for action in actions if action.resource] == ids
