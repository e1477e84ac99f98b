"""The demo patients: valid, complete, obviously synthetic R4, dated from now; a faulty story says what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.demo.chart_writing import CLINICIAN, birth_date, clinician, duration
from cds_service.demo.demo_patients import DemoPatient, load_patient, load_patients, write_patient
from cds_service.demo.errors import DemoError

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PATIENTS = load_patients(NOW)
BY_ID = {patient.id: patient for patient in PATIENTS}
STORY: dict[str, Any] = {"id": "demo-x", "name": "Demo, X", "story": "A test.", "gender": "female", "age": 40}

each_patient = pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.id)


def all_resources(patient: DemoPatient) -> list[dict[str, Any]]:
    return [*patient.resources, *([patient.draft_order] if patient.draft_order else [])]


def of_type(patient: DemoPatient, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in patient.resources if resource["resourceType"] == kind]


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["reference"]] if "reference" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list | tuple) else []


def count(patient: DemoPatient, code: str) -> list[float]:
    """The values of a test, newest first."""
    found = [r for r in of_type(patient, "Observation") if r["code"]["coding"][0]["code"] == code]
    return [r["valueQuantity"]["value"] for r in sorted(found, key=lambda r: r["effectiveDateTime"], reverse=True)]


def test_there_are_patients_enough_and_each_has_its_own_id() -> None:
    assert len(BY_ID) == len(PATIENTS) >= 12


@each_patient
def test_every_resource_is_valid_r4(patient: DemoPatient) -> None:
    for resource in all_resources(patient):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    if patient.draft_order_bundle:
        get_fhir_model_class("Bundle").model_validate(patient.draft_order_bundle)


def test_the_clinician_is_valid_r4() -> None:
    get_fhir_model_class("Practitioner").model_validate(clinician())


@each_patient
def test_every_reference_leads_to_a_resource_of_the_demo(patient: DemoPatient) -> None:
    own = {f"{resource['resourceType']}/{resource['id']}" for resource in patient.resources}
    assert set(references(all_resources(patient))) <= own | {CLINICIAN}


@each_patient
def test_every_resource_is_about_the_patient_and_has_its_own_id(patient: DemoPatient) -> None:
    ids = Counter((resource["resourceType"], resource["id"]) for resource in patient.resources)
    assert max(ids.values()) == 1
    for resource in all_resources(patient)[1:]:
        subject = resource.get("subject") or resource["patient"]
        assert subject == {"reference": f"Patient/{patient.id}"}


@each_patient
def test_everybody_is_obviously_synthetic_and_has_a_one_line_story(patient: DemoPatient) -> None:
    assert patient.name.startswith("Demo, ")
    assert of_type(patient, "Patient")[0]["name"][0]["family"] == "Demo"
    assert patient.id.startswith("demo-")
    assert patient.story.endswith(".")
    assert "\n" not in patient.story


@each_patient
def test_no_result_is_of_the_future(patient: DemoPatient) -> None:
    times = [resource["effectiveDateTime"] for resource in of_type(patient, "Observation")]
    assert times
    assert all(datetime.fromisoformat(time) < NOW for time in times)


def test_dates_move_with_now() -> None:
    later = NOW + timedelta(days=30, hours=5)
    [before, after] = [load_patients(now)[0] for now in (NOW, later)]
    shift = datetime.fromisoformat(of_type(after, "Observation")[0]["effectiveDateTime"]) - datetime.fromisoformat(
        of_type(before, "Observation")[0]["effectiveDateTime"]
    )
    assert shift == timedelta(days=30, hours=5)


def test_the_stories_of_the_issue_are_told() -> None:
    anc, weeks = "751-8", {patient_id: count(patient, "751-8") for patient_id, patient in BY_ID.items()}
    assert weeks["demo-mild"][0] == 1.2
    assert weeks["demo-falling"] == [1.3, 1.8, 2.4]
    assert weeks["demo-febrile"][0] == 0.3
    assert count(BY_ID["demo-febrile"], "8310-5") == [38.6]
    assert weeks["demo-azathioprine"][0] == 0.8
    assert weeks["demo-duffy-null"][0] == 1.25
    assert weeks["demo-dasatinib"][0] == 0.7
    assert weeks["demo-clozapine"][0] == 1.2
    assert weeks["demo-unit-slip"] == [1200]
    assert weeks["demo-no-counts"] == []
    assert weeks["demo-child"] == [0.3]
    assert weeks["demo-palbociclib"][0] == 0.9
    assert count(BY_ID["demo-old-count"], anc) == [2.2]
    assert weeks["demo-healthy"] == [3.8]


def test_a_dose_is_an_administration_of_its_order() -> None:
    patient = BY_ID["demo-no-counts"]
    [order], [dose] = of_type(patient, "MedicationRequest"), of_type(patient, "MedicationAdministration")
    assert order["status"] == "completed"
    assert dose["request"] == {"reference": f"MedicationRequest/{order['id']}"}
    assert dose["medicationCodeableConcept"] == order["medicationCodeableConcept"]
    assert datetime.fromisoformat(dose["effectiveDateTime"]) == NOW - timedelta(days=8)


def test_blood_pressure_is_a_component() -> None:
    [panel] = [r for r in of_type(BY_ID["demo-healthy"], "Observation") if "component" in r]
    assert panel["code"]["coding"][0]["code"] == "85354-9"
    assert panel["component"][0]["code"]["coding"][0]["code"] == "8480-6"
    assert panel["component"][0]["valueQuantity"]["value"] == 124


def test_stopping_a_drug_is_the_whole_order_with_another_status_and_a_reason() -> None:
    patient = BY_ID["demo-imatinib"]
    [order] = of_type(patient, "MedicationRequest")
    draft = dict(patient.draft_order or {})
    assert draft.pop("status") == "stopped"
    assert draft.pop("statusReason")["text"] == "neutropenia"
    assert draft | {"status": "active"} == order


def test_a_new_draft_is_not_in_the_chart_yet() -> None:
    patient = BY_ID["demo-chemo-due"]
    assert patient.draft_order is not None
    assert patient.draft_order["status"] == "draft"
    assert patient.draft_order["id"] not in {resource["id"] for resource in patient.resources}
    assert patient.selections == [f"MedicationRequest/{patient.draft_order['id']}"]


def test_a_patient_without_a_draft_has_no_bundle() -> None:
    patient = BY_ID["demo-falling"]
    assert (patient.draft_order, patient.draft_order_bundle, patient.selections) == (None, None, [])


@pytest.mark.parametrize(("age", "today"), [(8, NOW), (40, datetime(2028, 6, 8, tzinfo=UTC)), (0, NOW)])
def test_birth_date_gives_the_age(age: int, today: datetime) -> None:
    born = datetime.fromisoformat(birth_date(age, today.date()))
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    assert today.year - born.year - (not had_birthday) == age


@pytest.mark.parametrize(
    ("text", "length"),
    [("90min", timedelta(minutes=90)), ("2h", timedelta(hours=2)), ("9.5d", timedelta(days=9.5))],
)
def test_length_of_time_is_read(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "9", "d", "-9d", "9 days", None])
def test_rejects_what_is_no_length_of_time(text: str | None) -> None:
    with pytest.raises(DemoError, match="length of time"):
        duration(text)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"obsevations": []}, "Unknown member obsevations"),
        ({"observations": [{"ago": "1d", "neutrofils": 1.2}]}, "neutrofils"),
        ({"observations": [{"neutrophils": 1.2}]}, "'ago' is missing"),
        ({"observations": [{"ago": "1d", "neutrophils": {"value": 1, "units": "x"}}]}, "units"),
        ({"conditions": [{"condition": "breast cancer"}]}, "length of time"),
        ({"conditions": [{"condition": "hiccups", "onset": "1d"}]}, "hiccups"),
        ({"medications": [{"drug": "lisinopril", "started": "1d"}]}, "dose_mg"),
        ({"draft": {"stop": "lisinopril", "reason": "neutropenia"}}, "'lisinopril' is missing"),
        ({"age": "old"}, "str"),
    ],
)
def test_a_faulty_story_says_what_is_wrong(tmp_path: Path, facts: dict[str, Any], problem: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(STORY | facts), "utf-8")
    with pytest.raises(DemoError, match=r"Demo patient x\.json: ") as error:
        load_patient(path, NOW)
    assert problem in str(error.value)


def test_rejects_a_story_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{", "utf-8")
    with pytest.raises(DemoError, match=r"Demo patient x\.json: "):
        load_patients(NOW, tmp_path)


def test_the_smallest_story_is_a_patient_in_a_visit() -> None:
    patient = write_patient(STORY, NOW)
    assert [resource["resourceType"] for resource in patient.resources] == ["Patient", "Encounter"]
    assert patient.encounter_id == "demo-x-encounter-1"
