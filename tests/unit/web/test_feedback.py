"""Feedback in every spelling, and batches with garbage in them."""

from __future__ import annotations

import pytest

from cds_service.errors import InvalidHookRequest
from cds_service.web.feedback import EPIC_REASON, read_feedback

OVERRIDDEN = {"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T14:45:50.792Z"}
ACCEPTED = OVERRIDDEN | {"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}]}


def read_one(entry):
    batch = read_feedback({"feedback": [entry]})
    assert batch.faults == ()
    return batch.entries[0]


def test_reads_an_acceptance():
    entry = read_one(ACCEPTED)
    assert (entry.card, entry.outcome, entry.timestamp) == ("c1", "accepted", "2026-11-22T14:45:50.792Z")
    assert entry.accepted_suggestions == ("s1", "s2")


def test_reads_an_override_without_a_reason():
    entry = read_one(OVERRIDDEN)
    assert (entry.reason_code, entry.reason_system, entry.user_comment) == (None, None, None)


@pytest.mark.parametrize(
    "spelling",
    [
        {"overrideReason": {"reason": {"code": "r1", "system": "urn:x"}, "userComment": "seen"}},
        {"overrideReasons": {"reason": {"code": "r1", "system": "urn:x", "display": "R"}, "userComment": "seen"}},
        {
            "overrideReasons": [
                {"reason": {"code": "r1", "system": "urn:x"}, "userComment": "seen"},
                {"userComment": "b"},
            ]
        },
        {
            "overrideReason": None,
            "overrideReasons": {"reason": {"code": "r1", "system": "urn:x"}, "userComment": "seen"},
        },
    ],
)
def test_reads_a_reason_in_every_spelling(spelling):
    entry = read_one(OVERRIDDEN | spelling)
    assert (entry.reason_code, entry.reason_system, entry.user_comment) == ("r1", "urn:x", "seen")
    assert "seen" not in repr(entry)


def test_reads_the_reason_that_epic_sends_as_an_extension():
    extension = {f"{EPIC_REASON}.reasonCategory": "7", f"{EPIC_REASON}.reasonTitle": "Patient declined"}
    entry = read_one(OVERRIDDEN | {"overrideReasons": {"extension": extension, "userComment": "no"}})
    assert (entry.reason_code, entry.reason_system) == ("7", f"{EPIC_REASON}.reasonCategory")


def test_an_unknown_extension_gives_no_reason():
    assert read_one(OVERRIDDEN | {"overrideReasons": {"extension": {"x": "y"}}}).reason_code is None


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("garbage", "feedback[1]"),
        (None, "feedback[1]"),
        ({}, "feedback[1].card"),
        (OVERRIDDEN | {"card": ""}, "feedback[1].card"),
        (OVERRIDDEN | {"outcome": "ignored"}, "feedback[1].outcome"),
        (OVERRIDDEN | {"outcomeTimestamp": "yesterday"}, "feedback[1].outcomeTimestamp"),
        ({k: v for k, v in OVERRIDDEN.items() if k != "outcomeTimestamp"}, "feedback[1].outcomeTimestamp"),
        (OVERRIDDEN | {"outcome": "accepted"}, "feedback[1].acceptedSuggestions"),
        (ACCEPTED | {"acceptedSuggestions": []}, "feedback[1].acceptedSuggestions"),
        (ACCEPTED | {"acceptedSuggestions": [{"uuid": "s1"}]}, "feedback[1].acceptedSuggestions[0].id"),
        (OVERRIDDEN | {"overrideReason": "because"}, "feedback[1].overrideReason"),
        (OVERRIDDEN | {"overrideReason": {"reason": "because"}}, "feedback[1].overrideReason.reason"),
    ],
)
def test_one_bad_entry_is_named_and_the_others_are_kept(entry, place):
    batch = read_feedback({"feedback": [OVERRIDDEN, entry, ACCEPTED]})
    assert [kept.outcome for kept in batch.entries] == ["overridden", "accepted"]
    [fault] = batch.faults
    assert fault.startswith(place)
    assert "because" not in fault


@pytest.mark.parametrize("body", [{}, {"feedback": {}}, {"feedback": None}, {"card": "c1"}])
def test_rejects_what_is_no_batch(body):
    with pytest.raises(InvalidHookRequest, match="feedback"):
        read_feedback(body)


def test_an_empty_batch_is_no_fault():
    batch = read_feedback({"feedback": []})
    assert (batch.entries, batch.faults) == ((), ())
