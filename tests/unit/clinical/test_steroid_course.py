"""Corticosteroid courses: dose equivalents, how long, across which orders, and what is not stated."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.steroid_course import SteroidCourse, equivalent, known_courses
from tests.unit.clinical.charts import NOW, NUMBERS, ask, back, bare_date, draft, drug, order, situation, value

LOOKBACK = Decimal(30)
FACT = "steroid_immunosuppression"


def steroid(name):
    return drug(name, mechanism_group="corticosteroid", serology_lookback_days=LOOKBACK)


PREDNISONE = steroid("prednisone (systemic corticosteroids)")


def pred(mg, start=None, end=None, what=PREDNISONE, **more):
    dose = None if mg is None else Decimal(mg)
    return order(what, more.pop("status", "active"), start=start, end=end, daily_dose_mg=dose, **more)


@pytest.mark.parametrize(
    ("name", "mg", "expected"),
    [
        ("prednisone (systemic corticosteroids)", "20", "20"),
        ("prednisolone", "20", "20"),
        ("methylprednisolone", "16", "20"),
        ("dexamethasone", "3", "20.1"),
    ],
)
def test_the_prednisone_equivalent(name, mg, expected):
    what = steroid(name)
    assert equivalent(pred(mg, what=what), what, NUMBERS) == Decimal(expected)


def test_there_is_no_equivalent_without_a_dose_or_a_factor():
    assert equivalent(pred(None), PREDNISONE, NUMBERS) is None
    hydrocortisone = replace(pred("100"), name="Hydrocortisone 20 MG Oral Tablet")
    assert equivalent(hydrocortisone, PREDNISONE, NUMBERS) is None


@pytest.mark.parametrize(("mg", "start", "counts"), [("20", 14, True), ("19.99", 14, False), ("20", 13.99, False)])
def test_the_dose_and_the_days_that_count(mg, start, counts):
    assert value(FACT, situation(pred(mg, start))) is counts


@pytest.mark.parametrize(("end", "counts"), [(30, True), (30.01, False)])
def test_a_course_counts_for_a_while_after_its_end(end, counts):
    assert value(FACT, situation(pred("40", 60, end, status="completed"))) is counts
    assert value(FACT, situation(pred("40", 60, end))) is counts


def test_the_sources_are_the_orders_of_the_course():
    about = situation(pred("5", 5), pred("20", 20))
    answer = ask(FACT, about)
    assert isinstance(answer, Known)
    assert set(answer.sources) == {o.source for o in about.chart.orders}
    alone = situation(pred("20", 20), pred("40", 90, 60, status="completed"))
    assert ask(FACT, alone).sources == (alone.chart.orders[0].source,)


def test_a_taper_is_one_course():
    first, second = pred("40", 16, 8, status="completed"), pred("20", 8)
    assert known_courses(situation(first, second)) == [
        SteroidCourse(back(16).latest, NOW, (first.source, second.source))
    ]
    assert value(FACT, situation(pred("40", 16, 8, status="completed"), pred("19", 8))) is False


@pytest.mark.parametrize(("end", "counts"), [(10, True), (10.01, False)])
def test_a_gap_of_two_days_does_not_break_a_course(end, counts):
    assert value(FACT, situation(pred("40", 16, end, status="completed"), pred("40", 8))) is counts


def test_orders_at_the_same_time_add_up():
    assert value(FACT, situation(pred("15", 20), pred("5", 20))) is True
    assert value(FACT, situation(pred("15", 20), pred("4.9", 20))) is False
    assert value(FACT, situation(pred("15", 20), pred("5", 13))) is False


@pytest.mark.parametrize(
    "one",
    [
        pred("40", 90, status="cancelled", end=3),
        pred("40", 90, status="draft"),
        pred("40", 90, route=Route.LOCAL),
        pred("40", 90, route=Route.INTRATHECAL),
        pred("40", back(days=-1)),
        order(drug("other"), start=90, daily_dose_mg=Decimal(40)),
        replace(pred("40", 90), draft=True),
    ],
    ids=["cancelled", "draft status", "local", "intrathecal", "future", "other drug", "draft"],
)
def test_what_is_no_course(one):
    assert value(FACT, situation(one)) is False


def test_a_held_or_stopped_course_counts_to_its_end():
    for status in ("on-hold", "stopped", "completed"):
        assert value(FACT, situation(pred("40", 40, 20, status=status))) is True


def test_of_a_bare_date_the_longer_reading_counts():
    assert value(FACT, situation(pred("20", bare_date(14)))) is True
    assert value(FACT, situation(pred("20", bare_date(13)))) is False


def test_an_end_that_lies_ahead_is_no_longer_course():
    assert value(FACT, situation(pred("20", 10, back(days=-20)))) is False
    assert value(FACT, situation(pred("20", 15, back(days=-20)))) is True


@pytest.mark.parametrize(
    "one",
    [
        pred(None, 14),
        pred("20", status="active"),
        pred("40", 40, status="completed"),
        replace(pred("30", 90), name="hydrocortisone"),
    ],
    ids=["dose", "start", "end", "factor"],
)
def test_what_is_not_stated_is_not_known(one):
    answer = ask(FACT, situation(one))
    assert isinstance(answer, Unknown)
    assert answer.missing == frozenset()


@pytest.mark.parametrize(
    "one",
    [pred(None, 13.9), pred("19", status="active"), pred("19", 40, status="completed"), pred(None, 90, 40)],
    ids=["too short", "too low, no start", "too low, no end", "too long ago"],
)
def test_what_is_not_stated_but_can_make_no_difference(one):
    assert value(FACT, situation(one)) is False


def test_what_is_known_outweighs_what_is_not_stated():
    assert value(FACT, situation(pred(None, 90), pred("20", 20))) is True


def test_the_date_of_writing_stands_in_for_the_start():
    assert value(FACT, situation(pred("20", authored=back(20)))) is True


def test_the_drug_list_that_is_unavailable():
    key = PrefetchKey.MEDICATION_REQUESTS
    assert ask(FACT, situation(unavailable=(key,))) == Unknown(frozenset({key}))
    assert value(FACT, situation(pred("20", 20), unavailable=(key,))) is True


def test_a_steroid_that_is_only_drafted_is_no_exposure():
    assert (
        value(FACT, situation(draft(PREDNISONE, daily_dose_mg=Decimal(60), start=back(20)), hook="order-sign")) is False
    )
