"""Conditions in words: structure, comparisons, denials, levels of other rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.card_files.sentences import sentences
from cds_service.clinical.rules import Limit

LIMITS = {
    "low": Limit("low", Decimal("1.0"), "10*9/L", "F1"),
    "share": Limit("share", Decimal("0.75"), "1", "F1"),
}
ANC = "The neutrophil count in force"
SHARE = "The present ANC as a share of the last final count from before the course"


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("hot", "Fever or an infection sign"),
        ("!hot", "not: Fever or an infection sign"),
        ("anc < limits.low", f"{ANC}: below 1.0 10*9/L"),
        ("anc <= limits.low", f"{ANC}: at most 1.0 10*9/L"),
        ("anc > limits.low", f"{ANC}: above 1.0 10*9/L"),
        ("anc >= limits.low", f"{ANC}: at least 1.0 10*9/L"),
        ("anc < wbc", f"{ANC}: below the newest usable WBC"),
        ("!(anc < limits.low)", f"not: {ANC}: below 1.0 10*9/L"),
        ("drug.share_of_earlier_count > limits.share", f"{SHARE}: above 0.75"),
        ("drug.ingredient == 'clozapine'", "The ingredient: clozapine"),
        ("drug.tier != \"A\"", "Tier of an idiosyncratic drug: not A"),
        ("drug.risk in ['late-onset', 'mild-or-rare']", "The risk class of the drug table: late-onset or mild-or-rare"),
        ("level['anc-severe'] == 'critical'", "anc-severe fires as critical"),
        ("level['anc-severe'] != 'critical'", "anc-severe does not fire as critical"),
        ("level['anc-severe'] == 'none'", "anc-severe does not fire"),
        ("level['anc-severe'] != 'none'", "anc-severe fires"),
        ("level['anc-severe'] in ['warning', 'critical']", "anc-severe fires as warning or critical"),
        ("size(drug.name) > 3", "size(drug.name) > 3"),
    ],
)  # fmt: skip
def test_a_term_is_one_line(condition, line):
    assert sentences(condition, LIMITS) == [line]


def test_remarks_of_a_fact_are_left_out():
    assert sentences("drug.draft", LIMITS) == ["The order is a new draft"]


def test_nested_terms_are_indented():
    assert sentences("hot && (shock || !(child || pregnant))", LIMITS) == [
        "all of these hold:",
        "  Fever or an infection sign",
        "  one of these holds:",
        "    A systolic pressure of 24 h below 90 mm[Hg]",
        "    not:",
        "      one of these holds:",
        "        Younger than 18 years",
        "        An active pregnancy, undated or at most 300 d old",
    ]
