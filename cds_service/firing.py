"""What `cds-service fire` does: one hook call as an EHR would make it, from discovery to the answer."""

from __future__ import annotations

from typing import Any

import orjson

from cds_service.client import (
    CdsCall,
    CdsClient,
    CdsClientError,
    CdsServiceEntry,
    build_context,
    build_request,
    references,
)

USER = "Practitioner/example"
Json = dict[str, Any]


def fire_hook(url: str, service_id: str, patient_id: str, *, fhir_server: str | None, draft: bytes | None) -> CdsCall:
    """Discover the service, prefetch what it asks for, call it.

    Raises: CdsClientError where the service is unreachable or unknown, or the draft is no FHIR JSON.
    """
    with CdsClient(url) as client:
        service = _entry(client.discover(), service_id)
        bundle = _draft_bundle(draft, patient_id) if service.hook.startswith("order-") else None
        selections = references(bundle) if bundle is not None and service.hook == "order-select" else None
        context = build_context(
            service.hook, patient_id=patient_id, user_id=USER, draft_orders=bundle, selections=selections
        )
        prefetch = client.prefetch(service.prefetch, context, fhir_server) if fhir_server else None
        request = build_request(service.hook, context, prefetch=prefetch, fhir_server=fhir_server)
        return client.call(service_id, request)


def _entry(services: list[CdsServiceEntry], service_id: str) -> CdsServiceEntry:
    found = next((service for service in services if service.id == service_id), None)
    if found is None:
        known = ", ".join(service.id for service in services) or "none"
        raise CdsClientError(f"there is no service {service_id!r}; discovery lists: {known}")
    return found


def _draft_bundle(draft: bytes | None, patient_id: str) -> Json:
    """The draft orders as a Bundle; a single order is wrapped and given the patient, the status and an id it lacks."""
    if draft is None:
        raise CdsClientError("an order hook needs --draft FILE: a MedicationRequest, ServiceRequest or Bundle of them")
    try:
        content = orjson.loads(draft)
    except orjson.JSONDecodeError as problem:
        raise CdsClientError(f"the draft is not JSON: {problem}") from problem
    if not isinstance(content, dict) or "resourceType" not in content:
        raise CdsClientError("the draft is no FHIR resource: resourceType is missing")
    if content["resourceType"] == "Bundle":
        return content
    order = {
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
    } | content
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
