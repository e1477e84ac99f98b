"""Small synthetic charts as prefetch, dated from now, for tests against the real application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.spec.requests import PATIENT_ID

KEYS = (
    "patient",
    "cellCounts",
    "labResults",
    "vitalSigns",
    "conditions",
    "medicationRequests",
    "medicationAdministrations",
    "procedures",
    "serviceRequests",
    "allergies",
)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    """The result of a search, as servers give it."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    return bundle | ({"entry": entries} if entries else {})


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": PATIENT_ID, "gender": "female", "birthDate": "1970-05-05"} | members


def result(code: str, value: float, unit: str, *, hours: float = 20, **members: Any) -> dict[str, Any]:
    """One numeric Observation of a LOINC code, UCUM unit."""
    return {
        "resourceType": "Observation",
        "id": f"o{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": SUBJECT,
        "effectiveDateTime": hours_ago(hours),
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    } | members


def anc(value: float, **members: Any) -> dict[str, Any]:
    return result("751-8", value, "10*9/L", **members)


def wbc(value: float, **members: Any) -> dict[str, Any]:
    return result("6690-2", value, "10*9/L", **members)


def platelets(value: float, **members: Any) -> dict[str, Any]:
    return result("777-3", value, "10*9/L", **members)


def haemoglobin(value: float, **members: Any) -> dict[str, Any]:
    return result("718-7", value, "g/dL", **members)


def counts(neutrophils: float) -> dict[str, Any]:
    """A blood count of yesterday with nothing else wrong."""
    return searchset(anc(neutrophils), wbc(neutrophils + 2), platelets(250), haemoglobin(13.5))


def temperature(value: float) -> dict[str, Any]:
    vital = [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}
    ]
    return result("8310-5", value, "Cel", hours=1, category=vital)


def medication(code: str, text: str, **members: Any) -> dict[str, Any]:
    """One MedicationRequest of an RxNorm ingredient."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"m{code}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}], "text": text},
        "subject": SUBJECT,
    } | members


def prefetch(neutrophils: float = 4.0, **values: Any) -> dict[str, Any]:
    """A complete chart: every key is there; what is not given is known to be empty."""
    chart: dict[str, Any] = {key: searchset() for key in KEYS}
    return (
        chart
        | {"patient": patient(), "cellCounts": counts(neutrophils), "vitalSigns": searchset(temperature(36.8))}
        | values
    )


def drafts(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


CARBOPLATIN = medication("40048", "carboplatin", status="draft")
CLOZAPINE = medication("2626", "clozapine", authoredOn=hours_ago(24 * 400))
