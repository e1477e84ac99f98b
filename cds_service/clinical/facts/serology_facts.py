"""Facts about drafted antibody tests, and why their result may be falsely negative (RULES 40)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from cds_service.clinical.chart import PerformedProcedure, PrefetchKey, ServiceOrder
from cds_service.clinical.diseases import HAEMATOLOGICAL_MALIGNANCY
from cds_service.clinical.draws import plain
from cds_service.clinical.exposure import Exposed, newest_exposure
from cds_service.clinical.facts.fever_facts import DRUGS
from cds_service.clinical.facts.immunoglobulin_facts import igg
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim
from cds_service.clinical.recent_procedures import procedures_within
from cds_service.clinical.requested_tests import NAT_OF_ANTIBODY
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation
from cds_service.clinical.steroid_course import (
    SteroidCourse,
    equivalent,
    is_steroid,
    known_courses,
    possible_courses,
    steroid_orders,
)
from cds_service.clinical.systemic_exposure import systemic_exposures

ANTIBODY_TESTS: Mapping[str, str] = {
    "hiv-antibody": "HIV antibody",
    "hbv-antibody": "hepatitis B antibody",
    "hcv-antibody": "hepatitis C antibody",
    "hev-antibody": "hepatitis E antibody",
    "cmv-antibody": "CMV antibody",
    "ebv-antibody": "EBV antibody",
    "parvovirus-b19-antibody": "parvovirus B19 antibody",
    "toxoplasma-antibody": "Toxoplasma antibody",
    "strongyloides-antibody": "Strongyloides antibody",
    "syphilis-antibody": "syphilis antibody",
    "coccidioides-antibody": "Coccidioides antibody",
}
"""Kinds of orders that the rule knows, with their words. Antigen and autoantibody tests are none of them."""

TRANSPLANT = frozenset({"hsct"})
NO_DRAFT = "Unknown where none is drafted"
NAMES_SHOWN = 2
NONE_FOUND = "none on file"


def antibody_drafts(s: Situation) -> list[ServiceOrder]:
    """New orders of antibody tests; on order-select the selected ones, or all where nothing is selected."""
    return [o for o in s.judged_services if o.kinds & ANTIBODY_TESTS.keys()]


def drafted_kinds(s: Situation) -> list[str]:
    kinds = {kind for order in antibody_drafts(s) for kind in order.kinds}
    return [kind for kind in ANTIBODY_TESTS if kind in kinds]


@fact("antibody_test_drafted", FactKind.BOOL, missing="Always known", source="RULES 40",
      meaning="An order of the call is an antibody test for an infection")  # fmt: skip
def antibody_test_drafted(s: Situation) -> Answer:
    return claim(s.chart, antibody_drafts(s))


@fact("nat_instead_of_antibody", FactKind.BOOL, missing="Always known", source="RULES 40",
      meaning="For an antibody test of the call there is a nucleic acid test")  # fmt: skip
def nat_instead_of_antibody(s: Situation) -> Answer:
    return claim(s.chart, [o for o in antibody_drafts(s) if o.kinds & NAT_OF_ANTIBODY.keys()])


def serology_exposures(s: Situation) -> list[Exposed]:
    """Possible exposure within the drug's look-back; corticosteroids count by their dose alone."""
    return systemic_exposures(s, lambda drug: None if is_steroid(drug) else drug.serology_lookback_days)


@fact(
    "serology_drug_exposure",
    FactKind.BOOL,
    meaning="Possible exposure, within its look-back for serology, to a drug that suppresses antibodies",
    missing="True on any evidence; unknown where drugs are unavailable",
    source="RULES 40",
)
def serology_drug_exposure(s: Situation) -> Answer:
    return claim(s.chart, serology_exposures(s), *DRUGS)


@fact(
    "steroid_immunosuppression",
    FactKind.BOOL,
    meaning="Corticosteroids at 20 mg/day of prednisone or more (or equivalent) for 14 d, ended at most 30 d ago",
    missing="Unknown where a dose or date is not stated and could make the difference, or the drug list is unavailable",
    source="RULES 40",
)
def steroid_immunosuppression(s: Situation) -> Answer:
    if courses := known_courses(s):
        return Known(True, sources=_order_sources(courses))
    if possible_courses(s):
        return Unknown(note="dose or dates of a corticosteroid not stated")
    return claim(s.chart, [], PrefetchKey.MEDICATION_REQUESTS)


@fact(
    "transplant_365_days",
    FactKind.BOOL,
    meaning="A haematopoietic stem cell transplant within 365 d",
    missing="True on any evidence; unknown where procedures are unavailable or a transplant has no date",
    source="RULES 40",
)
def transplant_365_days(s: Situation) -> Answer:
    if recent := transplants(s):
        return claim(s.chart, recent)
    if any(p.kinds & TRANSPLANT and p.performed is None for p in s.chart.procedures):
        return Unknown(note="a transplant without a date")
    return claim(s.chart, [], PrefetchKey.PROCEDURES)


