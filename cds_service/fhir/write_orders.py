"""Medication orders: hold, stop, resume, a draft with the dose left open, and a draft of a site's ready-made order.

An update carries the whole resource as it was read, with only its status and the reason for it changed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cds_service.clinical.suggestions import OrderItem, SuggestedStep, SuggestionKind
from cds_service.fhir.json_access import Json
from cds_service.fhir.write_services import concept, instant, is_requester, references

Resource = dict[str, Any]
STATUS_AFTER: Mapping[SuggestionKind, str] = {
    SuggestionKind.HOLD_MEDICATION: "on-hold",
    SuggestionKind.STOP_MEDICATION: "stopped",
    SuggestionKind.RESUME_MEDICATION: "active",
}
COPIED = (
    "contained",
    "medicationCodeableConcept",
    "medicationReference",
    "subject",
    "category",
    "reasonCode",
    "reasonReference",
)
ARRAYS = (
    "contained", "identifier", "category", "supportingInformation", "reasonCode", "reasonReference", "basedOn",
    "insurance", "note", "dosageInstruction",
)  # fmt: skip
OPEN_DOSE = "Dose to be decided by the prescriber"


def changed_order(original: Json, step: SuggestedStep) -> Resource:
    """The complete order with its new status."""
    order = {**_in_shape(original, step), "status": STATUS_AFTER[step.kind]}
    if not order.get("id"):  # known from the URL of its Bundle entry
        order["id"] = (step.order or "").rpartition("/")[2]
    order.pop("statusReason", None)
    if step.reason:
        order["statusReason"] = {"text": step.reason}
    return order


def _in_shape(original: Json, step: SuggestedStep) -> Resource:
    """A copy as R4 wants it where clients are careless: arrays for lone objects, and the patient as its subject."""
    order: Resource = copy.deepcopy(dict(original))
    order |= {name: [order[name]] for name in ARRAYS if isinstance(order.get(name), Mapping)}
    if step.patient_id and not order.get("subject"):
        order["subject"] = {"reference": f"Patient/{step.patient_id}"}
    return order


def reduced_draft(
    original: Json, step: SuggestedStep, *, prior: bool, now: datetime, requester: str | None
) -> Resource:
    """A new draft of the same medication without a dose. `prior`: the original is a real order, not a draft itself."""
    whole = _in_shape(original, step)
    draft = _draft(step, {name: whole[name] for name in COPIED if name in whole}, OPEN_DOSE, now, requester)
    if step.reason:
        draft["note"] = [{"text": step.reason}]
    if prior and step.order:
        draft["priorPrescription"] = {"reference": step.order}
    return draft


def ready_made_draft(item: OrderItem, step: SuggestedStep, *, now: datetime, requester: str | None) -> Resource:
    """A new draft of a drug as the site set it up."""
    about = {
        "medicationCodeableConcept": concept(item.codings, item.words),
        "subject": {"reference": f"Patient/{step.patient_id}"},
    }
    draft = _draft(step, about, item.dosage or OPEN_DOSE, now, requester)
    if step.reason:
        draft["reasonCode"] = [{"text": step.reason}]
    if sources := references(step):
        draft["supportingInformation"] = sources
    return draft


def _draft(step: SuggestedStep, about: Json, dosage: str, now: datetime, requester: str | None) -> Resource:
    """What every new draft says, besides the drug and the patient."""
    draft: Resource = {
        "resourceType": "MedicationRequest",
        **about,
        "status": "draft",
        "intent": "order",
        "authoredOn": instant(now),
        "dosageInstruction": [{"text": dosage}],
    }
    if step.encounter_id:
        draft["encounter"] = {"reference": f"Encounter/{step.encounter_id}"}
    if is_requester(requester):
        draft["requester"] = {"reference": requester}
    return draft
