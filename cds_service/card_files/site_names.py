"""The names of all known drugs, to find in the words of a site's order every drug that they name.

A drug that the drug table does not list is found too: allergies to it could not be checked.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.card_files.csv_rows import read_table
from cds_service.clinical.drug_names import DrugName, DrugNames, Words, name_words

_PARTNER_STEM = "bactam"
_PARTNERS = frozenset({"cilastatin"})


def load_drug_names(cards_dir: Path) -> DrugNames:
    """The names of listed and of other known drugs. Raises: CardFileError."""
    names: dict[Words, DrugName] = {}
    for row in read_table(cards_dir / "codes" / "unlisted_drugs.csv", "code", "kind", "name", "source"):
        names[name_words(row.needed("name"))] = DrugName(frozenset())
    for row in read_table(cards_dir / "codes" / "drug_names.csv", "name", "ingredients", "kind", "route"):
        names[name_words(row.needed("name"))] = DrugName(row.several("ingredients"))
    return DrugNames(names)


def is_partner(name: str) -> bool:
    """True for what only protects another drug (cilastatin, a beta-lactamase inhibitor): part of that one."""
    return name.casefold() in _PARTNERS or name.casefold().endswith(_PARTNER_STEM)
