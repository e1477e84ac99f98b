"""Patient and Encounter resources as the chart has them."""

from __future__ import annotations

from cds_service.clinical.chart import DataProblem, Patient, Problem
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.codes import Concept, code_of, read_concepts
from cds_service.fhir.json_access import Json, mappings, text
from cds_service.fhir.pool import Item
from cds_service.fhir.read_times import read_moment, read_period

SEXES = frozenset({"male", "female", "other", "unknown"})
CANCELLED = frozenset({"cancelled", "entered-in-error"})
OVER = frozenset({"finished", "completed", "discharged"})


def read_patient(item: Item, patient_id: str) -> tuple[Patient, list[DataProblem]]:
    """Missing or unreadable birth date -> born None."""
    resource = item.resource
    born, sex = read_moment(resource.get("birthDate")), text(resource.get("gender"))
    unreadable = born is None and resource.get("birthDate") is not None
    problems = [DataProblem("unreadable-date", "Patient", "The birth date cannot be read.")] if unreadable else []
    return Patient(patient_id, born, sex if sex in SEXES else None, _is_deceased(resource)), problems


def _is_deceased(resource: Json) -> bool:
    return resource.get("deceasedBoolean") is True or text(resource.get("deceasedDateTime")) is not None


def read_encounter(item: Item, terminology: Terminology) -> list[Problem]:
    """The reasons of an encounter, dated by its start."""
    resource = item.resource
    status = code_of(resource.get("status"))
    if status in CANCELLED:
        return []
    start, _ = read_period(resource.get("period") or resource.get("actualPeriod"))
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
