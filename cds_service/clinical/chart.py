"""What is known of one patient for one hook call, as typed facts of the chart.

Built by `fhir.read`; units are canonical, resources of other patients and unusable statuses are already set aside.
Nothing here knows FHIR JSON. `source` is always the relative reference of the resource ("Observation/o1").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment


class PrefetchKey(StrEnum):
    """The kinds of chart data a service can ask for; also the prefetch keys (CONTRACT section 3)."""

    PATIENT = "patient"
    CELL_COUNTS = "cellCounts"
    LAB_RESULTS = "labResults"
    VITAL_SIGNS = "vitalSigns"
    CONDITIONS = "conditions"
    MEDICATION_REQUESTS = "medicationRequests"
    MEDICATION_ADMINISTRATIONS = "medicationAdministrations"
    PROCEDURES = "procedures"
    SERVICE_REQUESTS = "serviceRequests"
    ALLERGIES = "allergies"
    ENCOUNTER = "encounter"


@dataclass(frozen=True, slots=True)
class Patient:
    """Who the chart is about. `born` is None where no birth date is known; `sex` is a FHIR gender code or None."""

    id: str
    born: Moment | None = None
    sex: str | None = None
    deceased: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """One numeric result or vital sign.

    `value` is in the canonical unit of `analyte` (counts 10*9/L, percentages %, Hb g/dL, temperature Cel, weight kg,
    pressure mm[Hg]); None where the number cannot be used, and then `problem` says why in words for a clinician.
    `comparator` is "<", "<=", ">" or ">=" as sent. `raw` is the value, comparator and unit as sent.
    `low_limit` is the laboratory's lower reference limit in the canonical unit.
    """

    analyte: str
    value: Decimal | None
    taken: Moment
    source: str
    raw: str
    final: bool = True
    comparator: str | None = None
    problem: str | None = None
    low_limit: Decimal | None = None
    specimen: str | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A coded or textual result that is not a number: film report, Duffy phenotype, serology, coded symptom."""

    analyte: str
    texts: tuple[str, ...]
    taken: Moment
    source: str
    kinds: frozenset[str] = frozenset()
    final: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the problem list (or an encounter's reason). `kinds` are condition kinds of the code tables."""

    kinds: frozenset[str]
    text: str
    active: bool
    source: str
    onset: Moment | None = None
    recorded: Moment | None = None
    stage: str | None = None

    @property
    def dated(self) -> Moment | None:
        """Onset, else the date it was recorded, else None."""
        return self.onset or self.recorded


class Route(StrEnum):
    """How a drug is given, as far as the rules care (C-ROUTE)."""

    ORAL = "oral"
    PARENTERAL = "parenteral"
    INTRATHECAL = "intrathecal"
    LOCAL = "local"
    OTHER_SYSTEMIC = "other-systemic"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MedicationOrder:
    """A MedicationRequest: existing (`draft` False) or among the hook's draft orders.

    `drugs` are the rows of the drug table it contains; empty where none was recognised. `status` is the FHIR code.
    `reasons` are condition kinds of the status reason, `reason_text` its words. `start` is the stated start of the
    course, `end` its stated end (of an order on hold: the last dose). `planned_first_dose` only on drafts. `dosage` is
    the whole dosage as sent, only to be compared: it tells whether anything of it was changed. The daily dose is in mg
    or, where it is ordered in units of activity, in millions of these.
    """

    source: str
    drugs: tuple[Drug, ...]
    name: str
    status: str
    draft: bool = False
    selected: bool = False
    intent: str = "order"
    route: Route = Route.UNKNOWN
    authored: Moment | None = None
    start: Moment | None = None
    end: Moment | None = None
    reasons: frozenset[str] = frozenset()
    reason_text: str | None = None
    daily_dose_mg: Decimal | None = None
    daily_dose_mu: Decimal | None = None
    planned_days: Decimal | None = None
    planned_first_dose: Moment | None = None
    dose_text: str | None = None
    dosage: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Administration:
    """A dose that was given."""

    source: str
    drugs: tuple[Drug, ...]
    name: str
    given: Moment
    route: Route = Route.UNKNOWN
    order: str | None = None


@dataclass(frozen=True, slots=True)
class DrugRecognition:
    """How the drugs of an order or dose were recognised.

    `matched_by` is the kind of code or "name", `matched` the words of that code, or the name as it was written; `code`
    is None for a name.
    """

    source: str
    drugs: tuple[str, ...]
    matched_by: str
    matched: str
    code: str | None = None
    route: Route = Route.UNKNOWN


@dataclass(frozen=True, slots=True)
class PerformedProcedure:
    """A completed (or ongoing) procedure. `kinds` are procedure kinds of the code tables."""

    kinds: frozenset[str]
    text: str
    source: str
    performed: Moment | None = None


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """A ServiceRequest, existing or draft. `kinds` are order kinds ("cbc-diff", "hcv-antibody", …)."""

    source: str
    kinds: frozenset[str]
    text: str
    status: str
    draft: bool = False
    selected: bool = False
    due: Moment | None = None
    authored: Moment | None = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """An active allergy to a drug."""

    source: str
    drugs: tuple[Drug, ...]
    text: str


@dataclass(frozen=True, slots=True)
class DataProblem:
    """Something of the chart that could not be used and is reported. `kind` is a slug; `text` is for a person."""

    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything known of one patient for one call.

    `unavailable` maps a prefetch key whose data were neither sent nor obtainable to the reason in words. A key that
    is not in it is known completely: an empty tuple then means "none on file". `unnamed_drafts` are references of
    draft orders whose medication nobody named, so that no rule could look at them.
    """

    patient: Patient | None
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    orders: tuple[MedicationOrder, ...] = ()
    administrations: tuple[Administration, ...] = ()
    procedures: tuple[PerformedProcedure, ...] = ()
    service_orders: tuple[ServiceOrder, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    other_drafts: tuple[str, ...] = ()
    unnamed_drafts: tuple[str, ...] = ()
    unavailable: Mapping[str, str] = field(default_factory=dict)
    data_problems: tuple[DataProblem, ...] = ()
    recognitions: tuple[DrugRecognition, ...] = ()

    def lacks(self, key: str) -> bool:
        """True where the data behind a prefetch key are not (completely) known."""
        return key in self.unavailable
