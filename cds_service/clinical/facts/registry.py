"""The registry of facts, and the sheet that answers them for one situation, each at most once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cds_service.clinical.chart import MedicationOrder
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.knowledge import DEFECT, Answer, Unknown
from cds_service.clinical.situation import Situation


class FactKind(StrEnum):
    """The types of facts; conditions are type-checked against them."""

    BOOL = "bool"
    NUMBER = "number"
    TEXT = "text"
    TEXTS = "texts"


@dataclass(frozen=True)
class DrugCase:
    """One drug of one order, in one situation: what facts named `drug.…` are about."""

    situation: Situation
    order: MedicationOrder
    drug: Drug


@dataclass(frozen=True, slots=True)
class FactSpec:
    """A fact: its name, type and unit, what it means, what missing data do to it, and where it is defined."""

    name: str
    kind: FactKind
    meaning: str
    missing: str
    source: str
    compute: Callable[[Any], Answer] = field(repr=False)
    unit: str | None = None

    @property
    def about_drug(self) -> bool:
        return self.name.startswith("drug.")


FACTS: dict[str, FactSpec] = {}

Compute = Callable[[Any], Answer]


def fact(
    name: str, kind: FactKind, *, meaning: str, missing: str, source: str, unit: str | None = None
) -> Callable[[Compute], Compute]:
    """Register the function below as a fact. Facts named `drug.…` get a DrugCase, others a Situation."""

    def register(compute: Compute) -> Compute:
        if name in FACTS:
            raise ValueError(f"fact {name} is defined twice")
        FACTS[name] = FactSpec(name, kind, meaning, missing, source, compute, unit)
        return compute

    return register


@dataclass
class FactSheet:
    """Answers facts for one situation (and, in a for-each rule, one drug); remembers each answer."""

    situation: Situation
    case: DrugCase | None = None
    parent: FactSheet | None = None
    _answers: dict[str, Answer] = field(default_factory=dict)

    def for_drug(self, order: MedicationOrder, drug: Drug) -> FactSheet:
        """A sheet that also answers `drug.…` facts, sharing the others."""
        return FactSheet(self.situation, DrugCase(self.situation, order, drug), self)

    def answer(self, name: str) -> Answer:
        """Known or unknown; `drug.…` facts outside a for-each rule are unknown."""
        if name not in self._answers:
            self._answers[name] = self._guarded(FACTS[name])
        return self._answers[name]

    def _guarded(self, spec: FactSpec) -> Answer:
        """A fault in one fact leaves it unknown, and the rules that need it reported; the others still speak."""
        try:
            return self._compute(spec)
        except Exception:  # noqa: BLE001 - whatever it is, it must not take the other rules' cards away
            return Unknown(frozenset({DEFECT}), "could not be computed")

    def _compute(self, spec: FactSpec) -> Answer:
        if not spec.about_drug:
            return self.parent.answer(spec.name) if self.parent else spec.compute(self.situation)
        return spec.compute(self.case) if self.case else Unknown(note="no drug in view")
