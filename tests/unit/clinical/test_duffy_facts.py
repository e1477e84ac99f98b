"""How the Duffy status is known, how long and how low the counts were, how many infections there were."""

from __future__ import annotations

import pytest

from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.situation import SitePolicy
from tests.unit.clinical.charts import Decimal, anc, ask, bare_date, finding, problem, situation, value, wbc

NULL = finding("DUFFY", "duffy-null", days=500)
POSITIVE = finding("DUFFY", "duffy-positive", days=500)
GENOTYPE = finding("DUFFY_GENOTYPE", "duffy-null", days=400)
CODED = problem("duffy-null-neutropenia")
NO_CELLS = Unknown(frozenset({"cellCounts"}))


@pytest.mark.parametrize("evidence", [NULL, POSITIVE, GENOTYPE, CODED])
def test_the_status_is_known_by_a_test_or_a_coded_condition(evidence):
    for unavailable in ((), ("labResults",), ("conditions",)):
        assert ask("duffy_known", situation(evidence, unavailable=unavailable)) == Known(
            True, sources=(evidence.source,)
        )


def test_the_status_is_not_on_file_or_not_known():
    assert ask("duffy_known", situation()) == Known(False)
    for key in ("labResults", "conditions"):
        assert ask("duffy_known", situation(unavailable=(key,))) == Unknown(
            frozenset({key}), "Duffy status not on file"
        )


def test_the_limit_is_the_site_s():
    assert value("duffy_limit", situation()) == Decimal("1.2")
    assert value("duffy_limit", situation(policy=SitePolicy(duffy_null_anc=Decimal("0.9")))) == Decimal("0.9")


def test_says_what_the_status_rests_on():
    caution = "; a phenotype can mislead after transfusion"
    assert value("duffy_basis", situation(NULL)) == "phenotype of 2025-07-10" + caution
    assert value("duffy_basis", situation(GENOTYPE, POSITIVE)) == "genotype of 2025-10-18"
    assert value("duffy_basis", situation(CODED)) == "duffy-null-neutropenia on the problem list"
    both = situation(NULL, CODED, problem("pneumonia"))
    assert value("duffy_basis", both) == (
        "phenotype of 2025-07-10; duffy-null-neutropenia on the problem list" + caution
    )
    assert ask("duffy_basis", both).sources == (NULL.source, CODED.source)
    for unknown in (situation(POSITIVE), situation()):
        assert ask("duffy_basis", unknown) == Unknown(note="not known to be Duffy-null")


@pytest.mark.parametrize(
    ("counts", "days"),
    [
        ([anc("1.3", 1)], 0),
        ([anc("1.3", 1), anc("1.4", 57)], 56),
        ([anc("1.3", 1), anc("1.4", 2001), anc("1.2", 57)], 2000),
        ([anc("1.3", 1), anc("1.5", 57)], 0),
        ([anc("1.3", 1), anc("1.4", 57, final=False)], 0),
        ([anc("2.3", 1)], 0),
    ],
)
def test_spans_the_time_from_the_earliest_low_count(counts, days):
    assert float(value("low_count_span", situation(*counts))) == pytest.approx(days)


def test_takes_the_shortest_time_that_bare_dates_allow():
    assert 55 < value("low_count_span", situation(anc("1.3", bare_date(1)), anc("1.4", bare_date(57)))) < 55.1


def test_the_span_is_not_known_without_counts():
    assert ask("low_count_span", situation()) == Unknown(note="no usable count on file")
    on_hand = [anc("1.3", 1), anc("1.4", 57)]
    assert ask("low_count_span", situation(*on_hand, unavailable=("cellCounts",))) == NO_CELLS


def test_names_the_first_low_count():
    first = anc("1.4", 100, source="Observation/first")
    counts = [anc("1.3", 1), first, anc("1.2", 50), anc("1.6", 900)]
    assert value("first_low_count", situation(*counts)) == "1.4 on 2026-08-14"
    assert ask("first_low_count", situation(*counts)).sources == ("Observation/first",)
    assert ask("first_low_count", situation(anc("1.5", 1))) == Unknown(note="no usable count on file")
    assert ask("first_low_count", situation(*counts, unavailable=("cellCounts",))) == NO_CELLS


LOWEST = "lowest_count_of_two_years"


@pytest.mark.parametrize(
    ("counts", "lowest"),
    [
        ([anc("1.3", 1)], "1.3"),
        ([anc("1.3", 1), anc("0.9", 730), anc("1.1", 9)], "0.9"),
        ([anc("1.3", 1), anc("0.9", 730.1)], "1.3"),
        ([anc("1.3", 1), anc("0.9", bare_date(730))], "0.9"),
        ([anc("1.3", 1), anc("0.9", bare_date(731))], "1.3"),
        ([anc("1.3", 1), anc("0.9", 1.5, final=False)], "0.9"),
        ([anc("1.3", 1), anc("0.9", 9, final=False)], "1.3"),
        ([anc("1.3", 1), anc("1.4", 900, comparator="<")], "1.3"),
        ([anc("1.3", 1), anc("1.4", 9, comparator="<")], None),
        ([anc("1.3", 1, comparator="<")], None),
        ([anc("1.3", 5), wbc("1.4", 1)], None),
        ([anc("1.3", 1), wbc("1.2", 1.01)], None),
        ([anc("1.3", 731)], None),
        ([], None),
    ],
)
def test_finds_the_lowest_count_of_two_years_where_none_may_have_been_lower(counts, lowest):
    assert value(LOWEST, situation(*counts)) == (Decimal(lowest) if lowest else None)


def test_the_lowest_count_is_not_known_where_counts_may_be_missing():
    assert ask(LOWEST, situation(anc("0.7", 1), unavailable=("cellCounts",))) == NO_CELLS
    one = anc("1.30", 1)
    assert ask(LOWEST, situation(one)) == Known(Decimal("1.30"), one.taken, (one.source,), shown="1.3")


def test_counts_infections_of_two_years():
    infections = [problem("pneumonia", 730, active=False), problem("common-cold", 5), problem("sinusitis", 730.1)]
    assert value("infections_of_two_years", situation(*infections, problem("bronchitis"))) == 2
    unavailable = situation(*infections, unavailable=("conditions",))
    assert ask("infections_of_two_years", unavailable) == Unknown(frozenset({"conditions"}))
