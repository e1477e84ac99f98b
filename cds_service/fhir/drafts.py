"""The draft orders of an order hook, and which of them the user selected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.clinical.chart import DataProblem
from cds_service.fhir.arrivals import Arrival, read_arrival
from cds_service.fhir.json_access import Json, text
from cds_service.fhir.pool import Delivery, Item, Pool, gather
from cds_service.fhir.references import parse_reference

SERVICE_TYPES = ("ServiceRequest", "ProcedureRequest")
OTHER_ORDERS = (
    "NutritionOrder", "DeviceRequest", "VisionPrescription", "CommunicationRequest", "Task", "SupplyRequest",
    "RequestGroup", "RequestOrchestration", "CarePlan", "ReferralRequest", "ImmunizationRecommendation", "Appointment",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drafts:
    """The orders of `context.draftOrders` that are the patient's; resources they point to are in `arrival`."""

    arrival: Arrival
    pool: Pool
    selections: frozenset[tuple[str | None, str]]

    def medications(self) -> list[Item]:
        return self.pool.of("MedicationRequest")

    def services(self) -> list[Item]:
        return self.pool.of(*SERVICE_TYPES)

    def others(self) -> tuple[str, ...]:
        """Relative references of orders of other types."""
        return tuple(item.source for item in self.pool.of(*OTHER_ORDERS))

    def is_selected(self, item: Item) -> bool:
        """By type and id, or by a bare id; what a selection names beyond the drafts is ignored."""
        kind, own = text(item.resource.get("resourceType")), text(item.resource.get("id"))
        return own is not None and bool({(kind, own), (None, own)} & self.selections)

    def problems(self) -> list[DataProblem]:
        unreadable = [DataProblem("unreadable-drafts", "draftOrders", "The draft orders are not a FHIR Bundle.")]
        return [*self.pool.problems, *(unreadable if self.arrival.garbage else [])]


def read_drafts(bundle: Json | None, selections: Iterable[object], patient_id: str) -> Drafts:
    """A hook's context is about its patient: drafts without a subject are the patient's."""
    arrival = read_arrival(bundle)
    pool = gather([Delivery(arrival.entries, scoped=True)], patient_id)
    named = (parse_reference(written) for written in selections if isinstance(written, str))
    return Drafts(arrival, pool, frozenset((ref.type, ref.id) for ref in named if ref.id is not None))
