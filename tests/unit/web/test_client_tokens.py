"""Whose tokens are accepted, and that every other one is refused without a word of it in the reason."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug import Request, Response

from cds_service.application.hook_request import CallerIdentity
from cds_service.errors import StoreUnavailable, UnauthorizedClient
from cds_service.store.card_store import SqlCardStore
from cds_service.trusted_clients import TrustedClient
from cds_service.web import client_keys
from cds_service.web.client_tokens import ClientTokenVerifier

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ISSUER = "https://ehr.example/fhir"
AUDIENCE = "https://cds.example/cds-services/leukopenia-patient-view"
AUDIENCES = frozenset({AUDIENCE, AUDIENCE + "/"})

EC_KEY = ec.generate_private_key(ec.SECP384R1())
EC_OTHER = ec.generate_private_key(ec.SECP384R1())
EC_P256 = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA_SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused


def jwk(private_key, kid: str, **more) -> dict:
    algorithms = jwt.algorithms
    kind = algorithms.RSAAlgorithm if isinstance(private_key, rsa.RSAPrivateKey) else algorithms.ECAlgorithm
    return kind.to_jwk(private_key.public_key(), as_dict=True) | {"kid": kid} | more


KEY_SET = {
    "keys": [
        jwk(EC_KEY, "ec-1", use="sig", alg="ES384"),
        jwk(RSA_KEY, "base64+/=="),
        jwk(EC_P256, "p256"),
        jwk(RSA_SHORT, "short"),
        jwk(EC_KEY, "for-encryption", use="enc"),
        jwk(EC_KEY, "for-signing-only", key_ops=["sign"]),
        jwk(EC_KEY, "other-alg", alg="ES256"),
        {"kid": "broken", "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {"kid": "secret", "kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        "no key",
    ]
}


class MemoryLog:
    """A TokenLog that remembers for one test."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], datetime] = {}

    def first_use(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        known = (issuer, token_id) in self.seen
        self.seen[issuer, token_id] = expires_at
        return not known


class ClosedLog:
    """A TokenLog whose database is away."""

    def first_use(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        raise StoreUnavailable("The database could not be written.")


@pytest.fixture
def key_file(tmp_path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KEY_SET))
    return path


@pytest.fixture
def client(key_file) -> TrustedClient:
    return TrustedClient(
        iss=ISSUER,
        jwks_file=key_file,
        fhir_servers=frozenset({"https://ehr.example/r4"}),
        prefetch_keys={"theirs": "cellCounts"},
    )


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def verifier(client, log) -> ClientTokenVerifier:
    return ClientTokenVerifier([client], log)


def seconds(**delta: float) -> float:
    return (NOW + timedelta(**delta)).timestamp()


def claims(**changes) -> dict:
    plain = {"iss": ISSUER, "aud": AUDIENCE, "iat": seconds(), "exp": seconds(minutes=5), "jti": uuid.uuid4().hex}
    return {name: value for name, value in (plain | changes).items() if value is not None}


def sign(key=EC_KEY, algorithm: str = "ES384", headers: dict | None = None, **changes) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": "ec-1"} | (headers or {}))


def verify(verifier: ClientTokenVerifier, token: str, now: datetime = NOW) -> CallerIdentity:
    return verifier.verify(token, audiences=AUDIENCES, now=now)


def refusal(verifier: ClientTokenVerifier, token: str, now: datetime = NOW) -> str:
    with pytest.raises(UnauthorizedClient) as raised:
        verify(verifier, token, now)
    reason = str(raised.value)
    for part in (part for part in token.split(".") if len(part) > 8):
        assert part not in reason
        assert raised.value.__cause__ is None or part not in str(raised.value.__cause__)
    return reason


def encoded(header: dict, payload: dict, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_accepts_an_ec_signed_token_and_says_who_calls(verifier):
    assert verify(verifier, sign()) == CallerIdentity(
        ISSUER, None, frozenset({"https://ehr.example/r4"}), {"theirs": "cellCounts"}
    )


def test_accepts_an_rsa_signed_token_with_an_odd_key_id(verifier):
    assert verify(verifier, sign(RSA_KEY, "RS384", {"kid": "base64+/=="})).issuer == ISSUER


@pytest.mark.parametrize(
    "audience",
    [AUDIENCE, AUDIENCE + "/", [AUDIENCE], ["https://other.example", AUDIENCE + "/"], [1, AUDIENCE]],
)
def test_accepts_the_audience_however_it_is_spelt(verifier, audience):
    assert verify(verifier, sign(aud=audience))


@pytest.mark.parametrize(
    "audience",
    [None, "", [], "https://cds.example", AUDIENCE + "x", AUDIENCE.upper(), {"a": AUDIENCE}, 1, [[AUDIENCE]]],
)
def test_rejects_another_audience(verifier, audience):
    # PyJWT refuses to write some of these: they are built by hand and the audience is judged before the signature.
    token = encoded({"alg": "ES384", "kid": "ec-1"}, claims(aud=audience))
    assert "aud" in refusal(verifier, token)


def test_accepts_the_fixed_audience_of_the_client(key_file, log):
    fixed = TrustedClient(iss=ISSUER, jwks_file=key_file, audiences=frozenset({"https://hospital.example/all"}))
    assert verify(ClientTokenVerifier([fixed], log), sign(aud="https://hospital.example/all/"))


def test_rejects_an_issuer_that_is_not_configured(verifier):
    for issuer in ("https://evil.example", ISSUER + "/", ISSUER.upper(), None):
        assert "iss" in refusal(verifier, sign(iss=issuer))


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "HS384", "ES256", "RS256", "EdDSA", "", None, 384, ["ES384"]]
)
def test_rejects_an_algorithm_that_is_not_configured(verifier, algorithm):
    token = encoded({"alg": algorithm, "kid": "ec-1", "typ": "JWT"}, claims(), b"signature")
    assert refusal(verifier, token) in {
        "the token's algorithm is not one configured for its issuer",
        "the token is not a readable JWT",
    }


