"""A case that does not hold says what was expected and what came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.card_files.cases import run_cases
from cds_service.errors import CardFileError
from tests.cards.small_library import GOOD_CASES, GOOD_RULE, RULE, SmallLibrary, count

LOW = {"labs": [count(0.9)]}


def _problems(small_library: SmallLibrary, given: dict[str, Any], **expect: Any) -> list[str]:
    small_library.write_cases(cases=[{"name": "one", "input": given, "expect": {"outcome": "fired", **expect}}])
    results = run_cases(small_library.root)
    assert [(result.rule, result.name) for result in results] == [(RULE, "one")]
    assert results[0].passed == (results[0].problems == ())
    return list(results[0].problems)


def test_good_cases_hold(small_library: SmallLibrary) -> None:
    results = run_cases(small_library.root)
    assert len(results) == len(GOOD_CASES)
    assert all(result.passed for result in results)


@pytest.mark.parametrize(
    ("given", "expect", "problem"),
    [
        (LOW, {"outcome": "not-fired"}, "expected not-fired, but it is fired"),
        ({"unavailable": ["cellCounts"]}, {}, "expected fired, but it is unknown (missing cellCounts)"),
        (LOW, {"indicator": "info"}, "expected info, but it is warning"),
        (LOW, {"suggestions": []}, "expected to offer nothing, but it offers repeat-cbc-diff"),
        (
            LOW,
            {"suggestions": ["repeat-cbc-diff", "nat-test"]},
            "expected to offer repeat-cbc-diff, nat-test, but it offers repeat-cbc-diff",
        ),
        (LOW, {"due": {"repeat-cbc-diff": 9}}, "expected repeat-cbc-diff in 9 days, but it is in 7"),
        (LOW, {"due": {"nat-test": 9}}, "expected nat-test in 9 days, but it is in None"),
        (LOW, {"summary_contains": "high"}, "expected 'high' in the summary, but it reads 'ANC 0.9 (23 h ago)'"),
        (LOW, {"line_contains": "high"}, "expected 'high' in the line, but it reads 'ANC 0.9'"),
        (LOW, {"detail_contains": "high"}, "expected 'high' in the detail, but it reads 'Below 1.0.'"),
        (
            {"unavailable": ["cellCounts", "conditions"]},
            {"outcome": "unknown", "missing": []},
            "expected nothing to be missing, but it is cellCounts",
        ),
    ],
)
def test_a_difference_is_said_in_words(
    small_library: SmallLibrary, given: dict[str, Any], expect: dict[str, Any], problem: str
) -> None:
    assert _problems(small_library, given, **expect) == [problem]


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        (LOW, {"suggestions": ["repeat-cbc-diff"], "due": {"repeat-cbc-diff": 7}}),
        (LOW, {"summary_contains": "ANC 0.9", "line_contains": "ANC", "detail_contains": "Below"}),
        ({"unavailable": ["cellCounts"]}, {"outcome": "unknown", "missing": ["cellCounts"]}),
    ],
)
def test_what_is_as_expected_gives_no_words(
    small_library: SmallLibrary, given: dict[str, Any], expect: dict[str, Any]
) -> None:
    assert _problems(small_library, given, **expect) == []


def test_who_silenced_a_rule_is_compared(small_library: SmallLibrary) -> None:
    other = {**GOOD_RULE["levels"][1]}
    small_library.write("louder-rule", levels=[{"indicator": "critical", "when": "hot"}, other])
    small_library.write(suppressed_by=["louder-rule"])
    small_library.write_cases("louder-rule", [])
    expect = {"outcome": "suppressed", "suppressed_by": "another-rule"}
    problem = "expected to be suppressed by another-rule, but it is by louder-rule"
    assert _problems(small_library, LOW, **expect) == [problem]
    assert _problems(small_library, LOW) == ["expected fired, but it is suppressed (by louder-rule)"]
    assert _problems(small_library, LOW, outcome="suppressed", suppressed_by="louder-rule") == []


def test_only_the_rules_named_are_run(small_library: SmallLibrary) -> None:
    small_library.write("second-rule")
    assert {result.rule for result in run_cases(small_library.root, ["second-rule"])} == {"second-rule"}


def test_shared_cases_are_run_with_their_rule(small_library: SmallLibrary) -> None:
    shared = {"rule": RULE, "name": "shared", "input": LOW, "expect": {"outcome": "fired"}}
    (small_library.root / "shared.cases.yaml").write_text(json.dumps({"cases": [shared]}), "utf-8")
    assert "shared" in {result.name for result in run_cases(small_library.root, [RULE])}


def test_a_rule_without_a_file_has_no_cases(small_library: SmallLibrary) -> None:
    small_library.path(ending=".cases.yaml").unlink()
    assert run_cases(small_library.root) == []


def test_an_unknown_rule_is_refused(small_library: SmallLibrary) -> None:
    with pytest.raises(CardFileError, match="no active rule is called cure-all"):
        run_cases(small_library.root, ["cure-all"])


def test_a_hook_that_the_rule_does_not_have_is_refused(small_library: SmallLibrary) -> None:
    with pytest.raises(CardFileError, match="the rule is not evaluated on order-sign"):
        _problems(small_library, {"hook": "order-sign"})
