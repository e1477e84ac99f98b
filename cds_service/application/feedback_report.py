"""The feedback report: per rule how often its cards were shown, accepted, overridden and left unanswered.

A card that speaks for several rules counts for each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.application.ports import CardStore

ACCEPTED = "accepted"
OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class CardCount:
    """So many cards of a rule had this outcome and override reason; outcome None: nobody answered."""

    rule: str
    outcome: str | None
    reason: str | None
    cards: int


@dataclass(frozen=True, slots=True)
class RuleFeedback:
    """One rule's line. An override without a reason is counted, but has no line in `override_reasons`."""

    rule: str
    shown: int
    accepted: int
    overridden: int
    override_reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def unanswered(self) -> int:
        return self.shown - self.accepted - self.overridden

    def as_json(self) -> dict[str, Any]:
        """The names of CONTRACT section 1."""
        return {
            "rule": self.rule,
            "shown": self.shown,
            "accepted": self.accepted,
            "overridden": self.overridden,
            "unanswered": self.unanswered,
            "overrideReasons": dict(self.override_reasons),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> RuleFeedback:
        """Read what `as_json` wrote."""
        return cls(row["rule"], row["shown"], row["accepted"], row["overridden"], dict(row["overrideReasons"]))


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """All rules that were ever shown, by id."""

    rules: tuple[RuleFeedback, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The document that `cds-service feedback report --format json` prints."""
        return {"rules": [rule.as_json() for rule in self.rules]}


def read_report(store: CardStore) -> FeedbackReport:
    """Raises: StoreUnavailable."""
    return FeedbackReport(tuple(RuleFeedback.from_json(row) for row in store.report()))


def summarise(counts: Iterable[CardCount]) -> FeedbackReport:
    """Add the counts up, rule by rule."""
    by_rule: dict[str, list[CardCount]] = {}
    for count in counts:
        by_rule.setdefault(count.rule, []).append(count)
    return FeedbackReport(tuple(_rule_feedback(rule, by_rule[rule]) for rule in sorted(by_rule)))


def _rule_feedback(rule: str, counts: list[CardCount]) -> RuleFeedback:
    reasons: Counter[str] = Counter()
    for count in counts:
        if count.outcome == OVERRIDDEN and count.reason is not None:
            reasons[count.reason] += count.cards
    return RuleFeedback(
        rule=rule,
        shown=sum(count.cards for count in counts),
        accepted=sum(count.cards for count in counts if count.outcome == ACCEPTED),
        overridden=sum(count.cards for count in counts if count.outcome == OVERRIDDEN),
        override_reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )
