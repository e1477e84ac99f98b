"""Facts about a count that may be usual for a Duffy-null adult: how the status is known, how long and how low it was.

Race is no input. Here counts reassure, so they are read strictly: what may have been lower is not known.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.draws import Count, apart
from cds_service.clinical.facts.count_facts import CELLS, about
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown, is_true
from cds_service.clinical.shared_numbers import days, elapsed_days
from cds_service.clinical.situation import Situation

KINDS_OF_TEST = {"DUFFY": "phenotype", "DUFFY_GENOTYPE": "genotype"}


@fact(
    "duffy_known",
    FactKind.BOOL,
    meaning="A genotype, phenotype or coded condition says whether the patient is Duffy-null; race says nothing",
    missing="Unknown where nothing on hand says so and laboratory results or problems are unavailable",
    source="RULES 21",
)
def duffy_known(s: Situation) -> Answer:
    status = s.duffy
    if isinstance(status, Known):
        return Known(True, sources=status.sources)
    return status if status.missing else Known(False)


@fact(
    "duffy_limit",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The lower ANC limit that the site has set for Duffy-null adults",
    missing="Always known",
    source="C-DUFFY",
)
def duffy_limit(s: Situation) -> Answer:
    return Known(s.policy.duffy_null_anc)


@fact(
    "duffy_basis",
    FactKind.TEXT,
    meaning="What says that the patient is Duffy-null, with its date; a phenotype can mislead after transfusion",
    missing="Unknown where the patient is not known to be Duffy-null",
    source="C-DUFFY",
)
def duffy_basis(s: Situation) -> Answer:
    status = s.duffy
    if not isinstance(status, Known) or not is_true(status):
        return Unknown(note="not known to be Duffy-null")
    found = [f for f in s.chart.findings if f.source in status.sources]
    words = [f"{KINDS_OF_TEST.get(f.analyte, f.analyte)} of {f.taken.day}" for f in found]
    words += [f"{p.text} on the problem list" for p in s.chart.problems if p.source in status.sources]
    caution = "; a phenotype can mislead after transfusion" if any(f.analyte == "DUFFY" for f in found) else ""
    return Known("; ".join(dict.fromkeys(words)) + caution, sources=status.sources)


@fact(
    "low_count_span",
    FactKind.NUMBER,
    unit="d",
    meaning="Time from the earliest final ANC below 1.5 on file to the ANC in force; 0 where there is none",
    missing="Unknown where no usable count is on file or cell counts are unavailable; of bare dates the shortest time",
    source="RULES 21",
)
def low_count_span(s: Situation) -> Answer:
    present, first = s.counts.in_force, _first_low(s)
    span = apart(present.taken, first.taken) if present and first else timedelta(0)
    return about(present, s, elapsed_days(span))


@fact(
    "first_low_count",
    FactKind.TEXT,
    meaning="The earliest final ANC below 1.5 on file with its date",
    missing="Unknown where there is none or cell counts are unavailable",
    source="RULES 21",
)
def first_low_count(s: Situation) -> Answer:
    first = _first_low(s)
    if first is None or s.chart.lacks(CELLS):
        return about(None, s)
    return Known(f"{first.shown} on {first.taken.day}", first.taken, first.sources)


def _first_low(s: Situation) -> Count | None:
    low = [c for c in s.counts.series() if c.value < s.numbers.mild_below]
    return min(low, key=lambda c: c.taken.latest, default=None)


@fact(
    "lowest_count_of_two_years",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The lowest ANC of the last 730 d, preliminary ones included where they are lower than the final one",
    missing=(
        "Unknown where cell counts are unavailable, none is on file, or one may have been lower: reported as 'below "
        "x', or bounded by a leukocyte count"
    ),
    source="RULES 21",
)
def lowest_count_of_two_years(s: Situation) -> Answer:
    window = days(s.numbers.duffy_test_days)
    used = [*s.counts.final, *(c for c in (s.counts.in_force, s.counts.bound) if c is not None)]
    recent = [c for c in used if c.taken.may_be_within(window, s.now)]
    if s.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    if not recent or any(c.upper_bound for c in recent):
        return Unknown(note="no count, or one that may have been lower")
    lowest = min(recent, key=lambda c: c.value)
    return Known(lowest.value, lowest.taken, lowest.sources, shown=lowest.shown)


@fact(
    "infections_of_two_years",
    FactKind.NUMBER,
    unit="1",
    meaning="How many infections of any status, sinusitis, bronchitis and colds included, began within 730 d",
    missing="Unknown where problems are unavailable; an infection without onset or date of record is not counted",
    source="RULES 21",
)
def infections_of_two_years(s: Situation) -> Answer:
    if s.chart.lacks(PrefetchKey.CONDITIONS):
        return Unknown(frozenset({PrefetchKey.CONDITIONS}))
    return Known(Decimal(s.infection_count(s.numbers.duffy_test_days)))
