"""The use case behind every hook: read the chart, judge the rules, present the cards, or say what is missing."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from cds_service.application.hook_request import HookRequest, ServiceDescription
from cds_service.application.ports import AnswerLog, ChartReader, OrderWriter, ReadChart
from cds_service.application.quiet import QUIET, find_answered
from cds_service.clinical.cards import (
    Action,
    BecauseFact,
    Card,
    Evaluation,
    HookAnswer,
    Link,
    ReportedProblem,
    RuleVerdict,
)
from cds_service.clinical.chart import Chart, PrefetchKey
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.knowledge import FactValue, Known
from cds_service.clinical.moments import Moment
from cds_service.clinical.presentation import Presenter
from cds_service.clinical.rules import RuleLibrary
from cds_service.clinical.site_orders import SiteOrders
from cds_service.clinical.situation import SitePolicy, Situation
from cds_service.clinical.suggestions import SuggestedStep
from cds_service.clinical.verdicts import Verdict, all_missing_keys, because, judge_all, missing_facts
from cds_service.clinical.wording import offered
from cds_service.errors import ChartUnavailable, UnknownService

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HookService:
    """Answers hook calls. `guideline_url` is the base of the pages that explain a rule, or None.

    `answers` knows what users answered before; without it every card is shown every time. `orders` are the site's own.
    """

    library: RuleLibrary
    services: tuple[ServiceDescription, ...]
    reader: ChartReader
    writer: OrderWriter
    policy: SitePolicy
    deadline: timedelta
    guideline_url: str | None = None
    answers: AnswerLog | None = None
    orders: SiteOrders = field(default_factory=SiteOrders)

    def service(self, service_id: str) -> ServiceDescription:
        """Raises: UnknownService."""
        for service in self.services:
            if service.id == service_id:
                return service
        raise UnknownService("There is no such service; see GET /cds-services.")

    def ready(self) -> list[str]:
        """What keeps the rules from being evaluated; empty when nothing does."""
        return [] if self.library.rules else ["the card library holds no active rule"]

    def answer(self, request: HookRequest, *, now: datetime) -> HookAnswer:
        """The cards for one call.

        Missing data: facts stay unknown; an information card says what could not be checked.
        Raises: ChartUnavailable where nothing fires and cell counts were needed but unavailable; InvalidHookRequest.
        Source: CONTRACT section 3.
        """
        service = self.service(request.service_id)
        read = self.reader.read(request, service.prefetch, now=now, deadline=now + self.deadline)
        situation = Situation(read.chart, now, request.hook, self.library.numbers, self.policy)
        verdicts = judge_all(self.library, situation)
        if _too_little(read.chart, service, verdicts):
            raise ChartUnavailable([PrefetchKey.CELL_COUNTS], read.chart.unavailable[PrefetchKey.CELL_COUNTS])
        presenter = self._presenter(request, read, situation)
        quiet = find_answered(self.library, self.answers, request, presenter.may_be_withheld(verdicts), now)
        cards = [quiet.marked(card) for card in presenter.present(verdicts, quiet.withheld)]
        return HookAnswer(tuple(cards), self._evaluation(situation, verdicts, cards, quiet.withheld))

    def _presenter(self, request: HookRequest, read: ReadChart, situation: Situation) -> Presenter:
        def actions(step: SuggestedStep) -> tuple[Action, ...]:
            try:
                return self._written(request, read, situation, step)
            except Exception as error:  # noqa: BLE001 - one fault never takes the cards down (invariant 9)
                fault = {"error": type(error).__name__, "hookInstance": request.hook_instance}
                _log.error("suggestion_failed", extra=fault)
                return ()

        return Presenter(self.library, situation, actions, lambda: str(uuid.uuid4()), self._link, orders=self.orders)

    def _written(
        self, request: HookRequest, read: ReadChart, situation: Situation, step: SuggestedStep
    ) -> tuple[Action, ...]:
        about = replace(step, patient_id=request.patient_id, encounter_id=_text(request.context, "encounterId"))
        return self.writer.actions_for(about, read, now=situation.now, requester=_text(request.context, "userId"))

    def _link(self, rule_id: str) -> Link | None:
        return Link("How this rule works", f"{self.guideline_url}/{rule_id}") if self.guideline_url else None

    def _evaluation(
        self, situation: Situation, verdicts: Sequence[Verdict], cards: Sequence[Card], withheld: Collection[str]
    ) -> Evaluation:
        speaks = {rule.id: card.uuid for card in reversed(cards) for rule in card.rules}
        problems = tuple(ReportedProblem(p.kind, p.source, p.text) for p in situation.chart.data_problems)
        lines = (_verdict_line(v, situation, speaks.get(v.rule.id)) for v in verdicts)
        shown = tuple(_not_shown(line) if line.id in withheld else line for line in lines)
        matches = situation.chart.recognitions
        return Evaluation(self.library.knowledge_version, situation.now, shown, problems, matches)


def _too_little(chart: Chart, service: ServiceDescription, verdicts: Sequence[Verdict]) -> bool:
    """True where nothing fires and counts were needed but unavailable, or nothing of the chart was available at all.

    An empty answer says "evaluated": it is not given where there was nothing to evaluate.
    """
    if any(v.fired for v in verdicts) or not chart.lacks(PrefetchKey.CELL_COUNTS):
        return False
    return PrefetchKey.CELL_COUNTS in all_missing_keys(verdicts) or all(chart.lacks(key) for key in service.prefetch)


def _text(context: Mapping[str, object], name: str) -> str | None:
    value = context.get(name)
    return value if isinstance(value, str) else None


def _verdict_line(verdict: Verdict, situation: Situation, card: str | None) -> RuleVerdict:
    kinds = tuple(dict.fromkeys(suggestion.kind.value for suggestion, _ in offered(verdict, situation)))
    return RuleVerdict(
        id=verdict.rule.id,
        version=verdict.rule.version,
        outcome=verdict.outcome.value,
        suppressed_by=verdict.suppressed_by,
        indicator=verdict.indicator if verdict.fired else None,
        suggestions=kinds,
        card=card if verdict.fired else None,
        because=tuple(_because(name, known) for name, known in because(verdict).items()),
        missing=tuple(missing_facts(verdict)),
    )


def _not_shown(line: RuleVerdict) -> RuleVerdict:
    """It fired all the same: what its user answered before decides only that no card says so again (presentation 6)."""
    return replace(line, suppressed_by=QUIET, suggestions=(), card=None)


def _because(name: str, known: Known) -> BecauseFact:
    at = _at(known.at) if known.at is not None else None
    return BecauseFact(name, _plain(known.value), FACTS[name].unit, at, known.sources)


def _plain(value: FactValue) -> str | bool | int | float | list[str]:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return list(value) if isinstance(value, tuple) else value


def _at(moment: Moment) -> str:
    return f"{moment.latest:%Y-%m-%dT%H:%M:%SZ}" if moment.exact else f"{moment.latest:%Y-%m-%d}"
