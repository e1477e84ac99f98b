"""Facts about cell counts: the ANC in force, its age and bounds, the WBC, the other lineages, the course."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.draws import Count, just_below, plain
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, HasSource, Known, Unknown, both, claim, is_true, negated
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation

CELLS = PrefetchKey.CELL_COUNTS
NO_COUNT = "Unknown where no usable count is on file or cell counts are unavailable"
ON_HAND = (
    "Speaks of the results on hand: false where none of them is unusable; missing counts are reported by themselves"
)
NEEDS_CELLS = "Unknown where cell counts are unavailable; false where none is on file"


def about(count: Count | None, situation: Situation, value: Decimal | None = None) -> Answer:
    """A count as a fact; incomplete cell counts make it unknown."""
    if incomplete(situation):
        return Unknown(frozenset({CELLS}))
    if count is None:
        return Unknown(note="no usable count on file")
    number = count.value if value is None else value
    return Known(number, count.taken, count.sources, shown=count.shown if value is None else None)


def whether(value: bool, situation: Situation, count: Count | None = None) -> Answer:
    """A yes or no about cell counts; of incomplete ones only a yes with evidence of danger is known."""
    if incomplete(situation) or (situation.chart.lacks(CELLS) and not value):
        return Unknown(frozenset({CELLS}))
    return Known(value, count.taken if count else None, count.sources if count else ())


def incomplete(s: Situation) -> bool:
    """True where cell counts are not known completely and those on hand show no danger.

    Of a first page that could not be read on, a current count (or bound) below 1.0 is evidence of danger and is used;
    any other count could be outdated by one that was not sent. Source: clinical specification, B0, principle.
    """
    count = s.counts.at_most
    danger = count is not None and s.counts.is_current(count) and count.value < s.numbers.moderate_below
    return s.chart.lacks(CELLS) and not danger


@fact(
    "anc",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The neutrophil count in force: lowest final count within 24 h of the latest, capped by a WBC of that time",
    missing=NO_COUNT,
    source="C-ANC",
)
def anc(s: Situation) -> Answer:
    return about(s.counts.in_force, s)


@fact(
    "anc_current",
    FactKind.BOOL,
    meaning="The ANC in force is at most 28 d old",
    missing=NEEDS_CELLS,
    source="C-FRESH",
)
def anc_current(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.in_force), s, s.counts.in_force)


@fact(
    "anc_within_365_days",
    FactKind.BOOL,
    meaning="The ANC in force is at most 365 d old",
    missing=NEEDS_CELLS,
    source="C-FRESH",
)
def anc_within_365_days(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.in_force, s.numbers.stale_days), s, s.counts.in_force)


@fact("severe_within_7_days", FactKind.BOOL, missing=NEEDS_CELLS, source="C-BAND",
      meaning="The ANC in force, or its bound, is below 0.5 and at most 7 d old")  # fmt: skip
def severe_within_7_days(s: Situation) -> Answer:
    return whether(s.severe_and_fresh, s, s.counts.at_most)


@fact(
    "anc_age_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Elapsed days since the ANC in force",
    missing=NO_COUNT,
    source="C-TIME",
)
def anc_age_days(s: Situation) -> Answer:
    count = s.counts.in_force
    return about(count, s, s.counts.age_days(count) if count else None)


@fact("anc_at_most", FactKind.NUMBER, unit="10*9/L", missing=NO_COUNT, source="C-ANC",
      meaning="The ANC in force, or the newer WBC that bounds it: only to be compared with 'below'")  # fmt: skip
def anc_at_most(s: Situation) -> Answer:
    return about(s.counts.at_most, s)


@fact("anc_at_most_within_7_days", FactKind.BOOL, missing=NEEDS_CELLS, source="C-FRESH",
      meaning="The ANC in force, or its bound, is at most 7 d old")  # fmt: skip
def anc_at_most_within_7_days(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.at_most, s.numbers.fever_count_days), s, s.counts.at_most)


@fact(
    "anc_at_most_current",
    FactKind.BOOL,
    meaning="The ANC in force, or its bound, is at most 28 d old",
    missing=NEEDS_CELLS,
    source="C-FRESH",
)
def anc_at_most_current(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.at_most), s, s.counts.at_most)


@fact("anc_is_bound", FactKind.BOOL, missing=NEEDS_CELLS, source="C-ANC",
      meaning="A newer WBC without a neutrophil count bounds the ANC, so that no count grades")  # fmt: skip
def anc_is_bound(s: Situation) -> Answer:
    return whether(s.counts.bound is not None, s, s.counts.bound)


@fact("anc_upper_limit_only", FactKind.BOOL, missing=NEEDS_CELLS, source="C-UNIT",
      meaning="The ANC in force was reported as 'below x' and may be far lower")  # fmt: skip
def anc_upper_limit_only(s: Situation) -> Answer:
    return whether(s.counts.in_force is not None and s.counts.in_force.upper_bound, s, s.counts.in_force)


@fact(
    "count_within_24_h",
    FactKind.BOOL,
    meaning="A final usable neutrophil count of the last 24 h is available (a bare date counts only if it surely is)",
    missing=NEEDS_CELLS,
    source="C-FRESH",
)
def count_within_24_h(s: Situation) -> Answer:
    found = s.counts.available_within(hours(s.numbers.fresh_count_hours))
    return whether(found is not None, s, found)


@fact(
    "new_and_unexplained",
    FactKind.BOOL,
    meaning="No ANC below 1.0 in the previous 180 d, and no myelosuppressive drug explains the present one",
    missing="Unknown where cell counts or drugs are unavailable",
    source="RULES 11",
)
def new_and_unexplained(s: Situation) -> Answer:
    lowest = s.course.lowest_since(days(s.numbers.trend_days))
    fresh = whether(lowest is None or lowest >= s.numbers.moderate_below, s)
    return both(fresh, negated(s.myelo28))


@fact("wbc", FactKind.NUMBER, unit="10*9/L", missing=NO_COUNT, source="C-UNIT", meaning="The newest usable WBC")
def wbc(s: Situation) -> Answer:
    return about(s.counts.white, s)


@fact(
    "wbc_low",
    FactKind.BOOL,
    meaning="The newest WBC is at most 28 d old and below the laboratory's lower limit, which counts up to 4.0",
    missing=NEEDS_CELLS,
    source="RULES 13",
)
def wbc_low(s: Situation) -> Answer:
    white = s.counts.white
    return whether(white is not None and s.counts.is_current(white) and white.value < _wbc_limit(s, white), s, white)


def _wbc_limit(s: Situation, white: Count) -> Decimal:
    stated = [
        m.low_limit for m in s.chart.measurements if m.source in white.sources and m.analyte == "WBC" and m.low_limit
    ]
    return min([*stated, s.numbers.wbc_low])


@fact("wbc_without_anc", FactKind.BOOL, missing=NEEDS_CELLS, source="RULES 13",
      meaning="No neutrophil count lies within 24 h of the newest WBC")  # fmt: skip
def wbc_without_anc(s: Situation) -> Answer:
    return whether(s.counts.white_without_anc is not None, s, s.counts.white)


@fact(
    "wbc_within_7_days",
    FactKind.BOOL,
    meaning="The newest WBC is at most 7 d old",
    missing=NEEDS_CELLS,
    source="C-FRESH",
)
def wbc_within_7_days(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.white, s.numbers.fever_count_days), s, s.counts.white)


@fact(
    "haemoglobin",
    FactKind.NUMBER,
    unit="g/dL",
    meaning="The newest haemoglobin of the last 28 d",
    missing="Unknown where none of the last 28 d is usable",
    source="C-LINEAGE",
)
def haemoglobin(s: Situation) -> Answer:
    return _measured(s, "HGB", "HGB_MOLAR")


@fact(
    "platelets",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The newest platelet count of the last 28 d",
    missing="Unknown where none of the last 28 d is usable",
    source="C-LINEAGE",
)
def platelets(s: Situation) -> Answer:
    return _measured(s, "PLT")


def _measured(s: Situation, *analytes: str) -> Answer:
    if s.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    found = s.counts.latest_measurement(*analytes)
    if found is None or found.value is None:
        return Unknown(note="none usable in 28 d")
    value = just_below(found.value) if found.comparator else found.value
    return Known(value, found.taken, (found.source,), shown=f"{found.comparator or ''}{plain(found.value)}")


def _limit(s: Situation, ours: Decimal, *analytes: str) -> Decimal:
    """Our limit, or the laboratory's where that is lower (C-LINEAGE)."""
    found = s.counts.latest_measurement(*analytes)
    return min(ours, found.low_limit) if found and found.low_limit else ours


