"""Turns the input of a case, as an author writes it, into the situation that the rules judge.

Speaks the vocabulary of cards/README.md and knows the tables of the library, but no FHIR. "N days ago" is N x 24 h less
one minute, so that an age of exactly N days is still within N; a dose one day ago is 24 h and one minute ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from cds_service.clinical.chart import (
    Administration,
    Allergy,
    Chart,
    Finding,
    Measurement,
    MedicationOrder,
    Patient,
    PerformedProcedure,
    PrefetchKey,
    Problem,
    Route,
    ServiceOrder,
)
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.situation import SitePolicy, Situation
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.clinical.units import UnitProblem

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""The instant at which every case is judged."""

MARGIN = timedelta(minutes=1)
FINAL = frozenset({"final", "amended", "corrected"})
READ = FINAL | {"preliminary"}
DUFFY_WORDS = {"null": "Fy(a-b-)", "positive": "Fy(a+b-)"}
DUFFY = frozenset({"DUFFY", "DUFFY_GENOTYPE"})
HOOKS = frozenset({"patient-view", "encounter-start", "order-select", "order-sign"})
PATIENT_ID = "case"


class CaseInputError(ValueError):
    """The input of a case says something that the vocabulary has no word for."""


class Item:
    """One mapping of the input; every key must be one that was asked for, so that no fact is dropped silently."""

    def __init__(self, given: Any, *allowed: str, what: str) -> None:
        if not isinstance(given, Mapping):
            raise CaseInputError(f"{what}: must have members, but is {given!r}")
        if unknown := sorted(set(given) - set(allowed)):
            raise CaseInputError(f"{what}: unknown {', '.join(map(str, unknown))}; known are {', '.join(allowed)}")
        self._given, self._what = given, what

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def get(self, name: str, default: Any = None) -> Any:
        return self._given.get(name, default)

    def needed(self, name: str) -> Any:
        """Raises: CaseInputError where it is absent; null is a value."""
        if name not in self._given:
            raise CaseInputError(f"{self._what}: needs {name}")
        return self._given[name]

    def number(self, name: str) -> Decimal | None:
        value = self._given.get(name)
        return None if value is None else decimal(value, f"{self._what}: {name}")


