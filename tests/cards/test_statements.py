"""Every statement of the guidance is implemented by rules that say so, and every rule of the specification is there."""

from __future__ import annotations

import csv
import re
from functools import cache
from typing import Any

import pytest

from cds_service.card_files.library import load_library, shipped_cards_dir
from cds_service.card_files.statements import STATEMENTS, Statement
from cds_service.clinical.rules import Rule
from tests.places import SHARED_DIR

WITHOUT_A_RULE = {"S26", "S28", "S29"}
"""What every card does (sources, review status), and what does not apply."""


@cache
def _rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in load_library(shipped_cards_dir()).rules}


def _specified() -> list[dict[str, Any]]:
    path = SHARED_DIR / "clinical" / "rules.csv"
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.exists() else []


def test_statements_are_numbered_without_a_gap() -> None:
    assert [statement.id for statement in STATEMENTS] == [f"S{number}" for number in range(30)]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.id)
def test_every_statement_has_its_rules(statement: Statement) -> None:
    assert bool(statement.rules) is (statement.id not in WITHOUT_A_RULE)
    assert set(statement.rules) <= set(_rules())
    named = {rule.id for rule in _rules().values() if statement.id in rule.statements}
    assert bool(named & set(statement.rules)) is bool(statement.rules), "no rule says that it implements this"


@pytest.mark.parametrize("rule", _rules().values(), ids=lambda rule: rule.id)
def test_every_rule_names_statements_that_exist(rule: Rule) -> None:
    assert rule.statements
    assert set(rule.statements) <= {statement.id for statement in STATEMENTS}


@pytest.mark.parametrize("row", _specified(), ids=lambda row: row["id"])
def test_a_rule_has_the_hooks_statements_suggestions_and_reasons_of_the_specification(row: dict[str, str]) -> None:
    rule = _rules()[row["id"]]
    assert rule.hooks == set(row["hooks"].split("|"))
    assert set(rule.statements) >= set(re.findall(r"S\d+", row["seed_ids"]))
    assert {s.kind.value for s in rule.suggestions} == set(filter(None, row["suggestion_kinds"].split("|")))
    assert {reason.code for reason in rule.override_reasons} >= set(filter(None, row["override_reasons"].split("|")))


def test_the_library_has_the_rules_of_the_specification_and_no_others() -> None:
    assert not _specified() or set(_rules()) == {row["id"] for row in _specified()}
