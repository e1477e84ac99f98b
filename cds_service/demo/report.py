"""What the demo prints: a table of the cards and the addresses to open next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.demo.tour import TourStop

WIDTH = 100
COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def make_console() -> Console:
    """The terminal at its own width; where there is none (a pipe, a log) one at which the table is readable."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def cards_table(stops: Sequence[TourStop]) -> Table:
    """One row a call; a patient's name stands in the first of its rows."""
    title = "What the service says about the demo patients"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("patient", no_wrap=True)
    table.add_column("hook", no_wrap=True)
    table.add_column("cards", no_wrap=True)
    table.add_column("first card", ratio=1, overflow="fold")
    table.add_column("ms", justify="right", no_wrap=True)
    for _, of_one_patient in groupby(stops, key=lambda stop: stop.patient.id):
        before: TourStop | None = None
        for stop in of_one_patient:
            name = "" if before else stop.patient.id
            table.add_row(name, stop.hook, card_counts(stop), _first_card(stop, before), f"{stop.milliseconds:.0f}")
            before = stop
        table.add_section()
    return table


def card_counts(stop: TourStop) -> Text:
    """How many cards of each indicator, most urgent first."""
    if stop.problem:
        return Text("failed", style="bold red")
    counts = Counter(stop.indicators)
    lines = [Text(f"{counts.pop(level)} {level}", style=style) for level, style in COLOURS.items() if level in counts]
    lines += [Text(f"{number} {level}") for level, number in sorted(counts.items())]
    return Text("\n").join(lines) if lines else Text("none", style="dim")


def sandbox_query(service_base: str, fhir_base: str, patient_id: str) -> str:
    """What to append to the address of a CDS Hooks Sandbox to open it on a demo patient."""
    return "?" + urlencode(
        {
            "fhirServiceUrl": fhir_base,
            "patientId": patient_id,
            "serviceDiscoveryURL": f"{service_base}/cds-services",
            "hook": "patient-view",
            "screen": "patient-view",
        }
    )


def print_addresses(console: Console, service_base: str, fhir_base: str, patient_id: str) -> None:
    """The URLs, each unbroken on a line of its own, so that it can be copied."""
    for label, text in (
        ("Playground", f"{service_base}/"),
        ("Discovery", f"{service_base}/cds-services"),
        ("FHIR server", f"{fhir_base}/Patient"),
        ("CDS Hooks Sandbox, append to its address", sandbox_query(service_base, fhir_base, patient_id)),
    ):
        console.print(f"{label}:", style="bold", highlight=False)
        console.print(f"  {text}", soft_wrap=True, highlight=False, markup=False)


def print_feedback_command(console: Console, data_dir: Path) -> None:
    """How to see, from another terminal, what became of the cards."""
    console.print("What became of the cards, from another terminal:", style="bold", highlight=False)
    console.print(
        f"  CDS_DATA_DIR={data_dir} cds-service feedback report", soft_wrap=True, highlight=False, markup=False
    )


def _first_card(stop: TourStop, before: TourStop | None) -> Text:
    """The first card's summary; where the hook before said just the same, only that."""
    if stop.problem:
        return Text(stop.problem, style="bold red")
    if stop.summary is None:
        return Text("nothing to say", style="dim")
    if before and (before.summary, before.indicators) == (stop.summary, stop.indicators):
        return Text(f"as on {before.hook}", style="dim")
    return Text(stop.summary)
