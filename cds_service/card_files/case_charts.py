"""Turns the input of a case, as an author writes it, into the situation that the rules judge.

Speaks the vocabulary of cards/README.md and knows the tables of the library, but no FHIR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cds_service.card_files.case_input import NOW, CaseInputError, Item, Sources, ago, decimal, listed, whole_day
from cds_service.card_files.case_orders import CaseOrders
from cds_service.card_files.case_results import CaseResults
from cds_service.clinical.chart import Chart, Measurement, Patient, PerformedProcedure, PrefetchKey, Problem
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.situation import SitePolicy, Situation
from cds_service.clinical.terminology import Terminology

HOOKS = frozenset({"patient-view", "encounter-start", "order-select", "order-sign"})
PATIENT_ID = "case"
INPUT_KEYS = (
    "hook", "age", "sex", "deceased", "pregnant", "settings", "unavailable", "labs", "temps", "sbp", "weight_kg",
    "conditions", "encounter_reason", "meds", "draft_orders", "procedures", "existing_orders", "allergies",
)  # fmt: skip


class CaseChart:
    """Builds one situation. Raises: CaseInputError from every method."""

    def __init__(self, given: Mapping[str, Any], terminology: Terminology, numbers: SharedNumbers) -> None:
        self._input = Item(given, *INPUT_KEYS, what="input")
        self._terminology, self._numbers = terminology, numbers
        self._sources = Sources()
        self._hook = str(self._input.get("hook", "patient-view"))
        if self._hook not in HOOKS:
            raise CaseInputError(f"input: {self._hook} is no hook")
        self._results = CaseResults(terminology, self._sources)
        self._orders = CaseOrders(terminology, self._sources, self._hook)

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
        measured, found = self._results.labs(self._list("labs"))
        existing, doses = self._orders.meds(self._list("meds"))
        drafts, services, others = self._orders.drafts(self._list("draft_orders"), existing)
        ordered = [self._orders.existing_order(given) for given in self._list("existing_orders")]
        unavailable = self._unavailable()
        return Chart(
            patient=None if PrefetchKey.PATIENT in unavailable else self._patient(),
            measurements=(*measured, *self._vital_signs()),
            findings=tuple(found),
            problems=tuple(self._problems()),
            orders=(*existing, *drafts),
            administrations=tuple(doses),
            procedures=tuple(self._procedure(given) for given in self._list("procedures")),
            service_orders=(*ordered, *services),
            allergies=tuple(self._orders.allergy(given) for given in self._list("allergies")),
            other_drafts=tuple(others),
            unavailable=unavailable,
        )

    def _list(self, name: str) -> Sequence[Any]:
        return listed(self._input.get(name, ()), name)

    def _vital_signs(self) -> Iterable[Measurement]:
        yield from self._results.temperatures(self._list("temps"))
        if "sbp" in self._input:
            yield from self._results.pressures(self._input.get("sbp"))
        if "weight_kg" in self._input:
            yield self._results.weight(self._input.get("weight_kg"))

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

    def _problems(self) -> Iterable[Problem]:
        for given in self._list("conditions"):
            yield self._problem(given)
        if self._flag("pregnant"):
            yield Problem(frozenset({"pregnancy"}), "pregnancy", True, self._sources.next("Condition"))
        if "encounter_reason" in self._input:
            reason = Item(self._input.get("encounter_reason"), "name", "hours_ago", what="encounter_reason")
            kinds = self._condition_kinds(str(reason.needed("name")))
            started = ago(hours=reason.number("hours_ago"))
            yield Problem(kinds, str(reason.get("name")), True, self._sources.next("Encounter"), onset=started)

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
            source=self._sources.next("Condition"),
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
        return PerformedProcedure(
            kinds, name, self._sources.next("Procedure"), None if days is None else ago(days=days)
        )


def _born(years: Decimal) -> Moment:
    """The birthday was yesterday; below one year the age is taken as days."""
    yesterday = NOW - timedelta(days=1)
    if years < 1:
        return whole_day(Moment.at(NOW - timedelta(days=round(float(years) * 365.25))))
    return whole_day(Moment.at(yesterday.replace(year=yesterday.year - int(years))))
