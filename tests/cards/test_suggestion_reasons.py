"""The reason that a written order gives, and rules about drugs on hold, are linted as the other texts and rules are."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.markdown import SUMMARY_MAX
from cds_service.errors import CardLibraryError
from tests.cards.small_library import GOOD_RULE, SmallLibrary

REPEAT = GOOD_RULE["suggestions"][0]


@pytest.mark.parametrize(
    ("reason", "faults"),
    [
        ("ANC {anc}, limit {limits.moderate_below}", []),
        ("WBC {wbc}", ["reason of repeat-cbc-diff: wbc may be unknown here; write {wbc|words for not known}"]),
        ("WBC {wbc|not known}", []),
        ("below 1.0", ["text has 1.0 typed in: print {limits.moderate_below}"]),
    ],
)
def test_a_reason_prints_only_what_is_there(small_library: SmallLibrary, reason: str, faults: list[str]) -> None:
    small_library.write(suggestions=[{**REPEAT, "reason": reason}])
    assert small_library.faults() == faults


def test_a_reason_names_only_facts_and_limits(small_library: SmallLibrary) -> None:
    small_library.write(suggestions=[{**REPEAT, "reason": "ANC {ancc}"}])
    with pytest.raises(CardLibraryError, match="unknown placeholder"):
        small_library.faults()


@pytest.mark.parametrize(("words", "long"), [("x" * 90, False), ("x" * (SUMMARY_MAX - 5), True)])
def test_the_summary_of_a_rule_about_held_drugs_is_measured(
    small_library: SmallLibrary, words: str, long: bool
) -> None:
    rule: dict[str, Any] = {
        "for_each": "held-drug",
        "when": "!drug.draft && anc_current && anc < limits.moderate_below",
    }
    small_library.write(**rule, summary=[{"text": "{drugs}" + words}])
    assert any("summary can have" in fault for fault in small_library.faults()) is long
