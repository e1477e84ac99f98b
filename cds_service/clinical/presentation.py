"""Verdicts become cards: which stand alone, which are merged, in what order, and what is said of the unknown.

Source: clinical specification, presentation 1-4 and 9. "Fired" is the rule's own verdict; this decides only how it is
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from cds_service.clinical.cards import Action, Card, Coding, Indicator, Link, RuleVersion
from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.input_table import input_table
from cds_service.clinical.knowledge import DEFECT
from cds_service.clinical.markdown import SUMMARY_MAX, escape, shorten
from cds_service.clinical.offers import Offer, OfferMaker
from cds_service.clinical.rules import ForEach, Place, RuleLibrary
from cds_service.clinical.site_orders import SiteOrders
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestedStep
from cds_service.clinical.verdicts import Outcome, Verdict, all_missing_keys
from cds_service.clinical.wording import detail_of, lines_of, proposed, step_of, summary_of

TOPIC_SYSTEM = "urn:leukopenia-cds:topic"
UNCHECKED_TOPIC = Coding(TOPIC_SYSTEM, "couldNotEvaluate", "Could not be evaluated")
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
    """Builds the cards of one answer. `actions_for` turns a step into FHIR actions; `new_id` mints a UUID.

    `orders` are the site's own.
    """

    library: RuleLibrary
    situation: Situation
    actions_for: Callable[[SuggestedStep], tuple[Action, ...]]
    new_id: Callable[[], str]
    link_for: Callable[[str], Link | None] = field(default=lambda _: None)
    orders: SiteOrders = field(default_factory=SiteOrders)

    def present(self, verdicts: Sequence[Verdict], withheld: Collection[str] = ()) -> list[Card]:
        """Cards in reading order; nothing that fired goes unmentioned, but for the rules that are `withheld`."""
        every = sorted((v for v in verdicts if v.fired and v.rule.id not in withheld), key=self._rank)
        fired = [v for v in every if not self._host(v, every)]
        action = [v for v in fired if self._place(v) is Place.ACTION]
        summary = [v for v in fired if self._place(v) is Place.SUMMARY]
        rest = action[self._budget :]
        merged = {v.rule.id for v in [*rest, *summary]}
        alone = [v for v in fired if v.rule.id not in merged]
        cards = [self._card(self._with_guests([v], every), verdicts) for v in alone]
        cards += self._merged(self._with_guests(rest, every), self.library.presentation.also_title, verdicts)
        cards += self._merged(self._with_guests(summary, every), self._summary_title, verdicts)
        return cards + self._unchecked(verdicts)

    def may_be_withheld(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """What a user who has answered it need not be shown again (presentation 6): information and action warnings.

        Never a critical verdict, a rule that warns on a card of its own, or a line of another rule's card.
        """
        fired = [v for v in verdicts if v.fired]
        minor = [v for v in fired if self._place(v) is Place.ACTION or _level(v) is Indicator.INFO]
        quiet = [v for v in minor if not v.rule.scope and v.rule.places.get(Indicator.WARNING) is not Place.OWN]
        return [v for v in quiet if not self._host(v, fired)]

    def _host(self, verdict: Verdict, fired: Sequence[Verdict]) -> str | None:
        """The fired rule whose card takes this one in as a line (presentation 2); never another critical one.

        A rule that is itself a line elsewhere takes nobody in, so that nothing is lost where joins form a chain.
        """
        joins, ids = self.library.presentation.joins, {v.rule.id for v in fired}
        host = joins.get(verdict.rule.id)
        taken_in = host in ids and joins.get(str(host)) not in ids and _level(verdict) is not Indicator.CRITICAL
        return host if taken_in else None

    def _with_guests(self, hosts: Sequence[Verdict], fired: Sequence[Verdict]) -> list[Verdict]:
        """Each of them, followed by those that its card takes in."""
        return [v for host in hosts for v in (host, *(g for g in fired if self._host(g, fired) == host.rule.id))]

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
        offer = self._offer(verdicts)
        detail = _all_lines(verdicts) if title and len(verdicts) > 1 else detail_of(first)
        if not title and len(verdicts) > 1:
            detail += "\n\n" + _all_lines(verdicts[1:])
        if first.rule.scope:
            detail += _silenced_lines(everything, first.rule.id)
        opening, guidance = _opening(detail)
        parts = [opening, self._inputs(verdicts), guidance, offer.text, self._footer(verdicts)]
        return Card(
            uuid=self.new_id(),
            summary=_joined_summary(title, verdicts) if title and len(verdicts) > 1 else summary_of(first),
            indicator=max(map(_level, verdicts), key=lambda level: level.rank),
            detail="\n\n".join(part for part in parts if part),
            source_label=self.library.presentation.source_label,
            source_url=self.library.presentation.source_url,
            topic=Coding(TOPIC_SYSTEM, first.rule.topic_code, first.rule.title),
            rules=tuple(RuleVersion(v.rule.id, v.rule.version) for v in verdicts),
            suggestions=offer.suggestions,
            selection_behavior=offer.selection_behavior,
            override_reasons=tuple(dict.fromkeys(reason for v in verdicts for reason in v.rule.override_reasons)),
            links=tuple(dict.fromkeys([*offer.links, *self._links(verdicts)])),
        )

    def _links(self, verdicts: Sequence[Verdict]) -> list[Link]:
        ours = [link for v in verdicts[:1] if (link := self.link_for(v.rule.id))]
        return [*ours, *(link for v in verdicts for link in v.rule.links)]

    def _offer(self, verdicts: Sequence[Verdict]) -> Offer:
        steps = [step_of(v, *pair) for v in verdicts for pair in proposed(v, self.situation)]
        return OfferMaker(self.situation, self.orders, self.actions_for, self.new_id).offer(steps)

    def _inputs(self, verdicts: Sequence[Verdict]) -> str:
        """What the card rests on, and what was not known (invariant 2)."""
        unaged = ["age: read as an adult"] if self.situation.diseases.age_years is None else []
        return input_table(verdicts, self.library.presentation.inputs, unaged)

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


def _all_lines(verdicts: Iterable[Verdict]) -> str:
    return "\n".join(f"- {line}" for v in verdicts for line in lines_of(v))


def _silenced_lines(verdicts: Iterable[Verdict], by: str) -> str:
    """What the silenced rules would have said, as lines of the scope rule's card."""
    silenced = [v for v in verdicts if v.suppressed_by == by and v.cases]
    return "\n\nFor an adult this would read:\n\n" + _all_lines(silenced) if silenced else ""


def _joined_summary(title: str, verdicts: Sequence[Verdict]) -> str:
    """The first finding in full, then how many more there are, in as many words as there is room for."""
    whole, others = f"{title}: {summary_of(verdicts[0])}", len(verdicts) - 1
    counted = (f" (+{others} more)", f" (+{others})")
    more = next((words for words in counted if len(whole + words) <= SUMMARY_MAX), counted[-1])
    return shorten(whole, SUMMARY_MAX - len(more)) + more


def _opening(detail: str) -> tuple[str, str]:
    """The finding, a paragraph or a list, which stands before the table, and what follows it."""
    opening, _, rest = detail.partition("\n\n")
    return opening, rest
