"""Observations as measurements, findings and reported signs: the number with its unit, or why it cannot be used.

One Observation gives as many readings as it has values: its own and those of its components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from cds_service.clinical.chart import DataProblem, Finding, Measurement, Problem
from cds_service.clinical.markdown import shorten
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers, days, hours
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.clinical.units import UnitProblem
from cds_service.fhir.codes import Concept, code_of, read_choices, read_concept, read_concepts, status_of
from cds_service.fhir.json_access import Json, mapping, mappings, number, text
from cds_service.fhir.pool import Item
from cds_service.fhir.read_specimens import is_other_specimen
from cds_service.fhir.read_times import read_moment, read_timing_or_moment
from cds_service.fhir.references import reference_of
from cds_service.fhir.searches import CELLS

FINAL = frozenset({"final", "amended", "corrected"})
USABLE = FINAL | {"preliminary"}
COMPARATORS = frozenset({"<", "<=", ">", ">="})
OBSERVED_SIGNS = frozenset({"fever", "febrile-neutropenia", "pregnancy"})
"""What an Observation may report by itself; other coded answers (family history) need not be the patient's."""

WRITTEN_AS = {Analyte.HGB_MOLAR: Analyte.HGB}
PANELS = frozenset({Analyte.BP_PANEL, Analyte.CBC_PANEL})
NO_TIME = "no time of the draw"
LONGEST_RAW = 80
DENIALS = ("no", "not", "none", "absent", "negative", "denies", "without", "false")

UNIT_PROBLEMS = {
    UnitProblem.MISSING: "unit missing",
    UnitProblem.UNKNOWN: "unit {unit} is not known",
    UnitProblem.AMBIGUOUS: "unit {unit} is ambiguous",
    UnitProblem.CONTRADICTION: "unit and unit code say different things",
    UnitProblem.IMPLAUSIBLE: "implausible value",
}


