"""Deliberate faults are made everywhere, and noticed by the cases that show them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.card_files.cases import CaseBook
from cds_service.card_files.mutants import MutationCheck, moved, survivors
from tests.cards.small_library import GOOD_CASES, GOOD_RULE, RULE, SmallLibrary, count

LIMIT = "limit moderate_below"


def test_unwatched_limits_survive(small_library: SmallLibrary) -> None:
    found = survivors(small_library.root)
    assert f"{RULE}: {LIMIT} = 0.99" in found
    assert f"{RULE}: {LIMIT} = 1.01" not in found


def test_a_case_one_step_below_the_limit_notices(small_library: SmallLibrary) -> None:
    step = {"name": "one step below", "input": {"labs": [count(0.99)]}, "expect": {"outcome": "fired"}}
    small_library.write_cases(cases=[*GOOD_CASES, step])
    assert f"{RULE}: {LIMIT} = 0.99" not in survivors(small_library.root, [RULE])


def test_every_part_that_decides_is_changed(small_library: SmallLibrary) -> None:
    repeat = {
        **GOOD_RULE["suggestions"][0],
        "when": "hot",
        "due_days": [{"days": 2, "when": "stable", "unless": "fever"}, {"days": 7}],
    }
    small_library.write("second-rule", status="active")
    small_library.write(suggestions=[repeat], unless="stable", suppressed_by=["second-rule"])
    check = MutationCheck(CaseBook(small_library.root))
    names = {mutant.id.removeprefix(f"{RULE}: ") for mutant in check.of_rule(check.library.rule(RULE))}
    assert names == {
        f"{LIMIT} = 0.99",
        f"{LIMIT} = 1.01",
        "rule when anc < limits.moderate_below",
        "rule when !(anc_current) && anc < limits.moderate_below",
        "rule when anc_current",
        "rule when anc_current && !(anc < limits.moderate_below)",
        "rule when anc_current && anc <= limits.moderate_below",
        "rule unless dropped",
        "rule unless !(stable)",
        "level 1 when dropped",
        "level 1 when !(hot)",
        "level 1 (critical) dropped",
        "suggestion repeat-cbc-diff when !(hot)",
        "suggestion repeat-cbc-diff when dropped",
        "suggestion repeat-cbc-diff due 1 when dropped",
        "suggestion repeat-cbc-diff due 1 when !(stable)",
        "suggestion repeat-cbc-diff due 1 unless dropped",
        "suggestion repeat-cbc-diff due 1 unless !(fever)",
        "not suppressed by second-rule",
    }


def test_every_part_of_a_condition_on_a_suppressor_is_changed(small_library: SmallLibrary) -> None:
    conditional = {"rule": "second-rule", "when": "anc < limits.moderate_below && hot", "unless": "drug.essential"}
    small_library.write("second-rule", for_each="drug")
    small_library.write(suppressed_by=[conditional])
    check = MutationCheck(CaseBook(small_library.root))
    rule = check.library.rule(RULE)
    named = f"{RULE}: suppressed by second-rule"
    names = {mutant.id.removeprefix(named) for mutant in check.of_rule(rule) if mutant.id.startswith(named)}
    assert names == {
        " when dropped",
        " when hot",
        " when anc < limits.moderate_below",
        " when !(anc < limits.moderate_below) && hot",
        " when anc <= limits.moderate_below && hot",
        " when anc < limits.moderate_below && !(hot)",
        " unless dropped",
        " unless !(drug.essential)",
    }
    moved_limit = next(mutant for mutant in check.of_rule(rule) if f"{LIMIT} = 0.99" in mutant.id)
    condition = moved_limit.library.rule(RULE).suppressors[0].guard.when
    assert condition is not None
    assert condition.limits == {"moderate_below": 0.99}


def test_a_scope_rule_is_judged_with_all_others(small_library: SmallLibrary) -> None:
    level = {"indicator": "warning", "when": f"level['{RULE}'] == 'warning'"}
    small_library.write("for-children", scope=True, when="child", levels=[level], suggestions=[], limits={},
                        summary=[{"text": "Child"}], detail=[{"text": "Child"}], line=[{"text": "Child"}])  # fmt: skip
    cases = [
        {"name": "child", "input": {"age": 9, "labs": [count(0.9)]}, "expect": {"outcome": "fired"}},
        {"name": "well", "input": {"age": 9, "labs": [count(5)]}, "expect": {"outcome": "not-fired"}},
        {"name": "adult", "input": {"labs": [count(0.9)]}, "expect": {"outcome": "not-fired"}},
    ]
    small_library.write_cases("for-children", cases)
    assert survivors(small_library.root, ["for-children"]) == []


def test_a_scope_rule_with_two_levels_loses_each(small_library: SmallLibrary) -> None:
    levels = [{"indicator": name, "when": f"level['{RULE}'] == '{name}'"} for name in ("critical", "warning")]
    small_library.write("for-children", scope=True, when="child", levels=levels)
    check = MutationCheck(CaseBook(small_library.root))
    names = [mutant.id for mutant in check.of_rule(check.library.rule("for-children"))]
    assert "for-children: level 2 (warning) dropped" in names


def test_shared_numbers_are_moved_wherever_they_are_taken(small_library: SmallLibrary) -> None:
    found = survivors(small_library.root, shared=True)
    assert "shared moderate_below = 1.01" not in found
    assert "shared moderate_below = 0.99" in found
    assert "shared fever_single = 38.2" in found


@pytest.mark.parametrize(
    ("value", "unit", "low", "high"),
    [
        ("1.5", "10*9/L", "1.49", "1.51"),
        ("150", "10*9/L", "149", "151"),
        ("0.25", "1", "0.24", "0.26"),
        ("3", "1", "2", "4"),
        ("28", "d", "27.4", "28.6"),
        ("400", "mg/dL", "399", "401"),
    ],
)
def test_numbers_are_moved_by_the_step_of_their_unit(value: str, unit: str, low: str, high: str) -> None:
    assert moved(Decimal(value), unit) == (Decimal(low), Decimal(high))
