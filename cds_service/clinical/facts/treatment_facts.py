"""Facts about a course of treatment: days of a beta-lactam, clozapine baselines, the last doses of a drug.

A day of treatment is counted as a whole day, rounded: courses are planned in days, not in hours.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.chart import MedicationOrder, PrefetchKey, Route
from cds_service.clinical.draws import apart, plain
from cds_service.clinical.drug_table import DefaultRoute, Drug
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.facts.count_facts import CELLS, NEEDS_CELLS, whether
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.limit_facts import judged_count
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation

ONE_DAY = timedelta(days=1)


def is_parenteral_beta_lactam(order: MedicationOrder, drug: Drug) -> bool:
    by_default = order.route is Route.UNKNOWN and drug.default_route is DefaultRoute.PARENTERAL
    return drug.is_beta_lactam and (order.route is Route.PARENTERAL or by_default)


@fact("drug.parenteral_beta_lactam", FactKind.BOOL, missing=ALWAYS, source="RULES B6",
      meaning="A beta-lactam given by vein or muscle, or usually given so where the route is not stated")  # fmt: skip
def parenteral_beta_lactam(c: DrugCase) -> Answer:
    return Known(is_parenteral_beta_lactam(c.order, c.drug), sources=(c.order.source,))


def course_start(c: DrugCase) -> Moment | None:
    """When the present course began: orders of the same class with gaps of at most 48 h are one course."""
    exposure = c.situation.exposure
    earlier = [
        o
        for o in exposure.existing
        if any(d.drug_class == c.drug.drug_class and is_parenteral_beta_lactam(o, d) for d in o.drugs)
    ]
    starts = sorted(((s, o) for o in earlier if (s := exposure.started(o))), key=lambda pair: pair[0], reverse=True)
    begin = exposure.started(c.order)
    joined = hours(c.situation.numbers.course_gap_hours)
    for start, order in starts:
        if begin is not None and start < begin and begin.earliest - _ended(order, c.situation).latest <= joined:
            begin = start
    return begin


def _ended(order: MedicationOrder, s: Situation) -> Moment:
    return order.end or (Moment.at(s.now) if order.status not in ENDED else order.start or Moment.at(s.now))


@fact(
    "drug.course_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Whole days of the present course; orders of the same class with gaps of at most 48 h are one course",
    missing="Unknown where no start is stated",
    source="RULES B6",
)
def course_days(c: DrugCase) -> Answer:
    start = course_start(c)
    if start is None or start.is_future(c.situation.now):
        return Unknown(note="start not stated")
    return Known(Decimal(round(start.oldest_age(c.situation.now) / ONE_DAY)), start, (c.order.source,))


@fact(
    "drug.share_of_earlier_count",
    FactKind.NUMBER,
    unit="1",
    meaning="The present ANC as a share of the last final count from before the course",
    missing="Unknown where no count from before the course is on file",
    source="RULES 37",
)
def share_of_earlier_count(c: DrugCase) -> Answer:
    if c.situation.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    start, present = course_start(c), judged_count(c)
    if start is None or present is None:
        return Unknown(note="no start or no count")
    before = next((count for count in c.situation.counts.final if count.taken.latest < start.earliest), None)
    if before is None or not before.value:
        return Unknown(note="no count from before the course")
    return Known(present.value / before.value, before.taken, before.sources)


@fact("baseline_results", FactKind.NUMBER, unit="1", missing=NEEDS_CELLS, source="RULES 26",
      meaning="How many final counts of the last 28 d, each 24 h or more apart, are 1.0 or higher")  # fmt: skip
def baseline_results(s: Situation) -> Answer:
    if s.chart.lacks(CELLS):
        return whether(False, s)
    chosen: list[Moment] = []
    sources: list[str] = []
    for count in s.counts.final:
        fresh = count.taken.is_within(days(s.numbers.current_days), s.now) and count.value >= s.numbers.moderate_below
        if fresh and (not chosen or apart(chosen[-1], count.taken) >= hours(s.numbers.previous_hours)):
            chosen.append(count.taken)
            sources += count.sources
    return Known(Decimal(len(chosen)), sources=tuple(sources))


@fact(
    "drug.last_doses",
    FactKind.TEXT,
    meaning="The last three doses ordered of this drug, newest first",
    missing=ALWAYS,
    source="RULES 31",
)
def last_doses(c: DrugCase) -> Answer:
    exposure = c.situation.exposure
    if c.situation.chart.lacks(PrefetchKey.MEDICATION_REQUESTS):
        return Known("not known (drug list unavailable)")
    dated = [(s, o) for o in exposure.existing if c.drug in o.drugs and (s := exposure.started(o))]
    newest = sorted(dated, key=lambda pair: pair[0], reverse=True)[:3]
    words = [f"{_dose(order)} from {start.day}" for start, order in newest]
    return Known("; ".join(words) or "none on file", sources=tuple(order.source for _, order in newest))


def _dose(order: MedicationOrder) -> str:
    if order.daily_dose_mg is not None:
        return f"{plain(order.daily_dose_mg)} mg/day"
    return order.dose_text or "dose not stated"


@fact(
    "myeloproliferative_words",
    FactKind.TEXT,
    meaning="The coded myeloproliferative disease, or that none is coded and the indication is to be asked for",
    missing=ALWAYS,
    source="RULES 31",
)
def myeloproliferative_words(s: Situation) -> Answer:
    found = s.diseases.having(frozenset({"pv", "et", "pmf"}))
    words = ", ".join(dict.fromkeys(p.text for p in found))
    return Known(words or "no PV, ET or PMF coded: please check the indication", sources=tuple(p.source for p in found))
