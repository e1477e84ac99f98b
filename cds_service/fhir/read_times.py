"""FHIR dates, times, periods and ages as moments.

A partial date is a span (whole day, month or year, in UTC); a time without an offset is read as UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from cds_service.clinical.moments import Moment
from cds_service.fhir.json_access import Json, mapping, number, text

DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?")
INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<offset>Z|z|[+-]\d\d:?\d\d)?"
)
LAST_MICROSECOND = timedelta(microseconds=1)
HOURS_OF_UNIT = {
    spelling: Decimal(hours)
    for hours, spellings in (
        (1, ("h", "hr", "hour", "hours")),
        (24, ("d", "day", "days")),
        (168, ("wk", "week", "weeks")),
        (720, ("mo", "month", "months")),
        (8760, ("a", "year", "years")),
    )
    for spelling in spellings
}
"""Spellings of UCUM time units and of the words that clients write instead. A month counts 30 days."""


def read_moment(value: object) -> Moment | None:
    """The moment of a FHIR date, dateTime or instant; None where it is absent or not a time."""
    written = text(value)
    if written is None:
        return None
    try:
        if found := DATE.fullmatch(written):
            return _span(found["year"], found["month"], found["day"])
        if found := INSTANT.fullmatch(written):
            return Moment.at(_instant(found))
    except (ValueError, OverflowError):
        return None
    return None


def _span(year: str, month: str | None, day: str | None) -> Moment:
    first = date(int(year), int(month or 1), int(day or 1))
    last_month = int(month or 12)
    last = date(int(year), last_month, int(day or monthrange(int(year), last_month)[1]))
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1) - LAST_MICROSECOND
    return Moment(earliest=start, latest=end)


def _instant(found: re.Match[str]) -> datetime:
    day = date.fromisoformat(found["date"])
    second = min(int(found["second"] or 0), 59)  # a leap second has no datetime
    micro = int((found["fraction"] or ".0")[1:7].ljust(6, "0"))
    local = datetime(day.year, day.month, day.day, int(found["hour"]), int(found["minute"]), second, micro, tzinfo=UTC)
    return local - _offset(found["offset"])


def _offset(written: str | None) -> timedelta:
    if written is None or written in "Zz":
        return timedelta(0)
    sign = -1 if written[0] == "-" else 1
    hours, minutes = int(written[1:3]), int(written[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    timezone(offset)  # raises ValueError where no zone can have this offset
    return sign * offset


def read_period(value: object) -> tuple[Moment | None, Moment | None]:
    """Start and end of a Period, each None where it is not said."""
    period = mapping(value)
    return read_moment(period.get("start")), read_moment(period.get("end"))


def read_span(value: object) -> Moment | None:
    """A Period as one moment: from its start to its end, or what is known of it."""
    start, end = read_period(value)
    if start is None or end is None:
        return start or end
    if end.latest < start.earliest:
        return None
    return Moment(earliest=start.earliest, latest=end.latest)


def read_timing_or_moment(resource: Json, stem: str) -> Moment | None:
    """A choice element such as effective[x]: its dateTime, instant, period or first timing event."""
    for suffix in ("DateTime", "Instant", "Date"):
        if (moment := read_moment(resource.get(stem + suffix))) is not None:
            return moment
    if (moment := read_span(resource.get(f"{stem}Period"))) is not None:
        return moment
    return read_timing(resource.get(f"{stem}Timing"))


def read_timing(value: object) -> Moment | None:
    """The first event of a Timing, else the start of its bounds."""
    timing = mapping(value)
    events = timing.get("event")
    moments = [read_moment(event) for event in events] if isinstance(events, list) else [read_moment(events)]
    known = [moment for moment in moments if moment is not None]
    if known:
        return min(known, key=lambda moment: moment.earliest)
    start, _ = read_period(mapping(timing.get("repeat")).get("boundsPeriod"))
    return start


def at_age(value: object, born: Moment | None) -> Moment | None:
    """The span of a year in which a stated age (Age, in years) lay; None without a birth date or a number of years."""
    age = mapping(value)
    years = number(age.get("value"))
    unit = text(age.get("code")) or text(age.get("unit")) or "a"
    if born is None or years is None or unit not in ("a", "years", "year"):
        return None
    try:
        start = born.earliest + timedelta(days=float(years) * 365.25)
        return Moment(earliest=start, latest=born.latest + timedelta(days=float(years + 1) * 365.25))
    except (OverflowError, ValueError):
        return None


def days_in(value: object) -> Decimal | None:
    """The days of a Duration; None where its unit is not one of time."""
    duration = mapping(value)
    amount = number(duration.get("value"))
    unit = (text(duration.get("code")) or text(duration.get("unit")) or "").lower()
    if amount is None or unit not in HOURS_OF_UNIT:
        return None
    return amount * HOURS_OF_UNIT[unit] / 24
