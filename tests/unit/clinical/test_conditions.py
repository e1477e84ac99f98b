"""CEL conditions have three outcomes: an unknown fact never makes one true, and binding it never turns it round."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.conditions import (
    Condition,
    ConditionCompiler,
    ConditionError,
    Truth,
    _readable,
    limits_in,
    names_in,
)
from cds_service.clinical.facts import FACTS, FactKind
from cds_service.clinical.knowledge import Known, Unknown

LIMITS = {"low": Decimal("1.0")}
COMPILER = ConditionCompiler(LIMITS, for_drug=True)
BOOLS = ["fever", "hot", "treated", "pregnant"]
NUMBERS = ["anc", "wbc"]

atoms = st.one_of(
    st.sampled_from(BOOLS),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(NUMBERS),
        st.sampled_from(["<", "<=", ">", ">=", "=="]),
        st.sampled_from(["limits.low", "0.5", "wbc"]),
    ),
    st.sampled_from(["true", "false", "drug.ingredient == 'clozapine'", "drug.group in ['adc', 'cytotoxic']"]),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=8,
)
bindings = st.fixed_dictionaries(
    {
        **{name: st.booleans() for name in BOOLS},
        **{name: st.sampled_from([Decimal("0.4"), Decimal("1.0"), Decimal(2)]) for name in NUMBERS},
        "drug.ingredient": st.sampled_from(["clozapine", "other"]),
        "drug.group": st.sampled_from(["adc", "other"]),
    }
)


@given(expressions, bindings, st.sets(st.sampled_from([*BOOLS, *NUMBERS, "drug.ingredient", "drug.group"])))
def test_binding_an_unknown_fact_never_turns_an_outcome_round(text, values, unknown):
    condition = COMPILER.compile(text)
    partly = condition.judge_values({name: v for name, v in values.items() if name not in unknown})
    fully = condition.judge_values(values)
    assert fully is not Truth.UNKNOWN
    assert partly in (Truth.UNKNOWN, fully)


def judge(text: str, **values) -> Truth:
    condition = COMPILER.compile(text)
    return condition.judge(lambda name: Known(values[name]) if name in values else Unknown())


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("fever && treated", {"fever": False}, Truth.FALSE),
        ("fever && treated", {"fever": True}, Truth.UNKNOWN),
        ("fever || treated", {"treated": True}, Truth.TRUE),
        ("fever || treated", {"treated": False}, Truth.UNKNOWN),
        ("!fever", {}, Truth.UNKNOWN),
        ("fever", {}, Truth.UNKNOWN),
        ("anc < limits.low", {"anc": Decimal("0.999")}, Truth.TRUE),
        ("anc < limits.low", {"anc": Decimal("1.0")}, Truth.FALSE),
        ("anc < limits.low", {"anc": 1}, Truth.FALSE),
        ("drug.ingredient == 'anc'", {"drug.ingredient": "anc"}, Truth.TRUE),
    ],
)
def test_judges_with_what_is_known(text, values, expected):
    assert judge(text, **values) is expected


def test_reads_lists():
    assert (
        COMPILER.compile("['a', 'b'].exists(x, x == drug.ingredient)").judge_values({"drug.ingredient": "b"})
        is Truth.TRUE
    )


def test_looks_into_levels_and_is_unknown_for_an_unknown_one():
    condition = ConditionCompiler({}, for_drug=False, sees_levels=True).compile("level['anc-severe'] == 'critical'")
    assert condition.judge(lambda name: Unknown(), {"anc-severe": "critical"}) is Truth.TRUE
    assert condition.judge(lambda name: Unknown(), {"anc-severe": "none"}) is Truth.FALSE
    assert condition.judge(lambda name: Unknown(), {}) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("ferver", "undeclared reference to 'ferver'", 1),
        ("fever && drug.", "yntax error", 15),
        ("fever && anc < 'x'", "found no matching overload", 14),
        ("anc", "must be true or false", None),
        ("limits.high < anc", "undeclared reference", 7),
    ],
)
def test_rejects_an_unknown_name_a_wrong_type_or_bad_syntax(text, words, column):
    with pytest.raises(ConditionError, match=words) as caught:
        COMPILER.compile(text)
    assert caught.value.column == column


def test_rejects_facts_about_a_drug_outside_a_for_each_rule():
    with pytest.raises(ConditionError, match="undeclared reference"):
        ConditionCompiler({}, for_drug=False).compile("drug.draft")


def test_finds_names_and_limits_but_no_words_in_quotes():
    text = "anc < limits.low && drug.group in ['wbc', \"fever\"] && level['hot'] == 'x'"
    assert names_in(text) == {"anc", "drug.group"}
    assert limits_in(text) == {"low"}


def test_keeps_its_text_and_facts():
    condition = COMPILER.compile("fever")
    assert isinstance(condition, Condition)
    assert (condition.text, condition.facts) == ("fever", {"fever"})


def test_passes_on_a_message_without_a_place():
    assert str(_readable(RuntimeError("INVALID_ARGUMENT: too deep\nmore"))) == "too deep"


def test_judges_a_fact_that_is_a_list_of_words(monkeypatch):
    words = dataclasses.replace(FACTS["anc_words"], name="words", kind=FactKind.TEXTS)
    monkeypatch.setitem(FACTS, "words", words)
    condition = ConditionCompiler({}, for_drug=False).compile("'a' in words")
    assert condition.judge(lambda name: Known(("a", "b"))) is Truth.TRUE
    assert condition.judge(lambda name: Known(("b",))) is Truth.FALSE
    assert condition.judge(lambda name: Unknown()) is Truth.UNKNOWN


def test_says_which_name_is_not_known_and_where():
    with pytest.raises(ConditionError) as raised:
        ConditionCompiler({}, for_drug=False).compile("fever && nonsense")
    assert (str(raised.value), raised.value.column) == ("undeclared reference to 'nonsense'", 10)


def test_only_a_scope_rule_sees_the_levels_of_others():
    with pytest.raises(ConditionError, match="level"):
        ConditionCompiler({}, for_drug=False).compile("level['a'] == 'warning'")
    compiled = ConditionCompiler({}, for_drug=False, sees_levels=True).compile("level['a'] == 'warning'")
    assert compiled.judge_values({}, {"a": "warning"}) is Truth.TRUE
    with pytest.raises(ConditionError, match="drug"):
        ConditionCompiler({}, for_drug=False).compile("drug.draft")
