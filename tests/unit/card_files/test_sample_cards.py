"""The card that an author is shown: of the first case that fires, the rule alone."""

from __future__ import annotations

import pytest

from cds_service.card_files.cases import CaseBook
from cds_service.card_files.library import shipped_cards_dir
from cds_service.card_files.sample_cards import sample_card
from cds_service.card_files.sentences import sentences

BOOK = CaseBook(shipped_cards_dir())


@pytest.mark.parametrize("rule_id", [rule.id for rule in BOOK.library.rules])
def test_every_active_rule_has_a_card_to_show(rule_id):
    sample = sample_card(BOOK, rule_id)
    assert sample is not None
    case, card = sample
    assert case
    assert [rule.id for rule in card.rules] == [rule_id]
    assert "| Input | Value | Date |" in card.detail


def test_a_drug_that_only_a_site_can_choose_is_no_button():
    sample = sample_card(BOOK, "febrile-neutropenia")
    assert sample is not None
    assert "empiric-antibiotics" not in [suggestion.kind for suggestion in sample[1].suggestions]
    assert "stat-cbc-diff" in [suggestion.kind for suggestion in sample[1].suggestions]


def test_a_rule_that_does_not_exist_has_none():
    assert sample_card(BOOK, "no-such-rule") is None


@pytest.mark.parametrize("rule", BOOK.library.rules, ids=lambda rule: rule.id)
def test_every_condition_of_the_library_reads_as_sentences(rule):
    guards = [rule.guard, *(level.guard for level in rule.levels)]
    for condition in (condition for guard in guards for condition in guard.conditions):
        lines = sentences(condition.text, rule.limits)
        assert not [line for line in lines if "limits." in line or "&&" in line or "||" in line]
