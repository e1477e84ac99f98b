"""The course of a parenteral beta-lactam: since when, how long in all, how much a day and for what weight.

Orders of one class with short gaps are one course. A day of treatment is counted as a whole day, rounded: courses are
planned in days, not in hours.
Source: clinical specification, B6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cds_service.clinical.chart import Measurement, MedicationOrder, Route
from cds_service.clinical.drug_table import DefaultRoute, Drug
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import hours
from cds_service.clinical.situation import Situation

ONE_DAY = timedelta(days=1)
NO_GAP = timedelta(0)
TAKEN = (ENDED | {"active"}) - {"cancelled"}
"""What may have been given; a cancelled order was never carried out."""

PENICILLIN_G = "penicillin G"
MG_PER_G = Decimal(1000)


def is_parenteral_beta_lactam(order: MedicationOrder, drug: Drug) -> bool:
    """Given by vein or muscle, or usually given so where the route is not stated."""
    by_default = order.route is Route.UNKNOWN and drug.default_route is DefaultRoute.PARENTERAL
    return drug.is_beta_lactam and (order.route is Route.PARENTERAL or by_default)


@dataclass(frozen=True)
class BetaLactamCourse:
    """The course that one order belongs to. A draft begins at its stated start, else now."""

    situation: Situation
    order: MedicationOrder
    drug: Drug

    @property
    def _now(self) -> datetime:
        return self.situation.now

    @property
    def own_start(self) -> Moment | None:
        """When this order begins; None where no start is stated."""
        if self.order.draft:
            return self.order.start or Moment.at(self._now)
        return self.situation.exposure.started(self.order)

    @property
    def start(self) -> Moment | None:
        """When the course began: earlier orders of the class with gaps of at most 48 h belong to it."""
        begin = self.own_start
        longest = hours(self.situation.numbers.course_gap_hours)
        for started, order in self._others():
            if begin is not None and started < begin and self._gap(order, begin) <= longest:
                begin = started
        return begin

    def _others(self) -> list[tuple[Moment, MedicationOrder]]:
        """The orders of the class on file and their starts, newest first."""
        exposure = self.situation.exposure
        of_class = [o for o in exposure.existing if o.status in TAKEN and any(self._is_like(o, d) for d in o.drugs)]
        dated = [(started, o) for o in of_class if (started := exposure.started(o))]
        return sorted(dated, key=lambda pair: pair[0], reverse=True)

    def _is_like(self, order: MedicationOrder, drug: Drug) -> bool:
        return drug.drug_class == self.drug.drug_class and is_parenteral_beta_lactam(order, drug)

    def _gap(self, order: MedicationOrder, begin: Moment) -> timedelta:
        """From the end of an order to what follows; an order without an end goes on, a past one was given once."""
        if order.end is None and order.status not in ENDED:
            return NO_GAP
        ended = order.end or self.situation.exposure.started(order)
        return begin.earliest - ended.latest if ended else NO_GAP

    @property
    def days_so_far(self) -> Decimal | None:
        """Whole days since the course began; 0 where it is still to begin."""
        return None if self.start is None else self._days(self.start, Moment.at(self._now))

    @property
    def days_in_all(self) -> Decimal | None:
        """Days before this order and those it is planned for; None where it states no length."""
        start, own = self.start, self.own_start
        if start is None or own is None or self.order.planned_days is None:
            return None
        return self._days(start, min(own, Moment.at(self._now))) + self.order.planned_days

    @staticmethod
    def _days(start: Moment, end: Moment) -> Decimal:
        return Decimal(max(0, round((end.earliest - start.earliest) / ONE_DAY)))

    @property
    def grams_a_day(self) -> Decimal | None:
        """The ordered dose in g/day; of penicillin G also from millions of units."""
        if self.order.daily_dose_mg is not None:
            return self.order.daily_dose_mg / MG_PER_G
        if self.order.daily_dose_mu is None or self.drug.ingredient != PENICILLIN_G:
            return None
        return self.order.daily_dose_mu * self.situation.numbers.penicillin_g_per_mu

    @property
    def mg_per_kg_a_day(self) -> Decimal | None:
        """The ordered dose by actual weight; None where either is not known."""
        grams, weighed = self.grams_a_day, newest_weight(self.situation)
        if grams is None or weighed is None or not weighed.value:
            return None
        return grams * MG_PER_G / weighed.value


def newest_weight(s: Situation) -> Measurement | None:
    """The newest usable body weight, in kg; a weight "above" or "below" something is none."""
    usable = (
        m
        for m in s.chart.measurements
        if m.analyte == "WEIGHT" and m.value and not m.comparator and not m.taken.is_future(s.now)
    )
    return max(usable, key=lambda m: m.taken, default=None)
