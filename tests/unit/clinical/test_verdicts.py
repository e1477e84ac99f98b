"""What comes of a rule: fired, not fired, unknown or suppressed, and why."""

from __future__ import annotations

import dataclasses

import pytest

from cds_service.clinical.cards import Indicator
from cds_service.clinical.chart import Patient
from cds_service.clinical.rules import ForEach, Suppressor
from cds_service.clinical.verdicts import Outcome, all_missing_keys, because, judge_all, missing_facts
from tests.unit.clinical.charts import ADULT, METHIMAZOLE, Decimal, anc, draft, drug, order, problem, situation, temp
from tests.unit.clinical.rulebook import guard, library, rule

FEVER = [temp("38.5")]
ORDERING = frozenset({"order-sign"})


def judge(rules, *things, **more):
    return {v.rule.id: v for v in judge_all(library(*rules), situation(*things, **more))}


@pytest.mark.parametrize(
    ("when", "unless", "things", "unavailable", "outcome"),
    [
        ("fever", None, FEVER, (), "fired"),
        ("fever", None, [], (), "not-fired"),
        ("fever", None, [], ("vitalSigns",), "unknown"),
        ("fever", "pregnant", FEVER, (), "fired"),
        ("fever", "pregnant", [*FEVER, problem("pregnancy")], (), "not-fired"),
        ("fever", "pregnant", FEVER, ("conditions",), "fired"),
        ("fever", "pregnant", [], ("conditions", "vitalSigns"), "unknown"),
        (None, "pregnant", [], (), "fired"),
        (None, "pregnant", [problem("pregnancy")], (), "not-fired"),
        (None, None, [], (), "fired"),
        ("duffy_null", None, [], (), "unknown"),
    ],
)
def test_fires_where_the_condition_is_known_and_its_exception_is_not(when, unless, things, unavailable, outcome):
    verdict = judge([rule("r", when, unless=unless)], *things, unavailable=unavailable)["r"]
    assert verdict.outcome == outcome
    assert verdict.missing_keys == (
        frozenset({"vitalSigns", "conditions"} & set(unavailable))
        if outcome == "unknown" and unavailable
        else frozenset()
    )


@pytest.mark.parametrize(
    ("things", "unavailable", "indicator"),
    [
        ([*FEVER, anc("0.4")], (), Indicator.CRITICAL),
        ([*FEVER, anc("0.6")], (), Indicator.WARNING),
        (FEVER, ("cellCounts",), Indicator.WARNING),
    ],
)
def test_takes_the_first_level_that_is_known_to_hold(things, unavailable, indicator):
    found = judge(
        [rule("r", "fever", levels={"critical": "anc < 0.5", "warning": None})], *things, unavailable=unavailable
    )["r"]
    assert found.indicator is indicator


def test_a_verdict_that_did_not_fire_has_no_indicator():
    assert judge([rule("r", "fever")])["r"].indicator is None


def levelled(rule_id: str, level: str, *by: str | Suppressor, when: str = "fever"):
    return rule(rule_id, when, levels={level: None}, suppressed_by=by)


@pytest.mark.parametrize(
    ("lesser", "greater", "outcome"),
    [
        ("info", "warning", "suppressed"),
        ("warning", "info", "suppressed"),
        ("critical", "critical", "suppressed"),
        ("critical", "warning", "fired"),
        ("critical", "info", "fired"),
    ],
)
def test_a_critical_verdict_is_never_suppressed_by_a_lesser_one(lesser, greater, outcome):
    verdicts = judge([levelled("a", greater), levelled("b", lesser, "a")], *FEVER)
    assert verdicts["b"].outcome == outcome
    assert verdicts["b"].suppressed_by == ("a" if outcome == "suppressed" else None)


def test_only_a_fired_rule_suppresses_and_only_what_might_speak():
    silent = judge([levelled("a", "critical", when="pregnant"), levelled("b", "info", "a")], *FEVER)
    assert silent["b"].fired
    chain = judge([levelled("a", "critical"), levelled("b", "info", "a"), levelled("c", "info", "b")], *FEVER)
    assert [chain[name].outcome for name in "abc"] == ["fired", "suppressed", "fired"]
    quiet = judge([levelled("a", "critical"), levelled("b", "info", "a", when="pregnant")], *FEVER)
    assert quiet["b"].outcome is Outcome.NOT_FIRED
    open_question = judge([levelled("a", "critical"), levelled("b", "info", "a", when="duffy_null")], *FEVER)
    assert open_question["b"].outcome is Outcome.SUPPRESSED


