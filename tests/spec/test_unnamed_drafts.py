"""A draft order whose drug cannot be read is no order for "a drug that no rule looks at": the answer says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.spec.charts import SUBJECT, drafts, prefetch
from tests.spec.requests import hook_request

Call = Callable[..., TestResponse]
LOCAL = {"medicationCodeableConcept": {"coding": [{"system": "urn:example:local", "code": "4711"}]}}
DANGLING = {"medicationReference": {"reference": "Medication/nowhere"}}


@pytest.mark.parametrize("medication", [LOCAL, DANGLING], ids=["local code", "dangling reference"])
def test_says_that_the_drug_of_a_draft_could_not_be_read(call: Call, medication: dict[str, Any]) -> None:
    draft = {"resourceType": "MedicationRequest", "id": "m1", "status": "draft", "intent": "order", "subject": SUBJECT}
    request = hook_request("order-sign", prefetch=prefetch(0.3), context={"draftOrders": drafts(draft | medication)})
    answer = call(request)
    assert answer.status_code == 200
    assert [card["source"]["topic"]["code"] for card in answer.json["cards"]] == ["couldNotEvaluate"]
    assert "drug of a draft order" in answer.json["cards"][0]["summary"]
