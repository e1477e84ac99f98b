"""The shipped library has no faults, and each policy can find one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.card_files.lint import lint
from cds_service.card_files.reference_docs import check_reference
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.markdown import SUMMARY_MAX
from tests.cards.small_library import GOOD_CASES, GOOD_RULE, RULE, SHIPPED, SmallLibrary, count


def test_the_shipped_library_has_no_faults() -> None:
    assert [str(fault) for fault in lint(SHIPPED)] == []


def test_the_guide_for_authors_is_in_step_with_the_library() -> None:
    assert check_reference(SHIPPED) == []


def test_a_good_rule_has_no_faults(small_library: SmallLibrary) -> None:
    assert small_library.faults() == []


def _levels(*indicators: str) -> list[dict[str, str]]:
    return [{"indicator": indicator} for indicator in indicators]


REPEAT = GOOD_RULE["suggestions"][0]
HALF = {"value": 0.5, "unit": "10*9/L", "source": "F1"}
TWO_DAYS = {"value": 2, "unit": "d", "source": "F1"}

LOW = "anc < limits.moderate_below"
PLACEHOLDER = "{limits.moderate_below}"
NO_SUCH_LEVEL = [{"indicator": "info", "when": "level['none'] == 'info'"}]

RULE_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "number in a condition": ({"when": f"anc_current && anc < 1.5 && {LOW}"}, "the number 1.5"),
    "limit that nothing names": (
        {"limits": {**GOOD_RULE["limits"], "half": HALF}},
        "limit half is used nowhere",
    ),
    "condition on the last text": (
        {"line": [{"text": "ANC {anc}", "when": "hot"}]},
        "line: the last text must hold",
    ),
    "fact that may be unknown": (
        {"summary": [{"text": "ANC {anc}, WBC {wbc}"}]},
        "summary: wbc may be unknown here",
    ),
    "fact that one branch leaves unknown": ({"when": f"hot || {LOW}"}, "summary: anc may be unknown here"),
    "unknown fact in a label": ({"suggestions": [{**REPEAT, "label": "{wbc}"}]}, "label of repeat-cbc-diff: wbc"),
    "HTML in a text": ({"detail": [{"text": f"<b>Below</b> {PLACEHOLDER}"}]}, "text has HTML at '<b'"),
    "level without a place": ({"place": {"critical": "own"}}, "place does not say where warning goes"),
    "critical line": ({"place": "summary"}, "a critical card must have the place own"),
    "suggestion twice": ({"suggestions": [REPEAT, REPEAT]}, "suggestion repeat-cbc-diff stands here twice"),
    "day that is not given": (
        {"suggestions": [{"kind": "repeat-cbc-diff", "label": "Repeat in {due}"}]},
        "prints due, but due_days is not given",
    ),
    "last day with a condition": (
        {"suggestions": [{**REPEAT, "due_days": [{"days": 7, "when": "hot"}]}]},
        "due_days of repeat-cbc-diff: the last must hold always",
    ),
    "limit typed into a text": ({"detail": [{"text": f"Below 1.0, {PLACEHOLDER}"}]}, "text has 1.0 typed in"),
    "time limit typed into a text": (
        {"limits": {**GOOD_RULE["limits"], "wait": TWO_DAYS}, "line": [{"text": "wait {limits.wait}: 2 days"}]},
        "text has 2 typed in: print {limits.wait}",
    ),
    "ingredient that no row has": (
        {"for_each": "drug", "when": f"drug.ingredient == 'clozapin' && {LOW}"},
        "asks for drug.ingredient 'clozapin', which no row of drugs.csv has",
    ),
    "class that no row has": (
        {"for_each": "drug", "when": f"drug.group != 'cytotoxics' && {LOW}"},
        "asks for drug.group 'cytotoxics'",
    ),
    "reference that nobody verified": ({"sources": ["F1", "F2"]}, "nobody has verified F2"),
    "long summary": ({"summary": [{"text": "ANC {anc} " + "word " * 30}]}, "summary can have"),
    "level of no rule": ({"scope": True, "levels": NO_SUCH_LEVEL}, "level['none'] is of no active rule"),
}


@pytest.mark.parametrize(("changes", "message"), RULE_FAULTS.values(), ids=RULE_FAULTS)
def test_a_fault_of_a_rule_is_found(small_library: SmallLibrary, changes: dict[str, Any], message: str) -> None:
    small_library.write(**changes)
    assert [fault for fault in small_library.faults() if message in fault]


@pytest.mark.parametrize(
    ("name", "message"), [("count_caveat", "'count_caveat' has no label"), ("ancc", "'ancc' is no fact")]
)
def test_an_input_that_cannot_stand_in_the_table_is_found(small_library: SmallLibrary, name: str, message: str) -> None:
    small_library.write(inputs=[name])
    assert [fault for fault in lint(small_library.root) if message in fault.problem]


def test_a_draft_may_cite_what_nobody_verified(small_library: SmallLibrary) -> None:
    small_library.write("other", status="draft", sources=["F2"])
    assert small_library.faults() == []


def test_a_missing_boundary_case_is_found(small_library: SmallLibrary) -> None:
    beside = [case for case in GOOD_CASES if case["name"] != "at the limit"]
    small_library.write_cases(cases=[*beside, {**GOOD_CASES[2], "input": {"labs": [count(1.01)]}}])
    assert small_library.faults() == ["of the cases, none has anc exactly at the limit moderate_below (1.0)"]


def test_a_boundary_needs_a_case_on_the_side_that_the_limit_does_not_belong_to(small_library: SmallLibrary) -> None:
    small_library.write(when="anc_current && anc <= limits.moderate_below")
    assert small_library.faults() == ["of the cases, none has anc above the limit moderate_below (1.0)"]


def test_a_boundary_of_a_level_is_looked_at_for_each_drug(small_library: SmallLibrary) -> None:
    week = {"week": {"value": 7, "unit": "d", "source": "F1"}}
    levels = [{"indicator": "critical", "when": "drug.course_days >= limits.week"}, {"indicator": "warning"}]
    small_library.write(for_each="drug", limits={**GOOD_RULE["limits"], **week}, levels=levels)
    found = small_library.faults()
    assert "of the cases, none has drug.course_days exactly at the limit week (7)" in found
    assert "of the cases, none has drug.course_days below the limit week (7)" in found


def test_a_longer_placeholder_is_no_typed_number(small_library: SmallLibrary) -> None:
    small_library.write(detail=[{"text": "CTCAE v5 grade 1, 11.0 or 1.05, {limits.moderate_below}"}])
    assert small_library.faults() == []


def test_the_longest_drug_name_counts(small_library: SmallLibrary) -> None:
    longest = max((drug.ingredient.split(" (")[0] for drug in load_terminology(SHIPPED).drugs), key=len)
    words = "x" * (SUMMARY_MAX - len(longest))
    rule = {"for_each": "drug", "when": "anc_current && anc < limits.moderate_below"}
    small_library.write(**rule, summary=[{"text": "{drugs}" + words}])
    assert not [fault for fault in small_library.faults() if "summary" in fault]
    small_library.write(**rule, summary=[{"text": "{drugs}" + words + "!"}])
    assert [fault for fault in small_library.faults() if "summary can have 140 characters" in fault]


def test_a_suppressor_without_a_common_hook_is_found(small_library: SmallLibrary) -> None:
    small_library.write(suppressed_by=["other"])
    small_library.write("other", hooks=["order-sign"], status="draft")
    found = small_library.faults()
    assert "suppressed_by names other, which shares no hook with it" in found
    assert "suppressed_by names other, which is draft" in found


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("anc < 0.5", "has the number 0.5: make it a limit"),
        ("drug.essential", "suppressed_by asks drug.essential of other, which is not about drugs"),
        ("drug.esential", "undeclared reference"),
        (None, "is not valid under any of the given schemas"),
    ],
)
def test_a_fault_in_the_condition_of_a_suppressor_is_found(
    small_library: SmallLibrary, condition: str | None, message: str
) -> None:
    small_library.write("other")
    small_library.write(suppressed_by=[{"rule": "other", "when": condition} if condition else {"rule": "other"}])
    assert [fault for fault in lint(small_library.root) if message in fault.problem]


def test_a_condition_on_a_suppressor_may_take_a_limit_and_ask_of_its_drugs(small_library: SmallLibrary) -> None:
    small_library.write("other", for_each="drug")
    limits = {**GOOD_RULE["limits"], "severe": {"shared": "severe_below"}}
    by = {"rule": "other", "when": "drug.essential && anc < limits.severe", "unless": "hot"}
    small_library.write(limits=limits, suppressed_by=[by])
    assert [fault for fault in small_library.faults() if "suppressed_by" in fault or "severe" in fault] == []


@pytest.mark.parametrize("other", ["third", {"rule": "third", "when": "hot"}])
def test_rules_that_silence_each_other_are_found(small_library: SmallLibrary, other: Any) -> None:
    small_library.write("third", suppressed_by=[RULE])
    small_library.write(suppressed_by=[other])
    assert [fault for fault in lint(small_library.root) if "goes round in a circle" in fault.problem]


def test_a_suppressor_named_twice_is_found(small_library: SmallLibrary) -> None:
    small_library.write("other")
    small_library.write(suppressed_by=["other", {"rule": "other", "when": "hot"}])
    assert [fault.problem for fault in lint(small_library.root)] == ["suppressed_by names 'other' twice"]


def test_a_condition_with_too_many_facts_is_reported(small_library: SmallLibrary) -> None:
    names = "hot fever shock child pregnant stable falling fell_fast nadir28 myelo28 treated open_cbc cml advanced_cml"
    names += " duffy_null duffy_stable wbc_low platelets_low haemoglobin_low"
    low = "anc < limits.moderate_below"
    some = " || ".join([*names.split(), low])
    none = " && ".join(f"!{name}" for name in names.split())
    small_library.write(when=f"({some}) && ({none} || {low})")
    assert [fault for fault in small_library.faults() if "whether anc is known cannot be proven" in fault]


def test_cases_that_leave_something_out_are_found(small_library: SmallLibrary) -> None:
    nothing = {"name": "none", "input": {"labs": [count(5)]}, "expect": {"outcome": "not-fired"}}
    small_library.write_cases(cases=[nothing])
    found = small_library.faults()
    assert "of the cases, none has the outcome fired" in found
    assert "of the cases, none fires with the indicator critical" in found
    assert "of the cases, none has unavailable data" in found
    assert "of the cases, none has only results older than 7 days, though the rule depends on their age" in found
    assert "of the cases, none expects the suggestion repeat-cbc-diff" in found


def test_cases_that_always_fire_are_found(small_library: SmallLibrary) -> None:
    small_library.write_cases(cases=[case for case in GOOD_CASES if case["expect"]["outcome"] == "fired"])
    assert "of the cases, none has the outcome not-fired" in small_library.faults()


def test_a_rule_without_cases_is_found(small_library: SmallLibrary) -> None:
    small_library.path(ending=".cases.yaml").unlink()
    assert small_library.faults() == ["is missing: every active rule has cases"]


def test_cases_of_no_rule_are_found(small_library: SmallLibrary) -> None:
    small_library.write_cases("gone")
    assert small_library.faults() == ["there is no rule of this name"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"name": "a", "input": {"labz": []}, "expect": {"outcome": "fired"}}, "input: unknown labz"),
        ({"name": "a", "input": {}, "expect": {"outcome": "maybe"}}, "outcome maybe is none of"),
        ({"name": "a", "input": {}, "expect": {}}, "expect: needs outcome"),
        ({"name": "a", "input": {}, "expect": {"outcome": "fired", "indicator": "red"}}, "indicator red is none of"),
        ({"name": "a", "input": {}, "expect": {"outcome": "fired", "suggestions": ["tea"]}}, "tea is no kind"),
        ({"name": "a", "input": {}, "expects": {}}, "case: unknown expects"),
        ({"input": {}, "expect": {"outcome": "fired"}}, "case: needs name"),
        ("a", "case: must have members"),
        (GOOD_CASES[0], "case 'low': stands here twice"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_read_is_found(small_library: SmallLibrary, case: Any, message: str) -> None:
    small_library.write_cases(cases=[*GOOD_CASES, case])
    assert [fault for fault in small_library.faults() if message in fault]


def test_the_place_of_a_fault_is_named(small_library: SmallLibrary) -> None:
    small_library.write_cases(
        cases=[*GOOD_CASES, {"name": "odd", "input": {"sbp": "high"}, "expect": {"outcome": "fired"}}]
    )
    small_library.lock()
    fault = lint(small_library.root)[0]
    lines = small_library.path(ending=".cases.yaml").read_text("utf-8").splitlines()
    assert fault.path == small_library.path(ending=".cases.yaml")
    assert '"name": "odd"' in lines[(fault.line or 0) - 1]


def test_cases_of_another_rule_in_the_file_are_found(small_library: SmallLibrary) -> None:
    content = {"rule": "another", "cases": GOOD_CASES}
    small_library.path(ending=".cases.yaml").write_text(json.dumps(content), "utf-8")
    assert small_library.faults() == [f"rule: is 'another', but the file is of {RULE}"]


def test_a_file_of_cases_with_another_member_is_found(small_library: SmallLibrary) -> None:
    content = {"rule": RULE, "cases": GOOD_CASES, "note": "x"}
    small_library.path(ending=".cases.yaml").write_text(json.dumps(content), "utf-8")
    assert [fault for fault in small_library.faults() if "file: unknown note" in fault]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({**GOOD_CASES[0], "rule": "gone"}, "no active rule is called 'gone'"),
        (GOOD_CASES[0], "case: needs rule"),
        ({**GOOD_CASES[0], "rule": RULE, "input": {"labs": 1}}, "labs: must be a list"),
    ],
)
def test_a_shared_case_that_cannot_be_read_is_found(small_library: SmallLibrary, case: Any, message: str) -> None:
    (small_library.root / "shared.cases.yaml").write_text(json.dumps({"cases": [case]}), "utf-8")
    assert [fault for fault in small_library.faults() if message in fault]


def test_a_retired_rule_is_not_linted(small_library: SmallLibrary) -> None:
    small_library.write("old-rule", status="retired", when="anc < 1.5")
    assert small_library.faults() == []


def test_a_library_that_does_not_load_gives_its_faults(small_library: SmallLibrary) -> None:
    small_library.write(when="ank < 1")
    assert "undeclared reference" in str(lint(small_library.root)[0])


def test_a_table_that_does_not_load_is_a_fault(small_library: SmallLibrary) -> None:
    (small_library.root / "drugs.csv").write_text("ingredient\n", "utf-8")
    assert len(lint(small_library.root)) == 1
