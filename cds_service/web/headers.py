"""The headers of every response: CORS for browser clients, caching, and what keeps browsers from doing harm."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Request, Response, request

ALLOWED_HEADERS = "Authorization, Content-Type, Accept"
ALLOWED_METHODS = "GET, POST, OPTIONS"
PREFLIGHT_SECONDS = "600"
DISCOVERY_CACHING = "public, max-age=60"
PAGE_CACHING = "public, max-age=60"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """What the settings decide about headers."""

    origins: tuple[str, ...]
    https: bool

    def add_to(self, app: Flask) -> None:
        """Answer preflights before anything else, and dress every response, errors too."""
        app.before_request(self._answer_preflight)
        app.after_request(self._dress)

    def _answer_preflight(self) -> Response | None:
        """A preflight carries no token, so it never reaches authentication. Where there is nothing, it gets 404."""
        if request.method != "OPTIONS" or request.routing_exception is not None:
            return None
        return Response(status=204)

    def _dress(self, response: Response) -> Response:
        self._allow_origin(request, response)
        headers = response.headers
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        is_page = response.mimetype == "text/html"
        headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
        if self.https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    def _allow_origin(self, request: Request, response: Response) -> None:
        if not self.origins:
            return
        origin = request.headers.get("Origin", "")
        if "*" in self.origins:
            response.headers["Access-Control-Allow-Origin"] = "*"
        else:
            response.vary.add("Origin")
            if origin.lower() not in self.origins:
                return
            response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
