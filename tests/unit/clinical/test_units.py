"""Units: every spelling of the table, the traps of UCUM codes, and that conversion is exact and keeps the order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.card_files.tables import load_units
from cds_service.clinical.units import UnitProblem, UnitRow, UnitTable, UnitUse, plain_spelling

UCUM = "http://unitsofmeasure.org"
TABLE = load_units(Path(__file__).parents[3] / "cards" / "codes")
COUNTS = UnitUse.COUNT


def text(value: str, unit: str | None, use: UnitUse = COUNTS) -> Decimal | UnitProblem:
    return TABLE.convert(Decimal(value), unit=unit, code=None, system=None, use=use)


def coded(value: str, code: str, unit: str | None = None, use: UnitUse = COUNTS) -> Decimal | UnitProblem:
    return TABLE.convert(Decimal(value), unit=unit, code=code, system=UCUM, use=use)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1.2", "10*9/L", "1.2"),
        ("1.2", "10*3/uL", "1.2"),
        ("1.2", "K/uL", "1.2"),
        ("1.2", "k/ul", "1.2"),
        ("1.2", "K/UL", "1.2"),
        ("1.2", "K/µL", "1.2"),
        ("1.2", "K/μL", "1.2"),
        ("1.2", "Thousand/uL", "1.2"),
        ("1.2", "X10E3/UL", "1.2"),
        ("1.2", "x 10^9/L", "1.2"),
        ("1.2", "×10⁹/L", "1.2"),
        ("1.2", "10³/µL", "1.2"),
        ("1.2", "thou/cu mm", "1.2"),
        ("1.2", "103/uL", "1.2"),
        ("1.2", "G/L", "1.2"),
        ("1200", "/uL", "1.2"),
        ("1200", "/mm3", "1.2"),
        ("1200", "cells/uL", "1.2"),
        ("1200", "10*6/L", "1.2"),
        ("1200000000", "/L", "1.2"),
        ("0.0012", "10*6/uL", "1.2"),
        ("1.5", "lakhs/cumm", "150"),
    ],
)
def test_converts_count_from_unit_text(value: str, unit: str, expected: str) -> None:
    assert text(value, unit) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "unit", "use", "expected"),
    [
        ("52", "%", UnitUse.PERCENT, "52"),
        ("0.52", "1", UnitUse.PERCENT, "52"),
        ("8.5", "g/dL", UnitUse.HAEMOGLOBIN, "8.5"),
        ("85", "g/L", UnitUse.HAEMOGLOBIN, "8.5"),
        ("5", "mmol/L", UnitUse.HAEMOGLOBIN_MOLAR, "8.055"),
        ("85", "g/L", UnitUse.HAEMOGLOBIN_MOLAR, "8.5"),
        ("399", "mg/dL", UnitUse.IGG, "399"),
        ("3.99", "g/L", UnitUse.IGG, "399"),
        ("3990", "mg/L", UnitUse.IGG, "399"),
        ("0.399", "g/dL", UnitUse.IGG, "399"),
        ("38.25", "Cel", UnitUse.TEMPERATURE, "38.3"),
        ("38.24", "°C", UnitUse.TEMPERATURE, "38.2"),
        ("101.0", "[degF]", UnitUse.TEMPERATURE, "38.3"),
        ("100.8", "F", UnitUse.TEMPERATURE, "38.2"),
        ("101.03", "F", UnitUse.TEMPERATURE, "38.4"),
        ("150", "lbs", UnitUse.WEIGHT, "68.0388555"),
        ("70000", "g", UnitUse.WEIGHT, "70"),
        ("88", "mmHg", UnitUse.PRESSURE, "88"),
        ("2", "g", UnitUse.DOSE, "2000"),
        ("500", "mcg", UnitUse.DOSE, "0.5"),
    ],
)
def test_converts_other_uses_to_their_canonical_unit(value: str, unit: str, use: UnitUse, expected: str) -> None:
    assert text(value, unit, use) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "use", "problem"),
    [
        (None, COUNTS, UnitProblem.MISSING),
        ("  ", COUNTS, UnitProblem.MISSING),
        ("uL", COUNTS, UnitProblem.AMBIGUOUS),
        ("K/mL", COUNTS, UnitProblem.AMBIGUOUS),
        ("k/ml", COUNTS, UnitProblem.AMBIGUOUS),
        ("furlong", COUNTS, UnitProblem.UNKNOWN),
        ("g/L", COUNTS, UnitProblem.UNKNOWN),
        ("%", COUNTS, UnitProblem.UNKNOWN),
        ("/100{WBCs}", COUNTS, UnitProblem.UNKNOWN),
        ("L/L", UnitUse.PERCENT, UnitProblem.UNKNOWN),
        ("G/L", UnitUse.HAEMOGLOBIN, UnitProblem.UNKNOWN),
        ("mmol/L", UnitUse.HAEMOGLOBIN, UnitProblem.UNKNOWN),
        ("K", UnitUse.TEMPERATURE, UnitProblem.UNKNOWN),
        (None, UnitUse.TEMPERATURE, UnitProblem.MISSING),
    ],
)
def test_refuses_unit_text_instead_of_guessing(unit: str | None, use: UnitUse, problem: UnitProblem) -> None:
    assert text("1.2", unit, use) is problem


@pytest.mark.parametrize(
    ("code", "unit", "use"),
    [
        ("K/uL", None, COUNTS),
        ("G/L", None, COUNTS),
        ("m/uL", None, COUNTS),
        ("10*3/u", None, COUNTS),
        ("k/ul", None, COUNTS),
        ("10*9/l ", "furlong/s", UnitUse.HAEMOGLOBIN),
        ("C", None, UnitUse.TEMPERATURE),
        ("F", None, UnitUse.TEMPERATURE),
        ("degF", None, UnitUse.TEMPERATURE),
        ("10*3/UL", None, COUNTS),
        ("whatever", "K/uL", COUNTS),
    ],
)
def test_refuses_what_is_no_ucum_code_of_that_use(code: str, unit: str | None, use: UnitUse) -> None:
    assert coded("1.2", code, unit, use) is UnitProblem.UNKNOWN


@pytest.mark.parametrize(
    ("code", "unit", "expected"),
    [
        ("10*9/L", None, Decimal("1.2")),
        ("10*3/uL", "K/uL", Decimal("1.2")),
        ("10*9/L", "x10E9/L (calculated)", Decimal("1.2")),
        ("K/uL", "K/uL", Decimal("1.2")),
        ("G/L", "x10^9/L", Decimal("1.2")),
        ("10*9/L", "/uL", UnitProblem.CONTRADICTION),
        ("10*9/L", "g/L", UnitProblem.CONTRADICTION),
        ("10*3/uL", "K/mL", UnitProblem.CONTRADICTION),
        ("g/L", "10*9/L", UnitProblem.CONTRADICTION),
        ("K/uL", "/uL", UnitProblem.CONTRADICTION),
        ("uL", "K/uL", UnitProblem.AMBIGUOUS),
        ("K/mL", "K/uL", UnitProblem.AMBIGUOUS),
    ],
)
def test_ucum_code_decides_and_text_may_contradict(
    code: str, unit: str | None, expected: Decimal | UnitProblem
) -> None:
    assert coded("1.2", code, unit) == expected


@pytest.mark.parametrize(
    ("unit", "code", "expected"),
    [
        ("K/uL", "10*3/uL", Decimal("1.2")),
        ("K/uL", "local-17", Decimal("1.2")),
        (None, "10*9/L", Decimal("1.2")),
        ("K/uL", "/uL", UnitProblem.CONTRADICTION),
        ("furlong", "10*9/L", UnitProblem.UNKNOWN),
    ],
)
def test_code_without_ucum_system_is_read_as_text(unit: str | None, code: str, expected: Decimal | UnitProblem) -> None:
    assert TABLE.convert(Decimal("1.2"), unit=unit, code=code, system="urn:local", use=COUNTS) == expected


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: f"{row.use}-{row.spelling}")
def test_every_row_is_found_by_its_own_spelling(row: UnitRow) -> None:
    expected = UnitProblem.AMBIGUOUS if row.ambiguous else row
    assert TABLE.row(unit=row.spelling, code=None, system=None, use=row.use) == expected
    if row.ucum:
        assert TABLE.row(unit=None, code=row.spelling, system=UCUM, use=row.use) == expected


def test_refuses_forgiving_spelling_that_two_units_share() -> None:
    rows = [UnitRow("Mu", COUNTS, "10*9/L"), UnitRow("mu", COUNTS, "10*9/L", multiplier=Decimal(1000))]
    table = UnitTable(rows)
    assert table.convert(Decimal(1), unit="MU", code=None, system=None, use=COUNTS) is UnitProblem.UNKNOWN
    assert table.convert(Decimal(1), unit="mu", code=None, system=None, use=COUNTS) == 1000


def test_keeps_a_dot_between_digits() -> None:
    assert plain_spelling("10*3 . {cells} / u.L") == "10*3{cells}/ul"
    assert plain_spelling("1.000/uL") == "1.000/ul"


decimals = st.decimals(min_value="-1000", max_value="100000", places=6, allow_nan=False, allow_infinity=False)
usable = st.sampled_from([row for row in TABLE.rows if not row.ambiguous])


@given(first=decimals, second=decimals, row=usable)
def test_conversion_keeps_the_order(first: Decimal, second: Decimal, row: UnitRow) -> None:
    low, high = sorted((first, second))
    assert row.apply(low) <= row.apply(high)


@given(value=decimals, row=st.sampled_from([row for row in TABLE.rows if not row.ambiguous and row.step is None]))
def test_conversion_is_exact(value: Decimal, row: UnitRow) -> None:
    assert row.apply(value) * row.divisor == (value - row.offset) * row.multiplier


@given(value=st.decimals(min_value=25, max_value=50, places=3, allow_nan=False, allow_infinity=False))
def test_temperature_is_rounded_to_the_nearest_tenth(value: Decimal) -> None:
    rounded = text(str(value), "Cel", UnitUse.TEMPERATURE)
    assert isinstance(rounded, Decimal)
    assert rounded.as_tuple().exponent == -1
    assert -Decimal("0.05") < rounded - value <= Decimal("0.05")


def row(spelling: str, use: UnitUse = COUNTS, **more: object) -> UnitRow:
    return UnitRow(spelling, use, "x", **more)  # type: ignore[arg-type]


THOUSAND = Decimal(1000)
CELLS_PER_UL = row("c/uL", multiplier=THOUSAND)


@pytest.mark.parametrize(
    ("rows", "asked", "expected"),
    [
        ([row("Ku"), row("ku")], "KU", "Ku"),
        ([row("Ku"), row("ku", multiplier=THOUSAND)], "KU", UnitProblem.UNKNOWN),
        ([row("Ku"), row("ku", divisor=THOUSAND)], "KU", UnitProblem.UNKNOWN),
        ([row("Ku"), row("ku", offset=Decimal(32))], "KU", UnitProblem.UNKNOWN),
        ([row("Ku", ambiguous=True), row("ku", ambiguous=True)], "KU", UnitProblem.AMBIGUOUS),
        ([row("Ku"), row("ku", ambiguous=True)], "KU", UnitProblem.UNKNOWN),
        ([row("Ku", ambiguous=True), row("ku")], "KU", UnitProblem.UNKNOWN),
        ([row("Ku"), row("ku"), row("kU", multiplier=THOUSAND)], "KU", UnitProblem.UNKNOWN),
        ([row("Ku"), row("ku", UnitUse.DOSE, multiplier=THOUSAND)], "KU", "Ku"),
        ([row("Ku"), CELLS_PER_UL], "C/UL", "c/uL"),
    ],
)
def test_a_forgiving_spelling_counts_where_all_that_share_it_mean_the_same(
    rows: list[UnitRow], asked: str, expected: str | UnitProblem
) -> None:
    found = UnitTable(rows).row(unit=asked, code=None, system=None, use=COUNTS)
    assert (found.spelling if isinstance(found, UnitRow) else found) == expected


@pytest.mark.parametrize(
    ("unit", "code", "expected"),
    [
        (None, "KU", UnitProblem.UNKNOWN),
        (None, "Ku", "Ku"),
        (None, "Lu", UnitProblem.UNKNOWN),
        ("Lu", "Ku", UnitProblem.CONTRADICTION),
        ("Du", "Ku", UnitProblem.CONTRADICTION),
        ("du", "Ku", "Ku"),
        ("", "Ku", "Ku"),
    ],
)
def test_a_ucum_code_is_read_exactly_and_a_text_of_another_use_contradicts_it(
    unit: str | None, code: str, expected: str | UnitProblem
) -> None:
    table = UnitTable(
        [row("Ku", ucum=True), row("Lu", multiplier=THOUSAND), row("Du", UnitUse.DOSE), row("Ku", UnitUse.DOSE)]
    )
    found = table.row(unit=unit, code=code, system=UCUM, use=COUNTS)
    assert (found.spelling if isinstance(found, UnitRow) else found) == expected


def test_knows_the_canonical_unit_of_each_use() -> None:
    table = UnitTable([UnitRow("Ku", COUNTS, "10*9/L"), UnitRow("mg", UnitUse.DOSE, "mg")])
    assert table.canonical == {COUNTS: "10*9/L", UnitUse.DOSE: "mg"}


def test_an_ambiguous_spelling_agrees_with_nothing() -> None:
    clear, vague = row("a"), row("b", ambiguous=True)
    assert [one.agrees_with(other) for one in (clear, vague) for other in (clear, vague)] == [True, False, False, False]
