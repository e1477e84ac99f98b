"""Conditions of rules: CEL expressions over facts, with three outcomes. The only code that knows the CEL library.

A fact that is not known stays unbound, so CEL yields an error where it matters: that is UNKNOWN, never FALSE, and
never TRUE although the library hands errors back as objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from cel_expr_python import cel

from cds_service.clinical.facts.registry import FACTS, FactKind
from cds_service.clinical.knowledge import Answer, Known

NAME = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*""")
LEVELS = "level"
"""The map of the other rules' levels that a scope rule may look into: level['anc-severe'] == 'critical'."""

_TYPES = {
    FactKind.BOOL: cel.Type.BOOL,
    FactKind.NUMBER: cel.Type.DOUBLE,
    FactKind.TEXT: cel.Type.STRING,
    FactKind.TEXTS: cel.Type.List(cel.Type.STRING),
}


class Truth(Enum):
    """The outcome of a condition."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class ConditionError(ValueError):
    """An expression does not compile; `column` counts from 1."""

    def __init__(self, message: str, column: int | None = None) -> None:
        self.column = column
        super().__init__(message)


@dataclass(frozen=True)
class Condition:
    """A compiled expression and the facts it names."""

    text: str
    facts: frozenset[str]
    limits: Mapping[str, float]
    _expression: Any = field(repr=False, compare=False)

    def judge(self, answer: Callable[[str], Answer], levels: Mapping[str, str] | None = None) -> Truth:
        """Evaluate with the facts that are known."""
        return self.judge_values(
            {name: known.value for name in self.facts if isinstance(known := answer(name), Known)}, levels
        )

    def judge_values(self, values: Mapping[str, Any], levels: Mapping[str, str] | None = None) -> Truth:
        """Evaluate with plain values; numbers become doubles, which keeps the order of decimals."""
        data: dict[str, Any] = {name: _plain(value) for name, value in values.items()}
        data |= {f"limits.{name}": value for name, value in self.limits.items()}
        if levels is not None:
            data[LEVELS] = dict(levels)
        result = self._expression.eval(data=data)
        if result.type() != cel.Type.BOOL:
            return Truth.UNKNOWN
        return Truth.TRUE if result.value() else Truth.FALSE


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Decimal | int):
        return float(value)
    return list(value)


class ConditionCompiler:
    """Compiles the expressions of one rule, with its limits, against the vocabulary of facts."""

    def __init__(self, limits: Mapping[str, Decimal], *, for_drug: bool, sees_levels: bool = False) -> None:
        self._limits = {name: float(value) for name, value in limits.items()}
        variables = {name: _TYPES[spec.kind] for name, spec in FACTS.items() if for_drug or not spec.about_drug}
        variables |= {f"limits.{name}": cel.Type.DOUBLE for name in limits}
        if sees_levels:
            variables[LEVELS] = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
        self._environment = cel.NewEnv(variables=variables)

    def compile(self, text: str) -> Condition:
        """Raises: ConditionError for a syntax error, an unknown name or a wrong type."""
        try:
            expression = self._environment.compile(text)
        except RuntimeError as problem:
            raise _readable(problem) from problem
        if expression.return_type() != cel.Type.BOOL:
            raise ConditionError(f"must be true or false, but is {expression.return_type()}")
        return Condition(text, names_in(text), self._limits, expression)


def names_in(text: str) -> frozenset[str]:
    """The facts an expression names."""
    return frozenset(name for name in NAME.findall(text) if name in FACTS)


def limits_in(text: str) -> frozenset[str]:
    """The limits an expression names, without the prefix."""
    return frozenset(name.removeprefix("limits.") for name in NAME.findall(text) if name.startswith("limits."))


def _readable(problem: RuntimeError) -> ConditionError:
    message = str(problem).removeprefix("INVALID_ARGUMENT: ").split("\n")[0]
    found = re.match(r"ERROR: <input>:(\d+):(\d+): (.*)", message)
    if not found:
        return ConditionError(message)
    return ConditionError(found[3].replace(" (in container '')", ""), int(found[2]))