def transplants(s: Situation) -> list[PerformedProcedure]:
    return procedures_within(s, TRANSPLANT, days(s.numbers.serology_transplant_days))


@fact(
    "igg_known",
    FactKind.BOOL,
    meaning="A usable serum IgG is on file, of whatever age",
    missing="Unknown where laboratory results are unavailable",
    source="RULES 40",
)
def igg_known(s: Situation) -> Answer:
    answer = igg(s)
    if isinstance(answer, Unknown):
        return Unknown(answer.missing) if answer.missing else Known(False)
    return Known(True, answer.at, answer.sources)


@fact("antibody_test_words", FactKind.TEXT, missing=NO_DRAFT, source="RULES 40",
      meaning="The antibody tests of the call, two by name")  # fmt: skip
def antibody_test_words(s: Situation) -> Answer:
    words = _two_by_name([ANTIBODY_TESTS[kind] for kind in drafted_kinds(s)])
    if not words:
        return Unknown(note="none drafted")
    return Known(words[:1].upper() + words[1:], sources=tuple(o.source for o in antibody_drafts(s)))


@fact("nat_words", FactKind.TEXT, missing="Unknown where there is none for the tests of the call", source="RULES 40",
      meaning="The nucleic acid tests that can stand in for the antibody tests of the call, two by name")  # fmt: skip
def nat_words(s: Situation) -> Answer:
    words = _two_by_name([NAT_OF_ANTIBODY[kind].words for kind in drafted_kinds(s) if kind in NAT_OF_ANTIBODY])
    return Known(words) if words else Unknown(note="no nucleic acid test")


@fact(
    "immunosuppression_short",
    FactKind.TEXT,
    meaning="What may keep antibodies from being formed, two reasons by name",
    missing="Always known; says in words where nothing is on file",
    source="RULES 40",
)
def immunosuppression_short(s: Situation) -> Answer:
    short = [e.drug.ingredient.split(" (")[0] for e in _newest(s)] + (["corticosteroids"] if known_courses(s) else [])
    return Known(_two_by_name([*short, *(text for text, _ in _illnesses(s))]) or NONE_FOUND)


@fact(
    "immunosuppression_words",
    FactKind.TEXT,
    meaning="What may keep antibodies from being formed, with times: drugs, steroids, transplant, malignancy, IgG",
    missing="Always known; says in words where nothing is on file",
    source="RULES 40",
)
def immunosuppression_words(s: Situation) -> Answer:
    words = [f"{e.drug.ingredient.split(' (')[0]} ({_last(e, s)})" for e in _newest(s)]
    words += _steroid_words(s) + [" ".join(filter(None, parts)) for parts in _illnesses(s)]
    return Known("; ".join(words) or NONE_FOUND)


def _newest(s: Situation) -> list[Exposed]:
    """Each drug once, with its newest exposure."""
    found = serology_exposures(s)
    drugs = dict.fromkeys(e.drug for e in found)
    return [newest for drug in drugs if (newest := newest_exposure(e for e in found if e.drug == drug))]


def _last(exposed: Exposed, s: Situation) -> str:
    return "taken now" if exposed.ongoing else f"last {age(exposed.last, s)}"


def _steroid_words(s: Situation) -> list[str]:
    """ "dexamethasone 4 mg/day (as prednisone 26.8), begun 30 days ago": the orders of the courses that count."""
    sources = set(_order_sources(known_courses(s)))
    words = []
    for order, drug in steroid_orders(s):
        dose, begun = equivalent(order, drug, s.numbers), order.start or order.authored
        if order.source in sources and dose is not None and order.daily_dose_mg is not None and begun is not None:
            same = dose == order.daily_dose_mg
            mg = f"{plain(order.daily_dose_mg)} mg/day" + (
                "" if same else f" (as prednisone {plain(dose.normalize())})"
            )
            words.append(f"{drug.ingredient.split(' (')[0]} {mg}, begun {age(begun, s)}")
    return words


def _illnesses(s: Situation) -> list[tuple[str, str]]:
    """Transplant, malignancies and IgG: the words, and when."""
    found = [("stem cell transplant", f"({age(p.performed, s)})") for p in transplants(s) if p.performed]
    found += [(p.text, "") for p in s.diseases.having(HAEMATOLOGICAL_MALIGNANCY)]
    level = _very_low_igg(s)
    return found + ([(f"IgG {level.shown} mg/dL", f"({age_words(level, s.now)})")] if level else [])


def _very_low_igg(s: Situation) -> Known | None:
    level = igg(s)
    low = isinstance(level, Known) and isinstance(level.value, Decimal) and level.value < s.numbers.igg_very_low
    return level if low and isinstance(level, Known) else None


def _order_sources(courses: list[SteroidCourse]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for course in courses for source in course.sources))


def _two_by_name(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - NAMES_SHOWN} more" if len(unique) > NAMES_SHOWN else ""
    return (", " if more else " and ").join(unique[:NAMES_SHOWN]) + more
