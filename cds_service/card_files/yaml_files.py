"""Reads YAML files of the library: no duplicate keys, dates and versions stay text, faults name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import CardFileError
from cds_service.setting_values import NO_VALUE

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader, without silent repetition of keys and without dates."""


def _mapping(loader: Any, node: Any, deep: bool = False) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands here twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in _Base.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    """The content of a YAML file. Raises: CardFileError."""
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as problem:
        raise CardFileError(f"cannot be read: {problem.strerror}", path=path) from problem
    except (yaml.YAMLError, *NO_VALUE) as problem:
        mark = getattr(problem, "problem_mark", None)
        message = getattr(problem, "problem", None) or "not valid YAML"
        raise CardFileError(f"not valid YAML: {message}", path=path, line=mark.line + 1 if mark else None) from problem


def line_of(path: Path, text: str) -> int | None:
    """The first line that holds a text, for messages about a value inside a file."""
    first = text.strip().splitlines()[0] if text.strip() else text
    lines = path.read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if first and first in line), None)
