"""J. Who may call, on the application as it is wired with CDS_AUTH=jwt."""

from __future__ import annotations

import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.trusted_clients import read_clients
from tests.spec.charts import prefetch
from tests.spec.requests import hook_request

ISSUER = "https://ehr.example.org"
BASE = "https://cds.example.org/base"
PATH = "/cds-services/leukopenia-patient-view"
KEY = ec.generate_private_key(ec.SECP384R1())


@pytest.fixture(scope="module")
def guarded(make_real_client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    (folder / "keys.json").write_text(json.dumps({"keys": [public | {"kid": "k1", "alg": "ES384"}]}), "utf-8")
    (folder / "clients.yaml").write_text(f"clients: [{{iss: '{ISSUER}', jwks_file: keys.json}}]", "utf-8")
    return make_real_client(
        auth="jwt", public_url=BASE, cors_origins=("*",), trusted_clients=read_clients(folder / "clients.yaml")
    )


def token(path=PATH, **claims):
    now = int(time.time())
    standard = {"iss": ISSUER, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    return jwt.encode(standard | claims, KEY, algorithm="ES384", headers={"kid": "k1", "typ": "JWT"})


def call(client, bearer, path=PATH, body=None):
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    as_called = {"PATH_INFO": path}
    return client.post(
        "/", json=body or hook_request(prefetch=prefetch(1.2)), headers=headers, environ_overrides=as_called
    )


def test_a_trusted_client_is_answered_once_per_token(guarded):
    """J66. aud is compared with the public URL; a token that was used is refused."""
    bearer = token()
    assert call(guarded, bearer).status_code == 200
    again = call(guarded, bearer)
    assert (again.status_code, again.data) == (401, b"")


@pytest.mark.parametrize("path", [f"{PATH}/", PATH.replace("/leuko", "//leuko")])
def test_the_aud_follows_the_url_as_it_was_called(guarded, path):
    """J66. With the slashes that the Sandbox makes of a typed URL."""
    assert call(guarded, token(path), path).status_code == 200


def test_feedback_needs_a_token_too(guarded):
    """J66. Made out for the feedback URL, or for the service."""
    path, body = f"{PATH}/feedback", {"feedback": []}
    assert [call(guarded, token(aud), path, body).status_code for aud in (path, PATH)] == [200, 200]
    assert call(guarded, None, path, body).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example.org"},
        {"iss": "https://other.example.org"},
        {"exp": 1},
        {"aud": f"{BASE}/cds-services/leukopenia-order-sign"},
    ],
)
def test_every_failure_is_a_bare_401(guarded, claims):
    """J65. 401 with no detail, and with CORS headers so that a browser client can see it."""
    response = call(guarded, token(**claims))
    assert (response.status_code, response.data) == (401, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_carries_no_token(guarded):
    """J67. OPTIONS bypasses authentication; Authorization and Content-Type may be sent."""
    response = guarded.options(
        PATH, headers={"Origin": "https://sandbox.example.org", "Access-Control-Request-Method": "POST"}
    )
    assert response.status_code == 204
    assert {"Authorization", "Content-Type"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))
