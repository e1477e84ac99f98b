"""The boolean structure of a condition's text: and, or, not, and the terms between them.

Only as much of CEL as that: a term is kept as it is written, and everything that evaluates is left to CEL itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

OPERATORS = {"<=": "<", "<": "<=", ">=": ">", ">": ">=", "==": "!=", "!=": "=="}
"""The neighbour of each comparison: what a slip of the pen would have written."""

_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_COMPARISON = re.compile(r"<=|>=|==|!=|<|>")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


@dataclass(frozen=True, slots=True)
class Atom:
    """A term without and, or, not at its top."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Negation:
    """What must not hold."""

    term: Term

    def __str__(self) -> str:
        return f"!({self.term})"


@dataclass(frozen=True, slots=True)
class Junction:
    """Terms joined by && or ||."""

    operator: str
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(
            f"({term})" if isinstance(term, Junction) else str(term) for term in self.terms
        )


Term = Atom | Negation | Junction


def parse(text: str) -> Term:
    """The structure of an expression that compiles."""
    stripped = _without_parentheses(text.strip())
    if "?" in _blanked(stripped):
        return Atom(stripped)
    for operator in ("||", "&&"):
        parts = _split(stripped, operator)
        if len(parts) > 1:
            return Junction(operator, tuple(parse(part) for part in parts))
    if stripped.startswith("!"):
        return Negation(parse(stripped[1:]))
    return Atom(stripped)


def conjuncts(text: str) -> list[str]:
    """The terms that must all hold."""
    term = parse(text)
    return [str(part) for part in term.terms] if isinstance(term, Junction) and term.operator == "&&" else [str(term)]


def variations(text: str) -> Iterator[str]:
    """Every expression that differs in one place: a term negated, dropped, or compared by the neighbouring operator."""
    yield from (str(term) for term in _variations(parse(text)))


def _variations(term: Term) -> Iterator[Term]:
    if isinstance(term, Negation):
        yield term.term
        yield from (Negation(inner) for inner in _variations(term.term) if term.term != _bare(inner))
    elif isinstance(term, Junction):
        yield from _of_junction(term)
    else:
        yield Negation(term)
        yield from (Atom(changed) for changed in _compared_otherwise(term.text))


def _bare(term: Term) -> Term:
    return term.term if isinstance(term, Negation) else term


def _of_junction(junction: Junction) -> Iterator[Term]:
    terms = junction.terms
    for place, term in enumerate(terms):
        rest = (*terms[:place], *terms[place + 1 :])
        yield rest[0] if len(rest) == 1 else Junction(junction.operator, rest)
        yield from (Junction(junction.operator, (*terms[:place], v, *terms[place + 1 :])) for v in _variations(term))


def _compared_otherwise(text: str) -> Iterator[str]:
    for found in _COMPARISON.finditer(_blanked(text)):
        yield f"{text[: found.start()]}{OPERATORS[found[0]]}{text[found.end() :]}"


def numbers_in(text: str) -> list[str]:
    """The literal numbers of an expression."""
    return NUMBER.findall(_blanked(text))


def _blanked(text: str) -> str:
    """The text with quoted parts blanked out, so that their content is not taken for structure."""
    return _QUOTED.sub(lambda found: " " * len(found[0]), text)


def _split(text: str, operator: str) -> list[str]:
    """The parts between an operator that stands outside all brackets."""
    parts, depth, start, place, blanked = [], 0, 0, 0, _blanked(text)
    while place < len(blanked):
        depth += (blanked[place] in "([") - (blanked[place] in ")]")
        if depth == 0 and blanked.startswith(operator, place):
            parts.append(text[start:place])
            start = place + len(operator)
            place = start
        else:
            place += 1
    return [*parts, text[start:]]


def _without_parentheses(text: str) -> str:
    """The text without a pair of parentheses that encloses all of it."""
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(text: str) -> int:
    """Where the parenthesis that opens the text is closed."""
    depths = accumulate((sign == "(") - (sign == ")") for sign in _blanked(text))
    return list(depths).index(0)
