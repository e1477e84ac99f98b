"""The policy of boundaries: where a condition compares a fact with a limit, cases stand exactly at it and beside it.

What the mutation check proves slowly for every term, this says at once, with the name of the limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from cds_service.card_files.condition_terms import Junction, Negation, Term, parse
from cds_service.clinical.draws import plain
from cds_service.clinical.facts.registry import FACTS, FactKind, FactSheet
from cds_service.clinical.knowledge import Known
from cds_service.clinical.rules import Limit, Rule
from cds_service.clinical.situation import Situation
from cds_service.clinical.verdicts import judged_drugs

_COMPARED = re.compile(r"^(?P<fact>[\w.]+)\s*(?P<operator><=|>=|<|>)\s*limits\.(?P<limit>\w+)$")


def boundaries_left_out(rule: Rule, situations: Sequence[Situation]) -> Iterator[str]:
    """What the cases leave out, in words that follow "of the cases, "; `situations`: one for each case."""
    compared = sorted({found for condition in _conditions(rule) for found in _comparisons(parse(condition))})
    values = {fact: _values(rule, fact, situations) for fact, _, _ in compared}
    for fact, operator, name in compared:
        yield from _missing(values[fact], fact, operator, rule.limits[name])


def _conditions(rule: Rule) -> list[str]:
    guards = [rule.guard, *(level.guard for level in rule.levels)]
    return [condition.text for guard in guards for condition in guard.conditions]


def _comparisons(term: Term) -> Iterator[tuple[str, str, str]]:
    """Each number compared with a limit: fact, operator, limit."""
    if isinstance(term, Junction):
        for part in term.terms:
            yield from _comparisons(part)
    elif isinstance(term, Negation):
        yield from _comparisons(term.term)
    elif (found := _COMPARED.match(term.text)) and _is_number(found["fact"]):
        yield found["fact"], found["operator"], found["limit"]


def _is_number(fact: str) -> bool:
    return fact in FACTS and FACTS[fact].kind is FactKind.NUMBER


def _values(rule: Rule, fact: str, situations: Sequence[Situation]) -> set[Decimal]:
    answers = (sheet.answer(fact) for situation in situations for sheet in _sheets(rule, situation))
    return {Decimal(str(answer.value)) for answer in answers if isinstance(answer, Known)}


def _sheets(rule: Rule, situation: Situation) -> Iterator[FactSheet]:
    sheet = FactSheet(situation)
    if rule.for_each is None:
        yield sheet
    else:
        yield from (sheet.for_drug(order, drug) for order, drug in judged_drugs(rule, situation))


def _missing(values: set[Decimal], fact: str, operator: str, limit: Limit) -> Iterator[str]:
    """Exactly at the limit, and on the side that the limit itself does not belong to."""
    if limit.value not in values:
        yield f"none has {fact} exactly at the limit {limit.name} ({plain(limit.value)})"
    beyond, beside = ("below", _some_below) if operator in ("<", ">=") else ("above", _some_above)
    if not beside(values, limit.value):
        yield f"none has {fact} {beyond} the limit {limit.name} ({plain(limit.value)})"


def _some_below(values: set[Decimal], limit: Decimal) -> bool:
    return any(value < limit for value in values)


def _some_above(values: set[Decimal], limit: Decimal) -> bool:
    return any(value > limit for value in values)
