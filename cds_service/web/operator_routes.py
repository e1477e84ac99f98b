"""The routes for operators and tools: is it alive, is it ready, what does it count, what does it offer."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.application.discover import discover_services
from cds_service.observability import METRICS_CONTENT_TYPE
from cds_service.web.collaborators import Collaborators
from cds_service.web.headers import DISCOVERY_CACHING
from cds_service.web.hook_routes import json_response
from cds_service.web.openapi import describe_api


def operator_blueprint(parts: Collaborators) -> Blueprint:
    """/healthz, /readyz, /metrics and /openapi.json."""
    blueprint = Blueprint("operators", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return json_response({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        problems = [*parts.service.ready(), *filter(None, [parts.store.check()])]
        if not problems:
            return json_response({"status": "ready"})
        response = json_response({"status": "not ready", "problems": problems})
        response.status_code = 503
        return response

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(parts.metrics.text(), content_type=METRICS_CONTENT_TYPE)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        services = discover_services(parts.service.services)
        response = json_response(describe_api(services, parts.settings))
        response.headers["Cache-Control"] = DISCOVERY_CACHING
        return response

    return blueprint
