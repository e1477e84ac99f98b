"""The file of trusted CDS clients (CDS_CLIENTS): who may call, with which keys, and which FHIR servers are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.errors import SettingsError
from cds_service.setting_values import is_loopback, read_yaml, to_url

DEFAULT_ALGORITHMS = ("ES384", "RS384")
_ASYMMETRIC_ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_MEMBERS = frozenset(
    {"iss", "jku", "jwks_file", "algorithms", "tenant", "tenants", "fhir_servers", "prefetch_keys", "audience"}
)


@dataclass(frozen=True, slots=True)
class TrustedClient:
    """One CDS client whose tokens are accepted.

    Its keys come from `jku` (fetched) or from `jwks_file`, never from both. `audiences` are accepted besides the URL
    that was called, without a trailing slash. Empty `tenants` accepts any. `fhir_servers` are normalised base URLs.
    """

    iss: str
    jku: str | None = None
    jwks_file: Path | None = None
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    tenants: frozenset[str] = frozenset()
    fhir_servers: frozenset[str] = frozenset()
    prefetch_keys: Mapping[str, str] = field(default_factory=dict)
    audiences: frozenset[str] = frozenset()


def read_clients(path: Path) -> tuple[TrustedClient, ...]:
    """Read the file of trusted clients: a mapping with a list `clients`.

    Raises: SettingsError naming the entry and its member.
    """
    entries = read_yaml("CDS_CLIENTS", path).get("clients")
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"CDS_CLIENTS: {path} needs a list `clients:` with at least one entry.")
    clients = tuple(_read_client(f"CDS_CLIENTS: clients[{n}]", entry, path.parent) for n, entry in enumerate(entries))
    issuers = [client.iss for client in clients]
    for issuer in issuers:
        if issuers.count(issuer) > 1:
            raise SettingsError(f"CDS_CLIENTS: the iss {issuer} has more than one entry.")
    return clients


def _read_client(place: str, entry: Any, directory: Path) -> TrustedClient:
    if not isinstance(entry, dict):
        raise SettingsError(f"{place}: must be a mapping.")
    unknown = sorted(map(str, entry.keys() - _MEMBERS))
    if unknown:
        raise SettingsError(f"{place}: unknown members: {', '.join(unknown)}.")
    iss = _text(place, entry, "iss")
    if iss is None:
        raise SettingsError(f"{place}.iss: is missing.")
    jku, jwks_file = _key_source(place, entry, directory)
    return TrustedClient(
        iss=iss,
        jku=jku,
        jwks_file=jwks_file,
        algorithms=_algorithms(place, entry),
        tenants=frozenset(_texts(place, entry, "tenants") + _texts(place, entry, "tenant")),
        fhir_servers=frozenset(to_url(f"{place}.fhir_servers", url) for url in _texts(place, entry, "fhir_servers")),
        prefetch_keys=_prefetch_keys(place, entry),
        audiences=frozenset(audience.rstrip("/") for audience in _texts(place, entry, "audience")),
    )


def _text(place: str, entry: Mapping[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{place}.{name}: must be a text that is not empty.")
    return value.strip()


def _texts(place: str, entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = entry.get(name) or []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise SettingsError(f"{place}.{name}: must be a list of texts.")
    return tuple(text.strip() for text in texts)


def _key_source(place: str, entry: Mapping[str, Any], directory: Path) -> tuple[str | None, Path | None]:
    jku, jwks_file = _text(place, entry, "jku"), _text(place, entry, "jwks_file")
    if (jku is None) == (jwks_file is None):
        raise SettingsError(f"{place}: needs either jku or jwks_file.")
    if jku is not None and urlsplit(jku).scheme != "https" and not is_loopback(urlsplit(jku).hostname or ""):
        raise SettingsError(f"{place}.jku: must be an https URL.")
    if jwks_file is None:
        return jku, None
    path = directory / Path(jwks_file).expanduser()
    if not path.is_file():
        raise SettingsError(f"{place}.jwks_file: there is no file {path}.")
    return None, path


def _algorithms(place: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    algorithms = _texts(place, entry, "algorithms") or DEFAULT_ALGORITHMS
    for algorithm in algorithms:
        if algorithm not in _ASYMMETRIC_ALGORITHMS:
            raise SettingsError(f"{place}.algorithms: {algorithm!r} is not one of {', '.join(_ASYMMETRIC_ALGORITHMS)}.")
    return algorithms


def _prefetch_keys(place: str, entry: Mapping[str, Any]) -> Mapping[str, str]:
    value = entry.get("prefetch_keys") or {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise SettingsError(f"{place}.prefetch_keys: must map the client's keys to ours.")
    return dict(value)
