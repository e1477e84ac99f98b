"""Completes a prefetch from the FHIR server: further pages, and the keys that did not come or failed.

Decides what to ask for; how it is asked is the client's business.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.application.hook_request import FhirAccess, HookRequest
from cds_service.clinical.chart import PrefetchKey
from cds_service.fhir.arrivals import Arrival, Entry, Sent, read_pages
from cds_service.fhir.client import FhirClient, ReadResult, Server
from cds_service.fhir.prefetch import Parcel, Sorting
from cds_service.fhir.references import Reference
from cds_service.fhir.templates import UnresolvedToken, fill_template

NOBODY_TO_ASK = "not sent as prefetch, and no FHIR server to ask"
NO_SUCH_PATIENT = "the FHIR server does not know this patient"
MOST_MEDICATIONS = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask the server: the next pages of parcels, and queries for keys. `unresolved` cannot be asked."""

    pages: Mapping[str, Parcel]
    keys: Mapping[str, PrefetchKey]
    queries: Mapping[str, str]
    unresolved: Mapping[PrefetchKey, str]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Reads for one hook call, until `end` (of the monotonic clock)."""

    client: FhirClient
    request: HookRequest
    end: float

    def complete(
        self, parcels: Sequence[Parcel], templates: Mapping[str, str], sorting: Sorting
    ) -> tuple[list[Parcel], dict[PrefetchKey, str]]:
        """All parcels, those of the server included, and for each key of the templates that is not known: why."""
        wanted = {key for name in templates if (key := _key(name)) is not None}
        if self.request.fhir is None:
            reasons = sorting.reasons(parcels)
            told = self.request.fhir_refused or NOBODY_TO_ASK
            return list(parcels), {key: reason for key in wanted if (reason := reasons.get(key, told)) is not None}
        plan = self._plan(parcels, templates, sorting, self.request.fhir)
        results = self._run(plan.queries, self.request.fhir)
        complete = _delivered(parcels, plan, results)
        unsaid: dict[PrefetchKey, str | None] = {key: plan.unresolved.get(key, NOBODY_TO_ASK) for key in wanted}
        reasons = unsaid | sorting.reasons(complete) | _of_nobody(plan, results)
        return complete, {key: reason for key in wanted if (reason := reasons[key]) is not None}

    def _plan(
        self, parcels: Sequence[Parcel], templates: Mapping[str, str], sorting: Sorting, access: FhirAccess
    ) -> Plan:
        server = Server.of(access)
        pages = {f"pages of {p.name}": p for p in parcels if p.arrival.next_url and server.reaches(p.arrival.next_url)}
        in_hand = {claim.key for parcel in pages.values() for claim in sorting.claims(parcel)}
        reasons = sorting.reasons(parcels)
        keys: dict[str, PrefetchKey] = {}
        queries = {name: parcel.arrival.next_url or "" for name, parcel in pages.items()}
        unresolved: dict[PrefetchKey, str] = {}
        for name, template in templates.items():
            key = _key(name)
            if key is None or key in in_hand or reasons.get(key, NOBODY_TO_ASK) is None:
                continue
            try:
                queries[key.value], keys[key.value] = fill_template(template, self.request.context), key
            except UnresolvedToken as missing:
                unresolved[key] = f"the request has no {missing}"
        return Plan(pages, keys, queries, unresolved)

    def _run(self, queries: Mapping[str, str], access: FhirAccess) -> dict[str, ReadResult]:
        return self.client.read_all(access, queries, seconds=self.end - time.monotonic()) if queries else {}

    def medications(self, references: Sequence[Reference]) -> list[Entry]:
        """The Medication resources behind references that prefetch left open; what cannot be read is left out."""
        access = self.request.fhir
        if access is None:
            return []
        server = Server.of(access)
        queries = {
            ref.written: ref.written if server.reaches(ref.written) else ref.relative
            for ref in references[:MOST_MEDICATIONS]
            if ref.type == "Medication"
        }
        results = self._run({name: query for name, query in queries.items() if query}, access)
        return [
            replace(entry, full_url=written)
            for written, result in results.items()
            for entry in read_pages(result.pages, result.reason).entries
            if entry.type == "Medication"
        ]


def _of_nobody(plan: Plan, results: Mapping[str, ReadResult]) -> dict[PrefetchKey, str | None]:
    """A server that does not know the patient finds nothing about them: that is no "none on file"."""
    patient = results.get(PrefetchKey.PATIENT.value)
    if patient is None or not patient.absent:
        return {}
    reason: str | None = NO_SUCH_PATIENT
    return dict.fromkeys(plan.keys.values(), reason)


def _key(name: str) -> PrefetchKey | None:
    return PrefetchKey(name) if name in {key.value for key in PrefetchKey} else None


def _delivered(parcels: Sequence[Parcel], plan: Plan, results: Mapping[str, ReadResult]) -> list[Parcel]:
    """Prefetch with its further pages, then what was read for keys."""
    continued = {parcel.name: results[name] for name, parcel in plan.pages.items()}
    whole = [_with_pages(p, continued[p.name]) if p.name in continued else p for p in parcels]
    answers = {key: _arrival_of(results[name], plan.queries[name]) for name, key in plan.keys.items()}
    return [*whole, *(Parcel(key.value, arrival, key, fetched=True) for key, arrival in answers.items())]


def _with_pages(parcel: Parcel, result: ReadResult) -> Parcel:
    return replace(parcel, arrival=read_pages([parcel.body, *result.pages], result.reason))


def _arrival_of(result: ReadResult, query: str) -> Arrival:
    """A resource that the server does not have is known to be absent; a search never answers 404."""
    if result.absent and "?" not in query:
        return Arrival(Sent.EMPTY)
    return read_pages(result.pages, result.reason)
