"""Card text with placeholders: {fact}, {fact.age}, {fact.date}, {limits.x}, and {fact|words if not known}."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cds_service.clinical.draws import plain
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Answer, Known

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_.]*)(?:\|([^{}]*))?\}")
SPECIAL = frozenset({"drugs", "due", "due_date"})
"""Placeholders the engine fills itself: the drugs a for-each rule fired for, the day a suggestion is for."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder: a fact (with an optional attribute), a limit or a special one, and words for "not known"."""

    text: str
    name: str
    attribute: str | None
    fallback: str | None


class MissingFact(LookupError):
    """A placeholder without words for "not known" met a fact that is not known; lint excludes this."""


@dataclass(frozen=True)
class Template:
    """A text and its placeholders, in order."""

    text: str

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(_placeholder(match) for match in PLACEHOLDER.finditer(self.text))

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(p.name for p in self.placeholders if p.name in FACTS)

    @property
    def required_facts(self) -> frozenset[str]:
        """Facts that must be known for the text to be filled."""
        return frozenset(p.name for p in self.placeholders if p.name in FACTS and p.fallback is None)

    def fill(
        self,
        answer: Callable[[str], Answer],
        *,
        now: datetime,
        limits: Mapping[str, Decimal],
        special: Mapping[str, str] | None = None,
        escape: Callable[[str], str] = str,
    ) -> str:
        """Replace every placeholder; values go through `escape`. Raises: MissingFact."""

        def replace(match: re.Match[str]) -> str:
            p = _placeholder(match)
            if p.name in SPECIAL:
                return escape((special or {})[p.name])
            if p.name.startswith("limits."):
                return escape(plain(limits[p.name.removeprefix("limits.")]))
            return escape(_words(p, answer(p.name), now))

        return PLACEHOLDER.sub(replace, self.text)


def _placeholder(match: re.Match[str]) -> Placeholder:
    name, attribute = match[1], None
    head, _, tail = name.rpartition(".")
    if tail in ("age", "date") and head in FACTS:
        name, attribute = head, tail
    return Placeholder(match[0], name, attribute, match[2])


def _words(placeholder: Placeholder, answer: Answer, now: datetime) -> str:
    if not isinstance(answer, Known):
        if placeholder.fallback is None:
            raise MissingFact(placeholder.name)
        return placeholder.fallback
    if placeholder.attribute == "age":
        return age_words(answer, now)
    if placeholder.attribute == "date":
        return answer.at.day if answer.at else "date not known"
    return shown(answer)


def shown(known: Known) -> str:
    """A value as a person reads it; a number is never rounded."""
    if known.shown is not None:
        return known.shown
    if isinstance(known.value, bool):
        return "yes" if known.value else "no"
    if isinstance(known.value, Decimal):
        return plain(known.value)
    if isinstance(known.value, tuple):
        return ", ".join(known.value)
    return str(known.value)


def unknown_names(template: Template, limits: Mapping[str, Decimal]) -> list[str]:
    """Placeholders that name neither a fact nor a limit of the rule nor a special one."""
    return [
        p.text
        for p in template.placeholders
        if p.name not in FACTS and p.name not in SPECIAL and p.name not in {f"limits.{name}" for name in limits}
    ]
