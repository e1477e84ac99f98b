"""The envelope of a hook call becomes a HookRequest: members, ids, drafts, and which FHIR server may be called.

What lies in prefetch is passed on as it came; reading it is the business of `fhir`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cds_service.application.hook_request import CallerIdentity, FhirAccess, HookRequest, ServiceDescription
from cds_service.errors import InvalidHookRequest
from cds_service.setting_values import base_url, is_loopback
from cds_service.web.schemas import find_faults

NOT_ALLOWED = "fhirServer is not on the allow-list"
NOT_A_URL = "fhirServer is not a base URL"
NOT_HTTPS = "fhirServer does not use https"

_ID = re.compile(r"[A-Za-z0-9\-._~]{1,256}")
_ORDER_HOOKS = frozenset({"order-select", "order-sign"})


def read_hook_request(
    body: Mapping[str, Any], service: ServiceDescription, caller: CallerIdentity, *, allow_http: bool = False
) -> HookRequest:
    """Check the envelope and return the request. `allow_http` lets FHIR servers beyond this machine do without TLS.

    Raises: InvalidHookRequest naming the member that is wrong.
    """
    _check_members(body, service)
    context = _read_context(body["context"], service.hook)
    fhir, refused = read_fhir_access(body, caller.fhir_servers, allow_http=allow_http)
    return HookRequest(
        service_id=service.id,
        hook=service.hook,
        hook_instance=body["hookInstance"],
        patient_id=context["patientId"],
        context=context,
        prefetch=body.get("prefetch") or {},
        draft_orders=context["draftOrders"] if service.hook in _ORDER_HOOKS else None,
        selections=tuple(context.get("selections") or ()) if service.hook == "order-select" else (),
        fhir=fhir,
        fhir_refused=refused,
        client=caller.issuer,
        tenant=caller.tenant,
        prefetch_keys=caller.prefetch_keys,
        extension=body.get("extension") or {},
    )


def _check_members(body: Mapping[str, Any], service: ServiceDescription) -> None:
    hook = body.get("hook")
    if isinstance(hook, str) and hook != service.hook:
        raise InvalidHookRequest(f"hook: this service is registered for {service.hook}.")
    faults = [str(fault) for fault in find_faults(body, "request")]
    if "context" not in body:
        faults.append("context.patientId: is required; a patient outside context is from before CDS Hooks 1.0")
    if faults:
        raise InvalidHookRequest("; ".join(faults) + ".")


def _read_context(context: Mapping[str, Any], hook: str) -> dict[str, Any]:
    """The context with bare ids. An encounterId that cannot be read is left out where the hook does not need it."""
    ids = {"patientId": bare_id(context["patientId"], "Patient")}
    encounter = context.get("encounterId")
    if isinstance(encounter, str):
        ids["encounterId"] = bare_id(encounter, "Encounter")
    for name, value in ids.items():
        if value is None and (name == "patientId" or hook == "encounter-start"):
            raise InvalidHookRequest(f"context.{name}: must be the id of the resource.")
    others = {name: value for name, value in context.items() if name not in {"patientId", "encounterId"}}
    return others | {name: value for name, value in ids.items() if value is not None}


def bare_id(text: str, resource_type: str) -> str | None:
    """Return the id of `Patient/1`, of an absolute or versioned URL, or of `1`; None where there is none.

    Only characters that mean nothing in a URL are accepted: the id becomes part of FHIR reads.
    """
    text = text.strip()
    found = re.search(rf"(?:^|/){resource_type}/([^/]+)(?:/_history/[^/]*)?/?$", text)
    candidate = found[1] if found else text
    return candidate if _ID.fullmatch(candidate) and candidate.strip(".") else None


def read_fhir_access(
    body: Mapping[str, Any], allowed: frozenset[str], *, allow_http: bool = False
) -> tuple[FhirAccess | None, str | None]:
    """Return the access to the client's FHIR server, or None and why it will not be called.

    Refusal is no error: prefetch may hold everything. The reason holds no URL.
    """
    server = body.get("fhirServer")
    if not server:
        return None, None
    try:
        base = base_url(server)
    except ValueError:
        return None, NOT_A_URL
    if base not in allowed:
        return None, NOT_ALLOWED
    parts = urlsplit(base)
    if parts.scheme != "https" and not allow_http and not is_loopback(parts.hostname or ""):
        return None, NOT_HTTPS
    return FhirAccess(base, _read_token(body.get("fhirAuthorization"))), None


def _read_token(authorization: Mapping[str, Any] | None) -> str | None:
    """The bearer token. One of another kind is left alone: it could not be used as intended."""
    if not authorization or authorization.get("token_type", "Bearer").lower() != "bearer":
        return None
    token = authorization.get("access_token") or ""
    return token if re.fullmatch(r"[\x21-\x7e]+", token) else None
