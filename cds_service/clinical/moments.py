"""When something happened, as far as the chart says: an instant, or a span of which only the ends are known.

A bare date stands for the whole day; callers ask for the end that is safer for their purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ABOUT_A_DAY = timedelta(hours=36)
LONGEST_MONTH = timedelta(days=32)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """An instant (`earliest == latest`) or a span, in aware UTC times."""

    latest: datetime
    earliest: datetime

    @classmethod
    def at(cls, instant: datetime) -> Moment:
        return cls(latest=instant, earliest=instant)

    @property
    def exact(self) -> bool:
        return self.earliest == self.latest

    def youngest_age(self, now: datetime) -> timedelta:
        """The smallest age it can have; negative only where it surely lies in the future."""
        if self.earliest <= now <= self.latest:
            return timedelta(0)
        return now - self.latest

    def oldest_age(self, now: datetime) -> timedelta:
        """The greatest age it can have."""
        return now - self.earliest

    def may_be_within(self, window: timedelta, now: datetime) -> bool:
        """True where it can lie within `window` before `now`: the generous reading, for evidence of danger."""
        return timedelta(0) <= self.youngest_age(now) <= window

    def is_within(self, window: timedelta, now: datetime) -> bool:
        """True where it surely lies within `window` before `now`: the strict reading, for reassurance."""
        return timedelta(0) <= self.youngest_age(now) and self.oldest_age(now) <= window

    def is_future(self, now: datetime) -> bool:
        return self.earliest > now

    @property
    def day(self) -> str:
        """The date as far as it is known: 2026-11-22, 2026-11 or 2026 (UTC)."""
        span = self.latest - self.earliest
        if span > LONGEST_MONTH:
            return f"{self.earliest:%Y}"
        return f"{self.earliest:%Y-%m}" if span > ABOUT_A_DAY else f"{self.latest:%Y-%m-%d}"