def decimal(value: Any, what: str) -> Decimal:
    """A number as it is written. Raises: CaseInputError."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise CaseInputError(f"{what} must be a number, but is {value!r}") from None


def ago(*, days: Decimal | None = None, hours: Decimal | None = None, margin: timedelta = MARGIN) -> Moment:
    """So long before now, less the margin; a negative time lies in the future."""
    back = timedelta(days=float(days or 0), hours=float(hours or 0))
    return Moment.at(NOW - (back - margin if back > timedelta() else back))


def dosed(days: Decimal) -> Moment:
    """When a dose was given: what may follow after 24 hours may follow now."""
    return ago(days=days, margin=-MARGIN if days == 1 else MARGIN)


def whole_day(moment: Moment) -> Moment:
    """The bare date of an instant."""
    start = moment.earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    return Moment(earliest=start, latest=start + timedelta(days=1) - timedelta(microseconds=1))


INPUT_KEYS = (
    "hook", "age", "sex", "deceased", "pregnant", "settings", "unavailable", "labs", "temps", "sbp", "weight_kg",
    "conditions", "encounter_reason", "meds", "draft_orders", "procedures", "existing_orders", "allergies",
)  # fmt: skip


class CaseChart:
    """Builds one situation. Raises: CaseInputError from every method."""

    def __init__(self, given: Mapping[str, Any], terminology: Terminology, numbers: SharedNumbers) -> None:
        self._input = Item(given, *INPUT_KEYS, what="input")
        self._terminology, self._numbers = terminology, numbers
        self._counters: dict[str, int] = {}
        self._hook = str(self._input.get("hook", "patient-view"))
        if self._hook not in HOOKS:
            raise CaseInputError(f"input: {self._hook} is no hook")

    def situation(self) -> Situation:
        return Situation(self._chart(), NOW, self._hook, self._numbers, self._policy())

    def _policy(self) -> SitePolicy:
        names = ("CDS_SUGGESTION_MIN_CONFIDENCE", "limits.duffy_null_anc")
        settings, default = Item(self._input.get("settings", {}), *names, what="settings"), SitePolicy()
        return SitePolicy(
            duffy_null_anc=settings.number(names[1]) or default.duffy_null_anc,
            min_confidence=str(settings.get(names[0], default.min_confidence)),
        )

    def _chart(self) -> Chart:
        measured, found = self._labs()
        existing, doses = self._meds()
        orders, services, others = self._drafts(existing)
        unavailable = self._unavailable()
        return Chart(
            patient=None if PrefetchKey.PATIENT in unavailable else self._patient(),
            measurements=(*measured, *self._temperatures(), *self._pressures(), *self._weight()),
            findings=tuple(found),
            problems=tuple(self._problems()),
            orders=(*existing, *orders),
            administrations=tuple(doses),
            procedures=tuple(self._procedure(given) for given in self._list("procedures")),
            service_orders=(*(self._existing_order(given) for given in self._list("existing_orders")), *services),
            allergies=tuple(self._allergy(given) for given in self._list("allergies")),
            other_drafts=tuple(others),
            unavailable=unavailable,
        )

    def _list(self, name: str) -> Sequence[Any]:
        given = self._input.get(name, ())
        if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
            raise CaseInputError(f"{name}: must be a list")
        return given

    def _source(self, kind: str) -> str:
        self._counters[kind] = number = self._counters.get(kind, 0) + 1
        return f"{kind}/{kind.lower()}-{number}"

    def _unavailable(self) -> dict[str, str]:
        keys = [str(key) for key in self._list("unavailable")]
        if unknown := sorted(set(keys) - set(PrefetchKey)):
            raise CaseInputError(f"unavailable: {', '.join(unknown)} is no prefetch key")
        return dict.fromkeys(keys, "not supplied")

    def _patient(self) -> Patient:
        age, sex = self._input.get("age", 52), self._input.get("sex", "female")
        return Patient(PATIENT_ID, None if age is None else _born(decimal(age, "age")), sex, self._flag("deceased"))

    def _flag(self, name: str) -> bool:
        value = self._input.get(name, False)
        if not isinstance(value, bool):
            raise CaseInputError(f"{name}: must be true or false")
        return value

    # -- results and vital signs

    def _labs(self) -> tuple[list[Measurement], list[Finding]]:
        measured: list[Measurement] = []
        found: list[Finding] = []
        for given in self._list("labs"):
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
        measurement = self._measurement(analyte, lab.needed("value"), unit, _taken(lab), lab.get("comparator"))
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
            source=self._source("Observation"),
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
            taken=_taken(lab),
            source=self._source("Observation"),
            kinds=self._terminology.result_kinds((), words),
            final=lab.get("status", "final") in FINAL,
        )

    def _temperatures(self) -> Iterable[Measurement]:
        for given in self._list("temps"):
            temp = Item(given, "value", "unit", "hours_ago", "at_date_only", what="temps")
            yield self._measurement(Analyte.TEMP, temp.needed("value"), temp.get("unit", "Cel"), _taken(temp))

    def _pressures(self) -> Iterable[Measurement]:
        given = self._input.get("sbp", [])
        for reading in given if isinstance(given, list) else [{"value": given}]:
            sbp = Item(reading, "value", "hours_ago", what="sbp")
            taken = ago(hours=sbp.number("hours_ago") or Decimal(1))
            yield self._measurement(Analyte.SBP, sbp.needed("value"), "mm[Hg]", taken)

    def _weight(self) -> Iterable[Measurement]:
        if (weight := self._input.number("weight_kg")) is not None:
            yield self._measurement(Analyte.WEIGHT, weight, "kg", ago(days=Decimal(1)))

    # -- problems and procedures

    def _problems(self) -> Iterable[Problem]:
        for given in self._list("conditions"):
            yield self._problem(given)
        if self._flag("pregnant"):
            yield Problem(frozenset({"pregnancy"}), "pregnancy", True, self._source("Condition"))
        if "encounter_reason" in self._input:
            reason = Item(self._input.get("encounter_reason"), "name", "hours_ago", what="encounter_reason")
            kinds = self._condition_kinds(str(reason.needed("name")))
            started = ago(hours=reason.number("hours_ago"))
            yield Problem(kinds, str(reason.get("name")), True, self._source("Encounter"), onset=started)

    def _problem(self, given: Any) -> Problem:
        item = Item(
            given, "name", "text", "status", "onset_days_ago", "recorded_days_ago", "stage", "at_date_only",
            what="conditions",
        )  # fmt: skip
        kinds = self._condition_kinds(str(item.get("name"))) if "name" in item else frozenset[str]()
        onset, recorded = (item.number(name) for name in ("onset_days_ago", "recorded_days_ago"))
        moment = None if onset is None else ago(days=onset)
        return Problem(
            kinds=kinds,
            text=str(item.get("text") or item.needed("name")),
            active=item.get("status", "active") == "active",
            source=self._source("Condition"),
            onset=whole_day(moment) if moment and item.get("at_date_only") else moment,
            recorded=None if recorded is None else ago(days=recorded),
            stage=item.get("stage"),
        )

    def _condition_kinds(self, name: str) -> frozenset[str]:
        """A kind itself, or words that stand for kinds."""
        table = self._terminology.conditions
        slugs = frozenset[str]().union(*table.exact.values(), *table.prefixes.values(), *table.texts.values())
        kinds = frozenset({name}) if name in slugs else self._terminology.condition_kinds((), name)
        if not kinds:
            raise CaseInputError(f"{name!r} is no kind of condition; write text: for one that the rules do not know")
        return kinds

    def _procedure(self, given: Any) -> PerformedProcedure:
        item = Item(given, "name", "days_ago", what="procedures")
        name, days = str(item.needed("name")), item.number("days_ago")
        slugs = {cue.kind for cue in self._terminology.procedure_cues}
        kinds = frozenset({name}) if name in slugs else self._terminology.procedure_kinds((), name)
        if not kinds:
            raise CaseInputError(f"{name!r} is no kind of procedure")
        return PerformedProcedure(kinds, name, self._source("Procedure"), None if days is None else ago(days=days))

    # -- drugs

    def _drugs_of(self, item: Item, route: Route) -> tuple[tuple[Drug, ...], str, Route]:
        """By `ingredient`, a row of the drug table; or by `product`, words that may name no drug of the table."""
        if "product" in item:
            words = str(item.get("product"))
            match = self._terminology.match_drugs((), words, None, route)
            return match.drugs, words, match.route if route is Route.UNKNOWN else route
        name = str(item.needed("ingredient"))
        rows = [d for d in self._terminology.drugs if d.ingredient == name]
        rows = rows or [d for d in self._terminology.drugs if d.ingredient.startswith(f"{name} (")]
        if len(rows) != 1:
            raise CaseInputError(f"{name!r} is {len(rows)} rows of drugs.csv; write product: for a drug that is none")
        return (rows[0],), name, route

    def _route(self, item: Item) -> Route:
        stated = item.get("route")
        if stated is None:
            return Route.UNKNOWN
        route = self._terminology.route_of((), str(stated))
        if route is Route.UNKNOWN:
            raise CaseInputError(f"{stated!r} is no route")
        return route

    def _meds(self) -> tuple[list[MedicationOrder], list[Administration]]:
        orders: list[MedicationOrder] = []
        doses: list[Administration] = []
        for given in self._list("meds"):
            med = Item(
                given, "ingredient", "product", "status", "start_days_ago", "end_days_ago", "last_given_days_ago",
                "route", "status_reason", "daily_dose_mg", what="meds",
            )  # fmt: skip
            order = self._existing_med(med)
            orders.append(order)
            if (given_ago := med.number("last_given_days_ago")) is not None:
                doses.append(self._dose(order, dosed(given_ago)))
        return orders, doses

    def _existing_med(self, med: Item) -> MedicationOrder:
        start, end, given = (med.number(f"{name}_days_ago") for name in ("start", "end", "last_given"))
        ordered = next((days for days in (start, given, end) if days is not None), None)
        if ordered is None:
            raise CaseInputError("meds: needs start_days_ago, last_given_days_ago or end_days_ago")
        drugs, name, route = self._drugs_of(med, self._route(med))
        return MedicationOrder(
            source=self._source("MedicationRequest"),
            drugs=drugs,
            name=name,
            status=str(med.get("status", "active")),
            route=route,
            authored=ago(days=ordered),
            start=ago(days=ordered if start is None else start),
            end=None if end is None else dosed(end),
            daily_dose_mg=med.number("daily_dose_mg"),
            reasons=self._reasons(med),
            reason_text=med.get("status_reason"),
        )

    def _dose(self, order: MedicationOrder, given: Moment) -> Administration:
        source = self._source("MedicationAdministration")
        return Administration(source, order.drugs, order.name, given, order.route, order.source)

    def _reasons(self, item: Item) -> frozenset[str]:
        reason = item.get("status_reason")
        return self._terminology.condition_kinds((), str(reason)) if reason else frozenset()

    def _allergy(self, given: Any) -> Allergy:
        drugs, name, _ = self._drugs_of(Item({"ingredient": given}, "ingredient", what="allergies"), Route.UNKNOWN)
        return Allergy(self._source("AllergyIntolerance"), drugs, name)

    # -- orders

    def _drafts(
        self, existing: Sequence[MedicationOrder]
    ) -> tuple[list[MedicationOrder], list[ServiceOrder], list[str]]:
        orders: list[MedicationOrder] = []
        services: list[ServiceOrder] = []
        others: list[str] = []
        if self._list("draft_orders") and not self._hook.startswith("order-"):
            raise CaseInputError(f"{self._hook} has no draft orders")
        for given in self._list("draft_orders"):
            draft = Item(
                given, "type", "ingredient", "product", "test", "text", "status", "new_start", "daily_dose_mg",
                "planned_days", "planned_hours", "route", "status_reason", "selected", what="draft_orders",
            )  # fmt: skip
            if "test" in draft or draft.get("type") == "ServiceRequest":
                services.append(self._draft_service(draft))
            elif "ingredient" in draft or "product" in draft:
                orders.append(self._draft_med(draft, existing))
            else:
                others.append(str(draft.needed("text")))
        return orders, services, others

    def _is_selected(self, draft: Item) -> bool:
        return self._hook == "order-select" and bool(draft.get("selected", True))

    def _draft_med(self, draft: Item, existing: Sequence[MedicationOrder]) -> MedicationOrder:
        """A new order, or the existing order of that drug with another status."""
        drugs, name, route = self._drugs_of(draft, self._route(draft))
        changed = next((o for o in existing if o.drugs == drugs), None) if "status" in draft else None
        planned = draft.number("planned_hours")
        first = None if planned is None else ago(hours=-planned)
        base = changed or MedicationOrder(
            source=self._source("MedicationRequest"),
            drugs=drugs,
            name=name,
            status="draft",
            route=route,
            authored=Moment.at(NOW),
            start=first,
            daily_dose_mg=draft.number("daily_dose_mg"),
            planned_days=draft.number("planned_days"),
            planned_first_dose=first,
        )
        return replace(
            base,
            status=str(draft.get("status", "draft")),
            draft=True,
            selected=self._is_selected(draft),
            reasons=self._reasons(draft),
            reason_text=draft.get("status_reason"),
        )

    def _draft_service(self, draft: Item) -> ServiceOrder:
        """`test` is something the tables know, `text` anything else."""
        words = str(draft.get("test") or draft.needed("text"))
        kinds = self._order_kinds(words) if "test" in draft else frozenset[str]()
        return ServiceOrder(
            source=self._source("ServiceRequest"),
            kinds=kinds,
            text=words,
            status=str(draft.get("status", "draft")),
            draft=True,
            selected=self._is_selected(draft),
            authored=Moment.at(NOW),
        )

    def _existing_order(self, given: Any) -> ServiceOrder:
        """A name, or a name with its status and the days until it is due (21; null: undated)."""
        item = Item(
            {"name": given} if isinstance(given, str) else given, "name", "due_days", "status", what="existing_orders"
        )
        name = str(item.needed("name"))
        due = item.number("due_days") if "due_days" in item else Decimal(21)
        return ServiceOrder(
            source=self._source("ServiceRequest"),
            kinds=self._order_kinds(name),
            text=name,
            status=str(item.get("status", "active")),
            due=None if due is None else ago(days=-due),
            authored=ago(days=Decimal(1)),
        )

    def _order_kinds(self, name: str) -> frozenset[str]:
        table = self._terminology.orders
        slugs = frozenset[str]().union(*table.exact.values(), *table.texts.values())
        kinds = frozenset({name}) if name in slugs else self._terminology.order_kinds((), name)
        if not kinds:
            raise CaseInputError(f"{name!r} is no kind of order; write text: for one that the rules do not know")
        return kinds


def _taken(item: Item) -> Moment:
    """From days_ago or hours_ago; a bare date where at_date_only is true."""
    days, hours = item.number("days_ago"), item.number("hours_ago")
    if days is None and hours is None:
        raise CaseInputError("a result needs days_ago or hours_ago")
    moment = ago(days=days, hours=hours)
    return whole_day(moment) if item.get("at_date_only") else moment


def _born(years: Decimal) -> Moment:
    """The birthday was yesterday; below one year the age is taken as days."""
    yesterday = NOW - timedelta(days=1)
    if years < 1:
        return whole_day(Moment.at(NOW - timedelta(days=round(float(years) * 365.25))))
    return whole_day(Moment.at(yesterday.replace(year=yesterday.year - int(years))))
