"""What a fired rule rests on, as plain words: the same words mean the same order on the same results.

Two calls give equal evidence where nothing happened in between but time; any new or changed result makes it another.
It is patient data: it may be hashed, never kept. Source: clinical specification, presentation 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from cds_service.clinical.chart import Chart, Finding, Measurement, MedicationOrder
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.knowledge import Answer, Unknown
from cds_service.clinical.moments import Moment
from cds_service.clinical.situation import Situation
from cds_service.clinical.terminology import Analyte
from cds_service.clinical.verdicts import FiredCase, Verdict

Words: TypeAlias = "str | tuple[Words, ...]"

VITAL_SIGNS = frozenset({Analyte.TEMP, Analyte.SBP, Analyte.WEIGHT})
"""Taken many times a day: they count through the facts that rest on them, not as new results."""
TIME_UNITS = frozenset({"min", "h", "d", "a"})
"""A fact in one of these grows by itself, so that its value says nothing new."""


def evidence_of(verdict: Verdict) -> Words:
    """Rule and version, the orders it is about, every case with its facts, and all results on file."""
    situation = verdict.cases[0].sheet.situation
    return (
        verdict.rule.id,
        verdict.rule.version,
        "chart" if situation.on_chart else "orders",
        () if verdict.rule.for_each else _drafts(situation),
        tuple(sorted(_case(verdict, case) for case in verdict.cases)),
        _results(situation.chart),
    )


def _drafts(situation: Situation) -> Words:
    return tuple(sorted({_order(order) for order in (*situation.drafts, *situation.stops)}))


def _case(verdict: Verdict, case: FiredCase) -> tuple[Words, ...]:
    named = _named(case.sheet.situation.chart)
    facts = ((name, _answer(name, case.sheet.answer(name), named)) for name in sorted(verdict.rule.condition_facts))
    drug = case.drug.ingredient if case.drug else ""
    return (drug, case.indicator.value, _order(case.order) if case.order else (), tuple(facts))


def _answer(name: str, answer: Answer, named: Mapping[str, Words]) -> Words:
    """The value and what it rests on; of a fact that is not known, what was missing."""
    if isinstance(answer, Unknown):
        return ("unknown", *sorted(answer.missing))
    value = "" if FACTS[name].unit in TIME_UNITS else str(answer.value)
    return (value, _sorted(named.get(source, source) for source in answer.sources))


def _named(chart: Chart) -> Mapping[str, Words]:
    """Orders by their references: clients number a draft anew at each call, so it is known by what it orders."""
    drafted = {order.source: (order.text, *sorted(order.kinds)) for order in chart.service_orders if order.draft}
    return {order.source: _order(order) for order in chart.orders} | drafted


def _order(order: MedicationOrder) -> tuple[Words, ...]:
    """Another product, route, dose, duration or day is another order; another number on it is not.

    The name of the product is part of it: "1 tablet" of 250 mg is not 1 tablet of 5 mg.
    """
    return (
        order.status if order.status in ENDED else "",
        tuple(sorted(drug.ingredient for drug in order.drugs)),
        order.name,
        order.route.value,
        _words(order.daily_dose_mg),
        _words(order.dosage or order.dose_text),
        _words(order.planned_days),
        _moment(order.planned_first_dose),
        tuple(sorted(order.reasons)),
        _words(order.reason_text),
    )


def _results(chart: Chart) -> Words:
    """All results, whatever the rule looks at: any new one, or a corrected one, is shown with all its cards again."""
    measured = (_measured(m) for m in chart.measurements if m.analyte not in VITAL_SIGNS)
    return _sorted((*measured, *(_found(finding) for finding in chart.findings)))


def _measured(result: Measurement) -> Words:
    return (result.analyte, result.raw, _words(result.low_limit), _moment(result.taken), _words(result.final))


def _found(finding: Finding) -> Words:
    return (finding.analyte, *finding.texts, *sorted(finding.kinds), _moment(finding.taken), _words(finding.final))


def _sorted(things: Iterable[Words]) -> Words:
    """In one order, each once: the same result under two references is one result."""
    return tuple(sorted(set(things), key=repr))


def _moment(moment: Moment | None) -> str:
    return f"{moment.earliest.isoformat()}/{moment.latest.isoformat()}" if moment else ""


def _words(value: object) -> str:
    return "" if value is None else str(value)
