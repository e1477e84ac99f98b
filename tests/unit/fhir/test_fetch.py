"""What is read from the FHIR server for a prefetch that is not complete, and what is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from cds_service.application.hook_request import FhirAccess
from cds_service.application.ports import ReadChart
from cds_service.errors import UnsupportedRelease
from cds_service.fhir.reader import FhirChartReader
from cds_service.fhir.templates import UnresolvedToken, fill_template
from tests.unit.fhir.samples import NOW, PATIENT, bundle, count, hook_request, order, outcome

TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "cellCounts": "Observation?patient={{context.patientId}}&code=http://loinc.org|751-8",
    "medicationRequests": "MedicationRequest?patient={{context.patientId}}",
    "encounter": "Encounter/{{context.encounterId}}",
}
COUNTS = bundle(count())
KNOWN = {"patient": PATIENT, "cellCounts": None, "medicationRequests": None}


def answer(
    reader: FhirChartReader, server: HTTPServer | None, prefetch: Any, seconds: float = 3, **members: Any
) -> ReadChart:
    fhir = FhirAccess(server.url_for("/fhir"), "t0ken") if server else None
    request = hook_request(prefetch, fhir=fhir, **members)
    return reader.read(request, TEMPLATES, now=NOW, deadline=NOW + timedelta(seconds=seconds))


def paths(server: HTTPServer) -> list[str]:
    return sorted(request.path for request, _ in server.log)


def test_reads_what_is_absent_and_nothing_else(reader: FhirChartReader, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(COUNTS)
    chart = answer(reader, httpserver, {"patient": PATIENT, "medicationRequests": bundle(total=0)}).chart
    assert paths(httpserver) == ["/fhir/Observation"]
    assert httpserver.log[0][0].args.to_dict() == {"patient": "p1", "code": "http://loinc.org|751-8"}
    assert [m.analyte for m in chart.measurements] == ["ANC"]
    assert chart.unavailable == {"encounter": "the request has no context.encounterId"}


@pytest.mark.parametrize(
    "failed", [outcome("error"), "<html>", bundle(count(), next_url="https://elsewhere.example/x")]
)
def test_reads_again_what_failed_in_the_client(reader: FhirChartReader, httpserver: HTTPServer, failed: Any) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle(count("o2", value=0.4)))
    chart = answer(reader, httpserver, {**KNOWN, "cellCounts": failed}).chart
    assert "Observation/o2" in {m.source for m in chart.measurements}
    assert "cellCounts" not in chart.unavailable


def test_never_reads_again_what_was_sent_as_null(reader: FhirChartReader, httpserver: HTTPServer) -> None:
    answer(reader, httpserver, KNOWN)
    assert paths(httpserver) == []


@pytest.mark.parametrize("key", ["cellCounts", "item1"])
def test_follows_the_pages_of_a_prefetch(reader: FhirChartReader, httpserver: HTTPServer, key: str) -> None:
    url = f"{httpserver.url_for('/fhir')}/Observation?page=2"
    httpserver.expect_request("/fhir/Observation", query_string="page=2").respond_with_json(bundle(count("o2")))
    sent = {"patient": PATIENT, "medicationRequests": None, key: bundle(count("o1"), next_url=url)}
    chart = answer(reader, httpserver, sent).chart
    assert [m.source for m in chart.measurements] == ["Observation/o1", "Observation/o2"]
    assert ("cellCounts" in chart.unavailable, paths(httpserver)) == (False, ["/fhir/Observation"])


def test_says_why_the_pages_of_a_prefetch_did_not_come(reader: FhirChartReader, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data("", 500)
    url = f"{httpserver.url_for('/fhir')}/Observation?page=2"
    chart = answer(reader, httpserver, {**KNOWN, "cellCounts": bundle(count(), next_url=url)}).chart
    assert chart.unavailable["cellCounts"] == "the FHIR server answered 500"
    assert len(chart.measurements) == 1


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (outcome("error"), 500, "the FHIR server answered 500"),
        (outcome("error"), 403, "not permitted (403)"),
        (outcome("error"), 404, "the FHIR server answered 404"),
        (outcome("error"), 200, "an OperationOutcome was sent instead of data"),
        ("nonsense", 200, "what was sent is not a FHIR resource"),
    ],
)
def test_leaves_a_key_unavailable_with_the_reason(
    reader: FhirChartReader, httpserver: HTTPServer, body: Any, status: int, reason: str
) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(body, status=status)
    sent = {"patient": PATIENT, "medicationRequests": None}
    assert answer(reader, httpserver, sent).chart.unavailable["cellCounts"] == reason


def test_learns_nothing_from_a_server_that_does_not_know_the_patient(
    reader: FhirChartReader, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/fhir/Patient/p1").respond_with_data("", 404)
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle(total=0))
    chart = answer(reader, httpserver, {"medicationRequests": None}).chart
    assert chart.patient is None
    assert {chart.unavailable[key] for key in ("patient", "cellCounts")} == {
        "the FHIR server does not know this patient"
    }


def test_reads_the_medications_that_orders_point_to(reader: FhirChartReader, httpserver: HTTPServer) -> None:
    medication = {"resourceType": "Medication", "id": "x1", "code": {"text": "clozapine"}}
    httpserver.expect_request("/fhir/Medication/x1").respond_with_json(medication)
    pointing = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/x1"})
    chart = answer(reader, httpserver, {**KNOWN, "medicationRequests": bundle(pointing)}).chart
    assert [[drug.ingredient for drug in o.drugs] for o in chart.orders] == [["clozapine"]]
    assert paths(httpserver) == ["/fhir/Medication/x1"]


def test_asks_nobody_for_medications_without_a_server(reader: FhirChartReader) -> None:
    pointing = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/x1"})
    chart = answer(reader, None, {**KNOWN, "medicationRequests": bundle(pointing)}).chart
    assert chart.unavailable["medicationRequests"] == "an order points to a medication that was not sent"


def test_refuses_dstu2_from_the_server_too(reader: FhirChartReader, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/MedicationRequest").respond_with_json(bundle({"resourceType": "MedicationOrder"}))
    with pytest.raises(UnsupportedRelease):
        answer(reader, httpserver, {"patient": PATIENT, "cellCounts": None})


CONTEXT = {"patientId": "p1", "userId": "PractitionerRole/r1", "encounterId": "e 1&x=2", "number": 7, "flag": True}


@pytest.mark.parametrize(
    ("template", "query"),
    [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        ("{{ context.userId }}", "PractitionerRole/r1"),
        ("PractitionerRole/{{userPractitionerRoleId}}", "PractitionerRole/r1"),
        ("Encounter/{{context.encounterId}}", "Encounter/e%201%26x%3D2"),
        ("Thing/{{context.number}}", "Thing/7"),
        ("Patient/{{userPatientId}}", None),
        ("{{context.flag}}", None),
        ("{{context.missing}}", None),
        ("{{patientId}}", None),
        ("{{context.draftOrders.entry}}", None),
        ("{{today()}}", None),
    ],
)
def test_fills_in_the_tokens_of_the_protocol(template: str, query: str | None) -> None:
    if query is None:
        with pytest.raises(UnresolvedToken):
            fill_template(template, CONTEXT)
    else:
        assert fill_template(template, CONTEXT) == query


@pytest.mark.parametrize("patient_id", ["..", "../admin", ".", "", "a//b"])
def test_lets_no_value_lead_to_another_path(patient_id: str) -> None:
    with pytest.raises(UnresolvedToken):
        fill_template("Patient/{{context.patientId}}", {"patientId": patient_id})
