"""Presentation 1-5: the whole words of a card, and the whole notice of what was not checked."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from cds_service.clinical.cards import Coding, Indicator, RuleVersion
from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.facts import FACTS
from cds_service.clinical.knowledge import DEFECT
from cds_service.clinical.presentation import KEY_WORDS, UNNAMED_DRAFT, Presenter
from cds_service.clinical.rules import ForEach, Reference
from cds_service.clinical.verdicts import judge_all
from tests.unit.clinical.charts import anc, problem, situation, temp
from tests.unit.clinical.rulebook import library, rule, texts

HOOKS = frozenset({"patient-view", "order-sign"})


def present(rules, *things, about=None, order=(), joins=None, budget=3):
    book = library(*rules, order=order, joins=joins, budget=budget)
    shown = dataclasses.replace(book.presentation, source_url="https://example.org/about")
    book = dataclasses.replace(book, presentation=shown)
    ids, here = map(str, itertools.count(1)), about or situation(*things)
    return Presenter(book, here, lambda step: (), lambda: next(ids)).present(judge_all(book, here))


def one(rule_id, level="warning", place="own", **more):
    return rule(rule_id, levels={level: None}, place=place, hooks=HOOKS, **more)


def one_that_reads(rule_id, condition):
    return rule(rule_id, condition, hooks=HOOKS)


def test_a_card_says_whose_it_is_and_which_rules_in_which_version():
    (card,) = present([one("anc-low", version="2.1.0", title="A low count")])
    assert (card.uuid, card.source_label, card.source_url) == ("1", "leukopenia-cds", "https://example.org/about")
    assert card.topic == Coding("urn:leukopenia-cds:topic", "ancLow", "A low count")
    assert card.rules == (RuleVersion("anc-low", "2.1.0"),)


def test_the_whole_detail_of_a_card_that_takes_in_another_rule():
    host = one("host", detail=texts("The finding.\n\nWhat the guidance says.\n\nMore of it."))
    (card,) = present([host, one("guest")], anc("1.2", 1), joins={"guest": "host"})
    assert card.detail == (
        "The finding.\n\n"
        "What the guidance says.\n\nMore of it.\n\n- Line of guest\n\n"
        "Rule: host 1.0.0, guest 1.0.0 (knowledge 2026.11.0, under review). Sources: A source (VER).\n\n"
        "For clinicians."
    )


def test_the_whole_detail_of_a_summary():
    (card,) = present([one("a", "info"), one("b", "info")])
    assert card.detail == (
        "- Line of a\n- Line of b\n\n"
        "Rule: a 1.0.0, b 1.0.0 (knowledge 2026.11.0, under review). Sources: A source (VER).\n\n"
        "For clinicians."
    )


def test_names_four_sources_at_most():
    sources = tuple(Reference(f"F{n}", f"Source {n}", "VER") for n in range(5))
    (card,) = present([one("a", sources=sources)])
    shown = "Source 0 (VER); Source 1 (VER); Source 2 (VER); Source 3 (VER)"
    assert f"Sources: {shown}.\n\nFor clinicians." in card.detail


def test_a_scope_rule_without_anything_silenced_ends_with_its_own_words():
    scope = rule("scope", "pregnant", scope=True, levels={"warning": "anc < 1.5"}, hooks=HOOKS)
    (card,) = present([rule("a", "fever", hooks=HOOKS), scope], problem("pregnancy"), anc("1.2"))
    assert "| Found | pregnancy |  |\n\nRule: scope 1.0.0" in card.detail
    assert card.detail.startswith("Detail of scope\n\n| Input ")


def test_a_scope_rule_keeps_its_own_words_before_those_of_the_silenced():
    scope = rule(
        "scope",
        "pregnant",
        scope=True,
        levels={"warning": "level['a'] == 'warning'"},
        hooks=HOOKS,
        detail=texts("In pregnancy.\n\nAsk an obstetrician."),
    )
    (card,) = present([rule("a", "fever", hooks=HOOKS), scope], problem("pregnancy"), temp("38.5"))
    assert card.detail.startswith("In pregnancy.\n\n| Input ")
    assert (
        "| Found | pregnancy |  |\n\n"
        "Ask an obstetrician.\n\n"
        "For an adult this would read:\n\n- Line of a\n\n"
        "Rule: scope 1.0.0"
    ) in card.detail


@pytest.mark.parametrize(("level", "place", "budget"), [("info", "own", 3), ("warning", "action", 0)])
def test_a_scope_rule_in_a_shared_card_still_says_what_it_silenced(level, place, budget):
    scope = rule("scope", "pregnant", scope=True, levels={level: "level['a'] == 'warning'"}, place=place, hooks=HOOKS)
    rules = [rule("a", "fever", hooks=HOOKS), scope]
    (card,) = present(rules, problem("pregnancy"), temp("38.5"), budget=budget)
    assert "For an adult this would read:\n\n- Line of a\n\n" in card.detail


@pytest.mark.parametrize("number", [2, 3, 11])
@pytest.mark.parametrize("spare", [-1, 0, 1, 2, 5, 8])
def test_a_shared_summary_keeps_every_word_it_has_room_for(number, spare):
    """`spare` characters are left beside the longer way to say how many more there are."""
    more = f" (+{number - 1} more)"
    room = 139 - len("Neutropenia summary: ") - len(more) - spare
    words = "a" * 20 + " " + "b" * (room - 21)
    (card,) = present([one(f"r{n:02}", "info", summary=texts(words)) for n in range(number)])
    counted = more if spare >= 0 else f" (+{number - 1})"
    assert card.summary == f"Neutropenia summary: {words}{counted}"


def test_a_shared_summary_that_is_too_long_is_cut_at_a_word_and_still_counts():
    words = "word " * 22 + "longer"
    (card,) = present([one("a", "info", summary=texts(words)), one("b", "info")])
    assert card.summary == "Neutropenia summary: " + " ".join(["word"] * 22) + "… (+1)"
    assert len(card.summary) < 140


def test_rules_of_one_level_come_in_the_order_of_the_list_the_others_after_them_by_name():
    cards = present([one(name) for name in ("b", "a", "d", "c")], order=("d", "b"))
    assert [card.rules[0].id for card in cards] == ["d", "b", "a", "c"]


def test_a_rule_without_a_place_is_part_of_the_summary():
    lost = dataclasses.replace(one("a"), places={})
    cards = present([lost, one("b", "info")])
    assert [[r.id for r in card.rules] for card in cards] == [["a", "b"]]


def unchecked(rules, about):
    return present(rules, about=about)[-1]


def test_the_whole_notice_of_what_was_not_checked():
    rules = [one_that_reads("a", "fever"), one_that_reads("b", "pregnant"), one_that_reads("c", "anc < 0.5")]
    about = situation(anc("2.2"), unavailable=("vitalSigns", "conditions"))
    card = unchecked(rules, about)
    assert card.uuid == "1"
    assert card.summary == "Neutropenia checks incomplete: problems, vital signs (fever) not available"
    assert card.indicator is Indicator.INFO
    assert (card.source_label, card.source_url) == ("leukopenia-cds", "https://example.org/about")
    assert card.topic == Coding("urn:leukopenia-cds:topic", "couldNotEvaluate", "Could not be evaluated")
    assert card.rules == (RuleVersion("a", "1.0.0"), RuleVersion("b", "1.0.0"))
    assert card.detail == (
        "Not available:\n\n"
        "- problems: not sent\n"
        "- vital signs (fever): not sent\n\n"
        "Not evaluated for that reason:\n\n"
        "- Title of a\n"
        "- Title of b\n\n"
        "This is no all-clear: look at the chart.\n\n"
        "For clinicians."
    )


def test_the_notice_gives_the_reason_that_was_stated():
    about = situation(unavailable=("vitalSigns",))
    chart = dataclasses.replace(about.chart, unavailable={"vitalSigns": "the server <b> refused"})
    card = unchecked([one_that_reads("a", "fever")], dataclasses.replace(about, chart=chart))
    assert "- vital signs (fever): the server &lt;b> refused\n\n" in card.detail


def test_the_notice_where_a_card_fired_on_the_counts_on_hand():
    card = unchecked([one_that_reads("a", "anc < 1.0")], situation(anc("0.4"), unavailable=("cellCounts",)))
    assert card.summary == "Neutropenia checks incomplete: blood counts not available"
    assert card.detail == (
        "Not available:\n\n- blood counts: not sent\n\nThis is no all-clear: look at the chart.\n\nFor clinicians."
    )


def unnamed(hook):
    about = situation(hook=hook)
    return dataclasses.replace(about, chart=dataclasses.replace(about.chart, unnamed_drafts=("MedicationRequest/x",)))


def test_the_notice_of_a_draft_whose_drug_nobody_named():
    each = rule("each", "drug.below_anc_limit", each=ForEach.DRUG, hooks=HOOKS)
    card = unchecked([each, one_that_reads("other", "fever")], unnamed("order-sign"))
    assert card.summary == "Neutropenia checks incomplete: drug of a draft order not available"
    assert card.rules == (RuleVersion("each", "1.0.0"),)
    assert card.detail == (
        "Not available:\n\n"
        "- drug of a draft order: the order names no drug that could be read; compare it with the label\n\n"
        "This is no all-clear: look at the chart.\n\n"
        "For clinicians."
    )
    assert present([each], about=unnamed("patient-view")) == []


def test_a_rule_that_is_unknown_though_no_data_are_missing_is_not_in_the_notice():
    rules = [one_that_reads("quiet", "platelets < 50.0"), one_that_reads("a", "fever")]
    card = unchecked(rules, situation(unavailable=("vitalSigns",)))
    assert [r.id for r in card.rules] == ["a"]


def test_every_kind_of_data_has_words():
    assert {*map(str, PrefetchKey), DEFECT, UNNAMED_DRAFT} == KEY_WORDS.keys()


def test_the_notice_of_a_fault_of_our_own(monkeypatch):
    def fail(about):
        raise ZeroDivisionError

    monkeypatch.setitem(FACTS, "pregnant", dataclasses.replace(FACTS["pregnant"], compute=fail))
    card = unchecked([one_that_reads("a", "pregnant")], situation())
    assert card.summary == "Neutropenia checks incomplete: one of its own computations not available"
    assert "\n- one of its own computations: a fault of this service; please report it\n\n" in card.detail
