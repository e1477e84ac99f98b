"""All resources of a call in one place: the patient's own, each once, with what was set aside and why.

Knows whose a resource is and which of two copies is newer, not what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from cds_service.clinical.chart import DataProblem
from cds_service.errors import InvalidHookRequest
from cds_service.fhir.arrivals import Entry
from cds_service.fhir.codes import status_of
from cds_service.fhir.json_access import Json, mapping, mappings, text
from cds_service.fhir.read_times import read_moment
from cds_service.fhir.references import reference_of, source_of
from cds_service.fhir.whose import Owner, PatientIdentity

HOLDS_RESULTS = frozenset({"DiagnosticReport", "Observation"})
OTHER_PATIENT = "Another patient's resource was sent; it was not looked at."
UNSTATED_PATIENT = "It does not say whose it is; it was not looked at."
NEVER = datetime.min.replace(tzinfo=UTC)
BROKEN = "An entry holds no readable resource."


@dataclass(frozen=True, slots=True)
class Delivery:
    """Resources that came together. `scoped`: the query asked for this patient only."""

    entries: tuple[Entry, ...]
    scoped: bool = False
    patient_read: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of the patient and the relative reference that facts name as their source."""

    resource: Json
    source: str
    full_url: str | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The patient's resources by type, in the order they came, and what was set aside."""

    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    problems: tuple[DataProblem, ...] = ()

    def of(self, *types: str) -> list[Item]:
        return [item for kind in types for item in self.items.get(kind, ())]


def gather(deliveries: Iterable[Delivery], patient_id: str) -> Pool:
    """Keep the patient's resources. Raises: InvalidHookRequest where the Patient that was sent is another one."""
    deliveries = list(deliveries)
    for delivery in deliveries:
        _check_patient(delivery, patient_id)
    patient = PatientIdentity.of(patient_id, (entry for delivery in deliveries for entry in delivery.entries))
    kept: dict[str, Item] = {}
    problems: dict[tuple[str, str], DataProblem] = {}
    for delivery in deliveries:
        for entry in delivery.entries:
            problem = _problem_of(entry, delivery.scoped, patient)
            if problem is None:
                _keep(kept, entry)
            else:
                problems[problem.kind, problem.source] = problem
    return Pool(_by_type(kept.values()), tuple(problems.values()))


def _check_patient(delivery: Delivery, patient_id: str) -> None:
    """A Patient that answers for the patient himself must be the patient; others in a Bundle are only set aside."""
    for entry in delivery.entries if delivery.patient_read else ():
        own = text(entry.resource.get("id"))
        if entry.type == "Patient" and own is not None and own != patient_id:
            raise InvalidHookRequest("The Patient in prefetch is not the patient of context.patientId.")


def _problem_of(entry: Entry, scoped: bool, patient: PatientIdentity) -> DataProblem | None:
    source = source_of(entry.resource, entry.full_url)
    if entry.type == "Broken":
        return DataProblem("broken-resource", "Bundle", BROKEN)
    if entry.type == "Patient":
        own = text(entry.resource.get("id"))
        return None if own in (None, patient.id) else DataProblem("other-patient", "Patient", OTHER_PATIENT)
    owner = patient.owner_of(entry.resource)
    if owner is Owner.OTHER:
        return DataProblem("other-patient", source, OTHER_PATIENT)
    if owner is Owner.UNSTATED and not scoped:
        return DataProblem("unstated-patient", source, UNSTATED_PATIENT)
    return None


def _keep(kept: dict[str, Item], entry: Entry) -> None:
    """Each resource once: of two copies the newer one, of equally new ones the first."""
    item = Item(entry.resource, source_of(entry.resource, entry.full_url), entry.full_url)
    identity = item.source if "/" in item.source else entry.full_url or _content(entry.resource)
    if identity not in kept or _age(entry.resource) > _age(kept[identity].resource):
        kept[identity] = item
    for inner in contained_results(item):
        kept.setdefault(f"{identity}#{_content(inner.resource)}", inner)


def _content(resource: Json) -> str:
    try:
        return orjson.dumps(resource, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()
    except orjson.JSONEncodeError:  # nested too deeply to be compared; such a resource is only ever itself
        return str(id(resource))


LATER_STATUSES = ("preliminary", "final", "amended", "corrected", "entered-in-error")
"""In which order the versions of a result come, where nothing else tells."""


def _age(resource: Json) -> tuple[datetime, int, int]:
    """What tells versions apart: when it was last changed, the number of the version, and how far a result had come."""
    meta, status = mapping(resource.get("meta")), status_of(resource) or ""
    version, changed = text(meta.get("versionId")) or "", read_moment(meta.get("lastUpdated"))
    number = int(version) if version.isdecimal() and len(version) < 12 else 0
    is_result = resource.get("resourceType") in HOLDS_RESULTS and status in LATER_STATUSES
    stage = LATER_STATUSES.index(status) if is_result else -1
    return changed.latest if changed else NEVER, number, stage


def contained_results(parent: Item) -> list[Item]:
    """Observations inside a report or panel, with the parent's subject, time, status and name where they have none."""
    if parent.resource.get("resourceType") not in HOLDS_RESULTS:
        return []
    inner = [r for r in mappings(parent.resource.get("contained")) if r.get("resourceType") == "Observation"]
    times = {name: value for name, value in parent.resource.items() if name.startswith("effective") or name == "issued"}
    return [Item({**_times_unless(resource, times), **resource}, parent.source) for resource in inner]


def _times_unless(resource: Json, times: Json) -> Json:
    return {} if any(name.startswith("effective") for name in resource) else times


def _by_type(items: Iterable[Item]) -> dict[str, tuple[Item, ...]]:
    grouped: dict[str, tuple[Item, ...]] = {}
    for item in items:
        kind = text(item.resource.get("resourceType")) or ""
        grouped[kind] = (*grouped.get(kind, ()), item)
    return grouped


@dataclass(frozen=True, slots=True)
class Medications:
    """The Medication resources that orders point to, by relative reference and by the URL of their Bundle entry."""

    by_name: Mapping[str, Json]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Medications:
        named: dict[str, Json] = {}
        for entry in entries:
            if entry.type == "Medication":
                for name in (entry.full_url, source_of(entry.resource, entry.full_url)):
                    if name:
                        named.setdefault(name, entry.resource)
        return cls(named)

    def find(self, reference: object, owner: Json) -> Json | None:
        """The Medication that an element of `owner` refers to, contained ones included; None where it was not sent."""
        parsed = reference_of(reference)
        if parsed is None:
            return None
        if parsed.is_local:
            inner = mappings(owner.get("contained"))
            return next((m for m in inner if (text(m.get("id")) or "").lstrip("#") == parsed.written[1:]), None)
        return self.by_name.get(parsed.written) or self.by_name.get(parsed.relative or parsed.written)
