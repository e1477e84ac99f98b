"""H. Feedback."""

from __future__ import annotations

import json
import uuid

import pytest

from cds_service.app import open_store, read_feedback_report
from cds_service.settings import Settings
from tests.spec.invariants import check_outcome
from tests.spec.requests import HOOKS

AT = "2026-11-22T14:45:50.792Z"


def send(client, *entries, service="leukopenia-patient-view"):
    return client.post(f"/cds-services/{service}/feedback", json={"feedback": list(entries)})


def overridden(card, **members):
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": AT} | members


@pytest.fixture
def site(make_real_client, tmp_path):
    """A service of its own, a shown card of it, and the report of its database."""
    url = f"sqlite:///{tmp_path / 'cds.sqlite3'}"
    settings = Settings(auth="off", data_dir=tmp_path, database_url=url)
    open_store(settings).close()
    return make_real_client(data_dir=tmp_path, database_url=url), lambda: read_feedback_report(settings)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_service_takes_feedback(client, hook):
    """H48. The route is there for every service: clients just post to it."""
    assert send(client, overridden(str(uuid.uuid4())), service=f"leukopenia-{hook}").status_code == 200


def test_takes_every_kind_of_entry(client):
    """H49. Accepted with suggestions, overridden with a reason without display, with a comment, and with nothing."""
    card = str(uuid.uuid4())
    response = send(
        client,
        {
            "card": card,
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": str(uuid.uuid4())}],
            "outcomeTimestamp": AT,
        },
        overridden(card, overrideReason={"reason": {"code": "r1", "system": "http://x"}}),
        overridden(card, overrideReason={"userComment": "seen"}),
        overridden(card),
    )
    assert response.status_code == 200


def test_takes_the_other_spelling(client):
    """H49. Epic sends overrideReasons, and an extension in place of the reason."""
    extension = {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "7"}
    for reason in ({"reason": {"code": "r1", "system": "x"}}, {"extension": extension, "userComment": "no"}):
        assert send(client, overridden(str(uuid.uuid4()), overrideReasons=reason)).status_code == 200


def test_unknown_cards_are_no_error(client):
    """H50. 200 with {} also for a card that is no longer known, or never was."""
    response = send(client, overridden("11111111-1111-4111-8111-111111111111"), overridden("no-uuid"))
    assert (response.status_code, response.json) == (200, {})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"feedback": "x"},
        {"feedback": [{}]},
        {"feedback": [{"card": "c", "outcome": "ignored", "outcomeTimestamp": AT}]},
    ],
)
def test_what_is_malformed_is_a_400(client, body):
    """H50. Malformed: 400 with an OperationOutcome, never 500."""
    response = client.post("/cds-services/leukopenia-patient-view/feedback", json=body)
    assert response.status_code == 400
    check_outcome(response.json)


def test_feedback_is_joined_to_its_rule_once(site, situations):
    """H50. A repeat is kept once; the report counts the card for the rules that it spoke for."""
    client, report = site
    shown = client.post("/cds-services/leukopenia-patient-view", json=situations["mild"]).json["cards"][0]
    entry = overridden(shown["uuid"], overrideReason={"reason": {"code": "expected-nadir", "system": "urn:x"}})
    for _ in range(3):
        assert send(client, entry).status_code == 200
    rules = {row["rule"]: row for row in report()["rules"]}
    for rule in shown["extension"]["org.leukopenia-cds.rules"]:
        row = rules[rule["id"]]
        assert (row["shown"], row["overridden"], row["unanswered"]) == (1, 1, 0)
        assert row["overrideReasons"] == {"expected-nadir": 1}


def test_comments_are_free_text_and_not_shown(client, caplog):
    """H51. userComment may name the patient: it is in no log line and in no answer."""
    with caplog.at_level("DEBUG", logger="cds_service"):
        response = send(client, overridden("c1", overrideReason={"userComment": "Mrs Smith declined"}), {"card": "x"})
    assert response.status_code == 400
    assert "Smith" not in response.text + caplog.text


def test_uuids_are_such_that_clients_can_send_them_back(answers):
    """H52. Cards and suggestions have RFC 4122 UUIDs, not slugs."""
    text = json.dumps(answers)
    for body in answers.values():
        for card in body["cards"]:
            for each in (card, *card.get("suggestions", [])):
                assert str(uuid.UUID(each["uuid"])) == each["uuid"]
                assert text.count(f'"uuid": "{each["uuid"]}"') == 1
