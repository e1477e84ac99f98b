"""How often the service speaks: chart openings of a generated population, and orders signed for some of it.

The bounds are around what the specification was simulated at: about 6 cards in 100 openings, 0.3 of them critical. With
2400 people chance alone moves the cards by about 0.4 in 100; 9000 others gave 4.8 and 0.2. `-s` shows the tables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from cds_service.clinical.cards import HookAnswer, Indicator
from tests.cards.population import INFECTION_NAMES, SIZE, is_healthy, population, signings
from tests.cards.population_openings import Tally, open_chart
from tests.places import ROOT

Json = dict[str, Any]
Opening = tuple[Json, HookAnswer]


@cache
def people() -> list[Json]:
    return list(population())


@cache
def openings() -> list[Opening]:
    return [(person, open_chart(person)) for person in people()]


@cache
def signed() -> list[Opening]:
    return [(person, open_chart(person)) for person in signings()]


def tallied(answers: list[Opening]) -> Tally:
    whole = Tally()
    for _, answer in answers:
        whole.add(answer)
    return whole


def latest(person: Json, analyte: str) -> float | None:
    """The last usable value, in 10*9/L."""
    found = [lab for lab in person["labs"] if lab["analyte"] == analyte and lab["unit"]]
    lab = min(found, key=lambda lab: lab["days_ago"], default=None)
    return None if lab is None else lab["value"] / (1000 if lab["unit"] == "/uL" else 1)


def counted_low(person: Json, low: float, high: float) -> bool:
    anc = latest(person, "ANC")
    return anc is not None and low <= anc < high


def mild(person: Json) -> bool:
    """Mild neutropenia, or leukocytes of 3 to 4 without a lower band of neutrophils."""
    wbc, anc = latest(person, "WBC"), latest(person, "ANC")
    return counted_low(person, 1.0, 1.5) or (wbc is not None and 3 <= wbc < 4 and (anc is None or anc >= 1.5))


def takes_table_drug(person: Json) -> bool:
    return any("ingredient" in med for med in person["meds"])


SHAPE: list[tuple[str, Callable[[Json], bool], float, float]] = [
    ("mild leukopenia or neutropenia", mild, 4, 5.6),
    ("moderate neutropenia", lambda p: counted_low(p, 0.5, 1.0), 0.5, 1.5),
    ("severe neutropenia", lambda p: counted_low(p, 0, 0.5), 0.05, 0.4),
    (
        "no count, or only older than 28 days",
        lambda p: all(x["days_ago"] > 28 for x in p["labs"] if x["analyte"] == "WBC"),
        40,
        65,
    ),
    ("a drug of the table", takes_table_drug, 15, 45),
    ("under chemotherapy", lambda p: any("last_given_days_ago" in med for med in p["meds"]), 2, 6),
    ("fever", lambda p: any(t["value"] >= 38.3 for t in p["temps"]), 1.5, 5),
    (
        "an infection on the problem list",
        lambda p: any(c.get("name") in INFECTION_NAMES for c in p["conditions"]),
        4,
        12,
    ),
    ("Duffy status on file", lambda p: any(x["analyte"] == "DUFFY" for x in p["labs"]), 0.5, 2),
    ("a film on file", lambda p: any(x["analyte"] == "SMEAR" for x in p["labs"]), 2, 8),
    ("healthy", is_healthy, 35, 60),
]


@pytest.mark.parametrize(("words", "holds", "least", "most"), SHAPE, ids=[row[0] for row in SHAPE])
def test_the_people_are_as_people_are(words, holds, least, most):
    assert len(people()) == SIZE >= 2000
    assert least <= 100 * sum(map(holds, people())) / SIZE <= most, words


def test_the_same_seed_gives_the_same_people_in_every_process():
    program = (
        "import json; from hashlib import sha256; from tests.cards.population import population, signings;"
        "print(sha256(json.dumps([*population(200), *signings(200)]).encode()).hexdigest())"
    )
    here = sha256(json.dumps([*population(200), *signings(200)]).encode()).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == here
    assert json.dumps(list(population(50))) != json.dumps(list(population(50, seed=1)))


def test_healthy_charts_give_no_card():
    healthy = [answer for person, answer in openings() if is_healthy(person)]
    assert len(healthy) > SIZE / 3
    assert [
        [rule.id for rule in answer.evaluation.rules if rule.outcome == "fired"] for answer in healthy if answer.cards
    ] == []


def test_few_cards_are_shown_when_charts_are_opened():
    whole = tallied(openings())
    print("\n" + whole.table("Charts opened"))  # noqa: T201 - the measurement is to be read
    assert 3 <= whole.cards_per_hundred <= 8
    assert 0.1 <= whole.critical_per_hundred <= 0.6
    assert whole.per_hundred(whole.cards[Indicator.WARNING]) <= 2.5
    assert whole.per_hundred(whole.with_cards) <= 7


def test_few_cards_are_shown_when_orders_are_signed():
    whole = tallied(signed())
    print("\n" + whole.table("Orders signed"))  # noqa: T201 - as above
    assert whole.openings >= SIZE / 4
    assert 0.5 <= whole.cards_per_hundred <= 6
    assert whole.critical_per_hundred <= 0.8


def test_every_fired_rule_has_a_card_that_names_it():
    for _, answer in openings() + signed():
        speaks = {card.uuid: {rule.id for rule in card.rules} for card in answer.cards}
        for rule in answer.evaluation.rules:
            assert rule.outcome != "fired" or rule.id in speaks[rule.card]


def test_the_same_chart_gets_the_same_answer_twice():
    some = [*openings()[:50], *(each for each in openings() if each[1].cards)]
    for person, answer in some:
        again = open_chart(person)
        assert [card.detail for card in again.cards] == [card.detail for card in answer.cards]
        assert [rule.outcome for rule in again.evaluation.rules] == [rule.outcome for rule in answer.evaluation.rules]


def test_at_most_a_few_cards_are_shown_at_once():
    """A chart that gives many cards is one that nobody reads; more are lines of the summary."""
    assert max(len(answer.cards) for _, answer in openings()) <= 4
