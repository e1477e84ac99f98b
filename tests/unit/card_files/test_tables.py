"""The tables of the card library: complete, typed, and every fault is reported with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.card_files.tables import load_terminology, load_units
from cds_service.clinical.drug_table import Confidence, FeverRule, HoldOperator, IdiosyncraticTier, ResumeOperator, Risk
from cds_service.errors import CardFileError

CARDS = Path(__file__).parents[3] / "cards"
TERMS = load_terminology(CARDS)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A copy of the tables to spoil."""
    (tmp_path / "codes").mkdir()
    for name in ("drugs.csv", "interactions.csv"):
        (tmp_path / name).write_bytes((CARDS / name).read_bytes())
    for path in (CARDS / "codes").iterdir():
        (tmp_path / "codes" / path.name).write_bytes(path.read_bytes())
    return tmp_path


def spoil(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("\n".join(change(path.read_text("utf-8").splitlines())) + "\n", "utf-8")


def test_drug_table_is_complete() -> None:
    assert len(TERMS.drugs) == 243
    assert sum(drug.has_anc_limit for drug in TERMS.drugs) == 108
    limited = [drug.confidence for drug in TERMS.drugs if drug.has_anc_limit]
    assert {level: limited.count(level) for level in Confidence} == {"high": 82, "medium": 25, "low": 1}
    assert TERMS.uncoded_drugs == ("filgotinib",)


def test_drug_rows_are_typed() -> None:
    clozapine, nilotinib = TERMS.drug("clozapine"), TERMS.drug("nilotinib")
    assert clozapine.fever_hold
    assert clozapine.fever_hold_from == Decimal("38.5")
    assert TERMS.drug("methimazole").fever_hold
    assert TERMS.drug("methimazole").fever_hold_from is None
    assert not TERMS.drug("imatinib").fever_hold
    assert nilotinib.anc_hold == Decimal("1.0")
    assert nilotinib.anc_hold_operator is HoldOperator.BELOW
    assert nilotinib.anc_resume_operator is ResumeOperator.ABOVE
    assert TERMS.drug("terbinafine").anc_hold_operator is HoldOperator.AT_OR_BELOW
    assert TERMS.drug("deferiprone").fever_rule is FeverRule.DRUG_ALWAYS
    assert TERMS.drug("metamizole (dipyrone)").idiosyncratic_tier is IdiosyncraticTier.A
    assert TERMS.drug("carboplatin").risk is Risk.HIGH_MYELOSUPPRESSIVE
    assert TERMS.drug("carboplatin").gate_window_days == Decimal(7)
    assert not TERMS.drug("carboplatin").active_order_is_exposure


def test_no_table_is_larger_than_a_mebibyte() -> None:
    assert max(path.stat().st_size for path in (CARDS / "codes").iterdir()) < 2**20


FAULTS = [
    ("codes/loinc.csv", lambda lines: [*lines, lines[1]], "is there twice"),
    ("codes/loinc.csv", lambda lines: [*lines, "1-8,x,ANCC,verified1,"], "analyte is none of"),
    ("codes/loinc.csv", lambda lines: [*lines, ",x,ANC,verified1,"], "code is empty"),
    ("codes/loinc.csv", lambda lines: [*lines, "1-8,x,ANC"], "3 cells for 5 columns"),
    ("codes/units.csv", lambda lines: [*lines, "x,N,count,10*9/L,1,0,0,,N,t"], "divisor is 0"),
    ("codes/units.csv", lambda lines: [*lines, "x,N,count,10*9/L,,1,0,,N,t"], "multiplier is empty"),
    ("codes/units.csv", lambda lines: [*lines, "x,N,count,10*9/L,much,1,0,,N,t"], "is not a number"),
    ("codes/units.csv", lambda lines: [*lines, "x,N,count,10*9/L,NaN,1,0,,N,t"], "is not a finite number"),
    ("codes/units.csv", lambda lines: [*lines, "x,yes,count,10*9/L,1,1,0,,N,t"], "neither Y nor N"),
    ("codes/units.csv", lambda lines: [*lines, "x,N,count,g/L,1,1,0,,N,t"], "two canonical units"),
    ("codes/kinds.csv", lambda lines: [*lines, "mood,happy"], "group is none of"),
    ("codes/condition_texts.csv", lambda lines: [*lines, "hiccup,hiccup,N"], "unknown kinds: hiccup"),
    ("codes/conditions_icd10.csv", lambda lines: [*lines, "X1,x,fever,roughly,t"], "neither exact nor prefix"),
    ("codes/procedure_cues.csv", lambda lines: [*lines, "x,surgery,,N"], "unknown kinds: surgery"),
    ("codes/routes.csv", lambda lines: [*lines, ",,telepathy,mental,t"], "route is none of"),
    ("codes/orders.csv", lambda lines: [*lines, "cbc,http://loinc.org,1-8,x,y,N,t"], "either a code or a text"),
    ("codes/orders.csv", lambda lines: [*lines, lines[1]], "is there twice"),
    ("codes/orders.csv", lambda lines: [*lines, "cbc-diff,http://loinc.org,1-8,x,,Y,t"], "is there twice: cbc-diff"),
    ("codes/drug_codes.csv", lambda lines: [*lines, "moonshine,1,,,,N,t"], "no such drug"),
    ("codes/rxnorm_ingredients.csv", lambda lines: [*lines, "1,x,6851,brand,t"], "level is none of"),
    ("codes/rxnorm_products.csv", lambda lines: [*lines, "1,x,,oral,t"], "none given"),
    ("codes/drug_names.csv", lambda lines: [*lines, "x,1,generic,"], "does not know: 1"),
    ("codes/drug_names.csv", lambda lines: [*lines, "x,6851,nickname,"], "kind is none of"),
    ("codes/drug_names.csv", lambda lines: [*lines, "x,6851,brand,sideways"], "route is none of"),
    ("codes/drug_names.csv", lambda lines: [*lines, "METHOTREXATE,6851,generic,"], "is there twice"),
    ("codes/drug_names.csv", lambda lines: [*lines, "5FU,4492,synonym,"], "is there twice"),
    ("codes/unlisted_drugs.csv", lambda lines: [*lines, ",herb,x,t"], "kind is none of"),
    ("codes/unlisted_drugs.csv", lambda lines: [*lines, ",name,Methotrexate,t"], "is there twice"),
    ("codes/unlisted_drugs.csv", lambda lines: [*lines, "6851,ingredient,moonshine,t"], "is there twice"),
    ("codes/unlisted_drugs.csv", lambda lines: [*lines, ",name,,t"], "name is empty"),
    ("drugs.csv", lambda lines: [*lines, lines[1]], "is there twice: cyclophosphamide"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "message"), FAULTS, ids=[f"{name}-{text}" for name, _, text in FAULTS])
def test_rejects_faulty_row_with_file_and_line(
    cards: Path, name: str, change: Callable[[list[str]], list[str]], message: str
) -> None:
    spoil(cards / name, change)
    with pytest.raises(CardFileError) as caught:
        load_terminology(cards)
    assert message in str(caught.value)
    assert caught.value.path == cards / name
    assert caught.value.line == len((cards / name).read_text("utf-8").splitlines())


def test_rejects_limit_without_operator(cards: Path) -> None:
    spoil(cards / "drugs.csv", lambda lines: [line.replace(",1.5,<,", ",1.5,,", 1) for line in lines])
    with pytest.raises(CardFileError, match="anc_hold_e9L and anc_hold_operator must stand together"):
        load_terminology(cards)


def test_rejects_unknown_column(cards: Path) -> None:
    spoil(cards / "codes" / "loinc.csv", lambda lines: [lines[0] + ",extra", *lines[1:]])
    with pytest.raises(CardFileError, match="the columns must be code,display,analyte,source,note"):
        load_terminology(cards)


def test_rejects_library_that_lacks_an_analyte(cards: Path) -> None:
    spoil(cards / "codes" / "analytes.csv", lambda lines: [line for line in lines if not line.startswith("PLT")])
    with pytest.raises(CardFileError, match="lacks PLT"):
        load_terminology(cards)


@pytest.mark.parametrize("spoilt", [None, b"\xff\xfe"])
def test_rejects_table_that_cannot_be_read(cards: Path, spoilt: bytes | None) -> None:
    path = cards / "codes" / "units.csv"
    path.unlink()
    if spoilt:
        path.write_bytes(spoilt)
    with pytest.raises(CardFileError, match="cannot be read"):
        load_units(path.parent)
