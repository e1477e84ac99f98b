"""Facts about BCR-ABL inhibitors in CML that are on hold: why, whether the counts allow resuming, and at what dose.

Evidence for resuming reassures, so it is read strictly: final results, surely recent, of known value.
Source: clinical specification, rules 33 to 35.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds_service.clinical.chart import Measurement, PrefetchKey
from cds_service.clinical.draws import Count, just_below, plain
from cds_service.clinical.drug_table import Drug, ResumeOperator
from cds_service.clinical.facts.count_facts import CELLS
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

CYTOPENIA = frozenset({"neutropenia", "thrombocytopenia", "cytopenia"})
BESIDE_CYTOPENIA = frozenset({"leukopenia", "agranulocytosis", "febrile-neutropenia"})
"""What a reason may also be coded as without being another reason."""

CML = frozenset({"cml", "cml-blast", "cml-accelerated"})


@fact(
    "growth_factor_within_7_days",
    FactKind.BOOL,
    meaning="Possible exposure to a growth factor within 7 d: a count may be high for that reason alone",
    missing="True on any evidence; unknown where drugs are unavailable",
    source="RULES 35",
)
def growth_factor_within_7_days(s: Situation) -> Answer:
    window = days(s.numbers.resume_days)
    taken = s.exposure.within(lambda drug: drug.is_growth_factor, lambda _: window)
    return claim(s.chart, taken, PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)


@fact("cml_drug_active", FactKind.BOOL, source="RULES 35", meaning="A BCR-ABL inhibitor is being taken",
      missing="True on any evidence; unknown where drugs are unavailable")  # fmt: skip
def cml_drug_active(s: Situation) -> Answer:
    taken = s.exposure.active_drug(lambda drug: drug.is_bcr_abl_tki)
    return claim(s.chart, taken, PrefetchKey.MEDICATION_REQUESTS)


@fact("cml_phase_words", FactKind.TEXT, missing=ALWAYS, source="RULES 33",
      meaning="The phase of CML as it is coded; one that is not stated is read as chronic")  # fmt: skip
def cml_phase_words(s: Situation) -> Answer:
    stated = [p for p in s.diseases.having(CML) if p.stage]
    words = "; ".join(dict.fromkeys(p.stage or "" for p in stated))
    return Known(words or "not stated, read as chronic", sources=tuple(p.source for p in stated))


@fact(
    "drug.resume_limits_reached",
    FactKind.BOOL,
    meaning=(
        "The final ANC in force and the newest final platelets, both surely at most 7 d old, reach the label's resume "
        "limits with its operator; a bound or an upper limit ('below x') reaches none"
    ),
    missing="Unknown where cell counts are unavailable; false where a count or a limit is missing",
    source="drugs.csv",
)
def resume_limits_reached(c: DrugCase) -> Answer:
    s, drug = c.situation, c.drug
    if s.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    count, thrombocytes = _reassuring_count(s), _reassuring_platelets(s)
    if count is None or thrombocytes is None or thrombocytes.value is None:
        return Known(False)
    values = ((count.value, drug.anc_resume), (thrombocytes.value, drug.plt_resume))
    reached = all(_reaches(drug, value, limit) for value, limit in values)
    return Known(reached, count.taken, (*count.sources, thrombocytes.source))


def _reaches(drug: Drug, value: Decimal, limit: Decimal | None) -> bool:
    if limit is None:
        return False
    return value > limit if drug.anc_resume_operator is ResumeOperator.ABOVE else value >= limit


def _reassuring_count(s: Situation) -> Count | None:
    """The count in force, where it is final, surely recent, no upper limit, and no newer WBC bounds it."""
    count = s.counts.in_force
    if count is None or s.counts.bound is not None or count.upper_bound or not count.final:
        return None
    return count if count.taken.is_within(days(s.numbers.resume_days), s.now) else None


def _reassuring_platelets(s: Situation) -> Measurement | None:
    found = s.counts.latest_measurement("PLT")
    if found is None or not found.final or found.comparator:
        return None
    return found if found.taken.is_within(days(s.numbers.resume_days), s.now) else None


@fact(
    "drug.held_for_cytopenia",
    FactKind.BOOL,
    meaning=(
        "The reason of the hold is neutropenia, thrombocytopenia or cytopenia and nothing else, or none is stated and "
        "a final count or platelet result below the label's limit is at most 60 d old"
    ),
    missing="Unknown where no reason is stated and cell counts are unavailable",
    source="RULES 35",
)
def held_for_cytopenia(c: DrugCase) -> Answer:
    if _reason_stated(c):
        others = c.order.reasons - CYTOPENIA - BESIDE_CYTOPENIA
        return Known(bool(c.order.reasons & CYTOPENIA) and not others, sources=(c.order.source,))
    if c.situation.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    low = _low_values(c)
    return Known(bool(low), sources=tuple(source for _, _, source in low))


def _reason_stated(c: DrugCase) -> bool:
    return bool(c.order.reasons or (c.order.reason_text or "").strip())


LowValue = tuple[Moment, str, str]
"""When it was taken, its words, and its source."""


def _low_values(c: DrugCase) -> list[LowValue]:
    """Final results of 60 d below the label's limits, newest first."""
    s, window = c.situation, days(c.situation.numbers.held_low_days)
    counts = [(n.taken, f"ANC {n.shown}", n.source) for n in s.counts.final if _is_low(n.value, c.drug.anc_hold)]
    found = [*counts, *_low_platelets(s.chart.measurements, c.drug.plt_hold)]
    return sorted((low for low in found if low[0].is_within(window, s.now)), key=lambda low: low[0], reverse=True)


