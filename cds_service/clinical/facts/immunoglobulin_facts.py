"""Facts about antibody deficiency: the serum IgG and the infections of the last year."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds_service.clinical.chart import Measurement, PrefetchKey, Problem
from cds_service.clinical.draws import just_below, plain
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.fever import INFECTIONS, MINOR_INFECTIONS
from cds_service.clinical.knowledge import Answer, Known, Unknown
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation

LABS = PrefetchKey.LAB_RESULTS
CONDITIONS = PrefetchKey.CONDITIONS
NO_IGG = "Unknown where no usable IgG is on file or laboratory results are unavailable"
COUNTED = INFECTIONS | MINOR_INFECTIONS


@fact(
    "igg",
    FactKind.NUMBER,
    unit="mg/dL",
    meaning="The newest usable serum IgG; one reported as 'below x' lies just below x",
    missing=f"{NO_IGG}, or where the newest is only known to lie above a number",
    source="RULES 39",
)
def igg(s: Situation) -> Answer:
    found = _newest_igg(s)
    if not isinstance(found, Measurement):
        return found
    if found.value is None or (found.comparator or "").startswith(">"):
        return Unknown(note="only known to lie above a number")
    value = just_below(found.value) if found.comparator else found.value
    return Known(value, found.taken, (found.source,), shown=f"{found.comparator or ''}{plain(found.value)}")


@fact(
    "igg_within_180_days",
    FactKind.BOOL,
    meaning="The newest usable serum IgG is at most 180 d old",
    missing=NO_IGG,
    source="RULES 39",
)
def igg_within_180_days(s: Situation) -> Answer:
    found = _newest_igg(s)
    if not isinstance(found, Measurement):
        return found
    return Known(found.taken.may_be_within(days(s.numbers.igg_days), s.now), found.taken, (found.source,))


def _newest_igg(s: Situation) -> Measurement | Unknown:
    """The newest usable result; a preliminary one where it is lower and not older by 24 h, or alone (C-VALID)."""
    if s.chart.lacks(LABS):
        return Unknown(frozenset({LABS}))
    usable = [
        m for m in s.chart.measurements if m.analyte == "IGG" and m.value is not None and not m.taken.is_future(s.now)
    ]
    final = max((m for m in usable if m.final), key=lambda m: m.taken, default=None)
    if final is None:
        return max(usable, key=lambda m: m.taken, default=Unknown(note="no usable IgG on file"))
    oldest = final.taken.earliest - hours(s.numbers.in_force_hours)
    unconfirmed = [m for m in usable if not m.final and m.taken.latest >= oldest]
    return min([final, *unconfirmed], key=lambda m: m.value or Decimal(0))


@fact(
    "infections_of_year",
    FactKind.NUMBER,
    unit="1",
    meaning=(
        "How many infections of any status, sinusitis, bronchitis and colds included, began within 365 d; an entry "
        "repeated for the same day counts once"
    ),
    missing="Unknown where problems are unavailable; an infection without onset or date of record is not counted",
    source="RULES 39",
)
def infections_of_year(s: Situation) -> Answer:
    if s.chart.lacks(CONDITIONS):
        return Unknown(frozenset({CONDITIONS}))
    found = _infections(s)
    return Known(Decimal(len(found)), sources=tuple(p.source for p in found))


@fact(
    "infection_words",
    FactKind.TEXT,
    meaning="The infections of the last 365 d with their ages, newest first",
    missing="Always known; says in words what is not",
    source="RULES 39",
)
def infection_words(s: Situation) -> Answer:
    if s.chart.lacks(CONDITIONS):
        return Known("not known (problem list unavailable)")
    found = _infections(s)
    words = "; ".join(f"{p.text} ({age(p.dated, s)})" for p in found if p.dated)
    return Known(words or "none on file", sources=tuple(p.source for p in found))


def _infections(s: Situation) -> Sequence[Problem]:
    """Newest first; the same infection on the problem list and of an encounter is one."""
    found = s.diseases.infections_since(COUNTED, s.numbers.recurrent_infection_days)
    newest_first = sorted(found, key=lambda p: p.dated.latest if p.dated else s.now, reverse=True)
    return list({(p.kinds & COUNTED, p.dated.day if p.dated else ""): p for p in newest_first}.values())
