"""G. The response."""

from __future__ import annotations

import re
import uuid

from tests.spec.charts import CARBOPLATIN, CLOZAPINE, drafts, medication, prefetch, searchset
from tests.spec.invariants import HTML, check_card, check_cards
from tests.spec.requests import hook_request


def actions(cards):
    return [
        action
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion.get("actions", [])
    ]


def test_success_is_200_with_cards(call, situations):
    """G39. 200 with cards; nothing to say is 200 with cards: []."""
    assert call(situations["mild"]).json["cards"]
    nothing = call(situations["well"])
    assert (nothing.status_code, nothing.json) == (200, {"cards": []})


def test_every_card_has_what_a_card_needs(cards):
    """G40. uuid, summary under 140 characters, indicator of the three, source with label and one topic Coding."""
    assert len(cards) > 8
    for card in cards:
        check_card(card)
        assert uuid.UUID(card["uuid"]).variant == uuid.RFC_4122
        assert card["indicator"] in {"info", "warning", "critical"}
        assert card["source"]["label"]
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", card["source"]["topic"]["code"])


def test_uuids_are_new_for_each_card(call, situations):
    """G40. A card instance has its own uuid: the same call twice gives different ones."""
    first, second = (call(situations["febrile"]).json["cards"] for _ in range(2))
    assert not {card["uuid"] for card in first} & {card["uuid"] for card in second}


def test_the_longest_summary_still_fits(call):
    """G40. Characters are counted after the values are filled in, with many drugs and long names too."""
    names = (
        ("40048", "carboplatin"),
        ("3639", "doxorubicin"),
        ("56946", "paclitaxel"),
        ("72962", "docetaxel"),
        ("2555", "cisplatin"),
    )
    many = drafts(*(medication(code, text, id=f"m{code}", status="draft") for code, text in names))
    body = hook_request("order-sign", context={"draftOrders": many}, prefetch=prefetch(0.4))
    response = call(body)
    assert response.json["cards"]
    check_cards(response.json)


def test_details_are_markdown_without_html(call, cards):
    """G40. No HTML in a detail, and what came from the chart is escaped."""
    assert not [card for card in cards if HTML.search(card.get("detail", ""))]
    odd = medication(
        "2626", '<img src=x onerror="alert(1)"> [x](javascript:alert(1))', authoredOn=CLOZAPINE["authoredOn"]
    )
    hostile = call(hook_request(prefetch=prefetch(0.8, medicationRequests=searchset(odd)))).json
    check_cards(hostile)
    assert not [
        card for card in hostile["cards"] if re.search(r"<img|\]\(javascript", card.get("detail", "") + card["summary"])
    ]


def test_suggestions_come_with_their_behaviour(cards):
    """G40. selectionBehavior with suggestions and never without; only any or at-most-one."""
    for card in cards:
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") in {"any", "at-most-one"}


def test_override_reasons_have_words(cards):
    """G40. Each override reason has code, system and display."""
    reasons = [reason for card in cards for reason in card.get("overrideReasons", [])]
    assert reasons
    assert all(reason["code"] and reason["system"] and reason["display"] for reason in reasons)


def test_links_are_absolute_and_carry_no_app_context(cards):
    """G40. A link has label, url and type; appContext belongs to smart links, of which there are none."""
    for link in (link for card in cards for link in card.get("links", [])):
        assert link["type"] == "absolute"
        assert re.match(r"https?://", link["url"])
        assert "appContext" not in link


def test_suggestions_are_never_preselected(cards):
    """G41. label and uuid on each; nothing is recommended before a person chose it; no actionSelectionBehavior."""
    suggestions = [suggestion for card in cards for suggestion in card.get("suggestions", [])]
    assert suggestions
    for suggestion in suggestions:
        assert suggestion["label"]
        assert uuid.UUID(suggestion["uuid"])
        assert not {"isRecommended", "actionSelectionBehavior"} & set(suggestion)


def test_all_three_kinds_of_action_are_complete(cards):
    """G42. description on each; resource to create and to update, resourceId and no resource to delete."""
    found = actions(cards)
    assert {action["type"] for action in found} == {"create", "update", "delete"}
    for card in cards:
        check_card(card)


def test_an_update_is_the_whole_resource(answers):
    """G42. Holding a drug sends the order as it was, with its id, the new status and a reason."""
    [update] = [action for action in actions(answers["clozapine"]["cards"]) if action["type"] == "update"]
    resource = update["resource"]
    assert (resource["status"], bool(resource["statusReason"])) == ("on-hold", True)
    unchanged = {name: value for name, value in CLOZAPINE.items() if name != "status"}
    assert {name: resource[name] for name in unchanged} == unchanged


def test_a_delete_names_the_draft(answers):
    """G42. Removing a draft is a delete of its relative reference."""
    deletes = [action for action in actions(answers["chemotherapy"]["cards"]) if action["type"] == "delete"]
    assert [action["resourceId"] for action in deletes] == [f"MedicationRequest/{CARBOPLATIN['id']}"]


def test_suggested_orders_are_drafts_for_this_patient(cards):
    """G43. status draft, intent order or proposal, the patient of the call."""
    created = [action["resource"] for action in actions(cards) if action["type"] == "create"]
    orders = [resource for resource in created if resource["resourceType"] in {"ServiceRequest", "MedicationRequest"}]
    assert orders
    for order in orders:
        assert (order["status"], order["subject"]["reference"]) == ("draft", "Patient/p1")
        assert order["intent"] in {"order", "proposal"}


def test_nothing_is_done_by_itself(answers):
    """G44. No systemActions."""
    assert all(set(body) == {"cards"} for body in answers.values())


def test_nothing_is_said_twice(answers):
    """G45. Within one answer no two cards have one summary or one topic, and no rule speaks twice."""
    for body in answers.values():
        for values in (
            [card["summary"] for card in body["cards"]],
            [card["source"]["topic"]["code"] for card in body["cards"]],
            [rule["id"] for card in body["cards"] for rule in card["extension"]["org.leukopenia-cds.rules"]],
        ):
            assert len(values) == len(set(values))


def test_cards_carry_the_dates_of_their_data(answers):
    """G47. Stale guidance is a risk: a card that rests on a count says how old it is, and its detail gives the date."""
    for name in ("mild", "severe", "febrile", "chemotherapy"):
        for card in answers[name]["cards"]:
            assert re.search(r"\d+ (?:h|d|days?|hours?)\b|\d{4}-\d{2}-\d{2}", card["summary"] + card["detail"])
        assert any(re.search(r"\d{4}-\d{2}-\d{2}", card["detail"]) for card in answers[name]["cards"])
