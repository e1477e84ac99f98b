"""Doses that are ordered in units of activity: millions of units a day, beside doses that are a mass."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.terminology import Terminology
from cds_service.clinical.units import UnitUse
from cds_service.fhir.read_dosages import read_daily_dose
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.test_medications import read_order

UCUM = "http://unitsofmeasure.org"


def dosage(frequency: int = 6, **quantity: Any) -> dict[str, Any]:
    return {
        "timing": {"repeat": {"frequency": frequency, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": quantity}],
    }


@pytest.mark.parametrize(
    ("quantity", "daily"),
    [
        ({"value": 4000000, "unit": "units", "system": UCUM, "code": "[iU]"}, "24"),
        ({"value": 4000000, "unit": "IU", "system": UCUM, "code": "[IU]"}, "24"),
        ({"value": 4000000, "unit": "units"}, "24"),
        ({"value": 4000000, "unit": "Unit"}, "24"),
        ({"value": 4000000, "unit": "UNT"}, "24"),
        ({"value": 4, "unit": "Million Units"}, "24"),
        ({"value": 4, "unit": "MU"}, "24"),
        ({"value": 4, "unit": "mU"}, None),
        ({"value": 4, "unit": "mu"}, None),
        ({"value": 4, "unit": "g"}, None),
        ({"value": 4}, None),
    ],
)
def test_reads_a_dose_in_units(reader: FhirChartReader, quantity: dict[str, Any], daily: str | None) -> None:
    found = read_order(reader, dosageInstruction=[dosage(**quantity)])
    assert found.daily_dose_mu == (None if daily is None else Decimal(daily))


def test_a_dose_is_a_mass_or_in_units(reader: FhirChartReader) -> None:
    grams = read_order(reader, dosageInstruction=[dosage(4, value=3, unit="g")])
    assert (grams.daily_dose_mg, grams.daily_dose_mu) == (Decimal(12000), None)
    units = read_order(reader, dosageInstruction=[dosage(value=4, unit="MU")])
    assert (units.daily_dose_mg, units.daily_dose_mu) == (None, Decimal(24))


def test_a_dose_is_read_as_a_mass_unless_asked_otherwise(reader: FhirChartReader) -> None:
    terminology: Terminology = reader.terminology
    parts = [dosage(4, value=3, unit="g")]
    assert read_daily_dose(parts, terminology) == Decimal(12000)
    assert read_daily_dose(parts, terminology, UnitUse.ACTIVITY) is None
