"""Conditions as sentences: what a rule asks for, in the words of the fact registry, for readers who know no CEL.

Only the boolean structure and comparisons are put into words; a term of any other shape is shown as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from cds_service.card_files.condition_terms import Atom, Junction, Negation, Term, parse
from cds_service.clinical.draws import plain
from cds_service.clinical.facts.registry import FACTS, FactKind
from cds_service.clinical.rules import Limit

_COMPARISON = re.compile(r"^(?P<left>[\w.]+(?:\['[^']+'\])?)\s*(?P<operator><=|>=|==|!=|<|>)\s*(?P<right>.+)$")
_MEMBER = re.compile(r"^(?P<left>[\w.]+(?:\['[^']+'\])?)\s+in\s+\[(?P<values>[^\]]*)\]$")
_LEVEL = re.compile(r"^level\['([^']+)'\]$")
_ASIDE = re.compile(r"\s*([:;(]|, as ).*$", re.DOTALL)
_REMARK = re.compile(r";.*$", re.DOTALL)
_COMPARED = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "",
    "!=": "not",
}
_OPENING = {"&&": "all of these hold:", "||": "one of these holds:"}
INDENT = "  "


def sentences(condition: str, limits: Mapping[str, Limit]) -> list[str]:
    """The lines that say what a condition asks for; nested terms are indented by two blanks."""
    return list(_lines(parse(condition), limits, 0))


def _lines(term: Term, limits: Mapping[str, Limit], depth: int) -> Iterator[str]:
    if isinstance(term, Negation) and isinstance(term.term, Atom):
        yield INDENT * depth + _denied(term.term.text, limits)
    elif isinstance(term, Negation):
        yield f"{INDENT * depth}not:"
        yield from _lines(term.term, limits, depth + 1)
    elif isinstance(term, Junction):
        yield INDENT * depth + _OPENING[term.operator]
        for part in term.terms:
            yield from _lines(part, limits, depth + 1)
    else:
        yield INDENT * depth + _said(term.text, limits)


def _said(text: str, limits: Mapping[str, Limit]) -> str:
    if text in FACTS and FACTS[text].kind is FactKind.BOOL:
        return _REMARK.sub("", FACTS[text].meaning)
    if member := _MEMBER.match(text):
        return _one_of(member["left"], member["values"])
    compared = _COMPARISON.match(text)
    if compared is None:
        return text
    left, right = _subject(compared["left"]), _object(compared["right"].strip(), limits)
    if level := _LEVEL.match(compared["left"]):
        return _level_sentence(level[1], compared["operator"], right)
    return f"{left}: {_COMPARED[compared['operator']]} {right}".replace("  ", " ")


def _denied(text: str, limits: Mapping[str, Limit]) -> str:
    return f"not: {_said(text, limits)}"


def _one_of(left: str, values: str) -> str:
    words = " or ".join(value.strip(" '\"") for value in values.split(","))
    level = _LEVEL.match(left)
    return f"{level[1]} fires as {words}" if level else f"{_subject(left)}: {words}"


def _level_sentence(rule_id: str, operator: str, level: str) -> str:
    """What a scope rule asks of another rule."""
    if level == "none":
        return f"{rule_id} {'does not fire' if operator == '==' else 'fires'}"
    return f"{rule_id} {'fires' if operator == '==' else 'does not fire'} as {level}"


def _subject(name: str) -> str:
    """A fact's meaning without its asides; its unit stands with the limit."""
    return _ASIDE.sub("", FACTS[name].meaning) if name in FACTS else name


def _object(text: str, limits: Mapping[str, Limit]) -> str:
    readers: tuple[tuple[bool, Callable[[], str]], ...] = (
        (text.startswith("limits."), lambda: _limit(text.removeprefix("limits."), limits)),
        (text in FACTS, lambda: _subject(text)[:1].lower() + _subject(text)[1:]),
        (text[:1] in "'\"", lambda: text.strip("'\"")),
    )
    return next((read() for fits, read in readers if fits), text)


def _limit(name: str, limits: Mapping[str, Limit]) -> str:
    limit = limits[name]
    return plain(limit.value) if limit.unit == "1" else f"{plain(limit.value)} {limit.unit}"
