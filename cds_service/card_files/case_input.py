"""The words of a case's input: members that must be known, numbers, and how long ago something was.

"N days ago" is N x 24 h less one minute, so that an age of exactly N days is still within N; a dose one day ago is 24 h
and one minute ago: what may follow after 24 hours may follow now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from cds_service.clinical.moments import Moment

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""The instant at which every case is judged."""

MARGIN = timedelta(minutes=1)


class CaseInputError(ValueError):
    """The input of a case says something that the vocabulary has no word for."""


class Item:
    """One mapping of the input; every key must be one that was asked for, so that no fact is dropped silently."""

    def __init__(self, given: Any, *allowed: str, what: str) -> None:
        if not isinstance(given, Mapping):
            raise CaseInputError(f"{what}: must have members, but is {given!r}")
        if unknown := sorted(set(given) - set(allowed)):
            raise CaseInputError(f"{what}: unknown {', '.join(map(str, unknown))}; known are {', '.join(allowed)}")
        self._given, self._what = given, what

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def get(self, name: str, default: Any = None) -> Any:
        return self._given.get(name, default)

    def needed(self, name: str) -> Any:
        """Raises: CaseInputError where it is absent; null is a value."""
        if name not in self._given:
            raise CaseInputError(f"{self._what}: needs {name}")
        return self._given[name]

    def number(self, name: str) -> Decimal | None:
        value = self._given.get(name)
        return None if value is None else decimal(value, f"{self._what}: {name}")


def decimal(value: Any, what: str) -> Decimal:
    """A number as it is written. Raises: CaseInputError."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise CaseInputError(f"{what} must be a number, but is {value!r}") from None


def ago(*, days: Decimal | None = None, hours: Decimal | None = None, margin: timedelta = MARGIN) -> Moment:
    """So long before now, less the margin; a negative time lies in the future."""
    back = timedelta(days=float(days or 0), hours=float(hours or 0))
    return Moment.at(NOW - (back - margin if back > timedelta() else back))


def dosed(days: Decimal) -> Moment:
    """When a dose was given: what may follow after 24 hours may follow now."""
    return ago(days=days, margin=-MARGIN if days == 1 else MARGIN)


def whole_day(moment: Moment) -> Moment:
    """The bare date of an instant."""
    start = moment.earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    return Moment(earliest=start, latest=start + timedelta(days=1) - timedelta(microseconds=1))


def taken(item: Item) -> Moment:
    """From days_ago or hours_ago; a bare date where at_date_only is true."""
    days, hours = item.number("days_ago"), item.number("hours_ago")
    if days is None and hours is None:
        raise CaseInputError("a result needs days_ago or hours_ago")
    moment = ago(days=days, hours=hours)
    return whole_day(moment) if item.get("at_date_only") else moment


def listed(given: Any, what: str) -> Sequence[Any]:
    """A list as it is. Raises: CaseInputError."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise CaseInputError(f"{what}: must be a list")
    return given


@dataclass
class Sources:
    """Gives every resource of a case its reference: Observation/observation-1, and so on."""

    _given: dict[str, int] = field(default_factory=dict)

    def next(self, kind: str) -> str:
        self._given[kind] = number = self._given.get(kind, 0) + 1
        return f"{kind}/{kind.lower()}-{number}"
