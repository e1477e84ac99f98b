"""Who calls: the two ways in which a caller is let in. How a token is verified is `client_tokens`' business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Request

from cds_service.application.hook_request import CallerIdentity
from cds_service.errors import UnauthorizedClient


class TokenVerifier(Protocol):
    """Checks a client's signed token."""

    def verify(self, token: str, *, audiences: frozenset[str], now: datetime) -> CallerIdentity:
        """Return who signed it. Raises: UnauthorizedClient, StoreUnavailable."""
        ...


class Authenticator(Protocol):
    """Lets a caller in or not."""

    def authenticate(self, request: Request, audiences: frozenset[str], *, now: datetime) -> CallerIdentity:
        """Return who calls. `audiences` are the URLs that a token may be made out for. Raises: UnauthorizedClient."""
        ...


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """CDS_AUTH=off: everybody may call; a token is not looked at. The FHIR servers are those of the settings."""

    fhir_servers: frozenset[str] = frozenset()

    def authenticate(self, request: Request, audiences: frozenset[str], *, now: datetime) -> CallerIdentity:
        return CallerIdentity(fhir_servers=self.fhir_servers)


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """CDS_AUTH=jwt: a bearer token on every call."""

    verifier: TokenVerifier

    def authenticate(self, request: Request, audiences: frozenset[str], *, now: datetime) -> CallerIdentity:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthorizedClient("no bearer token")
        return self.verifier.verify(token.strip(), audiences=audiences, now=now)


def audiences_of(public_url: str, *paths: str) -> frozenset[str]:
    """The URLs that a token for these paths may name, with and without a slash at the end.

    Behind a proxy the service does not see the URL that the client called: the public one is what counts.
    """
    urls = {public_url.rstrip("/") + path.rstrip("/") for path in paths}
    return frozenset(urls | {f"{url}/" for url in urls})
