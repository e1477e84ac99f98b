"""What every dialect is made of: the resources of a request, wherever they lie, and small FHIR building blocks."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
Rewrite = Callable[[Json, "Circumstances"], Json]

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
BASE = "https://ehr.example.org/api/FHIR/R4"
ORDERS = ("MedicationRequest", "MedicationAdministration", "MedicationStatement")


@dataclass(frozen=True)
class Circumstances:
    """When the request is made, how its client rolls its dice, and the prefetch queries that it may have used."""

    now: datetime
    dice: random.Random
    templates: dict[str, str]


def copied(document: Json) -> Json:
    """As sent over the wire: no two places share an object."""
    copy: Json = json.loads(json.dumps(document))
    return copy


def patient_id(request: Json) -> str:
    own: str = request["context"]["patientId"]
    return own


def bundles(request: Json) -> Iterator[tuple[str, Json]]:
    """The prefetch values that are Bundles, by key."""
    for key, value in request["prefetch"].items():
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            yield key, value


def entries(bundle: Json) -> list[Json]:
    found: list[Json] = bundle.setdefault("entry", [])
    return found


def holders(request: Json) -> Iterator[list[Json]]:
    """The entry lists of prefetch and of the draft orders."""
    for _, bundle in bundles(request):
        if bundle.get("entry"):
            yield bundle["entry"]
    if "draftOrders" in request["context"]:
        yield entries(request["context"]["draftOrders"])


def resources(request: Json, *types: str) -> Iterator[Json]:
    """Every resource of the types (all where none is named), drafts included; they may be changed in place."""
    for holder in holders(request):
        for entry in holder:
            if not types or entry["resource"]["resourceType"] in types:
                yield entry["resource"]
    for value in request["prefetch"].values():
        kind = value.get("resourceType", "Bundle") if isinstance(value, dict) else "Bundle"
        if kind != "Bundle" and (not types or kind in types):
            yield value


def searchset(*found: Json, self_url: str | None = None, next_url: str | None = None) -> Json:
    links = [{"relation": name, "url": url} for name, url in (("self", self_url), ("next", next_url)) if url]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if links:
        bundle["link"] = links
    if found:
        bundle["entry"] = [entry_of(resource) for resource in found]
    return bundle


def entry_of(resource: Json) -> Json:
    return {
        "fullUrl": f"{BASE}/{resource['resourceType']}/{resource.get('id', 'none')}",
        "resource": resource,
        "search": {"mode": "match"},
    }


def query_of(key: str, request: Json, circumstances: Circumstances) -> str:
    """The URL of the search behind one of our keys."""
    template = circumstances.templates[key]
    filled = template.replace("{{context.patientId}}", patient_id(request))
    return f"{BASE}/{filled.replace('{{context.encounterId}}', request['context'].get('encounterId', ''))}"


def ago(circumstances: Circumstances, **units: float) -> str:
    return (circumstances.now - timedelta(**units)).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
