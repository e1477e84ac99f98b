"""Proves who calls: verifies the signed token of a CDS client (CDS Hooks 2.0, trusting CDS clients).

Everything is checked against the client's configuration, cheap checks first; nothing is fetched for an unknown issuer.
The reasons in the errors are for the log: they never quote the token.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import requests

from cds_service.application.hook_request import CallerIdentity
from cds_service.application.ports import TokenLog
from cds_service.errors import StoreUnavailable, UnauthorizedClient
from cds_service.trusted_clients import TrustedClient
from cds_service.web.client_keys import ClientKeys

_SAFE_ALGORITHMS = frozenset({"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_SKEW = timedelta(seconds=60)
_LONGEST_LIFE = timedelta(hours=1)
_MAX_TOKEN_LENGTH = 16 * 1024
_MAX_TEXT_LENGTH = 1024
_SIGNATURE_ONLY: Any = {f"verify_{claim}": False for claim in ("aud", "exp", "iat", "nbf", "iss", "sub", "jti")}


@dataclass(frozen=True, slots=True)
class _Token:
    """A token taken apart, before anything about it is believed."""

    text: str = field(repr=False)
    header: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


class ClientTokenVerifier:
    """Accepts the tokens of the configured clients, each of them once."""

    def __init__(
        self, clients: Iterable[TrustedClient], token_log: TokenLog, *, http: requests.Session | None = None
    ) -> None:
        self._clients = {client.iss: client for client in clients}
        self._token_log = token_log
        self._keys = ClientKeys(http)

    def verify(self, token: str, *, audiences: frozenset[str], now: datetime) -> CallerIdentity:
        """Return who signed the token, which must be meant for one of `audiences` and never have been used before.

        Raises: UnauthorizedClient.
        """
        parts = _take_apart(token)
        client = self._client_of(parts)
        key_id, algorithm = _checked_header(parts.header, client)
        _check_audience(parts.claims, audiences | client.audiences)
        expires_at = _checked_expiry(parts.claims, now)
        tenant = _checked_tenant(parts.claims, client)
        token_id = _text(parts.claims, "jti")
        _check_signature(parts, self._keys.key_for(client, key_id=key_id, algorithm=algorithm, now=now), algorithm)
        self._check_first_use(client.iss, token_id, expires_at)
        return CallerIdentity(client.iss, tenant, client.fhir_servers, client.prefetch_keys)

    def _client_of(self, token: _Token) -> TrustedClient:
        client = self._clients.get(_text(token.claims, "iss"))
        if client is None:
            raise UnauthorizedClient("the token's issuer is not a configured client")
        # Where the keys were agreed on as a file, an address in the token is not looked at.
        if client.jku is not None and "jku" in token.header and token.header["jku"] != client.jku:
            raise UnauthorizedClient("the token's jku is not the one configured for its issuer")
        return client

    def _check_first_use(self, issuer: str, token_id: str, expires_at: datetime) -> None:
        try:
            first = self._token_log.first_use(issuer, token_id, expires_at + _SKEW)
        except StoreUnavailable as error:
            raise UnauthorizedClient("the token could not be checked for replay: the store is away") from error
        if not first:
            raise UnauthorizedClient("the token was used before")


def _take_apart(token: str) -> _Token:
    if len(token) > _MAX_TOKEN_LENGTH:
        raise UnauthorizedClient("the token is too long to be one")
    try:
        parts = jwt.decode_complete(token, options=_SIGNATURE_ONLY | {"verify_signature": False})
        return _Token(token, parts["header"], parts["payload"])
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError):
        # Without "from": the cause may quote the token.
        raise UnauthorizedClient("the token is not a readable JWT") from None


def _checked_header(header: Mapping[str, Any], client: TrustedClient) -> tuple[str, str]:
    """Return key id and algorithm. `typ` is JWT where given; extensions that must be understood are not."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _SAFE_ALGORITHMS.intersection(client.algorithms):
        raise UnauthorizedClient("the token's algorithm is not one configured for its issuer")
    if str(header.get("typ", "JWT")).upper() != "JWT" or "crit" in header or "b64" in header:
        raise UnauthorizedClient("the token's header is not that of a plain JWT")
    return _text(header, "kid"), algorithm


def _check_audience(claims: Mapping[str, Any], audiences: frozenset[str]) -> None:
    claimed = claims.get("aud")
    texts = [claimed] if isinstance(claimed, str) else claimed
    if not isinstance(texts, list):
        raise UnauthorizedClient("the token has no aud")
    accepted = {audience.rstrip("/") for audience in audiences}
    if not any(isinstance(text, str) and text.rstrip("/") in accepted for text in texts):
        raise UnauthorizedClient("the token is meant for another audience")


def _checked_expiry(claims: Mapping[str, Any], now: datetime) -> datetime:
    issued_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
    if expires_at + _SKEW <= now:
        raise UnauthorizedClient("the token has expired")
    if issued_at - _SKEW > now:
        raise UnauthorizedClient("the token was issued in the future")
    if "nbf" in claims and _instant(claims, "nbf") - _SKEW > now:
        raise UnauthorizedClient("the token is not valid yet")
    if not timedelta(0) < expires_at - issued_at <= _LONGEST_LIFE:
        raise UnauthorizedClient("the token lives longer than an hour, or not at all")
    return expires_at


def _checked_tenant(claims: Mapping[str, Any], client: TrustedClient) -> str | None:
    tenant = _text(claims, "tenant") if claims.get("tenant") is not None else None
    if client.tenants and tenant not in client.tenants:
        raise UnauthorizedClient("the token's tenant is not configured for its issuer")
    return tenant


def _check_signature(token: _Token, key: jwt.PyJWK, algorithm: str) -> None:
    try:
        jwt.decode_complete(token.text, key=key, algorithms=[algorithm], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise UnauthorizedClient("the token's signature is wrong") from None


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT_LENGTH:
        raise UnauthorizedClient(f"the token has no usable {name}")
    return value


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    """Seconds since 1970, whole or not (RFC 7519, NumericDate)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnauthorizedClient(f"the token has no usable {name}")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnauthorizedClient(f"the token has no usable {name}") from None
