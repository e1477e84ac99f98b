"""Known or not known: what every fact of the rules is. Not known is never "no"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from cds_service.clinical.chart import Chart
from cds_service.clinical.moments import Moment

FactValue = bool | Decimal | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A known value with the resources it came from, and when they date from. `shown` overrides how it is printed."""

    value: FactValue
    at: Moment | None = None
    sources: tuple[str, ...] = ()
    shown: str | None = None


DEFECT = "defect"
"""Stands among the missing keys of a fact that could not be computed because of a fault of ours."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not known. `missing` are the prefetch keys whose data were unavailable; empty: available, but not on file."""

    missing: frozenset[str] = frozenset()
    note: str = ""


Answer = Known | Unknown


class HasSource(Protocol):
    """Anything read from one resource."""

    @property
    def source(self) -> str: ...


def lacking(chart: Chart, *keys: str) -> frozenset[str]:
    """The keys among `keys` whose data are not known completely."""
    return frozenset(key for key in keys if chart.lacks(key))


def claim(chart: Chart, evidence: Iterable[HasSource], *keys: str) -> Answer:
    """True where there is evidence; else False, but only where everything under `keys` is known; else unknown."""
    found = tuple(dict.fromkeys(item.source for item in evidence))
    if found:
        return Known(True, sources=found)
    if missing := lacking(chart, *keys):
        return Unknown(missing)
    return Known(False)


def either(*answers: Answer) -> Answer:
    """Kleene OR: true where one is true, unknown where one is unknown, else false."""
    for answer in answers:
        if isinstance(answer, Known) and answer.value is True:
            return answer
    unknown = [answer for answer in answers if isinstance(answer, Unknown)]
    if unknown:
        return Unknown(frozenset().union(*(answer.missing for answer in unknown)), unknown[0].note)
    return Known(False)


def both(*answers: Answer) -> Answer:
    """Kleene AND."""
    return negated(either(*(negated(answer) for answer in answers)))


def negated(answer: Answer) -> Answer:
    """Kleene NOT."""
    if isinstance(answer, Unknown):
        return answer
    return Known(not answer.value, answer.at, answer.sources)


def is_true(answer: Answer) -> bool:
    """True only where it is known to be true."""
    return isinstance(answer, Known) and answer.value is True
