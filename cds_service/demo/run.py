"""`cds-service demo`: starts the FHIR server and the service, loads the patients, takes the tour, shows the table."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from cds_service.client import CdsClient
from cds_service.demo.chart_writing import clinician
from cds_service.demo.child import LOOPBACK, Child, check_port_is_free, running, wait_until_ready
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.demo.errors import DemoError
from cds_service.demo.fhir_server import load_resources, running_fhir_server
from cds_service.demo.report import cards_table, make_console, print_addresses, print_feedback_command
from cds_service.demo.tour import TourStop, tour

START_SECONDS = 60.0
WATCH_SECONDS = 0.5
# Settings of the caller's environment that would point the demo at somebody's real data.
LEFT_OUT = ("CDS_CONFIG", "CDS_CLIENTS", "CDS_DATABASE_URL")
SANDBOX_PATIENT = "demo-febrile"


def run_demo(*, port: int, fhir_port: int, once: bool) -> int:
    """Run the demo until Ctrl-C, or with `once` until the table is printed.

    Returns the exit code: 0, or 1 where a call of the tour failed.
    Raises: DemoError where a port is busy, something is not installed, or a server does not start.
    """
    console = make_console()
    with stopped_by_sigterm(), demo_servers(port, fhir_port, console) as servers:
        stops = _take_tour(servers, load_into(servers.fhir_base), console)
        print_addresses(console, servers.base, servers.fhir_base, SANDBOX_PATIENT)
        if not once:
            print_feedback_command(console, data_dir_beside(servers.service.log))
            _watch((servers.fhir_server, servers.service), console)
    return 1 if any(stop.problem for stop in stops) else 0


@dataclass(frozen=True, slots=True)
class DemoServers:
    """The two servers of the demo: their base URLs and their processes."""

    base: str
    fhir_base: str
    service: Child
    fhir_server: Child


@contextmanager
def demo_servers(port: int, fhir_port: int, console: Console) -> Iterator[DemoServers]:
    """Both servers, running until the end of the block. Raises: DemoError."""
    if port == fhir_port:
        raise DemoError(f"Both servers cannot listen on port {port}: choose another with --port or --fhir-port.")
    check_port_is_free(port, "--port")
    with ExitStack() as stack:
        console.print("Starting the FHIR server …", style="dim")
        fhir_base, fhir_server = stack.enter_context(running_fhir_server(fhir_port))
        console.print("Starting the CDS service …", style="dim")
        base, service = stack.enter_context(running_service(port, fhir_base))
        yield DemoServers(base, fhir_base, service, fhir_server)


@contextmanager
def running_service(port: int, fhir_base: str) -> Iterator[tuple[str, Child]]:
    """The CDS service as a user would start it, open to everybody on this machine, with data that are thrown away."""
    base = f"http://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory(prefix="leukopenia-cds-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "cds_service.cli", "serve", "--host", LOOPBACK, "--port", str(port)]
        env = service_environment(os.environ, base=base, fhir_base=fhir_base, data_dir=data_dir_beside(log))
        with running("The CDS service", command, log=log, env=env) as child:
            wait_until_ready(child, f"{base}/readyz", limit_seconds=START_SECONDS)
            yield base, child


def data_dir_beside(log: Path) -> Path:
    """Where the service keeps what became of its cards, as long as the demo runs."""
    return log.with_name("data")


def service_environment(inherited: Mapping[str, str], *, base: str, fhir_base: str, data_dir: Path) -> dict[str, str]:
    """The caller's environment with the settings of a demonstration."""
    return {name: value for name, value in inherited.items() if name not in LEFT_OUT} | {
        "CDS_AUTH": "off",
        "CDS_CORS_ORIGINS": "*",
        "CDS_DATA_DIR": str(data_dir),
        "CDS_EXPLAIN": "on",
        "CDS_FHIR_SERVERS": fhir_base,
        "CDS_PLAYGROUND": "on",
        "CDS_PUBLIC_URL": base,
    }


def load_into(fhir_base: str) -> list[DemoPatient]:
    """Store the demo patients, dated from now, and the clinician who treats them."""
    patients = load_patients(datetime.now(UTC))
    load_resources(fhir_base, [clinician(), *(resource for patient in patients for resource in patient.resources)])
    return patients


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Within the block, being told to terminate is the same as Ctrl-C: everything is put away."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _take_tour(servers: DemoServers, patients: Sequence[DemoPatient], console: Console) -> list[TourStop]:
    with CdsClient(servers.base) as client:
        stops = list(tour(client, patients, servers.fhir_base))
    console.print()
    console.print(cards_table(stops))
    return stops


def _watch(processes: Sequence[Child], console: Console) -> None:
    """Wait for Ctrl-C. Raises: DemoError where a server ends before."""
    console.print("\nRunning. Stop with Ctrl-C.")
    try:
        while not (ended := [process for process in processes if process.has_ended()]):
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        console.print("\nStopping.")
        return
    raise DemoError(f"{ended[0].name} stopped. Its last lines:\n{ended[0].last_lines()}")
