"""When a card that a user has already answered need not be shown to them again: the numbers a library declares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class QuietPolicy:
    """How long an answer counts. `never` are rules that are always shown, whatever was answered.

    Source: clinical specification, presentation 6.
    """

    overridden: timedelta
    accepted: timedelta
    never: frozenset[str] = frozenset()

    @property
    def longest(self) -> timedelta:
        """How far back answers have to be looked up."""
        return max(self.overridden, self.accepted)
