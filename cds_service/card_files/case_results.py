"""Results and vital signs of a case: numbers with their units, or why they cannot be used, and findings in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cds_service.card_files.case_input import CaseInputError, Item, Sources, ago, decimal, taken
from cds_service.clinical.chart import Finding, Measurement
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.clinical.units import UnitProblem

FINAL = frozenset({"final", "amended", "corrected"})
READ = FINAL | {"preliminary"}
DUFFY_WORDS = {"null": "Fy(a-b-)", "positive": "Fy(a+b-)"}
DUFFY = frozenset({"DUFFY", "DUFFY_GENOTYPE"})


@dataclass(frozen=True, slots=True)
class CaseResults:
    """Reads the results of one case. Raises: CaseInputError from every method."""

    _terminology: Terminology
    _sources: Sources

    def labs(self, labs: Sequence[Any]) -> tuple[list[Measurement], list[Finding]]:
        """The results that count; those of other statuses say nothing."""
        measured: list[Measurement] = []
        found: list[Finding] = []
        for given in labs:
            lab = Item(
                given, "analyte", "value", "unit", "days_ago", "hours_ago", "comparator", "ref_low", "status",
                "specimen", "at_date_only", what="labs",
            )  # fmt: skip
            if lab.get("status", "final") not in READ:
                continue
            analyte = str(lab.needed("analyte"))
            if analyte in DUFFY or self._spec_use(analyte) is None:
                found.append(self._finding(analyte, lab))
            else:
                measured.append(self._lab(Analyte(analyte), lab))
        return measured, found

    def _spec_use(self, analyte: str) -> object:
        if analyte not in set(Analyte):
            raise CaseInputError(f"labs: {analyte} is no analyte")
        spec = self._terminology.analytes.get(Analyte(analyte))
        return spec.use if spec else None

    def _lab(self, analyte: Analyte, lab: Item) -> Measurement:
        unit = lab.needed("unit")
        measurement = self._measurement(analyte, lab.needed("value"), unit, taken(lab), lab.get("comparator"))
        low = lab.number("ref_low")
        limit = None if low is None else self._measure(analyte, low, unit)
        return replace(
            measurement,
            final=lab.get("status", "final") in FINAL,
            low_limit=limit if isinstance(limit, Decimal) else None,
            specimen=lab.get("specimen"),
        )

    def _measure(self, analyte: Analyte, value: Decimal, unit: str | None) -> Decimal | UnitProblem:
        return self._terminology.measure(analyte, value, unit=unit, code=None, system=None)

    def _measurement(
        self, analyte: Analyte, value: Any, unit: str | None, taken: Moment, comparator: str | None = None
    ) -> Measurement:
        number = decimal(value, analyte)
        measured = self._measure(analyte, number, unit)
        usable = measured if isinstance(measured, Decimal) else None
        return Measurement(
            analyte="HGB" if analyte is Analyte.HGB_MOLAR else analyte.value,
            value=usable,
            taken=taken,
            source=self._sources.next("Observation"),
            raw=f"{comparator or ''}{value} {unit or ''}".strip(),
            comparator=comparator,
            problem=None if usable is not None else str(measured).replace("-", " "),
            unit=self._terminology.analytes[analyte].unit,
        )

    def _finding(self, analyte: str, lab: Item) -> Finding:
        value = lab.needed("value")
        words = DUFFY_WORDS.get(str(value or "null"), str(value)) if analyte in DUFFY else str(value)
        return Finding(
            analyte=analyte,
            texts=(words,),
            taken=taken(lab),
            source=self._sources.next("Observation"),
            kinds=self._terminology.result_kinds((), words),
            final=lab.get("status", "final") in FINAL,
        )

    def temperatures(self, temps: Sequence[Any]) -> Iterable[Measurement]:
        for given in temps:
            temp = Item(given, "value", "unit", "hours_ago", "at_date_only", what="temps")
            yield self._measurement(Analyte.TEMP, temp.needed("value"), temp.get("unit", "Cel"), taken(temp))

    def pressures(self, given: Any) -> Iterable[Measurement]:
        """Of a number or a list of readings."""
        for reading in given if isinstance(given, list) else [{"value": given}]:
            sbp = Item(reading, "value", "hours_ago", what="sbp")
            taken = ago(hours=sbp.number("hours_ago") or Decimal(1))
            yield self._measurement(Analyte.SBP, sbp.needed("value"), "mm[Hg]", taken)

    def weight(self, kilograms: Any) -> Measurement:
        return self._measurement(Analyte.WEIGHT, kilograms, "kg", ago(days=Decimal(1)))
