"""Tolerant access to parsed JSON: what has the wrong shape reads as absent.

Nothing here knows FHIR; it only keeps odd shapes (an object for an array, a number for a text) from raising.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Json = Mapping[str, Any]

LONGEST_NUMBER = 40
"""No laboratory writes longer numbers; longer texts are not worth the arithmetic."""


def mapping(value: object) -> Json:
    """The object itself, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Json]:
    """The objects of an array; a lone object counts as an array of one, because clients send that."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A text that says something, without the white space around it, else None."""
    if not isinstance(value, str):
        return None
    return value.strip() or None


def number(value: object) -> Decimal | None:
    """An exact number of a JSON number or a text that is one, else None. Never a boolean, NaN or infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    written = str(value).strip()
    if len(written) > LONGEST_NUMBER:
        return None
    try:
        result = Decimal(written)
    except InvalidOperation:
        return None
    return result if result.is_finite() and abs(result.adjusted()) < LONGEST_NUMBER else None
