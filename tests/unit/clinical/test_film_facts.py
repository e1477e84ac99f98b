"""Blood films: only final reports, surely within their window; without results it is not known that there is none."""

from __future__ import annotations

import pytest

from cds_service.clinical.chart import Finding, PrefetchKey
from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import ask, bare_date, finding, situation, value

NO_RESULTS = (PrefetchKey.LAB_RESULTS,)


def film(days: float, *, final: bool = True) -> Finding:
    return finding("SMEAR", days=days, final=final)


@pytest.mark.parametrize(
    ("fact", "days", "expected"),
    [
        ("film_within_365_days", 365, True),
        ("film_within_365_days", 365.1, False),
        ("film_within_90_days", 90, True),
        ("film_within_90_days", 90.1, False),
        ("film_within_90_days", 0, True),
    ],
)
def test_a_film_counts_up_to_its_age(fact, days, expected):
    one = film(days)
    answer = ask(fact, situation(film(800), one))
    assert isinstance(answer, Known)
    assert answer.value is expected
    assert answer.sources == ((one.source,) if expected else ())


def test_a_film_of_a_bare_date_counts_only_where_the_whole_day_does():
    early = Finding("SMEAR", ("normal",), bare_date(90), "Observation/early")
    late = Finding("SMEAR", ("normal",), bare_date(89), "Observation/late")
    assert value("film_within_90_days", situation(early)) is False
    assert value("film_within_90_days", situation(late)) is True


@pytest.mark.parametrize("other", [film(-1), film(5, final=False), finding("B12", days=5)])
def test_what_is_no_final_film_of_the_past_does_not_count(other):
    assert value("film_within_365_days", situation(other)) is False
    assert value("film_words", situation(other)) == "none on file"


@pytest.mark.parametrize("fact", ["film_within_365_days", "film_within_90_days"])
def test_without_laboratory_results_only_a_film_on_hand_is_known(fact):
    assert ask(fact, situation(unavailable=NO_RESULTS)) == Unknown(frozenset(NO_RESULTS))
    assert value(fact, situation(film(400), unavailable=NO_RESULTS)) is None
    assert value(fact, situation(film(30), unavailable=NO_RESULTS)) is True


def test_words_tell_the_newest_film():
    newest = film(30)
    answer = ask("film_words", situation(film(400), newest, film(90)))
    assert answer == Known("30 days ago", newest.taken, (newest.source,))


def test_words_tell_that_results_are_missing():
    assert value("film_words", situation(unavailable=NO_RESULTS)) == "not known (laboratory results unavailable)"
    assert value("film_words", situation(film(3), unavailable=NO_RESULTS)) == "3 days ago"
