"""Diseases, procedures, age and pregnancy that change what a count means (C-DISEASE, rules 2, 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from cds_service.clinical.chart import Chart, PerformedProcedure, PrefetchKey, Problem
from cds_service.clinical.knowledge import Answer, HasSource, claim
from cds_service.clinical.shared_numbers import SharedNumbers, days

HAEMATOLOGICAL_MALIGNANCY = frozenset(
    {
        "aml", "all", "apl", "mds", "cmml", "cml", "cml-blast", "cml-accelerated", "cll", "hcl", "myeloma", "lymphoma",
        "haematological-malignancy",
    }
)  # fmt: skip
MARROW_DISEASE = frozenset({"aml", "all", "apl", "mds", "cmml", "hcl", "aplastic-anaemia", "cml-blast"})
FEVER_RISK_DISEASE = frozenset(
    {
        "aml", "all", "apl", "mds", "cmml", "hcl", "aplastic-anaemia", "lgl", "agranulocytosis",
        "severe-chronic-neutropenia", "cyclic-neutropenia",
    }
)  # fmt: skip
LEUKAEMIA_ON_FILE = frozenset({"aml", "all", "apl", "mds", "cmml", "cml", "cml-blast"})
MARROW_PROCEDURES = frozenset({"leukaemia-induction", "conditioning", "hsct", "lymphodepletion"})


@dataclass(frozen=True)
class Diseases:
    """The problems and procedures of one chart at one instant."""

    chart: Chart
    now: datetime
    numbers: SharedNumbers

    @cached_property
    def active(self) -> list[Problem]:
        return [p for p in self.chart.problems if p.active]

    def having(self, kinds: frozenset[str]) -> list[Problem]:
        return [p for p in self.active if p.kinds & kinds]

    def has(self, *kinds: str) -> Answer:
        """Whether an active problem is of one of these kinds; unknown where problems are unavailable."""
        return claim(self.chart, self.having(frozenset(kinds)), PrefetchKey.CONDITIONS)

    @property
    def advanced_cml(self) -> list[Problem]:
        """CML whose stage or code says accelerated or blast phase; phase unknown counts as chronic (rules 33-35)."""
        return [p for p in self.having(frozenset({"cml", "cml-blast", "cml-accelerated"})) if _advanced(p)]

    @property
    def blast_phase(self) -> list[Problem]:
        return [p for p in self.advanced_cml if "cml-blast" in p.kinds or "blast" in (p.stage or "").lower()]

    def marrow_procedures(self, number_of_days: Decimal) -> list[PerformedProcedure]:
        """Induction, conditioning, transplant or lymphodepletion within so many days; undated ones do not count."""
        window = days(number_of_days)
        return [
            p
            for p in self.chart.procedures
            if p.kinds & MARROW_PROCEDURES and p.performed is not None and p.performed.may_be_within(window, self.now)
        ]

    @property
    def marrow_disease(self) -> Answer:
        """C-DISEASE: the low count can be the disease or the intent."""
        window = days(self.numbers.marrow_procedure_days)
        recent = [
            p
            for p in self.marrow_procedures(self.numbers.marrow_procedure_days)
            if p.performed is not None and p.performed.is_within(window, self.now)
        ]
        evidence: Iterable[HasSource] = [*self.having(MARROW_DISEASE), *self.blast_phase, *recent]
        return claim(self.chart, evidence, PrefetchKey.CONDITIONS, PrefetchKey.PROCEDURES)

    @cached_property
    def pregnancies(self) -> list[Problem]:
        """Active pregnancies; a dated one counts up to 300 d, an undated one always (rule 9)."""
        window = days(self.numbers.pregnancy_days)
        return [
            p
            for p in self.having(frozenset({"pregnancy"}))
            if p.dated is None or p.dated.may_be_within(window, self.now)
        ]

    @cached_property
    def age_years(self) -> int | None:
        """Completed years; of a partial birth date the greatest it can be. None where not known."""
        born = self.chart.patient.born if self.chart.patient else None
        if born is None or born.is_future(self.now):
            return None
        birthday = born.earliest
        passed = (self.now.month, self.now.day) >= (birthday.month, birthday.day)
        return self.now.year - birthday.year - (0 if passed else 1)

    @property
    def is_child(self) -> bool:
        """Below 18; an unknown birth date is read as adult (rule 9)."""
        return self.age_years is not None and self.age_years < self.numbers.adult_years

    def infections_since(self, kinds: frozenset[str], number_of_days: Decimal) -> list[Problem]:
        """Infections of any status with onset (else recorded) within so many days."""
        window = days(number_of_days)
        return [
            p for p in self.chart.problems if p.kinds & kinds and p.dated and p.dated.may_be_within(window, self.now)
        ]


def _advanced(problem: Problem) -> bool:
    stage = (problem.stage or "").lower()
    return bool(problem.kinds & {"cml-blast", "cml-accelerated"}) or "blast" in stage or "accelerated" in stage
