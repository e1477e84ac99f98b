"""Prefetch templates filled in with the values of a hook's context. Source: CDS Hooks 2.0, prefetch tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
USER_TYPES = {
    "userPractitionerId": "Practitioner",
    "userPractitionerRoleId": "PractitionerRole",
    "userPatientId": "Patient",
    "userRelatedPersonId": "RelatedPerson",
}


class UnresolvedToken(Exception):
    """A token names something that the context does not hold; the message is its name."""


def fill_template(template: str, context: Mapping[str, Any]) -> str:
    """The relative FHIR query. Raises: UnresolvedToken."""
    return TOKEN.sub(lambda found: _value_of(found[1], context), template)


def _value_of(token: str, context: Mapping[str, Any]) -> str:
    value = _user_id(token, context) if token in USER_TYPES else context.get(token.removeprefix("context."))
    if token not in USER_TYPES and not token.startswith("context."):
        raise UnresolvedToken(token)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value):
        raise UnresolvedToken(token)
    if any(part in (".", "..", "") for part in str(value).split("/")):
        raise UnresolvedToken(token)  # would lead to another path on the server
    return quote(str(value), safe="/")


def _user_id(token: str, context: Mapping[str, Any]) -> str | None:
    kind, _, own = str(context.get("userId") or "").rpartition("/")
    return own if kind.rpartition("/")[2] == USER_TYPES[token] else None
