"""The closed list of suggestion kinds and one suggested step, before it becomes FHIR (clinical/RULES.md, B0)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cds_service.clinical.codings import Coding


class SuggestionKind(StrEnum):
    """Everything the service can offer to do."""

    REPEAT_CBC = "repeat-cbc-diff"
    STAT_CBC = "stat-cbc-diff"
    MANUAL_SMEAR = "manual-smear"
    BLOOD_CULTURES = "blood-cultures"
    EMPIRIC_ANTIBIOTICS = "empiric-antibiotics"
    HOLD_MEDICATION = "hold-medication"
    STOP_MEDICATION = "stop-medication"
    REMOVE_DRAFT = "remove-draft-order"
    REDUCE_DOSE = "reduce-dose-draft"
    RESUME_MEDICATION = "resume-medication"
    GCSF_DRAFT = "gcsf-draft"
    PROPHYLAXIS_DRAFT = "antibacterial-prophylaxis-draft"
    WORKUP_PANEL = "workup-panel"
    HAEMATOLOGY_REFERRAL = "haematology-referral"
    IGG_REFERRAL = "igg-replacement-referral"
    PHARMACY_CONSULT = "pharmacy-consult"
    DUFFY_PHENOTYPE = "duffy-phenotype"
    NAT_TEST = "nat-test"
    LAB_VERIFICATION = "lab-verification-task"


RESTS_ON_DRUG_ROW = frozenset(
    {
        SuggestionKind.HOLD_MEDICATION,
        SuggestionKind.STOP_MEDICATION,
        SuggestionKind.REMOVE_DRAFT,
        SuggestionKind.REDUCE_DOSE,
        SuggestionKind.RESUME_MEDICATION,
    }
)
"""Kinds that need a drug row of sufficient confidence (C-CONFIDENCE)."""

NEEDS_SITE_ORDER = frozenset(
    {SuggestionKind.EMPIRIC_ANTIBIOTICS, SuggestionKind.GCSF_DRAFT, SuggestionKind.PROPHYLAXIS_DRAFT}
)
"""Kinds for which no order is shipped: the drug is the site's choice."""

CHANGES_AN_ORDER = RESTS_ON_DRUG_ROW
"""Kinds that are about an order of the patient: what is written follows from that order."""

AT_ONCE = frozenset({SuggestionKind.STAT_CBC, SuggestionKind.BLOOD_CULTURES})
"""Kinds that are due now and of stat priority, whatever the rule says."""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """What one new order asks for, in the words of a clinician.

    `purpose` names the order in cards/codes/orders.csv; `codings` are the site's own and take the place of that code.
    With `dosage` it is a drug, else a test or service. `note` goes to whoever carries it out.
    """

    words: str
    purpose: str | None = None
    codings: tuple[Coding, ...] = ()
    dosage: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SuggestedStep:
    """One thing to offer. `order` is the reference of the order it is about ("MedicationRequest/1"), if any.

    `due_in_days` is None for now; `urgent`: what comes later than within a day does not replace it. `label` and
    `description` are filled in, `reason` goes into the written resource; `sources` are the results it rests on.
    `item` is the one new order that it writes; None until that is settled, and for changes of an order.
    """

    kind: SuggestionKind
    label: str
    description: str
    patient_id: str
    due_in_days: int | None = None
    order: str | None = None
    reason: str | None = None
    sources: tuple[str, ...] = ()
    encounter_id: str | None = None
    urgent: bool = False
    item: OrderItem | None = None
