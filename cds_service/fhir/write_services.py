"""Draft ServiceRequests and Tasks for suggested steps: complete R4 resources that refer to the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cds_service.clinical.codings import Coding
from cds_service.clinical.suggestions import AT_ONCE, OrderItem, SuggestedStep, SuggestionKind
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.references import is_writable

Resource = dict[str, Any]
REQUESTERS = ("Practitioner/", "PractitionerRole/")
VERIFY = "Verify laboratory result"


@dataclass(frozen=True, slots=True)
class ServiceWriter:
    """Writes the steps that order a test or ask somebody."""

    terminology: Terminology

    def resource_for(self, step: SuggestedStep, *, now: datetime, requester: str | None) -> Resource | None:
        """The order of a step; None where the step is for none."""
        if step.kind is SuggestionKind.LAB_VERIFICATION:
            return _task(step, now, requester)
        return None if step.item is None else self._service(step, step.item, now, requester)

    def _service(self, step: SuggestedStep, item: OrderItem, now: datetime, requester: str | None) -> Resource:
        service = {**_base(step, now, requester), "code": concept(self._codings(item), item.words)}
        return service | ({"note": [{"text": item.note}]} if item.note else {})

    def _codings(self, item: OrderItem) -> Sequence[Coding]:
        """The site's own codes, else the one of the tables; some orders have none and are words."""
        written = self.terminology.written_orders.get(item.purpose or "")
        return item.codings or ([written] if written else [])


def _base(step: SuggestedStep, now: datetime, requester: str | None) -> Resource:
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{step.patient_id}"},
        "occurrenceDateTime": _due(step, now),
        "authoredOn": instant(now),
    }
    if step.kind in AT_ONCE:
        resource["priority"] = "stat"
    if step.encounter_id:
        resource["encounter"] = {"reference": f"Encounter/{step.encounter_id}"}
    if is_requester(requester):
        resource["requester"] = {"reference": requester}
    if step.reason:
        resource["reasonCode"] = [{"text": step.reason}]
    if sources := references(step):
        resource["supportingInfo"] = sources
    return resource


def _task(step: SuggestedStep, now: datetime, requester: str | None) -> Resource:
    """Asks the laboratory to look at a result again."""
    sources = references(step)
    task: Resource = {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "code": concept(step.item.codings if step.item else (), VERIFY),
        "description": ": ".join(filter(None, (step.description, step.reason))),
        "for": {"reference": f"Patient/{step.patient_id}"},
        "authoredOn": instant(now),
    }
    if sources:
        task["focus"] = sources[0]
    if len(sources) > 1:
        task["input"] = [{"type": {"text": "result"}, "valueReference": source} for source in sources]
    if step.encounter_id:
        task["encounter"] = {"reference": f"Encounter/{step.encounter_id}"}
    if is_requester(requester):
        task["requester"] = {"reference": requester}
    return task


def is_requester(user: str | None) -> bool:
    """Orders are made by clinicians: other users of a hook are not written as requester."""
    return user is not None and user.startswith(REQUESTERS) and is_writable(user)


def references(step: SuggestedStep) -> list[dict[str, str]]:
    return [{"reference": source} for source in dict.fromkeys(step.sources) if is_writable(source)]


def _due(step: SuggestedStep, now: datetime) -> str:
    """Now as an instant; a day ahead as a date, because nobody orders a repeat count to the second."""
    if not step.due_in_days or step.kind in AT_ONCE:
        return instant(now)
    return (now + timedelta(days=step.due_in_days)).date().isoformat()


def instant(now: datetime) -> str:
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")


def concept(codings: Sequence[Coding], words: str) -> Resource:
    """Codes with words; words alone where there is no code."""
    coded = [
        {name: value for name, value in (("system", c.system), ("code", c.code), ("display", c.display)) if value}
        for c in codings
        if c.code
    ]
    return {"coding": coded, "text": words} if coded else {"text": words}
