"""Presentation 1-5 and 9: which verdict has a card of its own, which share one, in what order, and what cards print."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.cards import Action, Indicator, Link
from cds_service.clinical.drug_table import Confidence
from cds_service.clinical.facts import FACTS
from cds_service.clinical.presentation import Presenter
from cds_service.clinical.rules import Due, ForEach
from cds_service.clinical.site_orders import SiteOrders
from cds_service.clinical.situation import SitePolicy
from cds_service.clinical.suggestions import SuggestionKind as Kind
from cds_service.clinical.verdicts import judge_all
from tests.unit.clinical.charts import (
    ADULT,
    Decimal,
    anc,
    back,
    draft,
    drug,
    order,
    problem,
    service_order,
    situation,
    temp,
)
from tests.unit.clinical.rulebook import guard, library, rule, suggestion, texts

HOOKS = frozenset({"patient-view", "order-sign"})
UNCONFIGURED = {Kind.EMPIRIC_ANTIBIOTICS}


def actions_for(step):
    if step.kind in UNCONFIGURED:
        return ()
    if step.order and step.kind is Kind.REMOVE_DRAFT:
        return (Action("delete", step.label, resource_id=step.order),)
    if step.order:
        return (Action("update", step.label, resource={"id": step.order}),)
    return (Action("create", step.label, resource={}),)


def present(rules, *things, link_for=None, orders=None, withheld=(), **more):
    options = {name: more.pop(name) for name in ("order", "joins", "budget") if name in more}
    book, about = library(*rules, **options), situation(*things, **more)
    ids = map(str, itertools.count(1))
    given = {name: value for name, value in (("link_for", link_for), ("orders", orders)) if value}
    presenter = Presenter(book, about, actions_for, lambda: next(ids), **given)
    return presenter.present(judge_all(book, about), withheld)


def one(rule_id: str, level: str, place: str = "own", **more):
    return rule(rule_id, levels={level: None}, place=place, hooks=HOOKS, **more)


def shape(cards):
    return [(card.indicator.value, [r.id for r in card.rules]) for card in cards]


@pytest.mark.parametrize("place", ["own", "action", "summary"])
def test_a_critical_verdict_has_a_card_of_its_own_wherever_its_file_puts_it(place):
    cards = present([one("a", "critical", place), one("b", "critical", place)])
    assert shape(cards) == [("critical", ["a"]), ("critical", ["b"])]


@pytest.mark.parametrize("place", ["own", "action", "summary"])
@pytest.mark.parametrize(
    ("hook", "title"), [("patient-view", "Neutropenia summary"), ("order-sign", "Notes on this order")]
)
def test_all_information_shares_one_card(place, hook, title):
    cards = present([one("a", "info", place), one("b", "info", place)], hook=hook)
    assert shape(cards) == [("info", ["a", "b"])]
    assert cards[0].summary == f"{title}: Summary of a (+1 more)"
    assert "- Line of a\n- Line of b" in cards[0].detail


def test_three_action_cards_stand_alone_and_the_rest_share_one():
    names = ["a", "b", "c", "d", "e"]
    cards = present([one(name, "warning", "action") for name in names])
    assert shape(cards) == [("warning", ["a"]), ("warning", ["b"]), ("warning", ["c"]), ("warning", ["d", "e"])]
    assert cards[3].summary == "Also: Summary of d (+1 more)"


def test_a_single_rest_speaks_for_itself():
    cards = present([one(name, "warning", "action") for name in "abcd"])
    assert cards[3].summary == "Summary of d"
    assert "Detail of d" in cards[3].detail


def test_orders_by_level_then_by_the_list_then_summary_last():
    rules = [
        one("info-one", "info"),
        one("summary-warning", "warning", "summary"),
        one("own-late", "warning", "own"),
        one("action-early", "warning", "action"),
        one("unlisted", "warning", "own"),
        one("critical-late", "critical"),
        one("critical-early", "critical"),
    ]
    order = ("critical-early", "critical-late", "summary-warning", "action-early", "own-late")
    assert shape(present(rules, order=order)) == [
        ("critical", ["critical-early"]),
        ("critical", ["critical-late"]),
        ("warning", ["action-early"]),
        ("warning", ["own-late"]),
        ("warning", ["unlisted"]),
        ("warning", ["summary-warning", "info-one"]),
    ]


def test_the_most_urgent_line_of_a_summary_gives_it_its_words():
    (card,) = present([one("a", "info"), one("z", "warning", "summary")], order=("a", "z"))
    assert card.summary == "Neutropenia summary: Summary of z (+1 more)"
    assert [r.id for r in card.rules] == ["z", "a"]


levels = st.sampled_from(["info", "warning", "critical"])
places = st.sampled_from(["own", "action", "summary"])


@given(st.lists(st.tuples(levels, places), max_size=9))
def test_nothing_that_fired_goes_unmentioned_and_nothing_is_said_twice(kinds):
    rules = [one(f"r{number}", level, place) for number, (level, place) in enumerate(kinds)]
    cards = present(rules)
    mentioned = [r.id for card in cards for r in card.rules]
    assert sorted(mentioned) == sorted(r.id for r in rules)
    assert [c.indicator.rank for c in cards] == sorted((c.indicator.rank for c in cards), reverse=True)
    assert all(len(card.rules) == 1 for card in cards if card.indicator is Indicator.CRITICAL)


def test_joins_a_rule_to_anothers_card_where_both_fired_and_it_is_not_critical():
    joins = {"guest": "host"}
    both = present([one("host", "critical"), one("guest", "warning", "action")], joins=joins)
    assert shape(both) == [("critical", ["host", "guest"])]
    assert both[0].summary == "Summary of host"
    assert "Detail of host\n\n- Line of guest" in both[0].detail
    assert len(present([one("host", "critical"), one("guest", "critical")], joins=joins)) == 2
    assert len(present([one("guest", "warning", "action")], joins=joins)) == 1


@pytest.mark.parametrize(
    ("host", "guest", "level"),
    [(("warning", "summary"), "info", "warning"), (("info", "summary"), "warning", "warning")],
)
def test_a_line_of_another_rule_goes_with_it_into_the_summary(host, guest, level):
    rules = [one("host", *host), one("guest", guest, "own"), one("other", "info")]
    (card,) = present(rules, joins={"guest": "host"})
    assert (card.indicator.value, [r.id for r in card.rules]) == (level, ["host", "guest", "other"])
    assert "- Line of host\n- Line of guest\n- Line of other" in card.detail


def test_a_line_of_another_rule_goes_with_it_behind_the_budget():
    rules = [one(name, "warning", "action") for name in "abcd"]
    cards = present([*rules, one("guest", "info")], joins={"guest": "d"})
    assert shape(cards)[3] == ("warning", ["d", "guest"])


def test_what_the_user_has_answered_is_left_out_and_its_place_is_taken():
    rules = [one(name, "warning", "action") for name in "abcde"]
    cards = present(rules, withheld={"b"})
    assert shape(cards) == [("warning", ["a"]), ("warning", ["c"]), ("warning", ["d"]), ("warning", ["e"])]


RULE_IDS = st.sampled_from([f"r{number}" for number in range(9)])


@given(
    st.lists(st.tuples(levels, places), max_size=9),
    st.dictionaries(RULE_IDS, RULE_IDS, max_size=6),
    st.sets(RULE_IDS, max_size=4),
    st.sampled_from(["patient-view", "order-sign"]),
    st.integers(0, 4),
)
def test_whatever_joins_and_budget_are_nothing_that_fired_is_lost(kinds, joins, withheld, hook, budget):
    rules = [one(f"r{number}", level, place) for number, (level, place) in enumerate(kinds)]
    cards = present(rules, joins=joins, withheld=withheld, hook=hook, budget=budget)
    mentioned = [r.id for card in cards for r in card.rules]
    assert sorted(mentioned) == sorted({r.id for r in rules} - withheld)
    assert [c.indicator.rank for c in cards] == sorted((c.indicator.rank for c in cards), reverse=True)
    level = {f"r{number}": Indicator(word) for number, (word, _) in enumerate(kinds)}
    assert all(card.indicator is max((level[r.id] for r in card.rules), key=lambda i: i.rank) for card in cards)
    assert all(card.rules[0].id == r.id for card in cards for r in card.rules if level[r.id] is Indicator.CRITICAL)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(1, 4))
def test_a_summary_always_has_fewer_than_140_characters(text, number):
    free = text.replace("{", "").replace("}", "")
    rules = [one(f"r{n}", "info", summary=texts(free)) for n in range(number)]
    (card,) = present(rules)
    assert len(card.summary) < 140
    assert "\n" not in card.summary


def test_prints_the_basis_the_unknown_the_rule_its_version_and_the_source():
    reads = rule("r", "anc < 1.5 || duffy_null || sickle_cell_disease", hooks=HOOKS)
    (card,) = present([reads], anc("1.2", 1, source="Observation/o1"))
    assert "| ANC | 1.2 10\\*9/L | 2026-11-21 (24 h ago) |" in card.detail
    assert "| Not known | Duffy-null |  |" in card.detail
    assert "Rule: r 1.0.0 (knowledge 2026.11.0, under review). Sources: A source (VER)." in card.detail
    assert card.detail.endswith("For clinicians.")
    assert (card.topic.code, card.source_label) == ("r", "leukopenia-cds")
    assert [reason.code for reason in card.override_reasons] == ["will-monitor"]


def test_says_that_the_age_is_not_known():
    (card,) = present([one("r", "warning")], patient=None)
    assert "| Not known | age: read as an adult |  |" in card.detail


def test_links_to_the_page_of_the_first_rule_and_to_guidelines_once():
    cards = present(
        [one("a", "info"), one("b", "info")], link_for=lambda rule_id: Link("How", f"https://x.org/{rule_id}")
    )
    assert [link.url for link in cards[0].links] == ["https://x.org/a", "https://example.org/g"]


def test_offers_each_suggestion_once_and_says_what_the_site_has_no_order_for():
    cbc, antibiotics = suggestion(Kind.STAT_CBC, "CBC now"), suggestion(Kind.EMPIRIC_ANTIBIOTICS, "Antibiotics <now>")
    (card,) = present([one("a", "info", suggestions=(cbc, antibiotics)), one("b", "info", suggestions=(cbc,))])
    assert [s.kind for s in card.suggestions] == ["stat-cbc-diff"]
    assert card.selection_behavior == "any"
    assert "**By hand** (no one-click order is set up here): Antibiotics &lt;now>." in card.detail


LIMITED = {"anc_hold": Decimal("1.0")}
HOLD = suggestion(Kind.HOLD_MEDICATION, "Hold {drug.name}", each=True)
REDUCE = suggestion(Kind.REDUCE_DOSE, "Reduce {drug.name}", each=True)
REMOVE = suggestion(Kind.REMOVE_DRAFT, "Remove {drug.name}", each=True)


def each_drug(*suggestions, level=None, **more):
    return rule(
        "r",
        "drug.below_anc_limit",
        each=ForEach.DRUG,
        levels=level or {"warning": None},
        hooks=HOOKS,
        suggestions=suggestions,
        summary=texts("Hold {drugs}"),
        line=texts("Hold {drug.name}"),
        **more,
    )


@pytest.mark.parametrize(
    ("names", "suggestions", "behavior"),
    [
        (["a"], (HOLD, REDUCE), "at-most-one"),
        (["a"], (HOLD,), "any"),
        (["a", "b"], (HOLD,), "any"),
        (["a"], (HOLD, suggestion(Kind.REPEAT_CBC, "CBC")), "any"),
    ],
)
def test_lets_choose_one_of_hold_and_reduce_for_one_order(names, suggestions, behavior):
    orders = [order(drug(name, **LIMITED), start=5) for name in names]
    (card,) = present([each_drug(*suggestions)], *orders, anc("0.4"))
    assert card.selection_behavior == behavior


@pytest.mark.parametrize(
    ("names", "summary"),
    [
        (["a"], "Hold A"),
        (["a", "b"], "Hold A and B"),
        (["a", "b", "c", "d"], "Hold A, B and 2 more"),
        (["a", "a"], "Hold A"),
    ],
)
def test_a_for_each_rule_gives_one_card_with_a_line_and_a_suggestion_for_each_drug(names, summary):
    orders = [order(drug(name, **LIMITED), start=5) for name in names]
    (card,) = present([each_drug(HOLD)], *orders, anc("0.4"))
    assert card.summary == summary
    assert [s.label for s in card.suggestions] == [f"Hold {name.upper()}" for name in names]
    lines = [f"- Hold {name.upper()}" for name in dict.fromkeys(names)]
    assert ("\n".join(lines) in card.detail) is (len(lines) > 1)


def test_the_most_urgent_drug_comes_first():
    mild, severe = drug("mild", **LIMITED), drug("severe", **LIMITED, stop_suggestion="consult")
    both = each_drug(HOLD, level={"critical": "drug.ask_first", "warning": None})
    (card,) = present([both], order(mild, start=5), order(severe, start=5), anc("0.4"))
    assert (card.indicator, card.summary) == (Indicator.CRITICAL, "Hold Severe and Mild")


@pytest.mark.parametrize(
    ("confidence", "minimum", "offered"),
    [
        ("high", "medium", True),
        ("medium", "medium", True),
        ("low", "medium", False),
        ("high", "high", True),
        ("medium", "high", False),
        ("low", "high", False),
    ],
)
def test_offers_what_rests_on_a_drug_row_only_with_enough_confidence(confidence, minimum, offered):
    one_order = draft(drug("a", **LIMITED, confidence=Confidence(confidence)))
    cbc = suggestion(Kind.REPEAT_CBC, "CBC")
    policy = SitePolicy(min_confidence=minimum)
    (card,) = present([each_drug(REMOVE, cbc)], one_order, anc("0.4"), hook="order-sign", policy=policy)
    kinds = [s.kind for s in card.suggestions]
    assert kinds == (["remove-draft-order", "repeat-cbc-diff"] if offered else ["repeat-cbc-diff"])


def test_an_offer_of_several_rules_is_the_most_urgent_one():
    """A repeat in 21 days takes no place of a repeat in 7 on the same card."""
    slow, soon = (suggestion(Kind.REPEAT_CBC, "CBC in {due}", due=(Due(days, guard()),)) for days in (21, 7))
    (card,) = present([one("a", "info", suggestions=(slow,)), one("b", "info", suggestions=(soon,))])
    assert [s.label for s in card.suggestions] == ["CBC in 7 days"]


def test_a_repeat_that_is_already_ordered_is_said_and_not_offered():
    repeat = suggestion(Kind.REPEAT_CBC, "CBC in {due}", due=(Due(21, guard()),))
    rules = [one("r", "warning", suggestions=(repeat,))]
    (card,) = present(rules, service_order("cbc-diff", due=-21))
    assert (card.suggestions, "**Already ordered:** CBC with differential (due 2026-12-13)." in card.detail) == (
        (),
        True,
    )
    (card,) = present(rules, service_order("cbc-diff", due=-22))
    assert [s.label for s in card.suggestions] == ["CBC in 21 days"]


@pytest.mark.parametrize(("level", "offered"), [("critical", True), ("warning", False)])
def test_on_a_critical_card_an_undated_order_takes_nobodys_place(level, offered):
    referral = suggestion(Kind.HAEMATOLOGY_REFERRAL, "Refer")
    undated = service_order("haematology-referral", authored=back(1))
    (card,) = present([one("r", level, suggestions=(referral,))], undated)
    assert bool(card.suggestions) is offered


def test_takes_the_orders_of_the_site():
    antibiotics = suggestion(Kind.EMPIRIC_ANTIBIOTICS, "Antibiotics")
    page = Link("Order set", "https://example.org/set")
    orders = SiteOrders(links={Kind.EMPIRIC_ANTIBIOTICS: page})
    (card,) = present([one("r", "critical", suggestions=(antibiotics,))], orders=orders)
    assert card.links == (page, Link("Guideline", "https://example.org/g"))


def test_a_suggestion_says_when_it_is_due():
    due = (Due(7, guard("falling")), Due(21, guard()))
    repeat = suggestion(Kind.REPEAT_CBC, "CBC in {due}, {due_date}", due=due)
    (card,) = present([one("r", "warning", suggestions=(repeat,))])
    assert card.suggestions[0].label == "CBC in 21 days, 2026-12-13"
    (sooner,) = present([one("r", "warning", suggestions=(repeat,))], anc("0.4"), anc("1.2", 30))
    assert sooner.suggestions[0].label.startswith("CBC in 7 days")


def test_offers_a_suggestion_only_where_its_guard_holds():
    repeat = suggestion(Kind.REPEAT_CBC, "CBC", when="anc < 1.0")
    assert present([one("r", "warning", suggestions=(repeat,))], anc("1.2"))[0].suggestions == ()


def test_takes_the_first_text_that_holds_and_is_known():
    variants = texts(("Falling", "falling"), "ANC {anc}", "No count")
    assert present([one("r", "warning", summary=variants)], anc("1.2"))[0].summary == "ANC 1.2"
    assert present([one("r", "warning", summary=variants)])[0].summary == "No count"
    assert present([one("r", "warning", summary=texts("ANC {anc}"))])[0].summary == "Title of r"


def test_a_scope_rule_repeats_what_the_silenced_rules_would_have_said():
    scope = rule("scope", "pregnant", scope=True, levels={"warning": "level['a'] == 'warning'"}, hooks=HOOKS)
    (card,) = present([rule("a", "fever", hooks=HOOKS), scope], problem("pregnancy"), temp("38.5"))
    assert "For an adult this would read:\n\n- Line of a" in card.detail
    quiet = rule("scope", "pregnant", scope=True, levels={"warning": "anc < 1.5"}, hooks=HOOKS)
    (card,) = present([rule("a", "fever", hooks=HOOKS), quiet], problem("pregnancy"), anc("1.2"))
    assert "For an adult" not in card.detail


def test_says_what_could_not_be_checked_and_why():
    cards = present(
        [rule("a", "fever", hooks=HOOKS), rule("b", "anc < 1.5", hooks=HOOKS)], anc("1.2"), unavailable=("vitalSigns",)
    )
    assert shape(cards) == [("warning", ["b"]), ("info", ["a"])]
    assert cards[1].summary == "Neutropenia checks incomplete: vital signs (fever) not available"
    assert "- vital signs (fever): not sent" in cards[1].detail
    assert "- Title of a" in cards[1].detail
    assert "no all-clear" in cards[1].detail
    assert cards[1].topic.code == "couldNotEvaluate"


def test_says_nothing_where_everything_was_known_and_nothing_fired():
    assert present([rule("a", "fever", hooks=HOOKS)]) == []
    assert ADULT.id == "p1"


def test_escapes_what_comes_from_the_chart():
    evil = drug("<b>x</b> [a](http://e.org)", **LIMITED)
    both = each_drug(HOLD, detail=texts("**{drug.name}**"))
    (card,) = present([both], order(evil, start=5), anc("0.4"))
    assert "<b>" not in card.detail
    assert "](" not in card.detail.replace("\\](", "")


def test_says_that_counts_may_be_missing_where_a_card_fired_on_those_at_hand():
    cards = present([rule("a", "anc < 1.0", hooks=HOOKS)], anc("0.4"), unavailable=("cellCounts",))
    assert shape(cards) == [("warning", ["a"]), ("info", ["a"])]
    assert "Not evaluated" not in cards[1].detail


def test_a_fault_in_one_fact_takes_no_other_card_away(monkeypatch):
    def fail(about):
        raise ZeroDivisionError("1.2")

    monkeypatch.setitem(FACTS, "pregnant", dataclasses.replace(FACTS["pregnant"], compute=fail))
    rules = [rule("a", "pregnant", hooks=HOOKS), rule("b", "anc < 1.5", unless="pregnant", hooks=HOOKS)]
    cards = present(rules, anc("1.2"))
    assert shape(cards) == [("warning", ["b"]), ("info", ["a"])]
    assert "a fault of this service; please report it" in cards[1].detail
    assert "- Title of a" in cards[1].detail
    assert "1.2" not in cards[1].detail
