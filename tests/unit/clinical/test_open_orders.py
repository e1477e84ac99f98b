"""An order that is already open takes the place of a suggestion only where it surely comes soon enough (C-OPEN-CBC)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.moments import Moment
from cds_service.clinical.open_orders import due_words, is_soon_enough, leaves_something, plan_of
from cds_service.clinical.suggestions import SuggestedStep
from cds_service.clinical.suggestions import SuggestionKind as Kind
from tests.unit.clinical.charts import NOW, back, bare_date, finding, lab, service_order, situation

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def step(kind=Kind.REPEAT_CBC, due=21, *, urgent=False, order=None):
    return SuggestedStep(kind, "Label", "Label", "p1", due_in_days=due, urgent=urgent, order=order)


STAT = step(Kind.STAT_CBC, None, urgent=True)


def ahead(**time):
    return Moment.at(NOW + timedelta(**time))


def soon_enough(order, about=STAT):
    return is_soon_enough(order, about, situation(order))


@pytest.mark.parametrize(
    ("due", "covers"),
    [
        (ahead(), True),
        (ahead(hours=24), True),
        (ahead(hours=24, minutes=1), False),
        (ahead(days=21), False),
        (back(hours=24), True),
        (back(hours=24, minutes=1), False),
        (bare_date(0), True),
        (bare_date(1), True),
        (bare_date(2), False),
        (bare_date(-1), False),
        (None, False),
    ],
)
def test_what_is_urgent_is_only_replaced_by_an_order_within_a_day_of_now(due, covers):
    assert soon_enough(service_order("cbc-diff", due=due)) is covers


@pytest.mark.parametrize(
    ("due", "covers"),
    [
        (ahead(), True),
        (ahead(days=1), True),
        (Moment.at(datetime(2026, 12, 13, 23, 59, tzinfo=UTC)), True),
        (bare_date(-21), True),
        (bare_date(-22), False),
        (Moment.at(datetime(2026, 12, 14, tzinfo=UTC)), False),
        (Moment(earliest=NOW, latest=NOW + timedelta(days=60)), False),
        (back(hours=24), True),
        (back(hours=24, minutes=1), False),
    ],
)
def test_a_repeat_is_replaced_by_an_order_up_to_its_day(due, covers):
    assert soon_enough(service_order("cbc-diff", due=due), step(due=21)) is covers


def test_a_repeat_without_days_is_due_today():
    assert soon_enough(service_order("cbc-diff", due=bare_date(0)), step(due=None))
    assert not soon_enough(service_order("cbc-diff", due=bare_date(-1)), step(due=None))


@pytest.mark.parametrize(
    ("authored", "covers"), [(back(35), True), (back(35, minutes=1), False), (None, False), (ahead(days=1), False)]
)
def test_an_undated_order_is_open_for_a_while_but_never_urgent(authored, covers):
    order = service_order("cbc-diff", authored=authored)
    assert soon_enough(order, step()) is covers
    assert not soon_enough(order, step(urgent=True))


@pytest.mark.parametrize(("due", "covers"), [(ahead(days=60), True), (back(days=2), False), (None, True)])
def test_what_has_no_day_is_replaced_by_an_order_of_any_day(due, covers):
    order = service_order("duffy-phenotype", due=due, authored=back(days=1))
    assert soon_enough(order, step(Kind.DUFFY_PHENOTYPE, None)) is covers


def test_an_undated_draft_of_this_call_is_due_now():
    assert soon_enough(service_order("cbc-diff", "draft", draft=True))
    assert not soon_enough(service_order("cbc-diff", "draft", authored=back(0)))


@pytest.mark.parametrize(
    ("status", "covers"),
    [("active", True), ("draft", True), ("on-hold", False), ("cancelled", False), ("unknown", False)],
)
def test_only_active_orders_and_drafts_are_open(status, covers):
    assert soon_enough(service_order("cbc-diff", status, due=ahead(), draft=True)) is covers


@given(
    st.integers(-200, 200), st.integers(0, 100), st.integers(0, 72), st.booleans(), st.sampled_from(["active", "draft"])
)
def test_what_covers_never_comes_after_what_was_suggested(hours, days, spread, urgent, status):
    """Whatever the order, the patient is not worse off than with the suggestion, by more than the day's end."""
    start = NOW + timedelta(hours=hours)
    order = service_order("cbc-diff", status, due=Moment(earliest=start, latest=start + timedelta(hours=spread)))
    if soon_enough(order, step(due=days, urgent=urgent)):
        latest = NOW + DAY if urgent else (NOW + timedelta(days=days)).replace(hour=23, minute=59, second=59)
        assert order.due.latest <= latest + MINUTE


