"""A cytotoxic draft at a mild count: the count as measured, and the dose that the label gives for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.drug_table import Drug
from cds_service.clinical.facts import DrugCase
from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import anc, ask, back, draft, drug, drug_case, situation, value, wbc

WEEKLY = drug("weekly", mechanism_group="cytotoxic", gate_window_days=Decimal(7))
HALVED = drug("halved", mechanism_group="cytotoxic", dose_percent_at_mild=Decimal(50))


def about(what: Drug, *things: Any, unavailable: tuple[str, ...] = ()) -> DrugCase:
    one = draft(what)
    return drug_case(situation(one, *things, hook="order-sign", unavailable=unavailable), one)


@pytest.mark.parametrize(
    ("labs", "number"),
    [
        ([anc("1.2", 7)], Decimal("1.2")),
        ([anc("1.2", 7.1)], None),
        ([wbc("1.2", 1)], None),
        ([wbc("1.2", 1), anc("1.3", 4)], None),
        ([wbc("1.6", 1), anc("1.3", 4)], Decimal("1.3")),
        ([], None),
    ],
)
def test_the_count_as_measured_within_the_drugs_window(labs: list[Any], number: Decimal | None) -> None:
    assert value("drug.anc", about(WEEKLY, *labs)) == number


def test_the_count_keeps_its_words_its_time_and_its_source() -> None:
    reported = anc("1.2", back(1), comparator="<", source="Observation/o1")
    found = ask("drug.anc", about(WEEKLY, reported))
    assert isinstance(found, Known)
    assert (found.shown, found.at, found.sources) == ("<1.2", back(1), ("Observation/o1",))


def test_why_there_is_no_count() -> None:
    assert ask("drug.anc", about(WEEKLY, unavailable=("cellCounts",))) == Unknown(frozenset({"cellCounts"}))
    assert ask("drug.anc", about(WEEKLY)) == Unknown(note="no count in the window")
    bounded = ask("drug.anc", about(WEEKLY, wbc("1.2", 1)))
    assert bounded == Unknown(note="only a WBC bounds the neutrophil count")


def test_the_dose_that_the_label_gives_at_a_mild_count() -> None:
    assert value("drug.mild_dose_stated", about(HALVED)) is True
    assert value("drug.mild_dose_words", about(HALVED)) == "50 % of the dose"
    assert value("drug.mild_dose_stated", about(WEEKLY)) is False
    assert ask("drug.mild_dose_words", about(WEEKLY)) == Unknown(note="no share stated")
