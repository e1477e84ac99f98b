"""One patient at one hook call: the chart, the instant, and every shared computation, each made at most once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from cds_service.clinical.chart import Chart, Finding, MedicationOrder, PrefetchKey, Route, ServiceOrder
from cds_service.clinical.counts import Counts
from cds_service.clinical.course import Course
from cds_service.clinical.diseases import Diseases
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import ENDED, Exposure
from cds_service.clinical.fever import INFECTIONS, MINOR_INFECTIONS, Fever
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim, is_true
from cds_service.clinical.shared_numbers import SharedNumbers, days

Order = TypeVar("Order", MedicationOrder, ServiceOrder)
WITHDRAWN = frozenset({"revoked", "completed", "entered-in-error"})
"""Statuses of a service order that asks for nothing any more."""

CHART_HOOKS = frozenset({"patient-view", "encounter-start"})


@dataclass(frozen=True)
class SitePolicy:
    """What a hospital sets for itself. `duffy_null_anc`: lower ANC limit of Duffy-null adults, 10*9/L."""

    duffy_null_anc: Decimal = Decimal("1.2")
    min_confidence: str = "medium"


@dataclass(frozen=True)
class Situation:
    """What the facts are computed from. Pure: `now` is the time of the call."""

    chart: Chart
    now: datetime
    hook: str
    numbers: SharedNumbers
    policy: SitePolicy = SitePolicy()

    @property
    def on_chart(self) -> bool:
        """A chart is opened (patient-view, encounter-start), rather than orders made."""
        return self.hook in CHART_HOOKS

    @cached_property
    def counts(self) -> Counts:
        return Counts(self.chart, self.now, self.numbers)

    @cached_property
    def exposure(self) -> Exposure:
        return Exposure(self.chart, self.now, self.numbers)

    @cached_property
    def diseases(self) -> Diseases:
        return Diseases(self.chart, self.now, self.numbers)

    @cached_property
    def course(self) -> Course:
        return Course(self.counts, growth_factor=bool(self._recent_growth_factors()))

    def _recent_growth_factors(self) -> list[str]:
        window = days(self.numbers.growth_factor_days)
        return [
            e.source for e in self.exposure.within(lambda d: d.mechanism_group == "growth-factor", lambda _: window)
        ]

    @cached_property
    def severe_and_fresh(self) -> bool:
        """ANC (or bound) below 0.5, at most 7 d old."""
        return any(c.value < self.numbers.severe_below for c in self.counts.low_counts(self.numbers.fever_count_days))

    @cached_property
    def fever(self) -> Fever:
        nadir = is_true(self.nadir28)
        return Fever(self.chart, self.now, self.numbers, self.exposure, self.severe_and_fresh, nadir)

    def _proven(self, chosen: Callable[[Drug], bool]) -> Answer:
        """Of the count in force and its bound, the lower one is what the exposure has to explain."""
        count = next(iter(self.counts.low_counts(self.numbers.current_days)), self.counts.at_most)
        if count is None:
            return claim(self.chart, (), PrefetchKey.CELL_COUNTS)
        evidence = self.exposure.proven_before(count.taken, chosen)
        return claim(self.chart, evidence, PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)

    @cached_property
    def nadir28(self) -> Answer:
        """Proven exposure to a cytotoxic or ADC of high risk 0-28 d before the draw."""
        return self._proven(lambda drug: drug.is_cytotoxic_or_adc and drug.risk == "high-myelosuppressive")

    @cached_property
    def myelo28(self) -> Answer:
        """Proven exposure to any drug of high risk 0-28 d before the draw."""
        return self._proven(lambda drug: drug.risk == "high-myelosuppressive")

    @cached_property
    def drafts(self) -> list[MedicationOrder]:
        """New medication drafts: on order-select the selected ones, or all where the selection names none of them."""
        new = [o for o in self.chart.orders if o.draft and o.status not in ENDED]
        return self._selected(new)

    @cached_property
    def stops(self) -> list[MedicationOrder]:
        """Orders of the call that stop, hold or cancel a drug (rule 24)."""
        return self._selected([o for o in self.chart.orders if o.draft and o.status in ENDED])

    @cached_property
    def held(self) -> list[MedicationOrder]:
        """Orders on file, of systemic drugs, that are on hold (rule 35)."""
        return [o for o in self.exposure.existing if o.status == "on-hold" and o.route is not Route.INTRATHECAL]

    def _selected(self, orders: list[Order]) -> list[Order]:
        anything = any(o.selected for o in self.chart.orders) or any(o.selected for o in self.chart.service_orders)
        return [o for o in orders if o.selected] if self.hook == "order-select" and anything else orders

    @cached_property
    def systemic_drafts(self) -> list[MedicationOrder]:
        return [o for o in self.drafts if o.route not in (Route.LOCAL, Route.INTRATHECAL)]

    @cached_property
    def judged_services(self) -> list[ServiceOrder]:
        """New service drafts that the call is about, as `drafts` are chosen."""
        return self._selected([o for o in self.drafted_services if o.status not in WITHDRAWN])

    @cached_property
    def drafted_services(self) -> list[ServiceOrder]:
        return [o for o in self.chart.service_orders if o.draft]

    @cached_property
    def duffy(self) -> Answer:
        """Duffy-null by genotype, else phenotype or coded condition; unknown where nothing says so (C-DUFFY)."""
        findings = [f for f in self.chart.findings if f.analyte in ("DUFFY", "DUFFY_GENOTYPE") and self._counts(f)]
        genotype = [f for f in findings if f.analyte == "DUFFY_GENOTYPE"]
        decisive = genotype or findings
        null = [f for f in decisive if "duffy-null" in f.kinds]
        coded = [] if genotype else self.diseases.having(frozenset({"duffy-null-neutropenia"}))
        if null or coded:
            return claim(self.chart, [*null, *coded])
        if decisive:
            return Known(False, sources=tuple(f.source for f in decisive))
        missing = frozenset(k for k in (PrefetchKey.LAB_RESULTS, PrefetchKey.CONDITIONS) if self.chart.lacks(k))
        return Unknown(missing, "Duffy status not on file")

    def _counts(self, finding: Finding) -> bool:
        """A final finding that is not in the future (C-VALID)."""
        return finding.final and not finding.taken.is_future(self.now)

    def infection_count(self, number_of_days: Decimal) -> int:
        """Infections of any status with onset within so many days."""
        return len(self.diseases.infections_since(INFECTIONS | MINOR_INFECTIONS, number_of_days))
