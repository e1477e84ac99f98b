"""The policies of cases: what each rule's file must at least show, besides what the mutation check demands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.card_files.cases import Case
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.rules import Rule
from cds_service.clinical.verdicts import Outcome

STALE_DAYS = 7
"""A case is about old data where its newest result is older than the shortest window of the count rules."""

FRESHNESS = frozenset({"C-FRESH", "C-TIME"})
COUNTED = frozenset({"ANC", "WBC", "NEUT_PCT", "SEGS_PCT", "BANDS_PCT", "PLT", "HGB"})


def a_case_fires(cases: Sequence[Case]) -> Iterator[str]:
    """Every rule comes with evidence that it fires."""
    if not _with_outcome(cases, Outcome.FIRED):
        yield "none has the outcome fired"


def a_case_does_not_fire(cases: Sequence[Case]) -> Iterator[str]:
    """And that it does not always fire."""
    if not _with_outcome(cases, Outcome.NOT_FIRED):
        yield "none has the outcome not-fired"


def each_level_fires(rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """Each urgency that the rule can have is shown by a case."""
    shown = {case.expect.indicator for case in _with_outcome(cases, Outcome.FIRED)}
    for indicator in sorted({level.indicator.value for level in rule.levels} - shown):
        yield f"none fires with the indicator {indicator}"


def a_case_lacks_data(cases: Sequence[Case]) -> Iterator[str]:
    """What is unavailable must not read as an all-clear."""
    if not any(case.given.get("unavailable") for case in cases):
        yield "none has unavailable data"


def a_case_has_old_data(rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """Where a rule depends on the age of counts, a case has only old ones."""
    if _depends_on_age(rule) and not any(_is_stale(case) for case in cases):
        yield f"none has only results older than {STALE_DAYS} days, though the rule depends on their age"


def each_offer_is_checked(rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """A case that fires says exactly what is offered, at least once for each suggestion."""
    shown = {kind for case in cases for kind in case.expect.suggestions or ()}
    for kind in sorted({suggestion.kind.value for suggestion in rule.suggestions} - shown):
        yield f"none expects the suggestion {kind}"


def policies_broken(rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """What the cases of a rule leave out, in words that follow "of the cases, "."""
    for policy in (a_case_fires, a_case_does_not_fire, a_case_lacks_data):
        yield from policy(cases)
    for of_rule in (each_level_fires, a_case_has_old_data, each_offer_is_checked):
        yield from of_rule(rule, cases)


def _with_outcome(cases: Sequence[Case], outcome: Outcome) -> list[Case]:
    return [case for case in cases if case.expect.outcome == outcome]


def _depends_on_age(rule: Rule) -> bool:
    names = rule.guard.when.facts if rule.guard.when else frozenset()
    return any(FACTS[name].source in FRESHNESS for name in names)


def _is_stale(case: Case) -> bool:
    labs = [lab for lab in case.given.get("labs", ()) if lab.get("analyte") in COUNTED]
    ages = [lab.get("days_ago", 0) if "days_ago" in lab else lab.get("hours_ago", 0) / 24 for lab in labs]
    return bool(ages) and min(ages) > STALE_DAYS
