"""C-UNIT comparators, C-VALID, C-ANC and C-FRESH: which count grades, which bounds, which contradict each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.conditions import ConditionCompiler, Truth
from cds_service.clinical.counts import Counts
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
