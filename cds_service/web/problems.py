"""The one table of errors: which exception becomes which HTTP status and which OperationOutcome.

Nothing that is said here carries patient data, a token or the words of an exception that was not written for callers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_service.errors import (
    CdsServiceError,
    ChartUnavailable,
    InvalidHookRequest,
    StoreUnavailable,
    UnauthorizedClient,
    UnknownService,
    UnsupportedRelease,
)
from cds_service.observability import where_raised
from cds_service.web.rendering import to_json

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """How one kind of failure is answered. `code` is a FHIR issue type; `says` replaces the words of the exception."""

    status: int
    code: str
    says: str | None = None


ERROR_TABLE: dict[type[CdsServiceError], Problem] = {
    InvalidHookRequest: Problem(400, "invalid"),
    UnknownService: Problem(404, "not-found"),
    ChartUnavailable: Problem(412, "incomplete"),
    UnsupportedRelease: Problem(412, "not-supported"),
    StoreUnavailable: Problem(503, "transient", "The feedback could not be kept; please send it again later."),
}

HTTP_TABLE: dict[int, Problem] = {
    400: Problem(400, "invalid", "The request could not be read."),
    404: Problem(404, "not-found", "There is nothing at this URL; see GET /cds-services."),
    405: Problem(405, "not-supported", "This URL does not support that method."),
    413: Problem(413, "too-long", "The request is larger than this service accepts."),
    415: Problem(415, "not-supported"),
}

UNEXPECTED = Problem(500, "exception", "The service failed. No guidance was computed.")


def register_error_handlers(app: Flask) -> None:
    """Answer every error of the application from the table."""
    app.register_error_handler(UnauthorizedClient, _answer_unauthorized)
    app.register_error_handler(CdsServiceError, _answer_service_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unexpected)


def operation_outcome(problem: Problem, *diagnostics: str) -> Response:
    """An OperationOutcome with one issue for each diagnostic text."""
    texts = diagnostics or (problem.says or "",)
    issues = [{"severity": "error", "code": problem.code, "diagnostics": text} for text in texts]
    body = to_json({"resourceType": "OperationOutcome", "issue": issues})
    return Response(body, status=problem.status, content_type="application/json")


def _answer_unauthorized(error: UnauthorizedClient) -> Response:
    """A bare 401: what was wrong with the token helps only someone who forges one."""
    _log.warning("client_refused", extra={"reason": str(error)})
    response = Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    del response.headers["Content-Type"]
    return response


def _answer_service_error(error: CdsServiceError) -> Response:
    for kind in type(error).__mro__:
        problem = ERROR_TABLE.get(kind)
        if problem is not None:
            return operation_outcome(problem, problem.says or str(error))
    return _answer_unexpected(error)


def _answer_http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(status=error.code or 500, headers=error.get_headers())
    if error.code >= 500:
        return _answer_unexpected(error)
    problem = HTTP_TABLE.get(error.code, Problem(error.code, "invalid", "The request was refused."))
    response = operation_outcome(problem, problem.says or error.description or "")
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _answer_unexpected(error: Exception) -> Response:
    _log.error("request_failed", extra={"error": type(error).__name__, "where": where_raised(error)})
    return operation_outcome(UNEXPECTED)
