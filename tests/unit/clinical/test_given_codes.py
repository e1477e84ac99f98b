"""Every LOINC code and unit of the given tables: read as what it is, or left alone for a stated reason."""

from __future__ import annotations

import csv
from decimal import Decimal
from functools import cache

import pytest

from cds_service.card_files.tables import load_terminology
from cds_service.clinical.terminology import Analyte, CodeSystem, Coding
from cds_service.clinical.units import UnitProblem, UnitUse
from tests.places import ROOT, SHARED_DIR

TERMS = load_terminology(ROOT / "cards")
UCUM = "http://unitsofmeasure.org"
GIVEN = SHARED_DIR / "terminology"

COUNTED = {
    "WBC": Analyte.WBC,
    "ANC": Analyte.ANC,
    "neutrophils % of leukocytes": Analyte.NEUT_PCT,
    "segmented neutrophils %": Analyte.SEGS_PCT,
    "band neutrophils %": Analyte.BANDS_PCT,
    "lymphocytes absolute": Analyte.ALC,
    "lymphocytes %": Analyte.LYMPH_PCT,
    "monocytes absolute": Analyte.MONO,
    "haemoglobin": Analyte.HGB,
    "haemoglobin (molar)": Analyte.HGB_MOLAR,
    "platelets": Analyte.PLT,
    "blasts %": Analyte.BLASTS_PCT,
    "blasts absolute": Analyte.BLASTS_ABS,
    "panel": Analyte.CBC_PANEL,
    "IgG": Analyte.IGG,
    "body temperature": Analyte.TEMP,
    "body weight": Analyte.WEIGHT,
    "systolic BP": Analyte.SBP,
    "BP panel": Analyte.BP_PANEL,
}
"""What the given table says a code is for, and the analyte it is read as; a note in brackets changes nothing."""

NO_COUNT_OF_NEUTROPHILS = {
    "segmented neutrophils absolute",
    "band neutrophils absolute",
    "granulocytes absolute",
    "granulocytes %",
    "immature granulocytes absolute",
    "immature granulocytes %",
    "metamyelocytes absolute",
    "myelocytes absolute",
    "promyelocytes absolute",
}
"""C-ANC takes a direct count, or the WBC with percentages. Other cells, and parts of the count, are none of these."""

NOT_READ = {
    "body temperature (component only; site not seen)",
    "body temperature 24 h maximum",
    "platelets in plasma",
    "platelets.large",
}
"""Not the same analyte, or not known to be: a surface, a maximum of a day, plasma."""


