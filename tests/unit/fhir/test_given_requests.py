"""The given vignettes and real payloads: all of them read into charts, or are refused by one of our errors."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cds_service.application.hook_request import HookRequest
from cds_service.clinical.chart import Chart
from cds_service.errors import UnsupportedRelease
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import NOW, TEMPLATES

INTENDED = {
    "V015": "unusable-unit",
    "V067": "implausible-value",
    "V087": "implausible-value",
    "V203": "implausible-value",
    "V205": "unusable-unit",
    "V285": "unusable-unit",
    "V290": "unusable-unit",
}
"""The vignettes that are about unusable data, and what is reported of them."""


def read_request(reader: FhirChartReader, body: dict[str, Any]) -> Chart | None:
    context = body.get("context") or {}
    patient_id = context.get("patientId")
    if not isinstance(patient_id, str):
        return None
    request = HookRequest(
        service_id="leukopenia-patient-view",
        hook=body["hook"],
        hook_instance=str(body.get("hookInstance")),
        patient_id=patient_id.removeprefix("Patient/"),
        context=context,
        prefetch=body.get("prefetch") or {},
        draft_orders=context.get("draftOrders"),
        selections=tuple(context.get("selections") or ()),
        extension=body.get("extension") or {},
    )
    return reader.read(request, TEMPLATES, now=NOW, deadline=NOW + timedelta(seconds=2)).chart


@pytest.fixture(scope="module")
def vignettes(shared_dir: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("given_vignettes", shared_dir / "tools" / "vignettes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_reads_every_vignette_completely(reader: FhirChartReader, vignettes: ModuleType) -> None:
    reported: dict[str, str] = {}
    for row in vignettes.load().values():
        chart = read_request(reader, vignettes.build_request(row, NOW))
        assert chart is not None
        assert chart.unavailable == {}
        assert chart.patient is not None
        assert all(order.drugs for order in chart.orders), row["id"]
        for problem in chart.data_problems:
            reported[row["id"]] = problem.kind
    assert reported == INTENDED


def test_counts_what_the_vignettes_say(reader: FhirChartReader, vignettes: ModuleType) -> None:
    for row in vignettes.load().values():
        facts, chart = row["input"], read_request(reader, vignettes.build_request(row, NOW))
        assert chart is not None
        results = len(chart.measurements) + len(chart.findings)
        vitals = len(facts.get("temps", [])) + ("sbp" in facts) + ("weight_kg" in facts)
        usable = [lab for lab in facts.get("labs", []) if lab.get("status") not in ("entered-in-error", "cancelled")]
        assert results == len(usable) + vitals, row["id"]
        assert len(chart.administrations) == sum("last_given_days_ago" in med for med in facts.get("meds", []))
        drafts = [o for o in chart.orders if o.draft], [o for o in chart.service_orders if o.draft]
        assert sum(map(len, drafts)) == len(facts.get("draft_orders", [])), row["id"]


def test_reads_or_refuses_every_real_payload(reader: FhirChartReader, shared_dir: Path) -> None:
    refused = set()
    for path in sorted((shared_dir / "payloads" / "requests").glob("*.json")):
        try:
            read_request(reader, json.loads(path.read_bytes()))
        except UnsupportedRelease:
            refused.add(path.name[:3])
    assert refused == {"019", "133", "134", "135"}
