"""Facts about a course of a parenteral beta-lactam: its days, its dose by weight, the counts before and during it."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from cds_service.clinical.beta_lactam_course import BetaLactamCourse, is_parenteral_beta_lactam, newest_weight
from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.draws import plain
from cds_service.clinical.facts.count_facts import CELLS, NEEDS_CELLS, whether
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.limit_facts import judged_count
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim, lacking
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

ORDERS = PrefetchKey.MEDICATION_REQUESTS
WHOLE, TENTH, HUNDREDTH = Decimal(1), Decimal("0.1"), Decimal("0.01")
NEEDS_DOSE = "Unknown where the order states no daily dose as a mass (of penicillin G: or in units)"


def course_of(c: DrugCase) -> BetaLactamCourse:
    return BetaLactamCourse(c.situation, c.order, c.drug)


@fact("drug.parenteral_beta_lactam", FactKind.BOOL, missing=ALWAYS, source="RULES B6",
      meaning="A beta-lactam given by vein or muscle, or usually given so where the route is not stated")  # fmt: skip
def parenteral_beta_lactam(c: DrugCase) -> Answer:
    return Known(is_parenteral_beta_lactam(c.order, c.drug), sources=(c.order.source,))


@fact(
    "drug.course_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Whole days of the present course; orders of the same class with gaps of at most 48 h are one course",
    missing="Unknown where no start is stated and, on a draft, where the drug list is unavailable",
    source="RULES B6",
)
def course_days(c: DrugCase) -> Answer:
    if c.order.draft and (missing := lacking(c.situation.chart, ORDERS)):
        return Unknown(missing)
    course = course_of(c)
    if course.days_so_far is None:
        return Unknown(note="start not stated")
    return Known(course.days_so_far, course.start, (c.order.source,))


@fact(
    "drug.total_course_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Days of the course before this order and those the order is planned for; without the drug list only these",
    missing="Unknown where the order states no length",
    source="RULES 36",
)
def total_course_days(c: DrugCase) -> Answer:
    total = course_of(c).days_in_all
    return Unknown(note="length not stated") if total is None else Known(total, sources=(c.order.source,))


@fact("drug.course_words", FactKind.TEXT, missing=ALWAYS, source="RULES 36",
      meaning="For how many days the course is planned, and how many have passed")  # fmt: skip
def course_words(c: DrugCase) -> Answer:
    course = course_of(c)
    total, so_far = course.days_in_all, course.days_so_far
    if total is None:
        return Known(f"on day {plain(so_far)}, length not stated" if so_far else "of no stated length")
    return Known(f"for {plain(total)} days" + (f" in all, {plain(so_far)} so far" if so_far else ""))


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
    start, present = course_of(c).start, judged_count(c)
    if start is None or present is None:
        return Unknown(note="no start or no count")
    before = next((count for count in c.situation.counts.final if count.taken.latest < start.earliest), None)
    if before is None or not before.value:
        return Unknown(note="no count from before the course")
    return Known(present.value / before.value, before.taken, before.sources)


@fact("count_within_7_days", FactKind.BOOL, missing=NEEDS_CELLS, source="RULES 36",
      meaning="A final usable neutrophil count surely lies within the last 7 d")  # fmt: skip
def count_within_7_days(s: Situation) -> Answer:
    found = s.counts.available_within(days(s.numbers.course_count_days))
    return whether(found is not None, s, found)


@fact("weight_on_file", FactKind.BOOL, source="RULES 38", meaning="A usable body weight is on file, however old",
      missing="True on any evidence; unknown where vital signs are unavailable")  # fmt: skip
def weight_on_file(s: Situation) -> Answer:
    weighed = newest_weight(s)
    return claim(s.chart, [weighed] if weighed else [], PrefetchKey.VITAL_SIGNS)


@fact("weight", FactKind.NUMBER, unit="kg", source="RULES 38", meaning="The newest usable body weight, however old",
      missing="Unknown where none is on file or vital signs are unavailable")  # fmt: skip
def weight(s: Situation) -> Answer:
    weighed = newest_weight(s)
    if weighed is None or weighed.value is None:
        return Unknown(lacking(s.chart, PrefetchKey.VITAL_SIGNS), "no usable weight")
    return Known(weighed.value, weighed.taken, (weighed.source,), shown=_cut(weighed.value, TENTH))


@fact("drug.grams_per_day", FactKind.NUMBER, unit="g/d", missing=NEEDS_DOSE, source="RULES B6",
      meaning="The ordered daily dose; a million units of penicillin G are 0.6 g")  # fmt: skip
def grams_per_day(c: DrugCase) -> Answer:
    grams = course_of(c).grams_a_day
    if grams is None:
        return Unknown(note="daily dose not stated")
    return Known(grams, sources=(c.order.source,), shown=_units(c) + _cut(grams, HUNDREDTH))


def _units(c: DrugCase) -> str:
    """The dose as ordered, where that was in units."""
    mega = c.order.daily_dose_mu
    return f"{_cut(mega, HUNDREDTH)} million units = " if mega is not None and c.order.daily_dose_mg is None else ""


@fact("drug.mg_per_kg_day", FactKind.NUMBER, unit="mg/kg/d", source="RULES 38",
      meaning="The ordered daily dose by the newest actual weight",
      missing="Unknown where the daily dose or the weight is")  # fmt: skip
def mg_per_kg_day(c: DrugCase) -> Answer:
    dose, weighed = course_of(c).mg_per_kg_a_day, weight(c.situation)
    if dose is None or isinstance(weighed, Unknown):
        return Unknown(weighed.missing if isinstance(weighed, Unknown) else frozenset(), "dose or weight not known")
    return Known(dose, weighed.at, (c.order.source, *weighed.sources), shown=_cut(dose, WHOLE))


def _cut(value: Decimal, step: Decimal) -> str:
    """Shortened, never upwards: what is printed reaches no limit that the value does not reach."""
    return plain(value.quantize(step, rounding=ROUND_DOWN).normalize())


@fact("drug.dose_by_weight", FactKind.TEXT, missing=ALWAYS, source="RULES A, S23",
      meaning="The daily dose by weight, or the dose alone, or that neither is known")  # fmt: skip
def dose_by_weight(c: DrugCase) -> Answer:
    by_weight, grams = mg_per_kg_day(c), grams_per_day(c)
    if isinstance(by_weight, Known):
        return Known(f"{by_weight.shown} mg/kg/day", by_weight.at, by_weight.sources)
    return Known(f"{grams.shown} g/day at unknown weight" if isinstance(grams, Known) else "daily dose not known")
