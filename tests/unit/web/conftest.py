"""A web application on fakes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from cds_service.observability import Metrics
from cds_service.settings import Settings
from cds_service.web.authentication import Authenticator, OpenDoor
from cds_service.web.collaborators import Collaborators
from cds_service.web.wsgi import make_app
from tests.spec.fakes import NOW, FakeService, FakeStore


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def make_client(service: FakeService, store: FakeStore) -> Callable[..., FlaskClient]:
    def make(authenticator: Authenticator | None = None, **settings: object) -> FlaskClient:
        chosen = Settings(**{"auth": "off"} | settings)
        door = authenticator or OpenDoor(chosen.fhir_servers)
        cases = {"anc-mild-observe": ("fires at ANC 1.2, <well>",)}
        app = make_app(Collaborators(chosen, service, store, door, Metrics(), lambda: NOW, cases))
        return app.test_client()

    return make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client()
