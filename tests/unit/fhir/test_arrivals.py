"""What came under one prefetch key: the states of the protocol and the bends of real clients."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.arrivals import ONLY_FIRST_PAGE, Sent, read_arrival, read_pages
from tests.unit.fhir.samples import PATIENT, bundle, count, outcome

OUTCOME_ENTRY = {"search": {"mode": "outcome"}}


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, Sent.EMPTY),
        (bundle(total=0), Sent.EMPTY),
        (bundle(entry=[], total=0), Sent.EMPTY),
        (bundle(), Sent.EMPTY),
        (bundle(count()), Sent.FOUND),
        (PATIENT, Sent.FOUND),
        (bundle(entry=[OUTCOME_ENTRY | {"resource": outcome("warning")}], total=0), Sent.EMPTY),
        (bundle(entry=[OUTCOME_ENTRY | {"resource": outcome("information")}]), Sent.EMPTY),
        (bundle(entry=[OUTCOME_ENTRY | {"resource": outcome("error")}]), Sent.FAILED),
        (bundle(count(), outcome("fatal")), Sent.PARTIAL),
        (bundle(count(), outcome("warning")), Sent.FOUND),
        (outcome("error"), Sent.FAILED),
        (outcome("warning"), Sent.FAILED),
        (bundle(count(), next_url="https://x/next"), Sent.PARTIAL),
        (bundle(next_url="https://x/next"), Sent.FAILED),
        (bundle(count(), total=2), Sent.PARTIAL),
        (bundle(count(), total=2, self_url="https://x/Observation?_count=1"), Sent.FOUND),
        (bundle(count("a"), count("b"), total=1), Sent.FOUND),
        ({"entry": [{"resource": count()}]}, Sent.FOUND),
        (bundle(entry={"resource": count()}), Sent.FOUND),
        ({"response": {"status": "200 OK"}, "resource": bundle(count())}, Sent.FOUND),
        ({"resource": PATIENT}, Sent.FOUND),
        ({"response": {"status": "200 OK"}, "resource": None}, Sent.EMPTY),
        ({"response": {"status": "500"}}, Sent.FAILED),
        (bundle(bundle(count(), total=1), type="batch-response"), Sent.FOUND),
        (bundle(bundle(total=0), type="batch-response"), Sent.EMPTY),
        (bundle(bundle(count("a"), total=1), bundle(count("b"), next_url="https://x/n")), Sent.PARTIAL),
    ],
)
def test_tells_what_was_sent(value: Any, state: Sent) -> None:
    assert read_arrival(value).state is state


@pytest.mark.parametrize("value", ["<html>", 7, True, [], [PATIENT], {}, {"a": 1}, bundle(entry="none")])
def test_reports_as_garbage_what_is_no_fhir(value: Any) -> None:
    arrival = read_arrival(value)
    assert (arrival.state, arrival.garbage) == (Sent.FAILED, True)


def test_names_a_first_page_as_such_and_keeps_its_resources() -> None:
    arrival = read_arrival(bundle(count(), next_url="https://x/next"))
    assert arrival.reason == ONLY_FIRST_PAGE
    assert [entry.type for entry in arrival.entries] == ["Observation"]


def test_joins_pages_and_counts_their_matches_together() -> None:
    first = bundle(count("a"), next_url="https://x/next", total=2)
    assert read_pages([first, bundle(count("b"), total=2)]).state is Sent.FOUND


def test_keeps_earlier_pages_when_a_later_one_failed() -> None:
    arrival = read_pages([bundle(count("a"), next_url="https://x/next")], "no answer in time")
    assert (arrival.state, arrival.reason, len(arrival.entries)) == (Sent.PARTIAL, "no answer in time", 1)


def test_does_not_count_included_resources_as_matches() -> None:
    included = {"resource": {"resourceType": "Medication", "id": "x"}, "search": {"mode": "include"}}
    assert read_arrival(bundle(entry=[included], total=1)).state is Sent.PARTIAL


def test_opens_nested_bundles_only_so_far() -> None:
    nested: Any = bundle(count())
    for _ in range(50):
        nested = bundle(nested)
    assert read_arrival(nested).garbage
