"""Builds charts for tests of the clinical code: one word for each fact, ages as "so long before NOW"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.card_files.library import read_numbers
from cds_service.clinical.chart import (
    Administration,
    Allergy,
    Chart,
    Finding,
    Measurement,
    MedicationOrder,
    Patient,
    PerformedProcedure,
    Problem,
    ServiceOrder,
)
from cds_service.clinical.drug_table import Confidence, Drug, Risk
from cds_service.clinical.facts import FACTS, DrugCase
from cds_service.clinical.knowledge import Answer, Known
from cds_service.clinical.moments import Moment
from cds_service.clinical.situation import SitePolicy, Situation

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
CARDS = Path(__file__).parents[3] / "cards"
NUMBERS = read_numbers(CARDS / "shared.yaml")
ADULT = Patient("p1", Moment.at(datetime(1970, 1, 1, tzinfo=UTC)), "female")


def back(days: float = 0, hours: float = 0, minutes: float = 0) -> Moment:
    return Moment.at(NOW - timedelta(days=days, hours=hours, minutes=minutes))


def bare_date(days_before: int) -> Moment:
    """The calendar day so many days before that of NOW, of which nothing more is known."""
    start = NOW.replace(hour=0, minute=0) - timedelta(days=days_before)
    return Moment(earliest=start, latest=start + timedelta(days=1) - timedelta(microseconds=1))


def when(value: float | Moment | None) -> Moment | None:
    return value if isinstance(value, Moment) or value is None else back(days=value)


_serial = iter(range(1, 10**9))


def lab(analyte: str, value: str | None, days: float | Moment = 0, **more: Any) -> Measurement:
    taken = when(days)
    assert taken is not None
    number = None if value is None else Decimal(value)
    raw = more.pop("raw", value or "?")
    return Measurement(analyte, number, taken, more.pop("source", f"Observation/{analyte}{next(_serial)}"), raw, **more)


def anc(value: str, days: float | Moment = 0, **more: Any) -> Measurement:
    return lab("ANC", value, days, **more)


def wbc(value: str, days: float | Moment = 0, **more: Any) -> Measurement:
    return lab("WBC", value, days, **more)


def temp(value: str | None, hours: float = 1, **more: Any) -> Measurement:
    return lab("TEMP", value, back(hours=hours), **more)


def sbp(value: str, hours: float = 1) -> Measurement:
    return lab("SBP", value, back(hours=hours))


def drug(name: str = "drugamab", **more: Any) -> Drug:
    given: dict[str, Any] = {
        "drug_class": "class",
        "mechanism_group": "other",
        "risk": Risk.MILD_OR_RARE,
        "confidence": Confidence.HIGH,
        "source": "label",
    }
    return Drug(name, **{**given, **more})


CHEMO = drug(
    "carboplatin",
    mechanism_group="cytotoxic",
    risk=Risk.HIGH_MYELOSUPPRESSIVE,
    active_order_is_exposure=False,
    fever_rule="chemo",
    fever_lookback_days=Decimal(42),
)
HOME_CHEMO = drug(
    "capecitabine",
    mechanism_group="cytotoxic",
    risk=Risk.HIGH_MYELOSUPPRESSIVE,
    fever_rule="chemo",
    fever_lookback_days=Decimal(42),
)
METHIMAZOLE = drug(
    "methimazole", risk=Risk.IDIOSYNCRATIC, fever_rule="drug-fever-throat", fever_lookback_days=Decimal(14)
)
CEFEPIME = drug("cefepime", mechanism_group="antibiotic-betalactam", antibacterial="antipseudomonal")
CEFTRIAXONE = drug("ceftriaxone", mechanism_group="antibiotic-betalactam", antibacterial="other")
COTRIMOXAZOLE = drug("cotrimoxazole prophylaxis", antibacterial="prophylaxis")
FILGRASTIM = drug("filgrastim", mechanism_group="growth-factor", risk=Risk.RAISES_COUNT)


def order(
    what: Drug | None, status: str = "active", start: Any = None, end: Any = None, **more: Any
) -> MedicationOrder:
    drugs = () if what is None else (what,)
    return MedicationOrder(
        more.pop("source", f"MedicationRequest/m{next(_serial)}"),
        drugs,
        what.ingredient if what else "unknown",
        status,
        start=when(start),
        end=when(end),
        **more,
    )


def draft(what: Drug | None, **more: Any) -> MedicationOrder:
    return order(what, more.pop("status", "draft"), draft=True, **more)


def dose(what: Drug, days: float | Moment, **more: Any) -> Administration:
    given = when(days)
    assert given is not None
    return Administration(f"MedicationAdministration/a{next(_serial)}", (what,), what.ingredient, given, **more)


def problem(kind: str, days: Any = None, *, active: bool = True, recorded: Any = None, **more: Any) -> Problem:
    return Problem(frozenset({kind}), kind, active, f"Condition/c{next(_serial)}", when(days), when(recorded), **more)


def procedure(kind: str, days: Any = None) -> PerformedProcedure:
    return PerformedProcedure(frozenset({kind}), kind, f"Procedure/x{next(_serial)}", when(days))


def finding(analyte: str, *kinds: str, days: float = 10, final: bool = True) -> Finding:
    return Finding(analyte, kinds, back(days), f"Observation/f{next(_serial)}", frozenset(kinds), final)


def service_order(kind: str, status: str = "active", due: Any = None, **more: Any) -> ServiceOrder:
    source = more.pop("source", f"ServiceRequest/s{next(_serial)}")
    return ServiceOrder(source, frozenset({kind}), kind, status, due=when(due), **more)


FIELDS: Mapping[type, str] = {
    Measurement: "measurements",
    Finding: "findings",
    Problem: "problems",
    MedicationOrder: "orders",
    Administration: "administrations",
    PerformedProcedure: "procedures",
    ServiceOrder: "service_orders",
    Allergy: "allergies",
}


def chart(*things: Any, patient: Patient | None = ADULT, unavailable: tuple[str, ...] = ()) -> Chart:
    sorted_in: dict[str, list[Any]] = {}
    for thing in things:
        sorted_in.setdefault(FIELDS[type(thing)], []).append(thing)
    fields: dict[str, Any] = {name: tuple(found) for name, found in sorted_in.items()}
    return Chart(patient, unavailable=dict.fromkeys(unavailable, "not sent"), **fields)


def situation(
    *things: Any,
    hook: str = "patient-view",
    patient: Patient | None = ADULT,
    unavailable: tuple[str, ...] = (),
    policy: SitePolicy | None = None,
) -> Situation:
    built = chart(*things, patient=patient, unavailable=unavailable)
    return Situation(built, NOW, hook, NUMBERS, policy or SitePolicy())


def ask(fact: str, about: Situation | DrugCase) -> Answer:
    """The answer of one fact."""
    return FACTS[fact].compute(about)


def value(fact: str, about: Situation | DrugCase) -> Any:
    """The value of a fact; None where it is not known."""
    answer = ask(fact, about)
    return answer.value if isinstance(answer, Known) else None


def drug_case(about: Situation, one: MedicationOrder) -> DrugCase:
    return DrugCase(about, one, one.drugs[0])