def test_never_accepts_none_or_hmac_even_where_configured(key_file, log):
    careless = TrustedClient(iss=ISSUER, jwks_file=key_file, algorithms=("none", "HS256", "ES384"))
    verifier = ClientTokenVerifier([careless], log)
    unsigned = jwt.encode(claims(), None, "none", headers={"kid": "ec-1"})
    assert "algorithm" in refusal(verifier, unsigned)
    secret = base64.b64decode("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0") + b"x" * 16
    assert "algorithm" in refusal(verifier, sign(secret, "HS256", {"kid": "secret"}))


@pytest.mark.parametrize("kid", ["base64+/==", "p256", "for-encryption", "for-signing-only", "other-alg", "secret"])
def test_rejects_a_key_that_was_not_made_for_the_algorithm(verifier, kid):
    assert refusal(verifier, sign(headers={"kid": kid})) == "the token's key was not made for its algorithm"


def test_accepts_another_algorithm_where_it_is_configured(key_file, log):
    configured = TrustedClient(iss=ISSUER, jwks_file=key_file, algorithms=("ES256", "PS384"))
    verifier = ClientTokenVerifier([configured], log)
    assert verify(verifier, sign(EC_P256, "ES256", {"kid": "p256"}))
    assert verify(verifier, sign(RSA_KEY, "PS384", {"kid": "base64+/=="}))
    assert "algorithm" in refusal(verifier, sign())


def test_rejects_a_broken_key(verifier):
    assert refusal(verifier, sign(headers={"kid": "broken"})) == "the token's key is broken"


@pytest.mark.filterwarnings("ignore:The RSA key is")
def test_rejects_a_short_rsa_key(verifier):
    assert refusal(verifier, sign(RSA_SHORT, "RS384", {"kid": "short"})) == "the token's RSA key is too short"


def test_rejects_a_signature_of_another_key(verifier, log):
    assert refusal(verifier, sign(EC_OTHER)) == "the token's signature is wrong"
    assert log.seen == {}


def test_rejects_a_changed_claim(verifier):
    header, _, signature = sign().split(".")
    _, payload, _ = sign(tenant="other").split(".")
    assert refusal(verifier, f"{header}.{payload}.{signature}") == "the token's signature is wrong"


def test_ignores_a_key_that_the_token_brings_along(verifier):
    own = jwk(EC_OTHER, "ec-1")
    assert refusal(verifier, sign(EC_OTHER, headers={"jwk": own})) == "the token's signature is wrong"


