"""The codes of the demo patients: plain words of a story file ("neutrophils", "doxorubicin") to FHIR concepts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.demo.errors import DemoError

Json = dict[str, Any]

CODES_FILE = Path(__file__).with_name("codes.json")
HL7 = "http://terminology.hl7.org/CodeSystem/"
SYSTEM_OF_TABLE = {
    "observations": "loinc",
    "tests": "loinc",
    "drugs": "rxnorm",
    "routes": "snomed",
    "procedures": "snomed",
    "reasons": "snomed",
}


@cache
def code_tables() -> Json:
    """The content of codes.json."""
    tables: Json = json.loads(CODES_FILE.read_text("utf-8"))
    return tables


def system(name: str) -> str:
    """The URI of a code system by its short name."""
    return str(code_tables()["systems"][name])


def known(table: str, word: str) -> Any:
    """The row of a word. Raises: DemoError naming the words there are."""
    rows = code_tables()[table]
    if word not in rows:
        raise DemoError(f"{CODES_FILE.name} has no {table} named {word!r}; it has: {', '.join(sorted(rows))}.")
    return rows[word]


def concept(table: str, word: str) -> Json:
    """The CodeableConcept of a word of a table with one code a word; the word is its text."""
    row = known(table, word)
    coding = {"system": system(SYSTEM_OF_TABLE[table]), "code": row["code"], "display": row["display"]}
    return {"coding": [coding], "text": word}


def condition_concept(word: str) -> Json:
    """The CodeableConcept of a condition, in as many code systems as are known; only its text where none is."""
    codings = [row | {"system": system(row["system"])} for row in known("conditions", word)]
    return {"coding": codings, "text": word} if codings else {"text": word}


def hl7_concept(code_system: str, code: str) -> Json:
    """A CodeableConcept of one of HL7's own code systems."""
    return {"coding": [{"system": HL7 + code_system, "code": code}]}


def quantity(value: float, unit: str) -> Json:
    """A Quantity with a UCUM unit."""
    return {"value": value, "unit": unit, "system": system("ucum"), "code": unit}
