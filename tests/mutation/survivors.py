"""Says which faults that mutmut put into clinical/ no test noticed, and fails where one is not accounted for.

Run by `make mutants` after `mutmut run`; mutmut keeps the outcome of each fault in mutants/**/*.meta.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("equivalent.yaml")
SURVIVED = 0
"""mutmut records the exit code of the tests: 0 means that all of them passed on the faulty code."""
_MANGLED = re.compile(r"^cds_service\.clinical\.(?P<module>[\w.]+)\.x(?:ǁ(?P<owner>\w+)ǁ|_)(?P<name>\w+)__mutmut_\d+$")


def function_of(mutant: str) -> str:
    """ "course.Course._spaced" of "cds_service.clinical.course.xǁCourseǁ_spaced__mutmut_5"."""
    found = _MANGLED.match(mutant)
    if found is None:
        raise ValueError(f"not a mutant of clinical/: {mutant}")
    return ".".join(filter(None, (found["module"], found["owner"], found["name"])))


def outcomes(directory: Path) -> dict[str, int | None]:
    """The exit code of each mutant; None where it was not run."""
    found: dict[str, int | None] = {}
    for path in sorted(directory.rglob("*.meta")):
        found |= json.loads(path.read_text("utf-8"))["exit_code_by_key"]
    return found


def unexplained(survivors: Iterable[str], accepted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Functions with more survivors than `accepted` explains, and entries that explain more than there are."""
    counts = Counter(map(function_of, survivors))
    faults = []
    for function in sorted(counts.keys() | accepted.keys()):
        explained = accepted.get(function, {}).get("survivors", 0)
        if counts[function] != explained:
            faults.append(f"{function}: {counts[function]} survive, {explained} explained")
    return faults


def main() -> int:
    found = outcomes(ROOT / "mutants")
    unrun = [name for name, code in found.items() if code is None]
    survivors = [name for name, code in found.items() if code == SURVIVED]
    faults = unexplained(survivors, yaml.safe_load(ACCEPTED.read_text("utf-8")) or {})
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(found)} faults, {len(survivors)} not noticed, {len(unrun)} not tried")
    return 1 if faults or unrun or not found else 0


if __name__ == "__main__":
    sys.exit(main())
