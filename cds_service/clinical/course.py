"""The course of the neutrophil count: falling, stable, or usual for this person (C-TREND, C-STABLE, C-DUFFY)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from statistics import median

from cds_service.clinical.counts import Counts
from cds_service.clinical.draws import Count, apart, newest
from cds_service.clinical.shared_numbers import SharedNumbers, days, hours, lasts


@dataclass(frozen=True)
class Course:
    """The series of final counts behind the one in force. `growth_factor`: one was given within 30 days."""

    counts: Counts
    growth_factor: bool

    @property
    def numbers(self) -> SharedNumbers:
        return self.counts.numbers

    @cached_property
    def recent(self) -> list[Count]:
        """Final counts of the trend window, newest first; the first one carries the value in force."""
        series = self.counts.series(days(self.numbers.trend_days))
        return self._graded(series)

    def _graded(self, series: list[Count]) -> list[Count]:
        """The count in force, dated by the latest result, before the results at least 24 h older than that one."""
        in_force, last = self.counts.in_force, newest(self.counts.final)
        if in_force is None:
            return []
        latest = max(in_force.taken, last.taken) if last else in_force.taken
        gap = hours(self.numbers.previous_hours)
        return [replace(in_force, taken=latest), *(c for c in series if lasts(latest.earliest - c.taken.latest, gap))]

    @property
    def falling(self) -> bool:
        """C-TREND: a current count below 1.5 that is worse, falls steadily, or fell fast."""
        latest = self.counts.in_force
        if latest is None or not self.counts.is_current(latest) or latest.value >= self.numbers.mild_below:
            return False
        return self.worse_band or self.steady_fall or self.fast_fall

    @property
    def worse_band(self) -> bool:
        """(a) moderate or worse, and worse than the previous result."""
        latest, previous = self._latest_and_previous()
        if latest is None or previous is None or latest.value >= self.numbers.moderate_below:
            return False
        return self.counts.band(latest.value) < self.counts.band(previous.value)

    def _latest_and_previous(self) -> tuple[Count | None, Count | None]:
        spaced = self._spaced(self.recent)
        return (spaced[0] if spaced else None, spaced[1] if len(spaced) > 1 else None)

    def _spaced(self, series: Sequence[Count]) -> list[Count]:
        """Results at least 24 h apart, newest first."""
        chosen: list[Count] = []
        for count in series:
            if not chosen or lasts(apart(chosen[-1].taken, count.taken), hours(self.numbers.previous_hours)):
                chosen.append(count)
        return chosen

    @property
    def steady_fall(self) -> bool:
        """(b) the three latest results strictly fall by a quarter in total."""
        three = self._spaced(self.recent)[:3]
        if len(three) < 3:
            return False
        newest, middle, oldest = (c.value for c in three)
        return newest < middle < oldest and oldest - newest >= self.numbers.trend_fall_share * oldest

    @property
    def fast_fall(self) -> bool:
        """(c) half and at least 1.0 lost from a result at most 30 d before the latest; not after a growth factor."""
        if self.growth_factor or not self.recent:
            return False
        latest, window = self.recent[0], days(self.numbers.fast_fall_days)
        return any(
            self._fell_fast(earlier, latest)
            for earlier in self.recent[1:]
            if apart(earlier.taken, latest.taken) <= window
        )

    def _fell_fast(self, earlier: Count, latest: Count) -> bool:
        lost = earlier.value - latest.value
        return lost >= self.numbers.fast_fall_by and lost >= self.numbers.fast_fall_share * earlier.value

    @property
    def stable(self) -> bool:
        """C-STABLE."""
        series = self._within(days(self.numbers.stable_days))
        if len(series) < self.numbers.stable_results or self.falling:
            return False
        values = [c.value for c in series]
        spans = lasts(apart(series[-1].taken, series[0].taken), self.numbers.stable_span_days)
        steady = series[0].value >= self.numbers.stable_median_share * median(values)
        return spans and min(values) >= self.numbers.stable_from and steady

    def _within(self, window: timedelta) -> list[Count]:
        """The graded series within `window` before the latest result."""
        series = self._graded(self.counts.series())
        return [c for c in series if apart(c.taken, series[0].taken) <= window]

    @property
    def near_own_median(self) -> bool:
        """At least 0.75 of the median of the own counts 90-730 d older, where there are two or more (C-DUFFY)."""
        n = self.numbers
        series = self._graded(self.counts.series())
        if not series:
            return False
        older = [
            c.value
            for c in series[1:]
            if days(n.duffy_median_from_days) <= apart(c.taken, series[0].taken) <= days(n.duffy_median_to_days)
        ]
        if len(older) < n.duffy_median_results:
            return True
        return series[0].value >= n.duffy_median_share * median(older)

    @property
    def long_stable_low(self) -> bool:
        """Duffy-stable but for the phenotype: 0.8 to <1.0 with at least three such results over 180 d, not falling."""
        n = self.numbers
        window = days(n.duffy_stable_days)
        series = [c for c in self._graded(self.counts.series()) if c.taken.youngest_age(self.counts.now) <= window]
        if len(series) < n.duffy_stable_results or self.falling:
            return False
        spans = lasts(apart(series[-1].taken, series[0].taken), n.duffy_stable_span_days)
        graded = not series[0].upper_bound and n.duffy_stable_from <= series[0].value < n.moderate_below
        return graded and spans and all(c.value >= n.duffy_stable_from for c in series)

    def last(self, number: int) -> list[Count]:
        """The latest results, newest first, for printing: each with its own date."""
        shown = [c for c in (self.counts.in_force, *self._graded(self.counts.series())[1:]) if c is not None]
        return shown[:number]

    def lowest_since(self, window: timedelta) -> Decimal | None:
        """The lowest earlier result within `window` before the latest, or None."""
        series = self._within(window)
        return min((c.value for c in series[1:]), default=None)
