"""Dialects of prefetch: other keys, everything in one Bundle, other ways to say "nothing", copies and old versions."""

from __future__ import annotations

from tests.spec.dialect_tools import (
    BASE,
    Circumstances,
    Json,
    Rewrite,
    bundles,
    copied,
    entries,
    entry_of,
    query_of,
    resources,
    searchset,
)  # fmt: skip

NO_RESULTS: Json = {
    "fullUrl": f"{BASE}/OperationOutcome/none",
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "not-found", "diagnostics": "Resource request returns no results."}],
    },
    "search": {"mode": "outcome"},
}
OBSERVATION_KEYS = ("cellCounts", "labResults", "vitalSigns")


def _is_empty(value: object) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "Bundle" and not value.get("entry")


def without_empty_keys(request: Json, circumstances: Circumstances) -> Json:
    """The same request by a client that leaves out what it found nothing for: then nothing is known of it."""
    request["prefetch"] = {_told(key, v): v for key, v in request["prefetch"].items() if not _is_empty(v)}
    return request


def without_empty_observations(request: Json, circumstances: Circumstances) -> Json:
    found = request["prefetch"]
    request["prefetch"] = {_told(k, v): v for k, v in found.items() if k not in OBSERVATION_KEYS or not _is_empty(v)}
    return request


DECISIVE = {"cellCounts": {"751-8", "6690-2", "770-8", "769-0"}, "vitalSigns": {"8310-5"}}
"""What results must hold for a Bundle that names no search to count as all counts, or all vital signs."""


def _told(key: str, value: Json) -> str:
    """The key, or a foreign one where the results under it do not tell by themselves that they are all of it."""
    codes = {c["code"] for e in value.get("entry", []) for c in e["resource"].get("code", {}).get("coding", [])}
    return key if key not in DECISIVE or codes & DECISIVE[key] else f"some-{key}"


def linked(request: Json, circumstances: Circumstances) -> Json:
    """Each Bundle names the search that it answers."""
    for key, bundle in bundles(request):
        bundle["link"] = [{"relation": "self", "url": query_of(key, request, circumstances)}]
    return request


def numbered_keys(request: Json, circumstances: Circumstances) -> Json:
    """item1, item2, ... in any order; what is empty is known by its link."""
    linked(request, circumstances)
    values = list(request["prefetch"].values())
    circumstances.dice.shuffle(values)
    request["prefetch"] = {f"item{number}": value for number, value in enumerate(values, 1)}
    return request


def epic_keys(request: Json, circumstances: Circumstances) -> Json:
    """Keys of the site's making; no result is said by a warning; relative search parameters are spelled out."""
    linked(request, circumstances)
    for _, bundle in bundles(request):
        if not entries(bundle):
            bundle["entry"] = [copied(NO_RESULTS)]
    names = {key: f"-{key.lower()}-user" for key in request["prefetch"]}
    request["prefetch"] = {names[key]: value for key, value in request["prefetch"].items()}
    return request


def empty_as_null(request: Json, circumstances: Circumstances) -> Json:
    found = request["prefetch"]
    request["prefetch"] = {key: None if _is_empty(value) else value for key, value in found.items()}
    return request


def empty_as_outcome(request: Json, circumstances: Circumstances) -> Json:
    for _, bundle in bundles(request):
        if not entries(bundle):
            bundle["entry"] = [copied(NO_RESULTS)]
    return request


def bare_bundles(request: Json, circumstances: Circumstances) -> Json:
    """Bundles without total, type, fullUrl and search mode."""
    for _, bundle in bundles(request):
        bundle.pop("total", None)
        bundle.pop("type", None)
        for entry in bundle.get("entry", []):
            entry.pop("fullUrl", None)
            entry.pop("search", None)
    return request


