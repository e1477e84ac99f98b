"""Cell counts of which only the first page is known: danger on it is said, anything else is not reasoned on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.spec.charts import anc, prefetch, searchset
from tests.spec.requests import hook_request

Call = Callable[..., TestResponse]
NEXT = [{"relation": "next", "url": "https://ehr.example.org/fhir/Observation?page=2"}]


def first_page(*results: dict[str, Any]) -> dict[str, Any]:
    return hook_request(prefetch=prefetch(cellCounts=searchset(*results) | {"link": NEXT}))


def test_says_a_danger_that_is_on_hand_and_that_counts_are_incomplete(call: Call) -> None:
    answer = call(first_page(anc(0.3)))
    assert answer.status_code == 200
    topics = [card["source"]["topic"]["code"] for card in answer.json["cards"]]
    assert topics[0] == "ancSevere"
    assert "couldNotEvaluate" in topics


@pytest.mark.parametrize("results", [[anc(1.2)], [anc(4.0)], [anc(0.3, hours=24 * 40)], []])
def test_refuses_to_reason_on_any_other_first_page(call: Call, results: list[dict[str, Any]]) -> None:
    answer = call(first_page(*results))
    assert answer.status_code == 412
    assert "cellCounts" in answer.json["issue"][0]["diagnostics"]


def test_refuses_where_nothing_of_the_chart_is_known(call: Call) -> None:
    assert call(hook_request("order-sign")).status_code == 412
