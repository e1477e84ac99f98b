"""Times in FHIR's spellings: what they span, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.clinical.moments import Moment
from cds_service.fhir.read_times import at_age, days_in, read_moment, read_span, read_timing_or_moment

MICROSECOND = timedelta(microseconds=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-22T14:00:00Z", at(2026, 11, 22, 14)),
        ("2026-11-22T14:00:00z", at(2026, 11, 22, 14)),
        ("2026-11-22T14:00Z", at(2026, 11, 22, 14)),
        ("2026-11-22T14:00:00+05:30", at(2026, 11, 22, 8, 30)),
        ("2026-11-22T14:00:00-0500", at(2026, 11, 22, 19)),
        ("2026-11-22T14:00:00.1234567Z", at(2026, 11, 22, 14, 0, 0, 123456)),
        ("2026-11-22T14:00:00", at(2026, 11, 22, 14)),
        ("2026-12-31T23:59:60Z", at(2026, 12, 31, 23, 59, 59)),
        (" 2026-11-22T14:00:00Z ", at(2026, 11, 22, 14)),
    ],
)
def test_reads_an_instant(written: str, instant: datetime) -> None:
    assert read_moment(written) == Moment.at(instant)


@pytest.mark.parametrize(
    ("written", "first", "after"),
    [
        ("2026-11-22", at(2026, 11, 22), at(2026, 11, 23)),
        ("2026-02", at(2026, 2, 1), at(2026, 3, 1)),
        ("2024-02", at(2024, 2, 1), at(2024, 3, 1)),
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
    ],
)
def test_reads_a_partial_date_as_all_of_it(written: str, first: datetime, after: datetime) -> None:
    assert read_moment(written) == Moment(earliest=first, latest=after - MICROSECOND)


@pytest.mark.parametrize(
    "written",
    [None, "", 20261122, "22.11.2026", "2026-13-01", "2026-02-30", "2026-11-22T25:00:00Z", "yesterday", "0000", {},
     "2026-11-22T14:00:00+99:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)  # fmt: skip
def test_reads_nothing_from_what_is_no_time(written: Any) -> None:
    assert read_moment(written) is None


def test_reads_a_period_from_start_to_end() -> None:
    span = read_span({"start": "2026-11-20T10:00:00Z", "end": "2026-11-21"})
    assert span == Moment(earliest=at(2026, 11, 20, 10), latest=at(2026, 11, 22) - MICROSECOND)


def test_reads_an_open_period_by_the_end_it_has() -> None:
    assert read_span({"start": "2026-11-20T10:00:00Z"}) == Moment.at(at(2026, 11, 20, 10))


def test_reads_no_period_that_ends_before_it_starts() -> None:
    assert read_span({"start": "2026-11-20T10:00:00Z", "end": "2026-11-19T10:00:00Z"}) is None


@pytest.mark.parametrize(
    "member",
    [
        {"effectiveDateTime": "2026-11-22T14:00:00Z"},
        {"effectiveInstant": "2026-11-22T14:00:00Z"},
        {"effectivePeriod": {"start": "2026-11-22T14:00:00Z"}},
        {"effectiveTiming": {"event": ["2026-11-23T14:00:00Z", "2026-11-22T14:00:00Z"]}},
        {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2026-11-22T14:00:00Z"}}}},
    ],
)
def test_reads_every_choice_of_a_time(member: dict[str, Any]) -> None:
    assert read_timing_or_moment(member, "effective") == Moment.at(at(2026, 11, 22, 14))


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        ({"value": 14, "code": "d"}, 14),
        ({"value": 2, "unit": "wk"}, 14),
        ({"value": 48, "unit": "hours"}, 2),
        ({"value": 1, "code": "mo"}, 30),
        ({"value": 14}, None),
        ({"value": 14, "code": "{doses}"}, None),
        ("14 days", None),
    ],
)
def test_reads_a_duration_in_days(duration: Any, days: int | None) -> None:
    assert days_in(duration) == days


def test_places_an_age_within_a_year() -> None:
    placed = at_age({"value": 30, "code": "a"}, read_moment("1970-01-01"))
    assert placed is not None
    assert placed.earliest.year in (1999, 2000)
    assert placed.latest - placed.earliest < timedelta(days=370)


@pytest.mark.parametrize("age", [None, {"value": 30, "code": "mo"}, {"value": 1e30, "code": "a"}, {}])
def test_places_no_age_without_years(age: Any) -> None:
    assert at_age(age, read_moment("1970-01-01")) is None
