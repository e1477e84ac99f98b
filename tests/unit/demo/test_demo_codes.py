"""The codes of the demo patients mean what they say: each is in the given terminology tables with its display."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.demo.codes import SYSTEM_OF_TABLE, code_tables

TABLES = ("loinc.csv", "conditions.csv", "rxnorm_ingredients.csv", "rxnorm_products.csv")


def coded_rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """System name and row of every code in codes.json."""
    tables = code_tables()
    for table, system in SYSTEM_OF_TABLE.items():
        yield from ((system, row) for row in tables[table].values())
    for codings in tables["conditions"].values():
        yield from ((coding["system"], coding) for coding in codings)


def plain(display: str) -> str:
    """A display without the semantic tag and case, which differ between sources."""
    return re.sub(r"( \([a-z ]+\))+$", "", display).casefold()


@pytest.fixture(scope="module")
def displays(shared_dir: Path) -> dict[tuple[str, str], set[str]]:
    """System URI and code → the displays of the tables."""
    found: dict[tuple[str, str], set[str]] = {}
    for name in TABLES:
        with (shared_dir / "terminology" / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = row["system"], row.get("code") or row["product_rxcui"]
                found.setdefault(key, set()).add(plain(row.get("display") or row["name"]))
    return found


@pytest.mark.parametrize(("system", "row"), list(coded_rows()))
def test_code_has_the_meaning_of_its_display(
    system: str, row: dict[str, Any], displays: dict[tuple[str, str], set[str]]
) -> None:
    known = displays[code_tables()["systems"][system], row["code"]]
    # Of one LOINC code only the component was seen in a source: "Duffy group Ag", the antigen.
    components = {text.removeprefix("[component] ").replace(" ag", " antigen") for text in known}
    assert plain(row["display"]) in known | components


def test_drug_is_the_word_of_the_story() -> None:
    for word, row in code_tables()["drugs"].items():
        assert word.casefold() in row["display"].casefold()