def one_flat_bundle(request: Json, circumstances: Circumstances) -> Json:
    """Everything in one Bundle under one key: what it does not hold, it does not tell of."""
    everything = [request["prefetch"].pop("patient"), *resources({**request, "context": {}})]
    circumstances.dice.shuffle(everything)
    request["prefetch"] = {"everything": {"resourceType": "Bundle", "type": "collection", "entry": [
        entry_of(resource) for resource in everything
    ]}}  # fmt: skip
    return request


def one_batch_response(request: Json, circumstances: Circumstances) -> Json:
    """One key with a batch response: one Bundle inside for each search."""
    linked(request, circumstances)
    inner = [{"response": {"status": "200 OK"}, "resource": value} for value in request["prefetch"].values()]
    request["prefetch"] = {"data": {"resourceType": "Bundle", "type": "batch-response", "entry": inner}}
    return request


def _observations(request: Json) -> list[Json]:
    values = [request["prefetch"].pop(key) for key in OBSERVATION_KEYS]
    return [entry["resource"] for value in values for entry in value.get("entry", [])]


def mixed_observations(request: Json, circumstances: Circumstances) -> Json:
    """Vital signs and laboratory in one Bundle without a link."""
    found = _observations(request)
    circumstances.dice.shuffle(found)
    if found:
        request["prefetch"]["observations"] = searchset(*found)
    return request


def mixed_observations_linked(request: Json, circumstances: Circumstances) -> Json:
    """As one search for both categories."""
    found = _observations(request)
    circumstances.dice.shuffle(found)
    own = request["context"]["patientId"]
    url = f"{BASE}/Observation?subject=Patient/{own}&category=laboratory,vital-signs"
    request["prefetch"]["labsAndVitals"] = searchset(*found, self_url=url)
    return request


def patient_elsewhere(request: Json, circumstances: Circumstances) -> Json:
    """The Patient as the result of a search, under a key of its own."""
    patient = request["prefetch"].pop("patient")
    request["prefetch"]["demographics"] = searchset(patient, self_url=f"{BASE}/Patient?_id={patient['id']}")
    return request


def wrapped(request: Json, circumstances: Circumstances) -> Json:
    """The wrapper of before CDS Hooks 1.0."""
    found = request["prefetch"]
    request["prefetch"] = {k: {"response": {"status": "200 OK"}, "resource": v} for k, v in found.items()}
    return request


def copies_and_old_versions(request: Json, circumstances: Circumstances) -> Json:
    """Every resource also under another key, and an older version of each count with another value."""
    again: list[Json] = []
    for key, bundle in bundles(request):
        for resource in (entry["resource"] for entry in bundle.get("entry", [])):
            resource["meta"] = {"versionId": "10", "lastUpdated": "2026-11-20T09:00:00Z"}
            again.append(copied(resource))
            if key == "cellCounts" and "valueQuantity" in resource:
                old = copied(resource) | {"meta": {"versionId": "9", "lastUpdated": "2026-11-19T09:00:00Z"}}
                old["valueQuantity"]["value"] = circumstances.dice.choice([0, 0.01, 99])
                again.append(old)
    circumstances.dice.shuffle(again)
    first = {"again": {"resourceType": "Bundle", "type": "collection", "entry": [entry_of(r) for r in again]}}
    request["prefetch"] = (
        first | request["prefetch"] if circumstances.dice.random() < 0.5 else request["prefetch"] | first
    )
    return request


def first_page_only(key: str, *, empty: bool = False) -> Rewrite:
    """A `next` that cannot be followed: the key is not completely known; `empty`: nothing of it is."""

    def rewrite(request: Json, circumstances: Circumstances) -> Json:
        page = request["prefetch"][key]
        page["link"] = [{"relation": "next", "url": f"{BASE}?_getpages=1"}]
        if empty:
            page.pop("entry", None)
        return request

    return rewrite


def without_key(key: str) -> Rewrite:
    def rewrite(request: Json, circumstances: Circumstances) -> Json:
        del request["prefetch"][key]
        return request

    return rewrite
