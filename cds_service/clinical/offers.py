"""What one card offers: a button for each order, and a line for what is ordered, left out or to be done by hand.

A suggestion never holds more than one action: clients that take only one would drop the rest without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cds_service.clinical.allergies import AllergyCheck
from cds_service.clinical.cards import Action, Link, Suggestion
from cds_service.clinical.chart import Route
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.markdown import escape, one_line, shorten
from cds_service.clinical.open_orders import due_words, plan_of
from cds_service.clinical.requested_tests import RequestedTest, asks_for_tests
from cds_service.clinical.site_orders import OrderOption, SiteOrders
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import (
    CHANGES_AN_ORDER,
    NEEDS_SITE_ORDER,
    OrderItem,
    SuggestedStep,
    SuggestionKind,
)
from cds_service.clinical.wording import LONGEST_LABEL

ALLERGIES_SHOWN = 6
EXCLUSIVE = frozenset(
    {
        SuggestionKind.HOLD_MEDICATION,
        SuggestionKind.REMOVE_DRAFT,
        SuggestionKind.REDUCE_DOSE,
        SuggestionKind.STOP_MEDICATION,
    }
)


@dataclass(frozen=True, slots=True)
class Offer:
    """The buttons of a card, its links, and what is said beside them, as Markdown."""

    suggestions: tuple[Suggestion, ...] = ()
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def text(self) -> str:
        lines = dict.fromkeys(self.lines)
        return "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else "".join(lines)

    @property
    def selection_behavior(self) -> str:
        """`at-most-one` only where every suggestion excludes the others: hold, remove or reduce one order."""
        changed = {
            a.resource_id or (a.resource or {}).get("id")
            for s in self.suggestions
            for a in s.actions
            if a.type != "create"
        }
        exclusive = len(self.suggestions) > 1 and all(s.kind in EXCLUSIVE for s in self.suggestions)
        return "at-most-one" if exclusive and len(changed) <= 1 else "any"


@dataclass(frozen=True, slots=True)
class OfferMaker:
    """Makes the offer of one card. `actions_for` writes one order; `new_id` mints a UUID."""

    situation: Situation
    orders: SiteOrders
    actions_for: Callable[[SuggestedStep], tuple[Action, ...]]
    new_id: Callable[[], str]

    def offer(self, steps: Iterable[SuggestedStep]) -> Offer:
        """Everything that the rules of a card suggest, each once."""
        each = [self._of_step(step) for step in each_once(steps)]
        return Offer(
            tuple(suggestion for one in each for suggestion in one.suggestions),
            tuple(line for one in each for line in one.lines),
            tuple(link for one in each for link in one.links),
        )

    def _of_step(self, step: SuggestedStep) -> Offer:
        if step.kind in NEEDS_SITE_ORDER:
            return self._of_options(step)
        if asks_for_tests(step.kind):
            return self._of_tests(step)
        codings = self.orders.codes.get(step.kind, ())
        part = replace(step, item=OrderItem(step.label, codings=codings)) if codings else step
        return self._made(step, [part])

    def _of_tests(self, step: SuggestedStep) -> Offer:
        plan = plan_of(step, self.situation)
        covered = "; ".join(f"{test.words} ({due_words(order)})" for test, order in plan.ordered)
        lines = [f"**Already ordered:** {escape(covered)}."] if covered else []
        several = len(plan.to_order) + len(plan.ordered) > 1
        parts = [self._part(step, test, several) for test in plan.to_order]
        return self._made(step, parts, lines) if parts else Offer(lines=tuple(lines))

    def _part(self, step: SuggestedStep, test: RequestedTest, several: bool) -> SuggestedStep:
        label = f"{shorten(step.label, LONGEST_LABEL - len(test.part) - 2)}: {test.part}" if several else step.label
        return replace(step, label=label, description=label, item=self.orders.item_for(step.kind, test))

    def _of_options(self, step: SuggestedStep) -> Offer:
        """The site's ready-made orders that go with the allergies and are not ordered yet."""
        options, check = (
            self.orders.options.get(step.kind, ()),
            AllergyCheck(self.situation.chart, self.orders.drug_classes),
        )
        if options and not check.known:
            words = "no drug is offered as an order; ask before ordering by hand"
            return self._made(step, [], [f"**Allergies not known:** {words}."])
        lines, parts = [], []
        for option in options:
            if (allergy := check.against(option.drugs, option.item.words)) is not None:
                lines.append(f"**Left out:** {_plain(option.label)} (allergy on file: {_plain(allergy.text)}).")
            elif self._is_running(option):
                lines.append(f"**Already ordered:** {_plain(option.item.words)}.")
            else:
                parts.append(replace(step, label=option.label, description=option.label, item=option.item))
        return self._made(step, parts, [*lines, *(_on_file(check) if parts else [])])

    def _is_running(self, option: OrderOption) -> bool:
        """True where an active or drafted order is of one of its drugs; a local one is another matter."""
        drafted = (o for o in self.situation.chart.orders if o.draft and o.status not in ENDED)
        orders = [o for o in (*self.situation.exposure.active, *drafted) if o.route is not Route.LOCAL]
        return any(set(option.drugs) & set(order.drugs) for order in orders)

    def _made(self, step: SuggestedStep, parts: Sequence[SuggestedStep], lines: Sequence[str] = ()) -> Offer:
        """Buttons for the parts that can be written; for the rest the site's link, or that it is done by hand."""
        link = self.orders.links.get(step.kind)
        if self.orders.only_linked(step.kind):
            parts = []
        written = [(part, self.actions_for(part)) for part in parts]
        buttons = tuple(Suggestion(self.new_id(), p.kind.value, p.label, actions) for p, actions in written if actions)
        undone = [part.label for part, actions in written if not actions] or ([] if parts else [step.label])
        said = list(lines)
        if link is None and undone:
            said.append(f"**By hand** ({self._reason(step)}): {_plain('; '.join(undone))}.")
        elif link is not None and not buttons:
            said.append(f"**{_plain(step.label)}:** follow the link “{_plain(link.label)}”.")
        return Offer(buttons, tuple(said), (link,) if link else ())

    def _reason(self, step: SuggestedStep) -> str:
        if step.kind in CHANGES_AN_ORDER:
            return "this order cannot be changed from here"
        if step.kind in NEEDS_SITE_ORDER:
            ours = step.kind in self.orders.options
            return "none of the orders set up here is offered" if ours else "no one-click order is set up here"
        return "no order could be prepared"


def each_once(steps: Iterable[SuggestedStep]) -> list[SuggestedStep]:
    """One step of a kind for an order; of several the urgent one, then the soonest."""
    found: dict[tuple[str, str | None], SuggestedStep] = {}
    for step in steps:
        key = (step.kind, step.order)
        if key not in found or _haste(step) < _haste(found[key]):
            found[key] = step
    return list(found.values())


def _haste(step: SuggestedStep) -> tuple[bool, int]:
    return (not step.urgent, step.due_in_days or 0)


def _on_file(check: AllergyCheck) -> list[str]:
    """What was looked at, so that a clinician sees an allergy that the tables do not know."""
    names = list(dict.fromkeys(_plain(allergy.text) for allergy in check.on_file))
    more = [f"{len(names) - ALLERGIES_SHOWN} more"] if len(names) > ALLERGIES_SHOWN else []
    return [f"**Allergies on file:** {'; '.join([*names[:ALLERGIES_SHOWN], *more]) or 'none'}."]


def _plain(text: str) -> str:
    return escape(shorten(one_line(text)))
