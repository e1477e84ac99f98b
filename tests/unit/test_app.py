"""The wiring: what the commands call, on the shipped card library."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.app import create_app, evaluate_offline, read_feedback_report
from cds_service.errors import ChartUnavailable, InvalidHookRequest, SettingsError, UnknownService
from cds_service.settings import Settings
from cds_service.web.rendering import to_json
from tests.spec.charts import prefetch
from tests.spec.fakes import NOW
from tests.spec.invariants import check_cards
from tests.spec.requests import hook_request


@pytest.fixture
def settings(tmp_path):
    return Settings(auth="off", explain=True, data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'cds.sqlite3'}")


def test_evaluates_a_request_without_a_server_or_a_database(settings, tmp_path):
    body = evaluate_offline(settings, to_json(hook_request(prefetch=prefetch(0.3))), datetime.now(UTC))
    check_cards(body)
    assert body["cards"]
    assert body["extension"]["org.leukopenia-cds.evaluation"]["rules"]
    assert list(tmp_path.iterdir()) == []


def test_evaluates_as_of_the_instant_that_is_given(settings):
    long_ago = NOW.replace(year=2020)
    body = evaluate_offline(settings, to_json(hook_request(prefetch=prefetch(0.3))), long_ago)
    assert body["extension"]["org.leukopenia-cds.evaluation"]["evaluatedAt"] == "2020-11-22T15:00:00Z"
    assert not [card for card in body["cards"] if card["indicator"] == "critical"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{oops", InvalidHookRequest),
        (b"{}", InvalidHookRequest),
        (to_json(hook_request() | {"hook": "medication-prescribe"}), UnknownService),
        (to_json(hook_request()), ChartUnavailable),
    ],
)
def test_bad_input_is_an_error_of_ours(settings, body, error):
    with pytest.raises(error):
        evaluate_offline(settings, body, NOW)


def test_the_report_of_a_new_database_is_empty(settings):
    assert read_feedback_report(settings) == {"rules": []}


def test_does_not_start_without_clients(settings):
    with pytest.raises(SettingsError, match="CDS_CLIENTS"):
        create_app(Settings(auth="jwt", data_dir=settings.data_dir, database_url=settings.database_url))


def test_is_ready_once_it_started(settings):
    assert create_app(settings).test_client().get("/readyz").json == {"status": "ready"}


def test_is_not_ready_where_the_database_is_gone(settings):
    client = create_app(settings).test_client()
    for path in settings.data_dir.glob("cds.sqlite3*"):
        path.unlink()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "database" in response.json["problems"][0]
