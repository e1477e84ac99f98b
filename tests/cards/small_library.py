"""A card library of one rule, on the shipped tables, whose files a test can spoil."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from cds_service.card_files.lint import lint
from cds_service.card_files.version_lock import LOCK_FILE, write_lock
from tests.places import ROOT

SHIPPED = ROOT / "cards"
RULE = "low-count"
Json = dict[str, Any]

GOOD_RULE: Json = {
    "id": RULE,
    "version": "1.0.0",
    "status": "active",
    "title": "Low count",
    "statements": ["S1"],
    "hooks": ["patient-view"],
    "logic": "Fires when the current neutrophil count is below one; critical with fever.",
    "limits": {"moderate_below": {"shared": "moderate_below"}},
    "when": "anc_current && anc < limits.moderate_below",
    "levels": [{"indicator": "critical", "when": "hot"}, {"indicator": "warning"}],
    "place": "own",
    "summary": [{"text": "ANC {anc} ({anc.age})"}],
    "detail": [{"text": "Below {limits.moderate_below}."}],
    "line": [{"text": "ANC {anc}"}],
    "suggestions": [{"kind": "repeat-cbc-diff", "label": "Repeat in {due}", "due_days": 7}],
    "override_reasons": ["will-monitor"],
    "sources": ["F1"],
    "changes": [{"version": "1.0.0", "date": "2026-11-22", "text": "First version"}],
}


def count(value: float, **more: Any) -> Json:
    """A neutrophil count of yesterday."""
    return {"analyte": "ANC", "value": value, "unit": "10*9/L", "days_ago": 1} | more


GOOD_CASES: list[Json] = [
    {
        "name": "low",
        "input": {"labs": [count(0.9)]},
        "expect": {"outcome": "fired", "indicator": "warning", "suggestions": ["repeat-cbc-diff"]},
    },
    {
        "name": "low with fever",
        "input": {"labs": [count(0.9)], "temps": [{"value": 39, "hours_ago": 1}]},
        "expect": {"outcome": "fired", "indicator": "critical"},
    },
    {"name": "at the limit", "input": {"labs": [count(1.0)]}, "expect": {"outcome": "not-fired"}},
    {"name": "old", "input": {"labs": [count(0.9, days_ago=29)]}, "expect": {"outcome": "not-fired"}},
    {"name": "unavailable", "input": {"unavailable": ["cellCounts"]}, "expect": {"outcome": "unknown"}},
]


class SmallLibrary:
    """Files in a temporary folder. YAML is written as JSON, which is YAML too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "rules" / "area").mkdir(parents=True)
        for name in (
            "schema.json",
            "shared.yaml",
            "override_reasons.yaml",
            "sources.yaml",
            "services.yaml",
            "drugs.csv",
            "interactions.csv",
        ):
            (root / name).write_bytes((SHIPPED / name).read_bytes())
        (root / "presentation.yaml").write_bytes((SHIPPED / "presentation.yaml").read_bytes())
        (root / "codes").symlink_to(SHIPPED / "codes")
        self.write()

    def path(self, rule_id: str = RULE, ending: str = ".yaml") -> Path:
        return self.root / "rules" / "area" / f"{rule_id}{ending}"

    def write(self, rule_id: str = RULE, **changes: Any) -> None:
        """Write a rule with some fields changed; None leaves a field out."""
        content = {**copy.deepcopy(GOOD_RULE), "id": rule_id, **changes}
        kept = {name: value for name, value in content.items() if value is not None}
        self.path(rule_id).write_text(json.dumps(kept, indent=1), "utf-8")
        self.write_cases(rule_id)

    def write_cases(self, rule_id: str = RULE, cases: list[Json] | None = None) -> None:
        content = {"rule": rule_id, "cases": GOOD_CASES if cases is None else cases}
        self.path(rule_id, ".cases.yaml").write_text(json.dumps(content, indent=1), "utf-8")

    def lock(self) -> None:
        (self.root / LOCK_FILE).unlink(missing_ok=True)
        write_lock(self.root)

    def faults(self) -> list[str]:
        """What lint says of the present files, freshly locked."""
        self.lock()
        return [fault.problem for fault in lint(self.root)]
