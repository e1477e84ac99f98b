"""The parts of cards/README.md that follow from the library itself: fields, facts, shared numbers, coverage."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cds_service.card_files.library import read_rules
from cds_service.card_files.statements import STATEMENTS, Statement
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.facts import FACTS
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.errors import CardFileError

README = "README.md"
_SECTION = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)

Json = Mapping[str, Any]


def write_reference(cards_dir: Path) -> Path:
    """Bring the generated sections of the README up to date. Raises: CardFileError."""
    path = cards_dir / README
    path.write_text(with_reference(cards_dir, path.read_text("utf-8")), "utf-8")
    return path


def check_reference(cards_dir: Path) -> list[CardFileError]:
    """A fault where the README is out of step with the library."""
    path = cards_dir / README
    text = path.read_text("utf-8")
    in_step = with_reference(cards_dir, text) == text
    return [] if in_step else [CardFileError("is out of step with the library: write it anew", path=path)]


def with_reference(cards_dir: Path, text: str) -> str:
    """The text with every generated section filled in. Raises: CardFileError for a section that is not known."""

    def fill(match: re.Match[str]) -> str:
        if match[2] not in SECTIONS:
            raise CardFileError(f"no section is called {match[2]}", path=cards_dir / README)
        return f"{match[1]}\n{SECTIONS[match[2]](cards_dir)}\n{match[3]}"

    return _SECTION.sub(fill, text)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    """A cell in which Markdown sees no structure but code."""
    return re.sub(r"(?<!`)([|*])", r"\\\1", text)


def _code(text: str) -> str:
    return f"`{text}`"


# -- fields of a rule file


def field_table(cards_dir: Path) -> str:
    """The fields of cards/schema.json with their members."""
    schema = json.loads((cards_dir / "schema.json").read_text("utf-8"))
    required = set(schema["required"])
    rows = (
        [_code(name), "yes" if name in required else "", _meaning(part, schema)]
        for name, part in schema["properties"].items()
    )
    return _table(["field", "needed", "meaning"], rows)


def _meaning(part: Json, schema: Json) -> str:
    words = [part["description"]] if "description" in part else []
    if choices := _choices(part, schema):
        words.append(f"One of {', '.join(map(_code, choices))}")
    if members := list(dict.fromkeys(_members(part, schema))):
        words.append(f"Members: {', '.join(map(_code, members))}")
    return ". ".join(words)


def _resolved(part: Json, schema: Json) -> Json:
    reference = part.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else part


def _choices(part: Json, schema: Json) -> list[str]:
    resolved = _resolved(part, schema)
    return list(resolved.get("enum") or _resolved(resolved.get("items", {}), schema).get("enum", ()))


def _members(part: Json, schema: Json) -> Iterable[str]:
    """The names inside a field, at any depth."""
    resolved = _resolved(part, schema)
    for name, inner in resolved.get("properties", {}).items():
        yield name
        yield from _members(inner, schema)
    nested = [*resolved.get("oneOf", ()), resolved.get("items"), resolved.get("additionalProperties")]
    for inner in nested:
        if isinstance(inner, Mapping):
            yield from _members(inner, schema)


# -- facts, numbers, suggestions


def fact_table(_: Path) -> str:
    """Every fact that conditions and texts can name."""
    rows = (
        [_code(f.name), f.kind.value, f.unit or "", f.meaning, f.missing, f.source]
        for f in sorted(FACTS.values(), key=lambda fact: (fact.about_drug, fact.name))
    )
    return _table(["fact", "type", "unit", "meaning", "missing data", "source"], rows)


def number_table(cards_dir: Path) -> str:
    """The shared numbers."""
    content = read_yaml(cards_dir / "shared.yaml")
    rows = ([_code(n), _number(e), e["meaning"], e["source"]] for n, e in content.items())
    return _table(["number", "value", "meaning", "source"], rows)


def _number(entry: Json) -> str:
    return str(entry["value"]) + ("" if entry["unit"] == "1" else f" {entry['unit']}")


def suggestion_list(_: Path) -> str:
    """The closed list of suggestion kinds."""
    return ", ".join(_code(kind) for kind in SuggestionKind) + ".\n"


# -- coverage


def coverage_table(cards_dir: Path) -> str:
    """Which active rules cover which statement."""
    rules = [rule for rule in read_rules(cards_dir)[0] if rule.status == "active"]

    def row(statement: Statement) -> list[str]:
        covering = sorted(rule.id for rule in rules if statement.id in rule.statements or rule.id in statement.rules)
        return [statement.id, statement.words, ", ".join(map(_code, covering))]

    return _table(["statement", "in our words", "rules"], map(row, STATEMENTS))


SECTIONS: Mapping[str, Callable[[Path], str]] = {
    "fields": field_table,
    "facts": fact_table,
    "numbers": number_table,
    "suggestions": suggestion_list,
    "coverage": coverage_table,
}
"""The generated sections by the name in their markers."""
