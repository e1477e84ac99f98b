"""Conditions, encounters, allergies, the patient, procedures and service orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import (
    LOINC,
    NOW,
    PATIENT,
    RXNORM,
    SNOMED,
    bundle,
    chart_of,
    coded,
    hook_request,
    mine,
    outcome,
    problems_of,
)

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CML = {**coded(SNOMED, "92818009", "Chronic myeloid leukemia"), "text": "CML"}


HOUSE = "urn:house|1"


def several(*codes: str) -> Any:
    """A status in several codings; HOUSE stands for a code that only the sender knows."""
    return {"coding": [{"system": "urn:house" if code == HOUSE else CLINICAL, "code": code} for code in codes]}


def condition(**members: Any) -> Any:
    return mine("Condition", "c1", **({"code": CML} | members))


@pytest.mark.parametrize(
    ("members", "active"),
    [
        ({"clinicalStatus": coded(CLINICAL, "active")}, True),
        ({"clinicalStatus": coded(CLINICAL, "recurrence")}, True),
        ({"clinicalStatus": coded(CLINICAL, "relapse")}, True),
        ({"clinicalStatus": "active"}, True),
        ({"clinicalStatus": {"text": "Active"}}, True),
        ({"clinicalStatus": coded(CLINICAL, "resolved")}, False),
        ({"clinicalStatus": coded(CLINICAL, "remission")}, False),
        ({"clinicalStatus": "inactive"}, False),
        ({}, True),
        ({"abatementDateTime": "2020"}, False),
        ({"abatementBoolean": False}, True),
        ({"clinicalStatus": several(HOUSE, "active")}, True),
        ({"clinicalStatus": several("relapse", HOUSE)}, True),
        ({"clinicalStatus": several("resolved", "active")}, True),
        ({"clinicalStatus": several(HOUSE, "resolved")}, False),
        ({"clinicalStatus": several(HOUSE)}, True),
        ({"clinicalStatus": several(HOUSE), "abatementDateTime": "2020"}, False),
        ({"clinicalStatus": several("active"), "abatementDateTime": "2020"}, True),
        ({"clinicalStatus": {"coding": [{"system": "urn:house", "code": "7", "display": "Resolved"}]}}, False),
        ({"clinicalStatus": {"text": "In remission"}}, False),
        ({"clinicalStatus": {"text": "INACTIVE"}}, False),
        ({"clinicalStatus": [coded(CLINICAL, "resolved")]}, False),
    ],
)
def test_tells_active_conditions(reader: FhirChartReader, members: dict[str, Any], active: bool) -> None:
    (problem,) = chart_of(reader, {"conditions": bundle(condition(**members))}).problems
    assert (problem.active, "cml" in problem.kinds) == (active, True)


@pytest.mark.parametrize(
    "status",
    [
        coded("x", "refuted"),
        "entered-in-error",
        {"text": "refuted"},
        several(HOUSE, "refuted"),
        several("entered-in-error", HOUSE),
        {"text": "Entered in Error"},
    ],
)
def test_drops_what_is_not_so(reader: FhirChartReader, status: Any) -> None:
    chart = chart_of(reader, {"conditions": bundle(condition(verificationStatus=status))})
    assert (chart.problems, chart.data_problems) == ((), ())


@pytest.mark.parametrize("status", [several(HOUSE), several("refuted", "confirmed"), several("unconfirmed"), None])
def test_keeps_what_may_be_so(reader: FhirChartReader, status: Any) -> None:
    assert chart_of(reader, {"conditions": bundle(condition(verificationStatus=status))}).problems != ()


@pytest.mark.parametrize(
    ("members", "year"),
    [
        ({"onsetDateTime": "2024-05"}, 2024),
        ({"onsetPeriod": {"start": "2023-01-01", "end": "2023-02-01"}}, 2023),
        ({"onsetDateTime": "2024-05", "recordedDate": "2025"}, 2024),
        ({"recordedDate": "2025"}, 2025),
        ({"assertedDate": "2022-01-01"}, 2022),
        ({"onsetAge": {"value": 30, "code": "a"}}, 2000),
        ({"onsetString": "long ago"}, None),
        ({}, None),
    ],
)
def test_dates_a_condition(reader: FhirChartReader, members: dict[str, Any], year: int | None) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"}
    (problem,) = chart_of(reader, {"patient": patient, "conditions": bundle(condition(**members))}).problems
    assert (problem.dated.earliest.year if problem.dated else None) == year


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ([{"summary": {"text": "blast phase"}}], "blast phase"),
        ({"summary": coded("x", "1", "Accelerated")}, "Accelerated"),
        ([{"type": {"text": "phase"}, "summary": {"text": "chronic"}}], "chronic; phase"),
        ("blast", None),
        (None, None),
    ],
)
def test_reads_the_stage_in_words(reader: FhirChartReader, stage: Any, words: str | None) -> None:
    assert [p.stage for p in chart_of(reader, {"conditions": bundle(condition(stage=stage))}).problems] == [words]


@pytest.mark.parametrize(
    ("members", "active"),
    [
        ({"status": "in-progress", "reasonCode": [{"text": "fever"}]}, True),
        ({"status": "finished", "reasonCode": [coded(SNOMED, "386661006")]}, False),
        ({"status": "in-progress", "reason": [{"text": "fever"}]}, True),
        ({"status": "in-progress", "reason": [{"value": [{"concept": {"text": "fever"}}]}]}, True),
    ],
)
def test_reads_the_reason_of_an_encounter(reader: FhirChartReader, members: dict[str, Any], active: bool) -> None:
    encounter = mine("Encounter", "e1", period={"start": "2026-11-22T10:00:00Z"}, **members)
    (problem,) = chart_of(reader, {"encounter": encounter}).problems
    assert ("fever" in problem.kinds, problem.active) == (True, active)
    assert problem.dated is not None
    assert problem.dated.earliest == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_reads_no_reason_of_a_cancelled_encounter(reader: FhirChartReader) -> None:
    encounter = mine("Encounter", "e1", status="cancelled", reasonCode=[{"text": "fever"}])
    assert chart_of(reader, {"encounter": encounter}).problems == ()


def test_reads_the_patient(reader: FhirChartReader) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "birthDate": "1970",
        "gender": "female",
        "deceasedDateTime": "2026",
    }
    found = chart_of(reader, {"patient": patient}).patient
    assert found is not None
    assert found.born is not None
    assert (found.sex, found.deceased, found.born.latest.year) == ("female", True, 1970)


def test_reports_a_birth_date_that_is_none(reader: FhirChartReader) -> None:
    chart = chart_of(
        reader, {"patient": {"resourceType": "Patient", "id": "p1", "birthDate": "01/02/1970", "gender": "x"}}
    )
    assert chart.patient is not None
    assert (chart.patient.born, chart.patient.sex, chart.patient.deceased) == (None, None, False)
    assert problems_of(chart) == {("unreadable-date", "Patient")}


@pytest.mark.parametrize(
    ("members", "is_there"),
    [
        ({}, True),
        ({"clinicalStatus": coded("x", "active")}, True),
        ({"clinicalStatus": coded("x", "resolved")}, False),
        ({"clinicalStatus": "inactive"}, False),
        ({"verificationStatus": coded("x", "refuted")}, False),
        ({"clinicalStatus": several(HOUSE, "active")}, True),
        ({"clinicalStatus": several(HOUSE)}, True),
        ({"clinicalStatus": several(HOUSE, "inactive")}, False),
        ({"verificationStatus": several(HOUSE, "entered-in-error")}, False),
        ({"verificationStatus": several("refuted", "confirmed")}, True),
    ],
)
def test_reads_active_allergies(reader: FhirChartReader, members: dict[str, Any], is_there: bool) -> None:
    about = {"subject": None, "patient": {"reference": "Patient/p1"}, "code": coded(RXNORM, "723", "amoxicillin")}
    allergies = chart_of(reader, {"allergies": bundle(mine("AllergyIntolerance", "a1", **about, **members))}).allergies
    assert [[drug.ingredient for drug in a.drugs] for a in allergies] == ([["amoxicillin"]] if is_there else [])


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"code": coded(SNOMED, "234336002"), "status": "completed"}, "hsct"),
        ({"code": coded(SNOMED, "234336002")}, "hsct"),
        ({"code": {"text": "AML induction chemotherapy"}, "status": "in-progress"}, "leukaemia-induction"),
        (
            {
                "code": coded(SNOMED, "108290001", "Radiation oncology AND/OR radiotherapy"),
                "bodySite": [coded(SNOMED, "51185008", "Thoracic structure")],
            },
            "thoracic-radiotherapy",
        ),
        ({"code": coded(SNOMED, "234336002"), "status": "not-done"}, None),
        ({"code": coded(SNOMED, "234336002"), "status": "entered-in-error"}, None),
    ],
)
def test_reads_procedures(reader: FhirChartReader, members: dict[str, Any], kind: str | None) -> None:
    done = mine("Procedure", "x1", performedDateTime="2026-11-01", **members)
    found = chart_of(reader, {"procedures": bundle(done)}).procedures
    assert [kind in p.kinds for p in found] == ([] if kind is None else [True])


@pytest.mark.parametrize(
    "time", [{"performedPeriod": {"start": "2026-11-01", "end": "2026-11-03"}}, {"occurrenceDateTime": "2026-11-01"}]
)
def test_dates_procedures_of_several_releases(reader: FhirChartReader, time: dict[str, Any]) -> None:
    (found,) = chart_of(reader, {"procedures": bundle(mine("Procedure", "x1", status="completed", **time))}).procedures
    assert found.performed is not None
    assert found.performed.earliest == datetime(2026, 11, 1, tzinfo=UTC)


CBC = coded(LOINC, "57021-8")


@pytest.mark.parametrize(
    ("members", "is_open"),
    [
        ({"status": "active", "intent": "order"}, True),
        ({"status": "draft", "intent": "order"}, True),
        ({"status": "on-hold", "intent": "original-order"}, True),
        ({"status": "active"}, True),
        ({"status": "active", "intent": "plan"}, False),
        ({"status": "completed", "intent": "order"}, False),
        ({"status": "revoked", "intent": "order"}, False),
        ({"status": "active", "intent": "order", "doNotPerform": True}, False),
        ({"status": "active", "intent": "order", "doNotPerform": "true"}, False),
        ({"status": "active", "intent": "order", "asNeededBoolean": True}, False),
        ({"status": "active", "intent": "order", "asNeededBoolean": False}, True),
        ({"status": "active", "intent": "order", "asNeededCodeableConcept": {"text": "if fever"}}, False),
    ],
)
def test_reads_open_service_orders(reader: FhirChartReader, members: dict[str, Any], is_open: bool) -> None:
    request = mine("ServiceRequest", "s1", code=CBC, occurrenceDateTime="2026-12-13", **members)
    found = chart_of(reader, {"serviceRequests": bundle(request)}).service_orders
    assert [("cbc-diff" in o.kinds, o.draft, o.due is not None) for o in found] == (
        [(True, False, True)] if is_open else []
    )


@pytest.mark.parametrize(
    ("members", "deceased", "reported"),
    [
        ({"deceasedDateTime": "2026-11-01"}, True, False),
        ({"deceasedDateTime": "2099-01-01"}, False, True),
        ({"deceasedDateTime": "unknown"}, False, True),
        ({"deceasedBoolean": True, "deceasedDateTime": "unknown"}, True, True),
        ({"deceasedBoolean": False}, False, False),
    ],
)
def test_believes_a_death_only_with_a_date_that_has_come(
    reader: FhirChartReader, members: dict[str, Any], deceased: bool, reported: bool
) -> None:
    chart = chart_of(reader, {"patient": PATIENT | members})
    assert chart.patient is not None
    assert (chart.patient.deceased, bool(chart.data_problems)) == (deceased, reported)


FEVER = [coded(SNOMED, "386661006")]


@pytest.mark.parametrize(
    ("members", "dated"),
    [
        ({"status": "in-progress"}, NOW),
        ({"status": "Arrived"}, NOW),
        ({"status": "triaged", "period": {"start": "2026-11-20T10:00:00Z"}}, datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ({"status": "planned"}, None),
        ({"status": "finished"}, None),
    ],
)
def test_dates_the_reason_of_an_encounter_that_goes_on(
    reader: FhirChartReader, members: dict[str, Any], dated: datetime | None
) -> None:
    (reason,) = chart_of(reader, {"encounter": mine("Encounter", "e1", reasonCode=FEVER, **members)}).problems
    assert (reason.dated.latest if reason.dated else None) == dated


@pytest.mark.parametrize(("own", "problems", "missing"), [("e1", 1, False), ("e2", 0, True)])
def test_takes_the_encounter_of_the_call_only(reader: FhirChartReader, own: str, problems: int, missing: bool) -> None:
    prefetch = {"encounter": mine("Encounter", own, status="in-progress", reasonCode=FEVER)}
    request = hook_request(prefetch, context={"encounterId": "e1"})
    templates = {"encounter": "Encounter/{{context.encounterId}}"}
    chart = reader.read(request, templates, now=NOW, deadline=NOW + timedelta(seconds=2)).chart
    assert (len(chart.problems), chart.lacks("encounter")) == (problems, missing)


@pytest.mark.parametrize("sent", [{}, {"encounter": outcome("error")}])
def test_an_encounter_that_was_not_sent_is_not_known(reader: FhirChartReader, sent: dict[str, Any]) -> None:
    request = hook_request(sent, context={"encounterId": "e1"})
    templates = {"encounter": "Encounter/{{context.encounterId}}"}
    assert reader.read(request, templates, now=NOW, deadline=NOW + timedelta(seconds=2)).chart.lacks("encounter")
