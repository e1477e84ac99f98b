"""Requests and feedback of real clients, read from the given material: cards or a clean 4xx, and never silence."""

from __future__ import annotations

import re

import orjson
import pytest

from tests.places import SHARED_DIR
from tests.spec.invariants import check_cards, check_not_silent, check_outcome
from tests.spec.requests import HOOKS
from tests.spec.test_coverage import SECTIONS

REQUESTS = sorted((SHARED_DIR / "payloads" / "requests").glob("*.json"))
FEEDBACK = sorted((SHARED_DIR / "payloads" / "feedback").glob("*.json"))
CLEAN = {400, 412}


def service_for(body) -> str:
    """The service of the hook; other hooks go to one that is not registered for them."""
    hook = str(body.get("hook")).rpartition("/")[2]
    return f"leukopenia-{hook if hook in HOOKS else 'patient-view'}"


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_answers_real_requests(explaining, path):
    content = path.read_bytes()
    body = orjson.loads(content)
    response = explaining.post(f"/cds-services/{service_for(body)}", data=content, content_type="application/json")
    assert response.status_code in {200} | CLEAN
    if response.status_code == 200:
        check_cards(response.json)
        check_not_silent(response.json)
    else:
        check_outcome(response.json)
    patient = (body.get("context") or {}).get("patientId")
    assert not patient or response.status_code == 200 or patient not in response.text


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("hook", HOOKS)
def test_no_request_breaks_any_service(client, path, hook):
    body = orjson.loads(path.read_bytes()) | {"hook": hook, "hookInstance": "x"}
    response = client.post(f"/cds-services/leukopenia-{hook}", json=body)
    assert response.status_code in {200} | CLEAN


@pytest.mark.parametrize("path", FEEDBACK, ids=lambda path: path.stem)
def test_takes_real_feedback(client, path):
    response = client.post(
        "/cds-services/leukopenia-order-sign/feedback", data=path.read_bytes(), content_type="application/json"
    )
    assert response.status_code == 200


def test_the_numbers_of_the_duties_are_those_of_the_given_list():
    text = (SHARED_DIR / "spec" / "cds-hooks-conformance.md").read_text("utf-8")
    for section, numbers in SECTIONS.items():
        part = re.search(rf"^## {section}\..*?(?=^## )", text, re.DOTALL | re.MULTILINE)[0]
        assert [int(number) for number in re.findall(r"^(\d+)\. ", part, re.MULTILINE)] == list(numbers)
