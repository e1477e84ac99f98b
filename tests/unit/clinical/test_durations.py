""" "At least so long", as charts tell time: to the minute, and never rounded beyond it (C-TIME)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.clinical.shared_numbers import elapsed_days, lasts

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("duration", "reached"),
    [
        (30 * DAY, True),
        (30 * DAY - MINUTE, True),
        (30 * DAY - MINUTE - SECOND, False),
        (31 * DAY, True),
        (29.5 * DAY, False),
    ],
)
def test_a_duration_lasts_so_many_days_but_for_the_step_of_the_clock(duration, reached):
    assert lasts(duration, Decimal(30)) is reached
    assert lasts(duration, 30 * DAY) is reached


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        (14 * DAY, Decimal(14)),
        (14 * DAY - MINUTE, Decimal(14)),
        (14 * DAY + MINUTE, Decimal((14 * DAY + MINUTE) / DAY)),
        (14 * DAY - MINUTE - SECOND, Decimal((14 * DAY - MINUTE - SECOND) / DAY)),
        (13.5 * DAY, Decimal("13.5")),
        (timedelta(0), Decimal(0)),
    ],
)
def test_elapsed_days_are_whole_only_within_the_step_of_the_clock(duration, days):
    assert elapsed_days(duration) == days
