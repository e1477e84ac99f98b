"""Builds the chart from the patient's resources. One broken resource is reported and never spoils the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cds_service.clinical.chart import (
    Administration,
    Allergy,
    Chart,
    DataProblem,
    DrugRecognition,
    MedicationOrder,
    Patient,
    PerformedProcedure,
    PrefetchKey,
    Problem,
    ServiceOrder,
)
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import SharedNumbers, days
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.drafts import SERVICE_TYPES, Drafts
from cds_service.fhir.json_access import text
from cds_service.fhir.panels import WITHOUT_RESULTS, has_panel_without_results, results_of
from cds_service.fhir.pool import Item, Medications, Pool
from cds_service.fhir.read_conditions import read_allergy, read_condition
from cds_service.fhir.read_duffy import read_duffy
from cds_service.fhir.read_medications import (
    UNNAMED,
    MedicationReader,
    has_clear_status,
    is_given,
    problem_of,
    read_administered,
)
from cds_service.fhir.read_observations import ObservationReader, Readings, unusable_results
from cds_service.fhir.read_patient import read_encounter, read_patient
from cds_service.fhir.read_procedures import read_procedure, read_service_order
from cds_service.fhir.recognitions import NamedItem, recognitions_of, unknown_drugs

logger = logging.getLogger(__name__)
Read = TypeVar("Read")

UNREADABLE = "It could not be read; it was not used."
UNDATED_DOSE = "It does not say when the dose was given."
UNDATED_ORDER = "It is over, and does not say when; it is not counted as a recent dose."
UNCLEAR_STATUS = "Its status does not say whether it is in force; it is read as active."
OTHER_ENCOUNTER = "what was sent is another encounter"
OVER = frozenset({"completed", "stopped"})
UNNAMED_ORDER = "an order points to a medication that was not sent"
MAY_COUNT = frozenset({"active", "on-hold", "completed", "stopped"})
"""Orders of these statuses tell of a drug; a cancelled one, or one whose status cannot be read, does not."""
UNNAMED_DOSE = "a dose points to a medication that was not sent"


@dataclass(slots=True)
class ChartBuilder:
    """Builds one chart; `problems` and `recognitions` grow while it reads."""

    terminology: Terminology
    medications: Medications
    pool: Pool
    drafts: Drafts
    patient_id: str
    now: datetime
    numbers: SharedNumbers
    encounter_id: str | None = None
    problems: list[DataProblem] = field(default_factory=list)
    recognitions: list[DrugRecognition] = field(default_factory=list)

    def build(self, unavailable: Mapping[str, str], wanted: Iterable[str]) -> Chart:
        patient, asked = self._patient(), set(wanted)
        born = patient.born if patient else None
        readings = self._readings()
        orders, doses = self._orders(), self._administrations()
        kept = {order.source for order in orders if order.status != "cancelled"} | {dose.source for dose in doses}
        self._name_drugs(MedicationReader(self.terminology, self.medications), kept)
        measurements = tuple(readings.measurements)
        self.problems += [*readings.problems, *unusable_results(measurements)]
        return Chart(
            patient=patient,
            measurements=measurements,
            findings=tuple(read_duffy(readings.findings)),
            problems=(*self._conditions(born), *self._encounter_reasons(), *readings.signs),
            orders=tuple(orders),
            administrations=tuple(doses),
            procedures=tuple(self._procedures(born)),
            service_orders=tuple(self._service_orders()),
            allergies=tuple(self._allergies()),
            other_drafts=self.drafts.others(),
            unnamed_drafts=self._unnamed_drafts(),
            unavailable={
                **self._other_encounter(asked),
                **self._counts_not_sent(asked),
                **unavailable,
                **_unnamed(orders, doses, asked),
            },
            data_problems=tuple(dict.fromkeys([*self.pool.problems, *self.drafts.problems(), *self.problems])),
            recognitions=tuple(dict.fromkeys(self.recognitions)),
        )

    def _each(self, items: Iterable[Item], read: Callable[[Item], Read | None]) -> list[Read]:
        """What could be read; what is left out on purpose reads as None."""
        found: list[Read] = []
        for item in items:
            try:
                one = read(item)
            except Exception as error:  # noqa: BLE001 - whatever a client sent, the rest of the chart is still read
                logger.warning("unreadable resource", extra={"error": type(error).__name__})
                self.problems.append(DataProblem("broken-resource", item.source, UNREADABLE))
            else:
                found += [] if one is None else [one]
        return found

    def _patient(self) -> Patient | None:
        read = self._each(self.pool.of("Patient")[:1], lambda item: read_patient(item, self.patient_id, self.now))
        for _, problems in read:
            self.problems += problems
        return read[0][0] if read else None

    def _conditions(self, born: Moment | None) -> list[Problem]:
        return self._each(self.pool.of("Condition"), lambda item: read_condition(item, self.terminology, born))

    def _procedures(self, born: Moment | None) -> list[PerformedProcedure]:
        return self._each(self.pool.of("Procedure"), lambda item: read_procedure(item, self.terminology, born))

    def _allergies(self) -> list[Allergy]:
        return self._each(self.pool.of("AllergyIntolerance"), lambda item: read_allergy(item, self.terminology))

    def _encounter_reasons(self) -> list[Problem]:
        reasons = self._each(self._encounters(), lambda item: read_encounter(item, self.terminology, self.now))
        return [problem for several in reasons for problem in several]

    def _encounters(self) -> list[Item]:
        """The encounter of the call; another one tells why the patient came another time."""
        asked = (None, self.encounter_id)
        found = self.pool.of("Encounter")
        return [item for item in found if self.encounter_id is None or text(item.resource.get("id")) in asked]

    def _other_encounter(self, wanted: set[str]) -> dict[str, str]:
        key = PrefetchKey.ENCOUNTER.value
        only_others = self.pool.of("Encounter") and not self._encounters()
        return {key: OTHER_ENCOUNTER} if only_others and key in wanted else {}

    def _readings(self) -> Readings:
        reader = ObservationReader(self.terminology, self.now, self.numbers)
        results = results_of(self.pool, self.patient_id)
        self.problems += results.problems
        self._each(results.items, reader.read)
        return reader.readings

    def _counts_not_sent(self, wanted: set[str]) -> dict[str, str]:
        key = PrefetchKey.CELL_COUNTS.value
        current = days(self.numbers.current_days)
        lacking = key in wanted and has_panel_without_results(self.pool, self.terminology, self.now, current)
        return {key: WITHOUT_RESULTS} if lacking else {}

    def _orders(self) -> list[MedicationOrder]:
        reader = MedicationReader(self.terminology, self.medications)
        existing = self._each(self.pool.of("MedicationRequest"), reader.order)
        existing += self._each(self.pool.of("MedicationStatement"), reader.statement)
        self.problems += [DataProblem("undated-dose", o.source, UNDATED_ORDER) for o in existing if _is_undated(o)]
        unclear = [i for i in self.pool.of("MedicationRequest") if not has_clear_status(i.resource)]
        self.problems += [DataProblem("unknown-status", item.source, UNCLEAR_STATUS) for item in unclear]
        return [
            *existing,
            *self._each(
                self.drafts.medications(),
                lambda item: reader.order(item, draft=True, selected=self.drafts.is_selected(item)),
            ),
        ]

    def _name_drugs(self, reader: MedicationReader, kept: Container[str]) -> None:
        """How the drug of each order and dose that was read was recognised, or what is wrong with it."""
        existing = self.pool.of("MedicationRequest", "MedicationStatement", "MedicationAdministration")
        drafts = self.drafts.medications()
        named = self._each([*existing, *drafts], lambda item: NamedItem(item, reader.named(item)))
        drafted = {id(item) for item in drafts}
        wrong = (problem_of(one.item, one.recognised, draft=id(one.item) in drafted) for one in named)
        self.problems += [problem for problem in wrong if problem is not None]
        read = [one for one in named if one.item.source in kept]
        self.problems += unknown_drugs(read)
        self.recognitions += recognitions_of(read)

    def _unnamed_drafts(self) -> tuple[str, ...]:
        reader = MedicationReader(self.terminology, self.medications)
        return tuple(item.source for item in self.drafts.medications() if reader.is_unnamed(item))

    def _administrations(self) -> list[Administration]:
        reader = MedicationReader(self.terminology, self.medications)
        items = self.pool.of("MedicationAdministration")
        given = [item for item in items if is_given(item.resource)]
        undated = [item for item in given if read_administered(item.resource) is None]
        self.problems += [DataProblem("undated-dose", i.source, UNDATED_DOSE) for i in undated]
        return self._each(items, reader.administration)

    def _service_orders(self) -> list[ServiceOrder]:
        existing = self._each(self.pool.of(*SERVICE_TYPES), lambda item: read_service_order(item, self.terminology))
        drafts = self._each(
            self.drafts.services(),
            lambda item: read_service_order(item, self.terminology, draft=True, selected=self.drafts.is_selected(item)),
        )
        return [*existing, *drafts]


def _is_undated(order: MedicationOrder) -> bool:
    """A finished order of a known drug without any date cannot be placed before or after a count."""
    return order.status in OVER and bool(order.drugs) and not (order.authored or order.start or order.end)


def _unnamed(orders: list[MedicationOrder], doses: list[Administration], wanted: set[str]) -> dict[str, str]:
    """Keys that are not completely known because something points to a medication that nobody named."""
    open_keys = {}
    if any(order.name == UNNAMED and not order.draft and order.status in MAY_COUNT for order in orders):
        open_keys[PrefetchKey.MEDICATION_REQUESTS.value] = UNNAMED_ORDER
    if any(dose.name == UNNAMED for dose in doses):
        open_keys[PrefetchKey.MEDICATION_ADMINISTRATIONS.value] = UNNAMED_DOSE
    return {key: reason for key, reason in open_keys.items() if key in wanted}
