"""The routes of CDS Hooks: discovery, the call of a service, and feedback. Each reads as the way of a request."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.application.discover import discover_services, find_service
from cds_service.application.hook_request import CallerIdentity, HookRequest
from cds_service.application.ports import ServedCards
from cds_service.clinical.cards import HookAnswer
from cds_service.web.authentication import audiences_of
from cds_service.web.call_log import note_answer, note_call, note_service
from cds_service.web.collaborators import Collaborators
from cds_service.web.envelope import read_hook_request
from cds_service.web.feedback import read_feedback
from cds_service.web.headers import DISCOVERY_CACHING
from cds_service.web.json_body import read_json_body
from cds_service.web.problems import Problem, operation_outcome
from cds_service.web.rendering import render_answer, render_discovery, to_json
from cds_service.web.slashes import PATH_AS_CALLED

_PARTLY_KEPT = Problem(400, "invalid")


def hook_blueprint(parts: Collaborators) -> Blueprint:
    """The three routes, bound to their collaborators."""
    blueprint = Blueprint("hooks", __name__)
    most_bytes = parts.settings.max_body_bytes

    @blueprint.get("/cds-services")
    def discovery() -> Response:
        """Open to everybody: it says nothing that is not public, and most clients ask without a token."""
        response = json_response(render_discovery(discover_services(parts.service.services)))
        response.headers["Cache-Control"] = DISCOVERY_CACHING
        return response

    @blueprint.post("/cds-services/<service_id>")
    def call_service(service_id: str) -> Response:
        caller = _authenticate(parts)
        service = find_service(parts.service.services, service_id)
        note_service(service.id)
        body = read_json_body(request, most_bytes=most_bytes)
        hook_request = read_hook_request(body, service, caller, allow_http=parts.settings.allow_insecure)
        note_call(hook_request.hook_instance, caller.issuer, caller.tenant)
        answer = _answer(parts, hook_request)
        return json_response(render_answer(answer, explain=parts.settings.explain))

    @blueprint.post("/cds-services/<service_id>/feedback")
    def receive_feedback(service_id: str) -> Response:
        """What could be read is kept even where the rest is refused: the client will hardly send it again."""
        caller = _authenticate(parts, f"/cds-services/{service_id}")
        service = find_service(parts.service.services, service_id)
        note_service(service.id)
        batch = read_feedback(read_json_body(request, most_bytes=most_bytes))
        if batch.entries:
            parts.store.record_feedback(service.id, batch.entries, client=caller.issuer, received_at=parts.clock())
        if batch.faults:
            return operation_outcome(_PARTLY_KEPT, *batch.faults)
        return json_response({})

    return blueprint


def json_response(document: object) -> Response:
    """A 200 with JSON."""
    return Response(to_json(document), content_type="application/json")


def _authenticate(parts: Collaborators, *other_paths: str) -> CallerIdentity:
    """A token is made out for the URL that was called; for feedback some clients name that of the service."""
    paths = (request.path, request.environ[PATH_AS_CALLED], *other_paths)
    audiences = audiences_of(parts.settings.public_url, *paths)
    return parts.authenticator.authenticate(request, audiences, now=parts.clock())


def _answer(parts: Collaborators, hook_request: HookRequest) -> HookAnswer:
    now = parts.clock()
    answer = parts.service.answer(hook_request, now=now)
    note_answer(answer, parts.metrics)
    parts.store.remember(
        ServedCards(
            service_id=hook_request.service_id,
            hook_instance=hook_request.hook_instance,
            client=hook_request.client,
            tenant=hook_request.tenant,
            served_at=now,
            cards=answer.cards,
            patient_id=hook_request.patient_id,
        )
    )
    return answer
