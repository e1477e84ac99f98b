"""References in every spelling, and whose a resource is."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.arrivals import Entry
from cds_service.fhir.references import is_writable, parse_reference, source_of
from cds_service.fhir.whose import Owner, PatientIdentity

ALIAS = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"
OTHER_ALIAS = "urn:uuid:00000000-0000-4000-8000-000000000000"
PATIENT = PatientIdentity.of(
    "p1",
    [
        Entry({"resourceType": "Patient", "id": "p1"}, ALIAS),
        Entry({"resourceType": "Patient", "id": "p2"}, OTHER_ALIAS),
    ],
)


@pytest.mark.parametrize(
    ("written", "relative"),
    [
        ("Patient/p1", "Patient/p1"),
        ("https://ehr.example/fhir/Patient/p1", "Patient/p1"),
        ("Patient/p1/_history/2", "Patient/p1"),
        ("https://ehr.example/fhir/Patient/p1/_history/2", "Patient/p1"),
        ("Patient/p1|1.0", "Patient/p1"),
        ("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", None),
        ("#contained", None),
        ("p1", None),
        ("not a reference", None),
        ("https://ehr.example/", None),
    ],
)
def test_reads_the_relative_reference(written: str, relative: str | None) -> None:
    assert parse_reference(written).relative == relative


@pytest.mark.parametrize(
    ("subject", "owner"),
    [
        ({"reference": "Patient/p1"}, Owner.PATIENT),
        ({"reference": "https://ehr.example/fhir/Patient/p1"}, Owner.PATIENT),
        ({"reference": "Patient/p1/_history/2"}, Owner.PATIENT),
        ({"reference": "p1"}, Owner.PATIENT),
        ("Patient/p1", Owner.PATIENT),
        ([{"reference": "Patient/p1"}], Owner.PATIENT),
        ({"reference": ALIAS}, Owner.PATIENT),
        ({"reference": OTHER_ALIAS}, Owner.OTHER),
        ({"reference": "urn:uuid:11111111-0000-4000-8000-000000000000"}, Owner.UNSTATED),
        ({"identifier": {"value": "123"}}, Owner.UNSTATED),
        ({"reference": "#pat"}, Owner.UNSTATED),
        (None, Owner.UNSTATED),
        ({}, Owner.UNSTATED),
        (7, Owner.UNSTATED),
        ({"reference": "Patient/p2"}, Owner.OTHER),
        ({"reference": "Patient/P1"}, Owner.OTHER),
        ({"reference": "Group/p1"}, Owner.OTHER),
        ([{"reference": "Patient/p1"}, {"reference": "Patient/p2"}], Owner.OTHER),
    ],
)
def test_tells_whose_a_resource_is(subject: Any, owner: Owner) -> None:
    assert PATIENT.owner_of({"resourceType": "Observation", "subject": subject}) is owner


def test_reads_the_patient_of_types_that_call_it_patient() -> None:
    assert (
        PATIENT.owner_of({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p2"}}) is Owner.OTHER
    )


def test_takes_one_wrong_reference_as_another_patient() -> None:
    both = {"resourceType": "Task", "subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p9"}}
    assert PATIENT.owner_of(both) is Owner.OTHER


@pytest.mark.parametrize(
    ("resource", "full_url", "source"),
    [
        ({"resourceType": "Observation", "id": "o1"}, None, "Observation/o1"),
        ({"resourceType": "Observation"}, "https://x/fhir/Observation/o9", "Observation/o9"),
        ({"resourceType": "Observation"}, "urn:uuid:1", "Observation"),
        ({}, None, "Resource"),
    ],
)
def test_names_the_source_of_a_fact(resource: dict[str, str], full_url: str | None, source: str) -> None:
    assert source_of(resource, full_url) == source


@pytest.mark.parametrize(
    ("reference", "fits"), [("Observation/o1", True), ("Observation", False), ("Observation/ö", False)]
)
def test_writes_only_what_is_a_reference(reference: str, fits: bool) -> None:
    assert is_writable(reference) is fits
