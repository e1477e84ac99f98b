"""Rules about drugs on hold: which orders they look at, and what the order that resumes one gives as its reason."""

from __future__ import annotations

import dataclasses

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.rules import ForEach
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.clinical.templates import Template
from cds_service.clinical.verdicts import Outcome, judge_all
from cds_service.clinical.wording import proposed, step_of
from tests.unit.clinical.charts import METHIMAZOLE, anc, draft, drug, order, situation
from tests.unit.clinical.rulebook import library, rule, suggestion

IMATINIB = drug("imatinib")
HELD = rule("r", "anc > 0.0", each=ForEach.HELD_DRUG)


def judge(one, *things, **more):
    return judge_all(library(one), situation(*things, **more))[0]


@pytest.mark.parametrize(
    ("things", "found"),
    [
        ([order(IMATINIB, "on-hold", end=9)], ["imatinib"]),
        ([order(IMATINIB, "on-hold", end=9), order(METHIMAZOLE, "on-hold", end=2)], ["imatinib", "methimazole"]),
        ([order(IMATINIB, start=9)], []),
        ([order(IMATINIB, "stopped", end=9)], []),
        ([draft(IMATINIB, status="on-hold")], []),
        ([order(IMATINIB, "on-hold", end=9, route=Route.INTRATHECAL)], []),
        ([order(IMATINIB, "on-hold", end=9, route=Route.LOCAL)], []),
        ([order(None, "on-hold", end=9)], []),
    ],
)
def test_looks_at_systemic_orders_on_file_that_are_on_hold(things, found):
    verdict = judge(HELD, anc("2"), *things)
    assert [case.drug.ingredient for case in verdict.cases] == found
    assert verdict.outcome is (Outcome.FIRED if found else Outcome.NOT_FIRED)


def test_looks_at_them_on_ordering_too():
    one = dataclasses.replace(HELD, hooks=frozenset({"order-sign"}))
    assert judge(one, anc("2"), order(IMATINIB, "on-hold", end=9), hook="order-sign").fired


@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_is_not_known_without_the_drug_list(hook):
    one = dataclasses.replace(HELD, hooks=frozenset({hook}))
    verdict = judge(one, anc("2"), hook=hook, unavailable=("medicationRequests",))
    assert (verdict.outcome, verdict.missing_keys) == (Outcome.UNKNOWN, {"medicationRequests"})


@pytest.mark.parametrize(
    ("reason", "words"),
    [(None, "Summary of r"), (Template("Resume {drug.name}\n at ANC {anc}"), "Resume Imatinib at ANC 2")],
)
def test_the_written_order_gives_the_reason_of_the_suggestion_else_the_summary(reason, words):
    offer = dataclasses.replace(suggestion(SuggestionKind.RESUME_MEDICATION, each=True), reason=reason)
    held = order(IMATINIB, "on-hold", end=9)
    verdict = judge(dataclasses.replace(HELD, suggestions=(offer,)), anc("2"), held)
    (pair,) = proposed(verdict, verdict.cases[0].sheet.situation)
    step = step_of(verdict, *pair)
    assert (step.order, step.reason) == (held.source, words)
