"""What the store promises about earlier answers, whatever the database: test classes inherit these tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.application.ports import PastAnswer
from cds_service.clinical.cards import RuleVersion
from cds_service.store import tables
from cds_service.store.card_store import SqlCardStore
from tests.unit.store.contract import record, rows_of, show
from tests.unit.store.samples import NOW, accepted, card, overridden, served

MONTH_AGO = NOW - timedelta(days=30)
FIVE_PAST = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(hours=1)


def ask(store: SqlCardStore, *fingerprints: str, client: str | None = None, since=MONTH_AGO) -> list[PastAnswer]:
    return list(store.answers(frozenset(fingerprints), client=client, since=since))


def late(store: SqlCardStore, entry, client: str | None = None) -> None:
    """As a batch that comes an hour after all that it tells of."""
    store.record_feedback("s", [entry], client=client, received_at=LATER)


class AnswerContract:
    """Tests that every database must pass."""

    def test_a_fingerprint_is_kept_with_the_rule_it_is_of(self, store):
        show(store, card("a", fingerprint="f1"), card("b"))
        assert {(row["rule"], row["fingerprint"]) for row in rows_of(store, tables.served_rule)} == {
            ("a", "f1"),
            ("b", None),
        }

    def test_finds_the_answer_to_a_card_by_its_fingerprint(self, store):
        shown, other = card(fingerprint="f1"), card(fingerprint="f2")
        show(store, shown, other)
        late(store, overridden(shown.uuid, reason="will-monitor"))
        late(store, overridden(other.uuid))
        assert ask(store, "f1") == [PastAnswer("f1", "overridden", FIVE_PAST, "will-monitor")]
        assert {answer.fingerprint for answer in ask(store, "f1", "f2", "f3")} == {"f1", "f2"}
        assert ask(store, "f3") == []
        assert ask(store) == []

    def test_a_card_of_several_rules_answers_for_each(self, store):
        shown = card("a", "b", fingerprint="f1")
        show(store, shown)
        late(store, overridden(shown.uuid))
        assert [answer.fingerprint for answer in ask(store, "f1")] == ["f1", "f1"]

    def test_another_rule_of_the_same_card_is_not_answered_for(self, store):
        rules = (RuleVersion("a", "1.0.0", "f1"), RuleVersion("b", "1.0.0", "f2"))
        shown = replace(card(), rules=rules)
        show(store, shown)
        late(store, overridden(shown.uuid))
        assert [answer.fingerprint for answer in ask(store, "f1")] == ["f1"]

    def test_a_card_that_nobody_answered_has_no_answer(self, store):
        show(store, card(fingerprint="f1"))
        assert ask(store, "f1") == []

    def test_tells_the_kinds_of_the_suggestions_that_were_taken(self, store):
        shown = card(fingerprint="f1")
        show(store, shown)
        late(store, accepted(shown.uuid, "2026-11-22T12:05:00Z", shown.suggestions[0].uuid.upper(), "unheard-of"))
        (answer,) = ask(store, "f1")
        assert (answer.outcome, sorted(answer.accepted)) == ("accepted", ["", "repeat-cbc-diff"])

    def test_the_newest_word_on_a_card_decides(self, store):
        shown = card(fingerprint="f1")
        show(store, shown)
        late(store, accepted(shown.uuid, "2026-11-22T12:09:00Z"))
        late(store, overridden(shown.uuid, "2026-11-22T12:05:00Z"))
        assert [answer.outcome for answer in ask(store, "f1")] == ["accepted"]

    @pytest.mark.parametrize(
        ("shown_to", "answered_by", "asked_for", "found"),
        [
            ("https://a.example", "https://a.example", "https://a.example", 1),
            (None, None, None, 1),
            ("https://a.example", "https://b.example", "https://a.example", 0),
            ("https://a.example", "https://a.example", "https://b.example", 0),
            ("https://a.example", None, "https://a.example", 0),
            (None, "https://a.example", None, 0),
            (None, None, "https://a.example", 0),
            ("https://a.example", "https://b.example", "https://b.example", 0),
        ],
    )
    def test_only_the_client_that_was_shown_a_card_answers_it(self, store, shown_to, answered_by, asked_for, found):
        shown = card(fingerprint="f1")
        store.remember(served(shown, client=shown_to))
        assert store.flush()
        late(store, overridden(shown.uuid), client=answered_by)
        assert len(ask(store, "f1", client=asked_for)) == found

    def test_a_long_name_of_a_client_is_still_its_own(self, store):
        shown, client = card(fingerprint="f1"), "https://a.example/" + "x" * 300
        store.remember(served(shown, client=client))
        assert store.flush()
        late(store, overridden(shown.uuid), client=client)
        assert len(ask(store, "f1", client=client)) == 1

    @pytest.mark.parametrize(
        ("said", "received", "answered_at"),
        [
            ("2026-11-22T12:05:00Z", LATER, FIVE_PAST),
            ("2027-11-22T12:05:00Z", LATER, LATER),
            ("some day", LATER, LATER),
        ],
    )
    def test_an_answer_is_as_old_as_the_older_of_its_two_times(self, store, said, received, answered_at):
        shown = card(fingerprint="f1")
        show(store, shown)
        store.record_feedback("s", [overridden(shown.uuid, said)], client=None, received_at=received)
        assert [answer.answered_at for answer in ask(store, "f1")] == [answered_at]

    @pytest.mark.parametrize(
        ("said", "received"),
        [("2026-11-22T12:05:00Z", MONTH_AGO), ("2026-10-23T12:00:00Z", LATER), ("2026-09-01T00:00:00Z", MONTH_AGO)],
    )
    def test_an_answer_no_newer_than_asked_for_is_left_out(self, store, said, received):
        shown = card(fingerprint="f1")
        show(store, shown)
        store.record_feedback("s", [overridden(shown.uuid, said)], client=None, received_at=received)
        assert ask(store, "f1") == []
        assert len(ask(store, "f1", since=NOW - timedelta(days=400))) == 1

    def test_asking_changes_nothing(self, store):
        shown = card(fingerprint="f1")
        show(store, shown)
        record(store, overridden(shown.uuid))
        before = [rows_of(store, table) for table in tables.metadata.sorted_tables]
        ask(store, "f1")
        assert [rows_of(store, table) for table in tables.metadata.sorted_tables] == before

    def test_a_fingerprint_is_keyed_and_tells_nested_texts_apart(self, store, url):
        other = SqlCardStore.open(url, hash_key=b"o" * 32)
        parts = ["client", None, ("ANC", ("0.8",))]
        assert store.fingerprint(parts) == store.fingerprint(parts)
        others = [
            other.fingerprint(parts),
            store.fingerprint(["client", None, ("ANC", "0.8")]),
            store.fingerprint(["client", "", ("ANC", ("0.8",))]),
            store.fingerprint(["client", None, ("ANC",), ("0.8",)]),
        ]
        assert store.fingerprint(parts) not in others
        assert "0.8" not in store.fingerprint(parts)
        assert len(store.fingerprint(parts)) == 64
        other.close()

    def test_pruned_cards_have_no_answers(self, store):
        shown = card(fingerprint="f1")
        show(store, shown)
        record(store, overridden(shown.uuid))
        store.prune(NOW + timedelta(days=1))
        assert ask(store, "f1", since=NOW - timedelta(days=400)) == []
