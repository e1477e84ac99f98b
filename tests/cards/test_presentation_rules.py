"""The presentation rules of the specification on the shipped library: order, budget, one summary, and silence.

The lists stand here as the specification has them, so that a wrong `place` or `order` in the library is noticed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.clinical.cards import Card, HookAnswer, Indicator, RuleVerdict
from cds_service.clinical.rules import Place, Rule
from tests.cards.population_openings import knowledge, open_chart

Json = dict[str, Any]

FEVER_AND_SCOPE = ["febrile-neutropenia", "fever-anc-unknown", "fever-mild-neutropenia", "out-of-scope-population"]
STOP_DRUG = [
    "idiosyncratic-agranulocytosis-stop", "clozapine-anc", "drug-anc-hold-threshold", "marrow-toxic-drug-low-anc",
    "chemo-hold-anc", "hydroxyurea-intolerance", "cml-tki-neutropenia-hold",
]  # fmt: skip
ACTION = [
    "fever-mild-neutropenia", "fever-idiosyncratic-drug", "pancytopenia-referral", "stale-low-anc",
    "cbc-missing-for-monitored-drug", "interaction-myelosuppression", "gcsf-caution", "cmml-gcsf-restriction",
    "betalactam-neutropenia", "hcl-neutropenia-followup", "data-quality-unusable-cbc", "leukopenia-anc-unknown",
]  # fmt: skip
OWN = {"febrile-neutropenia", "fever-anc-unknown", "out-of-scope-population", *STOP_DRUG}
"""Rules whose warnings have a card of their own (presentation 1)."""
ORDER = [*FEVER_AND_SCOPE, "blasts-reported", *STOP_DRUG, *ACTION[1:]]
"""Presentation 4, then 2."""
OWN_ACTION_CARDS = 3


def rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in knowledge().library.rules}


def test_rules_stand_in_the_order_of_the_specification():
    order = [name for name in knowledge().library.presentation.order if name in ORDER]
    assert order == ORDER


def test_every_name_in_the_presentation_is_a_rule():
    p = knowledge().library.presentation
    named = {*p.order, *p.joins, *p.joins.values(), *p.quiet.never}
    assert named - set(rules()) == set()


def test_every_rule_warns_in_the_place_that_the_specification_gives_it():
    expected = dict.fromkeys(OWN, Place.OWN) | dict.fromkeys(ACTION, Place.ACTION)
    warning = [rule for rule in rules().values() if any(level.indicator is Indicator.WARNING for level in rule.levels)]
    assert len(warning) >= 20
    assert {rule.id: rule.places[Indicator.WARNING] for rule in warning} == {
        rule.id: expected.get(rule.id, Place.SUMMARY) for rule in warning
    }


def test_cards_about_a_fever_or_a_drug_to_stop_are_never_withheld():
    never = knowledge().library.presentation.quiet.never
    assert {"fever-mild-neutropenia", "fever-idiosyncratic-drug"} <= never


def fired(answer: HookAnswer) -> dict[str, RuleVerdict]:
    return {rule.id: rule for rule in answer.evaluation.rules if rule.outcome == "fired"}


def speaking(answer: HookAnswer) -> list[Card]:
    """All but the card that says what could not be checked."""
    return [card for card in answer.cards if card.topic.code != "couldNotEvaluate"]


def is_merged(card: Card) -> bool:
    p = knowledge().library.presentation
    return card.summary.startswith((f"{p.summary_title}: ", f"{p.order_notes_title}: ", f"{p.also_title}: "))


def is_guest(rule: str, answer: HookAnswer) -> bool:
    host = knowledge().library.presentation.joins.get(rule)
    return host in fired(answer) and fired(answer)[rule].indicator is not Indicator.CRITICAL


def belongs_in_summary(verdict: RuleVerdict) -> bool:
    return verdict.indicator is Indicator.INFO or (
        verdict.indicator is Indicator.WARNING and verdict.id not in OWN and verdict.id not in ACTION
    )


def check_presentation(answer: HookAnswer) -> None:
    """All that the specification says of the cards of one answer."""
    check_nothing_is_lost(answer)
    check_levels(answer)
    check_own_cards(answer)
    check_budget(answer)
    check_summary(answer)
    check_order(answer)


def check_nothing_is_lost(answer: HookAnswer) -> None:
    named = Counter(rule.id for card in speaking(answer) for rule in card.rules)
    assert named == Counter(fired(answer).keys())
    cards = {card.uuid: {rule.id for rule in card.rules} for card in answer.cards}
    assert all(verdict.id in cards[verdict.card] for verdict in fired(answer).values())


def check_levels(answer: HookAnswer) -> None:
    levels = fired(answer)
    for card in speaking(answer):
        assert card.indicator is max((levels[rule.id].indicator for rule in card.rules), key=lambda level: level.rank)
    ranks = [card.indicator.rank for card in answer.cards]
    assert ranks == sorted(ranks, reverse=True)


def check_own_cards(answer: HookAnswer) -> None:
    """Critical verdicts and stop-drug warnings: first on a card that is no merged one (presentation 1)."""
    heads = {card.rules[0].id for card in speaking(answer) if not is_merged(card)}
    for verdict in fired(answer).values():
        own = verdict.indicator is Indicator.CRITICAL or (verdict.id in OWN and verdict.indicator is Indicator.WARNING)
        assert not own or verdict.id in heads


def check_budget(answer: HookAnswer) -> None:
    """The first three action warnings alone, the rest in one card (presentation 2)."""
    levels = fired(answer)
    action = [
        name
        for name in ACTION
        if name in levels and levels[name].indicator is Indicator.WARNING and not is_guest(name, answer)
    ]
    cards = [card for card in speaking(answer) if card.rules[0].id in action]
    assert [card.rules[0].id for card in cards] == action[: OWN_ACTION_CARDS + 1]
    for card in cards[:OWN_ACTION_CARDS]:
        assert [r.id for r in card.rules if not is_guest(r.id, answer)] == [card.rules[0].id]
    for card in cards[OWN_ACTION_CARDS:]:
        assert [r.id for r in card.rules if not is_guest(r.id, answer)] == action[OWN_ACTION_CARDS:]


def check_summary(answer: HookAnswer) -> None:
    """All information, and the warnings without a place of their own, on one card (presentation 3)."""
    members = {name for name, v in fired(answer).items() if belongs_in_summary(v) and not is_guest(name, answer)}
    cards = [card for card in speaking(answer) if members & {rule.id for rule in card.rules}]
    named = [{rule.id for rule in card.rules if not is_guest(rule.id, answer)} for card in cards]
    assert named == ([members] if members else [])


def check_order(answer: HookAnswer) -> None:
    """Within a level by the list, and the summary last (presentation 4)."""
    for level in Indicator:
        cards = [card for card in speaking(answer) if card.indicator is level]
        places = [_place(card, answer) for card in cards]
        assert places == sorted(places)


def _place(card: Card, answer: HookAnswer) -> tuple[bool, int]:
    first = fired(answer)[card.rules[0].id]
    return belongs_in_summary(first), ORDER.index(first.id) if first.id in ORDER else len(ORDER)


COUNTS = st.lists(
    st.fixed_dictionaries(
        {
            "analyte": st.sampled_from(["ANC", "ANC", "ANC", "WBC", "ALC", "HGB", "PLT", "NEUT_PCT", "BLASTS_PCT"]),
            "value": st.sampled_from([0.05, 0.3, 0.7, 0.9, 1.2, 1.4, 2.5, 6, 11, 40, 90, 160]),
            "unit": st.sampled_from(["10*9/L", "10*9/L", "10*9/L", "g/dL", "%", None]),
            "days_ago": st.sampled_from([0, 1, 6, 20, 40, 100, 300]),
        }
    ),
    max_size=6,
)
DRUGS = (
    "clozapine", "methimazole", "methotrexate", "azathioprine", "olanzapine", "deferiprone", "hydroxyurea", "imatinib",
    "palbociclib", "capecitabine", "carboplatin", "ceftriaxone", "rituximab", "trimethoprim-sulfamethoxazole",
    "filgrastim", "ganciclovir", "allopurinol",
)  # fmt: skip
MEDS = st.lists(
    st.fixed_dictionaries(
        {"ingredient": st.sampled_from(DRUGS), "start_days_ago": st.sampled_from([2, 16, 40, 400])},
        optional={"last_given_days_ago": st.sampled_from([0, 5, 12, 30])},
    ),
    max_size=4,
    unique_by=lambda med: med["ingredient"],
)
PROBLEMS = st.lists(
    st.sampled_from(
        [
            "pneumonia",
            "sore throat",
            "hairy cell leukemia",
            "CML",
            "CMML",
            "AML",
            "myeloma",
            "sickle cell disease",
            "fever",
        ]
    ).map(lambda name: {"name": name, "onset_days_ago": 1}),
    max_size=3,
    unique_by=lambda problem: problem["name"],
)
TEMPERATURES = st.lists(
    st.fixed_dictionaries({"value": st.sampled_from([35.2, 36.8, 38.1, 39]), "hours_ago": st.sampled_from([1, 5])}),
    max_size=2,
)
CHARTS = st.fixed_dictionaries(
    {
        "age": st.sampled_from([9, 40, 70]),
        "labs": COUNTS,
        "meds": MEDS,
        "conditions": PROBLEMS,
        "temps": TEMPERATURES,
        "pregnant": st.sampled_from([False, False, False, True]),
    },
    optional={"unavailable": st.sampled_from([["vitalSigns"], ["conditions"], ["medicationRequests"]])},
)
DRAFTS = st.lists(st.sampled_from(DRUGS).map(lambda name: {"ingredient": name}), min_size=1, max_size=3)
MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(CHARTS)
def test_the_cards_of_any_opened_chart_keep_the_rules_of_presentation(chart: Json):
    check_presentation(open_chart(chart))


@MANY
@given(CHARTS, DRAFTS, st.sampled_from(["order-select", "order-sign"]))
def test_the_cards_of_any_order_keep_the_rules_of_presentation(chart: Json, drafts: list[Json], hook: str):
    check_presentation(open_chart(chart | {"hook": hook, "draft_orders": drafts}))


def count(value: float, days: float = 1, **more: Any) -> Json:
    return {"analyte": "ANC", "value": value, "unit": "10*9/L", "days_ago": days} | more


def other(analyte: str, value: Any, unit: str | None, days: float = 1) -> Json:
    return {"analyte": analyte, "value": value, "unit": unit, "days_ago": days}


BUSY: Json = {
    # Fever, other low lines, a drug without its count, a long course of an antibiotic, a result without a known unit.
    "labs": [
        count(1.05, 10),
        count(2.9, 60),
        other("HGB", 8.5, "g/dL", 10),
        other("PLT", 60, "10*9/L", 10),
        other("WBC", 2.2, "K/mL", 2),
    ],
    "temps": [{"value": 38.6, "hours_ago": 1}],
    "meds": [{"ingredient": "clozapine", "start_days_ago": 100}, {"ingredient": "ceftriaxone", "start_days_ago": 25}],
}


def test_the_fourth_action_card_and_all_further_ones_are_one():
    """So that the properties above have something to say about the budget."""
    answer = open_chart(BUSY)
    check_presentation(answer)
    levels = fired(answer)
    action = [name for name in ACTION if name in levels and levels[name].indicator is Indicator.WARNING]
    assert len(action) > OWN_ACTION_CARDS + 1
    (also,) = [card for card in answer.cards if card.summary.startswith("Also: ")]
    assert [rule.id for rule in also.rules] == action[OWN_ACTION_CARDS:]


NORMAL = [{"value": 36.8, "hours_ago": 2}]
OTHER_LINES = [other("HGB", 9.6, "g/dL"), other("PLT", 70, "10*9/L")]


def nadir(value: float, given_days_ago: float = 10) -> Json:
    return {
        "labs": [count(3.5, 30), count(value), *OTHER_LINES],
        "temps": NORMAL,
        "conditions": [{"text": "Malignant neoplasm of breast"}],
        "meds": [{"ingredient": "carboplatin", "start_days_ago": 60, "last_given_days_ago": given_days_ago}],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.2, {"anc-mild-observe": "info"}),
        (0.7, {"anc-moderate": "info"}),
        (0.3, {"anc-severe": "warning", "gcsf-consider": "info"}),
    ],
)
def test_an_expected_nadir_is_one_card_without_work_up_referral_or_alarm(value: float, expected: dict[str, str]):
    answer = open_chart(nadir(value))
    assert {name: str(verdict.indicator) for name, verdict in fired(answer).items()} == expected
    assert len(answer.cards) == 1


def test_a_low_count_that_no_dose_explains_is_not_taken_for_a_nadir():
    """The same chart with the dose before the window: now the work-up speaks."""
    silent, heard = fired(open_chart(nadir(0.7))), fired(open_chart(nadir(0.7, given_days_ago=60)))
    assert {"smear-recommended", "workup-causes", "pancytopenia-referral", "trend-declining"} <= set(heard) - set(
        silent
    )


def duffy_null(value: float, **more: Any) -> Json:
    earlier = [count(1.35, 200), count(1.4, 420)]
    status = {"analyte": "DUFFY", "value": "null", "unit": None, "days_ago": 500}
    return {"labs": [count(value), *earlier, status, other("HGB", 13.2, "g/dL"), other("PLT", 240, "10*9/L")]} | more


def test_a_count_that_is_normal_for_duffy_null_is_one_reassuring_line():
    answer = open_chart(duffy_null(1.3, temps=NORMAL))
    assert {name: str(verdict.indicator) for name, verdict in fired(answer).items()} == {
        "duffy-null-reinterpret": "info"
    }
    assert len(answer.cards) == 1
    assert answer.cards[0].suggestions == ()


@pytest.mark.parametrize(
    ("changed", "speaks"),
    [
        ({"value": 1.1}, "anc-mild-observe"),
        ({"value": 1.3, "temps": [{"value": 38.6, "hours_ago": 1}]}, "fever-mild-neutropenia"),
        ({"value": 0.45}, "anc-severe"),
    ],
    ids=["below the limit", "fever", "severe"],
)
def test_duffy_null_silences_nothing_that_is_new(changed: Json, speaks: str):
    assert speaks in fired(open_chart(duffy_null(**changed)))
