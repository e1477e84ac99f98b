"""The neutrophil count in force, its conflicts and bounds, and the counts beside it.

Source: C-ANC, C-BAND, C-FRESH, C-LINEAGE.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from cds_service.clinical.chart import Chart, Measurement
from cds_service.clinical.draws import (
    Conflict,
    Count,
    apart,
    comparator_problem,
    counts_of,
    neutrophil_counts,
    newest,
)
from cds_service.clinical.shared_numbers import SharedNumbers, days, hours


@dataclass(frozen=True)
class Counts:
    """The cell counts of a chart at one instant. All counts in 10*9/L; nothing usable on file gives None."""

    chart: Chart
    now: datetime
    numbers: SharedNumbers

    @cached_property
    def _neutrophils(self) -> tuple[list[Count], list[Conflict]]:
        return neutrophil_counts(self.chart.measurements, self.numbers, self.now)

    @cached_property
    def final(self) -> list[Count]:
        """Final neutrophil counts, newest first."""
        return sorted((c for c in self._neutrophils[0] if c.final), key=lambda c: c.taken, reverse=True)

    @cached_property
    def preliminary(self) -> list[Count]:
        return [c for c in self._neutrophils[0] if not c.final]

    @cached_property
    def _white_cells(self) -> list[Count]:
        return counts_of("WBC", self.chart.measurements, self.numbers, self.now)

    @cached_property
    def white(self) -> Count | None:
        """The newest WBC; a preliminary one where it is lower, or alone (C-VALID)."""
        return self._newest_white(self._white_cells)

    def _newest_white(self, cells: list[Count]) -> Count | None:
        unconfirmed = [c for c in cells if not c.final]
        return self._lower_unconfirmed(newest(c for c in cells if c.final), unconfirmed)

    @cached_property
    def window(self) -> list[Count]:
        """The final counts that can lie within 24 h of the latest one (C-ANC, in force)."""
        latest = newest(self.final)
        if latest is None:
            return []
        return [c for c in self.final if apart(c.taken, latest.taken) <= hours(self.numbers.in_force_hours)]

    @cached_property
    def in_force(self) -> Count | None:
        """The count that grades: lowest of the window, a lower preliminary one, capped by a WBC within 24 h."""
        return self._capped(self._neutrophil) if self._neutrophil else None

    @cached_property
    def _neutrophil(self) -> Count | None:
        """The neutrophil count in force, before a WBC caps it."""
        lowest = min(self.window, key=lambda c: (c.value, c.taken.latest), default=None)
        return self._lower_unconfirmed(lowest, self.preliminary)

    def _lower_unconfirmed(self, final: Count | None, unconfirmed: list[Count]) -> Count | None:
        """A preliminary count is used only where lower and not more than 24 h older, or alone (C-VALID)."""
        if final is None:
            return newest(unconfirmed)
        oldest = final.taken.earliest - hours(self.numbers.in_force_hours)
        lower = [c for c in unconfirmed if c.value < final.value and c.taken.latest >= oldest]
        return min(lower, key=lambda c: c.value, default=final)

    def _capped(self, count: Count) -> Count:
        """No more than the newest WBC within 24 h of it; dated by the later of the two."""
        near = hours(self.numbers.in_force_hours)
        white = self._newest_white([c for c in self._white_cells if apart(c.taken, count.taken) <= near])
        if white is None or white.value >= count.value:
            return count
        return replace(
            white,
            taken=max(white.taken, count.taken),
            sources=(*white.sources, *count.sources),
            upper_bound=True,
            shown=f"at most {white.shown} (WBC)",
            final=count.final,
        )

    @cached_property
    def bound(self) -> Count | None:
        """A WBC below 1.5, newer than every ANC and without one within 24 h: the ANC is at most that (C-ANC)."""
        white = self.white
        if white is None or white.value >= self.numbers.bound_below or self._anc_near(white):
            return None
        if any(c.taken.latest >= white.taken.latest for c in self._used):
            return None
        return replace(white, upper_bound=True, shown=f"at most {white.shown} (WBC)")

    def _anc_near(self, white: Count) -> bool:
        near = hours(self.numbers.in_force_hours)
        return any(apart(c.taken, white.taken) <= near for c in self._used)

    @cached_property
    def _used(self) -> list[Count]:
        """Final neutrophil counts, and a preliminary one only where it is in force: a higher one clears nothing."""
        return [*self.final, *([self._neutrophil] if self._neutrophil else [])]

    @cached_property
    def at_most(self) -> Count | None:
        """The bound where there is one, unless a fresh count in force is lower: only to be compared with "below"."""
        bound, graded = self.bound, self.in_force
        if bound is None or (
            graded and graded.value < bound.value and self.is_current(graded, self.numbers.fever_count_days)
        ):
            return graded
        return bound

    def low_counts(self, number_of_days: Decimal) -> list[Count]:
        """The count in force and the bound, as far as they can be so many days old, the lower one first."""
        found = [c for c in (self.in_force, self.bound) if c is not None and self.is_current(c, number_of_days)]
        return sorted(found, key=lambda c: c.value)

    @cached_property
    def white_without_anc(self) -> Count | None:
        """The newest WBC where no neutrophil count lies within 24 h of it (rule 13)."""
        return self.white if self.white and not self._anc_near(self.white) else None

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """Conflicts within draws, and between the counts in force."""
        return [*self._neutrophils[1], *self._window_conflicts()]

    def _window_conflicts(self) -> list[Conflict]:
        window = sorted(self.window, key=lambda c: c.value)
        if not window:
            return []
        close = hours(self.numbers.conflict_close_hours)
        for first in self._beside_a_higher_band(window, close):
            for second in window:
                if self.band(first.value) < self.band(second.value) and apart(first.taken, second.taken) <= close:
                    return [Conflict(first, second, "results close in time lie in different bands")]
        low, high = window[0], window[-1]
        spread = high.value - low.value > self.numbers.conflict_spread_share * low.value
        if self.band(low.value) < self.band(high.value) and spread:
            return [Conflict(low, high, "results of one day differ by more than half")]
        return []

    def _beside_a_higher_band(self, window: Sequence[Count], close: timedelta) -> Iterator[Count]:
        """The counts with one of a higher band close in time, found without comparing each with each."""
        banded = sorted(((self.band(c.value), c) for c in window), key=lambda pair: pair[1].taken.earliest)
        starts: dict[int, list[datetime]] = {}
        ends: dict[int, list[datetime]] = {}
        for low in {band for band, _ in banded}:
            above = [c.taken for band, c in banded if band > low]
            starts[low] = [taken.earliest for taken in above]
            ends[low] = list(accumulate((taken.latest for taken in above), max))
        for count in window:
            low = self.band(count.value)
            begun = bisect_right(starts[low], count.taken.latest + close)
            if begun and ends[low][begun - 1] >= count.taken.earliest - close:
                yield count

    def band(self, value: Decimal) -> int:
        """0 profound, 1 severe, 2 moderate, 3 mild, 4 normal (C-BAND, half-open)."""
        n = self.numbers
        limits = (n.profound_below, n.severe_below, n.moderate_below, n.mild_below)
        return sum(value >= limit for limit in limits)

    def age_days(self, count: Count) -> Decimal:
        """Elapsed days since a count, unrounded; of a bare date the youngest it can be."""
        return Decimal(count.taken.youngest_age(self.now) / timedelta(days=1))

    def available_within(self, window: timedelta) -> Count | None:
        """A final count that surely lies within `window`: the strict reading, for reassurance (C-FRESH)."""
        return next((c for c in self.final if c.taken.is_within(window, self.now)), None)

    def is_current(self, count: Count | None, number_of_days: Decimal | None = None) -> bool:
        """True where a count can be at most 28 days (or the days given) old."""
        window = days(self.numbers.current_days if number_of_days is None else number_of_days)
        return count is not None and count.taken.may_be_within(window, self.now)

    def series(self, window: timedelta | None = None) -> list[Count]:
        """One final count a draw (the lowest), newest first, within `window` before now."""
        chosen: list[Count] = []
        for count in sorted(self.final, key=lambda c: (c.taken.latest, -c.value), reverse=True):
            if window is not None and count.taken.youngest_age(self.now) > window:
                continue
            if chosen and chosen[-1].taken == count.taken:
                chosen[-1] = min(chosen[-1], count, key=lambda c: c.value)
            else:
                chosen.append(count)
        return chosen

    def latest_measurement(self, *analytes: str) -> Measurement | None:
        """The newest usable value of an analyte at most 28 d old, also as an upper limit ("<10").

        A preliminary one is used only where lower and not more than 24 h older, or alone (C-VALID).
        """
        window = days(self.numbers.current_days)
        usable = [
            m
            for m in self.chart.measurements
            if m.analyte in analytes
            and m.value is not None
            and m.taken.may_be_within(window, self.now)
            and _says_how_low(m)
        ]
        newest_final = max((m for m in usable if m.final), key=lambda m: m.taken, default=None)
        if newest_final is None:
            return max(usable, key=lambda m: m.taken, default=None)
        oldest = newest_final.taken.earliest - hours(self.numbers.in_force_hours)
        preliminary = [m for m in usable if not m.final and m.taken.latest >= oldest]
        return min([newest_final, *preliminary], key=lambda m: m.value or Decimal(0))

    def unusable(self, analytes: Sequence[str]) -> list[Measurement]:
        """Results of the last 28 days whose value cannot be used. Source: rule 7."""
        window = days(self.numbers.current_days)
        return [
            m
            for m in self.chart.measurements
            if m.analyte in analytes and m.taken.may_be_within(window, self.now) and self.problem_of(m) is not None
        ]

    def problem_of(self, measurement: Measurement) -> str | None:
        """Why a result cannot be used, in words, or None."""
        if measurement.value is None:
            return measurement.problem or "not a usable number"
        if measurement.analyte in ("ANC", "WBC"):
            return comparator_problem(measurement, self.numbers)
        return None


def _says_how_low(measurement: Measurement) -> bool:
    """A number, or an upper limit; "more than x" says too little."""
    return not (measurement.comparator or "").startswith(">")
