"""Every deliberate fault in a rule or a shared number breaks a case, or is listed as equivalent with its reason."""

from __future__ import annotations

from functools import cache

import pytest

from cds_service.card_files.cases import CaseBook
from cds_service.card_files.mutants import MutationCheck
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.rules import Rule
from tests.places import ROOT

EQUIVALENT: dict[str, str] = read_yaml(ROOT / "tests" / "cards" / "equivalent_mutants.yaml") or {}
MOST_EQUIVALENT = 40
"""More would mean that the list is used instead of cases."""


@cache
def _check() -> MutationCheck:
    return MutationCheck(CaseBook(ROOT / "cards"))


def _rules() -> list[Rule]:
    return _check().book.chosen(None)


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.id)
def test_every_fault_of_a_rule_breaks_one_of_its_cases(rule: Rule) -> None:
    mutants = list(_check().of_rule(rule))
    assert mutants
    assert [name for name in _check().survivors(mutants) if name not in EQUIVALENT] == []


def test_every_moved_shared_number_breaks_a_case() -> None:
    survivors = _check().survivors(_check().of_shared_numbers())
    assert [name for name in survivors if name not in EQUIVALENT] == []


def test_the_list_of_equivalent_faults_names_only_survivors() -> None:
    """A fault that has become noticeable, or that no longer exists, leaves the list."""
    mutants = [m for rule in _rules() for m in _check().of_rule(rule)] + list(_check().of_shared_numbers())
    listed = [mutant for mutant in mutants if mutant.id in EQUIVALENT]
    assert {mutant.id for mutant in listed} == set(EQUIVALENT)
    assert [mutant.id for mutant in listed if _check().is_noticed(mutant)] == []


def test_the_list_of_equivalent_faults_is_short_and_gives_reasons() -> None:
    assert len(EQUIVALENT) <= MOST_EQUIVALENT
    assert [name for name, reason in EQUIVALENT.items() if len(reason) < 20] == []
