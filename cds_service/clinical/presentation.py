"""Verdicts become cards: which stand alone, which are merged, in what order, and what is said of the unknown.

Source: clinical specification, presentation 1-4 and 9. "Fired" is the rule's own verdict; this decides only how it is
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from cds_service.clinical.cards import Action, Card, Coding, Indicator, Link, RuleVersion, Suggestion
from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.facts.labels import LABELS
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.knowledge import DEFECT, Known
from cds_service.clinical.markdown import escape, one_line, shorten
from cds_service.clinical.rules import ForEach, Place, RuleLibrary
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestedStep, SuggestionKind
from cds_service.clinical.templates import shown
from cds_service.clinical.verdicts import Outcome, Verdict, all_missing_keys, because, missing_facts
from cds_service.clinical.wording import detail_of, lines_of, offered, step_of, summary_of

TOPIC_SYSTEM = "urn:leukopenia-cds:topic"
UNCHECKED_TOPIC = Coding(TOPIC_SYSTEM, "couldNotEvaluate", "Could not be evaluated")
EXCLUSIVE = frozenset(
    {
        SuggestionKind.HOLD_MEDICATION,
        SuggestionKind.REMOVE_DRAFT,
        SuggestionKind.REDUCE_DOSE,
        SuggestionKind.STOP_MEDICATION,
    }
)

UNNAMED_DRAFT = "draftOrders"
KEY_WORDS = {
    "patient": "age and sex",
    "cellCounts": "blood counts",
    "labResults": "other laboratory results",
    "vitalSigns": "vital signs (fever)",
    "conditions": "problems",
    "medicationRequests": "drug list",
    "medicationAdministrations": "doses given",
    "procedures": "procedures",
    "serviceRequests": "open orders",
    "allergies": "allergies",
    "encounter": "encounter",
    "draftOrders": "drug of a draft order",
    DEFECT: "one of its own computations",
}


@dataclass(frozen=True)
class Presenter:
    """Builds the cards of one answer. `actions_for` turns a step into FHIR actions; `new_id` mints a UUID."""

    library: RuleLibrary
    situation: Situation
    actions_for: Callable[[SuggestedStep], tuple[Action, ...]]
    new_id: Callable[[], str]
    link_for: Callable[[str], Link | None] = field(default=lambda _: None)

    def present(self, verdicts: Sequence[Verdict]) -> list[Card]:
        """Cards in reading order; nothing that fired goes unmentioned."""
        every = sorted((v for v in verdicts if v.fired), key=self._rank)
        fired = [v for v in every if not self._host(v, every)]
        action = [v for v in fired if self._place(v) is Place.ACTION]
        summary = [v for v in fired if self._place(v) is Place.SUMMARY]
        rest = action[self._budget :]
        merged = {v.rule.id for v in [*rest, *summary]}
        alone = [v for v in fired if v.rule.id not in merged]
        cards = [self._card([v, *self._guests(v, every)], verdicts) for v in alone]
        cards += self._merged(rest, self.library.presentation.also_title, verdicts)
        cards += self._merged(summary, self._summary_title, verdicts)
        cards += self._unchecked(verdicts)
        return sorted(cards, key=lambda card: -card.indicator.rank)

    def _host(self, verdict: Verdict, fired: Sequence[Verdict]) -> str | None:
        """The fired rule whose card takes this one in as a line (presentation 2); never another critical one."""
        host = self.library.presentation.joins.get(verdict.rule.id)
        taken_in = _level(verdict) is not Indicator.CRITICAL and any(v.rule.id == host for v in fired)
        return host if taken_in else None

    def _guests(self, host: Verdict, fired: Sequence[Verdict]) -> list[Verdict]:
        return [v for v in fired if self._host(v, fired) == host.rule.id]

    @property
    def _budget(self) -> int:
        return self.library.presentation.own_action_cards

    @property
    def _summary_title(self) -> str:
        p = self.library.presentation
        return p.summary_title if self.situation.on_chart else p.order_notes_title

    def _rank(self, verdict: Verdict) -> tuple[int, int, str]:
        order = self.library.presentation.order
        place = order.index(verdict.rule.id) if verdict.rule.id in order else len(order)
        return (-_level(verdict).rank, place, verdict.rule.id)

    def _place(self, verdict: Verdict) -> Place:
        """A critical verdict has a card of its own, information never has, whatever the rule file says."""
        fixed = {Indicator.CRITICAL: Place.OWN, Indicator.INFO: Place.SUMMARY}
        return fixed.get(_level(verdict)) or verdict.rule.places.get(Indicator.WARNING, Place.SUMMARY)

    def _merged(self, verdicts: Sequence[Verdict], title: str, everything: Sequence[Verdict]) -> list[Card]:
        return [self._card(verdicts, everything, title)] if verdicts else []

    def _card(self, verdicts: Sequence[Verdict], everything: Sequence[Verdict], title: str = "") -> Card:
        first = verdicts[0]
        suggestions, spoken = self._suggestions(verdicts)
        detail = _all_lines(verdicts) if title and len(verdicts) > 1 else detail_of(first)
        if not title and len(verdicts) > 1:
            detail += "\n\n" + _all_lines(verdicts[1:])
        if first.rule.scope:
            detail += _silenced_lines(everything, first.rule.id)
        parts = [detail, *spoken, *self._basis(verdicts), self._footer(verdicts)]
        return Card(
            uuid=self.new_id(),
            summary=_joined_summary(title, verdicts) if title and len(verdicts) > 1 else summary_of(first),
            indicator=_level(first),
            detail="\n\n".join(part for part in parts if part),
            source_label=self.library.presentation.source_label,
            source_url=self.library.presentation.source_url,
            topic=Coding(TOPIC_SYSTEM, first.rule.topic_code, first.rule.title),
            rules=tuple(RuleVersion(v.rule.id, v.rule.version) for v in verdicts),
            suggestions=suggestions,
            selection_behavior=_selection(suggestions),
            override_reasons=tuple(dict.fromkeys(reason for v in verdicts for reason in v.rule.override_reasons)),
            links=self._links(verdicts),
        )

    def _links(self, verdicts: Sequence[Verdict]) -> tuple[Link, ...]:
        ours = [link for v in verdicts[:1] if (link := self.link_for(v.rule.id))]
        return tuple(dict.fromkeys([*ours, *(link for v in verdicts for link in v.rule.links)]))

    def _suggestions(self, verdicts: Sequence[Verdict]) -> tuple[tuple[Suggestion, ...], list[str]]:
        """One-click suggestions, and a line for those the site has configured no order for."""
        steps: dict[tuple[str, str | None], SuggestedStep] = {}
        for step in (s for v in verdicts for s in self._steps(v)):
            steps.setdefault((step.kind, step.order), step)
        chosen, spoken = [], []
        for step in steps.values():
            actions = self.actions_for(step)
            if actions:
                chosen.append(Suggestion(self.new_id(), step.kind.value, step.label, actions))
            else:
                spoken.append(step.label)
        words = [f"Also an option, not offered as an order here: {escape('; '.join(spoken))}."] if spoken else []
        return tuple(chosen), words

    def _steps(self, verdict: Verdict) -> list[SuggestedStep]:
        return [step_of(verdict, suggestion, case) for suggestion, case in offered(verdict, self.situation)]

    def _basis(self, verdicts: Sequence[Verdict]) -> list[str]:
        """What it rests on, with unit and date, and what was not known (invariant 2)."""
        seen = dict.fromkeys(
            words for v in verdicts for name, known in because(v).items() if (words := _seen(name, known))
        )
        unknown = dict.fromkeys(LABELS[name] for v in verdicts for name in missing_facts(v) if name in LABELS)
        lines = [f"Based on: {'; '.join(seen)}."] if seen else []
        if unknown:
            lines.append(f"Not known: {'; '.join(unknown)}.")
        if self.situation.diseases.age_years is None:
            lines.append("Age not known: read as an adult.")
        return lines

    def _footer(self, verdicts: Sequence[Verdict]) -> str:
        rules = ", ".join(f"{v.rule.id} {v.rule.version}" for v in verdicts)
        cited = dict.fromkeys(ref for v in verdicts for ref in v.rule.sources)
        sources = "; ".join(f"{escape(ref.citation)} ({escape(ref.verified)})" for ref in list(cited)[:4])
        knowledge = f"knowledge {self.library.knowledge_version}, under review"
        return f"Rule: {rules} ({knowledge}). Sources: {sources}.\n\n{self.library.presentation.footer}"

    def _unchecked(self, verdicts: Sequence[Verdict]) -> list[Card]:
        """One card that says what could not be checked for want of data (invariant 1)."""
        keys = self._missing_keys(verdicts)
        if not keys:
            return []
        unknown = [v.rule for v in verdicts if v.outcome is Outcome.UNKNOWN and v.missing_keys]
        rules = unknown or [v.rule for v in verdicts if v.fired or v.rule.for_each is ForEach.DRUG]
        missing = ", ".join(KEY_WORDS.get(key, key) for key in keys)
        return [
            Card(
                uuid=self.new_id(),
                summary=shorten(f"Neutropenia checks incomplete: {missing} not available"),
                indicator=Indicator.INFO,
                detail=self._unchecked_detail(keys, [rule.title for rule in unknown]),
                source_label=self.library.presentation.source_label,
                source_url=self.library.presentation.source_url,
                topic=UNCHECKED_TOPIC,
                rules=tuple(RuleVersion(rule.id, rule.version) for rule in rules),
            )
        ]

    def _missing_keys(self, verdicts: Sequence[Verdict]) -> list[str]:
        """Data that left a rule unknown; counts where a card fired on those on hand; drafts without a readable drug."""
        keys = set(all_missing_keys(verdicts))
        if self.situation.chart.lacks(PrefetchKey.CELL_COUNTS) and any(v.fired for v in verdicts):
            keys.add(PrefetchKey.CELL_COUNTS)
        if not self.situation.on_chart and self.situation.chart.unnamed_drafts:
            keys.add(UNNAMED_DRAFT)
        return sorted(map(str, keys))

    def _unchecked_detail(self, keys: Sequence[str], titles: Sequence[str]) -> str:
        reasons = {
            DEFECT: "a fault of this service; please report it",
            UNNAMED_DRAFT: "the order names no drug that could be read; compare it with the label",
            **self.situation.chart.unavailable,
        }
        parts = [
            "Not available:",
            "\n".join(f"- {KEY_WORDS.get(k, k)}: {escape(reasons.get(k, 'not sent'))}" for k in keys),
        ]
        if titles:
            parts += ["Not evaluated for that reason:", "\n".join(f"- {title}" for title in titles)]
        parts += ["This is no all-clear: look at the chart.", self.library.presentation.footer]
        return "\n\n".join(parts)


def _level(verdict: Verdict) -> Indicator:
    return verdict.indicator or Indicator.INFO


def _selection(suggestions: Sequence[Suggestion]) -> str:
    """`at-most-one` only where every suggestion excludes the others: hold, remove or reduce one order."""
    changed = {
        a.resource_id or (a.resource or {}).get("id") for s in suggestions for a in s.actions if a.type != "create"
    }
    exclusive = len(suggestions) > 1 and all(s.kind in EXCLUSIVE for s in suggestions)
    return "at-most-one" if exclusive and len(changed) <= 1 else "any"


def _all_lines(verdicts: Iterable[Verdict]) -> str:
    return "\n".join(f"- {line}" for v in verdicts for line in lines_of(v))


def _silenced_lines(verdicts: Iterable[Verdict], by: str) -> str:
    """What the silenced rules would have said, as lines of the scope rule's card."""
    silenced = [v for v in verdicts if v.suppressed_by == by and v.cases]
    return "\n\nFor an adult this would read:\n\n" + _all_lines(silenced) if silenced else ""


def _joined_summary(title: str, verdicts: Sequence[Verdict]) -> str:
    """The first finding in full, then how many more there are."""
    more = f" (+{len(verdicts) - 1} more)"
    return shorten(f"{title}: {summary_of(verdicts[0])}", 139 - len(more)) + more


def _seen(name: str, known: Known) -> str | None:
    """A number or text with its unit and date, or a claim that is true; a false claim is no finding."""
    if name not in LABELS or known.value is False or not known.sources:
        return None
    unit = FACTS[name].unit
    value = "" if known.value is True else f" {escape(one_line(shown(known)))}" + (f" {escape(unit)}" if unit else "")
    date = f" ({known.at.day})" if known.at and not isinstance(known.value, bool) else ""
    return f"{LABELS[name]}{value}{date}"