@pytest.mark.parametrize("kid", [None, "", 7, "x" * 2000])
def test_rejects_a_token_without_a_usable_key_id(verifier, kid):
    token = encoded({"alg": "ES384", "typ": "JWT"} | ({} if kid is None else {"kid": kid}), claims())
    assert refusal(verifier, token) in {"the token has no usable kid", "the token is not a readable JWT"}


def test_rejects_headers_of_something_else_than_a_plain_jwt(verifier):
    assert "header" in refusal(verifier, sign(headers={"typ": "at+jwt"}))
    assert refusal(verifier, encoded({"alg": "ES384", "kid": "ec-1", "crit": ["exp"]}, claims())) in {
        "the token's header is not that of a plain JWT",
        "the token is not a readable JWT",
    }


def test_accepts_typ_in_small_letters(verifier):
    assert verify(verifier, sign(headers={"typ": "jwt"}))


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"exp": seconds(seconds=-59), "iat": seconds(minutes=-5)}, True),
        ({"exp": seconds(seconds=-60), "iat": seconds(minutes=-5)}, False),
        ({"iat": seconds(seconds=60)}, True),
        ({"iat": seconds(seconds=61)}, False),
        ({"nbf": seconds(minutes=-5)}, True),
        ({"nbf": seconds(seconds=60)}, True),
        ({"nbf": seconds(seconds=61)}, False),
        ({"exp": seconds(hours=1)}, True),
        ({"exp": seconds(hours=1, seconds=1)}, False),
        ({"exp": seconds(), "iat": seconds()}, False),
        ({"exp": seconds(seconds=300.5)}, True),
        ({"exp": None}, False),
        ({"iat": None}, False),
        ({"exp": "soon"}, False),
        ({"exp": True}, False),
        ({"exp": 1e300}, False),
        ({"exp": float("nan")}, False),
        ({"iat": float("-inf")}, False),
        ({"nbf": "soon"}, False),
    ],
)
def test_judges_the_times_with_a_minute_of_skew_and_an_hour_of_life(verifier, changes, accepted):
    token = encoded({"alg": "ES384", "kid": "ec-1"}, claims(**changes))
    signed = jwt.api_jws.PyJWS().encode(
        json.dumps(claims(**changes)).encode(), EC_KEY, "ES384", headers={"kid": "ec-1"}
    )
    if accepted:
        assert verify(verifier, signed).issuer == ISSUER
    else:
        assert refusal(verifier, signed) != "the token's signature is wrong"
    assert refusal(verifier, token)


def test_tenant_is_handed_on(verifier):
    assert verify(verifier, sign(tenant="ward-7")).tenant == "ward-7"


@pytest.mark.parametrize("tenant", [None, "ward-8", "", 7, ["ward-7"]])
def test_rejects_another_tenant_where_tenants_are_configured(key_file, log, tenant):
    strict = TrustedClient(iss=ISSUER, jwks_file=key_file, tenants=frozenset({"ward-7"}))
    verifier = ClientTokenVerifier([strict], log)
    assert "tenant" in refusal(verifier, sign(tenant=tenant))
    assert verify(verifier, sign(tenant="ward-7")).tenant == "ward-7"


@pytest.mark.parametrize("token_id", [None, "", 5, "x" * 2000])
def test_rejects_a_token_without_a_usable_id(verifier, token_id):
    token = encoded({"alg": "ES384", "kid": "ec-1"}, claims(jti=token_id))
    assert refusal(verifier, token) == "the token has no usable jti"


def test_rejects_a_replay(verifier, log):
    token = sign(jti="once")
    verify(verifier, token)
    assert refusal(verifier, token) == "the token was used before"
    assert log.seen[ISSUER, "once"] == NOW + timedelta(minutes=6)


def test_rejects_a_replay_through_another_worker(client, tmp_path):
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    stores = [SqlCardStore.open(url, hash_key=b"k" * 32), SqlCardStore.open(url, hash_key=b"k" * 32)]
    token = sign()
    verify(ClientTokenVerifier([client], stores[0]), token)
    assert refusal(ClientTokenVerifier([client], stores[1]), token) == "the token was used before"
    for store in stores:
        store.close()


def test_rejects_when_replay_cannot_be_ruled_out(client):
    assert "store is away" in refusal(ClientTokenVerifier([client], ClosedLog()), sign())


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "x" * 100_000, "é.é.é", "e30.e30.", "bnVsbA.bnVsbA.", "W10.W10.", "\x00"],
)
def test_rejects_what_is_no_token(verifier, token):
    refusal(verifier, token)