@fact(
    "haemoglobin_low",
    FactKind.BOOL,
    meaning="Haemoglobin below 13.0 (men) or 12.0 g/dL, or below the laboratory's limit if that is lower",
    missing="Unknown where the haemoglobin is",
    source="C-LINEAGE",
)
def haemoglobin_low(s: Situation) -> Answer:
    value = haemoglobin(s)
    if not isinstance(value, Known):
        return value
    male = s.chart.patient is not None and s.chart.patient.sex == "male"
    ours = s.numbers.haemoglobin_low_male if male else s.numbers.haemoglobin_low_other
    return Known(value.value < _limit(s, ours, "HGB", "HGB_MOLAR"), value.at, value.sources)  # type: ignore[operator]


@fact("platelets_low", FactKind.BOOL, missing="Unknown where the platelet count is", source="C-LINEAGE",
      meaning="Platelets below 150, or below the laboratory's limit if that is lower")  # fmt: skip
def platelets_low(s: Situation) -> Answer:
    value = platelets(s)
    if not isinstance(value, Known):
        return value
    return Known(value.value < _limit(s, s.numbers.platelets_low, "PLT"), value.at, value.sources)  # type: ignore[operator]


@fact("falling", FactKind.BOOL, missing=NEEDS_CELLS, source="C-TREND",
      meaning="The current ANC is below 1.5 and in a worse band than before, falls steadily, or fell fast")  # fmt: skip
