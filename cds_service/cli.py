"""The command line: each command is a few lines that call the application.

Wrong use or bad input is one line on standard error and exit code 2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service import __version__
from cds_service.errors import CardLibraryError, CdsServiceError

PROGRAM = "cds-service"
FIRST_YEAR, AFTER_LAST_YEAR = 1900, 2200
"""Instants that can be judged: durations are counted back and forth from them."""

FAULTS_FOUND = 1
WRONG_USE = 2
Command = Callable[..., int | None]


def _guarded(command: Command) -> Callable[..., None]:
    """Expected errors become one clear line on stderr; the command's return value is the exit code."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            code = command(*args, **options)
        except CdsServiceError as error:
            click.echo(f"cds-service: {error}", err=True)
            sys.exit(FAULTS_FOUND if isinstance(error, CardLibraryError) else WRONG_USE)
        sys.exit(code or 0)

    return run


def _print_json(document: object) -> None:
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def _instant(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as problem:
        raise click.BadParameter(f"{text!r} is no instant; write 2026-11-22T15:00:00Z") from problem
    if not FIRST_YEAR <= at.year < AFTER_LAST_YEAR:
        raise click.BadParameter(f"{text!r} is not between {FIRST_YEAR} and {AFTER_LAST_YEAR}")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class OneLineGroup(click.Group):
    """Tells wrong use in one line, where click would print the usage, a hint and an error."""

    def main(self, args: Sequence[str] | None = None, *_: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        extra["prog_name"] = PROGRAM
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **extra)
        try:
            code = super().main(args, standalone_mode=False, **extra)
        except click.ClickException as problem:
            click.echo(f"{PROGRAM}: {_in_one_line(problem)}", err=True)
            sys.exit(WRONG_USE)
        except click.Abort:
            click.echo(f"{PROGRAM}: stopped", err=True)
            sys.exit(1)
        sys.exit(code or 0)


def _in_one_line(problem: click.ClickException) -> str:
    """What is wrong, and which help says how it goes."""
    no_command = isinstance(problem, click.exceptions.NoArgsIsHelpError)
    words = "Missing command." if no_command else " ".join(problem.format_message().split())
    context = problem.ctx if isinstance(problem, click.UsageError) else None
    return f"{words.rstrip('.')}; see {context.command_path if context else PROGRAM} --help"


@click.group(cls=OneLineGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=PROGRAM)
def main() -> None:
    """Decision support for leukopenia and neutropenia, as a CDS Hooks service on FHIR R4."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.  [default: one for each core]")
@click.option("--print-settings", is_flag=True, help="Show the settings in force, secrets masked, and stop.")
@_guarded
def serve(host: str, port: int, workers: int | None, print_settings: bool) -> None:
    """Run the production server. Ready when GET /readyz answers 200."""
    from cds_service.settings import Settings, printable_settings

    settings = Settings.load(**_address_clients_call(host, port))
    if print_settings:
        from cds_service.cli_output import print_settings_table

        print_settings_table(printable_settings(settings))
        return
    from cds_service.app import serve as run_server

    run_server(settings, host=host, port=port, workers=workers)


def _address_clients_call(host: str, port: int) -> dict[str, Any]:
    """CDS_PUBLIC_URL follows --host and --port where nothing states it and the address is this machine's own."""
    from cds_service.settings import Settings

    unstated = Settings.load(auth="off").public_url == Settings().public_url
    return {"public_url": f"http://{host}:{port}"} if unstated and host in ("127.0.0.1", "localhost") else {}


@main.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port of the service.")
@click.option(
    "--fhir-port", default=8090, show_default=True, type=click.IntRange(1, 65535), help="Port of the FHIR server."
)
@click.option("--once", is_flag=True, help="Stop after the table.")
@_guarded
def demo(port: int, fhir_port: int, once: bool) -> int:
    """Start a FHIR server with synthetic patients and the service, fire the hooks, show the cards."""
    from cds_service.demo.run import run_demo

    return run_demo(port=port, fhir_port=fhir_port, once=once)


@main.command()
@click.argument("request", type=click.File("rb"))
@click.option("--at", callback=_instant, help="Judge as of this instant.  [default: now]")
@click.option("--explain", is_flag=True, help="Add every rule's verdict, its inputs, and what was missing.")
@_guarded
def evaluate(request: Any, at: datetime | None, explain: bool) -> int:
    """Answer one CDS Hooks REQUEST (a file, or -) without a server; exit 2 where a server would answer 4xx."""
    from cds_service.app import evaluate_offline
    from cds_service.settings import Settings

    settings = Settings.load(auth="off", explain=explain)
    _print_json(evaluate_offline(settings, request.read(), at or datetime.now(UTC)))
    return 0


@main.command()
@click.option("--service", "service_id", required=True, help="Service id, as in discovery.")
@click.option("--patient", "patient_id", required=True, help="Patient id on the FHIR server.")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Base URL of the CDS service.")
@click.option("--fhir-server", help="FHIR base URL to prefetch from and to name in the request.")
@click.option(
    "--draft",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Draft order(s): a resource or a Bundle.",
)
@click.option("--json", "as_json", is_flag=True, help="The raw response.")
@_guarded
def fire(service_id: str, patient_id: str, url: str, fhir_server: str | None, draft: Path | None, as_json: bool) -> int:
    """Be a small CDS client: discover, prefetch, call, and show the cards."""
    from cds_service.cli_output import print_cards
    from cds_service.firing import fire_hook

    call = fire_hook(url, service_id, patient_id, fhir_server=fhir_server, draft=draft.read_bytes() if draft else None)
    if as_json:
        _print_json(call.body)
    elif call.ok:
        print_cards(call)
    if not call.ok:
        click.echo(f"cds-service: the service answered {call.problem}", err=True)
    return 0 if call.ok else WRONG_USE


@main.group()
def cards() -> None:
    """The card library, for authors."""


@cards.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_guarded
def list_cards(as_json: bool) -> None:
    """All rules: version, status, hooks, title."""
    from cds_service.card_files.listing import rule_rows
    from cds_service.cli_output import print_rules

    rows = rule_rows(_cards_dir())
    _print_json(rows) if as_json else print_rules(rows)


@cards.command("show")
@click.argument("rule_id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_guarded
def show_card(rule_id: str, as_json: bool) -> None:
    """One rule as sentences, with limits, sources and cases, and its card as it will look."""
    from cds_service.app import sample_card_document
    from cds_service.card_files.listing import rule_page
    from cds_service.cli_output import print_rule, print_sample_card

    page = rule_page(_cards_dir(), rule_id)
    if as_json:
        _print_json(page)
        return
    print_rule(page)
    if sample := sample_card_document(_cards_dir(), rule_id):
        print_sample_card(*sample)


@cards.command("lint")
@click.argument("directory", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--write-lock", is_flag=True, help="Record the versions, and write the tables of the README.")
@_guarded
def lint_cards(directory: Path | None, write_lock: bool) -> int:
    """Check the library (or the one in DIRECTORY); exit 1 where it has faults."""
    from cds_service.card_files.lint import lint
    from cds_service.card_files.reference_docs import write_reference
    from cds_service.card_files.version_lock import write_lock as record

    where = directory or _cards_dir()
    if write_lock:
        record(where)
        write_reference(where)
    faults = lint(where)
    for fault in faults:
        click.echo(str(fault))
    click.echo(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}" if faults else "no faults")
    return FAULTS_FOUND if faults else 0


@cards.command("test")
@click.argument("rule_ids", nargs=-1)
@_guarded
def test_cards(rule_ids: tuple[str, ...]) -> int:
    """Run the cases of all rules, or of those named; exit 1 where one fails."""
    from cds_service.card_files.cases import run_cases
    from cds_service.cli_output import print_case_results

    results = run_cases(_cards_dir(), rule_ids or None)
    return print_case_results(results)


@cards.command("explain")
@click.argument("fact", required=False)
@_guarded
def explain_fact(fact: str | None) -> int:
    """What a FACT means, its unit, and what missing data do to it; without FACT, all of them."""
    from cds_service.card_files.listing import fact_rows
    from cds_service.cli_output import print_facts

    rows = fact_rows(fact)
    if not rows:
        click.echo(f"cds-service: there is no fact {fact!r}; `cds-service cards explain` lists them", err=True)
        return WRONG_USE
    print_facts(rows, one=fact is not None)
    return 0


def _cards_dir() -> Path:
    from cds_service.card_files.library import shipped_cards_dir
    from cds_service.settings import Settings

    return Settings.load(auth="off").cards_dir or shipped_cards_dir()


@main.group()
def feedback() -> None:
    """What became of the cards."""


@feedback.command("report")
@click.option(
    "--format", "shape", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Shape."
)
@_guarded
def report_feedback(shape: str) -> None:
    """Per rule: shown, accepted, overridden, unanswered, override reasons."""
    from cds_service.app import read_feedback_report
    from cds_service.cli_output import print_feedback
    from cds_service.settings import Settings

    report = read_feedback_report(Settings.load(auth="off"))
    _print_json(report) if shape == "json" else print_feedback(report)


if __name__ == "__main__":
    main()
