"""Drafts that complete a pair: what counts as a partner, how long the pair is settled, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.interactions import Interaction
from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import anc, ask, back, bare_date, draft, drug, drug_case, order, situation, value

MTX = drug("mtx (oral)", interactions=(Interaction(frozenset({"tmp", "tmp-smx"}), "pancytopenia", "a label"),))
TMP = drug("tmp", interactions=(Interaction(frozenset({"mtx (oral)"}), "pancytopenia", "a label"),))
TMX = drug("tmp-smx", interactions=TMP.interactions)
BUSY = drug(
    "busy",
    interactions=(
        Interaction(frozenset({"one", "two"}), "first effect", "first source"),
        Interaction(frozenset({"three"}), "second effect", "second source"),
    ),
)
ONE, TWO, THREE = drug("one"), drug("two"), drug("three")
REQUESTS = PrefetchKey.MEDICATION_REQUESTS
DAY_90 = Decimal(90)


def meets(new, *others, **more):
    """The case of a new draft beside other orders."""
    return drug_case(situation(new, *others, hook="order-sign", **more), new)


def test_an_active_partner_completes_a_pair_seen_from_both_sides():
    for new, partner in ((draft(TMP), order(MTX, start=5)), (draft(MTX), order(TMP, start=5))):
        answer = ask("drug.completes_pair", meets(new, partner))
        assert isinstance(answer, Known)
        assert answer.value is True
        assert answer.sources == (partner.source,)


def test_another_draft_completes_a_pair_selected_or_not():
    assert value("drug.completes_pair", meets(draft(TMP), draft(MTX, selected=False))) is True


@pytest.mark.parametrize(
    "other",
    [
        order(ONE, start=5),
        order(MTX, "stopped", start=9, end=2),
        order(MTX, start=back(days=-2)),
        order(MTX, start=5, route=Route.LOCAL),
        order(MTX, start=5, route=Route.INTRATHECAL),
        draft(MTX, route=Route.LOCAL),
        draft(MTX, route=Route.INTRATHECAL),
        draft(MTX, status="stopped"),
    ],
    ids=["other drug", "stopped", "future", "local", "intrathecal", "local draft", "intrathecal draft", "stop order"],
)
def test_what_is_no_partner(other):
    case = meets(draft(TMP), other)
    assert value("drug.completes_pair", case) is False
    for name in ("pair_partners", "pair_effect", "pair_source", "pair_timing", "pair_days"):
        assert isinstance(ask(f"drug.{name}", case), Unknown), name


def test_the_drug_list_that_is_unavailable_may_hold_a_partner():
    assert ask("drug.completes_pair", meets(draft(TMP), unavailable=(REQUESTS,))) == Unknown(frozenset({REQUESTS}))
    assert value("drug.completes_pair", meets(draft(TMP), draft(MTX), unavailable=(REQUESTS,))) is True


def test_a_pair_is_as_settled_as_its_younger_half():
    old, young = order(MTX, start=200), order(TMP, start=90)
    for new in (draft(TMP), draft(MTX)):
        answer = ask("drug.pair_days", meets(new, old, young))
        assert isinstance(answer, Known)
        assert answer.value == DAY_90
    answer = ask("drug.pair_days", meets(draft(TMP), old, young))
    assert isinstance(answer, Known)
    assert answer.sources == (old.source,)


def test_the_days_are_not_rounded():
    case = meets(draft(TMP), order(MTX, start=200), order(TMP, start=back(days=89, hours=12)))
    assert value("drug.pair_days", case) == Decimal("89.5")


def test_the_oldest_active_order_tells_since_when():
    case = meets(draft(TMP), order(MTX, start=20), order(MTX, start=120), order(TMP, start=100))
    assert value("drug.pair_days", case) == 100


def test_of_a_bare_date_the_youngest_reading_counts():
    case = meets(draft(TMP), order(MTX, start=bare_date(90)), order(TMP, start=200))
    assert value("drug.pair_days", case) < DAY_90


@pytest.mark.parametrize(
    "others",
    [
        (order(MTX, start=200),),
        (order(MTX), order(TMP, start=200)),
        (draft(MTX), order(TMP, start=200)),
        (order(MTX, start=200), order(TMP, "stopped", start=300, end=100)),
    ],
    ids=["draft is new", "no start", "partner is new", "draft's drug was stopped"],
)
def test_a_pair_that_is_not_surely_settled(others):
    assert isinstance(ask("drug.pair_days", meets(draft(TMP), *others)), Unknown)


def test_the_date_the_order_was_written_stands_in_for_its_start():
    case = meets(draft(TMP), order(MTX, authored=back(95)), order(TMP, start=200))
    assert value("drug.pair_days", case) == 95


def test_every_partner_must_be_settled():
    case = meets(draft(BUSY), order(BUSY, start=300), order(ONE, start=200), order(THREE, start=10))
    assert value("drug.pair_days", case) == 10


def test_two_partners_are_named_and_the_others_counted():
    two = meets(draft(BUSY), order(ONE, start=3), order(THREE, start=2))
    assert value("drug.pair_partners", two) == "one and three"
    three = meets(draft(BUSY), order(ONE, start=3), order(TWO, start=3), order(THREE, start=2))
    assert value("drug.pair_partners", three) == "one, two and 1 more"
    twice = meets(draft(BUSY), order(ONE, start=3), order(ONE, start=9))
    assert value("drug.pair_partners", twice) == "one"
    assert ask("drug.pair_partners", twice).sources == tuple(o.source for o in twice.situation.chart.orders[1:])


def test_each_effect_and_source_is_said_once():
    case = meets(draft(BUSY), order(ONE, start=3), order(TWO, start=3), order(THREE, start=2))
    assert value("drug.pair_effect", case) == "first effect; second effect"
    assert value("drug.pair_source", case) == "first source; second source"


def test_the_timing_of_the_partners():
    case = meets(draft(TMX), order(MTX, start=30), draft(MTX))
    assert value("drug.pair_timing", case) == "mtx (begun 30 days ago), mtx (also a draft)"
    assert value("drug.pair_timing", meets(draft(TMX), order(MTX))) == "mtx (start not stated)"
    assert value("drug.pair_partners", case) == "mtx"


def test_the_age_of_the_count_is_the_oldest_it_can_be():
    exact = situation(anc("4", 90))
    assert value("anc_oldest_age_days", exact) == DAY_90
    day = situation(anc("4", bare_date(89)))
    assert value("anc_oldest_age_days", day) == Decimal("89.625")
    assert isinstance(ask("anc_oldest_age_days", situation()), Unknown)
    gap = situation(anc("4", 1), unavailable=(PrefetchKey.CELL_COUNTS,))
    assert ask("anc_oldest_age_days", gap) == Unknown(frozenset({PrefetchKey.CELL_COUNTS}))


def test_a_product_of_both_drugs_is_a_pair_by_itself():
    both = replace(draft(TMP), drugs=(TMP, MTX))
    assert value("drug.completes_pair", meets(both)) is True
