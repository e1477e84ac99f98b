"""Grouping by draw looks at few groups for each result, and finds what a look at all of them finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.clinical.chart import Measurement
from cds_service.clinical.draws import draws, same_draw
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import NOW, NUMBERS, lab


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
