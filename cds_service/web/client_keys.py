"""The public keys of trusted clients: read from the configured file or address, kept, and read again when they turn.

It never looks at an address that stands in a token. Source: CDS Hooks 2.0, trusting CDS clients.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests

from cds_service.errors import UnauthorizedClient
from cds_service.setting_values import is_loopback
from cds_service.trusted_clients import TrustedClient

_FETCH_SECONDS = 3.0
_MAX_BYTES = 64 * 1024
_FRESH_FOR = timedelta(minutes=10)
_USABLE_FOR = timedelta(hours=1)
_UNKNOWN_KEY_PAUSE = timedelta(minutes=1)
_FAILURE_PAUSE = timedelta(seconds=5)
_LEAST_RSA_BITS = 2048
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")

Jwk = Mapping[str, Any]


@dataclass(slots=True)
class _KeySet:
    """What is known of one client's keys. `read_at` is the last success, `tried_at` the last attempt."""

    keys: tuple[Jwk, ...] = ()
    read_at: datetime | None = None
    tried_at: datetime | None = None


class ClientKeys:
    """Finds the key that a token names among the keys of its client."""

    def __init__(self, http: requests.Session | None = None) -> None:
        self._http = http or _session()
        self._sets: dict[str, _KeySet] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def key_for(self, client: TrustedClient, *, key_id: str, algorithm: str, now: datetime) -> jwt.PyJWK:
        """Return the key with this id that was made for this algorithm.

        Raises: UnauthorizedClient.
        """
        with self._lock:
            key_set = self._sets.setdefault(client.iss, _KeySet())
            turn = self._locks.setdefault(client.iss, threading.Lock())
        with turn:
            if _is_due(key_set, key_id, now):
                self._refresh(client, key_set, now)
            if key_set.read_at is None or abs(now - key_set.read_at) > _USABLE_FOR:
                raise UnauthorizedClient("the client's key set cannot be read")
            return _fitting_key(key_set.keys, key_id, algorithm)

    def _refresh(self, client: TrustedClient, key_set: _KeySet, now: datetime) -> None:
        """A set that could be read once stays in use for a while when its address is away."""
        key_set.tried_at = now
        try:
            key_set.keys = _read_set(self._content(client))
            key_set.read_at = now
        except (OSError, ValueError, RecursionError):
            return

    def _content(self, client: TrustedClient) -> bytes:
        if client.jwks_file is not None:
            with client.jwks_file.open("rb") as file:
                return _within_limit(file.read(_MAX_BYTES + 1))
        return self._fetch(client.jku or "")

    def _fetch(self, url: str) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("a key set is fetched over https only")
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        with self._http.get(
            url, headers=headers, timeout=_FETCH_SECONDS, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != 200:
                raise ValueError("the key set was not answered with 200")
            return _read_body(response)


def _read_body(response: requests.Response) -> bytes:
    """The timeout of a request is one of silence: a body that trickles in needs a limit of its own."""
    give_up = time.monotonic() + _FETCH_SECONDS
    content = b""
    while chunk := response.raw.read1(_MAX_BYTES + 1, decode_content=False):
        content = _within_limit(content + chunk)
        if time.monotonic() > give_up:
            raise ValueError("the key set came too slowly")
    return content


def _session() -> requests.Session:
    """No proxy or netrc of the environment: the address is configured, and so is the way to it."""
    session = requests.Session()
    session.trust_env = False
    return session


def _is_due(key_set: _KeySet, key_id: str, now: datetime) -> bool:
    """Whether to read again. Pauses keep made-up key ids from turning into requests to the client."""
    if key_set.tried_at is None:
        return True
    since_try = abs(now - key_set.tried_at)
    if key_set.read_at != key_set.tried_at:
        return since_try >= _FAILURE_PAUSE
    if since_try >= _FRESH_FOR:
        return True
    known = any(key.get("kid") == key_id for key in key_set.keys)
    return not known and since_try >= _UNKNOWN_KEY_PAUSE


def _within_limit(content: bytes) -> bytes:
    if len(content) > _MAX_BYTES:
        raise ValueError("the key set is too large")
    return content


def _read_set(content: bytes) -> tuple[Jwk, ...]:
    document = json.loads(content)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("the key set has no keys")  # noqa: TRY004 - a wrong value from outside, not a wrong call
    return tuple(key for key in keys if isinstance(key, dict))


def _fitting_key(keys: tuple[Jwk, ...], key_id: str, algorithm: str) -> jwt.PyJWK:
    named = [key for key in keys if key.get("kid") == key_id]
    if not named:
        raise UnauthorizedClient("the token names a key that is not in the client's key set")
    fitting = [key for key in named if _fits(key, algorithm)]
    if not fitting:
        raise UnauthorizedClient("the token's key was not made for its algorithm")
    try:
        key = jwt.PyJWK({name: fitting[0][name] for name in _PUBLIC_MEMBERS if name in fitting[0]}, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise UnauthorizedClient("the token's key is broken") from None
    if fitting[0]["kty"] == "RSA" and key.key.key_size < _LEAST_RSA_BITS:
        raise UnauthorizedClient("the token's RSA key is too short")
    return key


def _fits(key: Jwk, algorithm: str) -> bool:
    """Bind the algorithm to the key's own type, curve and purpose (RFC 7517, 4.1-4.4; RFC 8725, 3.1)."""
    if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        return False
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    if algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[algorithm]
    return key.get("kty") == "RSA"
