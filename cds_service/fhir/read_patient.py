"""Patient and Encounter resources as the chart has them."""

from __future__ import annotations

from datetime import datetime

from cds_service.clinical.chart import DataProblem, Patient, Problem
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.codes import Concept, read_concepts, status_of
from cds_service.fhir.json_access import Json, mappings, text
from cds_service.fhir.pool import Item
from cds_service.fhir.read_times import read_moment, read_period

SEXES = frozenset({"male", "female", "other", "unknown"})
CANCELLED = frozenset({"cancelled", "entered-in-error"})
NO_DEATH = "The date of death cannot be read or lies in the future; the patient is not taken for dead."
OVER = frozenset({"finished", "completed", "discharged"})
GOING_ON = frozenset({"arrived", "triaged", "in-progress"})


def read_patient(item: Item, patient_id: str, now: datetime) -> tuple[Patient, list[DataProblem]]:
    """Missing or unreadable birth date -> born None."""
    resource = item.resource
    born, sex = read_moment(resource.get("birthDate")), text(resource.get("gender"))
    unreadable = born is None and resource.get("birthDate") is not None
    problems = [DataProblem("unreadable-date", "Patient", "The birth date cannot be read.")] if unreadable else []
    died, stated = read_moment(resource.get("deceasedDateTime")), text(resource.get("deceasedDateTime"))
    is_past = died is not None and not died.is_future(now)
    if stated is not None and not is_past:
        problems.append(DataProblem("unreadable-date", "Patient", NO_DEATH))
    deceased = is_past or resource.get("deceasedBoolean") is True
    return Patient(patient_id, born, sex if sex in SEXES else None, deceased), problems


def read_encounter(item: Item, terminology: Terminology, now: datetime) -> list[Problem]:
    """The reasons of an encounter, dated by its start; of one that goes on and has no start, by the call."""
    resource = item.resource
    status = status_of(resource)
    if status in CANCELLED:
        return []
    start, _ = read_period(resource.get("period") or resource.get("actualPeriod"))
    if start is None and status in GOING_ON:
        start = Moment.at(now)
    return [
        Problem(
            kinds=terminology.condition_kinds(reason.codings, reason.text),
            text=reason.words or "",
            active=status not in OVER,
            source=item.source,
            onset=start,
        )
        for reason in _reasons(resource)
    ]


def _reasons(resource: Json) -> list[Concept]:
    """R4 reasonCode, STU3 reason, R5 reason.value.concept."""
    inner = [value for reason in mappings(resource.get("reason")) for value in mappings(reason.get("value"))]
    older = [reason for reason in mappings(resource.get("reason")) if "value" not in reason]
    return [*read_concepts(resource.get("reasonCode") or []), *read_concepts(older), *read_concepts(inner)]
