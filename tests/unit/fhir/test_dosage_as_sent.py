"""The dosage as it was sent: it tells a changed order from an unchanged one, also where no daily dose is computed."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import bundle, chart_of, order

TABLETS: dict[str, Any] = {
    "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}],
    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
}


def dosage(reader: FhirChartReader, **members: Any) -> str | None:
    (found,) = chart_of(reader, {"medicationRequests": bundle(order(**members))}).orders
    return found.dosage


@pytest.mark.parametrize(
    "changed",
    [
        {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}},
        {"doseAndRate": [{"doseQuantity": {"value": 3, "unit": "tablet"}}]},
        {"text": "with folic acid"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_any_change_of_the_dosage_is_seen(reader, changed):
    weekly = dosage(reader, dosageInstruction=[TABLETS])
    assert weekly == dosage(reader, id="m2", dosageInstruction=[TABLETS])
    assert weekly != dosage(reader, dosageInstruction=[TABLETS | changed])
    assert weekly != dosage(reader, dosageInstruction=[TABLETS, TABLETS])


def test_an_order_without_a_dosage_has_none(reader):
    assert dosage(reader) is None
    assert dosage(reader, dosageInstruction=[]) is None
