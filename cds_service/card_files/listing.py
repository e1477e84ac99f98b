"""The card library as rows and pages for authors: what `cds-service cards list`, `show` and `explain` print."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cds_service.card_files.library import read_rules
from cds_service.card_files.sentences import sentences
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.draws import plain
from cds_service.clinical.facts import FACTS
from cds_service.clinical.rules import Guard, Rule, Text
from cds_service.errors import CardFileError, CardLibraryError

Row = dict[str, Any]


def _rules(cards_dir: Path) -> list[Rule]:
    """Raises: CardLibraryError."""
    rules, faults = read_rules(cards_dir)
    if faults:
        raise CardLibraryError(faults)
    return sorted(rules, key=lambda rule: (rule.area, rule.id))


def rule_rows(cards_dir: Path) -> list[Row]:
    """One row a rule."""
    return [
        {
            "id": rule.id,
            "version": rule.version,
            "status": rule.status,
            "area": rule.area,
            "hooks": sorted(rule.hooks),
            "levels": list(dict.fromkeys(level.indicator.value for level in rule.levels)),
            "title": rule.title,
        }
        for rule in _rules(cards_dir)
    ]


def rule_page(cards_dir: Path, rule_id: str) -> Row:
    """Everything of one rule that a reader wants. Raises: CardFileError for an unknown id."""
    found = next((rule for rule in _rules(cards_dir) if rule.id == rule_id), None)
    if found is None:
        raise CardFileError(f"there is no rule {rule_id!r}; `cds-service cards list` shows all")
    return {
        "id": found.id,
        "version": found.version,
        "status": found.status,
        "title": found.title,
        "file": Path(found.path).name,
        "hooks": sorted(found.hooks),
        "statements": list(found.statements),
        "logic": found.logic,
        "for_each": found.for_each.value if found.for_each else None,
        **_guard(found.guard),
        "sentences": _sentences(found),
        "suppressed_by": [f"{s.rule} {s.condition}".strip() for s in found.suppressors],
        "limits": [
            {"name": limit.name, "value": plain(limit.value), "unit": limit.unit, "source": limit.source}
            for limit in found.limits.values()
        ],
        "levels": [{"indicator": level.indicator.value, **_guard(level.guard)} for level in found.levels],
        "summary": _texts(found.summary),
        "suggestions": [s.kind.value for s in found.suggestions],
        "override_reasons": [reason.code for reason in found.override_reasons],
        "sources": [
            {"id": ref.id, "citation": ref.citation, "verified": ref.verified, "url": ref.url} for ref in found.sources
        ],
        "changes": [{"version": c.version, "date": c.date, "text": c.text} for c in found.changes],
        "cases": case_names(Path(found.path)),
    }


def _sentences(rule: Rule) -> list[Row]:
    """What fires the rule, what stops it, and how urgent it then is, in words."""
    parts = [("Fires where", rule.guard.when), ("Silent where this is known to be so", rule.guard.unless)]
    for level in rule.levels:
        name = level.indicator.value.capitalize()
        parts += [(f"{name} where", level.guard.when), (f"{name} unless", level.guard.unless)]
        parts += [] if level.guard.conditions else [(f"{name} otherwise", None)]
    told = [(title, condition) for title, condition in parts if condition is not None or title.endswith("otherwise")]
    return [
        {"title": title, "lines": sentences(condition.text, rule.limits) if condition else []}
        for title, condition in told
    ]


def _guard(guard: Guard) -> Row:
    return {
        name: condition.text
        for name, condition in (("when", guard.when), ("unless", guard.unless))
        if condition is not None
    }


def _texts(variants: tuple[Text, ...]) -> list[Row]:
    return [{"text": variant.template.text, **_guard(variant.guard)} for variant in variants]


def case_names(rule_path: Path) -> list[str]:
    """The names of a rule's cases; none where it has no case file."""
    path = rule_path.with_name(f"{rule_path.stem}.cases.yaml")
    if not path.exists():
        return []
    content: Mapping[str, Any] = read_yaml(path)
    return [case["name"] for case in content["cases"]]


def fact_rows(name: str | None = None) -> list[Row]:
    """The vocabulary, or one fact of it; empty where there is no such fact."""
    specs = FACTS.values() if name is None else [FACTS[name]] if name in FACTS else []
    return [
        {
            "name": spec.name,
            "kind": spec.kind.value,
            "unit": spec.unit,
            "meaning": spec.meaning,
            "missing": spec.missing,
            "source": spec.source,
        }
        for spec in specs
    ]
