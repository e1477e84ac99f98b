"""Whether the patient is in febrile neutropenia or may be: what rules 1 and 2 are about, on any hook."""

from __future__ import annotations

from cds_service.clinical.facts.chart_facts import marrow_procedure_100_days, neutropenic_disease
from cds_service.clinical.facts.count_facts import count_within_24_h, wbc_within_7_days, wbc_without_anc, whether
from cds_service.clinical.facts.fever_facts import antimetabolite_for_malignancy, chemotherapy_exposure
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, both, either, negated
from cds_service.clinical.situation import Situation


@fact(
    "neutropenic_fever",
    FactKind.BOOL,
    meaning=(
        "Fever or infection sign with a count (or bound) below 1.0 of the last 7 d or, without a count of 24 h, with a "
        "risk of neutropenia; also where an ordering hook shows no card of it"
    ),
    missing="Unknown where vital signs, problems, drugs, procedures or cell counts are unavailable and could say so",
    source="RULES 1, 2",
)
def neutropenic_fever(s: Situation) -> Answer:
    uncounted_risk = both(_at_risk(s), negated(count_within_24_h(s)))
    return both(s.fever.hot, either(_low_within_7_days(s), uncounted_risk))


def _low_within_7_days(s: Situation) -> Answer:
    count = next(iter(s.counts.low_counts(s.numbers.fever_count_days)), None)
    return whether(count is not None and count.value < s.numbers.moderate_below, s, count)


def _at_risk(s: Situation) -> Answer:
    """The risks (a) to (f) of rule 2."""
    return either(
        chemotherapy_exposure(s),
        antimetabolite_for_malignancy(s),
        marrow_procedure_100_days(s),
        neutropenic_disease(s),
        _last_count_low(s),
        both(_white_cells_low(s), wbc_within_7_days(s), wbc_without_anc(s)),
    )


def _last_count_low(s: Situation) -> Answer:
    last = s.counts.in_force
    low = last is not None and last.value < s.numbers.moderate_below
    return whether(low and s.counts.is_current(last, s.numbers.stale_days), s, last)


def _white_cells_low(s: Situation) -> Answer:
    white = s.counts.white
    return whether(white is not None and white.value < s.numbers.fever_wbc_below, s, white)
