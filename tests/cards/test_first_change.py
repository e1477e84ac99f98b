"""The first change that cards/README.md teaches, carried out as it stands there."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest

from cds_service.card_files.cases import CaseResult, run_cases
from cds_service.card_files.lint import lint
from cds_service.card_files.version_lock import write_lock
from tests.places import ROOT

RULE = "hcl-neutropenia-followup"
CASE = "haemoglobin 11.6 is near the criterion"


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "cards", tmp_path / "cards"))


def _case_of_the_guide() -> str:
    guide = (ROOT / "cards" / "README.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(     - name: haemoglobin.*?)   ```", guide, re.DOTALL)
    return textwrap.indent(textwrap.dedent(block), "  ")


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def _failed(cards: Path) -> dict[str, CaseResult]:
    return {result.name: result for result in run_cases(cards, [RULE]) if not result.passed}


def test_the_first_change_of_the_guide_works_as_it_says(cards: Path) -> None:
    rule = cards / "rules" / "diseases" / f"{RULE}.yaml"
    cases = rule.with_suffix(".cases.yaml")
    cases.write_text(cases.read_text("utf-8") + _case_of_the_guide(), "utf-8")
    failed = _failed(cards)
    assert list(failed) == [CASE]
    assert failed[CASE].problems == ("expected warning, but it is info",)
    assert [words for words in failed[CASE].facts if words.startswith("haemoglobin = 11.6 g/dL")]

    _edit(rule, ("near_haemoglobin: {value: 11.5", "near_haemoglobin: {value: 11.8"))
    assert list(_failed(cards)) == ["haemoglobin exactly 11.5"]
    _edit(cases, ("haemoglobin exactly 11.5", "haemoglobin exactly 11.8"), ("value: 11.5,", "value: 11.8,"))
    _edit(cases, ("haemoglobin 11.4", "haemoglobin 11.7"), ("value: 11.4,", "value: 11.7,"))
    assert _failed(cards) == {}

    (fault,) = lint(cards)
    assert "version" in fault.problem
    first = "changes:\n  - {version: 1.1.0, date: 2026-12-01, text: Haemoglobin below 11.8 counts as near}"
    _edit(rule, ("version: 1.0.0\nstatus", "version: 1.1.0\nstatus"), ("changes:", first))
    write_lock(cards)
    assert lint(cards) == []
