"""The demo patients as whole requests, and the whole answers that are kept beside them in fixtures/.

`python -m tests.spec.golden` writes them anew; read the difference as a clinician before it is committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service.app import evaluate_offline
from cds_service.client import build_request
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.demo.tour import hook_context
from cds_service.settings import Settings
from tests.places import ROOT

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
REQUESTS = ROOT / "fixtures" / "requests"
RESPONSES = ROOT / "fixtures" / "responses"
KEYS = {
    "Patient": "patient",
    "Condition": "conditions",
    "MedicationRequest": "medicationRequests",
    "MedicationAdministration": "medicationAdministrations",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
    "AllergyIntolerance": "allergies",
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
Json = dict[str, Any]


def golden_requests() -> Iterator[tuple[str, Json]]:
    """Each demo patient on each hook that has something to say of it."""
    for patient in load_patients(NOW):
        hooks = ["patient-view"] + (["order-select", "order-sign"] if patient.draft_order else [])
        for hook in hooks:
            instance = "00000000-0000-4000-8000-000000000000"
            request = build_request(
                hook, hook_context(hook, patient), prefetch=_prefetch(patient), hook_instance=instance
            )
            yield f"{patient.id}-{hook}", request


def _prefetch(patient: DemoPatient) -> Json:
    found: dict[str, list[Json]] = {key: [] for key in KEYS.values() if key != "patient"}
    found |= {"cellCounts": [], "labResults": [], "vitalSigns": []}
    single: Json = {}
    for resource in patient.resources:
        key = _key(resource)
        if key == "patient":
            single["patient"] = resource
        elif key:
            found[key].append(resource)
    return single | {key: _searchset(resources) for key, resources in found.items()}


def _key(resource: Json) -> str | None:
    if resource["resourceType"] != "Observation":
        return KEYS.get(resource["resourceType"])
    categories = [coding["code"] for category in resource.get("category", []) for coding in category.get("coding", [])]
    return "vitalSigns" if "vital-signs" in categories else "cellCounts"


def _searchset(resources: list[Json]) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries)} | (
        {"entry": entries} if entries else {}
    )


def answer(request: Json) -> Json:
    """The whole answer as of NOW, with every verdict; UUIDs are numbered in the order they appear."""
    settings = Settings.load({}, auth="off", explain=True)
    text = orjson.dumps(evaluate_offline(settings, orjson.dumps(request), NOW)).decode()
    seen: dict[str, str] = {}
    numbered = UUID.sub(lambda match: seen.setdefault(match[0], f"uuid-{len(seen) + 1}"), text)
    document: Json = json.loads(numbered)
    return document


def read(folder: Path, name: str) -> Json:
    document: Json = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return document


def main() -> None:
    """Write requests and responses anew."""
    for folder in (REQUESTS, RESPONSES):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink()
    for name, request in golden_requests():
        for folder, document in ((REQUESTS, request), (RESPONSES, answer(request))):
            (folder / f"{name}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