@pytest.mark.parametrize(
    ("when", "unless", "things", "unavailable", "outcome"),
    [
        ("pregnant", None, [problem("pregnancy")], (), "suppressed"),
        ("pregnant", None, [], (), "fired"),
        ("pregnant", None, [], ("conditions",), "fired"),
        (None, "pregnant", [problem("pregnancy")], (), "fired"),
        (None, "pregnant", [], (), "suppressed"),
        (None, "pregnant", [], ("conditions",), "suppressed"),
        ("anc < limits.low", None, [anc("0.9")], (), "suppressed"),
        ("anc < limits.low", None, [anc("1.0")], (), "fired"),
    ],
)
def test_a_condition_decides_whether_a_fired_rule_silences(when, unless, things, unavailable, outcome):
    by = Suppressor("a", guard(when, unless))
    verdicts = judge([levelled("a", "critical"), levelled("b", "info", by)], *FEVER, *things, unavailable=unavailable)
    assert (verdicts["b"].outcome, verdicts["b"].suppressed_by) == (outcome, "a" if outcome == "suppressed" else None)


def test_a_suppressor_says_when_it_silences():
    assert Suppressor("a").condition == ""
    assert Suppressor("a", guard("hot")).condition == "when hot"
    assert Suppressor("a", guard("hot", "child")).condition == "when hot unless child"


def test_a_later_suppressor_silences_where_the_condition_of_an_earlier_one_does_not_hold():
    first, second = Suppressor("a", guard("pregnant")), Suppressor("b", guard("hot"))
    rules = [levelled("a", "critical"), levelled("b", "info"), levelled("c", "info", first, second)]
    assert judge(rules, *FEVER)["c"].suppressed_by == "b"


def test_ignores_suppressors_of_other_hooks():
    verdicts = judge([levelled("b", "info", "not-of-this-hook")], *FEVER)
    assert verdicts["b"].fired


def test_says_nothing_of_a_deceased_patient():
    dead = dataclasses.replace(ADULT, deceased=True)
    verdict = judge([rule("r", "fever")], *FEVER, patient=dead)["r"]
    assert (verdict.outcome, verdict.suppressed_by) == (Outcome.SUPPRESSED, "deceased")
    assert all_missing_keys([verdict]) == frozenset()


def test_every_rule_of_the_hook_once_and_no_other():
    rules = [rule("a"), rule("b", hooks=ORDERING), rule("c")]
    assert list(judge(rules)) == ["a", "c"]
    assert list(judge(rules, hook="order-sign")) == ["b"]
    assert library(*rules).rule("b").topic_code == "b"


LIMITED = drug("tki", anc_hold=anc("1.0").value)
EACH = rule(
    "r",
    "drug.below_anc_limit",
    each=ForEach.DRUG,
    levels={"critical": "drug.below_severe", "warning": None},
    hooks=frozenset({"patient-view", "order-sign"}),
)


def test_runs_over_active_drugs_on_opening_a_chart_and_over_drafts_on_ordering():
    active, drafted = order(LIMITED, start=9), draft(LIMITED)
    on_chart = judge([EACH], active, drafted, anc("0.4"))["r"]
    assert [(case.order, case.indicator) for case in on_chart.cases] == [(active, Indicator.CRITICAL)]
    on_order = judge([EACH], active, drafted, anc("0.9"), hook="order-sign")["r"]
    assert [(case.order, case.indicator) for case in on_order.cases] == [(drafted, Indicator.WARNING)]


def test_a_for_each_rule_is_unknown_where_a_drug_or_the_drug_list_is():
    assert judge([EACH], order(METHIMAZOLE, start=9), anc("0.4"))["r"].outcome is Outcome.NOT_FIRED
    assert judge([EACH], anc("0.4"))["r"].outcome is Outcome.NOT_FIRED
    no_list = judge([EACH], anc("0.4"), unavailable=("medicationRequests",))["r"]
    assert (no_list.outcome, no_list.missing_keys) == (Outcome.UNKNOWN, {"medicationRequests"})
    no_counts = judge([EACH], order(LIMITED, start=9), unavailable=("cellCounts",))["r"]
    assert (no_counts.outcome, no_counts.missing_keys) == (Outcome.UNKNOWN, {"cellCounts"})
    no_count = judge([EACH], order(LIMITED, start=9))["r"]
    assert (no_count.outcome, no_count.missing_keys) == (Outcome.UNKNOWN, frozenset())
    drafts_are_known = judge([EACH], anc("0.4"), hook="order-sign", unavailable=("medicationRequests",))["r"]
    assert drafts_are_known.outcome is Outcome.NOT_FIRED


OTHER = drug("other tki", anc_hold=anc("1.0").value, essential=True)


@pytest.mark.parametrize(
    ("drugs", "outcome"),
    [([OTHER], "suppressed"), ([LIMITED], "fired"), ([LIMITED, OTHER], "suppressed")],
)
def test_the_condition_on_a_rule_about_drugs_is_asked_of_each_drug_it_fired_for(drugs, outcome):
    by = Suppressor("r", guard("drug.essential"))
    orders = [order(one, start=9) for one in drugs]
    assert judge([EACH, levelled("b", "info", by, when="anc_current")], *orders, anc("0.9"))["b"].outcome == outcome


