"""Neutrophil counts draw by draw: direct, or derived from the WBC and its percentages (C-UNIT, C-ANC)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf, nextafter

from cds_service.clinical.chart import Measurement
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers, minutes

HUNDRED = Decimal(100)
Pick = Callable[..., Measurement]


@dataclass(frozen=True, slots=True)
class Count:
    """One count in 10*9/L. `upper_bound`: reported as "<x", then `value` lies just below x and may be far lower."""

    value: Decimal
    taken: Moment
    sources: tuple[str, ...]
    final: bool = True
    upper_bound: bool = False
    derived: bool = False
    shown: str = ""

    @property
    def source(self) -> str:
        return self.sources[0]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two counts that cannot both be right, or differ too much to grade without a look."""

    first: Count
    second: Count
    why: str

    @property
    def source(self) -> str:
        return self.first.source


def counts_of(analyte: str, measurements: Iterable[Measurement], numbers: SharedNumbers, now: datetime) -> list[Count]:
    """Usable counts of one analyte that are not in the future. Units: 10*9/L."""
    chosen = (m for m in measurements if m.analyte == analyte and not m.taken.is_future(now))
    return [count for m in chosen if (count := _count(m, numbers)) is not None]


def _count(measurement: Measurement, numbers: SharedNumbers) -> Count | None:
    value = measurement.value
    if value is None or comparator_problem(measurement, numbers):
        return None
    below = (measurement.comparator or "").startswith("<")
    return Count(
        value=just_below(value) if below else value,
        taken=measurement.taken,
        sources=(measurement.source,),
        final=measurement.final,
        upper_bound=below,
        shown=f"{measurement.comparator or ''}{plain(value)}",
    )


def just_below(value: Decimal) -> Decimal:
    """The greatest number below `value` that conditions can tell from it: they compare doubles."""
    return Decimal(nextafter(float(value), -inf))


def comparator_problem(measurement: Measurement, numbers: SharedNumbers) -> str | None:
    """Why a result with a comparator cannot be used, or None. Source: C-UNIT, comparators."""
    if not measurement.comparator or measurement.value is None:
        return None
    below = measurement.comparator.startswith("<")
    if below == (measurement.value < numbers.comparator_below):
        return None
    return f"reported as {measurement.comparator}{plain(measurement.value)}, which says too little"


def plain(value: Decimal) -> str:
    """A number as a person writes it: no exponent, never rounded, "1.0" stays "1.0" and 1.200 becomes "1.2"."""
    whole, point, decimals = format(value, "f").partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}" if point else whole


def same_draw(first: Moment, second: Moment, numbers: SharedNumbers) -> bool:
    """True where two times can be of one draw: at most 15 minutes apart, or on the same bare date."""
    gap = minutes(numbers.same_draw_minutes)
    return first.earliest - gap <= second.latest and second.earliest - gap <= first.latest


@dataclass(slots=True)
class _Draws:
    """The draws so far, in order of their first results; a new result looks only at those it can belong to."""

    numbers: SharedNumbers
    groups: list[list[Measurement]] = field(default_factory=list)
    without_specimen: list[int] = field(default_factory=list)
    of_specimen: dict[str, int] = field(default_factory=dict)

    def add(self, measurement: Measurement) -> None:
        """To the latest draw whose first result it belongs to, or to a new one. Results come in order of time."""
        place = self._place(measurement)
        if place is not None:
            self.groups[place].append(measurement)
            return
        if measurement.specimen:
            self.of_specimen[measurement.specimen] = len(self.groups)
        else:
            self.without_specimen.append(len(self.groups))
        self.groups.append([measurement])

    def _place(self, measurement: Measurement) -> int | None:
        if not measurement.specimen:
            return self._near(measurement, range(len(self.groups)))
        places = (self.of_specimen.get(measurement.specimen), self._near(measurement, self.without_specimen))
        return max((place for place in places if place is not None), default=None)

    def _near(self, measurement: Measurement, places: Sequence[int]) -> int | None:
        """The last of these draws that is the same by time; draws that ended too early end the search."""
        oldest = measurement.taken.earliest - minutes(self.numbers.same_draw_minutes)
        for place in reversed(places):
            first = self.groups[place][0].taken
            if first.latest < oldest:
                return None
            if same_draw(measurement.taken, first, self.numbers):
                return place
        return None


