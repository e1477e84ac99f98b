"""E31. Whatever is sent, the answer is cards or a clean 4xx: 500 would be ours."""

from __future__ import annotations

import copy

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.spec.charts import CARBOPLATIN, CLOZAPINE, drafts, prefetch, searchset
from tests.spec.invariants import check_cards, check_outcome
from tests.spec.requests import HOOKS, hook_request

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "entry", "resource", "code", "coding", "value", "reference", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
WHOLE = {
    "patient-view": hook_request(prefetch=prefetch(0.8, medicationRequests=searchset(CLOZAPINE))),
    "order-sign": hook_request("order-sign", prefetch=prefetch(0.8), context={"draftOrders": drafts(CARBOPLATIN)}),
}


def places(document, path=()):
    """The paths of all members and items of a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def with_junk(document, path, junk):
    bent = copy.deepcopy(document)
    parent = bent
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = junk
    return bent


def check_clean(response):
    assert response.status_code in {200, 400, 412}, response.text
    if response.status_code == 200:
        check_cards(response.json)
    else:
        check_outcome(response.json)


@pytest.mark.parametrize("hook", sorted(WHOLE))
@given(data=st.data())
@settings(max_examples=150)
def test_junk_anywhere_in_a_call_does_no_harm(client, hook, data):
    """E31. One member of a good call is replaced by something else."""
    path = data.draw(st.sampled_from(list(places(WHOLE[hook]))))
    bent = with_junk(WHOLE[hook], path, data.draw(JUNK))
    check_clean(client.post(f"/cds-services/leukopenia-{hook}", json=bent))


@pytest.mark.parametrize("hook", HOOKS)
@given(chart=st.dictionaries(st.text(max_size=8), JUNK, max_size=4), junk=JUNK)
@settings(max_examples=40)
def test_junk_instead_of_a_chart_does_no_harm(client, hook, chart, junk):
    """E31. Prefetch and drafts are anything at all."""
    context = {"draftOrders": junk, "selections": ["x"]} if hook.startswith("order") else {}
    check_clean(
        client.post(f"/cds-services/leukopenia-{hook}", json=hook_request(hook, prefetch=chart, context=context))
    )


@given(entry=JUNK)
@settings(max_examples=60)
def test_junk_instead_of_feedback_does_no_harm(client, entry):
    """H50. An entry that is anything at all is refused, not stumbled over."""
    response = client.post("/cds-services/leukopenia-patient-view/feedback", json={"feedback": [entry]})
    assert response.status_code == 400
    check_outcome(response.json)


@pytest.fixture(scope="module")
def described(client):
    return schemathesis.openapi.from_wsgi("/openapi.json", client.application)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", "/cds-services/{id}"),
        ("POST", "/cds-services/{id}/feedback"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/guidelines"),
    ],
)
def test_keeps_to_its_own_description(described, method, path):
    """E31. Every status, media type and body is one that /openapi.json announces."""

    @given(case=described[path][method].as_strategy())
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    def keeps(case):
        # A call may keep to the schema and still name another hook or lack the data that are needed.
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if path.endswith("{id}") else [])

    keeps()
