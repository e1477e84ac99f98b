"""Reads the pairs of drugs that suppress the marrow together, and enters each pair with the drugs of both its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cds_service.card_files.csv_rows import Row, put, read_table
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.interactions import Interaction

RISK = "risk:"
"""Begins a cell part that stands for all drugs of a risk class."""

Pair = frozenset[str]
Found = dict[str, list[Interaction]]


def with_interactions(cards_dir: Path, drugs: Sequence[Drug]) -> tuple[Drug, ...]:
    """The drugs with their interactions.

    Raises: CardFileError for a name that is no drug, a drug paired with itself, and a pair that is there twice.
    """
    found: Found = {}
    pairs: dict[tuple[str, ...], None] = {}
    for row in read_table(cards_dir / "interactions.csv", "first", "second", "effect", "source"):
        first, second = _side(row, "first", drugs), _side(row, "second", drugs)
        for pair in sorted((one, other) for one in first for other in second):
            _check(row, pair)
            put(pairs, tuple(sorted(pair)), None, row)
        _enter(found, first, second, row)
        _enter(found, second, first, row)
    return tuple(replace(drug, interactions=tuple(found.get(drug.ingredient, ()))) for drug in drugs)


def _check(row: Row, pair: tuple[str, str]) -> None:
    if pair[0] == pair[1]:
        row.fault(f"is on both sides: {pair[0]}")


def _side(row: Row, column: str, drugs: Sequence[Drug]) -> Pair:
    """The ingredients of one side: names of drugs.csv, or a risk class for all its drugs."""
    row.needed(column)
    return frozenset(name for part in row.several(column) for name in _ingredients(row, part, drugs))


def _ingredients(row: Row, part: str, drugs: Sequence[Drug]) -> list[str]:
    if part.startswith(RISK):
        named = [drug.ingredient for drug in drugs if drug.risk.value == part.removeprefix(RISK)]
    else:
        named = [drug.ingredient for drug in drugs if drug.ingredient == part]
    return named or row.fault(f"no such drug or risk class in drugs.csv: {part}")


def _enter(found: Found, drugs: Pair, partners: Pair, row: Row) -> None:
    interaction = Interaction(partners, row.needed("effect"), row.needed("source"))
    for ingredient in drugs:
        found.setdefault(ingredient, []).append(interaction)