def test_a_critical_verdict_is_only_silenced_by_what_is_critical_where_the_condition_holds():
    strict = drug("strict", anc_hold=anc("1.0").value, gate_window_days=anc("7").value)
    levels = {"critical": "drug.essential", "warning": None}
    speaker = rule("r", "drug.below_anc_limit", each=ForEach.DRUG, levels=levels)
    orders = [order(one, start=9) for one in (OTHER, strict)]
    for condition, outcome in (("drug.essential", "suppressed"), ("!drug.essential", "fired")):
        quiet = levelled("b", "critical", Suppressor("r", guard(condition)), when="anc_current")
        assert judge([speaker, quiet], *orders, anc("0.9"))["b"].outcome == outcome


def test_runs_over_orders_that_stop_a_drug():
    stops = rule("r", "drug.draft", each=ForEach.STOPPED_DRUG, hooks=ORDERING)
    stopping = draft(LIMITED, status="on-hold")
    verdict = judge([stops], stopping, draft(METHIMAZOLE), hook="order-sign")["r"]
    assert [case.order for case in verdict.cases] == [stopping]


SCOPE = rule(
    "scope",
    "child || pregnant",
    scope=True,
    levels={
        "critical": "level['a'] == 'critical'",
        "warning": "level['a'] in ['warning', 'critical']",
        "info": "anc < 1.5",
    },
)


@pytest.mark.parametrize(
    ("things", "level_of_a", "unavailable", "outcome", "indicator", "outcome_of_a"),
    [
        ([problem("pregnancy"), *FEVER], "critical", (), "fired", "critical", "suppressed"),
        ([problem("pregnancy"), *FEVER], "warning", (), "fired", "warning", "suppressed"),
        ([problem("pregnancy"), anc("1.2")], "critical", (), "fired", "info", "not-fired"),
        ([problem("pregnancy"), anc("2")], "critical", (), "not-fired", None, "not-fired"),
        ([problem("pregnancy")], "critical", (), "unknown", None, "not-fired"),
        ([problem("pregnancy")], "critical", ("cellCounts",), "unknown", None, "not-fired"),
        ([problem("pregnancy"), anc("2")], "critical", ("vitalSigns",), "unknown", None, "unknown"),
        ([problem("pregnancy"), anc("1.2")], "critical", ("vitalSigns",), "fired", "info", "unknown"),
        (FEVER, "critical", (), "not-fired", None, "fired"),
        (FEVER, "critical", ("conditions",), "unknown", None, "fired"),
        ([anc("2")], "critical", ("conditions",), "unknown", None, "unknown"),
    ],
)
def test_a_scope_rule_speaks_for_all_others(things, level_of_a, unavailable, outcome, indicator, outcome_of_a):
    verdicts = judge([levelled("a", level_of_a), SCOPE], *things, unavailable=unavailable)
    assert verdicts["scope"].outcome == outcome
    assert verdicts["scope"].indicator == indicator
    assert verdicts["a"].outcome == outcome_of_a
    if outcome == "unknown":
        assert set(unavailable) == verdicts["scope"].missing_keys


def test_a_suppressed_rule_counts_for_nothing_in_a_scope_rule():
    rules = [levelled("b", "critical"), levelled("a", "critical", "b"), SCOPE]
    assert judge(rules, problem("pregnancy"), *FEVER, anc("1.2"))["scope"].indicator is Indicator.INFO


def test_names_what_a_verdict_rests_on_and_what_was_not_known():
    verdict = judge([rule("r", "fever || pregnant || duffy_null")], *FEVER)["r"]
    assert set(because(verdict)) == {"fever", "pregnant"}
    assert set(missing_facts(verdict)) == {"duffy_null"}
    silent = judge([rule("r", "pregnant && duffy_null")])["r"]
    assert set(because(silent)) == {"pregnant"}
    assert set(missing_facts(silent)) == {"duffy_null"}


def test_gathers_missing_keys_of_unknown_rules_only():
    verdicts = judge(
        [rule("a", "pregnant"), rule("b", "fever"), rule("c", "fever || hot")], *FEVER, unavailable=("conditions",)
    )
    assert all_missing_keys(verdicts.values()) == {"conditions"}
    assert isinstance(ADULT, Patient)


def test_the_reasons_are_those_of_the_drug_that_the_rule_fired_for():
    unlimited, limited = draft(drug("a")), draft(drug("b", anc_hold=Decimal("1.0")))
    reads = "drug.anc_limit > 0.5 && drug.below_anc_limit"
    each = rule("r", reads, each=ForEach.DRUG, hooks=frozenset({"order-sign"}))
    verdict = judge([each], unlimited, limited, anc("0.4"), hook="order-sign")["r"]
    assert {name: known.value for name, known in because(verdict).items()} == {
        "drug.anc_limit": Decimal("1.0"),
        "drug.below_anc_limit": True,
    }
    assert missing_facts(verdict) == {}
