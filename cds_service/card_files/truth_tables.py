"""Proves by enumeration that where a condition holds, a fact is known: then card text may print it.

A condition that is TRUE with a fact unbound stays TRUE whatever that fact is, so the other facts need not be left
unbound as well: sample values of each are enough. Numbers take each limit and literal, and a little less and more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import islice, product
from typing import Any

from cds_service.card_files.condition_terms import conjuncts, numbers_in
from cds_service.clinical.conditions import Condition, ConditionCompiler, Truth, limits_in
from cds_service.clinical.facts.registry import FACTS, FactKind

ALWAYS_KNOWN = "Always known"
STEP = Decimal("0.01")
MOST_ASSIGNMENTS = 100_000
_TEXT = re.compile(r"""'([^']*)'|"([^"]*)\"""")


class TooManyFacts(ValueError):
    """A condition names so many facts that its truth table cannot be searched."""


def is_always_known(fact: str) -> bool:
    """True where the registry says that the fact is never unknown."""
    return FACTS[fact].missing.startswith(ALWAYS_KNOWN)


def guarantees(conditions: Sequence[Condition], fact: str) -> bool:
    """True where the fact must be known for all conditions to hold. Raises: TooManyFacts."""
    if is_always_known(fact):
        return True
    parts = [part for condition in conditions for part in _conjuncts(condition)]
    naming = [part for part in parts if fact in part.facts]
    alone = (not _can_hold_without([part], fact) for part in naming)
    return bool(naming) and (any(alone) or not _can_hold_without(naming, fact) or not _can_hold_without(parts, fact))


@cache
def _parts(text: str, limits: tuple[tuple[str, float], ...]) -> tuple[Condition, ...]:
    numbers = {name: Decimal(str(value)) for name, value in limits}
    compiler = ConditionCompiler(numbers, for_drug=True, sees_levels="level[" in text)
    return tuple(compiler.compile(part) for part in conjuncts(text))


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    return _parts(condition.text, tuple(sorted(condition.limits.items())))


def _can_hold_without(conditions: Sequence[Condition], fact: str) -> bool:
    """True where some values of the other facts make every condition TRUE with this fact unbound."""
    others = sorted({name for c in conditions for name in c.facts} - {fact})
    samples = {name: _samples(name, conditions) for name in others}
    return any(
        all(c.judge_values({n: v for n, v in values.items() if n in c.facts}) is Truth.TRUE for c in conditions)
        for values in assignments(samples)
    )


def assignments(samples: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of sample values. Raises: TooManyFacts."""
    combinations = product(*samples.values())
    for values in islice(combinations, MOST_ASSIGNMENTS):
        yield dict(zip(samples, values, strict=True))
    if next(combinations, None) is not None:
        raise TooManyFacts(f"more than {MOST_ASSIGNMENTS} combinations of {', '.join(samples)}")


def _samples(fact: str, conditions: Iterable[Condition]) -> Sequence[Any]:
    naming = [c for c in conditions if fact in c.facts]
    match FACTS[fact].kind:
        case FactKind.BOOL:
            return (True, False)
        case FactKind.NUMBER:
            return sorted({v + step for c in naming for v in _numbers(c) for step in (-STEP, Decimal(0), STEP)})
        case FactKind.TEXT:
            return (*_texts(naming), "something else")
        case FactKind.TEXTS:
            texts = _texts(naming)
            return ((), *((text,) for text in texts), texts)


def _numbers(condition: Condition) -> set[Decimal]:
    """What the condition compares with; 0 where it compares facts with each other."""
    limits = {Decimal(str(condition.limits[name])) for name in limits_in(condition.text)}
    return limits | {Decimal(number) for number in numbers_in(condition.text)} or {Decimal(0)}


def _texts(conditions: Iterable[Condition]) -> tuple[str, ...]:
    found = {single or double for c in conditions for single, double in _TEXT.findall(c.text)}
    return tuple(sorted(found))
