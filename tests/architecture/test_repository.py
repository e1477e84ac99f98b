"""What is kept in the repository: no traces of a machine, nothing large, nothing left over, short functions."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import functions, package_modules
from tests.places import ROOT

TOP_LEVEL = {
    ".ci", ".dockerignore", ".gitignore", "Dockerfile", "LICENSE", "Makefile", "NOTICE", "README.md",
    "cards", "cds_service", "fixtures", "pyproject.toml", "requirements", "tests",
}  # fmt: skip

MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|farm|root|tmp|home|Users)/\w")
REGISTRY_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs|jsdelivr|unpkg)\.(?:org|com|net)\b")
LEFT_OVER = re.compile(r"TO[D]O|FIX[M]E|NotImplemente[d]Error|pytest\.(?:mark\.)?(?:ski[p]|xfai[l])")
LARGEST = 2 * 1024 * 1024
LONGEST_FUNCTION = 40

LONGER_FUNCTIONS: dict[str, str] = {
    "cds_service/card_files/drug_tables.py::_drug": "one line for each column of the drug table",
}
""""path::function" → why it is better long."""


@cache
def _kept_files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be with `git add .`."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return tuple(path for path in paths if path.is_file())


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _texts() -> dict[str, str]:
    return {_place(path): path.read_text("utf-8", errors="ignore") for path in _kept_files()}


def _found(pattern: re.Pattern[str], *, suffix: str = "") -> list[str]:
    return [
        f"{place}:{number}: {match.group()}"
        for place, text in _texts().items()
        if place.endswith(suffix)
        for number, line in enumerate(text.splitlines(), start=1)
        for match in pattern.finditer(line)
    ]


def test_no_file_has_a_path_of_a_machine() -> None:
    assert _found(MACHINE_PATH) == []


def test_no_file_names_a_package_registry() -> None:
    assert _found(REGISTRY_HOST) == []


def test_nothing_is_left_over() -> None:
    assert _found(LEFT_OVER, suffix=".py") == []


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        (MACHINE_PATH, "open('/ro" + "ot/x')", "https://example.org/home/x and /rooted/x"),
        (REGISTRY_HOST, "https://py" + "pi.org/simple", "installed from PyPI"),
        (LEFT_OVER, "# TO" + "DO later", "a to-do list"),
    ],
)
def test_the_patterns_themselves_find_what_they_should(pattern: re.Pattern[str], bad: str, good: str) -> None:
    assert pattern.search(bad)
    assert not pattern.search(good)


def test_no_file_is_large() -> None:
    assert [_place(path) for path in _kept_files() if path.stat().st_size > LARGEST] == []


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in _kept_files()} - TOP_LEVEL == set()


def _requirement_files() -> list[str]:
    return sorted(place for place in _texts() if re.fullmatch(r"requirements/\w+\.txt", place))


def _pins(place: str) -> dict[str, str]:
    """Package → version of a requirements file."""
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", _texts()[place], flags=re.MULTILINE))


def test_requirement_files_are_pinned_with_hashes_and_name_no_address() -> None:
    for place in _requirement_files():
        requirements = re.split(r"\n(?=\S)", _texts()[place])
        pinned = [text for text in requirements if not text.startswith("#")]
        assert [text.split()[0] for text in pinned if "==" not in text or "--hash=sha256:" not in text] == []
        assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", _texts()[place])


def test_requirement_files_hold_every_dependency_in_one_version() -> None:
    project = tomllib.loads(_texts()["pyproject.toml"])["project"]
    wanted = {re.match(r"[\w.-]+", text).group().lower().replace(".", "-") for text in project["dependencies"]}
    tested = _pins("requirements/test.txt")
    for place in ("requirements/runtime.txt", "requirements/demo.txt", "requirements/test.txt"):
        pins = _pins(place)
        assert wanted - pins.keys() == set(), f"{place} is out of date: make lock"
        assert pins.items() <= tested.items(), f"{place} differs from requirements/test.txt: make lock"


def _reads_a_clock(node: ast.AST) -> bool:
    clocks = {"now", "utcnow", "today", "monotonic", "perf_counter"}
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks


def test_clinical_code_reads_no_clock() -> None:
    clinical = [module for module in package_modules() if module.layer == "clinical"]
    assert [
        f"{module.place}:{node.lineno}" for module in clinical for node in ast.walk(module.tree) if _reads_a_clock(node)
    ] == []


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def` on, its docstring left out."""
    docstring = function.body[0] if ast.get_docstring(function) else None
    described = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - described


def test_functions_are_short_or_say_why_not() -> None:
    long = {
        f"{module.place}::{function.name}": _code_lines(function)
        for module in package_modules()
        for function in functions(module)
        if _code_lines(function) > LONGEST_FUNCTION
    }
    assert {place: lines for place, lines in long.items() if place not in LONGER_FUNCTIONS} == {}
    assert LONGER_FUNCTIONS.keys() - long.keys() == set(), "these are short by now"
