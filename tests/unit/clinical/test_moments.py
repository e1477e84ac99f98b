"""C-TIME: ages are elapsed time without rounding; a bare date stands for the whole day and the safer end decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Known
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import NOW, back, bare_date

DAY = timedelta(days=1)


@pytest.mark.parametrize(("days", "expected"), [(28.0, True), (28.5, False), (0, True), (-0.1, False)])
def test_compares_elapsed_days_without_rounding(days, expected):
    moment = back(days)
    assert moment.may_be_within(28 * DAY, NOW) is expected
    assert moment.is_within(28 * DAY, NOW) is expected


def test_reads_a_bare_date_generously_for_danger_and_strictly_for_reassurance():
    day = bare_date(28)
    assert day.may_be_within(28 * DAY, NOW)
    assert not day.is_within(28 * DAY, NOW)
    assert day.is_within(29 * DAY, NOW)
    assert not day.exact


def test_counts_a_bare_date_of_today_as_now_and_of_tomorrow_as_future():
    assert bare_date(0).youngest_age(NOW) == timedelta(0)
    assert not bare_date(0).is_future(NOW)
    assert bare_date(-1).is_future(NOW)
    assert bare_date(0).oldest_age(NOW) == timedelta(hours=15)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (back(minutes=0.5), "just now"),
        (back(minutes=59), "59 min ago"),
        (back(hours=2), "2 h ago"),
        (back(hours=47.9), "47 h ago"),
        (back(hours=48), "2 days ago"),
        (back(days=40.9), "40 days ago"),
        (bare_date(0), "today"),
        (bare_date(1), "1 day ago"),
        (bare_date(2), "2 days ago"),
        (None, "date not known"),
    ],
)
def test_says_how_long_ago_rounded_down(moment: Moment | None, words):
    assert age_words(Known(True, at=moment), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (61, "1 min ago"),
        (119, "1 min ago"),
        (120, "2 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (48 * 3600 - 1, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (72 * 3600 - 1, "2 days ago"),
    ],
)
def test_an_age_is_rounded_down(seconds, words):
    taken = Moment.at(NOW - timedelta(seconds=seconds))
    assert age_words(Known(True, at=taken), NOW) == words


def test_a_span_of_more_than_a_day_and_a_half_is_told_by_its_date():
    def span(hours, seconds=0):
        end = NOW - timedelta(days=2)
        return Known(True, at=Moment(latest=end, earliest=end - timedelta(hours=hours, seconds=seconds)))

    assert age_words(span(36), NOW) == "3 days ago"
    assert age_words(span(36, 1), NOW).startswith("dated 2026-11")
