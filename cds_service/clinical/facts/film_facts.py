"""Facts about blood films: whether a final report is on file, and how old it is (RULES 17)."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.chart import Finding, PrefetchKey
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.facts.text_facts import ALWAYS, age
from cds_service.clinical.knowledge import Answer, Known, claim
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

NEEDS_RESULTS = "True on any evidence; unknown where laboratory results are unavailable"


def films(s: Situation) -> list[Finding]:
    """Final film reports that are not in the future; what they say is not read."""
    return [f for f in s.chart.findings if f.analyte == "SMEAR" and f.final and not f.taken.is_future(s.now)]


def _film_within(s: Situation, number_of_days: Decimal) -> Answer:
    """A film that surely lies within so many days: it takes a reason for concern away, so the strict reading."""
    window = days(number_of_days)
    return claim(s.chart, [f for f in films(s) if f.taken.is_within(window, s.now)], PrefetchKey.LAB_RESULTS)


@fact("film_within_365_days", FactKind.BOOL, missing=NEEDS_RESULTS, source="RULES 17",
      meaning="A final blood film report at most 365 d old is on file")  # fmt: skip
def film_within_365_days(s: Situation) -> Answer:
    return _film_within(s, s.numbers.film_days)


@fact("film_within_90_days", FactKind.BOOL, missing=NEEDS_RESULTS, source="RULES 17",
      meaning="A final blood film report at most 90 d old is on file")  # fmt: skip
def film_within_90_days(s: Situation) -> Answer:
    return _film_within(s, s.numbers.film_low_count_days)


@fact("film_words", FactKind.TEXT, missing=ALWAYS, source="RULES 17", meaning="How long ago the last film report is")
def film_words(s: Situation) -> Answer:
    last = max(films(s), key=lambda f: f.taken, default=None)
    if last is not None:
        return Known(age(last.taken, s), last.taken, (last.source,))
    lacking = s.chart.lacks(PrefetchKey.LAB_RESULTS)
    return Known("not known (laboratory results unavailable)" if lacking else "none on file")
