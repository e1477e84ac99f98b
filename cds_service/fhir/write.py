"""Turns suggested steps into CDS Hooks actions on FHIR R4 resources. What would not be valid R4 is not offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds_service.application.ports import ReadChart
from cds_service.clinical.cards import Action
from cds_service.clinical.chart import MedicationOrder, ServiceOrder
from cds_service.clinical.suggestions import SuggestedStep, SuggestionKind
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.json_access import mapping, mappings, text
from cds_service.fhir.references import is_writable
from cds_service.fhir.validation import is_valid
from cds_service.fhir.write_orders import STATUS_AFTER, changed_order, ready_made_draft, reduced_draft
from cds_service.fhir.write_services import ServiceWriter

CHANGEABLE: Mapping[SuggestionKind, frozenset[str]] = {
    SuggestionKind.HOLD_MEDICATION: frozenset({"active"}),
    SuggestionKind.STOP_MEDICATION: frozenset({"active", "on-hold"}),
    SuggestionKind.RESUME_MEDICATION: frozenset({"on-hold"}),
}
"""The status that an order must have for a change to make sense."""


@dataclass(frozen=True, slots=True)
class FhirOrderWriter:
    """Implements `ports.OrderWriter` for FHIR R4."""

    terminology: Terminology

    def actions_for(
        self, step: SuggestedStep, read: ReadChart, *, now: datetime, requester: str | None = None
    ) -> tuple[Action, ...]:
        if step.kind in STATUS_AFTER:
            return self._update(step, read)
        if step.kind is SuggestionKind.REMOVE_DRAFT:
            return _delete(step, read)
        if step.kind is SuggestionKind.REDUCE_DOSE:
            return self._reduce(step, read, now, requester)
        if step.item is not None and step.item.dosage is not None:
            return _creation(step, ready_made_draft(step.item, step, now=now, requester=requester))
        return _creation(step, ServiceWriter(self.terminology).resource_for(step, now=now, requester=requester))

    def _update(self, step: SuggestedStep, read: ReadChart) -> tuple[Action, ...]:
        original = _order(step, read)
        if original is None or text(original.get("status")) not in CHANGEABLE[step.kind]:
            return ()
        if _is_subsetted(original) or not is_writable(step.order or ""):
            return ()
        changed = changed_order(original, step)
        return (Action("update", step.description, resource=changed),) if is_valid(changed) else ()

    def _reduce(self, step: SuggestedStep, read: ReadChart, now: datetime, requester: str | None) -> tuple[Action, ...]:
        original = _order(step, read)
        if original is None:
            return ()
        existing = any(o.source == step.order and not o.draft for o in read.chart.orders)
        return _creation(step, reduced_draft(original, step, prior=existing, now=now, requester=requester))


def _order(step: SuggestedStep, read: ReadChart) -> Mapping[str, Any] | None:
    """The original of the MedicationRequest that a step is about."""
    original = read.originals.get(step.order or "")
    return original if original is not None and original.get("resourceType") == "MedicationRequest" else None


def _is_subsetted(original: Mapping[str, Any]) -> bool:
    """True where only a part of the resource was sent; an update with it would erase the rest."""
    tags = mappings(mapping(original.get("meta")).get("tag"))
    return any(text(tag.get("code")) == "SUBSETTED" for tag in tags)


def _delete(step: SuggestedStep, read: ReadChart) -> tuple[Action, ...]:
    """Only what is among the drafts of this call, and has an id, can be deleted; an order in force is no draft."""
    orders: list[MedicationOrder | ServiceOrder] = [*read.chart.orders, *read.chart.service_orders]
    in_force = {order.source for order in orders if not order.draft and order.status != "draft"}
    drafts = {order.source for order in orders if order.draft and order.status == "draft"} - in_force
    if step.order is None or step.order not in drafts or not is_writable(step.order):
        return ()
    return (Action("delete", step.description, resource_id=step.order),)


def _creation(step: SuggestedStep, resource: dict[str, Any] | None) -> tuple[Action, ...]:
    if resource is None or not is_valid(resource):
        return ()
    return (Action("create", step.description, resource=resource),)
