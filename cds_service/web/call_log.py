"""One log line and one count for each request: which service, which status, how long, how many cards. Nothing else."""

from __future__ import annotations

import logging
import time
from typing import Any

from flask import Flask, Response, g, request

from cds_service.clinical.cards import HookAnswer
from cds_service.observability import Metrics, loggable_hook_instance

_log = logging.getLogger(__name__)
NO_SERVICE = "none"


def keep_call_log(app: Flask, metrics: Metrics) -> None:
    """Time every request, log it, and count the calls of services."""

    def start() -> None:
        g.started = time.perf_counter()
        g.call = {}

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        call: dict[str, Any] = g.call
        metrics.request_answered(call.get("service", NO_SERVICE), response.status_code, seconds)
        route = request.url_rule.rule if request.url_rule else "unknown"
        line = {
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }
        _log.info("request", extra=line | call)
        return response

    app.before_request(start)
    app.after_request(finish)


def note_service(service_id: str) -> None:
    """Say which service is called; only ids of ours, never what stands in the URL."""
    g.call["service"] = service_id


def note_call(hook_instance: str, issuer: str | None, tenant: str | None) -> None:
    g.call |= {"hookInstance": loggable_hook_instance(hook_instance), "issuer": issuer, "tenant": tenant}


def note_answer(answer: HookAnswer, metrics: Metrics) -> None:
    g.call["cards"] = len(answer.cards)
    metrics.cards_shown(answer)
