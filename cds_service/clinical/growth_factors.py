"""Growth factors: doses that still act, cytotoxic doses around a planned one, and reasons to give one at all.

Source: rules 29c and 29d. Exposure is the possible one; intrathecal doses do not count here (C-ROUTE).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.chart import MedicationOrder, Problem, Route
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import ENDED, Exposed
from cds_service.clinical.moments import Moment
from cds_service.clinical.recent_procedures import transplants
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation

SHORT_ACTING = frozenset({"filgrastim", "sargramostim"})
"""Given daily. Any other growth factor of the drug table is taken as long-acting: the longer, safer wait."""

MOBILISING = "plerixafor"
CHRONIC_NEUTROPENIA = frozenset({"severe-chronic-neutropenia", "cyclic-neutropenia"})


def acting(s: Situation) -> list[Exposed]:
    """Growth factors given so lately that they may still act."""
    short, long = days(s.numbers.short_factor_days), days(s.numbers.long_factor_days)
    return s.exposure.within(lambda d: d.is_growth_factor, lambda d: short if d.ingredient in SHORT_ACTING else long)


def cytotoxics(s: Situation) -> list[Exposed]:
    """Possible exposure within 28 d to cytotoxics and antibody-drug conjugates."""
    routes, window = _routes(s), days(s.numbers.factor_cytotoxic_days)
    recent = s.exposure.within(_is_cytotoxic, lambda _: window)
    return [e for e in recent if routes[e.source] is not Route.INTRATHECAL]


def _routes(s: Situation) -> dict[str, Route]:
    """The route of every order and dose by its source; a dose that states none was given as ordered."""
    ordered = {o.source: o.route for o in s.exposure.existing}
    given = {
        d.source: ordered.get(d.order or "", Route.UNKNOWN) if d.route is Route.UNKNOWN else d.route
        for d in s.exposure.doses
    }
    return ordered | given


def _by_mouth(drug: Drug, route: Route) -> bool:
    return route is Route.ORAL or (route is Route.UNKNOWN and drug.active_order_is_exposure)


def clinic_doses(s: Situation) -> list[Exposed]:
    """The cytotoxic doses that have a time. Those taken daily by mouth do not count for the 24 hours (rule 29d)."""
    routes = _routes(s)
    return [e for e in cytotoxics(s) if not e.ongoing and not _by_mouth(e.drug, routes[e.source])]


def _drafted(s: Situation, chosen: Callable[[Drug], bool]) -> list[MedicationOrder]:
    """New orders of the call of these drugs, whether selected just now or not."""
    systemic = (o for o in s.chart.orders if o.draft and o.route not in (Route.LOCAL, Route.INTRATHECAL))
    return [o for o in systemic if o.status not in ENDED and any(map(chosen, o.drugs))]


def _ordered(s: Situation, chosen: Callable[[Drug], bool]) -> list[MedicationOrder]:
    """New orders of the call, and active ones whose start lies ahead."""
    active = [o for o in s.exposure.existing if o.status == "active" and o.route is not Route.INTRATHECAL]
    ahead = [o for o in active if o.start is not None and o.start.is_future(s.now) and any(map(chosen, o.drugs))]
    return [*_drafted(s, chosen), *ahead]


def _is_cytotoxic(drug: Drug) -> bool:
    return drug.is_cytotoxic_or_adc


def _mobilises(drug: Drug) -> bool:
    return drug.ingredient == MOBILISING


def ordered_cytotoxics(s: Situation) -> list[MedicationOrder]:
    return _ordered(s, _is_cytotoxic)


@dataclass(frozen=True, slots=True)
class Gap:
    """The time from a cytotoxic dose to the first dose of a growth factor, as far as both times are known."""

    drug: Drug
    source: str
    least: timedelta
    most: timedelta

    def surely_below(self, needed: timedelta) -> bool:
        return self.least >= timedelta(0) and self.most < needed

    def may_be_below(self, needed: timedelta) -> bool:
        return self.most >= timedelta(0) and self.least < needed


def gaps(s: Situation, planned: Moment) -> list[Gap]:
    """From each cytotoxic dose, given or drafted with a time, to a planned first dose; the shortest first."""
    first = Moment(latest=planned.latest, earliest=max(planned.earliest, min(s.now, planned.latest)))
    doses = [(e.drug, e.source, _already(e.last, s)) for e in clinic_doses(s)]
    doses += [
        (d, o.source, o.planned_first_dose)
        for o in _drafted(s, _is_cytotoxic)
        for d in o.drugs
        if o.planned_first_dose and _is_cytotoxic(d) and not _by_mouth(d, o.route)
    ]
    found = [Gap(d, source, first.earliest - t.latest, first.latest - t.earliest) for d, source, t in doses]
    return sorted(found, key=lambda gap: gap.most)


def _already(given: Moment, s: Situation) -> Moment:
    """A dose of which only the day is known was given before now, if that day is today."""
    return Moment(latest=min(given.latest, s.now), earliest=given.earliest)


def too_soon(s: Situation, order: MedicationOrder) -> list[Gap]:
    """Cytotoxic doses surely less than 24 h before the planned first dose."""
    planned, needed = order.planned_first_dose, hours(s.numbers.factor_gap_hours)
    return [gap for gap in gaps(s, planned) if gap.surely_below(needed)] if planned else []


def perhaps_too_soon(s: Situation, order: MedicationOrder) -> list[Gap]:
    """Cytotoxic doses for which the times leave it open; where no time is planned, those less than 24 h ago."""
    needed, sure = hours(s.numbers.factor_gap_hours), too_soon(s, order)
    possible = [gap for gap in gaps(s, order.planned_first_dose or Moment.at(s.now)) if gap.may_be_below(needed)]
    return [gap for gap in possible if gap not in sure]


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that can be a reason for a growth factor, in words."""

    words: str
    source: str
    at: Moment | None = None


def reasons(s: Situation) -> list[Reason]:
    """Cytotoxics of 28 d or ordered, chronic or cyclic neutropenia, a transplant of 100 d, mobilisation (rule 29d)."""
    given = [Reason(e.drug.ingredient, e.source, None if e.ongoing else e.last) for e in cytotoxics(s)]
    return [
        *given,
        *(Reason(f"{o.name} (ordered)", o.source) for o in ordered_cytotoxics(s)),
        *(Reason(p.text, p.source) for p in _chronic(s)),
        *(Reason(p.text, p.source, p.performed) for p in transplants(s)),
        *_mobilisation(s),
    ]


def _chronic(s: Situation) -> list[Problem]:
    return s.diseases.having(CHRONIC_NEUTROPENIA)


def _mobilisation(s: Situation) -> list[Reason]:
    """Plerixafor taken within its look-back, or ordered."""
    recent = s.exposure.within(_mobilises, lambda d: days(d.exposure_lookback_days or Decimal(0)))
    found = [*(e.source for e in recent), *(o.source for o in _ordered(s, _mobilises))]
    return [Reason(MOBILISING, source) for source in found]
