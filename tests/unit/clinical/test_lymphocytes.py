"""Lymphocyte counts draw by draw, and whether a low leukocyte count is lymphopenia with enough neutrophils."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.lymphocytes import lymphocyte_counts
from tests.unit.clinical.charts import NOW, NUMBERS, anc, ask, back, lab, situation, value, wbc


def counts(*measurements):
    return lymphocyte_counts(measurements, NUMBERS, NOW)


def alc(number: str | None, days=0, **more):
    return lab("ALC", number, days, **more)


def share(number: str, days=0, **more):
    return lab("LYMPH_PCT", number, days, **more)


def test_a_measured_count_goes_before_a_calculated_one():
    found = counts(wbc("3", 1), share("20", 1), alc("0.7", 1))
    assert [(c.value, c.derived) for c in found] == [(Decimal("0.7"), False)]


def test_calculates_from_the_leukocytes_of_the_same_draw():
    cells, part = wbc("2.5", 1), share("28", 1)
    (found,) = counts(cells, part)
    assert (found.value, found.shown, found.derived) == (Decimal("0.7"), "0.7", True)
    assert found.sources == (cells.source, part.source)
    assert not found.upper_bound


@pytest.mark.parametrize(("apart", "number"), [(15, 1), (16, 0)])
def test_a_share_of_another_draw_is_not_used(apart, number):
    assert len(counts(wbc("3", back(hours=2)), share("20", back(hours=2, minutes=-apart)))) == number


def test_values_reported_twice_give_the_lowest_count():
    (found,) = counts(wbc("3", 1), wbc("2", 1), share("30", 1), share("20", 1))
    assert found.value == Decimal("0.4")


def test_each_draw_gives_its_count():
    found = counts(wbc("3", 1), share("20", 1), alc("0.9", 5), wbc("2", 9))
    assert sorted(c.value for c in found) == [Decimal("0.6"), Decimal("0.9")]


def test_nothing_is_calculated_from_half_of_it():
    assert counts(wbc("3", 1)) == []
    assert counts(share("20", 1)) == []


def test_what_cannot_be_used_is_left_out():
    assert counts(alc(None, 1), alc("0.6", -1), alc("2", 1, comparator="<"), alc("0.6", 1, comparator=">")) == []
    assert counts(wbc("3", 1), share("20", 1, comparator=">")) == []
    assert counts(wbc("3", 1), share("20", 1, comparator=">=")) == []


@pytest.mark.parametrize("other", [alc(None, back(minutes=25)), lab("HGB", "12", back(minutes=25))])
def test_other_and_unusable_results_do_not_pull_a_draw_apart(other):
    (found,) = counts(other, wbc("3", back(minutes=12)), share("20", back(minutes=5)))
    assert found.value == Decimal("0.6")


def test_a_share_of_the_future_is_left_out():
    assert counts(wbc("3", back(minutes=5)), share("20", back(minutes=-5))) == []


def test_upper_limits_stay_upper_limits():
    (measured,) = counts(alc("1.0", 1, comparator="<"))
    assert measured.value < Decimal(1)
    (by_share,) = counts(wbc("3", 1), share("10", 1, comparator="<"))
    assert (by_share.upper_bound, by_share.shown) == (True, "<0.3")
    (by_cells,) = counts(wbc("1", 1, comparator="<"), share("50", 1))
    assert by_cells.upper_bound
    assert by_cells.value < Decimal("0.5")


@pytest.mark.parametrize(("cells", "part", "final"), [(True, True, True), (False, True, False), (True, False, False)])
def test_a_calculated_count_is_final_where_both_parts_are(cells, part, final):
    (found,) = counts(wbc("3", 1, final=cells), share("20", 1, final=part))
    assert found.final is final


# The fact: the count beside the newest leukocytes


@pytest.mark.parametrize(("hours", "expected"), [(24, "0.6"), (24.1, None), (-24, "0.6"), (-24.1, None)])
def test_lymphocytes_are_those_of_the_time_of_the_newest_leukocytes(hours, expected):
    found = value("lymphocytes", situation(wbc("2.9", 2), alc("0.6", back(hours=48 + hours))))
    assert found == (Decimal(expected) if expected else None)


def test_the_newest_final_lymphocytes_count():
    about = situation(wbc("2.9", 2), alc("0.5", 2.5), alc("0.8", 2), alc("0.3", 1.9, final=False))
    assert value("lymphocytes", about) == Decimal("0.8")


def test_preliminary_lymphocytes_count_where_there_are_no_final_ones():
    about = situation(wbc("2.9", 2), alc("0.5", 2.5, final=False), alc("0.8", 2, final=False))
    assert value("lymphocytes", about) == Decimal("0.8")


def test_lymphocytes_are_not_known_without_leukocytes_or_counts():
    assert ask("lymphocytes", situation(alc("0.6", 1))) == Unknown(note="no usable count on file")
    assert ask("lymphocytes", situation(wbc("2.9", 1))) == Unknown(note="no usable count on file")
    gap = situation(wbc("2.9", 1), alc("0.6", 1), unavailable=(PrefetchKey.CELL_COUNTS,))
    assert ask("lymphocytes", gap) == Unknown(frozenset({PrefetchKey.CELL_COUNTS}))


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([wbc("2.9", 1), anc("1.9", 1)], True),
        ([wbc("2.9", 1), anc("1.9", 2)], True),
        ([wbc("2.9", 1), anc("1.9", 2.1)], False),
        ([wbc("2.9", 2), anc("1.9", 1)], True),
        ([wbc("2.9", 2.1), anc("1.9", 1)], False),
        ([wbc("2.9", 5), anc("1.2", 5), anc("1.9", 1)], False),
        ([wbc("1.9", 1), anc("3.0", 1)], False),
        ([wbc("2.9", 1), anc("1.4", 1, comparator="<")], False),
        ([wbc("2.9", 1)], False),
        ([anc("1.9", 1)], False),
    ],
)
def test_the_neutrophils_in_force_must_be_counted_at_the_time_of_the_leukocytes(things, expected):
    assert value("anc_beside_wbc", situation(*things)) is expected


def test_neutrophils_beside_the_leukocytes_name_their_source():
    count = anc("1.9", 1)
    answer = ask("anc_beside_wbc", situation(wbc("2.9", 1), count))
    assert isinstance(answer, Known)
    assert (answer.sources, answer.at) == ((count.source,), count.taken)


def test_neutrophils_beside_the_leukocytes_are_not_known_from_incomplete_counts():
    gap = situation(wbc("2.9", 1), anc("1.9", 1), unavailable=(PrefetchKey.CELL_COUNTS,))
    assert value("anc_beside_wbc", gap) is None
    assert value("anc_beside_wbc", situation(unavailable=(PrefetchKey.CELL_COUNTS,))) is None


def test_the_lowest_share_counts_and_of_equal_ones_either():
    """Two shares of one draw, also the same one twice (a corrected report beside the first)."""
    for shares in (("30", "20"), ("20", "30"), ("20", "20")):
        labs = [wbc("5.0"), *(lab("LYMPH_PCT", share) for share in shares)]
        (count,) = lymphocyte_counts(labs, NUMBERS, NOW)
        assert (count.value, count.derived, count.shown) == (Decimal(1), True, "1")
