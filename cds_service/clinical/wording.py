"""The texts of one fired rule, filled in: summary, detail, lines, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from cds_service.clinical.cards import Indicator
from cds_service.clinical.conditions import Truth
from cds_service.clinical.drug_table import Confidence
from cds_service.clinical.facts.registry import FactSheet
from cds_service.clinical.knowledge import Known
from cds_service.clinical.markdown import escape, one_line, shorten
from cds_service.clinical.open_orders import leaves_something
from cds_service.clinical.rules import SuggestionRule, Text
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import AT_ONCE, RESTS_ON_DRUG_ROW, SuggestedStep
from cds_service.clinical.templates import MissingFact, Template
from cds_service.clinical.verdicts import FiredCase, Verdict, judge_guard

NAMES_SHOWN = 2
LONGEST_LABEL = 100
"""What a button can show."""


def lead(verdict: Verdict) -> FiredCase:
    """The case a card speaks for first: the most urgent one."""
    return max(verdict.cases, key=lambda case: case.indicator.rank)


def summary_of(verdict: Verdict) -> str:
    """One sentence of fewer than 140 characters."""
    return shorten(one_line(_text(verdict.rule.summary, verdict, lead(verdict), str)))


def detail_of(verdict: Verdict) -> str:
    """The Markdown of the rule; a for-each rule adds a line for each drug where there are several."""
    text = _text(verdict.rule.detail, verdict, lead(verdict), escape)
    if len(lines_of(verdict)) < 2:
        return text
    return text + "\n\n" + "\n".join(f"- {line}" for line in lines_of(verdict))


def lines_of(verdict: Verdict) -> list[str]:
    """The rule in one Markdown line for each drug it fired for (or one)."""
    return list(dict.fromkeys(_text(verdict.rule.line, verdict, case, escape) for case in verdict.cases))


def _text(variants: Sequence[Text], verdict: Verdict, case: FiredCase, escaping: Callable[[str], str]) -> str:
    """The first variant whose guard holds and whose facts are known."""
    for variant in variants:
        if judge_guard(variant.guard, case.sheet) is not Truth.TRUE:
            continue
        try:
            return fill(variant.template, verdict, case.sheet, escaping)
        except MissingFact:
            continue
    return escaping(verdict.rule.title)


def fill(
    template: Template, verdict: Verdict, sheet: FactSheet, escaping: Callable[[str], str], due: int | None = None
) -> str:
    """A template with this verdict's facts, limits and drugs."""
    now = sheet.situation.now
    special = {"drugs": drug_names(verdict)}
    if due is not None:
        special |= {
            "due": f"{due} day" if due == 1 else f"{due} days",
            "due_date": f"{now + timedelta(days=due):%Y-%m-%d}",
        }
    return template.fill(sheet.answer, now=now, limits=verdict.rule.limit_values, special=special, escape=escaping)


def drug_names(verdict: Verdict) -> str:
    """ "Paclitaxel, carboplatin and 2 more", most urgent first."""
    cases = sorted(verdict.cases, key=lambda case: -case.indicator.rank)
    names = list(
        dict.fromkeys(
            str(k.value) for case in cases if case.drug and isinstance(k := case.sheet.answer("drug.name"), Known)
        )
    )
    if len(names) <= NAMES_SHOWN:
        return " and ".join(names)
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def offered(verdict: Verdict, situation: Situation) -> tuple[tuple[SuggestionRule, FiredCase], ...]:
    """What a fired rule offers: each suggestion once, or once for each drug it fired for; nothing that is ordered."""
    chosen = proposed(verdict, situation)
    return tuple(pair for pair in chosen if leaves_something(_wordless(verdict, *pair), situation))


def proposed(verdict: Verdict, situation: Situation) -> tuple[tuple[SuggestionRule, FiredCase], ...]:
    """What a fired rule would offer if nothing were ordered yet."""
    if not verdict.fired:
        return ()
    chosen = []
    for suggestion in verdict.rule.suggestions:
        candidates = _candidates(verdict, situation) if suggestion.about_order else verdict.cases
        cases = [case for case in candidates if judge_guard(suggestion.guard, case.sheet) is Truth.TRUE]
        if not suggestion.about_order:
            cases = cases[:1]
        chosen += [(suggestion, case) for case in cases if _confident(suggestion, case, situation)]
    return tuple(chosen)


def _candidates(verdict: Verdict, situation: Situation) -> Sequence[FiredCase]:
    """The drugs an order can be offered for: those the rule fired for or, in a rule about the patient, all active."""
    if verdict.rule.for_each is not None:
        return verdict.cases
    whole = lead(verdict)
    return [
        FiredCase(whole.sheet.for_drug(order, drug), whole.indicator, order, drug)
        for order in situation.exposure.active
        for drug in order.drugs
    ]


def _confident(suggestion: SuggestionRule, case: FiredCase, situation: Situation) -> bool:
    """A suggestion that rests on a drug row needs the confidence the site demands; a low row never has it."""
    if suggestion.kind not in RESTS_ON_DRUG_ROW or case.drug is None:
        return True
    enough = {"high": {Confidence.HIGH}, "medium": {Confidence.HIGH, Confidence.MEDIUM}}
    return case.drug.confidence in enough[situation.policy.min_confidence]


def step_of(verdict: Verdict, suggestion: SuggestionRule, case: FiredCase) -> SuggestedStep:
    """One suggestion with its words, its order and its day."""
    situation = case.sheet.situation
    bare = _wordless(verdict, suggestion, case)
    label = shorten(one_line(fill(suggestion.label, verdict, case.sheet, str, bare.due_in_days)), LONGEST_LABEL)
    return replace(
        bare,
        label=label,
        description=label,
        patient_id=situation.chart.patient.id if situation.chart.patient else "",
        reason=_reason(verdict, suggestion, case),
        sources=sources_of(verdict, suggestion.rests_on),
    )


def _wordless(verdict: Verdict, suggestion: SuggestionRule, case: FiredCase) -> SuggestedStep:
    """All of a suggestion that its words do not matter for."""
    return SuggestedStep(
        kind=suggestion.kind,
        label="",
        description="",
        patient_id="",
        due_in_days=next((d.days for d in suggestion.due if judge_guard(d.guard, case.sheet) is Truth.TRUE), None),
        order=case.order.source if suggestion.about_order and case.order else None,
        urgent=suggestion.kind in AT_ONCE or verdict.indicator is Indicator.CRITICAL,
    )


def _reason(verdict: Verdict, suggestion: SuggestionRule, case: FiredCase) -> str:
    """What the written order gives as its reason: in words of its own, else the summary."""
    if suggestion.reason is None:
        return summary_of(verdict)
    return one_line(fill(suggestion.reason, verdict, case.sheet, str))


def sources_of(verdict: Verdict, facts: Sequence[str] = ()) -> tuple[str, ...]:
    """The resources behind the facts named, or behind all facts of the rule's conditions."""
    sheet = lead(verdict).sheet
    answers = (sheet.answer(name) for name in facts or sorted(verdict.rule.condition_facts))
    return tuple(dict.fromkeys(source for a in answers if isinstance(a, Known) for source in a.sources))
