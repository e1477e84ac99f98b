"""Treatments under way: clozapine baselines, and the last doses of a drug."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.knowledge import Known
from tests.unit.clinical.charts import anc, ask, back, bare_date, drug, drug_case, order, problem, situation, value

CLOZAPINE, OTHER = drug("clozapine"), drug("other")


@pytest.mark.parametrize(
    ("labs", "number"),
    [
        ([], 0),
        ([anc("1.0", 1)], 1),
        ([anc("0.99", 1)], 0),
        ([anc("2.0", 28)], 1),
        ([anc("2.0", 28.01)], 0),
        ([anc("2.0", bare_date(28))], 0),
        ([anc("2.0", 1), anc("2.0", 2)], 2),
        ([anc("2.0", 1), anc("2.0", 1.9)], 1),
        ([anc("2.0", 1), anc("2.0", 1.9), anc("2.0", 2)], 2),
        ([anc("2.0", 1, final=False)], 0),
        ([anc("2.0", 1), anc("0.5", 3), anc("2.0", 5)], 2),
    ],
)
def test_baselines_are_final_counts_of_28_days_a_day_apart_of_1_or_more(labs, number):
    assert value("baseline_results", situation(*labs)) == Decimal(number)


def test_baselines_name_their_results_and_are_not_known_without_counts():
    first, second = anc("2.0", 1), anc("2.0", 2)
    assert ask("baseline_results", situation(first, second)) == Known(Decimal(2), sources=(first.source, second.source))
    assert value("baseline_results", situation(first, second, unavailable=("cellCounts",))) is None


def last_doses(*orders, **more):
    return ask("drug.last_doses", drug_case(situation(*orders, **more), orders[0]))


@pytest.mark.parametrize(
    ("dose_mg", "text", "words"),
    [
        (Decimal("500.0"), "1 daily", "500.0 mg/day from 2026-11-12"),
        (None, "1 daily", "1 daily from 2026-11-12"),
        (None, None, "dose not stated from 2026-11-12"),
    ],
)
def test_a_dose_is_told_in_mg_else_as_ordered(dose_mg, text, words):
    one = order(CLOZAPINE, start=10, daily_dose_mg=dose_mg, dose_text=text)
    assert last_doses(one) == Known(words, sources=(one.source,))


def test_the_last_three_orders_of_the_drug_are_told_newest_first():
    orders = [order(CLOZAPINE, start=day, dose_text=f"dose {day}") for day in (40, 10, 30, 20)]
    others = [order(OTHER, start=1), order(CLOZAPINE), order(CLOZAPINE, start=2, route=Route.LOCAL)]
    assert last_doses(*orders, *others) == Known(
        "dose 10 from 2026-11-12; dose 20 from 2026-11-02; dose 30 from 2026-10-23",
        sources=tuple(orders[n].source for n in (1, 3, 2)),
    )


def test_an_order_without_a_start_is_told_from_the_day_it_was_written():
    assert last_doses(order(CLOZAPINE, authored=back(10), dose_text="x")).value == "x from 2026-11-12"
    assert last_doses(order(CLOZAPINE)) == Known("none on file")
    unknown = last_doses(order(CLOZAPINE, start=3), unavailable=("medicationRequests",))
    assert unknown == Known("not known (drug list unavailable)")


def test_a_myeloproliferative_disease_is_named_or_asked_for():
    found = problem("pv")
    assert ask("myeloproliferative_words", situation(found, problem("lymphoma"))) == Known(
        "pv", sources=(found.source,)
    )
    assert value("myeloproliferative_words", situation(problem("et"), problem("pmf"), problem("et"))) == "et, pmf"
    words = "no PV, ET or PMF coded: please check the indication"
    assert ask("myeloproliferative_words", situation()) == Known(words)
