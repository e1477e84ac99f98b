"""A small CDS Hooks 2.0 client: discovery, prefetch from a FHIR server, the call, feedback.

It plays the EHR for `cds-service fire` and for the demo, so it knows the protocol only: nothing of this service's
inside, nothing of medicine. What it decides (filling a template, building a request) is in functions without I/O.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from cds_service.errors import CdsServiceError

Json = dict[str, Any]

TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
USER_TOKENS = {
    "Practitioner": "userPractitionerId",
    "PractitionerRole": "userPractitionerRoleId",
    "Patient": "userPatientId",
    "RelatedPerson": "userRelatedPersonId",
}
FHIR_JSON = "application/fhir+json"
TIMEOUT_SECONDS = 30.0


class CdsClientError(CdsServiceError):
    """The CDS service could not be reached, or what it answered is not CDS Hooks."""


@dataclass(frozen=True, slots=True)
class CdsServiceEntry:
    """One service of a discovery answer."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CdsCall:
    """One answer. `body` is None where it was no JSON; `milliseconds` is the time of the call as the caller saw it."""

    status: int
    body: Any = field(repr=False)
    milliseconds: float

    @property
    def ok(self) -> bool:
        """Whether the service answered with cards (perhaps none)."""
        return self.status == 200 and isinstance(self.body, dict) and isinstance(self.body.get("cards"), list)

    @property
    def cards(self) -> list[Json]:
        """The cards, most urgent first as the service sent them; none where the call failed."""
        return list(self.body["cards"]) if self.ok else []

    @property
    def problem(self) -> str:
        """Why the call failed, in the words of its OperationOutcome; empty where it did not."""
        return "" if self.ok else f"HTTP {self.status}{_diagnostics(self.body)}"


def template_values(context: Mapping[str, Any]) -> dict[str, str]:
    """The values of all prefetch tokens: first-level primitives of the context, and the id of the user's own type."""
    values = {f"context.{name}": str(value) for name, value in context.items() if _is_primitive(value)}
    kind, _, user_id = str(context.get("userId", "")).partition("/")
    if user_id and kind in USER_TOKENS:
        values[USER_TOKENS[kind]] = user_id
    return values


def fill_template(template: str, values: Mapping[str, str]) -> str | None:
    """The relative FHIR URL of a prefetch template, None where one of its tokens has no value."""
    if any(token not in values for token in TOKEN.findall(template)):
        return None
    return TOKEN.sub(lambda match: quote(values[match[1]], safe="/"), template)


def fill_templates(templates: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, str]:
    """The URLs of all prefetch keys that can be filled in; the others are left out, as the specification asks."""
    values = template_values(context)
    urls = {key: fill_template(template, values) for key, template in templates.items()}
    return {key: url for key, url in urls.items() if url is not None}


def build_context(
    hook: str,
    *,
    patient_id: str,
    user_id: str,
    encounter_id: str | None = None,
    draft_orders: Json | None = None,
    selections: Sequence[str] | None = None,
) -> Json:
    """The context of a hook. On order-select every draft is selected unless `selections` says which."""
    context: Json = {"userId": user_id, "patientId": patient_id}
    if encounter_id is not None:
        context["encounterId"] = encounter_id
    if draft_orders is not None:
        context["draftOrders"] = draft_orders
        if hook == "order-select":
            context["selections"] = references(draft_orders) if selections is None else list(selections)
    return context


def references(bundle: Mapping[str, Any]) -> list[str]:
    """The relative references of the resources in a Bundle."""
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    return [f"{resource['resourceType']}/{resource['id']}" for resource in resources]


def build_request(
    hook: str,
    context: Json,
    *,
    prefetch: Json | None = None,
    fhir_server: str | None = None,
    hook_instance: str | None = None,
) -> Json:
    """A CDS Hooks request; what is None is left out. `hook_instance` is a new UUID unless given."""
    request: Json = {"hook": hook, "hookInstance": hook_instance or str(uuid.uuid4())}
    if fhir_server is not None:
        request["fhirServer"] = fhir_server
    request["context"] = context
    if prefetch is not None:
        request["prefetch"] = prefetch
    return request


class CdsClient:
    """Calls the CDS service at `base_url` (its discovery URL will do too). Use it in a `with` block."""

    def __init__(self, base_url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/cds-services")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc of the environment between us and a local service

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._session.close()

    def discover(self) -> list[CdsServiceEntry]:
        """The services on offer. Raises: CdsClientError."""
        url = f"{self.base_url}/cds-services"
        answer = self._send("GET", url)
        services = answer.body.get("services") if answer.status == 200 and isinstance(answer.body, dict) else None
        if not isinstance(services, list):
            raise CdsClientError(
                f"{url} answered HTTP {answer.status}, which is no CDS Hooks discovery: check the URL."
            )
        return [_read_entry(service, url) for service in services]

    def prefetch(self, templates: Mapping[str, str], context: Mapping[str, Any], fhir_server: str) -> Json:
        """What the FHIR server has for the templates.

        A key whose template cannot be filled in or whose read failed is left out; a resource that does not exist is
        None: the service can tell "could not be read" from "there is none".
        """
        found: Json = {}
        for key, url in fill_templates(templates, context).items():
            status, resource = self._read_fhir(f"{fhir_server.rstrip('/')}/{url.lstrip('/')}")
            if status == 200 or (status == 404 and "?" not in url):
                found[key] = resource if status == 200 else None
        return found

    def call(self, service_id: str, request: Json) -> CdsCall:
        """Call a service. Every HTTP status is an answer. Raises: CdsClientError where there is none."""
        return self._send("POST", f"{self.base_url}/cds-services/{quote(service_id, safe='')}", request)

    def feedback(self, service_id: str, feedback: Sequence[Mapping[str, Any]]) -> CdsCall:
        """Send what became of cards. Raises: CdsClientError where there is no answer."""
        url = f"{self.base_url}/cds-services/{quote(service_id, safe='')}/feedback"
        return self._send("POST", url, {"feedback": [dict(entry) for entry in feedback]})

    def _send(self, method: str, url: str, body: Json | None = None) -> CdsCall:
        started = time.perf_counter()
        try:
            answer = self._session.request(
                method, url, json=body, headers={"Accept": "application/json"}, timeout=self._timeout
            )
        except requests.RequestException as error:
            hint = "is the service running there?" if "://" in url else "the URL needs http:// or https://"
            raise CdsClientError(f"No answer from {url} ({type(error).__name__}): {hint}") from error
        milliseconds = (time.perf_counter() - started) * 1000
        return CdsCall(answer.status_code, _json_or_none(answer), milliseconds)

    def _read_fhir(self, url: str) -> tuple[int, Any]:
        """Status and resource; status 0 where there was no answer or no JSON."""
        try:
            answer = self._session.get(url, headers={"Accept": FHIR_JSON}, timeout=self._timeout)
        except requests.RequestException:
            return 0, None
        resource = _json_or_none(answer)
        return (answer.status_code, resource) if isinstance(resource, dict) else (0, None)


def _read_entry(service: Any, url: str) -> CdsServiceEntry:
    try:
        return CdsServiceEntry(
            id=service["id"],
            hook=service["hook"],
            title=service.get("title", service["id"]),
            description=service["description"],
            prefetch=service.get("prefetch", {}),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise CdsClientError(f"{url} lists a service without {error}: it breaks CDS Hooks 2.0.") from error


def _json_or_none(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None


def _diagnostics(body: Any) -> str:
    issues = body.get("issue") if isinstance(body, dict) else None
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    return f": {first['diagnostics']}" if first.get("diagnostics") else ""


def _is_primitive(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
