"""Grouping by draw and the search for conflicts look at few results for each, and find what a look at all finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.clinical.chart import Measurement
from cds_service.clinical.counts import Counts
from cds_service.clinical.draws import Count, apart, draws, same_draw
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import NOW, NUMBERS, chart, lab


def belongs(measurement: Measurement, first: Measurement) -> bool:
    if measurement.specimen and first.specimen:
        return measurement.specimen == first.specimen
    return same_draw(measurement.taken, first.taken, NUMBERS)


def draws_by_looking_at_all(measurements: list[Measurement]) -> list[list[Measurement]]:
    """The definition: in order of time, each result joins the latest draw whose first result it belongs to."""
    groups: list[list[Measurement]] = []
    for measurement in sorted(measurements, key=lambda m: m.taken):
        mine = [group for group in groups if belongs(measurement, group[0])]
        if mine:
            mine[-1].append(measurement)
        else:
            groups.append([measurement])
    return groups


def result(start: int, length: int = 0, specimen: str | None = None) -> Measurement:
    """A result of a time given in minutes; `length` above 0 makes it a span."""
    earliest = NOW + timedelta(minutes=start)
    taken = Moment(earliest=earliest, latest=earliest + timedelta(minutes=length))
    return replace(lab("ANC", "1.0", taken), specimen=specimen)


RESULTS = st.builds(
    result,
    st.integers(-60, 60) | st.integers(-3, 3).map(lambda day: day * 1440),
    st.sampled_from([0, 0, 0, 5, 40, 1439]),
    st.sampled_from([None, None, "", "s1", "s2", "s3"]),
)


@given(st.lists(RESULTS, max_size=14))
@example([result(0, 0, "s1"), result(10), result(16), result(2000, 0, "s1")])
@example([result(0, 1439), result(0), result(14), result(15), result(30), result(31)])
@example([result(0, -30), result(0), result(-20)])
def test_groups_as_a_look_at_all_groups_does(measurements):
    assert draws(measurements, NUMBERS) == draws_by_looking_at_all(measurements)


def test_a_specimen_holds_a_draw_together_over_any_time():
    """The draw is found by its specimen although many others were begun since."""
    first, last = result(0, 0, "s1"), result(100_000, 0, "s1")
    between = [result(20 * n, 0, "s2" if n % 2 else None) for n in range(1, 9)]
    groups = draws([last, *between, first], NUMBERS)
    assert groups[0] == [first, last]
    assert len(groups) == 1 + 1 + 4


def test_more_than_fifteen_minutes_make_two_draws():
    assert [len(group) for group in draws([result(0), result(15), result(31)], NUMBERS)] == [2, 1]


def conflict_by_comparing_all(window: list[Count], counts: Counts) -> tuple[Count, Count] | None:
    """The definition: the lowest count with a higher band close to it in time, and the lowest of those."""
    close = timedelta(hours=float(NUMBERS.conflict_close_hours))
    low_first = sorted(window, key=lambda c: c.value)
    for first in low_first:
        for second in low_first:
            if counts.band(first.value) < counts.band(second.value) and apart(first.taken, second.taken) <= close:
                return first, second
    return None


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([0, 0, 3]), st.sampled_from(["0.05", "0.3", "0.7", "1.2", "2"])),
        max_size=9,
    )
)
@example([(0, 0, "0.3"), (4, 0, "0.7"), (4, 0, "2")])
@example([(0, 0, "0.3"), (20, 0, "0.7"), (10, 3, "2")])
def test_finds_the_conflict_that_comparing_each_with_each_finds(rows):
    labs = [
        lab("ANC", value, Moment(earliest=NOW - timedelta(hours=start), latest=NOW - timedelta(hours=start - length)))
        for start, length, value in rows
    ]
    counts = Counts(chart(*labs), NOW, NUMBERS)
    expected = conflict_by_comparing_all(counts.window, counts)
    close = [(c.first, c.second) for c in counts.conflicts if c.why == "results close in time lie in different bands"]
    assert close == ([] if expected is None else [expected])
