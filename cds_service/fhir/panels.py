"""Results of reports and panels: what they take over from what holds them, and panels that came without results.

A result that states no time, status or specimen has that of its report or panel; what it states itself stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cds_service.clinical.chart import DataProblem
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.fhir.codes import read_concept, status_of
from cds_service.fhir.json_access import Json, mappings
from cds_service.fhir.pool import OTHER_PATIENT, Item, Pool, contained_results
from cds_service.fhir.read_times import read_moment, read_timing_or_moment
from cds_service.fhir.references import Reference, reference_of, source_of
from cds_service.fhir.whose import Owner, PatientIdentity

RETRACTED = frozenset({"entered-in-error", "cancelled"})
STATUS_OF_RESULTS = {"partial": "preliminary", "appended": "amended"}
"""Statuses that only a report has, and what they make of its results."""

WITHOUT_RESULTS = "a blood count was sent without its results"
WHITE_COUNTS = frozenset({Analyte.ANC, Analyte.WBC})


@dataclass(slots=True)
class Results:
    """The Observations to be read, and those that were set aside."""

    items: list[Item] = field(default_factory=list)
    problems: list[DataProblem] = field(default_factory=list)


def results_of(pool: Pool, patient_id: str) -> Results:
    """All Observations, complete with what their reports and panels say of them."""
    own = [item for item in pool.of("Observation") if not _is_contained(item)]
    holders = [*pool.of("DiagnosticReport"), *own]
    holder_of = _holders_by_member(holders, _by_name(pool))
    patient, results = PatientIdentity(patient_id), Results()
    for item in own:
        holder = holder_of.get(item.source)
        results.items.append(item if holder is None else _completed(item, holder.resource, contained=False))
    for holder in holders:
        for inner in contained_results(holder):
            if patient.owner_of(inner.resource) is Owner.OTHER:
                results.problems.append(DataProblem("other-patient", inner.source, OTHER_PATIENT))
            else:
                results.items.append(_completed(inner, holder.resource, contained=True))
    return results


def _is_contained(item: Item) -> bool:
    """A result inside another resource is named by that resource. (Those of an older version are in the pool, too.)"""
    return item.source != source_of(item.resource, item.full_url)


def _by_name(pool: Pool) -> dict[str, Item]:
    """The Observations by everything that a reference may call them."""
    own = [item for item in pool.of("Observation") if not _is_contained(item)]
    return {name: item for item in own for name in (item.source, item.full_url) if name}


def _members(holder: Json) -> list[Reference]:
    """What a report or panel points to outside of itself."""
    stated = [*mappings(holder.get("result")), *mappings(holder.get("hasMember"))]
    found = [reference for one in stated if (reference := reference_of(one)) is not None]
    return [reference for reference in found if not reference.is_local]


def _found(reference: Reference, by_name: Mapping[str, Item]) -> Item | None:
    return by_name.get(reference.written) or by_name.get(reference.relative or reference.written)


def _holders_by_member(holders: Iterable[Item], by_name: Mapping[str, Item]) -> dict[str, Item]:
    """The report or panel that points to a result, by the result's source; of several, one that is dated.

    None where two of them date it differently: then its time is not known. A retracted one says nothing.
    """
    found: dict[str, list[Item]] = {}
    for holder in holders:
        if status_of(holder.resource) in RETRACTED:
            continue
        for reference in _members(holder.resource):
            if (member := _found(reference, by_name)) is not None:
                found.setdefault(member.source, []).append(holder)
    return {source: one for source, several in found.items() if (one := _agreed(several)) is not None}


def _agreed(holders: list[Item]) -> Item | None:
    dated = [holder for holder in holders if any(map(_tells_time, holder.resource))]
    return None if len({_time_of(holder.resource) for holder in dated}) > 1 else (dated or holders)[0]


def _time_of(holder: Json) -> Moment | None:
    return read_timing_or_moment(holder, "effective") or read_moment(holder.get("issued"))


def _completed(item: Item, holder: Json, *, contained: bool) -> Item:
    """The result with what only its holder says; one inside a retracted holder is retracted too."""
    own = {name: value for name, value in item.resource.items() if value is not None}
    added: dict[str, Any] = {}
    if not any(name.startswith("effective") for name in own):
        added |= {name: value for name, value in holder.items() if _tells_time(name)}
    if (specimen := _specimen_of(holder)) is not None and "specimen" not in own:
        added |= {"specimen": specimen, "contained": holder.get("contained", [])}
    status = status_of(holder)
    if contained and status is not None:
        added["status"] = STATUS_OF_RESULTS.get(status, status)
    retracted = {"status": status} if contained and status in RETRACTED else {}
    return replace(item, resource={**added, **own, **retracted})


def _tells_time(name: str) -> bool:
    return name.startswith("effective") or name == "issued"


def _specimen_of(holder: Json) -> Json | None:
    """The one specimen of a report or panel; of several, none can be told to be the result's."""
    stated = mappings(holder.get("specimen"))
    return stated[0] if len(stated) == 1 else None


def has_panel_without_results(pool: Pool, terminology: Terminology, now: datetime, current: timedelta) -> bool:
    """True where a blood count that may be current names results that were not sent, and none that was is a count.

    An older one does not make the counts of today unknown; `current` is how old a count may be (C-FRESH).
    """
    by_name = _by_name(pool)
    return any(
        _lacks_its_counts(item.resource, by_name, terminology) and _may_be_within(item.resource, current, now)
        for item in pool.of("DiagnosticReport", "Observation")
        if _is_blood_count(item.resource, terminology)
    )


def _is_blood_count(resource: Json, terminology: Terminology) -> bool:
    analyte = terminology.analyte_of(read_concept(resource.get("code")).codings)
    return analyte is Analyte.CBC_PANEL and status_of(resource) not in RETRACTED


def _lacks_its_counts(holder: Json, by_name: Mapping[str, Item], terminology: Terminology) -> bool:
    if mappings(holder.get("component")) or mappings(holder.get("contained")):
        return False
    found = [_found(member, by_name) for member in _members(holder)]
    analytes = {terminology.analyte_of(read_concept(item.resource.get("code")).codings) for item in found if item}
    return None in found and not analytes & WHITE_COUNTS


def _may_be_within(holder: Json, current: timedelta, now: datetime) -> bool:
    taken = _time_of(holder)
    return taken is None or taken.may_be_within(current, now)