@dataclass(slots=True)
class Readings:
    """What was read from Observations."""

    measurements: list[Measurement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    signs: list[Problem] = field(default_factory=list)
    problems: list[DataProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draw:
    """What the values of one Observation share."""

    taken: Moment
    source: str
    final: bool
    specimen: str | None


class ObservationReader:
    """Reads Observations into one `Readings`."""

    def __init__(self, terminology: Terminology, now: datetime, numbers: SharedNumbers) -> None:
        self.terminology = terminology
        self.now = now
        self.readings = Readings()
        current = days(numbers.current_days)
        self._may_be_recent = {Analyte.ANC: current, Analyte.WBC: current, Analyte.TEMP: hours(numbers.vitals_hours)}

    def read(self, item: Item) -> None:
        """Add what one Observation says. Statuses other than final and preliminary ones say nothing."""
        resource = item.resource
        status = status_of(resource)
        if status is not None and status not in USABLE:
            return
        if not any(read_concept(holder.get("code")) for holder in self._holders(resource)):
            self._report("broken-resource", item.source, "It does not say what was observed; it was not used.")
        elsewhere = self._is_elsewhere(resource)
        holders = [holder for holder in self._holders(resource) if self._is_ours(holder, elsewhere)]
        if not holders:
            return
        if status is None:
            self._report("broken-resource", item.source, "It has no status; it is read as preliminary.")
        taken = read_timing_or_moment(resource, "effective") or read_moment(resource.get("issued"))
        if taken is None:
            self._report("no-time", item.source, "It does not say when it was taken; it was not used.")
            self._add_undated(holders, item, status in FINAL)
            return
        draw = Draw(taken, item.source, status in FINAL, _specimen(resource))
        for holder in holders:
            self._read_value(holder, draw)

    def _is_elsewhere(self, resource: Json) -> bool:
        """True where it is of another specimen than blood, by its words or, for all its components, by its code."""
        codings = read_concept(resource.get("code")).codings
        return is_other_specimen(resource) or self.terminology.analyte_of(codings) is Analyte.EXCLUDED

    def _holders(self, resource: Json) -> Iterator[Json]:
        """The Observation itself and its components: everything with a code and a value."""
        yield resource
        yield from mappings(resource.get("component"))

    def _add_undated(self, holders: Iterable[Json], item: Item, final: bool) -> None:
        """Results that decide are kept without their value, as of any time at which they would count.

        Nobody may conclude that there are none. Source: C-FRESH, C-FEVER.
        """
        for holder in holders:
            analyte = self.terminology.analyte_of(read_concept(holder.get("code")).codings)
            if analyte in self._may_be_recent and not _is_absent(holder):
                taken = Moment(latest=self.now, earliest=self.now - self._may_be_recent[analyte])
                self._add_measurement(analyte, holder, Draw(taken, item.source, final, None))
                self.readings.measurements[-1] = _undated(self.readings.measurements[-1])

    def _is_ours(self, holder: Json, elsewhere: bool = False) -> bool:
        concept = read_concept(holder.get("code"))
        analyte = self.terminology.analyte_of(concept.codings)
        if analyte is None:
            return bool(self._signs(holder, concept))
        return analyte is not Analyte.EXCLUDED and not (elsewhere and analyte in CELLS)

    def _read_value(self, holder: Json, draw: Draw) -> None:
        concept = read_concept(holder.get("code"))
        analyte = self.terminology.analyte_of(concept.codings)
        if analyte is None:
            self._add_sign(holder, concept, draw)
        elif analyte is Analyte.CONTRADICTORY:
            self._report("contradictory-code", draw.source, "Its codes name different measurements; it was not used.")
        elif analyte not in PANELS and not _is_absent(holder):
            self._add_result(analyte, holder, draw)

    def _add_result(self, analyte: Analyte, holder: Json, draw: Draw) -> None:
        spec = self.terminology.analytes.get(analyte)
        if spec is not None and spec.use is not None:
            self._add_measurement(analyte, holder, draw)
        else:
            self._add_finding(analyte, holder, draw)

    def _add_measurement(self, analyte: Analyte, holder: Json, draw: Draw) -> None:
        quantity = _quantity(holder)
        value, problem = self._measure(analyte, quantity, holder)
        self.readings.measurements.append(
            Measurement(
                analyte=WRITTEN_AS.get(analyte, analyte).value,
                value=value,
                taken=draw.taken,
                source=draw.source,
                raw=_raw(holder, quantity),
                final=draw.final,
                comparator=text(quantity.get("comparator")),
                problem=problem,
                low_limit=self._low_limit(analyte, holder),
                specimen=draw.specimen,
                unit=self.terminology.analytes[analyte].unit,
            )
        )

    def _measure(self, analyte: Analyte, quantity: Json, holder: Json) -> tuple[Decimal | None, str | None]:
        """The canonical value, or None and why."""
        value, comparator = number(quantity.get("value")), text(quantity.get("comparator"))
        if value is None:
            return None, "reported in words, not as a number" if _has_value(holder) else "no value"
        if comparator is not None and comparator not in COMPARATORS:
            return None, "its comparator is not known"
        unit, code = text(quantity.get("unit")), text(quantity.get("code"))
        measured = self.terminology.measure(analyte, value, unit=unit, code=code, system=text(quantity.get("system")))
        if isinstance(measured, UnitProblem):
            return None, UNIT_PROBLEMS[measured].format(unit=shorten(unit or code or "", LONGEST_RAW))
        return measured, None

    def _low_limit(self, analyte: Analyte, holder: Json) -> Decimal | None:
        """The laboratory's lower limit; None where it has several, or none in a known unit."""
        limits: set[Decimal | UnitProblem] = set()
        for span in mappings(holder.get("referenceRange")):
            low = mapping(span.get("low"))
            if code_of(span.get("type")) in (None, "normal") and (limit := number(low.get("value"))) is not None:
                unit, code, system = (text(low.get(name)) for name in ("unit", "code", "system"))
                limits.add(self.terminology.measure(analyte, limit, unit=unit, code=code, system=system))
        only = limits.pop() if len(limits) == 1 else None
        return only if isinstance(only, Decimal) else None

    def _add_finding(self, analyte: Analyte, holder: Json, draw: Draw) -> None:
        concepts = [*_coded_values(holder), *_interpretations(holder)]
        kinds = (self.terminology.result_kinds(concept.codings, concept.text) for concept in concepts)
        texts = [words for concept in concepts for words in concept.all_words]
        if number(_quantity(holder).get("value")) is not None:
            texts.insert(0, _as_sent(holder, _quantity(holder)))
        if not texts:
            return
        meaning = frozenset[str]().union(*kinds)
        self.readings.findings.append(
            Finding(analyte.value, tuple(texts), draw.taken, draw.source, meaning, draw.final)
        )

    def _signs(self, holder: Json, concept: Concept) -> frozenset[str]:
        """The signs that a coded observation reports: by its code unless the value denies it, or by its value."""
        if _is_absent(holder):
            return frozenset()
        values = _coded_values(holder)
        coded = self.terminology.condition_kinds(concept.codings, concept.text) & OBSERVED_SIGNS
        said = (self.terminology.condition_kinds(value.codings, value.text) & OBSERVED_SIGNS for value in values)
        return frozenset[str]().union(*said) or (frozenset() if self._is_denied(holder, values) else coded)

    def _is_denied(self, holder: Json, values: Iterable[Concept]) -> bool:
        if holder.get("valueBoolean") is False:
            return True
        negative = any("negative" in self.terminology.result_kinds(value.codings, value.text) for value in values)
        words = [word.casefold().split()[0].strip(".,;:") for value in values for word in value.all_words]
        return negative or any(word in DENIALS for word in words)

    def _add_sign(self, holder: Json, concept: Concept, draw: Draw) -> None:
        kinds = self._signs(holder, concept)
        if kinds:
            words = concept.words or next(iter(sorted(kinds)))
            self.readings.signs.append(Problem(kinds, words, True, draw.source, onset=draw.taken))

    def _report(self, kind: str, source: str, words: str) -> None:
        self.readings.problems.append(DataProblem(kind, source, words))


def _undated(measurement: Measurement) -> Measurement:
    return replace(measurement, value=None, comparator=None, low_limit=None, problem=NO_TIME)


def unusable_results(measurements: Iterable[Measurement]) -> list[DataProblem]:
    """The measurements that carry no usable value, as data problems. Undated ones are reported where they are read."""
    return [
        DataProblem(_kind_of(m.problem or ""), m.source, f"{m.analyte} {m.raw}: {m.problem}")
        for m in measurements
        if m.problem not in (None, NO_TIME)
    ]


def _kind_of(problem: str) -> str:
    if problem.startswith("unit"):
        return "unusable-unit"
    return "implausible-value" if problem == UNIT_PROBLEMS[UnitProblem.IMPLAUSIBLE] else "unusable-value"


def _quantity(holder: Json) -> Json:
    """The numeric value as a Quantity; a bare number or a numeric text has no unit."""
    if (quantity := mapping(holder.get("valueQuantity"))) != {}:
        return quantity
    bare = holder.get("valueInteger", holder.get("valueDecimal", holder.get("valueString")))
    return {"value": bare} if number(bare) is not None else {}


def _coded_values(holder: Json) -> list[Concept]:
    """value[x] in words and codes."""
    spoken = [holder.get(f"value{suffix}") for suffix in ("CodeableConcept", "String", "Coding", "Code")]
    values = [concept for value in spoken if value is not None for concept in read_concepts(value)]
    if isinstance(flag := holder.get("valueBoolean"), bool):
        values.append(Concept(text="positive" if flag else "negative"))
    return values


def _interpretations(holder: Json) -> list[Concept]:
    """The laboratory's own reading (NEG, POS, N), by its code where it has no words."""
    stated = read_concepts(holder.get("interpretation") or [])
    return [c if c.words else Concept(c.codings, next((k.code for k in c.codings if k.code), None)) for c in stated]


def _has_value(holder: Json) -> bool:
    return any(True for _ in read_choices(holder, "value"))


def _is_absent(holder: Json) -> bool:
    """True where the sender says that there is no result."""
    return bool(holder.get("dataAbsentReason")) and not _has_value(holder)


def _raw(holder: Json, quantity: Json) -> str:
    """The result as it was sent, as far as a result can be long: a report's prose is none."""
    return shorten(_as_sent(holder, quantity), LONGEST_RAW)


def _as_sent(holder: Json, quantity: Json) -> str:
    """The value as sent, for a person."""
    value = quantity.get("value")
    if number(value) is None:
        return next((words for concept in _coded_values(holder) if (words := concept.words)), "")
    unit = text(quantity.get("unit")) or text(quantity.get("code")) or ""
    return f"{text(quantity.get('comparator')) or ''}{value} {unit}".strip()


def _specimen(resource: Json) -> str | None:
    """The specimen's reference; one inside the resource tells nothing about other resources."""
    reference = reference_of(resource.get("specimen"))
    return None if reference is None or reference.is_local else reference.relative or reference.written
