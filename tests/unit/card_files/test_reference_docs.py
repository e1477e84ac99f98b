"""The generated parts of the guide for authors."""

from __future__ import annotations

import pytest

from cds_service.card_files.reference_docs import check_reference, with_reference, write_reference
from cds_service.errors import CardFileError
from tests.cards.small_library import RULE, SmallLibrary


def _page(*names: str) -> str:
    return (
        "# Guide\n"
        + "".join(f"<!-- generated: {name} -->\nold\n<!-- end of {name} -->\n" for name in names)
        + "Kept.\n"
    )


def test_sections_are_filled_and_the_rest_is_kept(small_library: SmallLibrary) -> None:
    text = with_reference(small_library.root, _page("fields", "facts", "numbers", "suggestions", "coverage"))
    assert text.startswith("# Guide\n")
    assert text.endswith("Kept.\n")
    assert "old" not in text.splitlines()
    assert "| `status` | yes | Only active rules are evaluated. One of `draft`, `active`, `retired` |" in text
    assert "`each_drug`" in text
    assert "| `anc` | number | 10\\*9/L |" in text
    assert "| `mild_below` | 1.5 10\\*9/L |" in text
    assert "| `stable_results` | 3 |" in text
    assert "`repeat-cbc-diff`" in text


def test_coverage_names_the_active_rules_of_a_statement(small_library: SmallLibrary) -> None:
    small_library.write("asleep", status="draft")
    lines = with_reference(small_library.root, _page("coverage")).splitlines()
    rows = {cells[1].strip(): cells[3].strip() for line in lines if len(cells := line.split("|")) == 5}
    assert rows["S1"] == f"`{RULE}`"
    assert rows["S2"] == ""


def test_filling_again_changes_nothing(small_library: SmallLibrary) -> None:
    path = small_library.root / "README.md"
    path.write_text(_page("facts", "coverage"), "utf-8")
    assert [str(fault) for fault in check_reference(small_library.root)] != []
    write_reference(small_library.root)
    assert check_reference(small_library.root) == []


def test_an_unknown_section_is_a_fault(small_library: SmallLibrary) -> None:
    with pytest.raises(CardFileError, match="no section is called recipes"):
        with_reference(small_library.root, _page("recipes"))