def _low_platelets(measurements: Iterable[Measurement], limit: Decimal | None) -> list[LowValue]:
    return [
        (m.taken, f"PLT {m.comparator or ''}{plain(m.value)}", m.source)
        for m in measurements
        if m.analyte == "PLT" and m.final and m.value is not None and _is_low(_highest(m, m.value), limit)
    ]


def _highest(measurement: Measurement, value: Decimal) -> Decimal | None:
    """The most a result can be; None where it only says "above x"."""
    comparator = measurement.comparator or ""
    if comparator.startswith(">"):
        return None
    return just_below(value) if comparator else value


def _is_low(value: Decimal | None, limit: Decimal | None) -> bool:
    return value is not None and limit is not None and value < limit


@fact("drug.hold_reason_words", FactKind.TEXT, missing=ALWAYS, source="RULES 35",
      meaning="What the drug was put on hold for, or the low value that stands in for a reason")  # fmt: skip
def hold_reason_words(c: DrugCase) -> Answer:
    if known := sorted(c.order.reasons & CYTOPENIA):
        return Known(f"for {' and '.join(known)}", sources=(c.order.source,))
    if _reason_stated(c):
        return Known("for another reason", sources=(c.order.source,))
    low = next(iter(_low_values(c)), None)
    return Known(f"without a stated reason ({low[1]} on {low[0].day})" if low else "without a stated reason")


@fact("drug.held_since_words", FactKind.TEXT, missing=ALWAYS, source="RULES 35",
      meaning="When the last dose was and how many days ago, or that it is not stated")  # fmt: skip
def held_since_words(c: DrugCase) -> Answer:
    last = c.order.end
    if last is None or last.is_future(c.situation.now):
        return Known("date of the last dose not stated", sources=(c.order.source,))
    return Known(f"last dose {last.day}, {age(last, c.situation)}", last, (c.order.source,))


@fact("drug.resume_dose_words", FactKind.TEXT, missing=ALWAYS, source="drugs.csv",
      meaning="What the label says of the dose on resumption, or that it says nothing")  # fmt: skip
def resume_dose_words(c: DrugCase) -> Answer:
    return Known(c.drug.label_action or "the label states no dose")
