"""Draws: how numbers are written, which results are of one draw, and the words of conflicts within one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.draws import Conflict, Count, apart, draws, neutrophil_counts, newest, plain, same_draw
from tests.unit.clinical.charts import NOW, NUMBERS, anc, back, bare_date, lab, timedelta, wbc


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("1.200", "1.2"),
        ("1.0", "1.0"),
        ("1.000", "1.0"),
        ("1.050", "1.05"),
        ("0.001", "0.001"),
        ("100", "100"),
        ("100.0", "100.0"),
        ("1E+2", "100"),
        ("1E-7", "0.0000001"),
        ("0.0500", "0.05"),
    ],
)
def test_a_number_is_written_without_exponent_and_needless_zeros(number, written):
    assert plain(Decimal(number)) == written


@pytest.mark.parametrize(("minutes", "same"), [(0, True), (15, True), (15.1, False)])
def test_results_15_minutes_apart_are_of_one_draw_whichever_comes_first(minutes, same):
    first, second = back(minutes=60), back(minutes=60 + minutes)
    assert (same_draw(first, second, NUMBERS), same_draw(second, first, NUMBERS)) == (same, same)
    day = bare_date(1)
    assert same_draw(day, bare_date(1), NUMBERS)
    assert not same_draw(day, bare_date(3), NUMBERS)


def test_results_are_grouped_in_order_of_time():
    labs = [anc("1", back(minutes=m)) for m in (0, 10, 60, 70, 200)]
    assert [[m.taken for m in group] for group in draws(labs, NUMBERS)] == [
        [labs[4].taken],
        [labs[3].taken, labs[2].taken],
        [labs[1].taken, labs[0].taken],
    ]


def test_a_result_with_a_specimen_joins_the_draw_without_one_near_it():
    labs = [
        wbc("9", back(minutes=300)),
        wbc("5", back(minutes=20), specimen="s1"),
        wbc("6", back(minutes=10)),
        lab("NEUT_PCT", "50", back(minutes=200)),
        lab("NEUT_PCT", "40", back(minutes=195), specimen="s2"),
    ]
    assert [[str(m.value) for m in group] for group in draws(labs, NUMBERS)] == [["9"], ["50", "40"], ["5", "6"]]


def conflicts(*labs):
    return neutrophil_counts(labs, NUMBERS, NOW)[1]


def count(number, source, **more):
    return Count(Decimal(number), back(0), (source,), shown=number, **more)


def test_conflicts_within_draws_name_both_results_and_say_why():
    older = [anc("3.0", 2, source="Observation/b"), wbc("2.0", 2, source="Observation/y")]
    newer = [anc("2.5", 0, source="Observation/a"), wbc("2.0", 0, source="Observation/w")]
    words = "the neutrophil count is higher than the WBC of the same draw"
    found = conflicts(*newer, *older)
    assert found[1] == Conflict(count("2.5", "Observation/a"), count("2.0", "Observation/w"), words)
    assert [(c.first.source, c.second.source, c.why) for c in found] == [
        ("Observation/b", "Observation/y", words),
        ("Observation/a", "Observation/w", words),
    ]


def test_a_measured_and_a_calculated_count_that_differ_are_named():
    (found,) = conflicts(
        anc("1.0", source="Observation/a"),
        wbc("5.0", source="Observation/w"),
        lab("NEUT_PCT", "50", source="Observation/n"),
    )
    assert (found.first.source, found.second.sources) == ("Observation/a", ("Observation/w", "Observation/n"))
    assert (found.first.value, found.second.value) == (Decimal("1.0"), Decimal("2.5"))
    assert found.why == "measured and calculated neutrophil count of one draw differ"


@pytest.mark.parametrize("analyte", ["ANC", "WBC"])
def test_a_bound_that_says_too_little_takes_no_part_in_a_draw(analyte):
    """ "<5.0" is no count, and does not divide the results beside it into draws."""
    vague = lab(analyte, "5.0", back(minutes=20), comparator="<")
    beside = [wbc("4.0", back(minutes=10)), lab("NEUT_PCT", "50", back(minutes=0))]
    found, _ = neutrophil_counts([vague, *beside], NUMBERS, NOW)
    assert [one.value for one in found] == [Decimal(2)]


def test_the_newest_of_equally_late_counts_is_the_lower():
    low, high, old = count("0.4", "a"), count("0.9", "b"), Count(Decimal("0.1"), back(1), ("c",))
    assert newest([high, low, old]) == newest([low, high, old]) == low
    assert newest([]) is None


def test_moments_that_overlap_are_not_apart():
    assert apart(back(1), back(1)) == timedelta(0)
    assert apart(bare_date(1), bare_date(1)) == timedelta(0)
    assert apart(back(1), back(3)) == apart(back(3), back(1)) == timedelta(days=2)
