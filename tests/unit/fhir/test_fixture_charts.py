"""Whole requests in the manner of real clients, read into charts."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.application.hook_request import HookRequest
from cds_service.clinical.chart import Chart, Route
from cds_service.fhir.reader import FhirChartReader
from tests.places import ROOT
from tests.unit.fhir.samples import NOW, TEMPLATES, problems_of

CHARTS = ROOT / "fixtures" / "charts"


def read_fixture(reader: FhirChartReader, name: str) -> Chart:
    body: dict[str, Any] = json.loads((CHARTS / f"{name}.json").read_text("utf-8"))
    context = body["context"]
    request = HookRequest(
        service_id=f"leukopenia-{body['hook']}",
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        patient_id=context["patientId"],
        context=context,
        prefetch=body["prefetch"],
        draft_orders=context.get("draftOrders"),
        selections=tuple(context.get("selections", ())),
        extension=body.get("extension", {}),
    )
    return reader.read(request, TEMPLATES, now=NOW, deadline=NOW + timedelta(seconds=2)).chart


def test_reads_unsigned_orders_with_their_medications_and_an_empty_search(reader: FhirChartReader) -> None:
    chart = read_fixture(reader, "epic-order-select")
    (draft,) = chart.orders
    assert [drug.ingredient for drug in draft.drugs] == ["methotrexate"]
    assert (draft.draft, draft.selected, draft.route, draft.daily_dose_mg) == (True, True, Route.ORAL, Decimal(2))
    assert {"patient", "cellCounts", "labResults"}.isdisjoint(chart.unavailable)
    assert {"vitalSigns", "conditions", "medicationRequests"} <= set(chart.unavailable)
    assert chart.data_problems == ()


def test_reads_a_collection_under_one_foreign_key(reader: FhirChartReader) -> None:
    chart = read_fixture(reader, "foreign-keys-patient-view")
    assert {(m.analyte, str(m.value), m.source) for m in chart.measurements} == {
        ("WBC", "1.4", "Observation/cbc"),
        ("NEUT_PCT", "30", "Observation/cbc"),
        ("TEMP", "38.5", "Observation/temperature"),
    }
    assert [[drug.ingredient for drug in order.drugs] for order in chart.orders] == [["azathioprine"]]
    assert (chart.problems, problems_of(chart)) == ((), {("other-patient", "Condition/stray")})
    assert {"patient", "cellCounts", "vitalSigns", "medicationRequests"}.isdisjoint(chart.unavailable)
    assert {"conditions", "labResults", "procedures"} <= set(chart.unavailable)


@pytest.mark.parametrize("path", sorted(CHARTS.glob("*.json")), ids=lambda path: path.stem)
def test_fixtures_are_of_nobody(path: Any) -> None:
    assert '"name"' not in path.read_text("utf-8")
