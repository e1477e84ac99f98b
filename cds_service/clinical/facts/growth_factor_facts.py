"""Facts about growth factors: what still acts, what speaks against one, and the time from the last cytotoxic dose."""

from __future__ import annotations

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.facts.chart_facts import NEEDS_DRUGS, NEEDS_PROBLEMS
from cds_service.clinical.facts.count_facts import NEEDS_CELLS, whether
from cds_service.clinical.facts.fever_facts import DRUGS
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.growth_factors import (
    acting,
    cytotoxics,
    ordered_cytotoxics,
    perhaps_too_soon,
    reasons,
    too_soon,
)
from cds_service.clinical.knowledge import Answer, Known, both, claim, negated
from cds_service.clinical.recent_procedures import chest_radiotherapy
from cds_service.clinical.situation import Situation

NEEDS_PROCEDURES = "True on any evidence; unknown where procedures are unavailable"


@fact("anc_within_7_days", FactKind.BOOL, missing=NEEDS_CELLS, source="C-FRESH",
      meaning="The ANC in force is at most 7 d old")  # fmt: skip
def anc_within_7_days(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.in_force, s.numbers.fever_count_days), s, s.counts.in_force)


@fact("leukaemia_or_mds", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 29c",
      meaning="Active AML, ALL, APL, MDS or CMML")  # fmt: skip
def leukaemia_or_mds(s: Situation) -> Answer:
    return s.diseases.has("aml", "all", "apl", "mds", "cmml")


@fact(
    "cmml", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 32", meaning="Active chronic myelomonocytic leukaemia"
)
def cmml(s: Situation) -> Answer:
    return s.diseases.has("cmml")


@fact("chest_radiotherapy_14_days", FactKind.BOOL, missing=NEEDS_PROCEDURES, source="RULES 29d",
      meaning="Radiotherapy of the chest within 14 d")  # fmt: skip
def chest_radiotherapy_14_days(s: Situation) -> Answer:
    return claim(s.chart, chest_radiotherapy(s), PrefetchKey.PROCEDURES)


@fact("growth_factor_acting", FactKind.BOOL, missing=NEEDS_DRUGS, source="RULES 29c",
      meaning="A short-acting growth factor within 3 d, or a long-acting one within 14 d")  # fmt: skip
def growth_factor_acting(s: Situation) -> Answer:
    return claim(s.chart, acting(s), *DRUGS)


@fact("chest_chemoradiation", FactKind.BOOL, source="RULES 29d",
      missing="True on any evidence; unknown where procedures or drugs are unavailable",
      meaning="Radiotherapy of the chest within 14 d, and a cytotoxic or antibody-drug conjugate within 28 d or "
              "ordered")  # fmt: skip
def chest_chemoradiation(s: Situation) -> Answer:
    chemotherapy = claim(s.chart, [*cytotoxics(s), *ordered_cytotoxics(s)], *DRUGS)
    return both(chest_radiotherapy_14_days(s), chemotherapy)


@fact(
    "growth_factor_reason",
    FactKind.BOOL,
    meaning=(
        "What can be a reason for a growth factor: a cytotoxic within 28 d or ordered, severe chronic or cyclic "
        "neutropenia, a transplant or conditioning within 100 d, mobilisation with plerixafor"
    ),
    missing="True on any evidence; unknown where drugs, problems or procedures are unavailable",
    source="RULES 29d",
)
def growth_factor_reason(s: Situation) -> Answer:
    return claim(s.chart, reasons(s), *DRUGS, PrefetchKey.CONDITIONS, PrefetchKey.PROCEDURES)


@fact(
    "growth_factor_without_reason",
    FactKind.BOOL,
    meaning="A measured ANC of 1.0 or more, at most 7 d old, and no reason for a growth factor on file",
    missing="Unknown where cell counts are unavailable or what can be a reason is not known",
    source="RULES 29d",
)
def growth_factor_without_reason(s: Situation) -> Answer:
    count = s.counts.in_force
    measured = count is not None and not count.upper_bound and s.counts.bound is None
    fresh = s.counts.is_current(count, s.numbers.fever_count_days)
    high = measured and fresh and count is not None and count.value >= s.numbers.moderate_below
    return both(whether(high, s, count), negated(growth_factor_reason(s)))


@fact("growth_factor_allergy", FactKind.BOOL, source="RULES 29d",
      missing="True on any evidence; unknown where allergies are unavailable",
      meaning="An active allergy to a growth factor of the drug table")  # fmt: skip
def growth_factor_allergy(s: Situation) -> Answer:
    found = [a for a in s.chart.allergies if any(d.is_growth_factor for d in a.drugs)]
    return claim(s.chart, found, PrefetchKey.ALLERGIES)


@fact("drug.cytotoxic_too_soon", FactKind.BOOL, source="RULES 29d",
      missing="True on any evidence; unknown where a time is planned and drugs are unavailable",
      meaning="A cytotoxic dose, given or drafted, surely 0 to less than 24 h before the planned first dose; "
              "those taken daily by mouth do not count")  # fmt: skip
def cytotoxic_too_soon(c: DrugCase) -> Answer:
    if c.order.planned_first_dose is None:
        return Known(False)
    return claim(c.situation.chart, too_soon(c.situation, c.order), *DRUGS)


@fact("drug.cytotoxic_perhaps_too_soon", FactKind.BOOL, source="RULES 29d", missing=NEEDS_DRUGS,
      meaning="A cytotoxic dose of which it is open whether 24 h lie between it and the first dose: less than 24 h ago "
              "where no time is planned, or where only the day of one of them is known")  # fmt: skip
def cytotoxic_perhaps_too_soon(c: DrugCase) -> Answer:
    return claim(c.situation.chart, perhaps_too_soon(c.situation, c.order), *DRUGS)