def draws(measurements: Iterable[Measurement], numbers: SharedNumbers) -> list[list[Measurement]]:
    """Results grouped by draw: by specimen where both name one, else by time."""
    found = _Draws(numbers)
    for measurement in sorted(measurements, key=lambda m: m.taken):
        found.add(measurement)
    return found.groups


PARTS = frozenset({"ANC", "WBC", "NEUT_PCT", "SEGS_PCT", "BANDS_PCT"})


def neutrophil_counts(
    measurements: Sequence[Measurement], numbers: SharedNumbers, now: datetime
) -> tuple[list[Count], list[Conflict]]:
    """All neutrophil counts, one or more a draw, and the conflicts within draws. Source: C-ANC."""
    usable = [
        m
        for m in measurements
        if m.analyte in PARTS
        and m.value is not None
        and not m.taken.is_future(now)
        and not (m.analyte in ("ANC", "WBC") and comparator_problem(m, numbers))
    ]
    counts: list[Count] = []
    conflicts: list[Conflict] = []
    for group in draws(usable, numbers):
        found, disputed = _counts_of_draw(group, numbers)
        counts += found
        conflicts += disputed
    return counts, conflicts


def _counts_of_draw(group: Sequence[Measurement], numbers: SharedNumbers) -> tuple[list[Count], list[Conflict]]:
    direct = [count for m in group if m.analyte == "ANC" and (count := _count(m, numbers)) is not None]
    white = [count for m in group if m.analyte == "WBC" and (count := _count(m, numbers)) is not None]
    derived, disputed = _lowest_derived(group, white, numbers)
    if not direct:
        return ([derived] if derived else []), disputed
    conflicts = disputed + [
        Conflict(count, cell, "the neutrophil count is higher than the WBC of the same draw")
        for count in direct
        for cell in white
        if count.value > numbers.anc_over_wbc_factor * cell.value
    ]
    if derived and all(_differ(count, derived, numbers) for count in direct):
        conflicts.append(Conflict(direct[0], derived, "measured and calculated neutrophil count of one draw differ"))
        return [*direct, derived], conflicts
    if derived and derived.final and not any(count.final for count in direct):
        return [*direct, derived], conflicts  # an unconfirmed direct count does not stand in for a final derived one
    return direct, conflicts


def _differ(direct: Count, derived: Count, numbers: SharedNumbers) -> bool:
    allowed = max(numbers.derived_differs_by, numbers.derived_differs_share * direct.value)
    return abs(direct.value - derived.value) > allowed


def _lowest_derived(
    group: Sequence[Measurement], white: Sequence[Count], numbers: SharedNumbers
) -> tuple[Count | None, list[Conflict]]:
    """The lowest count a draw gives; a conflict where values reported twice give very different ones."""
    if not white:
        return None, []
    low = _derived(group, min(white, key=lambda c: c.value), min)
    high = _derived(group, max(white, key=lambda c: c.value), max)
    if low is None or high is None or not _differ(high, low, numbers):
        return low, []
    return low, [Conflict(low, high, "values of one draw were reported twice and differ")]


def _derived(group: Sequence[Measurement], white: Count, pick: Pick) -> Count | None:
    """WBC x (segs + bands), else WBC x total neutrophils; bands are not added to a total (C-ANC)."""
    share = {
        analyte: pick(found, key=lambda m: m.value or Decimal(0))
        for analyte in ("SEGS_PCT", "BANDS_PCT", "NEUT_PCT")
        if (found := [m for m in group if m.analyte == analyte])
    }
    segs, bands, total = share.get("SEGS_PCT"), share.get("BANDS_PCT"), share.get("NEUT_PCT")
    used = [m for m in (segs, bands) if m] if segs else [total] if total else []
    if not used:
        return None
    percent = sum((m.value for m in used if m.value is not None), Decimal(0))
    value = white.value * percent / HUNDRED
    return replace(
        white,
        value=value,
        sources=(*white.sources, *(m.source for m in used)),
        final=white.final and all(m.final for m in used),
        derived=True,
        shown=f"{'<' if white.upper_bound else ''}{plain(value.normalize())}",
    )


def newest(counts: Iterable[Count]) -> Count | None:
    """The count that can be the latest; of equally late ones the lower."""
    return max(counts, key=lambda count: (count.taken.latest, -count.value), default=None)


def apart(first: Moment, second: Moment) -> timedelta:
    """The least time between two moments."""
    return max(first.earliest - second.latest, second.earliest - first.latest, timedelta(0))
