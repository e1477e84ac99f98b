"""Whose data a resource holds: the patient's of the hook, another's, or not to be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cds_service.fhir.arrivals import Entry
from cds_service.fhir.json_access import Json, mapping, text
from cds_service.fhir.references import reference_of

ABOUT_NOBODY = frozenset(
    {"Medication", "Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Substance", "Patient"}
)
SUBJECTS = ("subject", "patient")


class Owner(StrEnum):
    """Whose resource it is."""

    PATIENT = "patient"
    OTHER = "other"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """The hook's patient: the id, and the urn:uuid names that Bundles give to the Patient of that id, or of others."""

    id: str
    aliases: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, patient_id: str, entries: Iterable[Entry]) -> PatientIdentity:
        patients = [(e.full_url, text(e.resource.get("id"))) for e in entries if e.type == "Patient" and e.full_url]
        return cls(
            patient_id,
            aliases=frozenset(url for url, own in patients if url and own == patient_id),
            others=frozenset(url for url, own in patients if url and own != patient_id),
        )

    def owner_of(self, resource: Json) -> Owner:
        """Every stated subject must be the patient; none, or an identifier only, is UNSTATED."""
        if resource.get("resourceType") in ABOUT_NOBODY:
            return Owner.PATIENT
        stated = [subject for name in SUBJECTS for subject in _as_list(resource.get(name))]
        owners = {self._owner(subject) for subject in stated}
        if Owner.OTHER in owners:
            return Owner.OTHER
        return Owner.PATIENT if owners == {Owner.PATIENT} else Owner.UNSTATED

    def _owner(self, subject: object) -> Owner:
        reference = reference_of(subject)
        if reference is None or reference.is_local:
            return Owner.UNSTATED
        if reference.written in self.aliases:
            return Owner.PATIENT
        if reference.written.startswith("urn:") and reference.written not in self.others:
            return Owner.UNSTATED
        return Owner.PATIENT if reference.type in (None, "Patient") and reference.id == self.id else Owner.OTHER


def _as_list(value: object) -> list[object]:
    if isinstance(value, list):
        return list(value)
    return [value] if isinstance(value, str) or mapping(value) else []
