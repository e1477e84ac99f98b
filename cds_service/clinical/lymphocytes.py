"""Lymphocyte counts draw by draw: measured, or the WBC times the lymphocyte share of the same draw (RULES 14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from cds_service.clinical.chart import Measurement
from cds_service.clinical.draws import HUNDRED, Count, apart, counts_of, draws, newest, plain
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers, hours

PARTS = frozenset({"ALC", "WBC", "LYMPH_PCT"})


def lymphocyte_counts(measurements: Iterable[Measurement], numbers: SharedNumbers, now: datetime) -> list[Count]:
    """All usable lymphocyte counts in 10*9/L: of each draw the measured ones, else the calculated one."""
    usable = [m for m in measurements if m.analyte in PARTS and m.value is not None and not m.taken.is_future(now)]
    return [count for draw in draws(usable, numbers) for count in _counts_of_draw(draw, numbers, now)]


def _counts_of_draw(draw: Sequence[Measurement], numbers: SharedNumbers, now: datetime) -> list[Count]:
    measured = counts_of("ALC", draw, numbers, now)
    return measured or _derived(draw, counts_of("WBC", draw, numbers, now))


def _derived(draw: Sequence[Measurement], white: Sequence[Count]) -> list[Count]:
    """The lowest WBC times the lowest share; a share of "more than x" says too little."""
    shares = [(m.value, m) for m in draw if m.analyte == "LYMPH_PCT" and m.value is not None and not _open_ended(m)]
    if not white or not shares:
        return []
    cells = min(white, key=lambda count: count.value)
    percent, share = min(shares, key=lambda pair: pair[0])
    value = cells.value * percent / HUNDRED
    below = cells.upper_bound or share.comparator is not None
    return [
        replace(
            cells,
            value=value,
            sources=(*cells.sources, share.source),
            final=cells.final and share.final,
            upper_bound=below,
            derived=True,
            shown=f"{'<' if below else ''}{plain(value.normalize())}",
        )
    ]


def _open_ended(measurement: Measurement) -> bool:
    return (measurement.comparator or "").startswith(">")


def beside(first: Moment, second: Moment, numbers: SharedNumbers) -> bool:
    """True where two counts can speak of one state of the blood: at most 24 h apart (C-ANC)."""
    return apart(first, second) <= hours(numbers.in_force_hours)


def lymphocytes_beside(
    white: Count, measurements: Iterable[Measurement], numbers: SharedNumbers, now: datetime
) -> Count | None:
    """The newest lymphocyte count within 24 h of a WBC; a preliminary one only where no final one is (C-VALID)."""
    near = [c for c in lymphocyte_counts(measurements, numbers, now) if beside(c.taken, white.taken, numbers)]
    return newest(c for c in near if c.final) or newest(near)
