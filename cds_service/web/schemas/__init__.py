"""The published JSON Schemas, compiled once, and their faults in words that never repeat what the caller sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

import orjson
from jsonschema import Draft202012Validator, ValidationError

NAMES = ("discovery", "request", "response", "feedback")
_MOST_FAULTS = 5
_LONGEST_STEP = 64
_ARTICLES = {"object": "an object", "array": "an array", "string": "a string", "null": "null"}
_WORDS = {
    "minLength": "must not be empty",
    "maxLength": "is too long",
    "minItems": "must not be empty",
    "pattern": "does not have the required form",
    "anyOf": "does not have the required form",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document: where, and what."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Return one of NAMES as it is published."""
    document = orjson.loads(files(__name__).joinpath(f"{name}.schema.json").read_bytes())
    return dict(document)


@cache
def validator(name: str, definition: str | None = None) -> Draft202012Validator:
    """Return the compiled validator of a schema, or of one of its definitions. Kept for the life of the process."""
    schema = read_schema(name)
    if definition is not None:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def find_faults(document: object, name: str, definition: str | None = None, *, at: str = "") -> list[Fault]:
    """Return the first faults of a document, in document order; `at` is the path at which the document lies."""
    found = validator(name, definition).iter_errors(document)
    errors = sorted(found, key=lambda error: list(map(str, error.absolute_path)))
    return [Fault(path, problem) for error in errors for path, problem in _describe(error, at)][:_MOST_FAULTS]


def _describe(error: ValidationError, at: str) -> Iterator[tuple[str, str]]:
    path = _path(error, at)
    if error.validator == "required":
        missing = _missing_member(error)
        yield f"{path}.{missing}" if path else missing, "is required"
    else:
        yield path, _problem(error)


def _path(error: ValidationError, at: str) -> str:
    path = at
    for step in error.absolute_path:
        name = str(step)[:_LONGEST_STEP]
        path += f"[{step}]" if isinstance(step, int) else f".{name}" if path else name
    return path


def _missing_member(error: ValidationError) -> str:
    """jsonschema gives one error for each missing member and names it only in its message."""
    names: list[str] = list(cast("list[str]", error.validator_value))
    return next(name for name in names if error.message.startswith(repr(name)))


def _problem(error: ValidationError) -> str:
    value = cast("Any", error.validator_value)
    match error.validator:
        case "type":
            types = [value] if isinstance(value, str) else value
            return "must be " + " or ".join(_ARTICLES.get(kind, f"a {kind}") for kind in types)
        case "enum":
            return "must be one of " + ", ".join(map(str, value))
        case "const":
            return f"must be {value}"
    return _WORDS.get(str(error.validator), "is not allowed here")
