"""A rule of the card library, read and compiled: what fires it, how urgent it is, what it says and offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cds_service.clinical.cards import Coding, Indicator, Link
from cds_service.clinical.conditions import Condition
from cds_service.clinical.quiet_policy import QuietPolicy
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.clinical.templates import Template


class ForEach(StrEnum):
    """What a for-each rule runs over.

    Active drugs on opening a chart and new drafts on ordering; drugs on hold; or orders of the call that stop a drug.
    """

    DRUG = "drug"
    HELD_DRUG = "held-drug"
    STOPPED_DRUG = "stopped-drug"


class Place(StrEnum):
    """How a fired rule is shown (clinical specification, presentation 1-3)."""

    OWN = "own"
    ACTION = "action"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of a rule, with its unit, where it comes from, and whether it is one of the shared numbers."""

    name: str
    value: Decimal
    unit: str
    source: str
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """`when` must be known to be true; `unless` stops it only where known to be true. Both may be absent."""

    when: Condition | None = None
    unless: Condition | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(c for c in (self.when, self.unless) if c is not None)


@dataclass(frozen=True, slots=True)
class Suppressor:
    """A rule that silences another when it fires; where it has a guard, only if that holds for what it fired for."""

    rule: str
    guard: Guard = Guard()

    @property
    def condition(self) -> str:
        """When it silences, as written in the rule file; empty where it always does."""
        parts = (("when", self.guard.when), ("unless", self.guard.unless))
        return " ".join(f"{word} {condition.text}" for word, condition in parts if condition is not None)


@dataclass(frozen=True, slots=True)
class Level:
    """How urgent a fired rule is where the guard holds; the first level that holds is taken."""

    indicator: Indicator
    guard: Guard


@dataclass(frozen=True, slots=True)
class Text:
    """One variant of a text; the first whose guard holds and whose facts are known is taken."""

    template: Template
    guard: Guard


@dataclass(frozen=True, slots=True)
class Due:
    """In how many days a suggested order is due, where the guard holds."""

    days: int
    guard: Guard


@dataclass(frozen=True, slots=True)
class SuggestionRule:
    """A suggestion that a rule offers where the guard holds; `about_order`: one for each drug it fired for.

    `rests_on`: the facts whose sources the written order names; empty: all of the rule's conditions. `reason`: what the
    written order gives as its reason; None: the summary.
    """

    kind: SuggestionKind
    label: Template
    guard: Guard
    due: tuple[Due, ...] = ()
    about_order: bool = False
    rests_on: tuple[str, ...] = ()
    reason: Template | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A citation: id, text, link and how far it was verified."""

    id: str
    citation: str
    verified: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a rule's history."""

    version: str
    date: str
    text: str


@dataclass(frozen=True)
class Rule:
    """A clinical rule. `content_hash` is over the file's clinical content; it must move with `version`."""

    id: str
    version: str
    status: str
    title: str
    area: str
    statements: tuple[str, ...]
    hooks: frozenset[str]
    logic: str
    guard: Guard
    levels: tuple[Level, ...]
    summary: tuple[Text, ...]
    detail: tuple[Text, ...]
    line: tuple[Text, ...]
    places: Mapping[Indicator, Place]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    for_each: ForEach | None = None
    scope: bool = False
    inputs: tuple[str, ...] = ()
    suppressors: tuple[Suppressor, ...] = ()
    suggestions: tuple[SuggestionRule, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    sources: tuple[Reference, ...] = ()
    links: tuple[Link, ...] = ()
    changes: tuple[Change, ...] = ()
    path: str = ""
    content_hash: str = ""

    @property
    def limit_values(self) -> dict[str, Decimal]:
        return {name: limit.value for name, limit in self.limits.items()}

    @property
    def topic_code(self) -> str:
        """The id in lowerCamelCase, since some clients take alphanumerics only (CONTRACT section 3)."""
        first, *rest = self.id.split("-")
        return first + "".join(part.capitalize() for part in rest)

    @property
    def suppressed_by(self) -> tuple[str, ...]:
        """The ids of the rules that can silence it."""
        return tuple(suppressor.rule for suppressor in self.suppressors)

    @property
    def condition_facts(self) -> frozenset[str]:
        guards = [self.guard, *(level.guard for level in self.levels)]
        return frozenset().union(*(c.facts for guard in guards for c in guard.conditions))


@dataclass(frozen=True)
class Presentation:
    """How verdicts become cards: order of rules within a level, how many action cards stand alone, the fixed texts.

    `joins`: a rule that is a line of another rule's card where both fired. `inputs`: the facts in the table of a card
    whose rules list none. `quiet`: when a card that was answered is not shown again; None: it always is.
    """

    order: tuple[str, ...]
    own_action_cards: int
    summary_title: str
    order_notes_title: str
    also_title: str
    footer: str
    source_label: str
    inputs: tuple[str, ...] = ()
    source_url: str | None = None
    joins: Mapping[str, str] = field(default_factory=dict)
    quiet: QuietPolicy | None = None


@dataclass(frozen=True)
class RuleLibrary:
    """All active rules in the order they are evaluated (suppressors first), and how they are presented."""

    knowledge_version: str
    rules: tuple[Rule, ...]
    presentation: Presentation
    numbers: SharedNumbers

    def for_hook(self, hook: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if hook in rule.hooks)

    def rule(self, rule_id: str) -> Rule:
        """Raises: KeyError."""
        return next(rule for rule in self.rules if rule.id == rule_id)
