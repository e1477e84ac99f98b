"""What the store promises, whatever the database: each test class gives it a `store` and inherits these tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import IntegrityError

from cds_service.application.feedback_report import read_report
from cds_service.errors import StoreUnavailable
from cds_service.store import tables
from cds_service.store.card_store import SqlCardStore
from tests.unit.store.samples import KEY, NOW, SERVICE, accepted, card, new_uuid, overridden, served


def rows_of(store: SqlCardStore, table: Table) -> list[dict]:
    with store._engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def record(store: SqlCardStore, *entries, client: str | None = None) -> int:
    return store.record_feedback(SERVICE, entries, client=client, received_at=NOW)


def record_patiently(store: SqlCardStore, entry) -> int:
    """As a client does: a 503 is repeated. Two busy processes on a slow disk can starve one another for a second."""
    for _ in range(30):
        with suppress(StoreUnavailable):
            return record(store, entry)
    raise AssertionError("the store answered none of 30 attempts")


def show(store: SqlCardStore, *cards) -> None:
    store.remember(served(*cards))
    assert store.flush()


class StoreContract:
    """Tests that every database must pass."""

    def test_migrations_build_the_tables_that_the_code_uses(self, store):
        with store._engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) == []

    def test_opening_again_changes_nothing(self, store, url):
        show(store, card())
        again = SqlCardStore.open(url, hash_key=KEY)
        assert [row["shown"] for row in again.report()] == [1]
        again.close()

    def test_works(self, store):
        assert store.check() is None

    def test_says_when_tables_are_of_another_revision(self, store):
        with store._engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        assert store.check() == "The database has the tables of revision 0000, needed is 0002."

    def test_remembers_what_was_shown_and_nothing_clinical(self, store):
        shown = card("anc-moderate", "chemo-hold-anc")
        show(store, shown)
        (row,) = rows_of(store, tables.served_card)
        assert row["uuid"] == shown.uuid
        assert row["suggestions"] == [{"uuid": shown.suggestions[0].uuid, "kind": "repeat-cbc-diff"}]
        assert row["served_at"] == NOW
        assert {(rule["rule"], rule["version"]) for rule in rows_of(store, tables.served_rule)} == {
            ("anc-moderate", "1.0.0"),
            ("chemo-hold-anc", "1.0.0"),
        }
        assert "0.42" not in str(row)
        assert "marker-q7x" not in str(row)

    def test_same_patient_has_same_hash_only_within_a_client(self, store):
        for client in ("https://a.example", "https://a.example", "https://b.example"):
            store.remember(served(card(), client=client))
        assert store.flush()
        hashes = [(row["client"], row["patient_hash"]) for row in rows_of(store, tables.served_card)]
        assert len(hashes) == 3
        assert len(set(hashes)) == 2
        assert len({value for _, value in hashes}) == 2

    def test_card_shown_twice_counts_once(self, store):
        shown = card()
        show(store, shown)
        show(store, shown)
        assert [row["shown"] for row in store.report()] == [1]

    def test_answer_without_cards_leaves_nothing(self, store):
        show(store)
        assert rows_of(store, tables.served_card) == []

    def test_unwritable_item_does_not_stop_those_behind_it(self, store):
        naive = served(card("naive-time"), at=NOW.replace(tzinfo=None))
        for each in (served(card("before")), naive, served(card("after"))):
            store.remember(each)
        assert store.flush()
        assert [row["rule"] for row in store.report()] == ["after", "before"]
        assert store.dropped == 1

    def test_repeated_feedback_is_kept_once(self, store):
        entry = overridden(new_uuid(), reason="expected-nadir")
        assert record(store, entry, client="https://a.example") == 1
        assert record(store, entry, entry, client="https://a.example") == 0
        assert len(rows_of(store, tables.feedback)) == 1

    def test_repeated_feedback_without_client_is_kept_once(self, store):
        entry = accepted(new_uuid())
        assert record(store, entry, entry) == 1

    def test_uuid_in_capitals_is_the_same_card(self, store):
        shown = card()
        show(store, shown)
        assert record(store, accepted(shown.uuid.upper()), accepted(shown.uuid)) == 1
        assert [row["accepted"] for row in store.report()] == [1]

    def test_feedback_that_says_something_else_is_another_entry(self, store):
        entry = accepted(new_uuid())
        others = (replace(entry, accepted_suggestions=("s-2",)), replace(entry, timestamp="2026-11-22T12:06:00Z"))
        assert record(store, entry, *others) == 3

    def test_feedback_for_unknown_card_is_kept_but_in_no_report(self, store):
        assert record(store, accepted(new_uuid())) == 1
        assert store.report() == []

    def test_feedback_before_its_card_is_counted(self, store):
        shown = card()
        record(store, accepted(shown.uuid))
        show(store, shown)
        assert [row["accepted"] for row in store.report()] == [1]

    def test_no_feedback_is_no_entry(self, store):
        assert record(store) == 0

    def test_comment_is_dropped(self, store):
        record(store, overridden(new_uuid(), comment="Mrs Smith declined"))
        assert [row["comment"] for row in rows_of(store, tables.feedback)] == [None]

    def test_comment_is_kept_where_the_site_wants_it(self, store, url):
        keeping = SqlCardStore.open(url, hash_key=KEY, keep_comments=True)
        record(keeping, overridden(new_uuid(), comment="known to us"))
        assert [row["comment"] for row in rows_of(keeping, tables.feedback)] == ["known to us"]
        keeping.close()

    @pytest.mark.parametrize(
        "odd", ["nul\x00", "lone \ud800 surrogate", "long " * 1000, "", "'; DROP TABLE feedback; --"]
    )
    def test_odd_text_is_kept_as_far_as_it_can_be(self, store, odd):
        entry = replace(overridden(odd, odd, reason=odd), accepted_suggestions=(odd,))
        assert record(store, entry, client=odd) == 1
        assert record(store, entry, client=odd) == 0

    def test_outcome_time_is_kept_as_utc(self, store):
        record(store, accepted(new_uuid(), "2026-11-22T14:05:00.250+02:00"))
        (row,) = rows_of(store, tables.feedback)
        assert row["outcome_at"] == NOW + timedelta(minutes=5, milliseconds=250)

    @pytest.mark.parametrize("timestamp", ["yesterday", "2026-11-22T12:05:00", "0001-01-01T00:00:00+14:00"])
    def test_outcome_time_that_is_no_instant_is_not_known(self, store, timestamp):
        record(store, accepted(new_uuid(), timestamp))
        assert [row["outcome_at"] for row in rows_of(store, tables.feedback)] == [None]

    def test_report_counts_rule_by_rule(self, store):
        cards = [card("anc-moderate") for _ in range(9)]
        show(store, *cards, card("anc-severe", "anc-moderate"))
        uuids = [shown.uuid for shown in cards]
        record(store, *(accepted(each) for each in uuids[:2]))
        record(store, *(overridden(each, reason="expected-nadir") for each in uuids[2:4]), overridden(uuids[4]))
        assert read_report(store).as_json() == {
            "rules": [
                {
                    "rule": "anc-moderate",
                    "shown": 10,
                    "accepted": 2,
                    "overridden": 3,
                    "unanswered": 5,
                    "overrideReasons": {"expected-nadir": 2},
                },
                {
                    "rule": "anc-severe",
                    "shown": 1,
                    "accepted": 0,
                    "overridden": 0,
                    "unanswered": 1,
                    "overrideReasons": {},
                },
            ]
        }

    def test_newest_word_on_a_card_decides_whatever_came_first(self, store):
        shown = card()
        show(store, shown)
        record(store, accepted(shown.uuid, "2026-11-22T12:09:00Z"))
        record(store, overridden(shown.uuid, "2026-11-22T12:05:00Z", reason="expected-nadir"))
        (row,) = store.report()
        assert (row["accepted"], row["overridden"], row["overrideReasons"]) == (1, 0, {})

    def test_token_id_is_new_once_per_issuer(self, store):
        expiry = NOW + timedelta(minutes=5)
        assert store.first_use("https://a.example", "id-1", expiry)
        assert not store.first_use("https://a.example", "id-1", expiry)
        assert store.first_use("https://b.example", "id-1", expiry)
        assert store.first_use("https://a.example", "id-2", expiry)

    def test_token_id_is_new_once_among_threads(self, store):
        with ThreadPoolExecutor(8) as threads:
            uses = [threads.submit(store.first_use, "https://a.example", "id", NOW) for _ in range(16)]
            assert sorted(use.result() for use in uses) == [False] * 15 + [True]

    def test_token_id_itself_is_not_kept(self, store):
        store.first_use("https://a.example", "secret-jti", NOW)
        assert "secret-jti" not in str(rows_of(store, tables.seen_token))

    def test_token_ids_long_expired_go_by_themselves(self, store):
        store.first_use("https://a.example", "old", NOW - timedelta(hours=3))
        store.first_use("https://a.example", "recent", NOW - timedelta(minutes=90))
        store.first_use("https://a.example", "new", NOW)
        assert len(rows_of(store, tables.seen_token)) == 2

    def test_pruning_takes_what_is_old_with_its_feedback_and_leaves_the_rest(self, store):
        old, new = card(), card()
        store.remember(served(old, at=NOW - timedelta(days=400)))
        store.remember(served(new))
        assert store.flush()
        record(store, accepted(old.uuid), accepted(new.uuid))
        store.first_use("https://a.example", "id", NOW)
        assert store.prune(NOW - timedelta(days=365)) == 2
        assert [row["uuid"] for row in rows_of(store, tables.served_card)] == [new.uuid]
        assert [row["card_uuid"] for row in rows_of(store, tables.served_rule)] == [new.uuid]
        assert [row["card_uuid"] for row in rows_of(store, tables.feedback)] == [new.uuid]
        assert len(rows_of(store, tables.seen_token)) == 1

    def test_database_itself_refuses_a_second_entry(self, store):
        record(store, accepted(new_uuid()))
        with store._engine.begin() as connection:
            (row,) = connection.execute(select(tables.feedback)).mappings()
            copy = {name: value for name, value in row.items() if name != "id"}
            with pytest.raises(IntegrityError):
                connection.execute(tables.feedback.insert(), copy)
            connection.rollback()

    def test_many_threads_record_at_once(self, store):
        cards = [card() for _ in range(40)]
        show(store, *cards)
        with ThreadPoolExecutor(8) as threads:
            assert len(list(threads.map(lambda shown: record_patiently(store, accepted(shown.uuid)), cards))) == 40
        with store._engine.connect() as connection:
            assert connection.execute(select(func.count()).select_from(tables.feedback)).scalar_one() == 40
