"""Presentation 6: what the same user has answered on the same evidence is not shown again, and everything else is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cds_service.application.hook_request import HookRequest, ServiceDescription
from cds_service.application.invoke import HookService
from cds_service.application.ports import PastAnswer, ReadChart
from cds_service.clinical.cards import Coding
from cds_service.clinical.quiet_policy import QuietPolicy
from cds_service.clinical.rules import ForEach
from cds_service.clinical.situation import SitePolicy
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.errors import StoreUnavailable
from tests.unit.clinical.charts import NOW, Decimal, anc, chart, draft, drug, problem
from tests.unit.clinical.rulebook import library, rule, suggestion

HOOKS = frozenset({"patient-view", "order-select", "order-sign"})
SERVICES = tuple(ServiceDescription(hook, hook, "Title", "Words", {}) for hook in sorted(HOOKS))
POLICY = QuietPolicy(overridden=timedelta(days=30), accepted=timedelta(hours=24), never=frozenset({"always"}))
DAY = timedelta(days=1)


@dataclass
class Answers:
    """An AnswerLog in memory: what was asked, and what it knows by the words that were hashed."""

    known: list[PastAnswer] = field(default_factory=list)
    asked: list[tuple[frozenset[str], str | None, object]] = field(default_factory=list)
    error: Exception | None = None

    def fingerprint(self, parts):
        return repr(tuple(parts))

    def answers(self, fingerprints, *, client, since):
        self.asked.append((frozenset(fingerprints), client, since))
        if self.error:
            raise self.error
        return [answer for answer in self.known if answer.fingerprint in fingerprints]


@dataclass
class Reader:
    chart: object

    def read(self, request, templates, *, now, deadline):
        return ReadChart(self.chart)


class Writer:
    def actions_for(self, step, read, *, now, requester=None):
        return ()


def one(rule_id, level="info", place="summary", when="anc < 1.5", **more):
    return rule(rule_id, when, levels={level: None}, place=place, hooks=HOOKS, **more)


def answer(rules, *things, found=None, log=None, hook="patient-view", policy=POLICY, joins=None, **request):
    book = library(*rules, joins=joins)
    book = replace(book, presentation=replace(book.presentation, quiet=policy))
    things = things or (anc("1.2", 1, source="Observation/o1"),)
    service = HookService(
        book, SERVICES, Reader(found or chart(*things)), Writer(), SitePolicy(), timedelta(seconds=2), answers=log
    )
    given = {"patient_id": "p1", "context": {"userId": "Practitioner/1"}, "client": "c", "tenant": "t"} | request
    return service.answer(HookRequest(hook, hook, "instance", **given), now=NOW)


def fingerprints(answered):
    return {r.id: r.fingerprint for card in answered.cards for r in card.rules}


def shown(answered):
    return {r.id for card in answered.cards for r in card.rules}


def line(answered, rule_id):
    return next(each for each in answered.evaluation.rules if each.id == rule_id)


def after(rules, *things, outcome="overridden", ago=DAY, reason=None, accepted=(), again=None, **more):
    """Show, let the user answer every card, and show once more; `again` changes the second call."""
    log = Answers()
    first = answer(rules, *things, log=log, **more)
    log.known = [
        PastAnswer(mark, outcome, NOW - ago, reason, accepted) for mark in fingerprints(first).values() if mark
    ]
    changed = dict(again or {})
    return answer(rules, *changed.pop("things", things), log=log, **{**more, **changed})


INFO = one("note")


def test_what_was_overridden_is_not_shown_again_and_the_evaluation_says_so():
    again = after([INFO])
    assert again.cards == ()
    note = line(again, "note")
    assert (note.outcome, note.suppressed_by, note.card, note.indicator) == ("fired", "quiet", None, "info")
    assert note.because[0].fact == "anc"


def test_a_withheld_rule_offers_nothing():
    offering = one("note", suggestions=(suggestion(SuggestionKind.REPEAT_CBC),))
    assert line(answer([offering], log=Answers()), "note").suggestions == ("repeat-cbc-diff",)
    assert line(after([offering]), "note").suggestions == ()


def test_the_others_of_a_merged_card_are_still_shown():
    """Only one of the two was answered: its line goes, the other speaks for itself."""
    log = Answers()
    first = answer([INFO, one("other")], log=log)
    log.known = [PastAnswer(fingerprints(first)["note"], "overridden", NOW - DAY)]
    again = answer([INFO, one("other")], log=log)
    assert shown(again) == {"other"}
    assert again.cards[0].summary == "Summary of other"
    assert line(again, "other").card == again.cards[0].uuid


@pytest.mark.parametrize(
    ("level", "place", "withheld"),
    [
        ("info", "summary", True),
        ("info", "action", True),
        ("warning", "action", True),
        ("warning", "summary", False),
        ("warning", "own", False),
        ("info", "own", False),
        ("critical", "own", False),
        ("critical", "action", False),
        ("critical", "summary", False),
    ],
)
def test_only_information_and_action_warnings_are_ever_withheld(level, place, withheld):
    again = after([one("r", level, place)])
    assert shown(again) == (set() if withheld else {"r"})
    assert fingerprints(answer([one("r", level, place)], log=Answers()))["r"] is None or withheld


def test_a_rule_that_warns_on_its_own_card_is_shown_also_as_information():
    both = rule("r", "anc < 1.5", levels={"warning": "anc < 1.0", "info": None}, hooks=HOOKS)
    mixed = replace(both, places={**both.places, "info": "summary"})
    assert shown(after([mixed])) == {"r"}


def test_rules_that_the_library_names_are_always_shown():
    assert shown(after([one("always")])) == {"always"}


def test_a_scope_rule_is_always_shown():
    scope = rule("scope", "pregnant", scope=True, levels={"info": "anc < 1.5"}, place="summary", hooks=HOOKS)
    assert shown(after([scope], problem("pregnancy"), anc("1.2"))) == {"scope"}


def test_a_line_of_another_rules_card_is_always_shown():
    rules, joins = [one("host", "critical"), one("guest")], {"guest": "host"}
    assert shown(after(rules, joins=joins)) == {"host", "guest"}
    assert fingerprints(answer(rules, log=Answers(), joins=joins)) == {"host": None, "guest": None}


def test_the_card_that_says_what_was_not_checked_answers_for_no_rule():
    """It can name rules that fired: to put it aside says nothing of them, and it itself is always shown."""
    unnamed = replace(chart(anc("1.2", 1)), unnamed_drafts=("MedicationRequest/d9",))
    log = Answers()
    first = answer([INFO], found=unnamed, log=log, hook="order-sign")
    notes, unchecked = first.cards
    assert (notes.rules[0].id, unchecked.topic.code) == ("note", "couldNotEvaluate")
    assert [(r.id, r.fingerprint) for r in unchecked.rules] == [("note", None)]
    log.known = [PastAnswer(str(notes.rules[0].fingerprint), "overridden", NOW - DAY)]
    again = answer([INFO], found=unnamed, log=log, hook="order-sign")
    assert [card.topic.code for card in again.cards] == ["couldNotEvaluate"]
    assert (line(again, "note").outcome, line(again, "note").card) == ("fired", None)


@pytest.mark.parametrize(
    "again",
    [
        {"context": {"userId": "Practitioner/2"}},
        {"context": {}},
        {"context": {"userId": ""}},
        {"context": {"userId": "  "}},
        {"context": {"userId": 1}},
        {"patient_id": "p2"},
        {"client": "other"},
        {"client": None},
        {"tenant": "other"},
        {"hook": "order-sign"},
        {"things": (anc("1.2", 1, source="Observation/o1"), anc("1.3", 0, source="Observation/o2"))},
        {"things": (anc("1.1", 1, source="Observation/o1"),)},
        {"policy": None},
    ],
    ids=str,
)
def test_another_user_patient_client_moment_or_result_is_shown_everything(again):
    assert shown(after([INFO], again=again)) == {"note"}


@pytest.mark.parametrize("context", [{}, {"userId": ""}, {"userId": "  "}, {"userId": 1}], ids=str)
def test_nobody_in_particular_is_never_the_same_user(context):
    log = Answers()
    assert fingerprints(answer([INFO], log=log, context=context)) == {"note": None}
    assert log.asked == []


@pytest.mark.parametrize(
    ("ago", "withheld"), [(30 * DAY - timedelta(seconds=1), True), (30 * DAY, False), (31 * DAY, False)]
)
def test_an_override_counts_for_less_than_thirty_days(ago, withheld):
    assert (shown(after([INFO], ago=ago)) == set()) is withheld


@pytest.mark.parametrize(
    ("reason", "withheld"), [(None, True), ("will-monitor", True), ("a-code-of-the-site", True), ("nat-done", False)]
)
def test_a_reason_that_only_another_rule_offers_was_said_of_that_rule(reason, withheld):
    serology = one("serology", override_reasons=(Coding("urn:r", "nat-done", "NAT done"),))
    again = after([INFO, serology], reason=reason)
    assert ("note" not in shown(again)) is withheld
    assert ("serology" not in shown(again)) is (reason != "will-monitor")


LIMITED = drug("methosan", anc_hold=Decimal("1.5"))
BELOW = rule(
    "below",
    "drug.below_anc_limit",
    each=ForEach.DRUG,
    levels={"warning": None},
    place="action",
    hooks=HOOKS,
    suggestions=(suggestion(SuggestionKind.REPEAT_CBC), suggestion(SuggestionKind.REMOVE_DRAFT, each=True)),
)
DRAFT = draft(LIMITED, source="MedicationRequest/d1", daily_dose_mg=Decimal(15))
ORDERING = (anc("1.2", 1, source="Observation/o1"), DRAFT)


def taken(*kinds, ago=DAY / 2, hook="order-sign", things=ORDERING, outcome="accepted"):
    """Suggestions accepted while the drug was chosen; then the order is signed."""
    return shown(
        after(
            [BELOW],
            *ORDERING,
            hook="order-select",
            outcome=outcome,
            accepted=kinds,
            ago=ago,
            again={"hook": hook, "things": things},
        )
    )


def test_what_was_overridden_while_choosing_is_not_shown_on_signing_the_same_order():
    renumbered = (ORDERING[0], replace(DRAFT, source="MedicationRequest/other"))
    again = {"hook": "order-sign", "things": renumbered}
    assert shown(after([BELOW], *ORDERING, hook="order-select", again=again)) == set()
    changed = (ORDERING[0], replace(DRAFT, daily_dose_mg=Decimal(20)))
    again = {"hook": "order-sign", "things": changed}
    assert shown(after([BELOW], *ORDERING, hook="order-select", again=again)) == {"below"}


def test_advice_taken_while_choosing_is_not_repeated_on_signing_the_same_order():
    assert taken("repeat-cbc-diff") == set()
    assert taken("repeat-cbc-diff", things=(ORDERING[0], replace(DRAFT, daily_dose_mg=Decimal(20)))) == {"below"}
    assert taken("repeat-cbc-diff", hook="order-select") == {"below"}


@pytest.mark.parametrize("kinds", [("remove-draft-order",), ("repeat-cbc-diff", "remove-draft-order"), ()])
def test_advice_to_change_the_order_was_not_followed_where_it_is_signed_unchanged(kinds):
    assert taken(*kinds) == {"below"}


def test_advice_that_is_not_known_any_more_counts_for_nothing():
    assert taken("repeat-cbc-diff", "") == {"below"}


def test_advice_of_another_rule_on_the_same_card_counts_for_nothing():
    assert taken("manual-smear") == {"below"}


@pytest.mark.parametrize(("ago", "withheld"), [(DAY - timedelta(seconds=1), True), (DAY, False)])
def test_advice_taken_counts_for_less_than_a_day(ago, withheld):
    assert (taken("repeat-cbc-diff", ago=ago) == set()) is withheld


def test_advice_taken_on_a_chart_is_given_again():
    offering = one("note", suggestions=(suggestion(SuggestionKind.REPEAT_CBC),))
    assert shown(after([offering], outcome="accepted", accepted=("repeat-cbc-diff",))) == {"note"}


def test_an_outcome_that_is_neither_counts_for_nothing():
    assert shown(after([INFO], outcome="ignored")) == {"note"}
    assert taken("repeat-cbc-diff", outcome="ignored") == {"below"}


def test_asks_once_for_all_rules_of_this_client_as_far_back_as_any_answer_counts():
    log = Answers()
    answer([INFO, one("other"), one("loud", "critical")], log=log)
    ((asked, client, since),) = log.asked
    assert (len(asked), client, since) == (2, "c", NOW - timedelta(days=30))


@pytest.mark.parametrize("rules", [[one("loud", "critical")], [one("always")], [one("none", when="anc < 0.5")], []])
def test_asks_nothing_where_nothing_may_be_withheld(rules):
    log = Answers()
    answer(rules, log=log)
    assert log.asked == []


def test_looks_back_as_long_as_the_longer_of_the_two(monkeypatch):
    log, policy = Answers(), replace(POLICY, overridden=timedelta(hours=1))
    answer([INFO], log=log, policy=policy)
    assert log.asked[0][2] == NOW - timedelta(hours=24)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ZeroDivisionError("secret")])
def test_a_fault_shows_everything_and_is_logged_without_its_words(error, caplog):
    caplog.set_level(logging.WARNING)
    answered = answer([INFO], log=Answers(error=error))
    assert shown(answered) == {"note"}
    (record,) = caplog.records
    assert (record.message, record.error, record.hookInstance) == (
        "earlier_answers_not_known",
        type(error).__name__,
        "instance",
    )


def test_without_a_log_or_a_policy_no_card_is_marked():
    assert fingerprints(answer([INFO])) == {"note": None}
    assert fingerprints(answer([INFO], log=Answers(), policy=None)) == {"note": None}


def test_a_card_is_marked_by_who_was_shown_it_and_what_it_rests_on():
    mark = fingerprints(answer([INFO], log=Answers()))["note"]
    assert mark.startswith("('c', 't', 'p1', 'Practitioner/1', ('note', '1.0.0', 'chart'")
    assert "Observation/o1" in mark
