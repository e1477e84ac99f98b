"""Reads the chart of a hook call: prefetch first, the FHIR server for what is absent, all within one deadline."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds_service.application.hook_request import HookRequest
from cds_service.application.ports import ReadChart
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.arrivals import Entry
from cds_service.fhir.chart_builder import ChartBuilder
from cds_service.fhir.client import FhirClient
from cds_service.fhir.drafts import Drafts, read_drafts
from cds_service.fhir.fetch import Fetcher
from cds_service.fhir.json_access import Json, text
from cds_service.fhir.pool import Item, Medications, Pool, gather
from cds_service.fhir.prefetch import Parcel, Sorting, problems_of, read_prefetch
from cds_service.fhir.read_medications import MedicationReader
from cds_service.fhir.references import Reference
from cds_service.fhir.releases import check_release


@dataclass(frozen=True, slots=True)
class FhirChartReader:
    """Implements `ports.ChartReader` for FHIR R4."""

    terminology: Terminology
    client: FhirClient
    numbers: SharedNumbers

    def read(
        self, request: HookRequest, templates: Mapping[str, str], *, now: datetime, deadline: datetime
    ) -> ReadChart:
        fetcher = Fetcher(self.client, request, time.monotonic() + (deadline - now).total_seconds())
        drafts = read_drafts(request.draft_orders, request.selections, request.patient_id)
        sent = read_prefetch(request.prefetch, request.prefetch_keys)
        _check_release([*sent_entries(sent), *drafts.arrival.entries], request)
        sorting = Sorting.of(request.patient_id, self.terminology, sent)
        parcels, unknown = fetcher.complete(sent, templates, sorting)
        _check_release(sent_entries(parcels), request)
        pool = gather(sorting.deliveries(parcels), request.patient_id)
        medications = self._medications([*sent_entries(parcels), *drafts.arrival.entries], pool, drafts, fetcher)
        builder = ChartBuilder(
            self.terminology,
            medications,
            pool,
            drafts,
            request.patient_id,
            now,
            self.numbers,
            encounter_id=text(request.context.get("encounterId")),
            problems=problems_of(sent),
        )
        chart = builder.build({key.value: reason for key, reason in unknown.items()}, templates)
        return ReadChart(chart, originals(pool.of("MedicationRequest"), drafts.medications()))

    def _medications(self, entries: list[Entry], pool: Pool, drafts: Drafts, fetcher: Fetcher) -> Medications:
        """The Medications that were sent, and those that are only pointed to, read from the server."""
        sent = Medications.of(entries)
        about = [
            *pool.of("MedicationRequest", "MedicationStatement", "MedicationAdministration"),
            *drafts.medications(),
        ]
        missing = missing_medications(about, MedicationReader(self.terminology, sent))
        return Medications.of([*entries, *fetcher.medications(missing)]) if missing else sent


def sent_entries(parcels: Iterable[Parcel]) -> list[Entry]:
    return [entry for parcel in parcels for entry in parcel.arrival.entries]


def _check_release(entries: Sequence[Entry], request: HookRequest) -> None:
    check_release((entry.resource for entry in entries), request.extension)


def missing_medications(items: Iterable[Item], reader: MedicationReader) -> list[Reference]:
    """The Medications that orders and doses point to and that were not sent, each once."""
    references = (reader.product(item.resource).missing for item in items)
    return list({ref.written: ref for ref in references if ref is not None}.values())


def originals(existing: Iterable[Item], drafts: Iterable[Item]) -> dict[str, Mapping[str, Any]]:
    """Complete order resources by relative reference; of an order that is also a draft the existing one."""
    found: dict[str, Json] = {}
    for item in (*existing, *drafts):
        if "/" in item.source:
            found.setdefault(item.source, item.resource)
    return found
