"""The version lock: id, version and hash of every rule and of the shared tables, so that no change goes unversioned.

`cards/versions.lock` has one line each, sorted. Shared numbers and the drug table go with the knowledge version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.card_files.library import read_rules
from cds_service.card_files.yaml_files import read_yaml
from cds_service.clinical.rules import Rule
from cds_service.errors import CardFileError, CardLibraryError

LOCK_FILE = "versions.lock"
TABLES = ("shared.yaml", "drugs.csv", "interactions.csv")
"""Files whose content is clinical and belongs to the knowledge version."""

HEADER = "# Id, version and hash of everything clinical. Written by: cds-service cards lint --write-lock\n"


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of the lock."""

    name: str
    version: str
    hash: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.hash}"

    def follows(self, before: Locked) -> str | None:
        """Why this may not take the place of an earlier line, or None."""
        if self.hash != before.hash and self.version == before.version:
            return f"{self.name} changed, but its version is still {self.version}"
        if _numbers(self.version) < _numbers(before.version):
            return f"{self.name} went back from version {before.version} to {self.version}"
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def check_lock(cards_dir: Path, rules: Sequence[Rule] | None = None) -> list[CardFileError]:
    """What is out of step with the lock; empty where nothing is. `rules`: those of the library, where already read."""
    path = cards_dir / LOCK_FILE
    present = _present(cards_dir, read_rules(cards_dir)[0] if rules is None else rules)
    if not path.exists():
        return [CardFileError("is missing: cds-service cards lint --write-lock", path=path)]
    try:
        before = read_lock(path)
    except CardFileError as fault:
        return [fault]
    return [CardFileError(words, path=path) for words in _out_of_step(before, present)]


def _out_of_step(before: Mapping[str, Locked], present: Mapping[str, Locked]) -> list[str]:
    words = []
    for name in sorted({*before, *present}):
        old, new = before.get(name), present.get(name)
        if new is None:
            words.append(f"{name} is gone; a rule is retired by its status, so that feedback on it stays readable")
        elif old is None:
            words.append(f"{name} {new.version} is not locked: cds-service cards lint --write-lock")
        elif old != new:
            wrong = f"{name} {new.version} is not locked: cds-service cards lint --write-lock"
            words.append(new.follows(old) or wrong)
    return words


def write_lock(cards_dir: Path) -> Path:
    """Write the lock. Raises: CardLibraryError where content changed under the same version, or a version went back."""
    path = cards_dir / LOCK_FILE
    rules, faults = read_rules(cards_dir)
    if faults:
        raise CardLibraryError(faults)
    before, present = (read_lock(path) if path.exists() else {}), _present(cards_dir, rules)
    refused = [words for name, new in present.items() if name in before and (words := new.follows(before[name]))]
    if refused:
        raise CardLibraryError([CardFileError(words, path=path) for words in refused])
    path.write_text(HEADER + "".join(f"{present[name]}\n" for name in sorted(present)), "utf-8")
    return path


def read_lock(path: Path) -> dict[str, Locked]:
    """The lines by name. Raises: CardFileError."""
    lines: dict[str, Locked] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        parts = line.split()
        if len(parts) != 3 or parts[0] in lines:
            raise CardFileError("needs a name that stands here once, a version and a hash", path=path, line=number)
        lines[parts[0]] = Locked(*parts)
    return lines


def _present(cards_dir: Path, rules: Sequence[Rule]) -> dict[str, Locked]:
    knowledge = str(read_yaml(cards_dir / "services.yaml")["knowledge_version"])
    tables = [Locked(name, knowledge, _hash(cards_dir / name)) for name in TABLES]
    return {line.name: line for line in (*tables, *(Locked(r.id, r.version, r.content_hash) for r in rules))}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:16]
