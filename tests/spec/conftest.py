"""The real application, wired as it is served, on its own card library and an empty database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.spec.charts import CARBOPLATIN, CLOZAPINE, drafts, prefetch, searchset, temperature
from tests.spec.requests import hook_request

Call = Callable[..., TestResponse]


@pytest.fixture(scope="session")
def make_real_client(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., FlaskClient]:
    def make(**settings: Any) -> FlaskClient:
        folder: Path = tmp_path_factory.mktemp("service")
        fixed = {"auth": "off", "data_dir": folder, "database_url": f"sqlite:///{folder / 'cds.sqlite3'}"}
        return create_app(Settings(**fixed | settings)).test_client()

    return make


@pytest.fixture(scope="session")
def client(make_real_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_real_client(cors_origins=("*",))


@pytest.fixture(scope="session")
def explaining(make_real_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_real_client(explain=True)


@pytest.fixture(scope="session")
def call(client: FlaskClient) -> Call:
    """Call the service of a request's hook."""

    def send(body: dict[str, Any], **options: Any) -> TestResponse:
        return client.post(f"/cds-services/leukopenia-{body['hook']}", json=body, **options)

    return send


@pytest.fixture(scope="session")
def discovery(client: FlaskClient) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/cds-services").json
    return body


@pytest.fixture(scope="session")
def situations() -> dict[str, dict[str, Any]]:
    """Requests that between them give every kind of card and action."""
    hot = searchset(temperature(38.9))
    return {
        "well": hook_request(prefetch=prefetch()),
        "mild": hook_request(prefetch=prefetch(1.2)),
        "severe": hook_request(prefetch=prefetch(0.3)),
        "febrile": hook_request(prefetch=prefetch(0.3, vitalSigns=hot)),
        "clozapine": hook_request(prefetch=prefetch(0.8, medicationRequests=searchset(CLOZAPINE))),
        "encounter": hook_request("encounter-start", prefetch=prefetch(0.3)),
        "chemotherapy": hook_request(
            "order-sign", prefetch=prefetch(0.8), context={"draftOrders": drafts(CARBOPLATIN)}
        ),
        "chosen": hook_request(
            "order-select",
            prefetch=prefetch(0.8),
            context={"draftOrders": drafts(CARBOPLATIN), "selections": ["MedicationRequest/m40048"]},
        ),
        "uncounted": hook_request(
            "order-sign", prefetch=prefetch(cellCounts=searchset()), context={"draftOrders": drafts(CARBOPLATIN)}
        ),
    }


@pytest.fixture(scope="session")
def answers(call: Call, situations: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The body of the answer to each situation; all of them must be 200."""
    found: dict[str, dict[str, Any]] = {}
    for name, body in situations.items():
        response = call(body)
        assert response.status_code == 200, (name, response.text)
        found[name] = response.json
    return found


@pytest.fixture(scope="session")
def cards(answers: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """All cards of all situations."""
    return [card for body in answers.values() for card in body["cards"]]
