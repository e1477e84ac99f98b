"""The body of a POST as JSON: media type, size, syntax, depth and unique members are checked before anyone reads it."""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from cds_service.errors import InvalidHookRequest

DEEPEST = 100
"""FHIR resources are some 20 levels deep; every reader behind this may recurse."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACED_COLON = re.compile(rb'"\s+:')
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"(\s*:)?', re.DOTALL)


def read_json_body(request: Request, *, most_bytes: int) -> dict[str, Any]:
    """Return the JSON object of the body. The application stops reading one byte beyond `most_bytes`.

    Raises: UnsupportedMediaType, RequestEntityTooLarge, InvalidHookRequest.
    """
    check_media_type(request)
    body = request.get_data(cache=False)
    if len(body) > most_bytes:  # of a chunked body no length was announced, and reading on would cut it off silently
        raise RequestEntityTooLarge
    return parse_json_object(body)


def check_media_type(request: Request) -> None:
    """Any kind of JSON will do, and so will no Content-Type: hand-written clients forget it.

    Raises: UnsupportedMediaType.
    """
    subtype = request.mimetype.partition("/")[2]
    if request.mimetype and "json" not in subtype.split("+"):
        raise UnsupportedMediaType("Send the body as application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Raises: InvalidHookRequest with the place of the fault, never with what stands there."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.strip():
        raise InvalidHookRequest("The body is empty; a JSON object is needed.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise InvalidHookRequest(f"The body is not JSON (line {problem.lineno}, column {problem.colno}).") from None
    if not isinstance(document, dict):
        raise InvalidHookRequest("The body must be a JSON object.")
    members = _count_members(document)
    if _has_repeated_members(body, members):
        raise InvalidHookRequest("The body names a member twice in one object; which one counts cannot be known.")
    return document


def _count_members(document: dict[str, Any]) -> int:
    """Count the members of all objects, level by level. Raises: InvalidHookRequest where it is nested too deeply."""
    members = 0
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for container in level:
            if isinstance(container, dict):
                members += len(container)
                inner.extend(container.values())
            else:
                inner.extend(container)
        level = [value for value in inner if isinstance(value, dict | list)]
        if not level:
            return members
    raise InvalidHookRequest(f"The body is nested more than {DEEPEST} levels deep.")


def _has_repeated_members(body: bytes, members: int) -> bool:
    """The parser keeps the last of two members of one name, so fewer members are left than names were written.

    Names are counted exactly only where the quick count, which also sees `":` inside texts, cannot settle it.
    """
    if body.count(b'":') == members and _SPACED_COLON.search(body) is None:
        return False
    return sum(1 for colon in _STRING.findall(body) if colon) > members