KINDS = [
    (Kind.STAT_CBC, "cbc-diff", "cbc"),
    (Kind.REPEAT_CBC, "cbc-diff", "manual-differential"),
    (Kind.MANUAL_SMEAR, "manual-differential", "cbc-diff"),
    (Kind.MANUAL_SMEAR, "blood-film", "cbc"),
    (Kind.HAEMATOLOGY_REFERRAL, "haematology-referral", "pharmacy-consult"),
    (Kind.IGG_REFERRAL, "igg-replacement-referral", "haematology-referral"),
    (Kind.PHARMACY_CONSULT, "pharmacy-consult", "haematology-referral"),
    (Kind.DUFFY_PHENOTYPE, "duffy-phenotype", "igg"),
]


@pytest.mark.parametrize(("kind", "same", "other"), KINDS)
def test_nothing_is_suggested_again_that_is_ordered(kind, same, other):
    about = step(kind, None)
    assert not leaves_something(about, situation(service_order(same, due=ahead())))
    assert leaves_something(about, situation(service_order(other, due=ahead())))
    assert leaves_something(about, situation())
    assert leaves_something(about, situation(unavailable=("serviceRequests",)))


@pytest.mark.parametrize("kind", [Kind.HOLD_MEDICATION, Kind.LAB_VERIFICATION, Kind.EMPIRIC_ANTIBIOTICS])
def test_what_is_no_test_is_never_ordered_already(kind):
    assert leaves_something(step(kind), situation(service_order("cbc-diff", due=ahead())))


def words(plan):
    return [t.words for t in plan.to_order], [t.words for t, _ in plan.ordered]


@pytest.mark.parametrize(
    ("open_orders", "to_order", "ordered"),
    [(0, ["first", "second"], []), (1, ["second"], ["first"]), (2, [], ["first", "second"])],
)
def test_one_blood_culture_is_not_two(open_orders, to_order, ordered):
    orders = [service_order("blood-culture", due=ahead()) for _ in range(open_orders)]
    about = step(Kind.BLOOD_CULTURES, None, urgent=True)
    plan = plan_of(about, situation(*orders))
    assert words(plan) == ([f"blood culture, {n} set" for n in to_order], [f"blood culture, {n} set" for n in ordered])
    assert leaves_something(about, situation(*orders)) is bool(to_order)
    assert len({order.source for _, order in plan.ordered}) == len(ordered)


def test_the_workup_leaves_out_what_has_a_result_or_an_order():
    known = [lab("B12", "300", 365), lab("FOLATE", "8", 366), finding("HIV", "negative", days=10, final=False)]
    ordered = service_order("hcv-antibody", due=ahead())
    plan = plan_of(step(Kind.WORKUP_PANEL, None), situation(*known, ordered))
    assert words(plan) == (
        ["folate", "HIV antigen and antibody", "hepatitis B surface antigen", "antinuclear antibodies"],
        ["hepatitis C antibody"],
    )
    complete = [lab(name, "1", 1) for name in ("B12", "FOLATE", "HIV", "HBV", "HCV", "ANA")]
    assert not leaves_something(step(Kind.WORKUP_PANEL, None), situation(*complete))


def test_one_order_can_be_for_several_tests():
    panel = service_order("b12", due=ahead())
    panel = type(panel)(panel.source, frozenset({"b12", "folate"}), "panel", "active", due=ahead())
    plan = plan_of(step(Kind.WORKUP_PANEL, None), situation(panel))
    assert [t.purpose for t, _ in plan.ordered] == ["b12", "folate"]


@pytest.mark.parametrize(
    ("antibody", "nat"),
    [(name, f"{name.removesuffix('-antibody')}-nat") for name in (
        "hiv-antibody", "hbv-antibody", "hcv-antibody", "hev-antibody", "cmv-antibody", "ebv-antibody",
        "parvovirus-b19-antibody",
    )],
)  # fmt: skip
def test_names_the_test_that_replaces_a_drafted_serology(antibody, nat):
    drafted = service_order(antibody, "draft", draft=True, source="ServiceRequest/d")
    about = situation(drafted, service_order("hiv-antibody", due=ahead()), hook="order-sign")
    assert [t.purpose for t in plan_of(step(Kind.NAT_TEST, None), about).to_order] == [nat]
    assert plan_of(step(Kind.NAT_TEST, None, order="ServiceRequest/other"), about).to_order == ()
    assert [t.purpose for t in plan_of(step(Kind.NAT_TEST, None, order="ServiceRequest/d"), about).to_order] == [nat]
    done = situation(drafted, service_order(nat, due=ahead()), hook="order-sign")
    assert not leaves_something(step(Kind.NAT_TEST, None), done)


def test_offers_no_test_in_place_of_a_serology_that_has_none():
    drafted = service_order("toxoplasma-antibody", "draft", draft=True)
    assert not leaves_something(step(Kind.NAT_TEST, None), situation(drafted, hook="order-sign"))


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (service_order("cbc-diff", due=bare_date(-1)), "due 2026-11-23"),
        (service_order("cbc-diff"), "no date"),
        (service_order("cbc-diff", "draft", due=ahead()), "draft, due 2026-11-22"),
        (service_order("cbc-diff", "active", draft=True), "draft, no date"),
    ],
)
def test_says_when_an_open_order_is_due(order, said):
    assert due_words(order) == said
