"""What a drug does to the marrow together with others: a row of cards/interactions.csv, seen from one of its sides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interaction:
    """`partners` are ingredients of the drug table; `effect` is words for a card; `source` tells where it was read."""

    partners: frozenset[str]
    effect: str
    source: str
