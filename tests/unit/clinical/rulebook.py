"""Builds small rules for tests of verdicts, wording and presentation: a condition, levels, a word or two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.clinical.cards import Coding, Indicator, Link
from cds_service.clinical.conditions import ConditionCompiler
from cds_service.clinical.rules import (
    Due,
    ForEach,
    Guard,
    Level,
    Limit,
    Place,
    Presentation,
    Reference,
    Rule,
    RuleLibrary,
    SuggestionRule,
    Suppressor,
    Text,
)
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.clinical.templates import Template
from tests.unit.clinical.charts import NUMBERS, Decimal

ALWAYS = Guard()
CHART_HOOKS = frozenset({"patient-view"})


def guard(when: str | None = None, unless: str | None = None, *, for_drug: bool = True, scope: bool = False) -> Guard:
    compiler = ConditionCompiler({"low": Decimal("1.0")}, for_drug=for_drug, sees_levels=scope)
    return Guard(*(None if text is None else compiler.compile(text) for text in (when, unless)))


def texts(*variants: str | tuple[str, str]) -> tuple[Text, ...]:
    pairs = [(v, None) if isinstance(v, str) else v for v in variants]
    return tuple(Text(Template(text), guard(when)) for text, when in pairs)


def suggestion(
    kind: SuggestionKind,
    label: str = "Do it",
    *,
    due: tuple[Due, ...] = (),
    each: bool = False,
    when: str | None = None,
) -> SuggestionRule:
    return SuggestionRule(kind, Template(label), guard(when), due, each)


def rule(
    rule_id: str,
    when: str | None = None,
    *,
    unless: str | None = None,
    levels: Mapping[str, str | None] | None = None,
    place: str = "own",
    scope: bool = False,
    each: ForEach | None = None,
    suppressed_by: Iterable[str | Suppressor] = (),
    **more: Any,
) -> Rule:
    given: dict[str, Any] = {
        "version": "1.0.0",
        "status": "active",
        "title": f"Title of {rule_id}",
        "area": "area",
        "statements": ("S1",),
        "hooks": CHART_HOOKS,
        "logic": "Fires.",
        "summary": texts(f"Summary of {rule_id}"),
        "detail": texts(f"Detail of {rule_id}"),
        "line": texts(f"Line of {rule_id}"),
        "limits": {"low": Limit("low", Decimal("1.0"), "10*9/L", "F1")},
        "override_reasons": (Coding("urn:r", "will-monitor", "Will monitor"),),
        "sources": (Reference("F1", "A source", "VER"),),
        "links": (Link("Guideline", "https://example.org/g"),),
    }
    steps = levels or {"warning": None}
    return Rule(
        id=rule_id,
        guard=guard(when, unless, scope=scope),
        levels=tuple(Level(Indicator(word), guard(text, scope=scope)) for word, text in steps.items()),
        places={indicator: Place(place) for indicator in Indicator},
        for_each=each,
        scope=scope,
        suppressors=tuple(Suppressor(s) if isinstance(s, str) else s for s in suppressed_by),
        **{**given, **more},
    )


def library(
    *rules: Rule, order: tuple[str, ...] = (), joins: Mapping[str, str] | None = None, budget: int = 3
) -> RuleLibrary:
    presentation = Presentation(
        order=order,
        own_action_cards=budget,
        summary_title="Neutropenia summary",
        order_notes_title="Notes on this order",
        also_title="Also",
        footer="For clinicians.",
        source_label="leukopenia-cds",
        joins=joins or {},
    )
    return RuleLibrary("2026.11.0", rules, presentation, NUMBERS)
