"""Presentation 6, as a client meets it: what a user has put aside does not come back until something is new."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import read_feedback_report
from cds_service.settings import Settings
from tests.places import ROOT
from tests.spec.charts import CARBOPLATIN, drafts, platelets, prefetch, searchset, temperature
from tests.spec.invariants import check_cards
from tests.spec.requests import hook_request

Json = dict[str, Any]
MISSING = "cbc-missing-for-monitored-drug"
NO_COUNTS = prefetch(cellCounts=searchset())
DOSE = {"dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 450, "unit": "mg"}}]}]}


class Site:
    """A service with an empty database, and a user who answers its cards."""

    def __init__(self, client: FlaskClient, report: Callable[[], Json]) -> None:
        self._client, self._report = client, report

    def call(self, hook: str, chart: Json = NO_COUNTS, user: str = "Practitioner/u1", **context: Any) -> Json:
        body = hook_request(hook, prefetch=chart, context={"userId": user} | context)
        response = self._client.post(f"/cds-services/leukopenia-{hook}", json=body)
        assert response.status_code == 200, response.text
        check_cards(response.json)
        return response.json

    def select(self, **more: Any) -> Json:
        return self.call("order-select", **{**ordered("first"), "selections": ["MedicationRequest/first"]} | more)

    def sign(self, **more: Any) -> Json:
        return self.call("order-sign", **ordered("second") | more)

    def answer(self, card: Json, **entry: Any) -> None:
        """Send feedback, and wait until the card that it is about is on file: that is written behind the answer."""
        timestamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": timestamp} | entry
        sent = self._client.post("/cds-services/leukopenia-order-select/feedback", json={"feedback": [entry]})
        assert sent.status_code == 200
        give_up = time.monotonic() + 20
        while not any(row["overridden"] + row["accepted"] for row in self._report()["rules"]):
            assert time.monotonic() < give_up
            time.sleep(0.02)


@pytest.fixture
def make_site(make_real_client, tmp_path):
    def make(**settings: Any) -> Site:
        url = f"sqlite:///{tmp_path / 'cds.sqlite3'}"
        given = {"auth": "off", "data_dir": tmp_path, "database_url": url, "explain": True} | settings
        client = make_real_client(**given)
        return Site(client, lambda: read_feedback_report(Settings(**given)))

    return make


@pytest.fixture
def site(make_site) -> Site:
    return make_site()


def ordered(number: str, **members: Any) -> Json:
    return {"draftOrders": drafts(CARBOPLATIN | DOSE | {"id": number} | members)}


def about(body: Json, rule: str = MISSING) -> Json | None:
    """The card that speaks for a rule."""
    names = {card["uuid"]: [r["id"] for r in card["extension"]["org.leukopenia-cds.rules"]] for card in body["cards"]}
    return next((card for card in body["cards"] if rule in names[card["uuid"]]), None)


def line(body: Json, rule: str = MISSING) -> Json:
    rules = body["extension"]["org.leukopenia-cds.evaluation"]["rules"]
    return next(each for each in rules if each["id"] == rule)


def test_what_was_overridden_on_order_select_is_not_shown_on_signing_the_same_order(site):
    site.answer(about(site.select()))
    signed = site.sign()
    assert about(signed) is None
    verdict = line(signed)
    assert (verdict["outcome"], verdict["suppressedBy"], verdict["card"]) == ("fired", "quiet", None)
    assert verdict["suggestions"] == []
    assert about(site.select()) is None


def test_an_unanswered_card_is_shown_again(site):
    assert about(site.select())
    assert about(site.sign())
    assert line(site.sign())["suppressedBy"] is None


@pytest.mark.parametrize(
    "more",
    [
        {"user": "Practitioner/u2"},
        {"userId": None},
        {"chart": prefetch(cellCounts=searchset(platelets(240)))},
        {"draftOrders": drafts(CARBOPLATIN | {"id": "second"})},
        {"draftOrders": drafts(CARBOPLATIN | DOSE, CARBOPLATIN | {"id": "third"})},
    ],
    ids=["another user", "no user", "a new result", "another dose", "a second order"],
)
def test_whatever_is_new_shows_the_card_again(site, more):
    site.answer(about(site.select()))
    if "userId" in more:
        body = hook_request("order-sign", prefetch=NO_COUNTS, context=ordered("second"))
        del body["context"]["userId"]
        signed = site._client.post("/cds-services/leukopenia-order-sign", json=body).json
    else:
        signed = site.sign(**more)
    assert about(signed)


def test_an_accepted_count_is_not_asked_for_again_on_signing_the_same_order(site):
    card = about(site.select())
    count = next(s for s in card["suggestions"] if "count" in s["label"].lower() or "cbc" in s["label"].lower())
    site.answer(card, outcome="accepted", acceptedSuggestions=[{"id": count["uuid"]}])
    created = count["actions"][0]["resource"] | {"id": "count-1"}
    basket = drafts(CARBOPLATIN | DOSE | {"id": "second"}, created)
    assert about(site.sign(draftOrders=basket)) is None
    assert about(site.sign(draftOrders=drafts(CARBOPLATIN | {"id": "second"}, created)))
    assert about(site.select())


def test_a_critical_card_and_a_card_to_stop_a_drug_always_come_back(site):
    febrile = prefetch(0.3, vitalSigns=searchset(temperature(38.9)))
    for chart, rule in ((febrile, "febrile-neutropenia"), (prefetch(0.8), "chemo-hold-anc")):
        site.answer(about(site.sign(chart=chart), rule))
        assert about(site.sign(chart=chart), rule)


def test_a_summary_put_aside_stays_away_from_the_chart(site):
    mild = prefetch(1.2)
    first = site.call("patient-view", mild)
    (card,) = first["cards"]
    site.answer(card)
    again = site.call("patient-view", mild)
    assert again["cards"] == []
    named = [rule["id"] for rule in card["extension"]["org.leukopenia-cds.rules"]]
    assert {line(again, name)["suppressedBy"] for name in named} == {"quiet"}
    assert site.call("patient-view", mild, user="Practitioner/u2")["cards"]


def test_a_library_without_quiet_shows_everything_every_time(make_site, tmp_path):
    cards = tmp_path / "cards"
    shutil.copytree(ROOT / "cards", cards)
    text = (cards / "presentation.yaml").read_text("utf-8")
    assert text.count("enabled: true") == 1
    (cards / "presentation.yaml").write_text(text.replace("enabled: true", "enabled: false"), "utf-8")
    site = make_site(cards_dir=cards)
    site.answer(about(site.select()))
    assert about(site.sign())


def test_the_database_holds_nothing_of_what_a_card_rested_on(site, tmp_path):
    site.answer(about(site.select()))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("cds.sqlite3*"))
    assert MISSING.encode() in kept
    for word in (b"carboplatin", b"450", b"Practitioner/u1", b"Observation/"):
        assert word not in kept
