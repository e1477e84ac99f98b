"""Facts about a treatment under way: clozapine baselines, the last doses of a drug, what hydroxyurea is given for."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.chart import MedicationOrder, PrefetchKey
from cds_service.clinical.draws import apart, plain
from cds_service.clinical.facts.count_facts import CELLS, NEEDS_CELLS, whether
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import days, hours, lasts
from cds_service.clinical.situation import Situation


@fact("baseline_results", FactKind.NUMBER, unit="1", missing=NEEDS_CELLS, source="RULES 26",
      meaning="How many final counts of the last 28 d, each 24 h or more apart, are 1.0 or higher")  # fmt: skip
def baseline_results(s: Situation) -> Answer:
    if s.chart.lacks(CELLS):
        return whether(False, s)
    chosen: list[Moment] = []
    sources: list[str] = []
    for count in s.counts.final:
        fresh = count.taken.is_within(days(s.numbers.current_days), s.now) and count.value >= s.numbers.moderate_below
        if fresh and (not chosen or lasts(apart(chosen[-1], count.taken), hours(s.numbers.previous_hours))):
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
