"""The demo's FHIR server, really started, with the demo patients: every read and search that a CDS service would do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.client import CdsClient
from cds_service.demo.chart_writing import CLINICIAN, clinician
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.demo.errors import DemoError
from cds_service.demo.fhir_server import load_resources, running_fhir_server
from tests.places import ROOT

PATIENTS = load_patients(datetime.now(UTC))
CONTEXT_PATIENT = "{{context.patientId}}"
LOINC_CODES = ",".join(f"http://loinc.org|{code}" for code in ("751-8", "6690-2", "731-0", "777-3", "718-7"))
SEARCHES = {
    "cellCounts": ("Observation", f"code={LOINC_CODES}&_sort=-date&_count=200"),
    "labResults": ("Observation", "category=laboratory&_sort=-date&_count=200"),
    "vitalSigns": ("Observation", "category=vital-signs&_sort=-date&_count=200"),
    "conditions": ("Condition", "_count=200"),
    "medicationRequests": ("MedicationRequest", "_sort=-authoredon&_count=200"),
    "medicationAdministrations": ("MedicationAdministration", "_sort=-effective-time&_count=200"),
    "procedures": ("Procedure", "_sort=-date&_count=200"),
    "serviceRequests": ("ServiceRequest", "status=active,draft&_count=200"),
    "allergies": ("AllergyIntolerance", "_count=200"),
    "encounters": ("Encounter", "_count=200"),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def fhir_base() -> Iterator[str]:
    with running_fhir_server(free_port()) as (base, _):
        load_resources(base, [clinician(), *(resource for patient in PATIENTS for resource in patient.resources)])
        yield base


def resources_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", [])]


def as_stored(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


def expected(patient: DemoPatient, key: str) -> set[str]:
    kind = SEARCHES[key][0]
    found = [resource for resource in patient.resources if resource["resourceType"] == kind]
    if kind == "Observation":
        category = "vital-signs" if key == "vitalSigns" else "laboratory"
        found = [r for r in found if r["category"][0]["coding"][0]["code"] == category]
    if key == "cellCounts":
        found = [r for r in found if r["code"]["coding"][0]["code"] in LOINC_CODES]
    return {resource["id"] for resource in found}


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.id)
def test_every_search_finds_just_what_the_story_has(fhir_base: str, patient: DemoPatient) -> None:
    templates = {key: f"{kind}?patient={CONTEXT_PATIENT}&{query}" for key, (kind, query) in SEARCHES.items()}
    with CdsClient("http://127.0.0.1:1") as client:
        found = client.prefetch(templates, {"patientId": patient.id}, fhir_base)
    ids = {key: {resource["id"] for resource in resources_of(bundle)} for key, bundle in found.items()}
    assert ids == {key: expected(patient, key) for key in SEARCHES}


def test_the_stories_together_use_every_search() -> None:
    used = Counter(key for patient in PATIENTS for key in SEARCHES if expected(patient, key))
    assert used.keys() == SEARCHES.keys()


def test_reads_give_the_resource_as_it_was_written(fhir_base: str) -> None:
    patient = PATIENTS[0]
    templates = {"patient": "Patient/{{context.patientId}}", "visit": "Encounter/{{context.encounterId}}",
                 "user": "{{context.userId}}", "nobody": "Patient/nobody"}  # fmt: skip
    context = {"patientId": patient.id, "encounterId": patient.encounter_id, "userId": CLINICIAN}
    with CdsClient("http://127.0.0.1:1") as client:
        found = client.prefetch(templates, context, fhir_base)
    assert found.pop("nobody", "absent") is None
    assert as_stored(found["patient"]) == patient.resources[0]
    assert as_stored(found["visit"]) == patient.resources[1]
    assert as_stored(found["user"]) == clinician()


def test_the_newest_comes_first_and_pages_are_linked(fhir_base: str) -> None:
    url: str | None = f"{fhir_base}/Observation?patient=demo-febrile&_sort=-date&_count=4"
    pages: list[list[dict[str, Any]]] = []
    while url:
        bundle = requests.get(url, timeout=10).json()
        pages.append(resources_of(bundle))
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    times = [resource["effectiveDateTime"] for page in pages for resource in page]
    assert [len(page) for page in pages] == [4, 4, 3]
    assert times == sorted(times, reverse=True)


def test_nothing_found_is_a_bundle_without_entries(fhir_base: str) -> None:
    bundle = requests.get(f"{fhir_base}/Condition?patient=demo-healthy", timeout=10).json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 0)
    assert "entry" not in bundle


def test_the_server_has_our_patients_only_and_invents_nothing(fhir_base: str) -> None:
    bundle = requests.get(f"{fhir_base}/Patient?_count=200", timeout=10).json()
    assert {resource["id"] for resource in resources_of(bundle)} == {patient.id for patient in PATIENTS}
    orders = requests.get(f"{fhir_base}/Task?_count=200", timeout=10).json()
    assert orders["total"] == 0


SANDBOX = {"Origin": "http://sandbox.example", "Accept": "application/json+fhir"}


@pytest.mark.parametrize("path", ["metadata", "Patient", "Patient/demo-febrile", "Condition?patient=demo-febrile"])
def test_a_page_of_another_origin_may_read(fhir_base: str, path: str) -> None:
    answer = requests.get(f"{fhir_base}/{path}", headers=SANDBOX, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_sandbox_sees_r4(fhir_base: str) -> None:
    assert requests.get(f"{fhir_base}/metadata", headers=SANDBOX, timeout=10).json()["fhirVersion"] == "4.0.1"


def test_a_page_of_another_origin_may_search_by_post(fhir_base: str) -> None:
    form = {"patient": "demo-febrile", "code": "http://loinc.org|751-8", "_sort": "-date"}
    answer = requests.post(f"{fhir_base}/Observation/_search", data=form, headers=SANDBOX, timeout=10)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert [resource["valueQuantity"]["value"] for resource in resources_of(answer.json())] == [0.3, 3.1]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_page_of_another_origin_may_write(fhir_base: str, method: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = requests.options(f"{fhir_base}/MedicationRequest/m", headers=SANDBOX | asked, timeout=10)
    assert preflight.status_code == 200
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    draft = next(patient.draft_order for patient in PATIENTS if patient.id == "demo-chemo-due")
    assert draft is not None
    path = draft["resourceType"] + (f"/{draft['id']}" if method == "PUT" else "")
    written = requests.request(method, f"{fhir_base}/{path}", json=draft, headers=SANDBOX, timeout=10)
    assert written.status_code == 201
    requests.delete(f"{fhir_base}/MedicationRequest/{written.json()['id']}", timeout=10)


def test_resources_are_stored_all_or_none(fhir_base: str) -> None:
    good = {"resourceType": "Patient", "id": "half"}
    with pytest.raises(DemoError, match="refused the demo patients: HTTP 400"):
        load_resources(fhir_base, [good, {"resourceType": "Patient", "id": "bad", "gender": 1}])
    assert requests.get(f"{fhir_base}/Patient/half", timeout=10).status_code == 404


def test_a_busy_port_is_named_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with (
            pytest.raises(DemoError, match="choose another with --fhir-port"),
            running_fhir_server(other.getsockname()[1]),
        ):
            pass


def test_the_server_ends_when_the_demo_is_killed(tmp_path: Path) -> None:
    """The process that started the server gets SIGKILL and can put nothing away; the port is free all the same."""
    port = free_port()
    program = (
        "import sys, time\n"
        "from cds_service.demo.fhir_server import running_fhir_server\n"
        "with running_fhir_server(int(sys.argv[1])) as (base, child):\n"
        "    print(base, flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(port)]
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as demo:
        assert demo.stdout is not None
        base = demo.stdout.readline().strip()
        assert requests.get(f"{base}/metadata", timeout=10).status_code == 200
        demo.kill()
    assert _is_silent(base)


def _is_silent(base: str) -> bool:
    """Whether the server goes away within some seconds."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            requests.get(f"{base}/metadata", timeout=5)
        except requests.ConnectionError:
            return True
        time.sleep(0.1)
    return False
