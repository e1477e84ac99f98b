"""Draft ServiceRequests and Tasks for suggested steps: complete R4 resources that refer to the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cds_service.clinical.chart import Chart, Finding, Measurement
from cds_service.clinical.codings import Coding
from cds_service.clinical.suggestions import SuggestedStep, SuggestionKind
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.references import is_writable

Resource = dict[str, Any]
REQUESTERS = ("Practitioner/", "PractitionerRole/")
STAT = frozenset({SuggestionKind.STAT_CBC, SuggestionKind.BLOOD_CULTURES})
CULTURE_NOTES = (
    "First set: peripheral vein. Do not delay the first antibiotic dose.",
    "Second set: another site; with a central line one set from each lumen.",
)
PURPOSES: Mapping[SuggestionKind, str] = {
    SuggestionKind.REPEAT_CBC: "cbc-diff",
    SuggestionKind.STAT_CBC: "cbc-diff",
    SuggestionKind.MANUAL_SMEAR: "manual-differential",
    SuggestionKind.HAEMATOLOGY_REFERRAL: "haematology-referral",
    SuggestionKind.IGG_REFERRAL: "igg-replacement-referral",
    SuggestionKind.PHARMACY_CONSULT: "pharmacy-consult",
    SuggestionKind.DUFFY_PHENOTYPE: "duffy-phenotype",
}
WORKUP: Mapping[str, str] = {
    "B12": "b12",
    "FOLATE": "folate",
    "HIV": "hiv-antigen-antibody",
    "HBV": "hbv-surface-antigen",
    "HCV": "hcv-antibody",
    "ANA": "ana",
}
WORKUP_WINDOW = timedelta(days=365)
"""Results of this time need not be repeated. Source: rule 19."""

NAT_OF_ANTIBODY: Mapping[str, str] = {"hiv-antibody": "hiv-nat", "hbv-antibody": "hbv-nat", "hcv-antibody": "hcv-nat"}


@dataclass(frozen=True, slots=True)
class ServiceWriter:
    """Writes the steps that order a test or ask somebody. One step may be several resources."""

    terminology: Terminology

    def resources_for(
        self, step: SuggestedStep, chart: Chart, *, now: datetime, requester: str | None
    ) -> list[Resource]:
        """The resources of a step; empty where the kind is none of these, or nothing is left to order."""
        base = _base(step, now, requester)
        if step.kind is SuggestionKind.LAB_VERIFICATION:
            return [_task(step, now, requester)]
        if step.kind is SuggestionKind.BLOOD_CULTURES:
            return [{**self._service(base, "blood-culture"), "note": [{"text": note}]} for note in CULTURE_NOTES]
        if step.kind is SuggestionKind.MANUAL_SMEAR:
            service = self._service(base, PURPOSES[step.kind])
            service["code"]["text"] = "Manual differential and blood film review"
            return [service]
        return [self._service(base, purpose) for purpose in self._purposes(step, chart, now)]

    def _purposes(self, step: SuggestedStep, chart: Chart, now: datetime) -> list[str]:
        if step.kind is SuggestionKind.WORKUP_PANEL:
            results: list[Measurement | Finding] = [*chart.measurements, *chart.findings]
            on_file = {
                result.analyte for result in results if result.final and result.taken.may_be_within(WORKUP_WINDOW, now)
            }
            return [purpose for analyte, purpose in WORKUP.items() if analyte not in on_file]
        if step.kind is SuggestionKind.NAT_TEST:
            return _nat_purposes(step, chart)
        return [PURPOSES[step.kind]] if step.kind in PURPOSES else []

    def _service(self, base: Resource, purpose: str) -> Resource:
        return {**base, "code": _concept(self.terminology.code_for(purpose))}


def _nat_purposes(step: SuggestedStep, chart: Chart) -> list[str]:
    """The tests that stand in for the drafted antibody tests; of one draft only where the step names it."""
    drafts = [o for o in chart.service_orders if o.draft and step.order in (None, o.source)]
    kinds = {kind for order in drafts for kind in order.kinds}
    return [nat for antibody, nat in NAT_OF_ANTIBODY.items() if antibody in kinds]


def _base(step: SuggestedStep, now: datetime, requester: str | None) -> Resource:
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{step.patient_id}"},
        "occurrenceDateTime": _due(step, now),
        "authoredOn": _instant(now),
    }
    if step.kind in STAT:
        resource["priority"] = "stat"
    if step.encounter_id:
        resource["encounter"] = {"reference": f"Encounter/{step.encounter_id}"}
    if is_requester(requester):
        resource["requester"] = {"reference": requester}
    if step.reason:
        resource["reasonCode"] = [{"text": step.reason}]
    if sources := _references(step):
        resource["supportingInfo"] = sources
    return resource


def _task(step: SuggestedStep, now: datetime, requester: str | None) -> Resource:
    """Asks the laboratory to look at a result again."""
    sources = _references(step)
    task: Resource = {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "code": {"text": "Verify laboratory result"},
        "description": ": ".join(filter(None, (step.description, step.reason))),
        "for": {"reference": f"Patient/{step.patient_id}"},
        "authoredOn": _instant(now),
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


def _references(step: SuggestedStep) -> list[dict[str, str]]:
    return [{"reference": source} for source in dict.fromkeys(step.sources) if is_writable(source)]


def _due(step: SuggestedStep, now: datetime) -> str:
    """Now as an instant; a day ahead as a date, because nobody orders a repeat count to the second."""
    if not step.due_in_days or step.kind in STAT:
        return _instant(now)
    return (now + timedelta(days=step.due_in_days)).date().isoformat()


def _instant(now: datetime) -> str:
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")


def _concept(coding: Coding) -> Resource:
    """A code with its words; words alone where the tables have no code."""
    words = {"text": coding.display} if coding.display else {}
    if not coding.code:
        return words
    members = {"system": coding.system, "code": coding.code, "display": coding.display}
    return {"coding": [{name: value for name, value in members.items() if value}], **words}