def falling(s: Situation) -> Answer:
    return whether(s.course.falling, s, s.counts.in_force)


@fact("fell_fast", FactKind.BOOL, missing=NEEDS_CELLS, source="C-TREND",
      meaning="The ANC lost half and at least 1.0 within 30 d, without a growth factor")  # fmt: skip
def fell_fast(s: Situation) -> Answer:
    return whether(s.course.fast_fall, s, s.counts.in_force)


@fact(
    "stable",
    FactKind.BOOL,
    meaning=(
        "At least three results of a year over 56 d, all at or above 1.0, the latest near their median, not falling"
    ),
    missing=NEEDS_CELLS,
    source="C-STABLE",
)
def stable(s: Situation) -> Answer:
    return whether(s.course.stable, s, s.counts.in_force)


@fact(
    "duffy_null",
    FactKind.BOOL,
    meaning="Fy(a-b-) by genotype, phenotype or coded condition; never by race",
    missing="Unknown where no phenotype, genotype or coded condition says so",
    source="C-DUFFY",
)
def duffy_null(s: Situation) -> Answer:
    return s.duffy


@fact(
    "duffy_null_known",
    FactKind.BOOL,
    meaning="Known to be Duffy-null",
    missing="False where nothing on file says so",
    source="C-DUFFY",
)
def duffy_null_known(s: Situation) -> Answer:
    return Known(is_true(s.duffy))


@fact(
    "duffy_suppressed",
    FactKind.BOOL,
    meaning=(
        "Duffy-null, and the ANC lies between the site limit and 1.5, near the own median, not falling, not bound, "
        "no new idiosyncratic drug, fewer than two infections in a year"
    ),
    missing="Unknown where Duffy status or counts are",
    source="C-DUFFY",
)
def duffy_suppressed(s: Situation) -> Answer:
    latest = s.counts.in_force
    in_range = latest is not None and s.policy.duffy_null_anc <= latest.value < s.numbers.mild_below
    calm = in_range and s.counts.bound is None and not s.course.falling and s.course.near_own_median
    calm = calm and latest is not None and latest.final and not latest.upper_bound  # "<1.4" may be far lower
    return both(s.duffy, whether(calm, s, latest), _few_infections(s), negated(_new_idiosyncratic(s)))