def test_rejects_a_token_of_bottomless_json(verifier):
    deep = base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"ES384","kid":"ec-1"}').decode().rstrip("=")
    assert refusal(verifier, f"{head}.{deep}.AA") == "the token is not a readable JWT"
    assert refusal(verifier, f"{deep}.{head}.AA") == "the token is not a readable JWT"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "crit", "b64"]), JSON),
    payload=st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "tenant"]), JSON),
)
def test_refuses_any_unsigned_claims_in_order(verifier, header, payload):
    token = encoded({"alg": "ES384", "kid": "ec-1"} | header, claims() | payload)
    with pytest.raises(UnauthorizedClient):
        verify(verifier, token)


def test_reads_a_file_again_when_its_keys_turned(verifier, key_file):
    verify(verifier, sign())
    key_file.write_text(json.dumps({"keys": [jwk(EC_OTHER, "ec-2")]}))
    turned = sign(EC_OTHER, headers={"kid": "ec-2"}, iat=seconds(minutes=2), exp=seconds(minutes=7))
    assert verify(verifier, turned, NOW + timedelta(minutes=2))


def test_rejects_when_there_never_were_keys(tmp_path, log):
    absent = TrustedClient(iss=ISSUER, jwks_file=tmp_path / "absent.json")
    assert refusal(ClientTokenVerifier([absent], log), sign()) == "the client's key set cannot be read"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"keys": {}}', "null", "[" * 60_000, " " * 65_536 + json.dumps(KEY_SET), "\xff"]
)
def test_rejects_a_file_that_is_no_key_set(verifier, key_file, content):
    key_file.write_text(content, "latin-1")
    assert refusal(verifier, sign()) == "the client's key set cannot be read"


def test_file_with_private_keys_is_read_as_its_public_half(verifier, key_file):
    private = jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY, as_dict=True) | {"kid": "ec-1"}
    assert "d" in private
    key_file.write_text(json.dumps({"keys": [private]}))
    assert verify(verifier, sign())


def test_address_in_the_token_is_not_looked_at_where_keys_are_a_file(verifier):
    assert verify(verifier, sign(headers={"jku": "https://evil.example/jwks.json"}))


class Fetched:
    """A client whose keys are fetched from a server of this test, which counts the requests."""

    def __init__(self, httpserver, log) -> None:
        self.server = httpserver
        self.requests: list[Request] = []
        self.answer = Response(json.dumps(KEY_SET), content_type="application/json")
        self.jku = httpserver.url_for("/jwks.json")
        httpserver.expect_request("/jwks.json").respond_with_handler(self._respond)
        self.verifier = ClientTokenVerifier([TrustedClient(iss=ISSUER, jku=self.jku)], log)

    def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer

    def sign_at(self, now: datetime, **more) -> str:
        return sign(iat=now.timestamp(), exp=(now + timedelta(minutes=5)).timestamp(), **more)


@pytest.fixture
def fetched(httpserver, log):
    return Fetched(httpserver, log)


def test_fetches_the_keys_once_for_many_tokens(fetched):
    for _ in range(5):
        assert verify(fetched.verifier, sign(headers={"jku": fetched.jku}))
    assert len(fetched.requests) == 1


def test_token_need_not_name_the_address_of_its_keys(fetched):
    assert verify(fetched.verifier, sign())


@pytest.mark.parametrize("jku", ["https://evil.example/jwks.json", "", None, 5])
def test_rejects_another_address_of_keys_before_anything_is_fetched(fetched, jku):
    token = encoded({"alg": "ES384", "kid": "ec-1", "jku": jku}, claims())
    assert "jku" in refusal(fetched.verifier, token)
    assert fetched.requests == []


def test_rejects_a_slash_too_many_in_the_address_of_keys(fetched):
    assert "jku" in refusal(fetched.verifier, sign(headers={"jku": fetched.jku + "/"}))


def test_fetches_nothing_for_a_token_that_is_wrong_anyway(fetched):
    for token in (sign(iss="https://evil.example"), sign(aud="x"), sign(exp=seconds(hours=-2)), sign(jti=None)):
        refusal(fetched.verifier, token)
    assert fetched.requests == []


