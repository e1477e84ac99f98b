"""The IgG in force and the infections of the last year."""

from __future__ import annotations

import pytest

from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import Decimal, ask, bare_date, lab, problem, situation, value

NO_LABS = Unknown(frozenset({"labResults"}))
NONE = Unknown(note="no usable IgG on file")
RECENT = "igg_within_180_days"


def igg(number: str | None, days=10, **more):
    return lab("IGG", number, days, **more)


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([igg("350")], "350"),
        ([igg("350", 60), igg("700", 10)], "700"),
        ([igg("700", 60), igg("350", 10)], "350"),
        ([igg("350", 60), igg(None, 10)], "350"),
        ([igg("350", 60), igg("700", -1)], "350"),
        ([igg("350", 900)], "350"),
        ([igg("350", 10, final=False)], "350"),
        ([igg("350", 20, final=False), igg("300", 10, final=False)], "300"),
        ([igg("700", 10), igg("350", 11, final=False)], "350"),
        ([igg("700", 10), igg("350", 11.1, final=False)], "700"),
        ([igg("700", 10), igg("350", 9, final=False)], "350"),
        ([igg("350", 10), igg("700", 9, final=False)], "350"),
    ],
)
def test_the_newest_result_counts_and_a_preliminary_one_only_where_it_is_lower(results, found):
    assert value("igg", situation(*results)) == Decimal(found)


def test_prints_what_was_reported():
    result = igg("350.50")
    assert ask("igg", situation(result)) == Known(Decimal("350.50"), result.taken, (result.source,), shown="350.5")
    below = ask("igg", situation(igg("400", comparator="<")))
    assert isinstance(below, Known)
    assert (below.shown, 399 < below.value < 400) == ("<400", True)
    assert ask("igg", situation(igg("300", 5, comparator=">"), igg("250", 50))) == Unknown(
        note="only known to lie above a number"
    )


@pytest.mark.parametrize(("days", "recent"), [(180, True), (180.1, False), (1, True)])
def test_a_result_counts_for_180_days(days, recent):
    result = igg("350", days)
    assert ask(RECENT, situation(result)) == Known(recent, result.taken, (result.source,))


def test_a_bare_date_is_read_as_the_younger_age():
    assert value(RECENT, situation(igg("350", bare_date(180)))) is True
    assert value(RECENT, situation(igg("350", bare_date(181)))) is False


def test_igg_is_not_known_without_results():
    for name in ("igg", RECENT):
        assert ask(name, situation()) == NONE
        assert ask(name, situation(igg(None))) == NONE
        assert ask(name, situation(igg("350"), unavailable=("labResults",))) == NO_LABS


def test_counts_each_infection_of_the_year_once():
    pneumonia = problem("pneumonia", 60, active=False)
    again = problem("pneumonia", 60.1)
    sinusitis = problem("sinusitis", 365, active=False)
    others = [
        problem("bronchitis", 365.1),
        problem("common-cold"),
        problem("cll", 3),
        problem("common-cold", 90, recorded=1),
        problem("sepsis", recorded=20),
    ]
    whole = situation(sinusitis, pneumonia, again, *others)
    assert value("infections_of_year", whole) == 4
    assert value("infection_words", whole) == (
        "sepsis (20 days ago); pneumonia (60 days ago); common-cold (90 days ago); sinusitis (365 days ago)"
    )
    assert ask("infections_of_year", situation(pneumonia, sinusitis)).sources == (pneumonia.source, sinusitis.source)
    assert ask("infection_words", situation(pneumonia, sinusitis)).sources == (pneumonia.source, sinusitis.source)


def test_infections_of_one_day_and_of_two_kinds_are_two():
    assert value("infections_of_year", situation(problem("pneumonia", 60), problem("sepsis", 60))) == 2
    assert value("infections_of_year", situation(problem("pneumonia", 60), problem("pneumonia", 61))) == 2


def test_infections_are_not_known_without_the_problem_list():
    gone = situation(problem("pneumonia", 60), unavailable=("conditions",))
    assert ask("infections_of_year", gone) == Unknown(frozenset({"conditions"}))
    assert value("infection_words", gone) == "not known (problem list unavailable)"
    assert value("infection_words", situation()) == "none on file"
    assert value("infections_of_year", situation()) == 0
