"""C-UNIT comparators, C-VALID, C-ANC and C-FRESH: which count grades, which bounds, which contradict each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.conditions import ConditionCompiler, Truth
from cds_service.clinical.counts import Counts
from cds_service.clinical.draws import Count
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import NOW, NUMBERS, Known, anc, ask, back, bare_date, chart, lab, situation, value, wbc


def counts(*labs, **more) -> Counts:
    return Counts(chart(*labs, **more), NOW, NUMBERS)


def in_force(*labs) -> Decimal | None:
    count = counts(*labs).in_force
    return None if count is None else count.value


def below(limit: str, *labs) -> Truth:
    """Whether a rule sees the count in force below a limit."""
    condition = ConditionCompiler({"x": Decimal(limit)}, for_drug=False).compile("anc < limits.x")
    about = situation(*labs)
    return condition.judge(lambda name: ask(name, about))


@pytest.mark.parametrize(
    ("number", "comparator", "expected"),
    [
        ("0.5", "<", "usable"),
        ("0.5", "<=", "usable"),
        ("1.49", "<", "usable"),
        ("1.5", "<", "unusable"),
        ("1.5", "<=", "unusable"),
        ("1.49", ">", "unusable"),
        ("1.49", ">=", "unusable"),
        ("1.5", ">", "usable"),
        ("20", ">=", "usable"),
        ("0.5", None, "usable"),
    ],
)
@pytest.mark.parametrize("analyte", ["ANC", "WBC"])
def test_uses_a_comparator_only_where_it_says_enough(analyte, number, comparator, expected):
    about = counts(lab(analyte, number, comparator=comparator))
    used = about.in_force if analyte == "ANC" else about.white
    assert (used is not None) is (expected == "usable")
    assert bool(about.unusable((analyte,))) is (expected == "unusable")


@pytest.mark.parametrize("comparator", ["<", "<="])
@pytest.mark.parametrize("limit", ["0.1", "0.5", "1.0", "1.1"])
def test_takes_an_upper_bound_as_just_below_its_number(comparator, limit):
    assert below(limit, anc(limit, comparator=comparator)) is Truth.TRUE
    assert below(limit, anc(limit)) is Truth.FALSE


def test_prints_an_upper_bound_as_sent_and_marks_it():
    count = counts(anc("0.5", comparator="<")).in_force
    assert count is not None
    assert (count.shown, count.upper_bound) == ("<0.5", True)
    assert value("anc_upper_limit_only", situation(anc("0.5", comparator="<"))) is True


@pytest.mark.parametrize(
    ("labs", "expected"),
    [
        ([("ANC", "1.1"), ("WBC", "5"), ("SEGS_PCT", "22")], "1.1"),
        ([("WBC", "5"), ("SEGS_PCT", "20"), ("BANDS_PCT", "4"), ("NEUT_PCT", "90")], "1.2"),
        ([("WBC", "5"), ("NEUT_PCT", "20"), ("BANDS_PCT", "10")], "1.0"),
        ([("WBC", "5"), ("BANDS_PCT", "10")], None),
        ([("NEUT_PCT", "20")], None),
        ([("WBC", "5")], None),
        ([("ANC", None), ("WBC", "5"), ("NEUT_PCT", "20")], "1.0"),
        ([("WBC", "0"), ("NEUT_PCT", "0")], "0"),
    ],
)
def test_derives_a_count_in_the_fixed_order(labs, expected):
    found = in_force(*(lab(analyte, number, back(hours=3)) for analyte, number in labs))
    assert found == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(("minutes", "derived"), [(15, True), (16, False)])
def test_derives_within_one_draw_only(minutes, derived):
    found = in_force(wbc("5", back(hours=3)), lab("NEUT_PCT", "20", back(hours=3, minutes=minutes)))
    assert (found is not None) is derived


def test_groups_by_specimen_before_time():
    apart = [wbc("5", back(hours=3), specimen="s1"), lab("NEUT_PCT", "20", back(hours=9), specimen="s1")]
    assert in_force(*apart) == Decimal("1.0")
    mixed = [wbc("5", back(hours=3), specimen="s1"), lab("NEUT_PCT", "20", back(hours=3), specimen="s2")]
    assert in_force(*mixed) is None


def test_derives_an_upper_bound_from_a_bounded_wbc():
    count = counts(wbc("0.5", comparator="<"), lab("NEUT_PCT", "50")).in_force
    assert count is not None
    assert count.upper_bound
    assert count.derived
    assert count.shown.startswith("<0.2")


@pytest.mark.parametrize(
    ("direct", "percent", "conflict"),
    [("1.0", "24", False), ("1.0", "25", True), ("2.0", "48", False), ("2.0", "49", True), ("0.5", "14", False)],
)
def test_reports_direct_and_derived_that_differ_by_more_than_the_greater_of_a_fifth_and_one_fifth(
    direct, percent, conflict
):
    about = counts(anc(direct), wbc("5"), lab("NEUT_PCT", percent))
    assert bool(about.conflicts) is conflict


def test_keeps_both_counts_of_a_conflict_and_grades_by_the_lower():
    about = counts(anc("2.0"), wbc("5"), lab("NEUT_PCT", "20"))
    assert len(about.final) == 2
    assert about.in_force is not None
    assert about.in_force.value == Decimal("1.0")
    assert about.conflicts[0].source == about.conflicts[0].first.source


@pytest.mark.parametrize(("number", "conflict"), [("2.1", False), ("2.11", True)])
def test_reports_an_anc_above_the_wbc_of_its_draw(number, conflict):
    assert bool(counts(anc(number), wbc("2.0")).conflicts) is conflict


@pytest.mark.parametrize(
    ("results", "conflict"),
    [
        ([("0.9", 16), ("1.2", 0)], False),
        ([("0.9", 2), ("1.2", 0)], True),
        ([("0.9", 2.1), ("1.2", 0)], False),
        ([("0.8", 16), ("1.2", 0)], False),
        ([("0.79", 16), ("1.2", 0)], True),
        ([("1.1", 1), ("1.4", 0)], False),
        ([("0.5", 25), ("1.6", 0)], False),
    ],
)
def test_reports_a_conflict_of_bands_close_in_time_or_far_in_value(results, conflict):
    about = counts(*(anc(number, back(hours=hours)) for number, hours in results))
    assert bool(about.conflicts) is conflict


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([("0.9", 16), ("1.2", 0)], "0.9"),
        ([("0.9", 24), ("1.2", 0)], "0.9"),
        ([("0.9", 24.1), ("1.2", 0)], "1.2"),
        ([("1.2", 16), ("0.9", 0)], "0.9"),
        ([], None),
    ],
)
def test_grades_by_the_lowest_final_count_of_24_h(results, expected):
    found = in_force(*(anc(number, back(hours=hours)) for number, hours in results))
    assert found == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("preliminary", "hours", "expected"),
    [
        ("0.8", 0, "0.8"),
        ("0.8", 48, "0.8"),
        ("0.8", 72, "0.8"),
        ("0.8", 72.1, "1.2"),
        ("1.3", 0, "1.2"),
        ("1.2", 0, "1.2"),
    ],
)
def test_uses_a_preliminary_count_only_where_lower_and_at_most_24_h_older(preliminary, hours, expected):
    labs = [anc("1.2", back(hours=48)), anc(preliminary, back(hours=hours), final=False)]
    assert in_force(*labs) == Decimal(expected)


def test_uses_the_newest_preliminary_count_where_no_final_one_exists():
    about = counts(anc("0.8", 2, final=False), anc("1.3", 1, final=False))
    assert about.in_force is not None
    assert about.in_force.value == Decimal("1.3")
    assert about.available_within(timedelta(days=28)) is None


def test_prefers_a_final_derived_count_to_an_unconfirmed_direct_one_of_its_draw():
    about = counts(anc("1.6", final=False), wbc("5"), lab("NEUT_PCT", "30"))
    assert about.available_within(timedelta(days=1)) is not None
    assert about.in_force is not None
    assert about.in_force.value == Decimal("1.5")


def test_makes_a_derived_count_preliminary_where_one_part_is():
    about = counts(wbc("5"), lab("NEUT_PCT", "20", final=False))
    assert about.final == []
    assert value("clears_count", situation(wbc("5"), lab("NEUT_PCT", "20", final=False))) is False


def test_drops_results_of_the_future():
    assert in_force(anc("0.4", -1), anc("1.2", 1)) == Decimal("1.2")
    assert counts(wbc("1.0", -0.1)).white is None


@pytest.mark.parametrize(
    ("white", "hours", "expected"),
    [("1.0", 0, "1.0"), ("1.0", 24, "1.0"), ("1.0", 25, "2.0"), ("2.5", 0, "2.0"), ("2.0", 0, "2.0")],
)
def test_caps_the_anc_by_a_wbc_within_24_h(white, hours, expected):
    labs = [anc("2.0", back(hours=48)), wbc(white, back(hours=48 + hours))]
    assert in_force(*labs) == Decimal(expected)


def test_caps_by_the_newest_wbc_near_the_anc_even_where_a_later_one_is_normal():
    assert in_force(anc("2.0", 5), wbc("1.0", 5), wbc("6.0", 1)) == Decimal("1.0")


def test_dates_a_capped_count_by_the_later_of_the_two_results():
    count = counts(anc("2.0", 27.5), wbc("0.9", 28.4)).in_force
    assert count is not None
    assert count.taken == back(27.5)
    assert count.shown == "at most 0.9 (WBC)"
    assert value("anc_current", situation(anc("2.0", 27.5), wbc("0.9", 28.4))) is True


@pytest.mark.parametrize(
    ("labs", "bound"),
    [
        ([wbc("1.4")], "1.4"),
        ([wbc("1.5")], None),
        ([wbc("1.4"), anc("2.0", 2)], "1.4"),
        ([wbc("1.4", 2), anc("2.0", 1)], None),
        ([wbc("1.4", 3), anc("2.0", 1)], None),
        ([wbc("1.4"), anc("2.0", 1)], None),
        ([wbc("1.4"), anc("2.5", 0, final=False), anc("2.0", 10)], "1.4"),
        ([wbc("1.4"), anc("0.9", 0, final=False), anc("2.0", 10)], None),
        ([], None),
    ],
)
def test_bounds_the_anc_by_a_newer_wbc_without_a_count(labs, bound):
    found = counts(*labs).bound
    assert (None if found is None else found.value) == (None if bound is None else Decimal(bound))


def test_uses_a_lower_preliminary_wbc_and_no_higher_one():
    assert counts(wbc("3.0", 10), wbc("0.4", 0, final=False)).white.value == Decimal("0.4")
    assert counts(wbc("3.0", 10), wbc("4.0", 0, final=False)).white.value == Decimal("3.0")
    assert counts(wbc("4.0", 0, final=False)).white.value == Decimal("4.0")


def test_looks_at_a_fresh_lower_count_rather_than_the_bound():
    assert counts(anc("0.4", 3), wbc("1.2")).at_most.value == Decimal("0.4")
    assert counts(anc("0.4", 8), wbc("1.2")).at_most.value == Decimal("1.2")
    assert counts(anc("1.3", 3), wbc("1.2")).at_most.value == Decimal("1.2")
    assert [c.value for c in counts(anc("0.4", 8), wbc("1.2")).low_counts(Decimal(28))] == [
        Decimal("0.4"),
        Decimal("1.2"),
    ]


@pytest.mark.parametrize(
    ("number", "band"),
    [("0", 0), ("0.09", 0), ("0.1", 1), ("0.49", 1), ("0.5", 2), ("0.99", 2), ("1.0", 3), ("1.49", 3), ("1.5", 4)],
)
def test_bands_are_half_open(number, band):
    assert counts().band(Decimal(number)) == band


@pytest.mark.parametrize(
    ("taken", "available"), [(back(1), True), (back(1.01), False), (bare_date(0), True), (bare_date(1), False)]
)
def test_has_a_count_within_24_h_only_where_it_surely_is(taken, available):
    assert value("count_within_24_h", situation(anc("1.0", taken))) is available


@pytest.mark.parametrize(
    ("days", "current", "fresh"), [(7, True, True), (7.5, True, False), (28, True, False), (28.5, False, False)]
)
def test_counts_are_current_for_28_days_and_fresh_for_7(days, current, fresh):
    about = situation(anc("0.8", days))
    assert value("anc_current", about) is current
    assert value("anc_at_most_within_7_days", about) is fresh
    assert value("anc_at_most_current", about) is current
    assert value("anc_age_days", about) == Decimal(days)


def test_one_result_a_draw_in_the_series_the_lowest():
    about = counts(anc("2.0", 3), wbc("5", 3), lab("NEUT_PCT", "20", 3), anc("1.8", 200))
    assert [c.value for c in about.series()] == [Decimal("1.0"), Decimal("1.8")]
    assert [c.value for c in about.series(timedelta(days=180))] == [Decimal("1.0")]


@pytest.mark.parametrize("analyte", ["PLT", "HGB"])
def test_reads_an_upper_limit_of_other_lineages_as_just_below_it(analyte):
    fact = {"PLT": "platelets", "HGB": "haemoglobin"}[analyte]
    answer = ask(fact, situation(lab(analyte, "10", comparator="<"), lab(analyte, "100", 3)))
    assert isinstance(answer, Known)
    assert answer.value < 10
    assert answer.shown == "<10"
    assert value(fact, situation(lab(analyte, "10", comparator=">"), lab(analyte, "100", 3))) == 100


@pytest.mark.parametrize(
    ("sex", "number", "limit", "low"),
    [
        ("male", "12.9", None, True),
        ("male", "13.0", None, False),
        ("female", "12.0", None, False),
        ("female", "11.9", None, True),
        ("other", "12.5", None, False),
        (None, "11.9", None, True),
        ("male", "12.5", "12.2", False),
        ("male", "12.9", "14.0", True),
    ],
)
def test_haemoglobin_is_low_by_sex_or_the_laboratorys_lower_limit(sex, number, limit, low):
    from cds_service.clinical.chart import Patient

    low_limit = None if limit is None else Decimal(limit)
    about = situation(lab("HGB", number, low_limit=low_limit), patient=Patient("p", sex=sex))
    assert value("haemoglobin_low", about) is low


@pytest.mark.parametrize(
    ("number", "limit", "low"), [("150", None, False), ("149", None, True), ("145", "140", False), ("149", "160", True)]
)
def test_platelets_are_low_below_150_or_the_laboratorys_lower_limit(number, limit, low):
    low_limit = None if limit is None else Decimal(limit)
    assert value("platelets_low", situation(lab("PLT", number, low_limit=low_limit))) is low


def test_other_lineages_count_for_28_days_final_ones_first():
    assert value("platelets", situation(lab("PLT", "100", 28.5))) is None
    assert value("platelets_low", situation(lab("PLT", "100", 28.5))) is None
    assert value("haemoglobin_low", situation()) is None
    assert value("platelets", situation(lab("PLT", "100", 3), lab("PLT", "160", 1, final=False))) == 100


@pytest.mark.parametrize(
    ("number", "limit", "days", "low"),
    [
        ("3.9", None, 1, True),
        ("4.0", None, 1, False),
        ("3.6", "3.5", 1, False),
        ("4.2", "4.5", 1, False),
        ("3.9", None, 29, False),
    ],
)
def test_wbc_is_low_below_the_laboratorys_limit_which_counts_up_to_4(number, limit, days, low):
    low_limit = None if limit is None else Decimal(limit)
    assert value("wbc_low", situation(wbc(number, days, low_limit=low_limit))) is low


@pytest.mark.parametrize(
    "fact",
    [
        "anc",
        "anc_current",
        "anc_at_most",
        "anc_is_bound",
        "count_within_24_h",
        "wbc_low",
        "platelets",
        "haemoglobin_low",
        "falling",
        "stable",
    ],
)
def test_nothing_about_counts_is_known_where_they_are_unavailable(fact):
    for labs in ([], [anc("1.0")], [anc("0.4", 29)]):
        answer = ask(fact, situation(*labs, unavailable=("cellCounts",)))
        assert not isinstance(answer, Known)
        assert answer.missing == {"cellCounts"}


@pytest.mark.parametrize("labs", [[anc("0.99")], [wbc("0.9")], [anc("0.4", 28)]])
def test_a_current_count_below_1_0_is_evidence_even_where_others_may_be_missing(labs):
    about = situation(*labs, unavailable=("cellCounts",))
    assert value("anc_at_most", about) < 1
    assert value("anc_at_most_current", about) is True
    assert value("falling", about) is None


def test_says_why_a_result_cannot_be_used():
    about = counts(anc("1.2", comparator=">"), lab("WBC", None, problem="unit K/mL is not known"), lab("PLT", None))
    why = [about.problem_of(m) for m in about.unusable(("ANC", "WBC", "PLT"))]
    assert why == ["reported as >1.2, which says too little", "unit K/mL is not known", "not a usable number"]
    assert counts(lab("PLT", None, 28.5)).unusable(("PLT",)) == []


numbers = st.decimals("0", "20", places=2)
ages = st.floats(0, 100, allow_nan=False)
results = st.lists(st.tuples(numbers, ages), min_size=1, max_size=6)


@given(results)
def test_in_force_is_at_most_every_final_count_of_its_window(found):
    about = counts(*(anc(str(number), back(hours=hours)) for number, hours in found))
    assert about.in_force is not None
    assert all(about.in_force.value <= count.value for count in about.window)


@given(results, numbers, st.floats(0, 24))
def test_a_lower_count_within_the_window_never_raises_the_count_in_force(found, number, hours):
    labs = [anc(str(value), back(hours=age)) for value, age in found]
    before = counts(*labs)
    assert before.in_force is not None
    latest = max(m.taken for m in labs).latest
    from cds_service.clinical.moments import Moment

    added = anc(str(min(number, before.in_force.value)), Moment.at(latest - timedelta(hours=hours)))
    after = counts(*labs, added).in_force
    assert after is not None
    assert after.value <= before.in_force.value


@given(results, st.lists(st.tuples(numbers, ages), max_size=3))
def test_preliminary_counts_and_wbcs_never_raise_the_count_in_force(found, white):
    labs = [anc(str(value), back(hours=age)) for value, age in found]
    before, extra = in_force(*labs), [wbc(str(value), back(hours=age)) for value, age in white]
    unconfirmed = [anc(str(value), back(hours=age), final=False) for value, age in white]
    assert in_force(*labs, *extra) <= before
    assert in_force(*labs, *unconfirmed) <= before


@pytest.mark.parametrize(
    ("analyte", "reported", "lowest", "highest"),
    [
        ("NEUT_PCT", ("30", "10"), "0.5", "1.5"),
        ("NEUT_PCT", ("10", "30"), "0.5", "1.5"),
        ("NEUT_PCT", ("20", "0"), "0", "1"),
        ("NEUT_PCT", ("0", "20"), "0", "1"),
        ("NEUT_PCT", ("0.5", "0"), "0", None),
        ("NEUT_PCT", ("0", "0.5"), "0", None),
        ("SEGS_PCT", ("40", "20"), "1", "2"),
    ],
)
def test_takes_the_lowest_of_percentages_reported_twice_and_says_so(analyte, reported, lowest, highest):
    labs = [lab(analyte, number, back(minutes=place)) for place, number in enumerate(reported)]
    about = situation(wbc("5.0"), *labs)
    (count,) = about.counts.final
    assert (count.value, count.derived) == (Decimal(lowest), True)
    second = [conflict.second.value for conflict in about.counts.conflicts]
    assert second == ([] if highest is None else [Decimal(highest)])


def test_a_derived_count_names_all_that_it_rests_on():
    about = situation(
        wbc("2.0", source="Observation/w"),
        lab("SEGS_PCT", "20", source="Observation/s"),
        lab("BANDS_PCT", "5", source="Observation/b"),
    )
    (count,) = about.counts.final
    assert (count.value, count.shown, count.upper_bound) == (Decimal("0.5"), "0.5", False)
    assert count.sources == ("Observation/w", "Observation/s", "Observation/b")


def preliminary(number, days=0, **more):
    return anc(number, days, final=False, **more)


@pytest.mark.parametrize(
    ("unconfirmed", "chosen"),
    [
        ([preliminary("0.9", 1.9)], "final"),
        ([preliminary("0.8", 2), preliminary("0.7", 1), preliminary("0.75", 0)], "0.7"),
        ([preliminary("0.6", 2), preliminary("0.7", 1)], "0.6"),
        ([preliminary("0.7", 1), preliminary("0.6", 2)], "0.6"),
        ([preliminary("0.6", 2.1), preliminary("0.7", 2)], "0.7"),
        ([preliminary("0.6", 2.1)], "final"),
        ([preliminary("0.9", 0)], "final"),
        ([preliminary("0.7", 0.5), preliminary("0.7", 1.2)], "0.7"),
    ],
)
def test_the_lowest_preliminary_count_of_the_last_day_is_in_force_where_it_is_lower(unconfirmed, chosen):
    grading = counts(anc("0.9", 1, source="Observation/final"), *unconfirmed).in_force
    assert grading is not None
    expected = (Decimal("0.9"), True) if chosen == "final" else (Decimal(chosen), False)
    assert (grading.value, grading.final) == expected
    assert (grading.source == "Observation/final") is (chosen == "final")


@pytest.mark.parametrize("final", [True, False])
def test_a_count_that_a_wbc_caps_says_so_and_names_both(final):
    labs = anc("0.9", 1, source="Observation/a", final=final), wbc("0.8", 0.5, source="Observation/w")
    assert counts(*labs).in_force == Count(
        Decimal("0.8"),
        back(0.5),
        ("Observation/w", "Observation/a"),
        final=final,
        upper_bound=True,
        derived=False,
        shown="at most 0.8 (WBC)",
    )


@pytest.mark.parametrize("white", ["0.9", "1.0"])
def test_a_wbc_that_is_no_lower_caps_nothing(white):
    labs = anc("0.9", 1, source="Observation/a"), wbc(white, 0.5)
    assert counts(*labs).in_force == Count(Decimal("0.9"), back(1), ("Observation/a",), shown="0.9")


@pytest.mark.parametrize(
    ("labs", "number_of_days", "low"),
    [
        ([anc("0.9", 7)], Decimal(7), ["0.9"]),
        ([anc("0.9", 7.1)], Decimal(7), []),
        ([anc("0.9", 7.1)], None, ["0.9"]),
        ([anc("0.9", 28)], None, ["0.9"]),
        ([anc("0.9", 28.1)], None, []),
        ([anc("0.9", 28.1)], Decimal(30), ["0.9"]),
        ([anc("0.9", 5), wbc("0.4", 1)], None, ["0.4", "0.9"]),
        ([anc("0.3", 5), wbc("0.4", 1)], None, ["0.3", "0.4"]),
        ([anc("0.3", 5), wbc("0.4", 1)], Decimal(3), ["0.4"]),
        ([], None, []),
    ],
)
def test_the_low_counts_are_those_of_the_window_lowest_first(labs, number_of_days, low):
    assert [count.value for count in counts(*labs).low_counts(number_of_days)] == [Decimal(number) for number in low]


CLOSE, SPREAD = "results close in time lie in different bands", "results of one day differ by more than half"


@pytest.mark.parametrize(
    ("labs", "first", "second", "why"),
    [
        ([("0.9", 1), ("1.1", 2)], "0.9", "1.1", CLOSE),
        ([("1.1", 1), ("0.9", 2)], "0.9", "1.1", CLOSE),
        ([("0.9", 1), ("0.95", 1), ("1.1", 2)], "0.9", "1.1", CLOSE),
        ([("0.9", 1), ("1.1", 20), ("1.2", 2)], "0.9", "1.2", CLOSE),
        ([("0.9", 1), ("1.1", 20)], None, None, None),
        ([("0.6", 1), ("0.9", 2)], None, None, None),
        ([("0.02", 1), ("0.09", 20)], None, None, None),
        ([("0.6", 1), ("0.9", 20)], None, None, None),
        ([("0.9", 1), ("1.35", 20)], None, None, None),
        ([("0.9", 1), ("1.36", 20)], "0.9", "1.36", SPREAD),
        ([("1.36", 1), ("0.9", 20), ("1.1", 10)], "0.9", "1.36", SPREAD),
        ([("1.0", 1), ("1.4", 2)], None, None, None),
    ],
)
def test_counts_of_one_day_that_contradict_each_other_are_named_lower_first(labs, first, second, why):
    found = counts(*(anc(number, back(hours=hours)) for number, hours in labs)).conflicts
    told = [(conflict.first.value, conflict.second.value, conflict.why) for conflict in found]
    assert told == ([] if why is None else [(Decimal(first), Decimal(second), why)])


@pytest.mark.parametrize(
    ("labs", "days", "series"),
    [
        ([anc("0.9", 7), anc("1.1", 3)], 7, ["1.1", "0.9"]),
        ([anc("0.9", 7.01), anc("1.1", 3)], 7, ["1.1"]),
        ([anc("0.9", 700), anc("1.1", 3)], None, ["1.1", "0.9"]),
        ([anc("1.1", 3), anc("0.9", 3), anc("1.3", 3)], 7, ["0.9"]),
        ([anc("0.9", 3), anc("1.1", 3)], 7, ["0.9"]),
        ([anc("0.9", 3), anc("1.1", 3.01), anc("0.7", 3.01)], 7, ["0.9", "0.7"]),
        ([anc("0.9", 3, final=False), anc("1.1", 4)], 7, ["1.1"]),
    ],
)
def test_a_series_holds_the_lowest_count_of_each_time_newest_first(labs, days, series):
    window = None if days is None else timedelta(days=days)
    assert [count.value for count in counts(*labs).series(window)] == [Decimal(number) for number in series]


def test_of_counts_that_end_together_the_lower_comes_first_in_a_series():
    end = bare_date(3)
    first, second = anc("1.1", end), anc("0.9", Moment.at(end.latest))
    for labs in ([first, second], [second, first]):
        assert [count.value for count in counts(*labs).series()] == [Decimal("0.9"), Decimal("1.1")]


def mono(number, days, *, final=True, **more):
    return lab("MONO", number, days, final=final, **more)


@pytest.mark.parametrize(
    ("labs", "chosen"),
    [
        ([mono("0.5", 3), mono("0.7", 1)], "0.7"),
        ([mono("0.7", 1), mono("0.5", 3)], "0.7"),
        ([mono("0.5", 28)], "0.5"),
        ([mono("0.5", 28.1)], None),
        ([mono("0.5", 3, final=False), mono("0.7", 1, final=False)], "0.7"),
        ([mono("0.7", 1, final=False), mono("0.5", 3, final=False)], "0.7"),
        ([mono("0.7", 1), mono("0.5", 2, final=False)], "0.5"),
        ([mono("0.7", 1), mono("0.5", 2.1, final=False)], "0.7"),
        ([mono("0.7", 1), mono("0.5", 1.9, final=False)], "0.5"),
        ([mono("0.7", 1), mono("0.5", 0.5, final=False)], "0.5"),
        ([mono("0.7", 1), mono("0.9", 0.5, final=False)], "0.7"),
        ([mono("0.7", 1), mono("0.5", 1.5), mono("0.6", 1.2, final=False)], "0.6"),
        ([mono("0.7", 1), mono("0", 1, final=False)], "0"),
        ([mono("0", 1), mono("0.5", 1, final=False)], "0"),
        ([mono("0.5", 1), mono("0.1", 0.5, comparator=">")], "0.5"),
        ([mono("0.5", 1), mono("0.1", 0.5, comparator="<")], "0.1"),
        ([mono("0.5", 1), mono(None, 0.5)], "0.5"),
        ([mono("0.5", 1), lab("EOS", "0.1", 0.5)], "0.5"),
    ],
)
def test_the_latest_value_is_the_newest_final_one_or_a_lower_preliminary_one_of_its_day(labs, chosen):
    found = counts(*labs).latest_measurement("MONO", "OTHER")
    assert (None if found is None else found.value) == (None if chosen is None else Decimal(chosen))