@cache
def given(name: str) -> list[dict[str, str]]:
    if not GIVEN.exists():
        return []
    with (GIVEN / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def analyte(code: str) -> Analyte | None:
    return TERMS.analyte_of([Coding(CodeSystem.LOINC, code)])


def plain_use(use: str) -> str:
    """Without the note in brackets, unless that tells it apart."""
    if use.startswith("panel:"):
        return "panel"
    return use if use in COUNTED else use.partition(" (")[0]


def test_every_given_count_is_read_as_what_it_counts() -> None:
    temperatures = [row for row in given("loinc.csv") if row["use"].startswith("body temperature ")]
    expected = {
        row["code"]: COUNTED[plain_use(row["use"])]
        for row in given("loinc.csv")
        if plain_use(row["use"]) in COUNTED and row["use"] not in NOT_READ
    } | {row["code"]: Analyte.TEMP for row in temperatures if row["use"] not in NOT_READ}
    assert [code for code, wanted in expected.items() if analyte(code) is not wanted] == []
    assert not expected or {Analyte.ANC, Analyte.WBC, Analyte.SEGS_PCT, Analyte.BANDS_PCT} <= set(expected.values())


def test_every_given_excluded_code_is_excluded_and_no_other() -> None:
    excluded = {row["code"] for row in given("loinc.csv") if row["use"].startswith(("EXCLUDE", "NOT"))}
    assert not excluded or len(excluded) == 121
    assert [code for code in excluded if analyte(code) is not Analyte.EXCLUDED] == []
    others = {row["code"] for row in given("loinc.csv")} - excluded
    assert [code for code in others if analyte(code) is Analyte.EXCLUDED] == []


def test_parts_and_precursors_of_neutrophils_are_no_count() -> None:
    codes = [
        r["code"] for r in given("loinc.csv") if plain_use(r["use"]) in NO_COUNT_OF_NEUTROPHILS or r["use"] in NOT_READ
    ]
    assert [code for code in codes if analyte(code) is not None] == []


def test_no_code_is_read_that_the_given_table_does_not_hold() -> None:
    held = {row["code"] for row in given("loinc.csv")}
    assert not held or set(TERMS.loinc) <= held


USES = {
    "cell count (WBC, ANC, differentials, platelets)": UnitUse.COUNT,
    "percentage (differential)": UnitUse.PERCENT,
    "haemoglobin": UnitUse.HAEMOGLOBIN,
    "immunoglobulin G": UnitUse.IGG,
    "body weight": UnitUse.WEIGHT,
    "blood pressure": UnitUse.PRESSURE,
}
REFUSED = {"/100{WBCs}", "L/L", "mmol/L", "mg%", "(missing)"}
"""Ratios and fractions that the specification does not name; the molar haemoglobin has a code of its own."""


def unit_rows() -> list[dict[str, str]]:
    return [row for row in given("units.csv") if row["use"] in USES]


def converted(row: dict[str, str], *, unit: str | None, code: str | None = None) -> Decimal | UnitProblem:
    use, system = USES[row["use"]], UCUM if code else None
    return TERMS.units.convert(Decimal(1000), unit=unit, code=code, system=system, use=use)


def test_every_given_unit_converts_by_its_factor_in_every_spelling() -> None:
    wrong = []
    for row in unit_rows():
        if row["code"] in REFUSED or row["factor_to_canonical"] in ("", "AMBIGUOUS"):
            continue
        wanted = Decimal(row["factor_to_canonical"]) * 1000
        results = [converted(row, unit=row["code"]), converted(row, unit=row["display"])]
        if row["kind"].startswith("valid UCUM"):
            results += [
                converted(row, unit=None, code=row["code"]),
                converted(row, unit=row["display"], code=row["code"]),
            ]
        wrong += [(row["code"], result) for result in results if result != wanted]
    assert wrong == []


def test_refuses_every_given_unit_that_is_ambiguous_or_of_another_kind() -> None:
    for row in unit_rows():
        if row["code"] in REFUSED or row["factor_to_canonical"] in ("", "AMBIGUOUS"):
            assert isinstance(converted(row, unit=row["code"]), UnitProblem), row["code"]
            assert isinstance(converted(row, unit=None, code=row["code"]), UnitProblem), row["code"]


@pytest.mark.parametrize(
    "unit", ["uL", "UL", "µL", "u L", "K/mL", "k/ml", "10*3/mL", "/mL", "", None, "1", "%", "10*9"]
)
def test_refuses_a_count_whose_unit_is_a_guess(unit: str | None) -> None:
    for code in (None, unit):
        system = UCUM if code else None
        found = TERMS.units.convert(Decimal(1), unit=unit, code=code, system=system, use=UnitUse.COUNT)
        assert isinstance(found, UnitProblem)


def test_an_alias_is_no_ucum_code() -> None:
    """K/uL as a UCUM code is kelvin, G/L gauss: the alias counts as unit text only."""
    aliases = [row for row in TERMS.units.rows if not row.ucum and row.use is UnitUse.COUNT]
    assert len(aliases) > 50
    for row in aliases:
        found = TERMS.units.convert(Decimal(1), unit=None, code=row.spelling, system=UCUM, use=row.use)
        assert isinstance(found, UnitProblem), row.spelling
