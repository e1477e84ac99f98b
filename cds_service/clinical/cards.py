"""The answer of a hook call in the words of CDS Hooks, before it becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cds_service.clinical.chart import DrugRecognition


class Indicator(StrEnum):
    """Urgency of a card (CDS Hooks 2.0, card attributes)."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return ("info", "warning", "critical").index(self.value)


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system and words."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a suggestion: `type` create | update (with `resource`) | delete (with `resource_id`)."""

    type: str
    description: str
    resource: Mapping[str, Any] | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a clinician can accept with one click. Never pre-selected."""

    uuid: str
    kind: str
    label: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An absolute link of a card."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """Which rule, in which version. `fingerprint`: a keyed hash of what it rests on, where an answer is remembered."""

    id: str
    version: str
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `summary` has fewer than 140 characters; `detail` is Markdown without HTML.

    `rules` are the rules that the card speaks for; the first of them names its topic.
    """

    uuid: str
    summary: str
    indicator: Indicator
    detail: str
    source_label: str
    topic: Coding
    rules: tuple[RuleVersion, ...] = ()
    source_url: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: str = "any"
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class BecauseFact:
    """A fact that a verdict rests on: value as text or number, unit, the day or instant, the resources it came from."""

    fact: str
    value: str | bool | int | float | list[str]
    unit: str | None = None
    at: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule's line of the evaluation extension (CONTRACT section 4)."""

    id: str
    version: str
    outcome: str
    suppressed_by: str | None = None
    indicator: Indicator | None = None
    suggestions: tuple[str, ...] = ()
    card: str | None = None
    because: tuple[BecauseFact, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedProblem:
    """A data problem as the evaluation shows it."""

    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every rule's verdict on one call."""

    knowledge_version: str
    evaluated_at: datetime
    rules: tuple[RuleVerdict, ...]
    data_problems: tuple[ReportedProblem, ...] = ()
    drug_matches: tuple[DrugRecognition, ...] = ()


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What one hook call is answered with."""

    cards: tuple[Card, ...]
    evaluation: Evaluation
