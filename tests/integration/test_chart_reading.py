"""The chart read from a real FHIR server, page by page, is the chart that the same resources give as prefetch."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.application.hook_request import FhirAccess, HookRequest
from cds_service.card_files.library import read_numbers, shipped_cards_dir
from cds_service.card_files.services import load_services
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Chart
from cds_service.demo.demo_patients import load_patients
from cds_service.demo.fhir_server import load_resources, running_fhir_server
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader

NOW = datetime.now(UTC)
PATIENTS = {patient.id: patient for patient in load_patients(NOW)}
TERMINOLOGY = load_terminology(shipped_cards_dir())
TEMPLATES = load_services(shipped_cards_dir(), TERMINOLOGY)[0].prefetch
READER = FhirChartReader(TERMINOLOGY, FhirClient(), read_numbers(shipped_cards_dir() / "shared.yaml"))


@pytest.fixture(scope="module")
def fhir_base() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with running_fhir_server(port) as (base, _):
        load_resources(base, [resource for patient in PATIENTS.values() for resource in patient.resources])
        yield base


def read(patient_id: str, templates: Any, prefetch: Any = None, fhir: FhirAccess | None = None) -> Chart:
    request = HookRequest(
        service_id="leukopenia-patient-view",
        hook="patient-view",
        hook_instance="f3b5a1de-2b7a-4d52-9d0e-0e6d4a3f5c77",
        patient_id=patient_id,
        context={"patientId": patient_id},
        prefetch=prefetch or {},
        fhir=fhir,
    )
    return READER.read(request, templates, now=NOW, deadline=NOW + timedelta(seconds=20)).chart


def facts(chart: Chart) -> dict[str, Any]:
    """What a chart says, without regard to order."""
    return {
        "patient": chart.patient,
        "unavailable": dict(chart.unavailable),
        "problems": chart.data_problems,
        "measurements": {(m.source, m.analyte): m for m in chart.measurements},
        "orders": {o.source: o for o in chart.orders},
        "doses": {a.source: a for a in chart.administrations},
        "conditions": {p.source: p for p in chart.problems},
        "services": {s.source: s for s in chart.service_orders},
        "findings": {f.source: f for f in chart.findings},
    }


def sent(patient_id: str) -> dict[str, Any]:
    """Everything of a patient as one collection, and the kinds of which there are none as empty."""
    entries = [{"resource": resource} for resource in PATIENTS[patient_id].resources]
    patient = next(r for r in PATIENTS[patient_id].resources if r["resourceType"] == "Patient")
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {**dict.fromkeys(TEMPLATES), "patient": patient, "all": whole}


@pytest.mark.parametrize("patient_id", sorted(PATIENTS))
def test_a_live_server_gives_the_chart_that_prefetch_gives(fhir_base: str, patient_id: str) -> None:
    live = read(patient_id, TEMPLATES, fhir=FhirAccess(fhir_base))
    assert facts(live) == facts(read(patient_id, TEMPLATES, sent(patient_id)))


def test_small_pages_give_the_same_chart(fhir_base: str) -> None:
    paged = {key: re.sub(r"_count=\d+", "_count=1", template) for key, template in TEMPLATES.items()}
    rich = max(PATIENTS, key=lambda own: len(PATIENTS[own].resources))
    whole = read(rich, TEMPLATES, fhir=FhirAccess(fhir_base))
    assert len(whole.measurements) > 2
    assert facts(read(rich, paged, fhir=FhirAccess(fhir_base))) == facts(whole)
