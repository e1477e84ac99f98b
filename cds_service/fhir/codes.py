"""Codings and words of CodeableConcepts, in whatever order and shape they come. Knows no code's meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.clinical.codings import Coding, words_of
from cds_service.fhir.json_access import Json, mapping, mappings, text


@dataclass(frozen=True, slots=True)
class Concept:
    """The codings of a concept, and its words. Any of them may be missing."""

    codings: tuple[Coding, ...] = ()
    text: str | None = None

    @property
    def words(self) -> str | None:
        """What a person would read: the text, else the first display, else None."""
        return self.text or next((coding.display for coding in self.codings if coding.display), None)

    @property
    def all_words(self) -> tuple[str, ...]:
        """Text and displays, each once."""
        return tuple(dict.fromkeys(word for word in (self.text, *(c.display for c in self.codings)) if word))

    def __bool__(self) -> bool:
        return self.words is not None or any(coding.code for coding in self.codings)


def read_concept(value: object) -> Concept:
    """A CodeableConcept; a lone Coding, a bare text and R5's {"concept": …} are understood as well."""
    if isinstance(value, str):
        return Concept(text=text(value))
    body = mapping(value)
    body = mapping(body.get("concept")) or body
    codings = mappings(body.get("coding")) or ([body] if "code" in body else [])
    return Concept(tuple(_coding(coding) for coding in codings), text(body.get("text")))


def read_concepts(value: object) -> list[Concept]:
    """Several CodeableConcepts; those that say nothing are left out."""
    items = value if isinstance(value, list) else [value]
    return [concept for concept in map(read_concept, items) if concept]


def _coding(coding: Json) -> Coding:
    code = coding.get("code")
    written = str(code) if isinstance(code, int) and not isinstance(code, bool) else text(code)
    return Coding(text(coding.get("system")), written, text(coding.get("display")))


def code_of(value: object) -> str | None:
    """The plain code of an element that is a code in one release and a CodeableConcept in another."""
    if isinstance(value, str):
        return text(value)
    concept = read_concept(value)
    return next((coding.code for coding in concept.codings if coding.code), concept.text)


def statuses_said(value: object) -> frozenset[str]:
    """All that the codings and words of a status say, as FHIR writes its codes: "Entered in Error" is one of them."""
    concepts = read_concepts(value)
    said = [word for c in concepts for word in (*c.all_words, *(coding.code for coding in c.codings))]
    return frozenset("-".join(words_of(word)) for word in said if word)


def status_of(resource: Json) -> str | None:
    """The status in lower case, as FHIR writes it; clients write it otherwise."""
    status = code_of(resource.get("status"))
    return status.lower() if status else None


def read_choices(resource: Json, stem: str) -> Iterator[tuple[str, object]]:
    """The members of a choice element: for "value" those named value<Type>, with the type."""
    for name, value in resource.items():
        suffix = name.removeprefix(stem)
        if suffix != name and suffix[:1].isupper() and value is not None:
            yield suffix, value
