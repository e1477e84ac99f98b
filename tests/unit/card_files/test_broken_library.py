"""A library with a fault does not load, and says where the fault is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds_service.card_files.library import load_library
from cds_service.errors import CardLibraryError
from tests.places import ROOT

SEVERE = "rules/severity/anc-severe.yaml"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "cards", tmp_path / "cards"))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (SEVERE, "anc < limits.severe_below", "ancc < limits.severe_below", "undeclared reference to 'ancc'"),
        (SEVERE, "{shared: severe_below}", "{shared: no_such_number}", "is not a number of shared.yaml"),
        (SEVERE, "suppressed_by: [", "suppressed_by: [no-such-rule, ", "which is no rule"),
        (SEVERE, "id: anc-severe", "id: anc-other", "differs from the file name"),
        (SEVERE, "{contributing_drugs}", "{contributing_drugz}", "unknown placeholder"),
        (SEVERE, "kind: stat-cbc-diff", "kind: no-such-kind", "is not a suggestion kind"),
        (SEVERE, "sources: [", "sources: [F999, ", "is not in sources.yaml"),
        (SEVERE, "title:", "title: x\ntitle:", "stands here twice"),
        (SEVERE, "title:", "tittle:", "tittle"),
        (SEVERE, "title:", "? [a, b]\n: c\ntitle:", "not valid YAML"),
        (SEVERE, "title:", "a: !!int foo\ntitle:", "not valid YAML"),
        (SEVERE, "title:", f"a: {'9' * 5000}\ntitle:", "not valid YAML"),
        ("shared.yaml", "severe_below:", "severe_beloww:", "missing ['severe_below']"),
    ],
)
def test_names_the_fault(library: Path, file: str, old: str, new: str, message: str) -> None:
    path = library / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(CardLibraryError) as caught:
        load_library(library)
    assert message in str(caught.value)
    assert path.name in str(caught.value)
