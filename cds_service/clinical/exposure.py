"""Which drugs the patient takes, may have had, or surely had, and when (C-EXPOSURE, C-ROUTE, C-TREATED).

Evidence for danger is taken generously (possible exposure), evidence for reassurance strictly (proven exposure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cds_service.clinical.chart import Administration, Chart, MedicationOrder, Route
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers, days, lasts

ENDED = frozenset({"completed", "stopped", "on-hold", "cancelled"})
RESTING = frozenset({"completed", "stopped"})


@dataclass(frozen=True, slots=True)
class Exposed:
    """One drug and when the patient last was, or may have been, exposed. `since` is the start where known."""

    drug: Drug
    last: Moment
    source: str
    since: Moment | None = None
    ongoing: bool = False
    given: bool = False


@dataclass(frozen=True)
class Exposure:
    """The drugs of one chart at one instant. Drafts are no exposure."""

    chart: Chart
    now: datetime
    numbers: SharedNumbers

    @cached_property
    def existing(self) -> list[MedicationOrder]:
        """Orders that are not drafts, of drugs we know, by a route that counts at all (C-ROUTE)."""
        return [o for o in self.chart.orders if not o.draft and o.drugs and o.route is not Route.LOCAL]

    def is_active(self, order: MedicationOrder) -> bool:
        """Active, started, not ended."""
        started = order.start is None or not order.start.is_future(self.now)
        ended = order.end is not None and order.end.latest < self.now
        return order.status == "active" and started and not ended

    @cached_property
    def active(self) -> list[MedicationOrder]:
        """Active orders of systemic drugs; intrathecal ones count in the fever rules only (C-ROUTE)."""
        return [o for o in self.existing if self.is_active(o) and o.route is not Route.INTRATHECAL]

    def active_drug(self, chosen: Callable[[Drug], bool]) -> list[MedicationOrder]:
        return [o for o in self.active if any(chosen(drug) for drug in o.drugs)]

    @cached_property
    def doses(self) -> list[Administration]:
        """Doses given, of drugs we know, by a route that counts at all."""
        return [
            a
            for a in self.chart.administrations
            if a.drugs and a.route is not Route.LOCAL and not a.given.is_future(self.now)
        ]

    @cached_property
    def possible(self) -> list[Exposed]:
        """Every possible exposure of every drug: the last dose; else the end of an ended order; else its start."""
        doses = [Exposed(d, a.given, a.source, since=a.given, given=True) for a in self.doses for d in a.drugs]
        return doses + [e for order in self.existing for drug in order.drugs if (e := self._possible(order, drug))]

    def _possible(self, order: MedicationOrder, drug: Drug) -> Exposed | None:
        began = order.start or order.authored
        if self._ended(order):
            last = order.end or began
            return Exposed(drug, last, order.source, since=began) if last and not last.is_future(self.now) else None
        if order.status != "active" or (began is not None and began.is_future(self.now)):
            return None
        if began is None or self.taken_at_home(order, drug):  # an active order without a date is taken as going on
            return Exposed(drug, Moment.at(self.now), order.source, since=began, ongoing=True)
        return None if self._was_given(order, drug) else Exposed(drug, began, order.source, since=began)

    def _ended(self, order: MedicationOrder) -> bool:
        """Ended after it was taken; a cancelled order was never carried out."""
        past = order.status == "active" and order.end is not None and order.end.latest < self.now
        return past or (order.status in ENDED and order.status != "cancelled")

    @staticmethod
    def taken_at_home(order: MedicationOrder, drug: Drug) -> bool:
        """True where an active order is exposure by itself; an oral route always makes it so."""
        return drug.active_order_is_exposure or order.route is Route.ORAL

    def _was_given(self, order: MedicationOrder, drug: Drug) -> bool:
        """True where a dose of this order is on file, or one that names no order, not before this one began."""
        began = order.start or order.authored
        return any(
            drug in a.drugs
            and (a.order == order.source or (a.order is None and began and a.given.latest >= began.earliest))
            for a in self.doses
        )

    def within(self, chosen: Callable[[Drug], bool], window: Callable[[Drug], timedelta]) -> list[Exposed]:
        """Possible exposures to chosen drugs that may lie within the drug's window."""
        return [e for e in self.possible if chosen(e.drug) and e.last.may_be_within(window(e.drug), self.now)]

    def proven_before(self, draw: Moment, chosen: Callable[[Drug], bool]) -> list[Exposed]:
        """Exposure that surely happened 0-28 d before a draw and so can explain its count.

        An active clinic order alone proves nothing; a dose after the draw explains nothing; intrathecal doses neither.
        """
        window = days(self.numbers.nadir_days)
        doses = [
            Exposed(d, a.given, a.source, since=a.given, given=True)
            for a in self.doses
            if a.route is not Route.INTRATHECAL
            for d in a.drugs
            if chosen(d) and _just_before(a.given, draw, window)
        ]
        return doses + [
            e for o in self.existing for d in o.drugs if chosen(d) and (e := self._proven(o, d, draw, window))
        ]

    def _proven(self, order: MedicationOrder, drug: Drug, draw: Moment, window: timedelta) -> Exposed | None:
        if order.route is Route.INTRATHECAL or order.status == "cancelled":
            return None
        began = order.start or order.authored
        ended = order.end if order.status in ENDED or (order.end and order.end.latest < self.now) else None
        if self.taken_at_home(order, drug):
            return self._proven_at_home(order, drug, draw, window, began, ended)
        if ended is not None and order.status in RESTING and _just_before(ended, draw, window):
            return Exposed(drug, ended, order.source, since=began)
        return None

    def _proven_at_home(
        self,
        order: MedicationOrder,
        drug: Drug,
        draw: Moment,
        window: timedelta,
        began: Moment | None,
        ended: Moment | None,
    ) -> Exposed | None:
        """A home drug was surely started before the draw and ended at most 28 d before it, or goes on."""
        begin = began or ended
        if begin is None or begin.latest > draw.earliest or (order.status != "active" and ended is None):
            return None
        if ended is not None and draw.latest - ended.earliest > window:
            return None
        return Exposed(drug, ended or Moment.at(self.now), order.source, since=began, ongoing=ended is None)

    def started(self, order: MedicationOrder) -> Moment | None:
        return order.start or order.authored

    def antibacterials(self) -> list[MedicationOrder]:
        """Active systemic antibacterials other than prophylaxis."""
        return self.active_drug(lambda drug: drug.antibacterial is not None and drug.antibacterial != "prophylaxis")

    def antibacterial_running_for(self, duration: timedelta) -> list[Moment]:
        """Starts of active antibacterials that have run at least this long (C-FEVER, a)."""
        starts = [start for order in self.antibacterials() if (start := self.started(order))]
        return [start for start in starts if lasts(start.youngest_age(self.now), duration)]

    @cached_property
    def treating(self) -> list[MedicationOrder]:
        """Active antipseudomonal drugs that surely started at most 10 d ago (C-TREATED)."""
        window = days(self.numbers.treated_days)
        active = self.active_drug(lambda drug: drug.antibacterial == "antipseudomonal")
        return [o for o in active if (start := self.started(o)) and start.is_within(window, self.now)]


def _just_before(dose: Moment, draw: Moment, window: timedelta) -> bool:
    """True where a dose surely lies 0 to `window` before a draw: the strict reading, for reassurance."""
    return dose.latest <= draw.earliest and draw.latest - dose.earliest <= window


def newest_exposure(exposures: Iterable[Exposed]) -> Exposed | None:
    return max(exposures, key=lambda e: e.last, default=None)
