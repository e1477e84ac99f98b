"""What is said of how each order and dose was recognised: by which code or name, as which drugs, or not at all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from cds_service.clinical.chart import DataProblem, DrugRecognition
from cds_service.fhir.pool import Item
from cds_service.fhir.read_medications import UNNAMED, Recognised

UNKNOWN = "Nothing in the code tables knows its drug; it was not judged."


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An order or dose and what its medication was recognised as."""

    item: Item
    recognised: Recognised


def recognitions_of(named: Iterable[NamedItem]) -> list[DrugRecognition]:
    """One line for each order or dose of a drug of the table, for each way in which its drugs were recognised."""
    return [
        DrugRecognition(
            source=one.item.source,
            drugs=tuple(drug.ingredient for drug in match.drugs),
            matched_by=match.matched_by.value,
            matched=match.matched_text,
            code=match.matched_code or None,
            route=one.recognised.route,
        )
        for one in named
        for match in one.recognised.matches
        if match.matched_by is not None and match.drugs
    ]


def unknown_drugs(named: Iterable[NamedItem]) -> list[DataProblem]:
    """One problem for each drug that nothing knows, with the number of its orders and doses; its words are not said."""
    unknown: dict[Hashable, list[Item]] = {}
    for one in named:
        if one.recognised.name != UNNAMED and not one.recognised.known:
            unknown.setdefault(one.recognised.identity, []).append(one.item)
    return [DataProblem("unknown-drug", items[0].source, _counted(items)) for items in unknown.values()]


def _counted(items: Sequence[Item]) -> str:
    return UNKNOWN if len(items) == 1 else f"{UNKNOWN} Its orders and doses: {len(items)}."
