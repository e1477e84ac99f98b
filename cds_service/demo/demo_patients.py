"""The demo patients: each file of patients/ is one story; here it becomes a FHIR chart and an order to sign."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cds_service.demo.chart_writing import ChartWriter
from cds_service.demo.codes import Json
from cds_service.demo.errors import DemoError

STORIES_DIR = Path(__file__).with_name("patients")


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One synthetic patient. `resources` is the chart; `draft_order` is being written and not in the chart yet."""

    id: str
    name: str
    story: str
    resources: Sequence[Json] = field(repr=False)
    draft_order: Json | None = field(repr=False, default=None)

    @property
    def draft_order_bundle(self) -> Json | None:
        """`context.draftOrders` of the order hooks, None where this patient has no order being written."""
        if self.draft_order is None:
            return None
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": self.draft_order}]}

    @property
    def selections(self) -> list[str]:
        """`context.selections` of order-select: the draft."""
        draft = self.draft_order
        return [] if draft is None else [f"{draft['resourceType']}/{draft['id']}"]

    @property
    def encounter_id(self) -> str:
        """The visit during which the hooks fire."""
        return str(next(r["id"] for r in self.resources if r["resourceType"] == "Encounter"))


def load_patients(now: datetime, stories_dir: Path = STORIES_DIR) -> list[DemoPatient]:
    """Read all stories, in the order of their file names, dated relative to `now`. Raises: DemoError."""
    return [load_patient(path, now) for path in sorted(stories_dir.glob("*.json"))]


def load_patient(path: Path, now: datetime) -> DemoPatient:
    """Read one story. Raises: DemoError naming the file and what is wrong with it."""
    try:
        return write_patient(json.loads(path.read_text("utf-8")), now)
    except (ValueError, KeyError, TypeError, DemoError) as error:
        problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DemoError(f"Demo patient {path.name}: {problem}") from error


def write_patient(story: Mapping[str, Any], now: datetime) -> DemoPatient:
    """The patient of one story."""
    writer = ChartWriter(story, now.astimezone(UTC))
    resources = tuple(writer.write())
    return DemoPatient(story["id"], story["name"], story["story"], resources, writer.draft())
