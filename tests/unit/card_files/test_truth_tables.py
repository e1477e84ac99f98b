"""What a condition guarantees to be known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.card_files.truth_tables import TooManyFacts, assignments, guarantees, is_always_known
from cds_service.clinical.conditions import ConditionCompiler
from cds_service.clinical.facts.registry import FACTS, FactKind, FactSpec
from cds_service.clinical.knowledge import Unknown

COMPILER = ConditionCompiler({"low": Decimal("1.0")}, for_drug=True)


@pytest.mark.parametrize(
    ("fact", "texts"),
    [
        ("anc", ["anc < limits.low"]),
        ("anc", ["anc_current && anc < limits.low"]),
        ("anc", ["hot && anc < limits.low || stable && anc >= limits.low"]),
        ("anc", ["!(anc >= limits.low)"]),
        ("anc", ["hot || anc < limits.low", "!hot"]),
        ("anc", ["hot", "anc < limits.low"]),
        ("anc", ["hot || anc < limits.low", "!hot || anc < 0.5"]),
        ("wbc", ["wbc == limits.low"]),
        ("hot", ["hot || !hot"]),
        ("drug.tier", ["drug.tier in ['A', 'B']"]),
        ("drug.name", ["hot"]),
        ("anc_words", ["hot"]),
    ],
)
def test_known_wherever_the_conditions_hold(fact: str, texts: list[str]) -> None:
    assert guarantees([COMPILER.compile(text) for text in texts], fact)


@pytest.mark.parametrize(
    ("fact", "texts"),
    [
        ("anc", ["hot"]),
        ("anc", ["hot || anc < limits.low"]),
        ("anc", ["drug.risk != 'x' || anc < limits.low"]),
        ("anc", ["drug.risk == 'x' || anc < limits.low"]),
        ("anc", ["wbc > limits.low || anc < limits.low"]),
        ("anc", ["wbc < limits.low || anc < limits.low"]),
        ("anc", ["hot || anc < limits.low", "stable || anc < limits.low"]),
        ("anc", []),
    ],
)
def test_unknown_in_some_case(fact: str, texts: list[str]) -> None:
    assert not guarantees([COMPILER.compile(text) for text in texts], fact)


def test_lists_of_words_are_tried_empty_and_full(monkeypatch: pytest.MonkeyPatch) -> None:
    words = FactSpec("groups_taken", FactKind.TEXTS, "Groups", "Unknown", "here", lambda _: Unknown())
    monkeypatch.setitem(FACTS, "groups_taken", words)
    compiler = ConditionCompiler({"low": Decimal("1.0")}, for_drug=False)
    either = compiler.compile("'a' in groups_taken || anc < limits.low")
    neither = compiler.compile("!('a' in groups_taken) && size(groups_taken) == 0 || anc < limits.low")
    assert not guarantees([either], "anc")
    assert not guarantees([neither], "anc")
    assert guarantees([either, neither], "anc")


def test_the_registry_says_what_is_always_known() -> None:
    assert is_always_known("anc_words")
    assert not is_always_known("anc")


def test_gives_up_rather_than_guess() -> None:
    with pytest.raises(TooManyFacts, match="combinations of a, b"):
        list(assignments({"a": range(1000), "b": range(1000)}))


def test_every_combination_comes_once() -> None:
    assert list(assignments({"a": (1, 2), "b": ("x",)})) == [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
