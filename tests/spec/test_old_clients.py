"""M. What clients of CDS Hooks 1.0 send, and what they can do with the answer."""

from __future__ import annotations

from tests.spec.charts import prefetch
from tests.spec.requests import hook_request


def test_a_call_of_1_0_is_answered(call):
    """M. fhirServer plain and optional, no userId type rules, no 2.0 members: the same cards."""
    body = hook_request(prefetch=prefetch(0.3), fhirServer="https://ehr.example.org/fhir/")
    body["context"]["userId"] = "u1"
    response = call(body)
    assert response.status_code == 200
    assert response.json["cards"]


def test_the_answer_needs_nothing_of_2_0_to_be_understood(cards):
    """M. summary, indicator, source.label and detail say it all; what 1.0 lacks comes as extra members only."""
    for card in cards:
        assert {"summary", "indicator", "source", "detail"} <= set(card)
        assert set(card) - {"summary", "indicator", "source", "detail", "suggestions", "links"} <= {
            "uuid",
            "overrideReasons",
            "selectionBehavior",
            "extension",
        }
