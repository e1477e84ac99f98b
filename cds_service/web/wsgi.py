"""The Flask application, put together from its collaborators; the order here is the way of a request."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask

from cds_service.web.call_log import keep_call_log
from cds_service.web.collaborators import Collaborators
from cds_service.web.headers import ResponseHeaders
from cds_service.web.hook_routes import hook_blueprint
from cds_service.web.operator_routes import operator_blueprint
from cds_service.web.pages import page_blueprint
from cds_service.web.problems import register_error_handlers
from cds_service.web.slashes import TidySlashes

STATIC_SECONDS = 3600


def make_app(parts: Collaborators) -> Flask:
    """Return the WSGI application."""
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = parts.settings.max_body_bytes + 1
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    keep_call_log(app, parts.metrics)
    ResponseHeaders(parts.settings.cors_origins, urlsplit(parts.settings.public_url).scheme == "https").add_to(app)
    register_error_handlers(app)
    for blueprint in (hook_blueprint(parts), operator_blueprint(parts), page_blueprint(parts)):
        app.register_blueprint(blueprint)
    app.wsgi_app = TidySlashes(app.wsgi_app)  # type: ignore[method-assign]
    return app


def utc_now() -> datetime:
    """The clock of the running service."""
    return datetime.now(UTC)
