"""Courses of parenteral beta-lactams: what joins them, how long they are, what is given by weight."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.drug_table import DefaultRoute
from cds_service.clinical.facts import DrugCase
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import (
    CEFTRIAXONE,
    NOW,
    anc,
    ask,
    back,
    bare_date,
    draft,
    drug,
    drug_case,
    lab,
    order,
    situation,
    value,
    wbc,
)

CLASS = {"mechanism_group": "antibiotic-betalactam", "drug_class": "beta-lactam antibiotic"}
CEFAZOLIN = drug("cefazolin", default_route=DefaultRoute.PARENTERAL, **CLASS)
NAFCILLIN = drug("nafcillin", default_route=DefaultRoute.PARENTERAL, **CLASS)
PENICILLIN = drug("penicillin G", default_route=DefaultRoute.PARENTERAL, **CLASS)
AMOXICILLIN = drug("amoxicillin", default_route=DefaultRoute.ORAL, **CLASS)
MEROPENEM = drug(
    "meropenem", default_route=DefaultRoute.PARENTERAL, mechanism_group="antibiotic-betalactam", drug_class="carbapenem"
)
VANCOMYCIN = drug("vancomycin", mechanism_group="antibiotic", default_route=DefaultRoute.PARENTERAL)


def ordering(*things, what=CEFAZOLIN, unavailable=(), **more) -> DrugCase:
    """A draft of a beta-lactam beside what is on file."""
    new = draft(what, **more)
    return drug_case(situation(*things, new, hook="order-sign", unavailable=unavailable), new)


def taking(*things, what=CEFAZOLIN, **more) -> DrugCase:
    """An active order of a beta-lactam beside what else is on file."""
    one = order(what, **more)
    return drug_case(situation(*things, one), one)


@pytest.mark.parametrize(
    ("what", "route", "parenteral"),
    [
        (CEFAZOLIN, Route.UNKNOWN, True),
        (CEFAZOLIN, Route.PARENTERAL, True),
        (CEFAZOLIN, Route.ORAL, False),
        (AMOXICILLIN, Route.UNKNOWN, False),
        (AMOXICILLIN, Route.PARENTERAL, True),
        (CEFTRIAXONE, Route.UNKNOWN, False),
        (VANCOMYCIN, Route.PARENTERAL, False),
    ],
)
def test_a_beta_lactam_is_parenteral_by_its_route_else_by_its_usual_one(what, route, parenteral):
    case = taking(what=what, start=3, route=route)
    assert ask("drug.parenteral_beta_lactam", case) == Known(parenteral, sources=(case.order.source,))


@pytest.mark.parametrize(
    ("earlier", "days"),
    [
        ([], 5),
        ([order(NAFCILLIN, "completed", start=12, end=6)], 12),
        ([order(NAFCILLIN, "completed", start=12, end=7)], 12),
        ([order(NAFCILLIN, "completed", start=12, end=back(days=7, minutes=1))], 5),
        ([order(NAFCILLIN, "stopped", start=12, end=6)], 12),
        ([order(NAFCILLIN, "on-hold", start=12, end=6)], 12),
        ([order(NAFCILLIN, "cancelled", start=12, end=6)], 5),
        ([order(NAFCILLIN, "draft", start=12)], 5),
        ([order(NAFCILLIN, start=12)], 12),
        ([order(NAFCILLIN, "completed", start=7)], 7),
        ([order(NAFCILLIN, "completed", start=7.1)], 5),
        ([order(NAFCILLIN, "completed", end=6)], 5),
        ([order(NAFCILLIN, "completed", authored=back(days=12), end=6)], 12),
        ([order(NAFCILLIN, "completed", start=12, end=bare_date(7))], 12),
        ([order(NAFCILLIN, "completed", start=12, end=bare_date(8))], 5),
        ([replace(order(MEROPENEM, start=12), drugs=(MEROPENEM, NAFCILLIN))], 12),
        ([order(MEROPENEM, start=12)], 5),
        ([order(AMOXICILLIN, start=12)], 5),
        ([order(CEFAZOLIN, start=3)], 5),
        ([order(NAFCILLIN, "completed", start=9, end=6), order(CEFAZOLIN, "completed", start=20, end=10)], 20),
        ([order(CEFAZOLIN, "completed", start=20, end=12), order(NAFCILLIN, "completed", start=9, end=6)], 9),
    ],
)
def test_orders_of_a_class_with_short_gaps_are_one_course(earlier, days):
    assert value("drug.course_days", taking(*earlier, start=5)) == days


@pytest.mark.parametrize(("start", "days"), [(6.4, 6), (6.6, 7), (bare_date(7), 8), (None, None)])
def test_a_day_of_treatment_is_a_whole_day(start, days):
    assert value("drug.course_days", taking(start=start)) == days


def test_a_course_day_names_the_start_and_the_order():
    case = taking(start=5)
    assert ask("drug.course_days", case) == Known(Decimal(5), back(days=5), (case.order.source,))


def test_the_date_of_the_order_stands_in_for_an_unknown_start():
    assert value("drug.course_days", taking(authored=back(days=4))) == 4


@pytest.mark.parametrize(
    ("things", "more", "so_far", "total"),
    [
        ([], {"planned_days": Decimal(14)}, 0, 14),
        ([], {"planned_days": Decimal(14), "authored": back(days=3)}, 0, 14),
        ([], {"planned_days": Decimal(14), "start": -1}, 0, 14),
        ([], {"planned_days": Decimal(14), "start": 2}, 2, 14),
        ([], {}, 0, None),
        ([order(NAFCILLIN, start=7)], {"planned_days": Decimal(7)}, 7, 14),
        ([order(NAFCILLIN, start=7)], {"planned_days": Decimal(7), "start": -3}, 7, 14),
        ([order(NAFCILLIN, start=7)], {"planned_days": Decimal(7), "start": 2}, 7, 12),
        ([order(NAFCILLIN, start=7)], {"planned_days": Decimal(7), "start": bare_date(2)}, 7, 11),
        ([order(NAFCILLIN, "completed", start=9, end=1)], {"planned_days": Decimal(7), "start": -1}, 9, 16),
        ([order(NAFCILLIN, "completed", start=9, end=1)], {"planned_days": Decimal(7), "start": -1.1}, 0, 7),
        ([order(NAFCILLIN, start=7)], {}, 7, None),
    ],
)
def test_a_draft_continues_the_course_on_file(things, more, so_far, total):
    case = ordering(*things, **more)
    assert (value("drug.course_days", case), value("drug.total_course_days", case)) == (so_far, total)


def test_without_the_drug_list_only_the_planned_days_are_known():
    case = ordering(unavailable=("medicationRequests",), planned_days=Decimal(13))
    assert ask("drug.course_days", case) == Unknown(frozenset({"medicationRequests"}))
    assert ask("drug.total_course_days", case) == Known(Decimal(13), sources=(case.order.source,))


def test_an_active_order_keeps_its_days_without_the_rest_of_the_list():
    one = order(CEFAZOLIN, start=8)
    about = situation(one, unavailable=("medicationRequests",))
    assert value("drug.course_days", drug_case(about, one)) == 8


@pytest.mark.parametrize(
    ("things", "more", "words"),
    [
        ([], {"planned_days": Decimal(42)}, "for 42 days"),
        ([order(NAFCILLIN, start=7)], {"planned_days": Decimal(7)}, "for 14 days in all, 7 so far"),
        ([order(NAFCILLIN, start=7)], {}, "on day 7, length not stated"),
        ([], {}, "of no stated length"),
    ],
)
def test_says_how_long_a_course_is(things, more, words):
    assert value("drug.course_words", ordering(*things, **more)) == words


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        ([anc("1.2", 0), anc("1.6", 10)], Decimal("0.75")),
        ([anc("1.2", 0), anc("2.4", 4), anc("1.6", 10)], Decimal("0.75")),
        ([anc("1.2", 0), anc("1.6", 5)], None),
        ([anc("1.2", 0), anc("1.6", back(days=5, minutes=1))], Decimal("0.75")),
        ([anc("1.2", 0), anc("1.6", bare_date(5))], None),
        ([anc("1.2", 0), anc("1.6", bare_date(6))], Decimal("0.75")),
        ([anc("1.2", 0), anc("0", 10)], None),
        ([anc("1.6", 40)], None),
        ([], None),
    ],
)
def test_compares_with_the_last_count_from_before_the_course(counts, share):
    assert value("drug.share_of_earlier_count", taking(*counts, start=5)) == share


def test_a_count_of_the_day_a_course_began_is_not_from_before_it():
    counts = (anc("1.2", 0), anc("1.6", back(days=5, minutes=1)))
    assert value("drug.share_of_earlier_count", taking(*counts, start=bare_date(5))) is None


def test_cannot_compare_counts_that_are_unavailable_or_a_course_without_a_start():
    one = order(CEFAZOLIN, start=5)
    about = situation(one, anc("0.8"), anc("1.6", 10), unavailable=("cellCounts",))
    assert ask("drug.share_of_earlier_count", drug_case(about, one)) == Unknown(frozenset({"cellCounts"}))
    assert value("drug.share_of_earlier_count", taking(anc("1.2"), anc("1.6", 10))) is None


@pytest.mark.parametrize(
    ("things", "unavailable", "known"),
    [
        ([anc("4", 7)], (), True),
        ([anc("4", back(days=7, minutes=1))], (), False),
        ([anc("4", bare_date(7))], (), False),
        ([anc("4", bare_date(6))], (), True),
        ([anc("4", 1, final=False)], (), False),
        ([wbc("6", 1)], (), False),
        ([], (), False),
        ([], ("cellCounts",), None),
    ],
)
def test_a_recent_count_is_final_and_surely_within_7_days(things, unavailable, known):
    assert value("count_within_7_days", situation(*things, unavailable=unavailable)) is known


@pytest.mark.parametrize(
    ("what", "more", "grams", "shown"),
    [
        (CEFAZOLIN, {"daily_dose_mg": Decimal(12000)}, "12", "12"),
        (CEFAZOLIN, {"daily_dose_mg": Decimal(11999)}, "11.999", "11.99"),
        (CEFAZOLIN, {"daily_dose_mg": Decimal("6000.0")}, "6", "6"),
        (PENICILLIN, {"daily_dose_mu": Decimal("24.000000")}, "14.4", "24 million units = 14.4"),
        (PENICILLIN, {"daily_dose_mu": Decimal(24), "daily_dose_mg": Decimal(9000)}, "9", "9"),
        (CEFAZOLIN, {"daily_dose_mu": Decimal(24)}, None, None),
        (PENICILLIN, {}, None, None),
    ],
)
def test_the_daily_dose_is_in_grams(what, more, grams, shown):
    answer = ask("drug.grams_per_day", ordering(what=what, **more))
    assert (None if isinstance(answer, Unknown) else (answer.value, answer.shown)) == (
        None if grams is None else (Decimal(grams), shown)
    )


@pytest.mark.parametrize(
    ("weights", "kilograms"),
    [
        ([lab("WEIGHT", "60", 1)], "60"),
        ([lab("WEIGHT", "60", 1), lab("WEIGHT", "80", 400)], "60"),
        ([lab("WEIGHT", "80", 400), lab("WEIGHT", "60", 1)], "60"),
        ([lab("WEIGHT", "80", 400)], "80"),
        ([lab("WEIGHT", None, 1), lab("WEIGHT", "80", 400)], "80"),
        ([lab("WEIGHT", "60", 1, comparator=">"), lab("WEIGHT", "80", 400)], "80"),
        ([lab("WEIGHT", "60", Moment.at(NOW + timedelta(minutes=1))), lab("WEIGHT", "80", 400)], "80"),
        ([lab("PLT", "60", 1)], None),
        ([], None),
    ],
)
def test_weighs_by_the_newest_usable_weight(weights, kilograms):
    about = situation(*weights)
    assert value("weight", about) == (None if kilograms is None else Decimal(kilograms))
    assert value("weight_on_file", about) is (kilograms is not None)


def test_a_weight_is_not_known_where_vital_signs_are_unavailable():
    about = situation(unavailable=("vitalSigns",))
    assert ask("weight", about) == Unknown(frozenset({"vitalSigns"}), "no usable weight")
    assert ask("weight_on_file", about) == Unknown(frozenset({"vitalSigns"}))


@pytest.mark.parametrize(
    ("weight", "milligrams", "by_weight", "shown"),
    [
        ("60", 12000, "200", "200"),
        ("60", 11999, None, "199"),
        ("80", 2000, "25", "25"),
        ("90", 8000, None, "88"),
    ],
)
def test_the_dose_by_weight_is_never_printed_higher_than_it_is(weight, milligrams, by_weight, shown):
    weighed = lab("WEIGHT", weight, 2)
    case = ordering(weighed, daily_dose_mg=Decimal(milligrams))
    answer = ask("drug.mg_per_kg_day", case)
    assert isinstance(answer, Known)
    assert (answer.shown, answer.at, answer.sources) == (shown, weighed.taken, (case.order.source, weighed.source))
    assert answer.value == (Decimal(by_weight) if by_weight else Decimal(milligrams) / Decimal(weight))


def test_the_dose_by_weight_says_what_is_missing():
    dosed = {"daily_dose_mg": Decimal(12000)}
    assert ask("drug.mg_per_kg_day", ordering(**dosed)) == Unknown(frozenset(), "dose or weight not known")
    assert ask("drug.mg_per_kg_day", ordering(lab("WEIGHT", "60"))) == Unknown(frozenset(), "dose or weight not known")
    unweighed = ordering(unavailable=("vitalSigns",), **dosed)
    assert ask("drug.mg_per_kg_day", unweighed) == Unknown(frozenset({"vitalSigns"}), "dose or weight not known")


@pytest.mark.parametrize(
    ("things", "more", "words"),
    [
        ([lab("WEIGHT", "60")], {"daily_dose_mg": Decimal(12000)}, "200 mg/kg/day"),
        ([], {"daily_dose_mg": Decimal(12000)}, "12 g/day at unknown weight"),
        ([lab("WEIGHT", "60")], {}, "daily dose not known"),
    ],
)
def test_says_the_dose_by_weight_in_short(things, more, words):
    assert value("drug.dose_by_weight", ordering(*things, **more)) == words
