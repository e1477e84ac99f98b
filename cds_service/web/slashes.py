"""One slash where clients send two or one too many: the Sandbox makes `//id` of a discovery URL that ends in a slash.

A redirect would not do: browsers drop the Authorization header or the body on the way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH_AS_CALLED = "cds_service.path_as_called"
"""Where the environment keeps the path before it was tidied: a token's aud follows what the client called."""

_SLASHES = re.compile(r"/{2,}")


class TidySlashes:
    """WSGI middleware."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        environ[PATH_AS_CALLED] = path
        environ["PATH_INFO"] = _SLASHES.sub("/", path).rstrip("/") or "/"
        return self._application(environ, start_response)
