"""Builds the chart from the patient's resources. One broken resource is reported and never spoils the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cds_service.clinical.chart import (
    Administration,
    Allergy,
    Chart,
    DataProblem,
    MedicationOrder,
    Patient,
    PerformedProcedure,
    PrefetchKey,
    Problem,
    ServiceOrder,
)
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.codes import code_of
from cds_service.fhir.drafts import SERVICE_TYPES, Drafts
from cds_service.fhir.pool import Item, Medications, Pool
from cds_service.fhir.read_conditions import read_allergy, read_condition
from cds_service.fhir.read_duffy import read_duffy
from cds_service.fhir.read_medications import GIVEN, UNNAMED, MedicationReader, read_administered
from cds_service.fhir.read_observations import ObservationReader, Readings, unusable_results
from cds_service.fhir.read_patient import read_encounter, read_patient
from cds_service.fhir.read_procedures import read_procedure, read_service_order

logger = logging.getLogger(__name__)
Read = TypeVar("Read")

UNREADABLE = "It could not be read; it was not used."
UNNAMED_ORDER = "an order points to a medication that was not sent"
MAY_COUNT = frozenset({"active", "on-hold", "completed", "stopped"})
"""Orders of these statuses tell of a drug; a cancelled one, or one whose status cannot be read, does not."""
UNNAMED_DOSE = "a dose points to a medication that was not sent"


@dataclass(slots=True)
class ChartBuilder:
    """Builds one chart; `problems` grows while it reads."""

    terminology: Terminology
    medications: Medications
    pool: Pool
    drafts: Drafts
    patient_id: str
    problems: list[DataProblem] = field(default_factory=list)

    def build(self, unavailable: Mapping[str, str], wanted: Iterable[str]) -> Chart:
        patient = self._patient()
        born = patient.born if patient else None
        readings = self._readings()
        orders, doses = self._orders(), self._administrations()
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
            unavailable={**unavailable, **_unnamed(orders, doses, set(wanted))},
            data_problems=tuple(dict.fromkeys([*self.pool.problems, *self.drafts.problems(), *self.problems])),
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
        read = self._each(self.pool.of("Patient")[:1], lambda item: read_patient(item, self.patient_id))
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
        reasons = self._each(self.pool.of("Encounter"), lambda item: read_encounter(item, self.terminology))
        return [problem for several in reasons for problem in several]

    def _readings(self) -> Readings:
        reader = ObservationReader(self.terminology)
        self._each(self.pool.of("Observation"), reader.read)
        return reader.readings

    def _orders(self) -> list[MedicationOrder]:
        reader = MedicationReader(self.terminology, self.medications)
        self._medication_problems(reader)
        return [
            *self._each(self.pool.of("MedicationRequest"), reader.order),
            *self._each(self.pool.of("MedicationStatement"), reader.statement),
            *self._each(
                self.drafts.medications(),
                lambda item: reader.order(item, draft=True, selected=self.drafts.is_selected(item)),
            ),
        ]

    def _medication_problems(self, reader: MedicationReader) -> None:
        existing = self.pool.of("MedicationRequest", "MedicationStatement", "MedicationAdministration")
        found = self._each(existing, reader.problems)
        found += self._each(self.drafts.medications(), lambda item: reader.problems(item, draft=True))
        self.problems += [problem for several in found for problem in several]

    def _administrations(self) -> list[Administration]:
        reader = MedicationReader(self.terminology, self.medications)
        items = self.pool.of("MedicationAdministration")
        given = [item for item in items if code_of(item.resource.get("status")) in GIVEN]
        undated = [item for item in given if read_administered(item.resource) is None]
        self.problems += [DataProblem("no-time", i.source, "It does not say when the dose was given.") for i in undated]
        return self._each(items, reader.administration)

    def _service_orders(self) -> list[ServiceOrder]:
        existing = self._each(self.pool.of(*SERVICE_TYPES), lambda item: read_service_order(item, self.terminology))
        drafts = self._each(
            self.drafts.services(),
            lambda item: read_service_order(item, self.terminology, draft=True, selected=self.drafts.is_selected(item)),
        )
        return [*existing, *drafts]


def _unnamed(orders: list[MedicationOrder], doses: list[Administration], wanted: set[str]) -> dict[str, str]:
    """Keys that are not completely known because something points to a medication that nobody named."""
    open_keys = {}
    if any(order.name == UNNAMED and not order.draft and order.status in MAY_COUNT for order in orders):
        open_keys[PrefetchKey.MEDICATION_REQUESTS.value] = UNNAMED_ORDER
    if any(dose.name == UNNAMED for dose in doses):
        open_keys[PrefetchKey.MEDICATION_ADMINISTRATIONS.value] = UNNAMED_DOSE
    return {key: reason for key, reason in open_keys.items() if key in wanted}
