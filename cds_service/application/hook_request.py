"""A CDS Hooks request after its envelope was read, and what the service publishes about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """Where and how the chart may be read for this call. `token` is transient: never stored, never logged."""

    base_url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who calls, as far as the caller proved it: `issuer` is None where the service runs without authentication.

    `fhir_servers` are the normalised base URLs that may be called for this caller; `prefetch_keys` maps the keys that
    this caller uses to ours (CONTRACT section 3).
    """

    issuer: str | None = None
    tenant: str | None = None
    fhir_servers: frozenset[str] = frozenset()
    prefetch_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of one service.

    `patient_id` is the bare id. `prefetch` is as sent: an absent key was not supplied, a key with None has no data
    (CDS Hooks 2.0, prefetch). `draft_orders` is the Bundle as sent or None; `selections` are references.
    `fhir` is set only where the server is allowed for this client. `client` and `tenant` name the caller where known.
    """

    service_id: str
    hook: str
    hook_instance: str
    patient_id: str
    context: Mapping[str, Any] = field(repr=False)
    prefetch: Mapping[str, Any] = field(default_factory=dict, repr=False)
    draft_orders: Mapping[str, Any] | None = field(default=None, repr=False)
    selections: tuple[str, ...] = ()
    fhir: FhirAccess | None = None
    fhir_refused: str | None = None
    client: str | None = None
    tenant: str | None = None
    prefetch_keys: Mapping[str, str] = field(default_factory=dict)
    extension: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """One entry of discovery; `prefetch` maps keys to CDS Hooks 2.0 templates."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str]
    usage_requirements: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card. `outcome` is accepted | overridden; `timestamp` is RFC 3339 text as sent."""

    card: str
    outcome: str
    timestamp: str
    accepted_suggestions: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    user_comment: str | None = field(default=None, repr=False)
