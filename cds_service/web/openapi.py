"""OpenAPI 3.1 of all routes, built from the published JSON Schemas and from the services that are really offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service import __version__
from cds_service.application.hook_request import ServiceDescription
from cds_service.settings import Settings
from cds_service.web.schemas import NAMES, read_schema

_ERRORS = {
    "400": "The request is malformed or contradicts itself; diagnostics name the member.",
    "404": "There is no service of that id.",
    "413": "The request is larger than CDS_MAX_BODY_BYTES.",
    "415": "The body is not JSON.",
    "500": "The service failed.",
}
_UNAUTHORIZED = {"401": {"description": "The caller did not prove who it is. The body is empty."}}
_MISSING_DATA = {"412": "Needed data were neither sent nor obtainable; diagnostics name the prefetch key."}
_NOT_KEPT = {"503": "The feedback could not be kept."}
_OUTCOME = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "properties": {
                    "severity": {"const": "error"},
                    "code": {"type": "string"},
                    "diagnostics": {"type": "string"},
                },
            },
        },
    },
}
_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}, "problems": {"type": "array", "items": {"type": "string"}}},
}


def describe_api(services: Iterable[ServiceDescription], settings: Settings) -> dict[str, Any]:
    """The whole document."""
    service_ids = [service.id for service in services]
    security: list[dict[str, list[str]]] = [{"clientToken": []}] if settings.auth == "jwt" else []
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leukopenia CDS",
            "version": __version__,
            "description": "CDS Hooks 2.0 services on FHIR R4 for leukopenia and neutropenia.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": settings.public_url}],
        "paths": _hook_paths(service_ids, security) | _operator_paths() | _page_paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"clientToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _hook_paths(service_ids: list[str], security: list[dict[str, list[str]]]) -> dict[str, Any]:
    which = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "enum": service_ids}}]
    unauthorized = _UNAUTHORIZED if security else {}
    call = _json_answer("The cards.", "Response") | unauthorized | _outcomes(_ERRORS | _MISSING_DATA)
    kept = _json_answer("The feedback is kept.", None) | unauthorized | _outcomes(_ERRORS | _NOT_KEPT)
    return {
        "/cds-services": {
            "get": {
                "operationId": "discoverServices",
                "summary": "The services and the prefetch that each asks for",
                "responses": _json_answer("The services.", "Discovery"),
            }
        },
        "/cds-services/{id}": {
            "post": _post("callService", "Call a service on its hook", which, security, "Request", call)
        },
        "/cds-services/{id}/feedback": {
            "post": _post("sendFeedback", "Say what became of cards", which, security, "Feedback", kept)
        },
    }


def _post(
    operation: str,
    summary: str,
    parameters: list[dict[str, Any]],
    security: list[dict[str, list[str]]],
    body: str,
    responses: dict[str, Any],
) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters,
        "security": security,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _reference(body)}}},
        "responses": responses,
    }


def _operator_paths() -> dict[str, Any]:
    not_ready = {"503": {"description": "What is wrong.", "content": {"application/json": {"schema": _STATUS}}}}
    return {
        "/healthz": {"get": _get("checkHealth", "Is the process alive?", "application/json", _STATUS)},
        "/readyz": {"get": _get("checkReadiness", "Can calls be answered?", "application/json", _STATUS, not_ready)},
        "/metrics": {"get": _get("readMetrics", "Prometheus metrics", "text/plain", {"type": "string"})},
        "/openapi.json": {"get": _get("describeApi", "This document", "application/json", {"type": "object"})},
    }


def _page_paths() -> dict[str, Any]:
    page = {"type": "string"}
    rule = {"name": "ruleId", "in": "path", "required": True, "schema": {"type": "string"}}
    no_rule = _outcomes({"404": "There is no such rule."})
    off = _outcomes({"404": "The start page is not switched on."})
    return {
        "/guidelines": {"get": _get("listGuidelines", "The rules, for people", "text/html", page)},
        "/guidelines/{ruleId}": {
            "get": _get("showGuideline", "One rule, for people", "text/html", page, no_rule) | {"parameters": [rule]}
        },
        "/": {"get": _get("startPage", "Start page, only with CDS_PLAYGROUND=on", "text/html", page, off)},
    }


def _get(
    operation: str, summary: str, media_type: str, schema: dict[str, Any], more: dict[str, Any] | None = None
) -> dict[str, Any]:
    answer = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    return {"operationId": operation, "summary": summary, "responses": answer | (more or {})}


def _json_answer(description: str, schema: str | None) -> dict[str, Any]:
    content = _reference(schema) if schema else {"type": "object"}
    return {"200": {"description": description, "content": {"application/json": {"schema": content}}}}


def _outcomes(descriptions: dict[str, str]) -> dict[str, Any]:
    content = {"application/json": {"schema": _reference("OperationOutcome")}}
    return {status: {"description": text, "content": content} for status, text in descriptions.items()}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Any]:
    """The published schemas, their definitions beside them: many OpenAPI tools know no `$defs`."""
    schemas: dict[str, Any] = {"OperationOutcome": _OUTCOME}
    for name in NAMES:
        title = name.capitalize()
        document = {key: value for key, value in read_schema(name).items() if not key.startswith("$")}
        schemas[title] = _moved(document, title)
        for inner, definition in read_schema(name)["$defs"].items():
            schemas[f"{title}{inner}"] = _moved(definition, title)
    return schemas


def _moved(schema: Any, title: str) -> Any:
    if isinstance(schema, dict):
        return {key: _moved(value, title) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_moved(item, title) for item in schema]
    if isinstance(schema, str) and schema.startswith("#/$defs/"):
        return f"#/components/schemas/{title}{schema.removeprefix('#/$defs/')}"
    return schema
