"""Facts about fever, infection signs, and treatment of a febrile neutropenia already under way."""

from __future__ import annotations

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.diseases import HAEMATOLOGICAL_MALIGNANCY
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import Exposed
from cds_service.clinical.facts.count_facts import count_within_24_h
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown, both, claim, either, is_true, lacking, negated
from cds_service.clinical.shared_numbers import days, lasts
from cds_service.clinical.situation import Situation

VITALS_OR_PROBLEMS = (
    "True on any evidence; unknown where vital signs or problems are unavailable and none of the rest says so"
)
DRUGS = (PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)


@fact("fever", FactKind.BOOL, missing=VITALS_OR_PROBLEMS, source="C-FEVER",
      meaning="One reading >= 38.3 C, or two >= 38.0 an hour apart, in 24 h; or a fever coded within 48 h")  # fmt: skip
def fever(s: Situation) -> Answer:
    return s.fever.fever


@fact(
    "infection_sign",
    FactKind.BOOL,
    meaning=(
        "A dated active infection not yet treated for 72 h, systolic pressure below 90, hypothermia, or at ANC "
        "<0.5 a local symptom"
    ),
    missing=VITALS_OR_PROBLEMS,
    source="C-FEVER",
)
def infection_sign(s: Situation) -> Answer:
    return s.fever.infection_sign


@fact("hot", FactKind.BOOL, missing=VITALS_OR_PROBLEMS, source="C-FEVER", meaning="Fever or an infection sign")
def hot(s: Situation) -> Answer:
    return s.fever.hot


@fact("shock", FactKind.BOOL, missing="Unknown where vital signs are unavailable", source="C-FEVER",
      meaning="A systolic pressure of 24 h below 90 mm[Hg]")  # fmt: skip
def shock(s: Situation) -> Answer:
    return s.fever.shock


@fact("throat_symptoms", FactKind.BOOL, missing="Unknown where problems are unavailable", source="RULES 5",
      meaning="Sore throat or mouth ulcers of the last 14 d")  # fmt: skip
def throat_symptoms(s: Situation) -> Answer:
    return claim(s.chart, s.fever.throat_symptoms, PrefetchKey.CONDITIONS)


@fact("temperature_unusable", FactKind.BOOL, missing="Unknown where vital signs are unavailable", source="C-FEVER",
      meaning="A temperature of the last 24 h cannot be used: neither fever nor normal")  # fmt: skip
def temperature_unusable(s: Situation) -> Answer:
    return claim(s.chart, s.fever.unusable_temperatures)


@fact(
    "treated",
    FactKind.BOOL,
    meaning="An antipseudomonal drug is active, was started at most 10 d ago, and there is no shock",
    missing="Unknown where drugs or vital signs are unavailable: then not treated",
    source="C-TREATED",
)
def treated(s: Situation) -> Answer:
    return both(claim(s.chart, s.exposure.treating, PrefetchKey.MEDICATION_REQUESTS), negated(s.fever.shock))


@fact(
    "chemotherapy_exposure",
    FactKind.BOOL,
    meaning="Possible exposure to chemotherapy within the drug's fever look-back (42 to 180 d)",
    missing="True on any evidence; unknown where drugs are unavailable",
    source="C-EXPOSURE",
)
def chemotherapy_exposure(s: Situation) -> Answer:
    return claim(s.chart, chemo_exposures(s), *DRUGS)


def chemo_exposures(s: Situation) -> list[Exposed]:
    """C-CHEMO."""
    return s.exposure.within(
        lambda d: d.fever_rule == "chemo", lambda d: days(d.fever_lookback_days or s.numbers.nadir_days)
    )


@fact(
    "chemotherapy_within_14_days",
    FactKind.BOOL,
    meaning="Possible exposure to chemotherapy within 14 d: the nadir may still be to come",
    missing="True on any evidence; unknown where drugs are unavailable",
    source="RULES 4",
)
def chemotherapy_within_14_days(s: Situation) -> Answer:
    window = days(s.numbers.prenadir_days)
    return claim(s.chart, [e for e in chemo_exposures(s) if e.last.may_be_within(window, s.now)], *DRUGS)


