"""Opens the charts of the generated population through the use case behind every hook, and counts what comes of it.

`python -m tests.cards.population_openings` prints the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cds_service.app import Knowledge, load_knowledge, make_service
from cds_service.application.discover import service_of_hook
from cds_service.application.hook_request import HookRequest
from cds_service.application.ports import ReadChart
from cds_service.card_files.case_charts import CaseChart
from cds_service.card_files.case_input import NOW
from cds_service.clinical.cards import HookAnswer, Indicator
from cds_service.clinical.chart import Chart
from cds_service.settings import Settings
from tests.cards.population import population, signings

Json = dict[str, Any]


@cache
def knowledge() -> Knowledge:
    return load_knowledge(Settings.load({}, auth="off"))


@dataclass(frozen=True)
class OneChart:
    """A ChartReader that has read this chart."""

    chart: Chart

    def read(self, request, templates, *, now, deadline):
        return ReadChart(self.chart)


def open_chart(person: Json) -> HookAnswer:
    """The service's answer to one opening, or to signing where the person's hook says so."""
    known = knowledge()
    situation = CaseChart(person, known.terminology, known.library.numbers).situation()
    settings = Settings.load({}, auth="off", deadline_ms=60_000)
    description = service_of_hook(known.services, situation.hook)
    request = HookRequest(description.id, situation.hook, "opening", "case", {"userId": "Practitioner/p1"})
    return make_service(settings, known, OneChart(situation.chart)).answer(request, now=NOW)


@dataclass
class Tally:
    """What a number of openings gave."""

    openings: int = 0
    with_cards: int = 0
    cards: Counter[Indicator] = field(default_factory=Counter)
    firings: Counter[str] = field(default_factory=Counter)
    urgent: Counter[tuple[str, Indicator]] = field(default_factory=Counter)

    def add(self, answer: HookAnswer) -> None:
        self.openings += 1
        self.with_cards += bool(answer.cards)
        self.cards.update(card.indicator for card in answer.cards)
        fired = [rule for rule in answer.evaluation.rules if rule.outcome == "fired"]
        self.firings.update(rule.id for rule in fired)
        self.urgent.update((rule.id, rule.indicator) for rule in fired if rule.indicator)

    def per_hundred(self, number: int) -> float:
        return 100 * number / self.openings

    @property
    def cards_per_hundred(self) -> float:
        return self.per_hundred(self.cards.total())

    @property
    def critical_per_hundred(self) -> float:
        return self.per_hundred(self.cards[Indicator.CRITICAL])

    def table(self, title: str) -> str:
        """Firings by rule, with the share of each level, then cards by indicator; all per 100 openings."""
        lines = [f"{title}: {self.openings}; with a card {self.per_hundred(self.with_cards):.2f} per 100"]
        head = f"{'rule':40}{'firings':>9}" + "".join(f"{indicator:>10}" for indicator in Indicator)
        lines += ["", head]
        for rule, number in self.firings.most_common():
            levels = "".join(f"{self.per_hundred(self.urgent[rule, level]):10.2f}" for level in Indicator)
            lines.append(f"{rule:40}{self.per_hundred(number):9.2f}{levels}")
        shown = "".join(f"{self.per_hundred(self.cards[level]):10.2f}" for level in Indicator)
        lines.append(f"{'cards':40}{self.cards_per_hundred:9.2f}{shown}")
        return "\n".join(lines)


def tally(people: Iterable[Json]) -> Tally:
    whole = Tally()
    for person in people:
        whole.add(open_chart(person))
    return whole


def tables() -> Iterator[str]:
    yield tally(population()).table("Charts opened")
    yield tally(signings()).table("Orders signed")


if __name__ == "__main__":
    print("\n\n".join(tables()))  # noqa: T201 - printing is what it is for
