"""Loads the whole card library and reports every fault at once; a library with faults does not start a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from cds_service.card_files.quiet_file import read_quiet
from cds_service.card_files.rule_files import RuleFile
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.rules import Limit, Presentation, Reference, Rule, RuleLibrary
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.errors import CardFileError, CardLibraryError


@dataclass(frozen=True)
class LibraryFiles:
    """Where the parts of a card library lie."""

    root: Path

    @property
    def rules(self) -> list[Path]:
        return sorted(p for p in (self.root / "rules").glob("*/*.yaml") if not p.name.endswith(".cases.yaml"))

    @property
    def schema(self) -> Path:
        return self.root / "schema.json"

    def named(self, name: str) -> Path:
        return self.root / name


def shipped_cards_dir() -> Path:
    """The library that comes with the package: beside it in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_cards"
    return inside if inside.is_dir() else package.parent / "cards"


def load_library(cards_dir: Path) -> RuleLibrary:
    """Read, check and compile the library. Raises: CardLibraryError with all faults."""
    rules, faults = read_rules(cards_dir)
    if not faults:
        faults = check_together(rules)
    if faults:
        raise CardLibraryError(faults)
    files = LibraryFiles(cards_dir)
    services = read_yaml(files.named("services.yaml"))
    active = [rule for rule in rules if rule.status == "active"]
    return RuleLibrary(
        knowledge_version=str(services["knowledge_version"]),
        rules=tuple(suppressors_first(active)),
        presentation=read_presentation(files.named("presentation.yaml")),
        numbers=read_numbers(files.named("shared.yaml")),
    )


def read_rules(cards_dir: Path) -> tuple[list[Rule], list[CardFileError]]:
    """All rules of any status, and the faults of the files."""
    files = LibraryFiles(cards_dir)
    try:
        shared = read_shared(files.named("shared.yaml"))
        reasons: Mapping[str, str] = read_yaml(files.named("override_reasons.yaml"))
        references = read_references(files.named("sources.yaml"))
    except CardFileError as fault:
        return [], [fault]
    read = [
        RuleFile(p, schema=files.schema, shared=shared, reasons=reasons, references=references) for p in files.rules
    ]
    faults = [fault for file in read for fault in file.faults]
    if not read:
        faults.append(CardFileError("no rule files found", path=cards_dir / "rules"))
    return [file.rule for file in read if file.rule is not None], faults


def read_numbers(path: Path) -> SharedNumbers:
    """The shared numbers. Raises: CardFileError."""
    return SharedNumbers(**{name: limit.value for name, limit in read_shared(path).items()})


def read_shared(path: Path) -> dict[str, Limit]:
    """The shared numbers with unit and source; exactly those the code names. Raises: CardFileError."""
    content = read_yaml(path)
    stated, wanted = frozenset(content), SharedNumbers.names()
    if stated != wanted:
        raise CardFileError(f"missing {sorted(wanted - stated)}, unknown {sorted(stated - wanted)}", path=path)
    for name, entry in content.items():
        if set(entry) != {"value", "unit", "source", "meaning"}:
            raise CardFileError(f"{name} needs value, unit, source and meaning", path=path)
    return {
        name: Limit(name, Decimal(str(entry["value"])), entry["unit"], entry["source"], name)
        for name, entry in content.items()
    }


def read_references(path: Path) -> dict[str, Reference]:
    """The citations by id."""
    content: Mapping[str, Any] = read_yaml(path)
    return {name: Reference(name, e["citation"], e["verified"], e.get("url")) for name, e in content.items()}


def read_presentation(path: Path) -> Presentation:
    """How verdicts become cards. Raises: CardFileError."""
    content = read_yaml(path)
    try:
        lists = {name: tuple(content[name]) for name in ("order", "inputs")}
        return Presentation(**{**content, **lists, "quiet": read_quiet(content.get("quiet"), path)})
    except (TypeError, KeyError) as problem:
        raise CardFileError(f"wrong or missing member: {problem}", path=path) from problem


def check_together(rules: Sequence[Rule]) -> list[CardFileError]:
    """Faults between rules: repeated ids, suppressors that do not exist, cycles."""
    known = [rule.id for rule in rules]
    faults = [
        CardFileError(f"rule {i} exists twice", path=None) for i in sorted({i for i in known if known.count(i) > 1})
    ]
    for rule in rules:
        faults += [
            CardFileError(f"suppressed_by names {name!r}, which is no rule", path=Path(rule.path))
            for name in rule.suppressed_by
            if name not in known
        ]
    if not faults:
        try:
            suppressors_first(rules)
        except CycleError as cycle:
            faults.append(CardFileError(f"suppressed_by goes round in a circle: {' > '.join(cycle.args[1])}"))
    return faults


def suppressors_first(rules: Sequence[Rule]) -> list[Rule]:
    """Rules in an order in which every suppressor stands before what it silences; scope rules last."""
    by_id = {rule.id: rule for rule in rules}
    graph = {
        rule.id: [name for name in rule.suppressed_by if name in by_id] for rule in sorted(rules, key=lambda r: r.id)
    }
    ordered = [by_id[rule_id] for rule_id in TopologicalSorter(graph).static_order()]
    return [rule for rule in ordered if not rule.scope] + [rule for rule in ordered if rule.scope]
