"""What a card offers: one order a button, and what is ordered, left out, linked or done by hand is said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.card_files.drug_class_words import load_drug_classes
from cds_service.clinical.cards import Action, Link, Suggestion
from cds_service.clinical.chart import Allergy, Route
from cds_service.clinical.codings import Coding
from cds_service.clinical.offers import ALLERGIES_SHOWN, Offer, OfferMaker, each_once
from cds_service.clinical.site_orders import OrderOption, SiteOrders
from cds_service.clinical.suggestions import NEEDS_SITE_ORDER, OrderItem, SuggestedStep
from cds_service.clinical.suggestions import SuggestionKind as Kind
from tests.unit.clinical.charts import (
    CARDS,
    CEFEPIME,
    CEFTRIAXONE,
    FILGRASTIM,
    back,
    draft,
    drug,
    lab,
    order,
    service_order,
    situation,
)

CLASSES = load_drug_classes(CARDS)
MEROPENEM = drug("meropenem", drug_class="carbapenem", antibacterial="antipseudomonal")
CODE = Coding("urn:oid:1.2.3", "LAB1", "CBC of the house")
SET = Link("Order set", "https://example.org/set")


def option(*drugs, label=None, dosage="1 g"):
    words = " with ".join(one.ingredient for one in drugs)
    return OrderOption(label or f"Order {words}", OrderItem(words, dosage=dosage), drugs)


def site(*options, kind=Kind.EMPIRIC_ANTIBIOTICS, codes=None, links=None):
    return SiteOrders(codes or {}, {kind: options} if options else {}, links or {}, CLASSES)


def step(kind, label="Label", due=None, **more):
    return SuggestedStep(kind, label, label, "p1", due_in_days=due, **more)


def written(one):
    """An action for everything but what names an order that cannot be changed."""
    return () if one.order == "MedicationRequest/fixed" else (Action("create", one.description),)


def offer(*steps, orders=None, chart=(), writes=written, **more) -> tuple[Offer, list[SuggestedStep]]:
    asked: list[SuggestedStep] = []
    ids = map(str, itertools.count(1))

    def actions(one):
        asked.append(one)
        return writes(one)

    about = situation(*chart, **more)
    return OfferMaker(about, orders or SiteOrders(), actions, lambda: next(ids)).offer(steps), asked


def labels(made: Offer) -> list[str]:
    return [suggestion.label for suggestion in made.suggestions]


ANTIBIOTICS = step(Kind.EMPIRIC_ANTIBIOTICS, "Empiric antibiotics by the local order set")


def test_says_nothing_where_there_is_nothing_to_offer():
    made, _ = offer()
    assert (made, made.text, made.selection_behavior) == (Offer(), "", "any")


def test_orders_a_test_with_the_words_of_the_rule():
    made, (asked,) = offer(step(Kind.REPEAT_CBC, "Repeat in 21 days", 21))
    assert (labels(made), made.text) == (["Repeat in 21 days"], "")
    assert (made.suggestions[0].kind, made.suggestions[0].uuid) == ("repeat-cbc-diff", "1")
    assert asked.item == OrderItem("CBC with differential", purpose="cbc-diff")
    assert asked.due_in_days == 21


def test_writes_the_codes_of_the_site():
    codes = {"stat-cbc-diff": (CODE,), "hiv-nat": (CODE,)}
    _, (asked,) = offer(step(Kind.STAT_CBC), orders=site(codes=codes))
    assert asked.item == OrderItem("CBC of the house", purpose="cbc-diff", codings=(CODE,))
    drafted = service_order("hiv-antibody", "draft", draft=True)
    _, (asked,) = offer(step(Kind.NAT_TEST), orders=site(codes=codes), chart=[drafted], hook="order-sign")
    assert asked.item == OrderItem("CBC of the house", purpose="hiv-nat", codings=(CODE,))
    _, (asked,) = offer(step(Kind.REPEAT_CBC), orders=site(codes=codes))
    assert asked.item is not None
    assert asked.item.codings == ()


def test_gives_a_message_to_the_laboratory_the_code_of_the_site():
    _, (plain,) = offer(step(Kind.LAB_VERIFICATION, "Verify"))
    assert plain.item is None
    _, (coded,) = offer(step(Kind.LAB_VERIFICATION, "Verify"), orders=site(codes={"lab-verification-task": (CODE,)}))
    assert coded.item == OrderItem("Verify", codings=(CODE,))


def test_each_order_is_a_suggestion_of_its_own():
    """Clients that take one action a suggestion would drop the second culture."""
    made, asked = offer(step(Kind.BLOOD_CULTURES, "Two sets of blood cultures now", urgent=True))
    assert labels(made) == [
        "Two sets of blood cultures now: first set, peripheral vein",
        "Two sets of blood cultures now: second set, other site or each lumen",
    ]
    assert [one.description for one in asked] == labels(made)
    assert all(len(suggestion.actions) == 1 for suggestion in made.suggestions)
    assert [one.item and one.item.words for one in asked] == ["Blood culture, first set", "Blood culture, second set"]
    notes = [one.item and one.item.note for one in asked]
    assert notes[0] is not None
    assert "Do not delay the first antibiotic dose" in notes[0]


def test_a_button_stays_short_enough_and_names_its_test():
    made, _ = offer(step(Kind.WORKUP_PANEL, "word " * 19 + "end"))
    assert max(map(len, labels(made))) <= 100
    assert [label.rpartition(": ")[2] for label in labels(made)][:2] == ["vitamin B12", "folate"]


def test_says_what_is_already_ordered_instead_of_offering_it():
    open_cbc = service_order("cbc-diff", due=back(0))
    made, asked = offer(step(Kind.STAT_CBC, urgent=True), chart=[open_cbc])
    assert (asked, made.suggestions) == ([], ())
    assert made.text == "**Already ordered:** CBC with differential (due 2026-11-22)."


def test_names_the_whole_where_part_of_it_is_ordered():
    culture = service_order("blood-culture", due=back(0))
    made, _ = offer(step(Kind.BLOOD_CULTURES, "Cultures", urgent=True), chart=[culture])
    assert labels(made) == ["Cultures: second set, other site or each lumen"]
    assert made.text == "**Already ordered:** blood culture, first set (due 2026-11-22)."
    done = [lab(name, "1", 1) for name in ("B12", "FOLATE", "HIV", "HBV", "HCV")]
    single, _ = offer(step(Kind.WORKUP_PANEL, "Order the missing tests"), chart=done)
    assert labels(single) == ["Order the missing tests"]


def test_without_an_order_set_it_says_so_in_one_line():
    made, asked = offer(ANTIBIOTICS)
    assert (asked, made.suggestions, made.links) == ([], (), ())
    assert made.text == "**By hand** (no one-click order is set up here): Empiric antibiotics by the local order set."


def test_without_an_order_set_it_links():
    made, asked = offer(ANTIBIOTICS, orders=site(links={Kind.EMPIRIC_ANTIBIOTICS: SET}))
    assert (asked, made.suggestions, made.links) == ([], (), (SET,))
    assert made.text == "**Empiric antibiotics by the local order set:** follow the link “Order set”."


def test_a_link_takes_the_place_of_an_order_where_the_site_has_no_code():
    links = {Kind.HAEMATOLOGY_REFERRAL: SET, Kind.LAB_VERIFICATION: SET}
    for kind in links:
        made, asked = offer(step(kind, "Refer"), orders=site(links=links))
        assert (asked, labels(made), made.links) == ([], [], (SET,))
        assert made.text == "**Refer:** follow the link “Order set”."
    both = site(links=links, codes={"haematology-referral": (CODE,)})
    made, _ = offer(step(Kind.HAEMATOLOGY_REFERRAL, "Refer"), orders=both)
    assert (labels(made), made.links) == (["Refer"], (SET,))


def test_a_link_of_the_workup_stands_beside_the_codes_of_its_members():
    made, _ = offer(step(Kind.WORKUP_PANEL), orders=site(links={Kind.WORKUP_PANEL: SET}, codes={"b12": (CODE,)}))
    assert len(made.suggestions) == 6
    made, _ = offer(step(Kind.WORKUP_PANEL), orders=site(links={Kind.WORKUP_PANEL: SET}, codes={"hiv-nat": (CODE,)}))
    assert (labels(made), made.links) == ([], (SET,))


def test_no_link_for_what_is_already_ordered():
    ordered = service_order("haematology-referral", due=back(0))
    made, _ = offer(
        step(Kind.HAEMATOLOGY_REFERRAL), orders=site(links={Kind.HAEMATOLOGY_REFERRAL: SET}), chart=[ordered]
    )
    assert (made.links, made.text) == ((), "**Already ordered:** referral to haematology (due 2026-11-22).")


def test_each_option_of_the_site_is_a_suggestion():
    made, asked = offer(ANTIBIOTICS, orders=site(option(CEFEPIME), option(MEROPENEM)))
    assert labels(made) == ["Order cefepime", "Order meropenem"]
    assert {suggestion.kind for suggestion in made.suggestions} == {"empiric-antibiotics"}
    assert [one.item for one in asked] == [OrderItem("cefepime", dosage="1 g"), OrderItem("meropenem", dosage="1 g")]
    assert [one.description for one in asked] == labels(made)
    assert (made.text, made.selection_behavior) == ("**Allergies on file:** none.", "any")


def test_a_link_beside_buttons_needs_no_line():
    linked = site(option(CEFEPIME), links={Kind.EMPIRIC_ANTIBIOTICS: SET})
    made, _ = offer(ANTIBIOTICS, orders=linked)
    assert (labels(made), made.links, made.text) == (["Order cefepime"], (SET,), "**Allergies on file:** none.")


HELD = Action("update", "Hold", resource={"id": "a"})


@pytest.mark.parametrize(
    ("actions", "behavior"),
    [
        ([HELD, Action("create", "Reduce", resource={"id": "new"})], "at-most-one"),
        ([HELD, Action("delete", "Remove", resource_id="a")], "at-most-one"),
        ([HELD, Action("delete", "Remove", resource_id="b")], "any"),
        ([HELD, Action("update", "Hold", resource={"id": "b"})], "any"),
        ([HELD], "any"),
        ([], "any"),
    ],
)
def test_lets_choose_only_one_change_of_an_order(actions, behavior):
    changes = tuple(Suggestion("1", "hold-medication", "Hold", (action,)) for action in actions)
    assert Offer(changes).selection_behavior == behavior
    if len(changes) > 1:
        count = Suggestion("2", "repeat-cbc-diff", "Count", (HELD,))
        assert Offer((*changes, count)).selection_behavior == "any"


def allergy(text, *drugs):
    return Allergy("AllergyIntolerance/a1", drugs, text)


def test_leaves_out_what_an_allergy_stands_against_and_says_which_and_why():
    orders = site(option(CEFEPIME), option(MEROPENEM))
    made, _ = offer(ANTIBIOTICS, orders=orders, chart=[allergy("Penicillin"), allergy("Latex")])
    assert labels(made) == ["Order meropenem"]
    assert made.lines == (
        "**Left out:** Order cefepime (allergy on file: Penicillin).",
        "**Allergies on file:** Penicillin; Latex.",
    )
    assert made.text == "\n".join(f"- {line}" for line in made.lines)


def test_an_order_with_several_drugs_is_left_out_for_one_of_them():
    both = site(option(MEROPENEM, CEFEPIME))
    made, _ = offer(ANTIBIOTICS, orders=both, chart=[allergy("Cefepime", CEFEPIME)])
    assert labels(made) == []


def test_says_so_where_every_order_is_left_out():
    made, _ = offer(ANTIBIOTICS, orders=site(option(CEFEPIME)), chart=[allergy("Penicillin")])
    assert made.lines == (
        "**Left out:** Order cefepime (allergy on file: Penicillin).",
        "**By hand** (none of the orders set up here is offered): Empiric antibiotics by the local order set.",
    )


@pytest.mark.parametrize("kind", sorted(NEEDS_SITE_ORDER))
def test_offers_no_drug_where_allergies_are_not_known(kind):
    drugs, links = site(option(CEFEPIME), kind=kind), {kind: SET}
    unknown = {"unavailable": ("allergies",)}
    made, asked = offer(step(kind, "Drug"), orders=drugs, **unknown)
    assert (asked, labels(made)) == ([], [])
    assert made.lines == (
        "**Allergies not known:** no drug is offered as an order; ask before ordering by hand.",
        "**By hand** (none of the orders set up here is offered): Drug.",
    )
    linked, _ = offer(step(kind, "Drug"), orders=site(option(CEFEPIME), kind=kind, links=links), **unknown)
    assert (labels(linked), linked.links) == ([], (SET,))
    assert linked.lines[1] == "**Drug:** follow the link “Order set”."
    plain, _ = offer(step(kind, "Drug"), **unknown)
    assert "llerg" not in plain.text


@pytest.mark.parametrize(
    ("running", "offered"),
    [
        (order(CEFEPIME, start=1), False),
        (draft(CEFEPIME), False),
        (draft(CEFEPIME, status="cancelled"), True),
        (order(CEFEPIME, "stopped", start=3, end=1), True),
        (order(CEFEPIME, "on-hold", start=3), True),
        (order(CEFEPIME, start=1, route=Route.LOCAL), True),
        (order(CEFTRIAXONE, start=1), True),
    ],
)
def test_a_drug_that_is_already_ordered_is_not_offered_again(running, offered):
    made, _ = offer(ANTIBIOTICS, orders=site(option(CEFEPIME)), chart=[running], hook="order-sign")
    assert bool(made.suggestions) is offered
    assert ("**Already ordered:** cefepime." in made.lines) is not offered


def test_a_long_list_of_allergies_is_counted():
    many = [allergy(f"Pollen {n}") for n in range(ALLERGIES_SHOWN + 2)] + [allergy("Pollen 0")]
    made, _ = offer(ANTIBIOTICS, orders=site(option(CEFEPIME)), chart=many)
    assert made.text.endswith(f"Pollen {ALLERGIES_SHOWN - 1}; 2 more.")
    exact, _ = offer(ANTIBIOTICS, orders=site(option(CEFEPIME)), chart=many[:ALLERGIES_SHOWN])
    assert exact.text.endswith(f"Pollen {ALLERGIES_SHOWN - 1}.")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Kind.HOLD_MEDICATION, "this order cannot be changed from here"),
        (Kind.STAT_CBC, "no order could be prepared"),
    ],
)
def test_what_cannot_be_written_is_to_be_done_by_hand(kind, reason):
    made, _ = offer(step(kind, "Do it", order="MedicationRequest/fixed"))
    assert (labels(made), made.text) == ([], f"**By hand** ({reason}): Do it.")


def test_names_only_the_parts_that_could_not_be_written():
    made, _ = offer(
        step(Kind.BLOOD_CULTURES, "Cultures"),
        writes=lambda one: () if "second" in one.label else (Action("create", one.label),),
    )
    assert labels(made) == ["Cultures: first set, peripheral vein"]
    assert made.text == (
        "**By hand** (no order could be prepared): Cultures: second set, other site or each lumen."
    )  # fmt: skip


def test_says_a_line_once():
    held = [step(Kind.HOLD_MEDICATION, "Hold X", order=f"MedicationRequest/{n}") for n in "ab"]
    made, _ = offer(*held, writes=lambda _: ())
    assert made.text == "**By hand** (this order cannot be changed from here): Hold X."


def test_escapes_what_comes_from_the_chart():
    made, _ = offer(
        ANTIBIOTICS, orders=site(option(CEFEPIME)), chart=[allergy("Penicillin <b>x</b> [a](http://e.org)")]
    )
    assert "<b>" not in made.text
    assert "](" not in made.text.replace("\\](", "")


URGENT = step(Kind.REPEAT_CBC, "urgent", 7, urgent=True)


@pytest.mark.parametrize(
    ("steps", "chosen"),
    [
        ([step(Kind.REPEAT_CBC, "a", 21), step(Kind.REPEAT_CBC, "b", 7)], ["b"]),
        ([step(Kind.REPEAT_CBC, "a", 7), step(Kind.REPEAT_CBC, "b", 21)], ["a"]),
        ([step(Kind.REPEAT_CBC, "a", 7), step(Kind.REPEAT_CBC, "b", 7)], ["a"]),
        ([step(Kind.REPEAT_CBC, "a", 7), step(Kind.REPEAT_CBC, "now")], ["now"]),
        ([step(Kind.REPEAT_CBC, "a", 1), URGENT], ["urgent"]),
        ([URGENT, step(Kind.REPEAT_CBC, "a", 1)], ["urgent"]),
        ([step(Kind.HOLD_MEDICATION, "a", order="x"), step(Kind.HOLD_MEDICATION, "b", order="y")], ["a", "b"]),
        ([step(Kind.REPEAT_CBC, "a", 7), step(Kind.STAT_CBC, "b")], ["a", "b"]),
    ],
)
def test_of_several_alike_the_most_urgent_is_offered(steps, chosen):
    assert [one.label for one in each_once(steps)] == chosen


names = st.sampled_from([CEFEPIME, CEFTRIAXONE, MEROPENEM, FILGRASTIM])


@given(st.lists(names, max_size=3), st.lists(names, min_size=1, max_size=3, unique=True), st.booleans())
def test_no_chart_gets_an_order_of_a_drug_it_is_allergic_to(allergic_to, formulary, known):
    """Every option is offered or accounted for, and none against an allergy."""
    orders = site(*map(option, formulary))
    chart = [allergy(one.ingredient, one) for one in allergic_to]
    made, asked = offer(ANTIBIOTICS, orders=orders, chart=chart, unavailable=() if known else ("allergies",))
    offered = [one.item.words for one in asked if one.item]
    assert not set(offered) & {one.ingredient for one in allergic_to}
    assert known or not offered
    left_out = [line for line in made.lines if line.startswith("**Left out:**")]
    assert not known or len(offered) + len(left_out) == len(formulary)


def test_now_goes_before_a_day_to_come_and_urgent_before_both():
    now, tomorrow = step(Kind.REPEAT_CBC, "now"), step(Kind.REPEAT_CBC, "tomorrow", 1)
    urgent = step(Kind.REPEAT_CBC, "urgent", 7, urgent=True)
    assert each_once([tomorrow, now]) == [now]
    assert each_once([now, tomorrow]) == [now]
    assert each_once([now, step(Kind.REPEAT_CBC, "today", 0)]) == [now]
    assert each_once([tomorrow, now, urgent]) == [urgent]


def test_lists_what_is_ordered_and_what_is_left_to_do_by_hand():
    both = [service_order("blood-culture", due=back(0)), service_order("blood-culture", due=back(0))]
    made, _ = offer(step(Kind.BLOOD_CULTURES, urgent=True), chart=both)
    assert made.text == (
        "**Already ordered:** blood culture, first set (due 2026-11-22); blood culture, second set (due 2026-11-22)."
    )
    made, _ = offer(step(Kind.BLOOD_CULTURES, "Cultures"), writes=lambda one: ())
    assert made.text == (
        "**By hand** (no order could be prepared): "
        "Cultures: first set, peripheral vein; Cultures: second set, other site or each lumen."
    )


def test_the_words_of_an_option_count_against_the_allergies():
    worded = OrderOption("Ceftolozane", OrderItem("ceftolozane 1.5 g", dosage="1.5 g"), (drug("other"),))
    made, _ = offer(ANTIBIOTICS, orders=site(worded), chart=[allergy("Penicillin")])
    assert labels(made) == []
    assert made.lines[0] == "**Left out:** Ceftolozane (allergy on file: Penicillin)."


@pytest.mark.parametrize(("length", "whole"), [(87, True), (88, False)])
def test_a_label_is_cut_only_where_its_test_leaves_no_room(length, whole):
    words = "w" * 40 + " " + "x" * (length - 41)
    made, _ = offer(step(Kind.WORKUP_PANEL, words))
    assert labels(made)[0] == (f"{words}: vitamin B12" if whole else f"{'w' * 40}…: vitamin B12")
