"""Dosage instructions: by which route, from when to when, how much a day.

What is not stated reads as None; nothing is assumed about a usual dose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.chart import Route
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
from cds_service.clinical.units import UnitProblem, UnitUse
from cds_service.fhir.codes import code_of, read_concept
from cds_service.fhir.json_access import Json, mapping, mappings, number, text
from cds_service.fhir.read_times import HOURS_OF_UNIT, days_in, read_moment, read_period

PERIOD_HOURS = {unit: Fraction(hours) for unit, hours in HOURS_OF_UNIT.items()} | {
    "min": Fraction(1, 60),
    "s": Fraction(1, 3600),
}
TIMES_A_DAY = {
    "QD": 1, "AM": 1, "PM": 1, "HS": 1, "BED": 1, "BID": 2, "TID": 3, "QID": 4,
    "Q1H": 24, "Q2H": 12, "Q3H": 8, "Q4H": 6, "Q6H": 4, "Q8H": 3, "Q12H": 2,
}  # fmt: skip
"""Codes of the HL7 GTS abbreviations that Timing.code uses."""

LONGEST_COURSE = Decimal(36500)
"""Days beyond which a stated length is no plan."""


@dataclass(frozen=True, slots=True)
class Course:
    """From when to when something is given. `days` is its planned length, `first` the planned first dose."""

    start: Moment | None = None
    end: Moment | None = None
    days: Decimal | None = None
    first: Moment | None = None


def read_route(dosages: Iterable[Json], terminology: Terminology) -> Route:
    """The route of all dosages together; a systemic one outweighs a local one. Not stated -> UNKNOWN."""
    concepts = [read_concept(dosage.get("route")) for dosage in dosages]
    stated = {terminology.route_of(c.codings, c.text) for c in concepts if c} - {Route.UNKNOWN}
    if len(stated) > 1:
        stated -= {Route.LOCAL}
    if len(stated) > 1:
        stated -= {Route.INTRATHECAL}
    return next(iter(stated)) if len(stated) == 1 else Route.OTHER_SYSTEMIC if stated else Route.UNKNOWN


def read_course(dosages: list[Json], fallback: object = None, begun: Moment | None = None) -> Course:
    """The bounds of all dosages together; where one has no end, there is none.

    `fallback` is a Period that holds where they state none; a stated length counts from the start, else from `begun`.
    """
    parts = [_course(mapping(dosage.get("timing")), begun) for dosage in dosages]
    starts = [part.start for part in parts if part.start is not None]
    ends = [part.end for part in parts if part.end is not None]
    lengths = [part.days for part in parts if part.days is not None]
    firsts = [part.first for part in parts if part.first is not None]
    start, end = read_period(fallback)
    return Course(
        start=min(starts, key=lambda m: m.earliest, default=None if ends else start),
        end=max(ends, key=lambda m: m.latest) if ends and len(ends) == len(parts) else None if starts or ends else end,
        days=max(lengths, default=None),
        first=min(firsts, key=lambda m: m.earliest, default=None),
    )


def _course(timing: Json, begun: Moment | None) -> Course:
    repeat = mapping(timing.get("repeat"))
    start, end = read_period(repeat.get("boundsPeriod"))
    raw = timing.get("event")
    events = [moment for event in (raw if isinstance(raw, list) else [raw]) if (moment := read_moment(event))]
    first = min(events, key=lambda m: m.earliest, default=None)
    last = max(events, key=lambda m: m.latest, default=None)
    stated = days_in(repeat.get("boundsDuration")) or days_in(mapping(repeat.get("boundsRange")).get("high"))
    planned_end = end or (last if start is None else None) or _after(start or first or begun, stated)
    return Course(start or first, planned_end, stated or _days_between(start, end), first or start)


def _after(start: Moment | None, length: Decimal | None) -> Moment | None:
    if start is None or length is None or length > LONGEST_COURSE:
        return None
    try:
        added = timedelta(days=float(length))
        return Moment(earliest=start.earliest + added, latest=start.latest + added)
    except OverflowError:
        return None


def _days_between(start: Moment | None, end: Moment | None) -> Decimal | None:
    if start is None or end is None:
        return None
    seconds = (end.latest - start.earliest).total_seconds()
    return Decimal(str(seconds)) / 86400 if seconds > 0 else None


def read_daily_dose(dosages: list[Json], terminology: Terminology, use: UnitUse = UnitUse.DOSE) -> Decimal | None:
    """The total dose a day, in mg (or in millions of units). Unknown where one dosage states none, or no frequency.

    Dosages that follow each other (different `sequence`) are not added: the largest counts.
    """
    doses = [_daily_dose(dosage, terminology, use) for dosage in dosages]
    if not doses or any(dose is None for dose in doses):
        return None
    known = [dose for dose in doses if dose is not None]
    steps = {dosage.get("sequence") for dosage in dosages if isinstance(dosage.get("sequence"), int)}
    return max(known) if len(steps) > 1 else sum(known, Decimal(0))


def _daily_dose(dosage: Json, terminology: Terminology, use: UnitUse) -> Decimal | None:
    once, times = _single_dose(dosage, terminology, use), times_a_day(mapping(dosage.get("timing")))
    if once is None or times is None:
        return None
    exact = Fraction(once) * times
    return Decimal(exact.numerator) / exact.denominator


def _single_dose(dosage: Json, terminology: Terminology, use: UnitUse) -> Decimal | None:
    """The first dose that is a mass (or activity); an "ordered" one before a "calculated" one."""
    rated = sorted(mappings(dosage.get("doseAndRate")), key=lambda rate: code_of(rate.get("type")) != "ordered")
    for holder in (*rated, dosage):
        for quantity in (holder.get("doseQuantity"), mapping(holder.get("doseRange")).get("high")):
            if (dose := _amount(mapping(quantity), terminology, use)) is not None:
                return dose
    return None


def _amount(quantity: Json, terminology: Terminology, use: UnitUse) -> Decimal | None:
    value = number(quantity.get("value"))
    if value is None or value < 0:
        return None
    converted = terminology.units.convert(
        value,
        unit=text(quantity.get("unit")),
        code=text(quantity.get("code")),
        system=text(quantity.get("system")),
        use=use,
    )
    return None if isinstance(converted, UnitProblem) else converted


def times_a_day(timing: Json) -> Fraction | None:
    """How often a day, exactly (once a week is 1/7); the most where a range is stated."""
    repeat = mapping(timing.get("repeat"))
    unit = text(repeat.get("periodUnit")) or text(repeat.get("periodUnits"))
    hours = PERIOD_HOURS.get(unit or "")
    frequency = number(repeat.get("frequencyMax")) or number(repeat.get("frequency")) or _clock_times(repeat)
    period = number(repeat.get("period", 1))
    if hours is not None and period is not None and period > 0:
        return Fraction(frequency or Decimal(1)) * 24 / (Fraction(period) * hours)
    code = (code_of(timing.get("code")) or "").upper()
    return Fraction(TIMES_A_DAY[code]) if code in TIMES_A_DAY else None


def _clock_times(repeat: Json) -> Decimal | None:
    named = repeat.get("timeOfDay")
    return Decimal(len(named)) if isinstance(named, list) and named else None


def read_dose_words(dosages: Iterable[Json]) -> str | None:
    """The dose as it is written, else its number and unit."""
    for dosage in dosages:
        if words := text(dosage.get("text")) or text(dosage.get("patientInstruction")):
            return words
        for holder in (*mappings(dosage.get("doseAndRate")), dosage):
            quantity = mapping(holder.get("doseQuantity"))
            if (value := number(quantity.get("value"))) is not None:
                unit = text(quantity.get("unit")) or text(quantity.get("code")) or ""
                return f"{value} {unit.strip('{}')}".strip()
    return None
