"""No clinical change goes unversioned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.card_files.version_lock import LOCK_FILE, check_lock, read_lock, write_lock
from cds_service.errors import CardFileError, CardLibraryError
from tests.cards.small_library import GOOD_RULE, RULE, SmallLibrary

NEXT = {"version": "1.1.0", "changes": [{"version": "1.1.0", "date": "2026-12-01", "text": "Other words"}]}


def _words(small_library: SmallLibrary) -> list[str]:
    return [fault.problem for fault in check_lock(small_library.root)]


def test_a_locked_library_is_in_step(small_library: SmallLibrary) -> None:
    path = write_lock(small_library.root)
    assert _words(small_library) == []
    names = [line.split()[0] for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert names == sorted(names) == ["drugs.csv", "interactions.csv", RULE, "shared.yaml"]


def test_a_missing_lock_is_a_fault(small_library: SmallLibrary) -> None:
    assert _words(small_library) == ["is missing: cds-service cards lint --write-lock"]


def test_a_changed_rule_of_the_same_version_is_refused(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    small_library.write(title="Another title")
    assert _words(small_library) == [f"{RULE} changed, but its version is still 1.0.0"]
    with pytest.raises(CardLibraryError, match=r"still 1\.0\.0"):
        write_lock(small_library.root)


def test_a_changed_rule_of_a_new_version_is_locked(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    small_library.write(title="Another title", **NEXT)
    assert _words(small_library) == [f"{RULE} 1.1.0 is not locked: cds-service cards lint --write-lock"]
    write_lock(small_library.root)
    assert _words(small_library) == []


def test_a_version_does_not_go_back(small_library: SmallLibrary) -> None:
    small_library.write(**NEXT)
    write_lock(small_library.root)
    small_library.write(title="As it was")
    assert _words(small_library) == [f"{RULE} went back from version 1.1.0 to 1.0.0"]


def test_status_and_history_need_no_version(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    first = GOOD_RULE["changes"][0]
    small_library.write(status="retired", changes=[{**first, "text": "First version, retired since"}])
    assert _words(small_library) == []


def test_a_removed_rule_is_a_fault(small_library: SmallLibrary) -> None:
    small_library.write("second-rule")
    write_lock(small_library.root)
    small_library.path("second-rule").unlink()
    assert _words(small_library) == [
        "second-rule is gone; a rule is retired by its status, so that feedback on it stays readable"
    ]


def test_a_new_rule_is_not_locked_yet(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    small_library.write("second-rule")
    assert _words(small_library) == ["second-rule 1.0.0 is not locked: cds-service cards lint --write-lock"]


def test_a_shared_number_belongs_to_the_knowledge_version(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    path = small_library.root / "shared.yaml"
    path.write_text(path.read_text("utf-8") + "# read again\n", "utf-8")
    assert _words(small_library)[0].startswith("shared.yaml changed, but its version is still")


def test_a_library_with_faults_is_not_locked(small_library: SmallLibrary) -> None:
    small_library.write(when="ank < 1")
    with pytest.raises(CardLibraryError, match="ank"):
        write_lock(small_library.root)


@pytest.mark.parametrize("line", ["one two", "a 1.0.0 abc\na 1.0.0 abc"])
def test_a_lock_that_cannot_be_read_is_a_fault(small_library: SmallLibrary, line: str) -> None:
    path: Path = small_library.root / LOCK_FILE
    path.write_text(f"{line}\n", "utf-8")
    with pytest.raises(CardFileError, match="needs a name"):
        read_lock(path)
    assert [fault.line for fault in check_lock(small_library.root)] == [line.count("\n") + 1]


def test_line_ends_do_not_matter(small_library: SmallLibrary) -> None:
    write_lock(small_library.root)
    path = small_library.root / "drugs.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert _words(small_library) == []
    assert json.loads(small_library.path().read_text("utf-8"))["version"] == "1.0.0"
