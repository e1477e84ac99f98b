"""How long counts have been low, and which tests of the work-up have no result."""

from __future__ import annotations

import pytest

from cds_service.clinical.knowledge import Unknown
from tests.unit.clinical.charts import anc, ask, bare_date, finding, lab, situation, value

TESTS = ("B12", "FOLATE", "HIV", "HBV", "HCV", "ANA")
SPAN = "low_count_span_of_year"


@pytest.mark.parametrize(
    ("counts", "days"),
    [
        ([anc("1.3", 1)], 0),
        ([anc("1.3", 1), anc("1.4", 15)], 14),
        ([anc("1.3", 1), anc("0.9", 41), anc("1.4", 15)], 40),
        ([anc("1.3", 1), anc("1.5", 15)], 0),
        ([anc("1.3", 1), anc("1.49", 365)], 364),
        ([anc("1.3", 1), anc("1.49", 365.1)], 0),
        ([anc("1.3", 1), anc("1.4", 15, final=False)], 0),
        ([anc("2.3", 1), anc("1.4", 15)], 14),
        ([anc("1.4", 1), anc("0.9", 1.5, final=False)], 0),
    ],
)
def test_spans_the_time_from_the_earliest_low_count_of_a_year(counts, days):
    assert float(value(SPAN, situation(*counts))) == pytest.approx(days)


def test_takes_the_longest_time_that_bare_dates_allow():
    assert 14 < value(SPAN, situation(anc("1.3", bare_date(1)), anc("1.4", bare_date(15)))) < 15.1
    assert value(SPAN, situation(anc("1.3", bare_date(1)))) == 0


def test_the_span_is_not_known_without_counts():
    assert ask(SPAN, situation()) == Unknown(note="no usable count on file")
    on_hand = [anc("1.3", 1), anc("1.4", 15)]
    assert ask(SPAN, situation(*on_hand, unavailable=("cellCounts",))) == Unknown(frozenset({"cellCounts"}))


def results(*left_out: str):
    return [finding(analyte, days=100) for analyte in TESTS if analyte not in left_out]


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ((), "none"),
        (("ANA",), "ANA"),
        (("FOLATE", "HBV"), "folate, HBV"),
        (TESTS, "B12, folate, HIV, HBV, HCV, ANA"),
    ],
)
def test_names_the_tests_without_a_result(left_out, words):
    chart = situation(*results(*left_out))
    assert value("missing_tests", chart) == words
    assert value("workup_missing", chart) is bool(left_out)


@pytest.mark.parametrize(
    ("result", "missing"),
    [
        (finding("HIV", days=365), False),
        (finding("HIV", days=365.1), True),
        (finding("HIV", days=10, final=False), True),
        (finding("HIV", days=-1), True),
        (lab("HIV", "1", 10), False),
        (finding("SMEAR", days=10), True),
    ],
)
def test_a_final_result_of_a_year_answers(result, missing):
    assert value("workup_missing", situation(*results("HIV"), result)) is missing


def test_unavailable_results_leave_open_only_what_is_not_on_hand():
    unavailable = {"unavailable": ("labResults",)}
    unknown = Unknown(frozenset({"labResults"}))
    assert ask("workup_missing", situation(*results("ANA"), **unavailable)) == unknown
    assert value("workup_missing", situation(*results(), **unavailable)) is False
    assert ask("missing_tests", situation(*results(), **unavailable)) == unknown
