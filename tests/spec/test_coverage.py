"""Every numbered duty of sections A to H, and M, has a test or a reason why it has none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
NUMBER = re.compile(r"\b([A-M]\d{1,2}|M)\b")
SECTIONS = {
    "A": range(1, 6),
    "B": range(6, 14),
    "C": range(14, 22),
    "D": range(22, 29),
    "E": range(29, 35),
    "F": range(35, 39),
    "G": range(39, 48),
    "H": range(48, 53),
}
DUTIES = {f"{section}{number}" for section, numbers in SECTIONS.items() for number in numbers} | {"M"}
NOT_APPLICABLE = {
    "B9": "hookVersion is optional and tells several versions of one hook apart; there is one of each here.",
    "F38": "It says which parts of 3.0 are on trial; nothing follows for a service.",
    "G46": "A time to answer is measured by the benchmarks, not by a test.",
}


def duties_named(path: Path) -> set[str]:
    """The numbers at the beginning of the docstrings of a module's tests."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found |= set(NUMBER.findall((ast.get_docstring(node) or "").partition(".")[0]))
    return found


def test_no_duty_is_forgotten():
    covered = set().union(*(duties_named(path) for path in HERE.glob("test_*.py")))
    assert covered | set(NOT_APPLICABLE) >= DUTIES, sorted(DUTIES - covered - set(NOT_APPLICABLE))
    assert covered <= DUTIES | {"J65", "J66", "J67"}, sorted(covered - DUTIES)
    assert not covered & set(NOT_APPLICABLE)
