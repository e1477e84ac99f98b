"""What makes the repeat of a mild count needless: Duffy-null at the site's limit, or a myelosuppressive drug by now."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.situation import SitePolicy
from tests.unit.clinical.charts import (
    CHEMO,
    HOME_CHEMO,
    METHIMAZOLE,
    anc,
    ask,
    bare_date,
    dose,
    finding,
    order,
    situation,
    value,
    wbc,
)

NULL = finding("DUFFY", "duffy-null")
DUFFY = "duffy_null_at_site_limit"
MYELO = "myelosuppressive_within_28_days"


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([anc("1.2", 45)], True),
        ([anc("1.19", 45)], False),
        ([anc("1.4", 45, comparator="<")], False),
        ([anc("1.3", 45, final=False)], False),
        ([anc("1.3", 45), wbc("1.4", 2)], False),
        ([anc("1.3", 45), wbc("1.5", 2)], True),
        ([anc("1.3", 45), wbc("1.25", 45)], False),
        ([], False),
    ],
)
def test_a_duffy_null_count_is_at_the_limit_only_where_it_surely_is(things, expected):
    assert value(DUFFY, situation(NULL, *things)) is expected


@pytest.mark.parametrize(("limit", "expected"), [("1.25", True), ("1.26", False)])
def test_the_site_sets_the_limit(limit, expected):
    policy = SitePolicy(duffy_null_anc=Decimal(limit))
    assert value(DUFFY, situation(NULL, anc("1.25", 45), policy=policy)) is expected


def test_the_duffy_answer_names_count_and_phenotype():
    count = anc("1.3", 45)
    positive = situation(finding("DUFFY", "duffy-positive"), count)
    assert value(DUFFY, positive) is False
    assert isinstance(ask(DUFFY, situation(NULL, count)), Known)


def test_duffy_status_or_counts_that_are_not_known_leave_it_unknown():
    assert value(DUFFY, situation(anc("1.3", 45))) is None
    gap = situation(NULL, anc("1.3", 45), unavailable=(PrefetchKey.CELL_COUNTS,))
    assert ask(DUFFY, gap) == Unknown(frozenset({PrefetchKey.CELL_COUNTS}))


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (dose(CHEMO, 28), True),
        (dose(CHEMO, 28.1), False),
        (dose(CHEMO, 0), True),
        (dose(CHEMO, bare_date(0)), False),
        (dose(CHEMO, 5, route=Route.INTRATHECAL), False),
        (dose(METHIMAZOLE, 5), False),
        (order(CHEMO, "active", 5), False),
        (order(CHEMO, "completed", 60, 28), True),
        (order(CHEMO, "completed", 60, 28.1), False),
        (order(HOME_CHEMO, "active", 5), True),
        (order(HOME_CHEMO, "active", -1), False),
        (order(METHIMAZOLE, "active", 5), False),
    ],
)
def test_a_myelosuppressive_drug_must_surely_have_been_taken_in_the_28_days_before_now(thing, expected):
    """Whenever the count was taken: here 45 days ago, before all of them."""
    assert value(MYELO, situation(anc("1.2", 45), thing)) is expected


@pytest.mark.parametrize("key", [PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS])
def test_missing_drugs_leave_it_unknown_unless_one_is_on_hand(key):
    assert ask(MYELO, situation(unavailable=(key,))) == Unknown(frozenset({key}))
    given = dose(CHEMO, 5)
    assert ask(MYELO, situation(given, unavailable=(key,))) == Known(True, sources=(given.source,))
