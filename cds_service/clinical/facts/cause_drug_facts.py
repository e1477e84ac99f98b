"""Facts about drugs that may have lowered the count and no other rule acts on, and about doses to reduce (22, 23).

Possible exposure is enough: a prescription renewed after the draw does not clear a drug that was taken before.
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.clinical.draws import plain
from cds_service.clinical.drug_table import Drug, Risk
from cds_service.clinical.exposure import Exposed, newest_exposure
from cds_service.clinical.facts.count_facts import NEEDS_CELLS, whether
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.fever_facts import DRUGS
from cds_service.clinical.facts.limit_facts import below_default_limit, below_severe
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.knowledge import Answer, Known, claim, is_true
from cds_service.clinical.situation import Situation
from cds_service.clinical.systemic_exposure import systemic_exposures, taken_now

NEEDS_DRUGS = "True on any evidence; unknown where drugs are unavailable"
TKI_GROUPS = frozenset({"tki"})
NAMES_SHOWN = 2
MECHANISMS: Mapping[Risk, str] = {
    Risk.IDIOSYNCRATIC: "idiosyncratic agranulocytosis",
    Risk.LATE_ONSET: "late-onset neutropenia",
    Risk.DOSE_DEPENDENT: "dose-dependent neutropenia",
}
"""How a drug of a risk class lowers the count, in the order in which suspects are named."""


def has_own_rule(drug: Drug) -> bool:
    """Clozapine, hydroxyurea, beta-lactams, tyrosine kinase inhibitors, cytotoxics: judged elsewhere (RULES 22)."""
    named = drug.is_clozapine or drug.is_hydroxyurea or drug.is_beta_lactam
    return named or drug.is_cytotoxic_or_adc or drug.mechanism_group in TKI_GROUPS


def active_cases(s: Situation, drug: Drug) -> list[DrugCase]:
    return [DrugCase(s, order, drug) for order in s.exposure.active if drug in order.drugs]


def below_its_limit(s: Situation, drug: Drug) -> bool:
    """True where it is taken and known to be below its limit, so that rule 25 judges it."""
    return any(is_true(below_default_limit(case)) for case in active_cases(s, drug))


def acted_on_without_limit(s: Situation, drug: Drug) -> bool:
    """True where rule 27b speaks: a home drug at a severe count, and no marrow disease."""
    if is_true(s.diseases.marrow_disease):
        return False
    severe = [case for case in active_cases(s, drug) if is_true(below_severe(case))]
    return any(s.exposure.taken_at_home(case.order, drug) for case in severe)


def suspects(s: Situation, risk: Risk) -> list[Exposed]:
    """Possible exposures of one risk class within their look-back, of drugs without a rule of their own."""
    found = systemic_exposures(s, lambda drug: drug.exposure_lookback_days)
    return [e for e in found if e.drug.risk is risk and not has_own_rule(e.drug)]


def idiosyncratic_suspects(s: Situation) -> list[Exposed]:
    return [e for e in suspects(s, Risk.IDIOSYNCRATIC) if not below_its_limit(s, e.drug)]


def late_suspects(s: Situation) -> list[Exposed]:
    return suspects(s, Risk.LATE_ONSET)


def dose_suspects(s: Situation) -> list[Exposed]:
    unlimited = [e for e in suspects(s, Risk.DOSE_DEPENDENT) if not e.drug.has_anc_limit]
    return [e for e in unlimited if not acted_on_without_limit(s, e.drug)]


@fact(
    "idiosyncratic_drug_suspected",
    FactKind.BOOL,
    meaning="A drug that can cause agranulocytosis was stopped within its look-back, or is taken, not below its limit",
    missing=NEEDS_DRUGS,
    source="RULES 22",
)
def idiosyncratic_drug_suspected(s: Situation) -> Answer:
    return claim(s.chart, idiosyncratic_suspects(s), *DRUGS)


@fact("late_onset_drug_suspected", FactKind.BOOL, missing=NEEDS_DRUGS, source="RULES 22",
      meaning="Possible exposure, within its look-back, to a drug that lowers the count late")  # fmt: skip
def late_onset_drug_suspected(s: Situation) -> Answer:
    return claim(s.chart, late_suspects(s), *DRUGS)


@fact(
    "dose_dependent_drug_suspected",
    FactKind.BOOL,
    meaning=(
        "Possible exposure, within its look-back, to a drug that lowers the count with the dose, has no label ANC "
        "limit and is not already acted on as marrow-toxic at a severe count"
    ),
    missing=NEEDS_DRUGS,
    source="RULES 22",
)
def dose_dependent_drug_suspected(s: Situation) -> Answer:
    return claim(s.chart, dose_suspects(s), *DRUGS)


def named_suspects(s: Situation) -> list[Exposed]:
    """The suspects of the rule, each drug once: dose-dependent ones only below 1.0."""
    count = s.counts.at_most
    moderate = count is not None and count.value < s.numbers.moderate_below
    found = [*idiosyncratic_suspects(s), *late_suspects(s), *(dose_suspects(s) if moderate else [])]
    drugs = dict.fromkeys(e.drug for e in found)
    return [newest for drug in drugs if (newest := newest_exposure(e for e in found if e.drug == drug))]


@fact(
    "suspected_drugs",
    FactKind.TEXT,
    meaning="The drugs that may have lowered the count, each with its start, end or last dose; two by name",
    missing="Always known; says in words where none is recognised",
    source="RULES 22",
)
def suspected_drugs(s: Situation) -> Answer:
    found = named_suspects(s)
    words = [f"{short_name(e.drug)}, {timing(e, s)}" for e in found[:NAMES_SHOWN]]
    more = f" and {len(found) - NAMES_SHOWN} more" if len(found) > NAMES_SHOWN else ""
    return Known(("; ".join(words) or "none recognised") + more, sources=_sources(found))


@fact(
    "suspected_drug_notes",
    FactKind.TEXT,
    meaning="The same drugs, all of them: class, mechanism, timing, label limit, what the drug table notes of onset",
    missing="Always known; says in words where none is recognised",
    source="RULES 22, drugs.csv",
)
def suspected_drug_notes(s: Situation) -> Answer:
    found = named_suspects(s)
    words = [f"{short_name(e.drug)} ({e.drug.drug_class}), {timing(e, s)}: {described(e.drug)}" for e in found]
    return Known(". ".join(words) or "none recognised", sources=_sources(found))


def described(drug: Drug) -> str:
    limit = "" if drug.anc_hold is None else f", label limit ANC {plain(drug.anc_hold)}"
    return f"{MECHANISMS[drug.risk]}{limit}; {drug.notes or 'usual latency not stated'}"


def short_name(drug: Drug) -> str:
    return drug.ingredient.split(" (")[0]


def timing(exposed: Exposed, s: Situation) -> str:
    """When it was begun, or ended, or last given."""
    if exposed.given:
        return f"last dose {age(exposed.last, s)}"
    if not taken_now(s, exposed.drug):
        return f"ended {age(exposed.last, s)}"
    started = f"begun {age(exposed.since, s)}" if exposed.since else "start not stated"
    return started if exposed.ongoing else f"{started}, no dose on record"


def _sources(found: list[Exposed]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.source for e in found))


@fact("drug.dose_reduce", FactKind.BOOL, missing=ALWAYS, source="drugs.csv",
      meaning="Of the short list of drugs whose dose may be reduced for a mild leukopenia")  # fmt: skip
def dose_reduce(c: DrugCase) -> Answer:
    return Known(c.drug.dose_reduce, sources=(c.order.source,))


@fact("wbc_current", FactKind.BOOL, missing=NEEDS_CELLS, source="C-FRESH",
      meaning="The newest WBC is at most 28 d old")  # fmt: skip
def wbc_current(s: Situation) -> Answer:
    return whether(s.counts.is_current(s.counts.white), s, s.counts.white)
