"""What a card says of a drug's limits: which number was reached, with the label's operator, and where it comes from."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.drug_table import HoldOperator, ResumeOperator
from cds_service.clinical.knowledge import Unknown
from tests.unit.clinical.charts import (
    anc,
    ask,
    draft,
    drug,
    drug_case,
    lab,
    order,
    situation,
    temp,
    value,
)

D = Decimal


def words(fact: str, what, *things, **more):
    one = order(what, start=10)
    return value(f"drug.{fact}", drug_case(situation(one, *things, **more), one))


@pytest.mark.parametrize(
    ("row", "limits"),
    [
        ({"anc_hold": D("1.0")}, "hold below ANC 1.0"),
        ({"anc_hold": D("1.0"), "anc_hold_operator": HoldOperator.AT_OR_BELOW}, "hold at or below ANC 1.0"),
        ({"plt_hold": D(50)}, "below PLT 50"),
        (
            {"anc_hold": D("0.5"), "plt_hold": D(50), "anc_hold_with_fever": D("1.0")},
            "hold below ANC 0.5, below PLT 50, with fever below ANC 1.0",
        ),
        ({}, "no numeric limit"),
    ],
)
def test_prints_the_limits_of_the_label_with_their_operators(row, limits):
    assert words("limit_words", drug(**row)) == limits
    assert words("reached_limits", drug(**row)) == limits  # nothing is known to be reached: the whole label


@pytest.mark.parametrize(
    ("row", "resumes"),
    [
        ({"anc_resume": D("1.5")}, "ANC >=1.5"),
        ({"anc_resume": D("1.5"), "anc_resume_operator": ResumeOperator.ABOVE}, "ANC >1.5"),
        (
            {"anc_resume": D("1.5"), "plt_resume": D(75), "resume_or_baseline": True},
            "ANC >=1.5 and PLT >=75 or the patient's baseline",
        ),
        ({"plt_resume": D(75), "anc_resume_operator": ResumeOperator.ABOVE}, "PLT >75"),
    ],
)
def test_prints_when_the_label_resumes(row, resumes):
    assert words("resume_words", drug(**row)) == resumes
    assert words("resume_phrase", drug(**row)) == f"resume at {resumes}"


LOW, LOW_PLATELETS, FEVER = anc("0.4"), lab("PLT", "40"), temp("38.6")
BOTH = {"anc_hold": D("1.0"), "plt_hold": D(50)}
WITH_FEVER = {"anc_hold": D("0.3"), "anc_hold_with_fever": D("1.0"), "plt_hold": D(50)}


@pytest.mark.parametrize(
    ("row", "things", "reached"),
    [
        (BOTH, [LOW], "below ANC 1.0"),
        (BOTH, [LOW, LOW_PLATELETS], "below ANC 1.0 and below PLT 50"),
        (BOTH, [anc("1.0"), LOW_PLATELETS], "below PLT 50"),
        ({**BOTH, "anc_hold_operator": HoldOperator.AT_OR_BELOW}, [anc("1.0")], "at or below ANC 1.0"),
        (WITH_FEVER, [LOW, FEVER], "with fever below ANC 1.0"),
        (WITH_FEVER, [LOW, FEVER, LOW_PLATELETS], "with fever below ANC 1.0 and below PLT 50"),
        (WITH_FEVER, [anc("0.2"), FEVER], "below ANC 0.3"),
        (WITH_FEVER, [anc("1.0"), FEVER, LOW_PLATELETS], "below PLT 50"),
        (WITH_FEVER, [LOW, LOW_PLATELETS], "below PLT 50"),
        ({"anc_hold": D("1.0")}, [LOW, FEVER, LOW_PLATELETS], "below ANC 1.0"),
    ],
)
def test_prints_only_the_limits_that_the_counts_reach(row, things, reached):
    assert words("reached_limits", drug(**row), *things) == reached


CHEMO_ROW = {"mechanism_group": "cytotoxic", "active_order_is_exposure": False}


@pytest.mark.parametrize(
    ("row", "things", "reached"),
    [
        ({}, [LOW], "ANC 1.0 (service policy)"),
        ({"anc_hold": D("0.5"), "anc_cycle_start": D("1.5")}, [LOW], "ANC 1.0 (service policy)"),
        ({"anc_hold": D("1.2")}, [LOW], "ANC 1.2 (drug table)"),
        ({"plt_hold": D(50)}, [LOW, LOW_PLATELETS], "ANC 1.0 (service policy) and PLT 50"),
        ({"plt_hold": D(50)}, [anc("2.5"), LOW_PLATELETS], "PLT 50"),
        ({"plt_hold": D(50)}, [LOW, lab("PLT", "50")], "ANC 1.0 (service policy)"),
    ],
)
def test_prints_the_limit_of_chemotherapy_that_is_reached_and_where_it_comes_from(row, things, reached):
    assert words("reached_limits", drug("cytotoxin", **CHEMO_ROW, **row), *things) == reached


def test_prints_the_limit_for_the_start_of_a_cycle_on_drafts():
    one = draft(drug("cytotoxin", **CHEMO_ROW, anc_hold=D("0.5"), anc_cycle_start=D("1.5")))
    about = drug_case(situation(one, anc("1.2"), hook="order-sign"), one)
    assert value("drug.reached_limits", about) == "ANC 1.5 (drug table)"


@pytest.mark.parametrize(
    ("row", "things", "counts"),
    [
        (BOTH, [LOW, lab("PLT", "90")], "ANC 0.4 (just now)"),
        (BOTH, [LOW, LOW_PLATELETS], "ANC 0.4 (just now), PLT 40"),
        (BOTH, [anc("2.0"), LOW_PLATELETS], "PLT 40"),
        (BOTH, [anc("2.0")], "ANC 2.0 (just now), PLT not known"),
    ],
)
def test_prints_the_counts_that_reach_a_limit_or_both_where_none_does(row, things, counts):
    assert words("reached_counts", drug(**row), *things) == counts


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"label_action": "same dose"}, "same dose"),
        ({"label_action": "same dose", "notes": "a note"}, "same dose; a note"),
        ({"notes": "a note", "monitoring": "weekly CBC"}, "a note; monitoring: weekly CBC"),
    ],
)
def test_prints_all_that_the_table_says_beyond_the_limits(row, said):
    assert words("label_action", drug(**row)) == said


def test_says_nothing_beyond_the_limits_where_the_table_does_not():
    one = order(drug(), start=10)
    assert isinstance(ask("drug.label_action", drug_case(situation(one), one)), Unknown)