def _few_infections(s: Situation) -> Answer:
    if s.chart.lacks(PrefetchKey.CONDITIONS):
        return Unknown(frozenset({PrefetchKey.CONDITIONS}))
    return Known(s.infection_count(s.numbers.duffy_infection_days) < s.numbers.duffy_infections)


def _new_idiosyncratic(s: Situation) -> Answer:
    window = days(s.numbers.duffy_new_drug_days)
    new = [
        e
        for e in s.exposure.possible
        if e.drug.is_idiosyncratic and (e.since is None or e.since.may_be_within(window, s.now))
    ]
    return claim(s.chart, new, PrefetchKey.MEDICATION_REQUESTS)


@fact(
    "duffy_stable",
    FactKind.BOOL,
    meaning=(
        "Duffy-null with an ANC of 0.8 to <1.0, three or more such results over 180 d, not falling, fewer than two "
        "infections"
    ),
    missing="Unknown where Duffy status or counts are",
    source="C-DUFFY",
)
def duffy_stable(s: Situation) -> Answer:
    return both(s.duffy, whether(s.course.long_stable_low, s, s.counts.in_force), _few_infections(s))


@fact("counts_unusable", FactKind.BOOL, missing=ON_HAND, source="RULES 7",
      meaning="An ANC, WBC or neutrophil percentage of the last 28 d cannot be used")  # fmt: skip
def counts_unusable(s: Situation) -> Answer:
    return _evidence(s, s.counts.unusable(("ANC", "WBC", "NEUT_PCT", "SEGS_PCT", "BANDS_PCT")))


@fact(
    "counts_conflict",
    FactKind.BOOL,
    meaning="Results of the last 28 d contradict each other: within a draw, or close in time in different bands",
    missing=ON_HAND,
    source="C-ANC",
)
def counts_conflict(s: Situation) -> Answer:
    window = days(s.numbers.current_days)
    return _evidence(s, [c for c in s.counts.conflicts if c.first.taken.may_be_within(window, s.now)])


@fact(
    "platelets_unusable",
    FactKind.BOOL,
    meaning="A platelet count of the last 28 d cannot be used",
    missing=ON_HAND,
    source="RULES 7",
)
def platelets_unusable(s: Situation) -> Answer:
    return _evidence(s, s.counts.unusable(("PLT",)))


def _evidence(s: Situation, found: Sequence[HasSource]) -> Answer:
    return claim(s.chart, found)


@fact(
    "blasts_reported",
    FactKind.BOOL,
    meaning="Blasts above 0 % on a differential, or a coded film finding of blasts, of the last 28 d",
    missing="Unknown where cell counts or laboratory results are unavailable",
    source="RULES 18b",
)
def blasts_reported(s: Situation) -> Answer:
    window = days(s.numbers.current_days)
    counted = [
        m
        for m in s.chart.measurements
        if m.analyte == "BLASTS_PCT" and m.value and m.final and m.taken.may_be_within(window, s.now)
    ]
    seen = [f for f in s.chart.findings if "blasts" in f.kinds and f.final and f.taken.may_be_within(window, s.now)]
    return claim(s.chart, [*counted, *seen], CELLS, PrefetchKey.LAB_RESULTS)


@fact("clears_count", FactKind.BOOL, missing=NEEDS_CELLS, source="C-VALID",
      meaning="The ANC in force is a final result (a preliminary one never clears anything)")  # fmt: skip
def clears_count(s: Situation) -> Answer:
    return whether(s.counts.in_force is not None and s.counts.in_force.final, s, s.counts.in_force)


def is_duffy_null(s: Situation) -> bool:
    """True where the patient is known to be Duffy-null."""
    return is_true(s.duffy)
