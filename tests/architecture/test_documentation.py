"""What can be set, called or written in a rule file is documented: a thing nobody can find does not exist."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import click
import pytest

from cds_service import cli
from cds_service.clinical.facts import FACTS
from cds_service.settings import SETTINGS, Settings
from tests.places import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CARDS_README = (ROOT / "cards" / "README.md").read_text("utf-8")
RULE_SCHEMA = json.loads((ROOT / "cards" / "schema.json").read_text("utf-8"))

READ_FROM_OTHERS = {"trusted_clients"}
"""Fields of Settings that are no setting: they are read from the file that a setting names."""


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


def _root_command() -> click.Group:
    """The group that is no other group's command."""
    groups = [value for value in vars(cli).values() if isinstance(value, click.Group)]
    inner = {id(command) for group in groups for command in group.commands.values()}
    roots = {id(group): group for group in groups if id(group) not in inner}
    assert len(roots) == 1, "cds_service.cli has one group that holds all commands"
    return next(iter(roots.values()))


COMMANDS = sorted(_commands(_root_command(), ("cds-service",)))


def _fields(schema: Any) -> Iterator[str]:
    """Every property that a JSON Schema names, at any depth."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for part in schema.values():
            yield from _fields(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _fields(part)


RULE_FIELDS = sorted(set(_fields(RULE_SCHEMA)))


def _is_named(name: str, text: str) -> bool:
    """Whether the text names it as code: `name`, `name: …` or a longer code that holds it as a word."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w])")
    return any(word.search(code) for code in re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))


@pytest.mark.parametrize("name", ["CDS_CONFIG", *(setting.name for setting in SETTINGS)])
def test_setting_is_in_the_readme(name: str) -> None:
    assert _is_named(name, README)


def test_every_field_of_settings_is_a_documented_setting() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)} - READ_FROM_OTHERS
    assert {setting.field for setting in SETTINGS} == fields


def test_every_setting_says_what_it_means() -> None:
    assert [setting.name for setting in SETTINGS if not setting.description.endswith(".")] == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_is_in_the_readme(command: tuple[str, ...]) -> None:
    *start, last = command
    line = re.compile(rf"^.*{re.escape(' '.join(start))}\b.*\b{re.escape(last)}\b", flags=re.MULTILINE)
    assert line.search(README), f"README.md does not name: {' '.join(command)}"


def test_the_promised_commands_exist() -> None:
    cards = {("cds-service", "cards", name) for name in ("list", "show", "lint", "test", "explain")}
    others = {("cds-service", name) for name in ("serve", "demo", "evaluate", "fire")}
    assert (cards | others) - set(COMMANDS) == set()


@pytest.mark.parametrize("name", sorted(FACTS))
def test_fact_is_in_the_guide_for_authors(name: str) -> None:
    assert _is_named(name, CARDS_README)


@pytest.mark.parametrize("name", RULE_FIELDS)
def test_rule_field_is_in_the_guide_for_authors(name: str) -> None:
    assert _is_named(name, CARDS_README)


@pytest.mark.parametrize("target", ["demo", "test", "lint", "lock", "coverage"])
def test_make_target_is_listed_by_make(target: str) -> None:
    assert re.search(rf"^{target}:.* ## \S", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["make demo", "make test"])
def test_the_two_commands_are_in_the_readme(name: str) -> None:
    assert _is_named(name, README)


def test_a_name_that_nobody_wrote_down_is_noticed() -> None:
    assert not _is_named("anc", "the `anc_age_days` of a count, anc")
    assert _is_named("anc", "the fact `anc`")
