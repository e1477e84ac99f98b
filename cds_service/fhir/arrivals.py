"""What came under one prefetch key, or from one FHIR read: nothing on file, resources, a first page, or a failure.

Knows Bundles and OperationOutcomes; what the resources are about is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from cds_service.fhir.json_access import Json, mapping, mappings, number, text

ERRORS = frozenset({"error", "fatal"})
DEEPEST = 4
"""Bundles inside Bundles (batch responses) are opened this far."""

ONLY_FIRST_PAGE = "only the first page was sent"
NOT_FHIR = "what was sent is not a FHIR resource"
BROKEN_ENTRY: Json = {"resourceType": "Broken"}
"""Stands for an entry that holds no readable resource, so that it is reported and not lost."""


class Sent(StrEnum):
    """How much of the answer to a query arrived."""

    EMPTY = "empty"
    FOUND = "found"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource and the URL its Bundle gives it. `included`: sent along, not a match of the search."""

    resource: Json
    full_url: str | None = None
    included: bool = False

    @property
    def type(self) -> str:
        return text(self.resource.get("resourceType")) or ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The answer to one query. `reason` is in words, without ids; `garbage`: it was no FHIR at all.

    `single`: a resource by itself, not the result of a search. `total`: how many a search says it found.
    """

    state: Sent
    entries: tuple[Entry, ...] = ()
    reason: str | None = None
    next_url: str | None = None
    self_url: str | None = None
    total: Decimal | None = None
    single: bool = False
    garbage: bool = False


def read_arrival(value: object) -> Arrival:
    """Classify a prefetch value or an answer's body. None means that there are no data (CDS Hooks 2.0, prefetch)."""
    return read_pages([value])


def read_pages(bodies: Sequence[object], failure: str | None = None) -> Arrival:
    """Classify all pages of one answer. `failure` says why pages are missing, where some are."""
    parts = [_read_body(body) for body in bodies]
    if not parts:
        return Arrival(Sent.FAILED, reason=failure or "no answer")
    whole = _joined(parts)
    reason = failure or whole.reason or _what_is_missing(whole)
    return whole if reason is None else _lacking(whole, reason)


def _lacking(whole: Arrival, reason: str) -> Arrival:
    return replace(whole, state=Sent.PARTIAL if whole.entries else Sent.FAILED, reason=reason)


def _joined(parts: Sequence[Arrival]) -> Arrival:
    """Several pages (or nested Bundles) as one answer; the links are those of the last and the first."""
    entries = tuple(entry for part in parts for entry in part.entries)
    first, last = parts[0], parts[-1]
    reason = next((part.reason for part in parts if part.reason), None)
    return replace(
        first,
        state=Sent.FOUND if entries else Sent.EMPTY,
        entries=entries,
        reason=reason,
        next_url=last.next_url,
        garbage=any(part.garbage for part in parts),
    )


def _what_is_missing(whole: Arrival) -> str | None:
    if whole.next_url:
        return ONLY_FIRST_PAGE
    matches = sum(not entry.included for entry in whole.entries)
    limited = "_count=" in (whole.self_url or "")  # then no more was asked for than came
    if whole.total is not None and whole.total > matches and not limited:
        return "fewer results were sent than were found"
    return None


def _read_body(value: object, depth: int = 0) -> Arrival:
    if value is None:
        return Arrival(Sent.EMPTY)
    body = mapping(value)
    if "resourceType" not in body and ("resource" in body or "response" in body):
        return _unwrapped(body, depth)
    kind = text(body.get("resourceType")) or ("Bundle" if isinstance(body.get("entry"), list) else None)
    if kind is None or depth > DEEPEST:
        return Arrival(Sent.FAILED, reason=NOT_FHIR, garbage=True)
    if kind == "Bundle":
        return _read_bundle(body, depth)
    if kind == "OperationOutcome":
        return Arrival(Sent.FAILED, reason="an OperationOutcome was sent instead of data")
    return Arrival(Sent.FOUND, (Entry(body),), single=True)


def _unwrapped(body: Json, depth: int) -> Arrival:
    """The pre-1.0 wrapper {"response": …, "resource": …}."""
    status = text(mapping(body.get("response")).get("status")) or "200"
    if body.get("resource") is None and not status.startswith("2"):
        return Arrival(Sent.FAILED, reason="the client could not read it")
    return _read_body(body.get("resource"), depth + 1)


def _read_bundle(bundle: Json, depth: int) -> Arrival:
    raw = bundle.get("entry") or []
    if not isinstance(raw, list | dict):
        return Arrival(Sent.FAILED, reason=NOT_FHIR, garbage=True)
    parts = [_read_entry(item, depth) for item in (raw if isinstance(raw, list) else [raw])]
    links = {text(link.get("relation")): text(link.get("url")) for link in mappings(bundle.get("link"))}
    return replace(
        _joined(parts) if parts else Arrival(Sent.EMPTY),
        next_url=links.get("next"),
        self_url=links.get("self"),
        total=number(bundle.get("total")) if not _holds_bundles(parts) else None,
        single=False,
    )


def inner_bundles(value: object) -> list[Json]:
    """The answers in a batch response: resources of its entries, where at least one of them is a Bundle."""
    body = mapping(value)
    found = [mapping(entry.get("resource")) for entry in mappings(body.get("entry"))]
    return found if any(text(one.get("resourceType")) == "Bundle" for one in found) else []


def _holds_bundles(parts: Iterable[Arrival]) -> bool:
    return any(part.total is not None or part.self_url for part in parts)


def _read_entry(raw: object, depth: int) -> Arrival:
    """What one Bundle entry adds: resources, nothing, or the news that something failed."""
    entry = mapping(raw)
    resource = mapping(entry.get("resource"))
    kind = text(resource.get("resourceType"))
    if kind == "OperationOutcome":
        return _outcome(resource)
    if kind == "Bundle":
        return _read_inner_bundle(resource, depth)
    if kind is None and not entry.get("resource") and "response" in entry:
        return Arrival(Sent.EMPTY)
    mode = text(mapping(entry.get("search")).get("mode"))
    return Arrival(
        Sent.FOUND, (Entry(resource if kind else BROKEN_ENTRY, text(entry.get("fullUrl")), mode == "include"),)
    )


def _read_inner_bundle(bundle: Json, depth: int) -> Arrival:
    inner = _read_body(bundle, depth + 1)
    reason = inner.reason or _what_is_missing(inner)
    return inner if reason is None else _lacking(inner, reason)


def _outcome(outcome: Json) -> Arrival:
    """Only an error makes results unknown; Epic says "no results" as a warning."""
    severities = {text(issue.get("severity")) for issue in mappings(outcome.get("issue"))}
    if severities & ERRORS:
        return Arrival(Sent.FAILED, reason="the server reported an error")
    return Arrival(Sent.EMPTY)
