"""Requests that are right, for tests to bend."""

from __future__ import annotations

from typing import Any

HOOKS = ("patient-view", "encounter-start", "order-select", "order-sign")
PATIENT_ID = "p1"
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "paracetamol"},
    "subject": {"reference": "Patient/p1"},
}


def hook_request(hook: str = "patient-view", **members: Any) -> dict[str, Any]:
    """A call of a hook with nothing but what the hook requires; `context` members are added to it."""
    context: dict[str, Any] = {"userId": "Practitioner/u1", "patientId": PATIENT_ID}
    if hook == "encounter-start":
        context["encounterId"] = "e1"
    if hook in {"order-select", "order-sign"}:
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": DRAFT}]}
    if hook == "order-select":
        context["selections"] = ["MedicationRequest/m1"]
    request = {"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}
    extra = members.pop("context", {})
    return request | members | {"context": context | extra}


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """A copy that lacks one member, named by its dotted path."""
    first, _, rest = path.partition(".")
    if not rest:
        return {name: value for name, value in document.items() if name != first}
    return document | {first: without(document[first], rest)}
