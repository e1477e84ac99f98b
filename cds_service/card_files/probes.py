"""Charts full of long words, to see how long a summary can get: old counts, long drug names, each drug in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from cds_service.card_files.case_charts import CaseChart
from cds_service.clinical.chart import MedicationOrder
from cds_service.clinical.conditions import Truth
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.facts.registry import FactSheet
from cds_service.clinical.knowledge import Known
from cds_service.clinical.rules import ForEach, Rule
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.situation import Situation
from cds_service.clinical.templates import MissingFact, Template
from cds_service.clinical.terminology import Terminology
from cds_service.clinical.verdicts import judge_guard

_COUNTS = [
    {"analyte": "ANC", "value": 0.34, "unit": "10*9/L", "days_ago": 27},
    {"analyte": "PLT", "value": 24, "unit": "10*9/L", "days_ago": 27},
]
_PROBLEMS = [{"name": "acquired aplastic anemia"}, {"name": "neutropenic enterocolitis", "onset_days_ago": 13}]
_CONFLICT = [
    {"analyte": "ANC", "value": 0.44, "unit": "10*9/L", "hours_ago": 46},
    {"analyte": "ANC", "value": 1.14, "unit": "10*9/L", "hours_ago": 45},
    {"analyte": "NEUT_PCT", "value": 140, "unit": "10*9/L", "days_ago": 27},
    {"analyte": "WBC", "value": 1400, "unit": "10*3/uL", "days_ago": 27},
]
_RECOVERED = [
    {"analyte": "ANC", "value": 10.34, "unit": "10*9/L", "days_ago": 6},
    {"analyte": "PLT", "value": 1024, "unit": "10*9/L", "days_ago": 6},
    {"analyte": "ANC", "value": 0.34, "unit": "10*9/L", "days_ago": 50},
]
_MODERATE = [{"analyte": "ANC", "value": 0.84, "unit": "10*9/L", "days_ago": 27}]
_WHITE = [{"analyte": "WBC", "value": 0.44, "unit": "10*9/L", "days_ago": 27}]
_STATUS = {ForEach.DRUG: "draft", ForEach.HELD_DRUG: "on-hold", ForEach.STOPPED_DRUG: "stopped"}
_FEVER = [{"value": 38.4, "hours_ago": 20}]


def crowded_charts(drugs: Sequence[Drug]) -> list[dict[str, Any]]:
    """In the vocabulary of the cases, with the longest names of the table."""
    meds = [
        {"ingredient": _longest(drugs, lambda d: d.antibacterial == "antipseudomonal"), "start_days_ago": 9},
        {"ingredient": _longest(drugs, lambda d: d.fever_rule == "chemo"), "status": "completed", "end_days_ago": 13},
        {"ingredient": _longest(drugs, lambda d: d.is_idiosyncratic), "start_days_ago": 300},
    ]
    known = [med for med in meds if med["ingredient"]]
    crowded = {"labs": _COUNTS, "meds": known, "conditions": _PROBLEMS}
    return [
        crowded,
        {**crowded, "temps": _FEVER},
        {**crowded, "age": 17, "pregnant": True},
        {"labs": _COUNTS, "unavailable": ["vitalSigns"], "sbp": 84},
        {"labs": _CONFLICT},
        {"labs": _WHITE},
        {"labs": _RECOVERED, "conditions": [{"name": "CML"}]},
        {"labs": _MODERATE, "conditions": [{"name": "CML"}]},
    ]


def _longest(drugs: Iterable[Drug], chosen: Callable[[Drug], bool]) -> str | None:
    return max((drug.ingredient for drug in drugs if chosen(drug)), key=len, default=None)


class Probes:
    """The probe charts of one library, each built once."""

    def __init__(self, terminology: Terminology, numbers: SharedNumbers) -> None:
        self._terminology, self._numbers = terminology, numbers
        self._drug_sheets: dict[ForEach, tuple[FactSheet, ...]] = {}
        self._chosen: tuple[Rule | None, tuple[FactSheet, ...]] = (None, ())

    @cached_property
    def _situations(self) -> tuple[Situation, ...]:
        charts = crowded_charts(self._terminology.drugs)
        return tuple(CaseChart(given, self._terminology, self._numbers).situation() for given in charts)

    def longest(self, template: Template, rule: Rule) -> str:
        """The longest text that a template gives in the probes; empty where no probe knows all it needs."""
        return max(self._fillings(template, rule), key=len, default="")

    def _fillings(self, template: Template, rule: Rule) -> Iterator[str]:
        for sheet in self._sheets(rule):
            name = sheet.answer("drug.name") if sheet.case else None
            special = {"drugs": str(name.value) if isinstance(name, Known) else ""}
            now = sheet.situation.now
            try:
                yield template.fill(sheet.answer, now=now, limits=rule.limit_values, special=special)
            except MissingFact:
                continue

    def _sheets(self, rule: Rule) -> Sequence[FactSheet]:
        """Of a for-each rule, one for each drug that it can fire for; found once for all texts of a rule."""
        if rule.for_each is None:
            return self._whole
        if self._chosen[0] is not rule:
            fitting = (sheet for sheet in self._of_drugs(rule.for_each) if judge_guard(rule.guard, sheet) is Truth.TRUE)
            self._chosen = (rule, tuple(fitting))
        return self._chosen[1]

    @cached_property
    def _whole(self) -> tuple[FactSheet, ...]:
        return tuple(FactSheet(situation) for situation in self._situations)

    def _of_drugs(self, for_each: ForEach) -> Sequence[FactSheet]:
        """A sheet for each drug in each chart; kept, so that rules share the facts already computed."""
        if for_each not in self._drug_sheets:
            orders = [_order(drug, for_each) for drug in self._terminology.drugs]
            sheets = (whole.for_drug(order, order.drugs[0]) for whole in self._whole for order in orders)
            self._drug_sheets[for_each] = tuple(sheets)
        return self._drug_sheets[for_each]


def _order(drug: Drug, for_each: ForEach) -> MedicationOrder:
    return MedicationOrder(
        source="MedicationRequest/probe",
        drugs=(drug,),
        name=drug.ingredient,
        status=_STATUS[for_each],
        draft=for_each is not ForEach.HELD_DRUG,
        daily_dose_mg=Decimal(24500),
        planned_days=Decimal(142),
    )
