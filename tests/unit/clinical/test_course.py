"""C-TREND, C-STABLE and the course part of C-DUFFY, at their limits and one step beside them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.course import Course
from cds_service.clinical.situation import SitePolicy
from tests.unit.clinical.charts import (
    FILGRASTIM,
    METHIMAZOLE,
    anc,
    back,
    dose,
    finding,
    order,
    problem,
    situation,
    value,
    wbc,
)


def course(*things) -> Course:
    return situation(*things).course


def series(*pairs: tuple[str, float]):
    return [anc(number, days) for number, days in pairs]


@pytest.mark.parametrize(
    ("results", "falls"),
    [
        ([("0.9", 0), ("1.2", 30)], True),
        ([("1.0", 0), ("1.3", 30)], False),
        ([("0.9", 0), ("0.95", 30)], False),
        ([("0.4", 0), ("0.6", 30)], True),
        ([("0.9", 0), ("1.2", 180)], True),
        ([("0.9", 0), ("1.2", 180.5)], False),
        ([("0.9", 0), ("1.2", 1)], True),
        ([("0.9", 28), ("1.2", 60)], True),
        ([("0.9", 28.5), ("1.2", 60)], False),
        ([("0.9", 0), ("0.95", 10), ("2.0", 60)], False),
        ([("1.2", 0), ("0.9", 0.8), ("1.6", 1.25)], True),
    ],
)
def test_falls_where_the_band_is_moderate_or_worse_and_worse_than_before(results, falls):
    found = course(*series(*results))
    assert (found.falling and found.worse_band) is falls


@pytest.mark.parametrize(
    ("results", "falls"),
    [
        ([("1.35", 0), ("1.6", 30), ("1.8", 60)], True),
        ([("1.36", 0), ("1.6", 30), ("1.8", 60)], False),
        ([("1.2", 0), ("1.2", 30), ("1.8", 60)], False),
        ([("1.2", 0), ("1.8", 30), ("1.8", 60)], False),
        ([("1.2", 0), ("1.6", 0.99), ("1.8", 60)], False),
        ([("1.2", 0), ("1.6", 1), ("1.8", 2)], True),
        ([("1.2", 0), ("1.6", 30), ("1.8", 180.5)], False),
        ([("1.5", 0), ("1.8", 30), ("2.4", 60)], False),
    ],
)
def test_falls_where_three_results_lose_a_quarter(results, falls):
    assert course(*series(*results)).falling is falls


@pytest.mark.parametrize(
    ("results", "falls"),
    [
        ([("1.4", 0), ("2.8", 30)], True),
        ([("1.4", 0), ("2.8", 30.5)], False),
        ([("1.41", 0), ("2.8", 20)], False),
        ([("0.9", 0), ("1.8", 20)], False),
        ([("1.0", 0), ("2.0", 20)], True),
        ([("1.4", 20), ("2.8", 49)], True),
        ([("1.4", 0), ("1.45", 10), ("2.9", 20)], True),
    ],
)
def test_falls_fast_where_half_and_1_0_are_lost_within_30_days(results, falls):
    assert course(*series(*results)).fast_fall is falls


@pytest.mark.parametrize(("days", "falls"), [(30, False), (30.5, True)])
def test_falls_not_fast_after_a_growth_factor(days, falls):
    things = [*series(("1.4", 0), ("2.8", 20)), dose(FILGRASTIM, days)]
    assert course(*things).falling is falls
    assert value("fell_fast", situation(*things)) is falls


def test_falls_only_below_1_5():
    assert not course(*series(("1.5", 0), ("4.0", 20))).falling
    assert not course().falling
    assert not course().fast_fall
    assert not course().worse_band


@pytest.mark.parametrize(
    ("results", "stable"),
    [
        ([("1.2", 0), ("1.2", 30), ("1.2", 56)], True),
        ([("1.2", 0), ("1.2", 30), ("1.2", 55.9)], False),
        ([("1.2", 0), ("1.2", 56)], False),
        ([("1.2", 0), ("1.0", 30), ("1.2", 56)], True),
        ([("1.2", 0), ("0.99", 30), ("1.2", 56)], False),
        ([("1.2", 0), ("1.5", 30), ("1.5", 100)], True),
        ([("1.19", 0), ("1.5", 30), ("1.5", 100)], False),
        ([("1.2", 0), ("1.2", 30), ("1.2", 365)], True),
        ([("1.2", 0), ("1.2", 30), ("1.2", 365.5)], False),
        ([("1.2", 0), ("1.2", 30), ("0.5", 366), ("1.2", 60)], True),
        ([("1.2", 100), ("1.2", 200), ("1.2", 465)], True),
    ],
)
def test_is_stable_by_three_results_over_56_days(results, stable):
    assert course(*series(*results)).stable is stable


def test_is_not_stable_while_falling():
    assert not course(*series(("1.2", 0), ("1.4", 30), ("1.6", 60))).stable


def test_prints_the_latest_results_with_their_own_dates():
    found = course(*series(("1.2", 0), ("0.9", 0.5), ("1.6", 30), ("1.7", 60))).last(3)
    assert [(c.shown, c.taken) for c in found] == [("0.9", back(0.5)), ("1.6", back(30)), ("1.7", back(60))]
    assert course().last(3) == []


def test_knows_the_lowest_earlier_result():
    about = course(*series(("0.9", 0), ("0.8", 100), ("0.3", 400)))
    from datetime import timedelta

    assert about.lowest_since(timedelta(days=180)) == Decimal("0.8")
    assert course(*series(("0.9", 0))).lowest_since(timedelta(days=180)) is None


NULL = finding("DUFFY", "duffy-null")
POSITIVE = finding("DUFFY", "duffy-positive")


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([NULL], True),
        ([POSITIVE], False),
        ([], None),
        ([finding("DUFFY_GENOTYPE", "duffy-null")], True),
        ([NULL, finding("DUFFY_GENOTYPE", "duffy-positive")], False),
        ([POSITIVE, finding("DUFFY_GENOTYPE", "duffy-null")], True),
        ([NULL, POSITIVE], True),
        ([problem("duffy-null-neutropenia")], True),
        ([problem("duffy-null-neutropenia", active=False)], None),
        ([finding("DUFFY", "duffy-null", final=False)], None),
        ([finding("DUFFY", "duffy-null", days=-1)], None),
    ],
)
def test_is_duffy_null_by_genotype_then_phenotype_or_coded_condition(things, expected):
    assert value("duffy_null", situation(*things)) is expected


@pytest.mark.parametrize(
    ("things", "suppressed"),
    [
        ([anc("1.2")], True),
        ([anc("1.19")], False),
        ([anc("1.49")], True),
        ([anc("1.5")], False),
        ([], False),
        ([anc("1.3", comparator="<")], False),
        ([anc("1.3", 2), wbc("1.4")], False),
        ([anc("1.3"), wbc("1.25")], False),
        (series(("1.2", 0), ("1.5", 30), ("1.7", 60)), False),
        (series(("1.2", 0), ("1.6", 90), ("1.6", 730)), True),
        (series(("1.2", 0), ("1.61", 90), ("1.61", 730)), False),
        (series(("1.2", 0), ("2.5", 90)), True),
        (series(("1.2", 0), ("2.5", 89), ("2.5", 200)), True),
        (series(("1.2", 0), ("2.5", 200), ("2.5", 731)), True),
        ([anc("1.2"), order(METHIMAZOLE, start=180)], False),
        ([anc("1.2"), order(METHIMAZOLE, start=180.5)], True),
        ([anc("1.2"), order(METHIMAZOLE)], False),
        ([anc("1.2"), problem("pneumonia", 365), problem("bronchitis", 10, active=False)], False),
        ([anc("1.2"), problem("pneumonia", 366), problem("bronchitis", 10)], True),
    ],
)
def test_suppresses_for_duffy_null_only_where_nothing_else_may_explain(things, suppressed):
    assert value("duffy_suppressed", situation(NULL, *things)) is suppressed


def test_suppresses_nothing_where_duffy_status_or_problems_are_unknown():
    assert value("duffy_suppressed", situation(anc("1.3"))) is None
    assert value("duffy_suppressed", situation(anc("1.3"), POSITIVE)) is False
    assert value("duffy_suppressed", situation(anc("1.3"), NULL, unavailable=("conditions",))) is None
    assert value("duffy_suppressed", situation(anc("1.3"), NULL, unavailable=("medicationRequests",))) is None


def test_suppresses_from_the_sites_own_limit():
    low = SitePolicy(duffy_null_anc=Decimal("1.0"))
    assert value("duffy_suppressed", situation(anc("1.0"), NULL, policy=low)) is True


@pytest.mark.parametrize(
    ("things", "stable"),
    [
        (series(("0.9", 0), ("0.9", 90), ("0.9", 180)), True),
        (series(("0.9", 0), ("0.9", 90), ("0.9", 179)), False),
        (series(("0.9", 0), ("0.9", 180)), False),
        (series(("0.8", 0), ("0.8", 90), ("0.8", 180)), True),
        (series(("0.79", 0), ("0.8", 90), ("0.8", 180)), False),
        (series(("0.9", 0), ("0.79", 90), ("0.9", 180)), False),
        (series(("1.0", 0), ("0.9", 90), ("0.9", 180)), False),
        (series(("0.9", 0), ("0.9", 90), ("0.9", 731)), False),
        (series(("0.9", 0), ("1.2", 90), ("0.9", 200)), False),
        ([*series(("0.9", 0), ("0.9", 90), ("0.9", 180)), problem("sepsis", 20), problem("sinusitis", 90)], False),
        ([anc("0.9", comparator="<"), *series(("0.9", 90), ("0.9", 180))], False),
    ],
)
def test_is_duffy_stable_by_three_results_over_180_days(things, stable):
    assert value("duffy_stable", situation(NULL, *things)) is stable
