"""Which of our keys a prefetch makes known, under whatever names it comes."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.terminology import Terminology
from cds_service.errors import InvalidHookRequest, UnsupportedRelease
from cds_service.fhir.fetch import NOBODY_TO_ASK
from cds_service.fhir.prefetch import Sorting, read_prefetch
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import (
    LOINC,
    PATIENT,
    SNOMED,
    bundle,
    chart_of,
    coded,
    count,
    mine,
    order,
    outcome,
    problems_of,
)

BASE = "https://ehr.example/fhir"
CONDITION = mine("Condition", "c1", code=coded(SNOMED, "386661006"))
TEMPERATURE = count("t1", "8310-5", 38.4, "Cel")
VITAL_CATEGORY = [coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")]


def reasons(terminology: Terminology, prefetch: dict[str, Any], names: dict[str, str] | None = None) -> dict[str, Any]:
    parcels = read_prefetch(prefetch, names or {})
    return {key.value: why for key, why in Sorting.of("p1", terminology, parcels).reasons(parcels).items()}


def known(terminology: Terminology, prefetch: dict[str, Any], names: dict[str, str] | None = None) -> set[str]:
    return {key for key, why in reasons(terminology, prefetch, names).items() if why is None}


@pytest.mark.parametrize("value", [None, bundle(total=0), bundle(entry=[])])
@pytest.mark.parametrize("key", [key.value for key in PrefetchKey])
def test_knows_as_empty_what_was_sent_empty(terminology: Terminology, key: str, value: Any) -> None:
    assert known(terminology, {key: value}) == {key}


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (bundle(count()), {"cellCounts"}),
        (bundle(count(code="6690-2")), {"cellCounts"}),
        (bundle(TEMPERATURE), {"vitalSigns"}),
        (bundle(mine("Observation", "hr", code=coded(LOINC, "8867-4"), category=VITAL_CATEGORY)), set()),
        (bundle(count(code="718-7")), set()),
        (bundle(count(code="777-3"), count("o2")), {"cellCounts"}),
        (bundle(count(code="85354-9")), set()),
        (bundle(count(code="2132-9")), {"labResults"}),
        (bundle(count(), TEMPERATURE, count("x", "2132-9")), {"cellCounts", "vitalSigns", "labResults"}),
        (bundle(CONDITION), {"conditions"}),
        (bundle(order()), {"medicationRequests"}),
        (bundle(mine("Procedure", "x")), {"procedures"}),
        (bundle(mine("ServiceRequest", "x")), {"serviceRequests"}),
        (bundle(mine("MedicationAdministration", "x")), {"medicationAdministrations"}),
        (PATIENT, {"patient"}),
        (mine("Encounter", "e1"), {"encounter"}),
        (bundle(mine("AllergyIntolerance", "a", subject=None, patient={"reference": "Patient/p1"})), {"allergies"}),
        (bundle(), set()),
        (None, set()),
        (outcome("error"), set()),
        ("<html>", set()),
        (count(), set()),
        (order(), set()),
        (bundle(count(subject=None)), set()),
        (bundle(count(subject={"reference": "Patient/p2"})), set()),
        (bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&code=1256"), set()),
        (bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&status=stopped"), set()),
        (
            bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&status=active,on-hold,completed,stopped"),
            {"medicationRequests"},
        ),
        (bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&_count=1"), set()),
        (bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&_count=1", total=3), set()),
        (
            bundle(order(), self_url=f"{BASE}/MedicationRequest?patient=p1&_count=1", total=1),
            {"medicationRequests"},
        ),
    ],
)
def test_recognises_resources_under_a_foreign_key(terminology: Terminology, sent: Any, keys: set[str]) -> None:
    assert known(terminology, {"item1": sent}) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("Observation?patient=p1&category=vital-signs", {"vitalSigns"}),
        ("Observation?patient=p1&category=laboratory", {"cellCounts", "labResults"}),
        ("Observation?patient=Patient/p1&category=http://x|laboratory", {"cellCounts", "labResults"}),
        ("Observation?patient=p1", {"cellCounts", "labResults", "vitalSigns"}),
        ("Observation?patient=p1&code=http://loinc.org|751-8,http://loinc.org|6690-2", {"cellCounts"}),
        ("Observation?patient=p1&code=http%3A%2F%2Floinc.org%7C751-8", {"cellCounts"}),
        ("Observation?patient=p1&code=718-7", set()),
        ("Observation?patient=p1&code=2132-9", {"labResults"}),
        ("Observation?patient=p1&code=8310-5", {"vitalSigns"}),
        ("Condition?patient=p1", {"conditions"}),
        ("Condition?patient=p1&clinical-status=resolved", set()),
        ("MedicationRequest?patient=p1&status=active", set()),
        ("MedicationRequest?patient=p1&status=active,completed", {"medicationRequests"}),
        ("MedicationRequest?patient=p1&intent=plan", set()),
        ("MedicationRequest?patient=p1&authoredon=ge2026-11-01", set()),
        ("MedicationRequest?patient=p1&encounter=e1", set()),
        ("MedicationRequest?patient=p1&_lastUpdated=ge2026-11-01", set()),
        ("Observation?patient=p1&category=laboratory&date=lt2020-01-01", set()),
        ("Observation?patient=p1&category=laboratory&date=ge2020-01-01", {"cellCounts", "labResults"}),
        ("Observation?patient=p1&category=laboratory&code:not=http://loinc.org|751-8", set()),
        ("Observation?patient=p1&category=laboratory&status=preliminary", set()),
        ("Observation?patient=p1&category=laboratory&encounter=e1", set()),
        ("Observation?patient=p1&category=laboratory&value-quantity=gt10", set()),
        ("Observation?patient:Patient=p1&category=vital-signs&_count=50", {"vitalSigns"}),
        ("MedicationRequest?patient=p1&status=stopped", set()),
        ("Procedure?subject=Patient/p1", {"procedures"}),
        ("Procedure?patient=p2", set()),
        ("Procedure?patient=p1&status=not-done", set()),
        ("Procedure?patient=p1&status=completed", {"procedures"}),
        ("Procedure?patient=p1&date=ge2026-11-01", set()),
        ("MedicationAdministration?patient=p1&status=completed", {"medicationAdministrations"}),
        ("MedicationAdministration?patient=p1&status=stopped", set()),
        ("MedicationRequest?patient=p1&date=ge2026-11-01", set()),
        ("ServiceRequest?patient=p1&status=active", {"serviceRequests"}),
        ("ServiceRequest?patient=p1&category=imaging", set()),
        ("AllergyIntolerance?patient=p1&_count=100&_sort=date&_format=json&_pretty=true", {"allergies"}),
        ("AllergyIntolerance?patient=p1&_include=AllergyIntolerance:recorder&_page=1", {"allergies"}),
        ("AllergyIntolerance?patient=p1&clinical-status=active", {"allergies"}),
        ("AllergyIntolerance?patient=p1&clinical-status=resolved", set()),
        ("AllergyIntolerance?patient=p1&category=food", set()),
        ("AllergyIntolerance?patient=p1&criticality=high", set()),
        ("AllergyIntolerance?patient=p1&date=ge2026-01-01", set()),
        ("AllergyIntolerance?patient=p1&code=http://snomed.info/sct|1", set()),
        ("AllergyIntolerance?patient=p1&_summary=false", {"allergies"}),
        ("AllergyIntolerance?patient=p1&_summary=count", set()),
        ("Condition?patient=p1&category=encounter-diagnosis", set()),
        ("Condition?patient=p1&onset-date=ge2026-01-01", set()),
        ("Condition?patient=p1&_has:Observation:focus:code=x", set()),
        ("Observation?patient=p1&category=laboratory&combo-code=718-7", set()),
        ("Encounter?patient=p1&_id=e1", {"encounter"}),
        ("Observation?patient=p2&category=laboratory", set()),
        ("Coverage?patient=p1", set()),
        ("Observation/_search", set()),
        ("Observation", set()),
    ],
)
def test_knows_an_empty_search_by_its_url(terminology: Terminology, query: str, keys: set[str]) -> None:
    assert known(terminology, {"item1": bundle(total=0, self_url=f"{BASE}/{query}")}) == keys


def test_knows_an_empty_search_by_the_name_that_the_site_gave_it(terminology: Terminology) -> None:
    assert known(terminology, {"item4": bundle(total=0)}, {"item4": "conditions"}) == {"conditions"}


def test_feeds_cell_counts_from_laboratory_results(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"labResults": bundle(count("o1", "6690-2"), count("o2", "2132-9", 400, "pg/mL"))})
    assert {m.analyte for m in chart.measurements} == {"WBC"}
    assert {"cellCounts", "labResults"}.isdisjoint(chart.unavailable)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (outcome("error"), "an OperationOutcome was sent instead of data"),
        (bundle(entry=[{"resource": outcome("error")}]), "the server reported an error"),
        ("<html>", "what was sent is not a FHIR resource"),
        (bundle(count(), next_url=f"{BASE}?page=2"), "only the first page was sent"),
        (bundle(CONDITION), "what was sent holds no Observation"),
        (bundle(count(subject={"reference": "Patient/p2"})), "what was sent is about another patient"),
        (bundle(total=0, self_url=f"{BASE}/Observation?patient=p2"), "what was sent is about another patient"),
        (
            bundle(count(code="ANC-LOCAL", value=1)),
            "none of the results that were sent was recognised as a cell count",
        ),
    ],
)
def test_says_why_a_key_is_not_known(terminology: Terminology, sent: Any, reason: str) -> None:
    if "LOCAL" in str(sent):
        sent["entry"][0]["resource"]["code"] = coded("urn:lab", "ANC-LOCAL", "neutrophils")
    assert reasons(terminology, {"cellCounts": sent})["cellCounts"] == reason


@pytest.mark.parametrize("key", ["cellCounts", "vitalSigns", "conditions"])
def test_what_cannot_be_read_is_not_nothing(terminology: Terminology, key: str) -> None:
    broken = bundle(entry=[{"fullUrl": f"{BASE}/Observation/1", "resource": None}])
    assert reasons(terminology, {key: broken})[key] == "no entry of what was sent could be read"


@pytest.mark.parametrize(
    ("code", "others", "is_known"),
    [
        (coded("urn:lab", "T", "Body temperature"), [], False),
        ({"text": "Temperature, tympanic"}, [count("bp", "8480-6", 120, "mm[Hg]")], False),
        (coded("urn:lab", "T", "Body temperature"), [TEMPERATURE], True),
        (coded("urn:lab", "P", "Pulse"), [], True),
    ],
)
def test_a_temperature_in_a_code_of_the_house_is_not_no_temperature(
    terminology: Terminology, code: Any, others: list[Any], is_known: bool
) -> None:
    local = count("t2", value=39.6, unit="Cel") | {"code": code}
    assert ("vitalSigns" in known(terminology, {"vitalSigns": bundle(local, *others)})) is is_known


def test_still_reads_the_first_page_of_an_incomplete_answer(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"cellCounts": bundle(count(), next_url=f"{BASE}?page=2")})
    assert chart.unavailable["cellCounts"] == "only the first page was sent"
    assert [m.analyte for m in chart.measurements] == ["ANC"]


def test_lists_only_what_the_service_asked_for_and_did_not_get(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"patient": PATIENT, "cellCounts": None})
    assert chart.unavailable["conditions"] == NOBODY_TO_ASK
    assert {"patient", "cellCounts", "encounter"}.isdisjoint(chart.unavailable)


def test_says_that_the_server_was_refused(reader: FhirChartReader) -> None:
    chart = chart_of(reader, fhir_refused="the FHIR server is not on the allow-list")
    assert chart.unavailable["cellCounts"] == "the FHIR server is not on the allow-list"


def test_reports_garbage_under_our_keys_only(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"cellCounts": "<html>", "banner": "<html>"})
    assert problems_of(chart) == {("unreadable-prefetch", "cellCounts")}


@pytest.mark.parametrize("key", ["patient", "who"])
def test_refuses_the_chart_of_another_patient(reader: FhirChartReader, key: str) -> None:
    with pytest.raises(InvalidHookRequest, match=r"context\.patientId") as refused:
        chart_of(reader, {key: {"resourceType": "Patient", "id": "secret2"}})
    assert "secret2" not in str(refused.value)


def test_refuses_a_patient_search_that_found_another_patient(reader: FhirChartReader) -> None:
    with pytest.raises(InvalidHookRequest):
        chart_of(reader, {"patient": bundle({"resourceType": "Patient", "id": "p2"})})


def test_another_patients_resources_change_nothing_but_do_not_say_that_there_are_no_counts(
    reader: FhirChartReader,
) -> None:
    stray = {"subject": {"reference": "Patient/p2"}}
    found = {"cellCounts": bundle(count("o2") | stray), "conditions": bundle(CONDITION | stray)}
    assert {"cellCounts", "conditions"} & set(chart_of(reader, found).unavailable) == {"cellCounts"}


def test_opens_a_batch_response_and_knows_each_of_its_answers(reader: FhirChartReader) -> None:
    asked = (bundle(count()), bundle(total=0, self_url=f"{BASE}/Condition?patient=p1"))
    batch = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": one} for one in asked]}
    chart = chart_of(reader, {"data": batch})
    assert {"cellCounts", "conditions"}.isdisjoint(chart.unavailable)
    assert [m.analyte for m in chart.measurements] == ["ANC"]


def test_results_inside_a_report_answer_for_cell_counts(reader: FhirChartReader) -> None:
    inner = {name: value for name, value in count().items() if name not in ("subject", "effectiveDateTime")}
    report = count(code="58410-2", resourceType="DiagnosticReport", valueQuantity=None, contained=[inner])
    for key in ("cellCounts", "reports"):
        chart = chart_of(reader, {key: bundle(report)})
        assert "cellCounts" not in chart.unavailable
        assert [m.analyte for m in chart.measurements] == ["ANC"]


def test_sets_other_patients_resources_aside_without_their_ids(reader: FhirChartReader) -> None:
    stray = count("o2", subject={"reference": "Patient/secret2"})
    mother = {"resourceType": "Patient", "id": "secret3"}
    chart = chart_of(reader, {"cellCounts": bundle(count(), stray, mother)})
    assert [m.source for m in chart.measurements] == ["Observation/o1"]
    assert problems_of(chart) == {("other-patient", "Observation/o2"), ("other-patient", "Patient")}
    assert "secret" not in repr(chart.data_problems)


@pytest.mark.parametrize("subject", [None, {"identifier": {"value": "7"}}])
def test_takes_unstated_subjects_only_from_a_search_for_the_patient(reader: FhirChartReader, subject: Any) -> None:
    ours = chart_of(reader, {"cellCounts": bundle(count(subject=subject))})
    searched = bundle(count(subject=subject), self_url=f"{BASE}/Observation?patient=p1&category=laboratory")
    theirs = chart_of(reader, {"item1": bundle(count(subject=subject))})
    assert len(ours.measurements) == len(chart_of(reader, {"item1": searched}).measurements) == 1
    assert (theirs.measurements, problems_of(theirs)) == ((), {("unstated-patient", "Observation/o1")})


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"versionId": "2"}, {"versionId": "10"}),
        ({"lastUpdated": "2026-11-01T00:00:00Z"}, {"lastUpdated": "2026-11-02T00:00:00Z"}),
        ({}, {"versionId": "1"}),
    ],
)
@pytest.mark.parametrize("newer_first", [True, False])
def test_counts_a_resource_once_in_its_newer_version(
    reader: FhirChartReader, older: Any, newer: Any, newer_first: bool
) -> None:
    copies = [count(value=2.0, meta=newer), count(value=9.0, meta=older)]
    first, second = copies if newer_first else reversed(copies)
    chart = chart_of(reader, {"cellCounts": bundle(first), "labResults": bundle(second)})
    assert [str(m.value) for m in chart.measurements] == ["2.0"]


def test_counts_a_resource_without_an_id_once(reader: FhirChartReader) -> None:
    nameless = {name: value for name, value in count().items() if name != "id"}
    chart = chart_of(reader, {"cellCounts": bundle(nameless), "labResults": bundle(nameless)})
    assert [m.source for m in chart.measurements] == ["Observation"]


@pytest.mark.parametrize(
    ("prefetch", "drafts", "extension"),
    [
        ({}, bundle({"resourceType": "MedicationOrder", "id": "x"}), {}),
        ({}, bundle({"resourceType": "DiagnosticOrder", "id": "x"}), {}),
        ({"meds": bundle({"resourceType": "MedicationStatement", "patient": {"reference": "Patient/p1"}})}, None, {}),
        ({}, None, {"com.epic.cdshooks.request.fhir-version": "DSTU2"}),
    ],
)
def test_refuses_dstu2_by_name(reader: FhirChartReader, prefetch: Any, drafts: Any, extension: Any) -> None:
    with pytest.raises(UnsupportedRelease, match=r"DSTU2.*R4"):
        chart_of(reader, prefetch, drafts, extension=extension)


def test_keeps_its_hands_off_a_broken_entry_and_says_so(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"cellCounts": bundle(count(), "not a resource")})
    assert len(chart.measurements) == 1
    assert problems_of(chart) == {("broken-resource", "Bundle")}
