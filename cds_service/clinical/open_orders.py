"""Which of the tests that a suggestion asks for are already ordered, soon enough to take its place.

An open order reassures, so it is read strictly: one that may come too late, that lapsed, or that has no date where the
matter is urgent, takes nobody's place. Where service requests are unavailable, nothing is taken as ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cds_service.clinical.chart import ServiceOrder
from cds_service.clinical.requested_tests import RequestedTest, asks_for_tests, requested_tests
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestedStep, SuggestionKind

OPEN = frozenset({"active", "draft"})
Covered = tuple[RequestedTest, ServiceOrder]


@dataclass(frozen=True, slots=True)
class TestPlan:
    """What a suggestion comes to: tests still to be ordered, and those that are, with their orders."""

    __test__ = False  # no test of ours, whatever its name

    to_order: tuple[RequestedTest, ...] = ()
    ordered: tuple[Covered, ...] = ()


def plan_of(step: SuggestedStep, situation: Situation) -> TestPlan:
    """Each open order takes the place of one test of its kind: one blood culture is not two.

    Missing data: service requests unavailable: only the drafts of the call count. Source: presentation, C-OPEN-CBC.
    """
    taken: set[tuple[str, str]] = set()
    to_order: list[RequestedTest] = []
    ordered: list[Covered] = []
    for test in requested_tests(step.kind, situation, step.order):
        orders = (o for o in situation.chart.service_orders if (test.purpose, o.source) not in taken)
        order = next((o for o in orders if test.covered_by & o.kinds and is_soon_enough(o, step, situation)), None)
        if order is None:
            to_order.append(test)
        else:
            taken.add((test.purpose, order.source))
            ordered.append((test, order))
    return TestPlan(tuple(to_order), tuple(ordered))


def leaves_something(step: SuggestedStep, situation: Situation) -> bool:
    """False for a suggestion of tests of which none is left to be ordered."""
    return not asks_for_tests(step.kind) or bool(plan_of(step, situation).to_order)


def is_soon_enough(order: ServiceOrder, step: SuggestedStep, situation: Situation) -> bool:
    """True where an open order surely comes no later than suggested, and has not lapsed.

    Urgent: within a day of now, before or after; else up to the day suggested, or any day where none is (work-up,
    referral); a repeat count without a day is due today. Undated: a draft of this call is due
    now; an order is open for a while after it was written, but never urgent.
    """
    if order.status not in OPEN:
        return False
    if order.due is None:
        return order.draft or (not step.urgent and _is_recent(order, situation))
    day = hours(situation.numbers.open_stat_hours)
    if order.due.latest < situation.now - day:
        return False
    if step.urgent:
        return order.due.latest <= situation.now + day
    if step.due_in_days is None and step.kind is not SuggestionKind.REPEAT_CBC:
        return True
    suggested = situation.now + timedelta(days=step.due_in_days or 0)
    return order.due.latest.date() <= suggested.date()


def _is_recent(order: ServiceOrder, situation: Situation) -> bool:
    written = order.authored
    return written is not None and written.is_within(days(situation.numbers.open_cbc_days), situation.now)


def due_words(order: ServiceOrder) -> str:
    """ "due 2026-12-13", "draft", "no date": what is known of when an open order is due."""
    parts = ["draft"] if order.draft or order.status == "draft" else []
    return ", ".join([*parts, f"due {order.due.day}" if order.due else "no date"])
