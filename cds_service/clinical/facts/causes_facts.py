"""Facts about the search for a cause: how long counts have been low, which tests of the work-up have no result."""

from __future__ import annotations

from datetime import timedelta

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.facts.count_facts import about
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown
from cds_service.clinical.requested_tests import WORKUP, requested_tests
from cds_service.clinical.shared_numbers import days, elapsed_days
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestionKind

LABS = PrefetchKey.LAB_RESULTS
SHORT_NAMES = {"FOLATE": "folate"}


@fact(
    "low_count_span_of_year",
    FactKind.NUMBER,
    unit="d",
    meaning="Time from the earliest final ANC below 1.5 of the last 365 d to the ANC in force; 0 where there is none",
    missing="Unknown where no usable count is on file or cell counts are unavailable; of bare dates the longest time",
    source="RULES 19",
)
def low_count_span_of_year(s: Situation) -> Answer:
    present = s.counts.in_force
    if present is None:
        return about(None, s)
    others = [c for c in s.counts.series(days(s.numbers.stale_days)) if c.taken != present.taken]
    spans = [present.taken.latest - c.taken.earliest for c in others if c.value < s.numbers.mild_below]
    return about(present, s, elapsed_days(max([*spans, timedelta(0)])))


@fact(
    "workup_missing",
    FactKind.BOOL,
    meaning="One of vitamin B12, folate, HIV, HBV, HCV and ANA has no final result of the last 365 d",
    missing="Unknown where laboratory results are unavailable and one of them is not among those on hand",
    source="RULES 19",
)
def workup_missing(s: Situation) -> Answer:
    missing = _missing(s)
    return Unknown(frozenset({LABS})) if missing and s.chart.lacks(LABS) else Known(bool(missing))


@fact(
    "missing_tests",
    FactKind.TEXT,
    meaning="The tests of the work-up without a final result of the last 365 d",
    missing="Unknown where laboratory results are unavailable",
    source="RULES 19",
)
def missing_tests(s: Situation) -> Answer:
    if s.chart.lacks(LABS):
        return Unknown(frozenset({LABS}))
    return Known(", ".join(_missing(s)) or "none")


def _missing(s: Situation) -> list[str]:
    asked = requested_tests(SuggestionKind.WORKUP_PANEL, s)
    return [SHORT_NAMES.get(analyte, analyte) for analyte, test in WORKUP.items() if test in asked]
