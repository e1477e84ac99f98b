"""Whether corticosteroids were taken at an immunosuppressive dose for long enough, as prednisone equivalents.

Orders overlap and follow each other (tapers, renewals): their doses add up, and short gaps do not break a course.
Source: RULES 40.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from cds_service.clinical.chart import MedicationOrder, Route
from cds_service.clinical.codings import words_of
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.shared_numbers import SharedNumbers, days, hours, lasts
from cds_service.clinical.situation import Situation

STEROIDS = "corticosteroid"
NO_FACTOR = "hydrocortisone"
"""Shares a row of the drug table with prednisone, but has no factor: its dose is taken as not stated."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One order from its start to its end, with its prednisone equivalent in mg a day; None where that is not known."""

    begin: datetime
    end: datetime
    dose: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class SteroidCourse:
    """A time at or above the immunosuppressive dose, and the orders it is made of."""

    begin: datetime
    end: datetime
    sources: tuple[str, ...]


def is_steroid(drug: Drug) -> bool:
    return drug.mechanism_group == STEROIDS


def steroid_orders(s: Situation) -> list[tuple[MedicationOrder, Drug]]:
    """Systemic orders on file that were or are carried out, and have begun."""
    found = [(order, drug) for order in s.exposure.existing for drug in order.drugs if is_steroid(drug)]
    return [(order, drug) for order, drug in found if _was_taken(order, s)]


def _was_taken(order: MedicationOrder, s: Situation) -> bool:
    begun = order.start or order.authored
    carried_out = order.status == "active" or order.status in ENDED - {"cancelled"}
    return carried_out and order.route is not Route.INTRATHECAL and not (begun and begun.is_future(s.now))


def equivalent(order: MedicationOrder, drug: Drug, numbers: SharedNumbers) -> Decimal | None:
    """The daily dose as mg of prednisone; None where the order states no dose, or no factor is specified."""
    if order.daily_dose_mg is None or NO_FACTOR in words_of(order.name):
        return None
    factors = {
        "methylprednisolone": numbers.methylprednisolone_factor,
        "dexamethasone": numbers.dexamethasone_factor,
    }
    return order.daily_dose_mg * factors.get(drug.ingredient, Decimal(1))


def known_courses(s: Situation) -> list[SteroidCourse]:
    """Courses that count, by what the orders state; of a date that is not exact the longer reading."""
    stretches = [_stretch(order, drug, s) for order, drug in steroid_orders(s)]
    return _long_enough([one for one in stretches if one is not None and one.dose is not None], s)


def _stretch(order: MedicationOrder, drug: Drug, s: Situation) -> Stretch | None:
    begun = order.start or order.authored
    end = _end(order, s)
    if begun is None or end is None:
        return None
    return Stretch(begun.earliest, end, equivalent(order, drug, s.numbers), order.source)


def _end(order: MedicationOrder, s: Situation) -> datetime | None:
    """Now for what goes on; None where an order ended on a day that is not stated."""
    if order.end is not None:
        return min(order.end.latest, s.now)
    return s.now if order.status == "active" else None


def possible_courses(s: Situation) -> list[SteroidCourse]:
    """Courses that would count if what is not stated were as high, as early and as late as it can be."""
    return _long_enough([_widest(order, drug, s) for order, drug in steroid_orders(s)], s)


def _widest(order: MedicationOrder, drug: Drug, s: Situation) -> Stretch:
    begun = order.start or order.authored
    dose = equivalent(order, drug, s.numbers)
    begin = begun.earliest if begun else s.now - days(s.numbers.steroid_days)
    return Stretch(begin, _end(order, s) or s.now, s.numbers.steroid_dose if dose is None else dose, order.source)


def _long_enough(stretches: Sequence[Stretch], s: Situation) -> list[SteroidCourse]:
    """Runs at or above the dose that last long enough and end within the look-back of the drug table."""
    lookback = max((d.serology_lookback_days or Decimal(0) for _, d in steroid_orders(s)), default=Decimal(0))
    return [
        run
        for run in _runs(stretches, s.numbers)
        if lasts(run.end - run.begin, s.numbers.steroid_days) and s.now - run.end <= days(lookback)
    ]


def _runs(stretches: Sequence[Stretch], numbers: SharedNumbers) -> list[SteroidCourse]:
    """Times at or above the dose, joined where the gap between them is short."""
    edges = sorted({edge for one in stretches for edge in (one.begin, one.end)})
    runs: list[SteroidCourse] = []
    for begin, end in pairwise(edges):
        during = [one for one in stretches if one.begin <= begin and end <= one.end]
        if sum((one.dose or Decimal(0) for one in during), Decimal(0)) < numbers.steroid_dose:
            continue
        run = SteroidCourse(begin, end, tuple(one.source for one in during))
        joined = bool(runs) and begin - runs[-1].end <= hours(numbers.course_gap_hours)
        runs.append(_joined(runs.pop(), run) if joined else run)
    return runs


def _joined(earlier: SteroidCourse, later: SteroidCourse) -> SteroidCourse:
    return SteroidCourse(earlier.begin, later.end, tuple(dict.fromkeys((*earlier.sources, *later.sources))))
