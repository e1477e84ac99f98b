"""Antibacterial prophylaxis: profound counts that last, what makes them last, and cover under way."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.knowledge import Unknown
from tests.unit.clinical.charts import (
    CEFEPIME,
    CEFTRIAXONE,
    COTRIMOXAZOLE,
    anc,
    ask,
    back,
    bare_date,
    drug,
    order,
    procedure,
    situation,
    value,
)

LEVOFLOXACIN = drug("levofloxacin", antibacterial="fluoroquinolone")


@pytest.mark.parametrize(
    ("labs", "lasting"),
    [
        ([anc("0.05", 1), anc("0.05", 8)], True),
        ([anc("0.05", 1), anc("0.05", 7.9)], False),
        ([anc("0.05", 1), anc("0.09", 9)], True),
        ([anc("0.05", 1), anc("0.1", 9)], False),
        ([anc("0.05", 1), anc("0.2", 5), anc("0.05", 9)], True),
        ([anc("0.05", 1), anc("0.49", 5), anc("0.05", 9)], True),
        ([anc("0.05", 1), anc("0.5", 5), anc("0.05", 9)], False),  # a recovery between them
        ([anc("0.05", 1), anc("0.5", 1.9), anc("0.05", 9)], True),  # of the same day as the one in force
        ([anc("0.05", 1), anc("0.5", 2), anc("0.05", 9)], False),
        ([anc("0.05", 1), anc("0.5", bare_date(2)), anc("0.05", 9)], True),  # perhaps within a day of it
        ([anc("0.05", bare_date(1)), anc("0.5", back(days=2, hours=5)), anc("0.05", 9)], True),
        ([anc("0.05", 1), anc("0.1", 9), anc("0.05", 20)], True),
        ([anc("0.05", 1), anc("0.05", 365)], True),
        ([anc("0.05", 1), anc("0.05", 365.1)], False),
        ([anc("0.05", 1), anc("0.05", 9, final=False)], False),
        ([anc("0.05", 1), anc("0.05", 2)], False),
        ([anc("0.05", 1), anc("0.05", 9), anc("0.5", 12)], True),
        ([anc("0.05", 2), anc("0.05", bare_date(9))], True),  # may have been taken seven days before
        ([anc("0.05", 2), anc("0.05", bare_date(8))], False),
        ([anc("0.05", bare_date(1)), anc("0.05", back(days=8, hours=5))], True),
        ([anc("0.05", 1)], False),
        ([], False),
    ],
)
def test_a_profound_count_of_the_same_episode_a_week_before(labs: list[Any], *, lasting: bool) -> None:
    s = situation(*labs)
    assert value("profound_7_days_earlier", s) is lasting
    assert (value("earlier_profound_words", s) is not None) is lasting


def test_the_newest_such_count_is_shown() -> None:
    s = situation(anc("0.05", 1), anc("0.07", 9), anc("0.02", 12))
    assert value("earlier_profound_words", s) == "0.07 (9 days ago)"


def test_without_counts_it_is_not_known_whether_the_count_lasts() -> None:
    assert ask("profound_7_days_earlier", situation(unavailable=("cellCounts",))) == Unknown(frozenset({"cellCounts"}))


@pytest.mark.parametrize(
    ("kind", "days_ago", "counts"),
    [
        ("leukaemia-induction", 30, True),
        ("leukaemia-induction", 30.1, False),
        ("leukaemia-induction", None, False),
        ("leukaemia-induction", -1, False),
        ("conditioning", 3, True),
        ("hsct", 3, False),
        ("lymphodepletion", 3, False),
        ("chemotherapy", 3, False),
    ],
)
def test_induction_and_conditioning_make_a_count_last(kind: str, days_ago: float | None, *, counts: bool) -> None:
    s = situation(procedure(kind, days_ago))
    assert value("intensive_chemotherapy_30_days", s) is counts
    assert (value("intensive_chemotherapy_words", s) is not None) is counts


def test_words_of_induction_and_conditioning() -> None:
    s = situation(procedure("leukaemia-induction", 20), procedure("conditioning", 3))
    assert value("intensive_chemotherapy_words", s) == "leukaemia-induction (20 days ago); conditioning (3 days ago)"
    assert ask("intensive_chemotherapy_30_days", situation(unavailable=("procedures",))) == Unknown(
        frozenset({"procedures"})
    )


@pytest.mark.parametrize(
    ("thing", "covered"),
    [
        (order(LEVOFLOXACIN, start=3), True),
        (order(CEFEPIME, start=3), True),
        (order(CEFTRIAXONE, start=3), False),
        (order(COTRIMOXAZOLE, start=3), False),
        (order(LEVOFLOXACIN, start=3, route=Route.LOCAL), False),
        (order(LEVOFLOXACIN, "stopped", start=9, end=3), False),
        (order(LEVOFLOXACIN, start=-1), False),
    ],
)
def test_a_fluoroquinolone_or_antipseudomonal_drug_is_cover(thing: Any, *, covered: bool) -> None:
    assert value("antibacterial_cover", situation(thing)) is covered


def test_cover_is_not_known_without_the_drug_list() -> None:
    s = situation(unavailable=("medicationRequests",))
    assert ask("antibacterial_cover", s) == Unknown(frozenset({"medicationRequests"}))
