"""Facts about a draft that completes a pair of drugs which suppress the marrow together (RULES 28).

The pairs are data (cards/interactions.csv). A partner is an active order or another draft, by a systemic route.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.chart import MedicationOrder, PrefetchKey, Route
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.facts.count_facts import NO_COUNT, about
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.interactions import Interaction
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim
from cds_service.clinical.shared_numbers import elapsed_days
from cds_service.clinical.situation import Situation

NO_PARTNER = "Unknown where the draft completes no pair"
NAMES_SHOWN = 2
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Partner:
    """The other drug of a pair, with the order that it is on."""

    drug: Drug
    order: MedicationOrder
    interaction: Interaction

    @property
    def source(self) -> str:
        return self.order.source


def partners(c: DrugCase) -> list[Partner]:
    """What the drug meets in this patient, active orders before drafts."""
    orders = [*c.situation.exposure.active, *other_drafts(c)]
    return [
        Partner(drug, order, interaction)
        for interaction in c.drug.interactions
        for order in orders
        for drug in order.drugs
        if drug.ingredient in interaction.partners
    ]


def other_drafts(c: DrugCase) -> list[MedicationOrder]:
    """New systemic drafts of the call, selected or not: all of them are about to be ordered."""
    drafts = (o for o in c.situation.chart.orders if o.draft and o.status not in ENDED)
    return [o for o in drafts if o.route not in (Route.LOCAL, Route.INTRATHECAL)]


@fact(
    "drug.completes_pair",
    FactKind.BOOL,
    meaning="With a drug that is active, or drafted in the same call, it makes a pair of cards/interactions.csv",
    missing="True on any evidence; unknown where the drug list is unavailable",
    source="RULES 28",
)
def completes_pair(c: DrugCase) -> Answer:
    return claim(c.situation.chart, partners(c), PrefetchKey.MEDICATION_REQUESTS)


@fact(
    "drug.pair_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Elapsed days for which the drug and all its partners have surely been active, since the youngest start",
    missing="Unknown where one of them is not active yet, or its start is not stated",
    source="RULES 28",
)
def pair_days(c: DrugCase) -> Answer:
    found = partners(c)
    ages = [active_for(c.situation, drug) for drug in (c.drug, *(p.drug for p in found))]
    known = [age for age in ages if age is not None]
    if not found or len(known) < len(ages):
        return Unknown(note="not active together yet, or no start stated")
    return Known(elapsed_days(min(known)), sources=_sources(found))


def active_for(s: Situation, drug: Drug) -> timedelta | None:
    """How long a drug has surely been active; None where it is not, or no start is stated."""
    starts = [s.exposure.started(order) for order in s.exposure.active if drug in order.drugs]
    return max((start.youngest_age(s.now) for start in starts if start is not None), default=None)


@fact(
    "anc_oldest_age_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Elapsed days since the ANC in force, of a bare date the oldest it can be: for reassurance",
    missing=NO_COUNT,
    source="C-TIME",
)
def anc_oldest_age_days(s: Situation) -> Answer:
    count = s.counts.in_force
    return about(count, s, Decimal(count.taken.oldest_age(s.now) / ONE_DAY) if count else None)


@fact(
    "drug.pair_partners",
    FactKind.TEXT,
    meaning="The drugs it makes a pair with, two by name",
    missing=NO_PARTNER,
    source="RULES 28",
)
def pair_partners(c: DrugCase) -> Answer:
    found = partners(c)
    names = list(dict.fromkeys(p.drug.ingredient.split(" (")[0] for p in found))
    if not names:
        return Unknown(note="no pair")
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    joint = ", " if more else " and "
    return Known(joint.join(names[:NAMES_SHOWN]) + more, sources=_sources(found))


@fact(
    "drug.pair_effect",
    FactKind.TEXT,
    meaning="What the pair can do, in a few words of cards/interactions.csv",
    missing=NO_PARTNER,
    source="interactions.csv",
)
def pair_effect(c: DrugCase) -> Answer:
    words = "; ".join(dict.fromkeys(p.interaction.effect for p in partners(c)))
    return Known(words) if words else Unknown(note="no pair")


@fact(
    "drug.pair_source",
    FactKind.TEXT,
    meaning="Where the pair was read, and how far it was verified",
    missing=NO_PARTNER,
    source="interactions.csv",
)
def pair_source(c: DrugCase) -> Answer:
    words = "; ".join(dict.fromkeys(p.interaction.source for p in partners(c)))
    return Known(words) if words else Unknown(note="no pair")


@fact(
    "drug.pair_timing",
    FactKind.TEXT,
    meaning="Each partner with the start of its order, or that it is drafted in the same call",
    missing=NO_PARTNER,
    source="RULES 28",
)
def pair_timing(c: DrugCase) -> Answer:
    found = partners(c)
    words = dict.fromkeys(f"{p.drug.ingredient.split(' (')[0]} ({_timing(p.order, c.situation)})" for p in found)
    return Known(", ".join(words), sources=_sources(found)) if words else Unknown(note="no pair")


def _timing(order: MedicationOrder, s: Situation) -> str:
    if order.draft:
        return "also a draft"
    started = s.exposure.started(order)
    return f"begun {age(started, s)}" if started else "start not stated"


def _sources(found: Iterable[Partner]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.source for p in found))
