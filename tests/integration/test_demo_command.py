"""`cds-service demo --once` as a newcomer runs it: real servers, a table of all patients, nothing left behind."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_service.demo.demo_patients import load_patients
from tests.places import ROOT

PATIENTS = load_patients(datetime.now(UTC))
# What each story asks for at its most urgent hook; the stories stand in cds_service/demo/patients.
MOST_URGENT = {
    "demo-febrile": "critical",
    "demo-no-counts": "critical",
    "demo-child": "critical",
    "demo-azathioprine": "warning",
    "demo-old-count": "warning",
    "demo-chemo-due": "warning",
    "demo-fever-mild": "warning",
    "demo-palbociclib": "warning",
    "demo-nadir": "warning",
    "demo-unit-slip": "warning",
    "demo-clozapine": "info",
    "demo-dasatinib": "info",
    "demo-falling": "info",
    "demo-imatinib": "info",
    "demo-mild": "info",
    "demo-wbc-only": "info",
    "demo-duffy-null": "info",
    "demo-healthy": "none",
}
LEVELS = ("critical", "warning", "info")
CALL = re.compile(
    r"^ (?P<patient>demo-\S+)? +(?P<hook>patient-view|order-select|order-sign) +(?P<cards>none|failed|\d+ \w+)"
)
MORE_CARDS = re.compile(r"^ {20,40}(?P<cards>\d+ (?:critical|warning|info)) ")


def free_ports() -> tuple[str, str]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1]), str(other.getsockname()[1])


@contextmanager
def taken_port() -> Iterator[str]:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        yield str(somebody.getsockname()[1])


def run_demo(port: str, fhir_port: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    """The command in an environment without settings, with its temporary files where the test sees them."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return subprocess.run(
        [sys.executable, "-m", "cds_service.cli", "demo", "--once", "--port", port, "--fhir-port", fhir_port],
        cwd=ROOT,
        env=env | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def cards_by_patient(table: str) -> dict[str, dict[str, list[str]]]:
    """Patient, hook, and what the column of cards says, one entry a line."""
    found: dict[str, dict[str, list[str]]] = {}
    hooks: dict[str, list[str]] = {}
    for line in table.splitlines():
        if call := CALL.match(line):
            if call["patient"]:
                hooks = found.setdefault(call["patient"], {})
            cards = hooks.setdefault(call["hook"], [call["cards"]])
        elif more := MORE_CARDS.match(line):
            cards.append(more["cards"])
    return found


def most_urgent(hooks: dict[str, list[str]]) -> str:
    said = {words.split()[-1] for cards in hooks.values() for words in cards}
    return next((level for level in LEVELS if level in said), "none" if said == {"none"} else str(said))


def test_the_demo_shows_every_patient_as_the_story_asks_and_puts_everything_away(tmp_path: Path) -> None:
    port, fhir_port = free_ports()
    run = run_demo(port, fhir_port, tmp_path)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + run.stderr
    found = cards_by_patient(run.stdout)
    assert {patient: most_urgent(hooks) for patient, hooks in found.items()} == MOST_URGENT
    for patient in PATIENTS:
        orders = {"order-select", "order-sign"} if patient.draft_order is not None else set()
        assert set(found[patient.id]) == {"patient-view"} | orders, patient.id
    for address in (f"http://127.0.0.1:{port}/cds-services", f"http://127.0.0.1:{fhir_port}/fhir/Patient"):
        assert f"\n  {address}\n" in run.stdout
    assert "Ctrl-C" not in run.stdout
    assert list(tmp_path.iterdir()) == []
    for number in (port, fhir_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(number))) != 0, f"something still listens on {number}"


@pytest.mark.parametrize("option", ["--port", "--fhir-port"])
def test_a_busy_port_is_one_line_that_names_the_option(tmp_path: Path, option: str) -> None:
    free, _ = free_ports()
    with taken_port() as busy:
        ports = (busy, free) if option == "--port" else (free, busy)
        run = run_demo(*ports, tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith(f"cds-service: Port {busy} ")
    assert run.stderr.endswith(f"choose another with {option}.\n")
    assert run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
