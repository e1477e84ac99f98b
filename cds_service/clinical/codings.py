"""A code of a code system with its display, and which system a system address stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CodeSystem(StrEnum):
    """The code systems that are read; the value is the address that is written."""

    LOINC = "http://loinc.org"
    SNOMED = "http://snomed.info/sct"
    ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
    RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
    ATC = "http://www.whocc.no/atc"


_ADDRESSES = {
    **{system.value: system for system in CodeSystem},
    "http://hl7.org/fhir/sid/icd-10": CodeSystem.ICD10,
    "urn:oid:2.16.840.1.113883.6.1": CodeSystem.LOINC,
    "urn:oid:2.16.840.1.113883.6.96": CodeSystem.SNOMED,
    "urn:oid:2.16.840.1.113883.6.90": CodeSystem.ICD10,
    "urn:oid:2.16.840.1.113883.6.3": CodeSystem.ICD10,
    "urn:oid:2.16.840.1.113883.6.88": CodeSystem.RXNORM,
    "urn:oid:2.16.840.1.113883.6.73": CodeSystem.ATC,
}


@dataclass(frozen=True, slots=True)
class Coding:
    """One coding of a concept, as sent."""

    system: str | None
    code: str | None
    display: str | None = None

    @property
    def known_system(self) -> CodeSystem | None:
        """The code system, whatever spelling its address has."""
        return _ADDRESSES.get((self.system or "").strip().rstrip("/"))


def codes_of(codings: Iterable[Coding], system: CodeSystem) -> list[str]:
    """The codes of one code system, in the order sent."""
    return [coding.code.strip() for coding in codings if coding.code and coding.known_system is system]


def plain_text(text: str) -> str:
    """A text for comparison: lower case, single spaces."""
    return " ".join(text.casefold().split())


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in lower case; everything but letters and digits separates them."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def has_phrase(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """True where the words of `phrase` follow each other in `words`."""
    size = len(phrase)
    return any(words[start : start + size] == phrase for start in range(len(words) - size + 1))
