"""Small FHIR resources of a made-up patient p1, and hook requests that carry them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cds_service.application.hook_request import FhirAccess, HookRequest
from cds_service.application.ports import ReadChart
from cds_service.clinical.chart import Chart, PrefetchKey
from cds_service.fhir.reader import FhirChartReader

Json = dict[str, Any]

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01", "gender": "female"}
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

TEMPLATES = {
    key.value: f"Thing{number}?patient={{{{context.patientId}}}}"
    for number, key in enumerate(PrefetchKey)
    if key not in (PrefetchKey.PATIENT, PrefetchKey.ENCOUNTER)
} | {"patient": "Patient/{{context.patientId}}"}


def coded(system: str, code: str, display: str | None = None) -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def mine(resource_type: str, own: str, **members: Any) -> Json:
    """A resource about p1; members that are None are left out, subject=None too."""
    resource = {"resourceType": resource_type, "id": own, "subject": {"reference": "Patient/p1"}} | members
    return {name: value for name, value in resource.items() if value is not None}


def count(own: str = "o1", code: str = "751-8", value: Any = 1.2, unit: str | None = "10*9/L", **members: Any) -> Json:
    """A final result, by default an ANC of 1.2, taken an hour before NOW."""
    quantity = {"value": value} | ({"unit": unit, "system": UCUM, "code": unit} if unit else {})
    usual = {"status": "final", "code": coded(LOINC, code), "effectiveDateTime": "2026-11-22T14:00:00Z"}
    return mine("Observation", own, **(usual | {"valueQuantity": quantity} | members))


def order(own: str = "m1", drug: str = "azathioprine", **members: Any) -> Json:
    usual = {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": drug}}
    return mine("MedicationRequest", own, **(usual | members))


def bundle(*resources: Any, self_url: str | None = None, next_url: str | None = None, **members: Any) -> Json:
    """A searchset; members override, None leaves out."""
    links = [{"relation": name, "url": url} for name, url in (("self", self_url), ("next", next_url)) if url]
    body: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links or None,
        "entry": [{"resource": resource} for resource in resources] or None,
    } | members
    return {name: value for name, value in body.items() if value is not None}


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def hook_request(
    prefetch: Json | None = None,
    drafts: Any = None,
    *,
    fhir: FhirAccess | None = None,
    context: Json | None = None,
    **members: Any,
) -> HookRequest:
    return HookRequest(
        service_id="leukopenia-patient-view",
        hook="patient-view" if drafts is None else "order-sign",
        hook_instance="7d2f0d0e-5f0e-4a53-9d0c-0c8a7f6d6c11",
        patient_id="p1",
        context={"patientId": "p1", "userId": "Practitioner/dr1"} | (context or {}),
        prefetch=prefetch or {},
        draft_orders=drafts,
        fhir=fhir,
        **members,
    )


def read(reader: FhirChartReader, prefetch: Json | None = None, drafts: Any = None, **members: Any) -> ReadChart:
    request = hook_request(prefetch, drafts, **members)
    return reader.read(request, TEMPLATES, now=NOW, deadline=NOW + timedelta(seconds=2))


def chart_of(reader: FhirChartReader, prefetch: Json | None = None, drafts: Any = None, **members: Any) -> Chart:
    return read(reader, prefetch, drafts, **members).chart


def problems_of(chart: Chart) -> set[tuple[str, str]]:
    return {(problem.kind, problem.source) for problem in chart.data_problems}