@fact(
    "cytotoxic_within_42_days",
    FactKind.BOOL,
    meaning="Possible exposure to a cytotoxic or antibody-drug conjugate within its fever look-back",
    missing="True on any evidence; unknown where drugs are unavailable",
    source="RULES 1",
)
def cytotoxic_within_42_days(s: Situation) -> Answer:
    return claim(s.chart, [e for e in chemo_exposures(s) if e.drug.is_cytotoxic_or_adc], *DRUGS)


@fact(
    "antimetabolite_for_malignancy",
    FactKind.BOOL,
    meaning="A methotrexate-like drug within 14 d, with a coded haematological malignancy",
    missing="Unknown where drugs or problems are unavailable",
    source="RULES 2b",
)
def antimetabolite_for_malignancy(s: Situation) -> Answer:
    taken = s.exposure.within(
        lambda d: d.fever_rule == "chemo-haem", lambda d: days(d.fever_lookback_days or s.numbers.infection_days)
    )
    return both(claim(s.chart, taken, *DRUGS), s.diseases.has(*HAEMATOLOGICAL_MALIGNANCY))


def suspects(s: Situation) -> list[Exposed]:
    """Drugs taken within their look-back whose symptom calls for a count; antibacterials from day 7 on."""
    taken = s.exposure.within(
        lambda d: d.fever_rule not in (None, "chemo"), lambda d: days(d.fever_lookback_days or s.numbers.infection_days)
    )
    return [e for e in taken if not _too_early(s, e)]


@fact(
    "warning_drug_symptom",
    FactKind.BOOL,
    meaning=(
        "Fever, throat symptom or infection sign of the kind the drug table names for a drug taken within its "
        "look-back, and no count of 24 h (deferiprone: whatever the count)"
    ),
    missing="Unknown where drugs, problems or vital signs are unavailable",
    source="RULES 5",
)
def warning_drug_symptom(s: Situation) -> Answer:
    found = suspects(s)
    if not found:
        return claim(s.chart, [], *DRUGS)
    return either(*(_symptom_for(s, e) for e in found), _unless_lacking(s))


def symptomatic(s: Situation) -> list[Exposed]:
    """The suspects whose symptom is known to be there."""
    return [e for e in suspects(s) if is_true(_symptom_for(s, e))]


def pausable(s: Situation, drug: Drug) -> bool:
    """A drug the table says may be paused on its symptom; clozapine from 38.5 C (rule 5)."""
    highest = max((m.value for m in s.fever.temperatures if m.value is not None), default=None)
    hot_enough = drug.fever_hold_from is None or (highest is not None and highest >= drug.fever_hold_from)
    return drug.fever_hold and hot_enough


@fact("symptomatic_drug_to_pause", FactKind.BOOL, missing="False where none is known", source="RULES 5",
      meaning="An active drug whose symptom is there may be paused until the count is known")  # fmt: skip
def symptomatic_drug_to_pause(s: Situation) -> Answer:
    drugs = {e.drug for e in symptomatic(s)}
    orders = s.exposure.active_drug(lambda d: d in drugs and pausable(s, d))
    return Known(bool(orders), sources=tuple(o.source for o in orders))


def _unless_lacking(s: Situation) -> Answer:
    missing = lacking(s.chart, *DRUGS)
    return Unknown(missing) if missing else Known(False)


def _too_early(s: Situation, exposed: Exposed) -> bool:
    """Antibacterials count from day 7 of treatment (rule 5)."""
    if exposed.drug.antibacterial is None or exposed.since is None:
        return False
    return not lasts(exposed.since.youngest_age(s.now), s.numbers.antibacterial_drug_days)


def _symptom_for(s: Situation, exposed: Exposed) -> Answer:
    uncounted = negated(count_within_24_h(s))
    throat = throat_symptoms(s)
    match exposed.drug.fever_rule:
        case "drug-always":
            return either(s.fever.hot, throat)
        case "drug-throat":
            return both(throat, uncounted)
        case "drug-fever":
            return both(s.fever.fever, uncounted)
        case _:
            return both(either(s.fever.fever, throat), uncounted)


@fact("drug.to_pause", FactKind.BOOL, missing="False where no symptom is known", source="RULES 5",
      meaning="Its symptom is there, and the drug table says it may be paused until the count is known")  # fmt: skip
def drug_to_pause(c: DrugCase) -> Answer:
    suspected = [e for e in symptomatic(c.situation) if e.drug == c.drug and pausable(c.situation, e.drug)]
    return Known(bool(suspected), sources=(c.order.source,))
