"""How the command line shows things to a person: tables and cards, readable at 80 columns and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cds_service.client import CdsCall

COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
WIDTH = 100
HOOKS = {"patient-view": "view", "encounter-start": "start", "order-select": "select", "order-sign": "sign"}
FEEDBACK_COUNTS = ("shown", "accepted", "overridden", "unanswered")
Row = Mapping[str, Any]


def _console() -> Console:
    """The terminal at its own width; where there is none (a pipe, a log) one at which tables are readable."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=WIDTH, highlight=False)


def _table(*columns: str, **options: Any) -> Table:
    """A table whose first column, the name to type or to look for, is never broken."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    return table


def print_rules(rows: Sequence[Row]) -> None:
    """The rules of the library."""
    table = _table("rule", "version", "hooks", "levels")
    for row in rows:
        levels = Text(" ").join(Text(level, style=style) for level, style in COLOURS.items() if level in row["levels"])
        hooks = " ".join(short for hook, short in HOOKS.items() if hook in row["hooks"])
        version = row["version"] if row["status"] == "active" else f"{row['version']} {row['status']}"
        table.add_row(row["id"], version, hooks, levels)
    console = _console()
    console.print(table)
    console.print("Hooks: " + ", ".join(f"{short} = {hook}" for hook, short in HOOKS.items()))
    number = "1 rule" if len(rows) == 1 else f"{len(rows)} rules"
    console.print(f"{number}. `cds-service cards show ID` shows one.", markup=False)


def print_rule(page: Row) -> None:
    """One rule, as a clinician reads it: sentences first, then limits, offers, sources and cases."""
    console = _console()
    console.print(Text(f"{page['title']}  ({page['id']} {page['version']}, {page['status']})", style="bold"))
    console.print(Text(page["logic"].strip()))
    for part in page["sentences"]:
        console.print(Text(f"\n{part['title']}", style=COLOURS.get(part["title"].split()[0].lower(), "bold")))
        for line in part["lines"]:
            console.print(Padding(Text(line.strip()), (0, 0, 0, 2 + len(line) - len(line.lstrip()))))
    facts = _table("part", "reads", show_header=False)
    for name in ("hooks", "for_each", "suppressed_by", "statements", "suggestions", "override_reasons"):
        if page.get(name):
            value = page[name]
            facts.add_row(name.replace("_", " "), Text(", ".join(value) if isinstance(value, list) else str(value)))
    for limit in page["limits"]:
        facts.add_row("limit", Text(f"{limit['name']} = {limit['value']} {limit['unit']} ({limit['source']})"))
    for source in page["sources"]:
        facts.add_row("source", Text(f"{source['id']}: {source['citation']} [{source['verified']}]"))
    for case in page["cases"]:
        facts.add_row("case", Text(case))
    console.print(facts)


def print_sample_card(case: str, card: Row) -> None:
    """The card of one case, in a frame."""
    console = _console()
    console.print(Text(f"The card of the case {case!r}, alone:", style="bold"))
    console.print(_card(card))


def print_facts(rows: Sequence[Row], *, one: bool) -> None:
    """The vocabulary of the conditions."""
    console = _console()
    if one:
        row = rows[0]
        unit = f", {row['unit']}" if row["unit"] else ""
        console.print(Text(f"{row['name']} ({row['kind']}{unit})", style="bold"))
        console.print(Text(f"{row['meaning']}.\nMissing data: {row['missing']}.\nSource: {row['source']}."))
        return
    table = _table("fact", "type", "unit", "meaning")
    for row in rows:
        table.add_row(row["name"], row["kind"], row["unit"] or "", row["meaning"])
    console.print(table)


def print_settings_table(rows: Sequence[tuple[str, str, str]]) -> None:
    """Every setting with the value in force."""
    table = _table("setting", "value", "meaning")
    for name, value, meaning in rows:
        table.add_row(name, Text(value), Text(meaning))
    _console().print(table)


def print_case_results(results: Sequence[Any]) -> int:
    """Failed cases in full, and the count; 1 where one failed."""
    console = _console()
    failed = [result for result in results if result.problems]
    for result in failed:
        console.print(Text(f"FAILED {result.rule}: {result.name}", style="bold red"))
        for problem in result.problems:
            console.print(Text(f"  {problem}"))
        console.print(Text(f"  in {result.case.path}:{result.case.line or 1}, with the facts", style="dim"))
        for words in result.facts:
            console.print(Text(f"    {words}", style="dim"))
    console.print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


def print_cards(call: CdsCall) -> None:
    """Cards as an EHR would show them: colour, summary, detail, buttons, reasons."""
    console = _console()
    if not call.cards:
        console.print("No cards: evaluated, nothing to say.")
    for card in call.cards:
        console.print(_card(card))
    console.print(
        f"{len(call.cards)} {'card' if len(call.cards) == 1 else 'cards'} in {call.milliseconds:.0f} ms", style="dim"
    )


def _card(card: Row) -> Panel:
    colour = COLOURS[card["indicator"]]
    parts: list[RenderableType] = [Text(card["summary"], style=colour), ""]
    if card.get("detail"):
        parts += [Markdown(card["detail"]), ""]
    for suggestion in card.get("suggestions", []):
        kinds = ", ".join(action["type"] for action in suggestion.get("actions", []))
        parts.append(Text(f"[ {suggestion['label']} ]  ({kinds})", style="bold"))
    for link in card.get("links", []):
        parts.append(Text(f"{link['label']}: {link['url']}", style="underline"))
    if reasons := [reason["display"] for reason in card.get("overrideReasons", [])]:
        parts += ["", Text("Decline because: " + " | ".join(reasons), style="dim")]
    return Panel(Group(*parts), title=card["indicator"], subtitle=card["source"]["label"], border_style=colour)


def print_feedback(report: Row) -> None:
    """What became of the cards, rule by rule, and why they were overridden."""
    console = _console()
    if not report["rules"]:
        console.print("No card was shown yet.")
        return
    counts, reasons = _table("rule", *FEEDBACK_COUNTS), _table("override reason", "times", "rule")
    for row in report["rules"]:
        counts.add_row(row["rule"], *(str(row[name]) for name in FEEDBACK_COUNTS))
        for reason, number in row["overrideReasons"].items():
            reasons.add_row(reason, str(number), row["rule"])
    for column in (*counts.columns[1:], reasons.columns[1]):
        column.justify = "right"
    console.print(counts)
    if reasons.row_count:
        console.print(reasons)
