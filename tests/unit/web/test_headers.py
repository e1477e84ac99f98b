"""CORS, caching and security headers, on answers and on errors."""

from __future__ import annotations

import pytest

from cds_service.errors import UnauthorizedClient
from tests.spec.requests import hook_request

PREFLIGHT = {
    "Origin": "https://sandbox.example.org",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


class Refuses:
    """Nobody may call."""

    def authenticate(self, request, audiences, *, now):
        raise UnauthorizedClient("no token")


@pytest.mark.parametrize(
    "path", ["/cds-services", "/cds-services/leukopenia-patient-view", "/cds-services//x/feedback"]
)
def test_preflight_needs_no_token(make_client, path):
    response = make_client(Refuses(), cors_origins=("*",)).options(path, headers=PREFLIGHT)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert {"authorization", "content-type", "accept"} <= {
        name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")
    }
    assert "POST" in response.headers["Access-Control-Allow-Methods"]


def test_lists_of_origins_are_matched_exactly(make_client):
    client = make_client(cors_origins=("https://sandbox.example.org",))
    allowed = client.get("/cds-services", headers={"Origin": "https://sandbox.example.org"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://sandbox.example.org"
    for other in ("https://sandbox.example.org.evil.org", "http://sandbox.example.org", "null", ""):
        response = client.get("/cds-services", headers={"Origin": other})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


def test_no_cors_without_a_setting(client):
    response = client.get("/cds-services", headers=PREFLIGHT)
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("path", "status"), [("/cds-services/x", 404), ("/cds-services/leukopenia-patient-view", 400), ("/x", 405)]
)
def test_errors_have_cors_headers_too(make_client, path, status):
    client = make_client(cors_origins=("*",))
    response = (
        client.post(path, json={}, headers=PREFLIGHT) if status != 405 else client.put("/healthz", headers=PREFLIGHT)
    )
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_failure_of_the_service_has_them_too(make_client, service):
    service.error = RuntimeError("boom")
    response = make_client(cors_origins=("*",)).post("/cds-services/leukopenia-patient-view", json=hook_request())
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (500, "*")


@pytest.mark.parametrize("path", ["/cds-services", "/guidelines", "/nope", "/healthz", "/metrics"])
def test_every_response_is_guarded(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers
    assert "Strict-Transport-Security" not in headers


def test_https_is_kept(make_client):
    headers = make_client(public_url="https://cds.example.org").get("/cds-services").headers
    assert "max-age" in headers["Strict-Transport-Security"]
