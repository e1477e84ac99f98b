"""Deliberate faults: each limit moved a step, each term of a condition changed. Every one must break a case.

A fault that no case notices is one that a slip of the pen could make unnoticed. The texts' own conditions are left out:
they choose words, not outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from cds_service.card_files.cases import Case, CaseBook, CaseRunner
from cds_service.card_files.condition_terms import variations
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.conditions import Condition, ConditionCompiler
from cds_service.clinical.rules import Guard, Level, Rule, RuleLibrary, SuggestionRule, Suppressor, Text
from cds_service.clinical.shared_numbers import SharedNumbers

STEPS = {
    "10*9/L": Decimal("0.01"),
    "g/dL": Decimal("0.1"),
    "Cel": Decimal("0.1"),
    "mm[Hg]": Decimal(1),
    "mg/dL": Decimal(1),
    "a": Decimal(1),
    "d": Decimal("0.6"),
    "h": Decimal("0.6"),
    "min": Decimal("1.5"),
}
"""How far a number is moved, by its unit; results are compared unrounded, so half a day matters."""

SHARE_STEP = Decimal("0.01")


@dataclass(frozen=True)
class Mutant:
    """One fault: what was changed, as a stable name, and the library with it."""

    id: str
    library: RuleLibrary = field(repr=False)
    cases: Sequence[Case] = field(repr=False)
    renumbered: bool = False


@dataclass(frozen=True)
class MutationCheck:
    """Finds the faults that the cases of a library do not notice."""

    book: CaseBook

    @property
    def library(self) -> RuleLibrary:
        return self.book.library

    @cached_property
    def units(self) -> Mapping[str, str]:
        """The unit of each shared number."""
        return {name: entry["unit"] for name, entry in read_yaml(self.book.cards_dir / "shared.yaml").items()}

    def survivors(self, mutants: Iterable[Mutant]) -> list[str]:
        """The names of the faults that no case notices."""
        return [mutant.id for mutant in mutants if not self.is_noticed(mutant)]

    def is_noticed(self, mutant: Mutant) -> bool:
        situations = {} if mutant.renumbered else self.book.runner.situations
        runners: dict[str, CaseRunner] = {}
        for case in mutant.cases:
            if case.rule not in runners:
                part = only_needed(mutant.library, case.rule)
                runners[case.rule] = CaseRunner(part, self.book.runner.terminology, situations)
            if not runners[case.rule].run(case).passed:
                return True
        return False

    # -- faults of one rule

    def of_rule(self, rule: Rule) -> Iterator[Mutant]:
        """Every fault of a rule; its own cases must notice them."""
        faults = [*self._moved_limits(rule), *_changed_conditions(rule), *_dropped_suppressors(rule)]
        for name, faulty in faults:
            yield Mutant(f"{rule.id}: {name}", with_rule(self.library, faulty), self.book.cases_of(rule))

    def _moved_limits(self, rule: Rule) -> Iterator[tuple[str, Rule]]:
        for name, limit in rule.limits.items():
            unit = self.units[limit.shared] if limit.shared else limit.unit
            for value in moved(limit.value, unit):
                yield f"limit {name} = {value}", with_limits(rule, {name: value})

    # -- faults of the shared numbers

    def of_shared_numbers(self) -> Iterator[Mutant]:
        """Every shared number moved; a case of any rule must notice it."""
        for name in sorted(SharedNumbers.names()):
            for value in moved(getattr(self.library.numbers, name), self.units[name]):
                library = renumbered(self.library, name, value)
                yield Mutant(f"shared {name} = {value}", library, self._cases_using(name), renumbered=True)

    def _cases_using(self, name: str) -> list[Case]:
        return [case for case in self.book.all_cases if name in self._numbers_of_case[case.id]]

    @cached_property
    def _numbers_of_case(self) -> dict[str, frozenset[str]]:
        return {case.id: self._numbers_used(case) for case in self.book.all_cases}

    def _numbers_used(self, case: Case) -> frozenset[str]:
        """The shared numbers that judging a case looks at."""
        recorder = _Recorder(self.library.numbers)
        numbers = cast(SharedNumbers, recorder)
        part = replace(only_needed(self.library, case.rule), numbers=numbers)
        CaseRunner(part, self.book.runner.terminology).run(case)
        limits = {limit.shared for rule in part.rules for limit in rule.limits.values() if limit.shared}
        return frozenset(recorder.seen | limits)


class _Recorder:
    """Stands in for the shared numbers and remembers which were looked at."""

    def __init__(self, numbers: SharedNumbers) -> None:
        self._numbers = numbers
        self.seen: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.seen.add(name)
        return getattr(self._numbers, name)


def survivors(cards_dir: Path, rule_ids: Sequence[str] | None = None, *, shared: bool = False) -> list[str]:
    """The faults of these rules (or all), and of the shared numbers where wanted, that no case notices."""
    check = MutationCheck(CaseBook(cards_dir))
    found = [mutant for rule in check.book.chosen(rule_ids) for mutant in check.survivors(check.of_rule(rule))]
    return found + (check.survivors(check.of_shared_numbers()) if shared else [])


def moved(value: Decimal, unit: str) -> tuple[Decimal, Decimal]:
    """A number one step lower and one step higher."""
    step = _step(value, unit)
    return (value - step, value + step)


def _step(value: Decimal, unit: str) -> Decimal:
    if unit == "1":
        return Decimal(1) if value == value.to_integral_value() and value > 1 else SHARE_STEP
    if unit == "10*9/L" and value >= 50:  # platelets are reported in whole numbers
        return Decimal(1)
    return STEPS[unit]


def only_needed(library: RuleLibrary, rule_id: str) -> RuleLibrary:
    """The rules that the verdict of one rule depends on: what silences it, and for a scope rule all others."""
    by_id = {rule.id: rule for rule in library.rules}
    if by_id[rule_id].scope:
        return library
    needed, todo = set[str](), [rule_id, *(rule.id for rule in library.rules if rule.scope)]
    while todo:
        current = todo.pop()
        if current in by_id and current not in needed:
            needed.add(current)
            todo += by_id[current].suppressed_by
    return replace(library, rules=tuple(rule for rule in library.rules if rule.id in needed))


def with_rule(library: RuleLibrary, faulty: Rule) -> RuleLibrary:
    """The library with one rule replaced."""
    return replace(library, rules=tuple(faulty if rule.id == faulty.id else rule for rule in library.rules))


def renumbered(library: RuleLibrary, name: str, value: Decimal) -> RuleLibrary:
    """The library with one shared number replaced, in the computations and in every rule that takes it."""
    rules = (
        with_limits(rule, {own: value for own, limit in rule.limits.items() if limit.shared == name})
        for rule in library.rules
    )
    numbers = replace(library.numbers, **{name: value})
    return replace(library, rules=tuple(rules), numbers=numbers)


def with_limits(rule: Rule, values: Mapping[str, Decimal]) -> Rule:
    """The rule with some of its limits replaced, wherever it names them."""
    if not values:
        return rule
    numbers = {name: float(value) for name, value in values.items()}

    def renumber(condition: Condition) -> Condition:
        return replace(condition, limits={**condition.limits, **numbers})

    limits = {n: replace(limit, value=values[n]) if n in values else limit for n, limit in rule.limits.items()}
    return replace(map_conditions(rule, renumber), limits=limits)


def map_conditions(rule: Rule, change: Callable[[Condition], Condition]) -> Rule:
    """The rule with every condition changed."""

    def guard(given: Guard) -> Guard:
        return Guard(*(None if c is None else change(c) for c in (given.when, given.unless)))

    def texts(variants: tuple[Text, ...]) -> tuple[Text, ...]:
        return tuple(replace(variant, guard=guard(variant.guard)) for variant in variants)

    return replace(
        rule,
        guard=guard(rule.guard),
        levels=tuple(replace(level, guard=guard(level.guard)) for level in rule.levels),
        summary=texts(rule.summary),
        detail=texts(rule.detail),
        line=texts(rule.line),
        suppressors=tuple(replace(suppressor, guard=guard(suppressor.guard)) for suppressor in rule.suppressors),
        suggestions=tuple(
            replace(s, guard=guard(s.guard), due=tuple(replace(d, guard=guard(d.guard)) for d in s.due))
            for s in rule.suggestions
        ),
    )


def _dropped_suppressors(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for place, suppressor in enumerate(rule.suppressors):
        left = (*rule.suppressors[:place], *rule.suppressors[place + 1 :])
        yield f"not suppressed by {suppressor.rule}", replace(rule, suppressors=left)


def _changed_conditions(rule: Rule) -> Iterator[tuple[str, Rule]]:
    about_drugs = rule.for_each is not None or any(suggestion.about_order for suggestion in rule.suggestions)
    about_drugs = about_drugs or any(suppressor.guard.conditions for suppressor in rule.suppressors)
    compiler = ConditionCompiler(rule.limit_values, for_drug=about_drugs, sees_levels=rule.scope)
    for place, given, rebuild in _guards(rule):
        if given.when is not None and given is not rule.guard:
            yield f"{place} when dropped", rebuild(replace(given, when=None))
        for name, changed in _guard_variations(given, compiler):
            yield f"{place} {name}", rebuild(changed)
    yield from _dropped_levels(rule)


Rebuild = Callable[[Guard], Rule]


def _guards(rule: Rule) -> Iterator[tuple[str, Guard, Rebuild]]:
    """Every guard of a rule that decides something, its place, and how to put another in its stead."""
    yield "rule", rule.guard, lambda guard: replace(rule, guard=guard)
    for place, level in enumerate(rule.levels):
        yield f"level {place + 1}", level.guard, _put_level(rule, place, level)
    for place, suppressor in enumerate(rule.suppressors):
        yield f"suppressed by {suppressor.rule}", suppressor.guard, _put_suppressor(rule, place, suppressor)
    for place, suggestion in enumerate(rule.suggestions):
        yield f"suggestion {suggestion.kind}", suggestion.guard, _put_suggestion(rule, place, suggestion)
        for number in range(len(suggestion.due)):
            put = _put_due(rule, place, suggestion, number)
            yield f"suggestion {suggestion.kind} due {number + 1}", suggestion.due[number].guard, put


def _replaced(items: Sequence[Any], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])


def _put_level(rule: Rule, place: int, level: Level) -> Rebuild:
    return lambda guard: replace(rule, levels=_replaced(rule.levels, place, replace(level, guard=guard)))


def _put_suppressor(rule: Rule, place: int, suppressor: Suppressor) -> Rebuild:
    return lambda guard: replace(rule, suppressors=_replaced(rule.suppressors, place, replace(suppressor, guard=guard)))


def _put_suggestion(rule: Rule, place: int, suggestion: SuggestionRule) -> Rebuild:
    def put(guard: Guard) -> Rule:
        return replace(rule, suggestions=_replaced(rule.suggestions, place, replace(suggestion, guard=guard)))

    return put


def _put_due(rule: Rule, place: int, suggestion: SuggestionRule, number: int) -> Rebuild:
    def put(guard: Guard) -> Rule:
        due = _replaced(suggestion.due, number, replace(suggestion.due[number], guard=guard))
        return replace(rule, suggestions=_replaced(rule.suggestions, place, replace(suggestion, due=due)))

    return put


def _guard_variations(guard: Guard, compiler: ConditionCompiler) -> Iterator[tuple[str, Guard]]:
    if guard.when is not None:
        for text, condition in _compiled(guard.when, compiler):
            yield f"when {text}", replace(guard, when=condition)
    if guard.unless is not None:
        yield "unless dropped", replace(guard, unless=None)
        for text, condition in _compiled(guard.unless, compiler):
            yield f"unless {text}", replace(guard, unless=condition)


def _compiled(condition: Condition, compiler: ConditionCompiler) -> Iterator[tuple[str, Condition]]:
    for text in dict.fromkeys(variations(condition.text)):
        yield text, compiler.compile(text)


def _dropped_levels(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Each level but the last, which always holds."""
    levels = rule.levels if rule.scope else rule.levels[:-1]
    for place, level in enumerate(levels):
        left = (*rule.levels[:place], *rule.levels[place + 1 :])
        if left:
            yield f"level {place + 1} ({level.indicator}) dropped", replace(rule, levels=left)
