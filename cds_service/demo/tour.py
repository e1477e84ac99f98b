"""A tour of the service: the three main hooks fired at the demo patients, as an EHR would fire them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cds_service.client import CdsClient, CdsServiceEntry, build_context, build_request
from cds_service.demo.chart_writing import CLINICIAN
from cds_service.demo.codes import Json
from cds_service.demo.demo_patients import DemoPatient
from cds_service.demo.errors import DemoError

SERVICES = {
    "patient-view": "leukopenia-patient-view",
    "order-select": "leukopenia-order-select",
    "order-sign": "leukopenia-order-sign",
}


@dataclass(frozen=True, slots=True)
class TourStop:
    """One call. `summary` is the first card's, None where there is no card; `problem` is empty where it went well."""

    patient: DemoPatient
    hook: str
    indicators: Sequence[str]
    summary: str | None
    milliseconds: float
    problem: str


def tour(client: CdsClient, patients: Sequence[DemoPatient], fhir_base: str) -> Iterator[TourStop]:
    """Fire each hook at each patient it fits: an order hook needs an order. Raises: CdsClientError, DemoError."""
    services = {service.id: service for service in client.discover()}
    if missing := sorted(set(SERVICES.values()) - set(services)):
        raise DemoError(f"The service does not offer {', '.join(missing)}.")
    for patient in patients:
        for hook, service_id in SERVICES.items():
            if hook == "patient-view" or patient.draft_order is not None:
                yield fire(client, services[service_id], patient, fhir_base)


def fire(client: CdsClient, service: CdsServiceEntry, patient: DemoPatient, fhir_base: str) -> TourStop:
    """Prefetch what the service asks for and call it once."""
    context = hook_context(service.hook, patient)
    prefetch = client.prefetch(service.prefetch, context, fhir_base)
    request = build_request(service.hook, context, prefetch=prefetch, fhir_server=fhir_base)
    call = client.call(service.id, request)
    return TourStop(
        patient=patient,
        hook=service.hook,
        indicators=[str(card.get("indicator")) for card in call.cards],
        summary=_summary(call.cards),
        milliseconds=call.milliseconds,
        problem=call.problem,
    )


def hook_context(hook: str, patient: DemoPatient) -> Json:
    """The context of a hook for a demo patient."""
    is_order = hook.startswith("order-")
    return build_context(
        hook,
        patient_id=patient.id,
        user_id=CLINICIAN,
        encounter_id=patient.encounter_id,
        draft_orders=patient.draft_order_bundle if is_order else None,
    )


def _summary(cards: Sequence[Mapping[str, object]]) -> str | None:
    return str(cards[0].get("summary")) if cards else None
