"""One rule file becomes one compiled Rule; every fault of the file is found before any is reported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from cds_service.card_files.yaml_files import line_of, read_yaml
from cds_service.clinical.cards import Coding, Indicator, Link
from cds_service.clinical.conditions import Condition, ConditionCompiler, ConditionError
from cds_service.clinical.facts import FACTS
from cds_service.clinical.facts.labels import LABELS
from cds_service.clinical.rules import (
    Change,
    Due,
    ForEach,
    Guard,
    Level,
    Limit,
    Place,
    Reference,
    Rule,
    SuggestionRule,
    Suppressor,
    Text,
)
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.clinical.templates import Template, unknown_names
from cds_service.errors import CardFileError

OVERRIDE_SYSTEM = "urn:leukopenia-cds:override-reason"
UNVERSIONED = frozenset({"version", "changes", "status"})
"""Parts of a file that are not clinical content: they do not enter the hash of the version lock."""


@cache
def _validator(schema_path: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_path.read_text("utf-8")))


class RuleFile:
    """Reads one rule file. `faults` collects what is wrong; `rule` is None where anything is."""

    def __init__(
        self,
        path: Path,
        *,
        schema: Path,
        shared: Mapping[str, Limit],
        reasons: Mapping[str, str],
        references: Mapping[str, Reference],
    ) -> None:
        self.path = path
        self.faults: list[CardFileError] = []
        self._shared, self._reasons, self._references = shared, reasons, references
        self.rule = self._read(schema)

    def _fault(self, message: str, near: str = "") -> None:
        self.faults.append(CardFileError(message, path=self.path, line=line_of(self.path, near) if near else None))

    def _read(self, schema: Path) -> Rule | None:
        try:
            content = read_yaml(self.path)
        except CardFileError as fault:
            self.faults.append(fault)
            return None
        for error in sorted(_validator(schema).iter_errors(content), key=str):
            where = ".".join(str(part) for part in error.absolute_path)
            self._fault(f"{where or 'file'}: {error.message}", str(where).split(".")[-1])
        if self.faults:
            return None
        rule = self._build(content)
        return None if self.faults else rule

    def _build(self, content: Mapping[str, Any]) -> Rule:
        if content["id"] != self.path.stem:
            self._fault(f"id {content['id']!r} differs from the file name", "id:")
        self._limits = self._read_limits(content.get("limits", {}))
        values = {name: limit.value for name, limit in self._limits.items()}
        self._compiler = ConditionCompiler(
            values, for_drug="for_each" in content, sees_levels=bool(content.get("scope"))
        )
        self._drug_compiler = ConditionCompiler(values, for_drug=True)
        rule = Rule(
            id=content["id"],
            version=content["version"],
            status=content["status"],
            title=content["title"],
            area=self.path.parent.name,
            statements=tuple(content["statements"]),
            hooks=frozenset(content["hooks"]),
            logic=content["logic"].strip(),
            guard=self._guard(content),
            levels=tuple(Level(Indicator(level["indicator"]), self._guard(level)) for level in content["levels"]),
            summary=self._texts(content["summary"]),
            detail=self._texts(content["detail"]),
            line=self._texts(content["line"]),
            places=_places(content["place"]),
            limits=self._limits,
            for_each=ForEach(content["for_each"]) if "for_each" in content else None,
            scope=bool(content.get("scope")),
            inputs=tuple(name for name in content.get("inputs", ()) if self._is_labelled(name)),
            suppressors=tuple(self._suppressor(s) for s in content.get("suppressed_by", ())),
            suggestions=tuple(self._suggestion(s) for s in content.get("suggestions", ())),
            override_reasons=tuple(r for code in content["override_reasons"] if (r := self._reason(code))),
            sources=tuple(s for name in content["sources"] if (s := self._reference(name))),
            links=tuple(Link(link["label"], link["url"]) for link in content.get("links", ())),
            changes=tuple(Change(c["version"], c["date"], c["text"]) for c in content["changes"]),
            path=str(self.path),
            content_hash=_hash(content),
        )
        self._check_whole(rule)
        return rule

    def _check_whole(self, rule: Rule) -> None:
        last = rule.levels[-1].guard
        if not rule.scope and last.conditions:
            self._fault("the last level must hold always: leave out its conditions", "levels:")
        for name in sorted({name for name in rule.suppressed_by if rule.suppressed_by.count(name) > 1}):
            self._fault(f"suppressed_by names {name!r} twice", "suppressed_by:")
        if rule.changes[0].version != rule.version:
            self._fault(f"changes must begin with version {rule.version}", "changes:")

    def _read_limits(self, limits: Mapping[str, Any]) -> dict[str, Limit]:
        return {name: limit for name, given in limits.items() if (limit := self._limit(name, given))}

    def _limit(self, name: str, given: Mapping[str, Any]) -> Limit | None:
        shared = given.get("shared")
        if shared is None:
            return Limit(name, Decimal(str(given["value"])), given["unit"], given["source"])
        if shared not in self._shared:
            self._fault(f"{shared!r} is not a number of shared.yaml", shared)
            return None
        return replace(self._shared[shared], name=name)

    def _guard(self, part: Mapping[str, Any], *, about_drug: bool = False) -> Guard:
        compiler = self._drug_compiler if about_drug else self._compiler
        return Guard(self._condition(part.get("when"), compiler), self._condition(part.get("unless"), compiler))

    def _suppressor(self, given: str | Mapping[str, Any]) -> Suppressor:
        """An id, or an id with a condition on what that rule fired for, drugs included."""
        if isinstance(given, str):
            return Suppressor(given)
        return Suppressor(given["rule"], self._guard(given, about_drug=True))

    def _condition(self, text: str | None, compiler: ConditionCompiler) -> Condition | None:
        if text is None:
            return None
        try:
            return compiler.compile(" ".join(text.split()))
        except ConditionError as problem:
            column = f" (column {problem.column})" if problem.column else ""
            self._fault(f"condition {text.strip()!r}: {problem}{column}", text)
            return None

    def _template(self, text: str) -> Template:
        template = Template(text.strip())
        values = {name: limit.value for name, limit in self._limits.items()}
        for unknown in unknown_names(template, values):
            self._fault(f"unknown placeholder {unknown}", unknown)
        return template

    def _texts(self, variants: list[Mapping[str, Any]]) -> tuple[Text, ...]:
        return tuple(Text(self._template(variant["text"]), self._guard(variant)) for variant in variants)

    def _suggestion(self, given: Mapping[str, Any]) -> SuggestionRule:
        due = given.get("due_days", [])
        steps = [{"days": due}] if isinstance(due, int) else due
        try:
            kind = SuggestionKind(given["kind"])
        except ValueError:
            self._fault(f"{given['kind']!r} is not a suggestion kind", given["kind"])
            kind = SuggestionKind.REPEAT_CBC
        return SuggestionRule(
            kind=kind,
            label=self._template(given["label"]),
            guard=self._guard(given, about_drug=bool(given.get("each_drug"))),
            due=tuple(Due(step["days"], self._guard(step)) for step in steps),
            about_order=bool(given.get("each_drug")),
            rests_on=tuple(name for name in given.get("rests_on", ()) if self._is_fact(name)),
            reason=self._template(given["reason"]) if "reason" in given else None,
        )

    def _is_fact(self, name: str) -> bool:
        if name not in FACTS:
            self._fault(f"{name!r} is no fact", name)
        return name in FACTS

    def _is_labelled(self, name: str) -> bool:
        """A row of the table of inputs needs a name that a clinician reads."""
        if self._is_fact(name) and name not in LABELS:
            self._fault(f"{name!r} has no label that could stand in the table of inputs", name)
        return name in LABELS

    def _reason(self, code: str) -> Coding | None:
        if code not in self._reasons:
            self._fault(f"{code!r} is not in override_reasons.yaml", code)
            return None
        return Coding(OVERRIDE_SYSTEM, code, self._reasons[code])

    def _reference(self, name: str) -> Reference | None:
        if name not in self._references:
            self._fault(f"{name!r} is not in sources.yaml", name)
            return None
        return self._references[name]


def _places(given: str | Mapping[str, str]) -> dict[Indicator, Place]:
    if isinstance(given, str):
        return {indicator: Place(given) for indicator in Indicator}
    return {Indicator(indicator): Place(place) for indicator, place in given.items()}


def _hash(content: Mapping[str, Any]) -> str:
    clinical = {name: value for name, value in content.items() if name not in UNVERSIONED}
    return hashlib.sha256(json.dumps(clinical, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