def test_fetches_again_for_an_unknown_key_but_not_more_than_once_a_minute(fetched):
    verify(fetched.verifier, sign())
    fetched.answer = Response(json.dumps({"keys": [jwk(EC_OTHER, "ec-2")]}))
    for offset in (0, 1, 59):
        now = NOW + timedelta(seconds=offset)
        assert "not in the client's key set" in refusal(
            fetched.verifier, fetched.sign_at(now, key=EC_OTHER, headers={"kid": "ec-2"}), now
        )
    assert len(fetched.requests) == 1
    now = NOW + timedelta(seconds=60)
    assert verify(fetched.verifier, fetched.sign_at(now, key=EC_OTHER, headers={"kid": "ec-2"}), now)
    for made_up in range(5):
        refusal(fetched.verifier, fetched.sign_at(now, headers={"kid": f"made-up-{made_up}"}), now)
    assert len(fetched.requests) == 2


def test_withdrawn_key_is_refused_after_ten_minutes(fetched):
    verify(fetched.verifier, sign())
    fetched.answer = Response(json.dumps({"keys": []}))
    now = NOW + timedelta(minutes=10)
    assert "not in the client's key set" in refusal(fetched.verifier, fetched.sign_at(now), now)


def test_known_keys_last_an_hour_when_their_address_is_away(fetched):
    verify(fetched.verifier, sign())
    fetched.answer = Response("", 503)
    later, too_late = NOW + timedelta(minutes=59), NOW + timedelta(minutes=61)
    assert verify(fetched.verifier, fetched.sign_at(later), later)
    assert refusal(fetched.verifier, fetched.sign_at(too_late), too_late) == "the client's key set cannot be read"


def test_address_that_failed_is_tried_again_soon(fetched):
    good, fetched.answer = fetched.answer, Response("", 503)
    refusal(fetched.verifier, sign())
    fetched.answer = good
    refusal(fetched.verifier, sign())
    assert len(fetched.requests) == 1
    assert verify(fetched.verifier, sign(), NOW + timedelta(seconds=5))


def test_follows_no_redirect(fetched):
    fetched.server.expect_request("/elsewhere").respond_with_json(KEY_SET)
    fetched.answer = Response("", 302, {"Location": fetched.server.url_for("/elsewhere")})
    assert refusal(fetched.verifier, sign()) == "the client's key set cannot be read"
    assert len(fetched.server.log) == 1


def test_rejects_a_key_set_that_is_too_large(fetched):
    fetched.answer = Response(" " * 65_536 + json.dumps(KEY_SET))
    assert refusal(fetched.verifier, sign()) == "the client's key set cannot be read"


def test_rejects_a_key_set_that_trickles_in(fetched, monkeypatch):
    monkeypatch.setattr(client_keys, "_FETCH_SECONDS", 0.5)

    def trickle():
        for _ in range(1000):
            stop.wait(0.02)
            yield b" "
        yield json.dumps(KEY_SET).encode()

    stop = threading.Event()
    fetched.answer = Response(trickle())
    assert refusal(fetched.verifier, sign()) == "the client's key set cannot be read"
    stop.set()


def test_sends_no_credentials_and_wants_no_compression(fetched):
    verify(fetched.verifier, sign())
    (request,) = fetched.requests
    assert "Authorization" not in request.headers
    assert request.headers["Accept-Encoding"] == "identity"


def test_fetches_over_plain_http_from_this_machine_only(log):
    for jku in ("http://ehr.example/jwks.json", "ftp://127.0.0.1/jwks.json", "file:///etc/hostname"):
        verifier = ClientTokenVerifier([TrustedClient(iss=ISSUER, jku=jku)], log)
        assert refusal(verifier, sign(headers={"jku": jku})) == "the client's key set cannot be read"


def test_one_clients_keys_open_no_other_clients_door(key_file, tmp_path, log):
    other_file = tmp_path / "other.json"
    other_file.write_text(json.dumps({"keys": [jwk(EC_OTHER, "ec-1")]}))
    other = TrustedClient(iss="https://other.example", jwks_file=other_file)
    verifier = ClientTokenVerifier([TrustedClient(iss=ISSUER, jwks_file=key_file), other], log)
    assert refusal(verifier, sign(EC_OTHER)) == "the token's signature is wrong"
    assert verify(verifier, sign(EC_OTHER, iss="https://other.example")).issuer == "https://other.example"
