"""How the text of a setting becomes a typed value, and how a settings file is read.

Every fault is a SettingsError that names the setting. Knows no single setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

from cds_service.errors import SettingsError

Parser = Callable[[str, Any], Any]
"""Takes the name of a setting and its text, or its mapping; returns the value. Raises: SettingsError."""

_SIZE = re.compile(r"(\d{1,12})\s*(|B|KiB|MiB)", re.IGNORECASE)
_SIZES = {"": 1, "b": 1, "kib": 1024, "mib": 1024 * 1024}
_Key = TypeVar("_Key")
NO_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What PyYAML raises, besides its own errors, for texts that are no value of their tag, and for endless nesting."""


def base_url(text: str) -> str:
    """Normalise a base URL for comparison: lower-case scheme and host, no default port, no trailing slash.

    Raises: ValueError where it is no http or https URL, or has user information, a query or a fragment.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https URL")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must have no user, query or fragment")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default_port} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """True where `host` is this machine and nothing else. An empty host (all interfaces) is not."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def to_text(name: str, text: str) -> str:
    if not text.strip():
        raise SettingsError(f"{name}: must not be empty.")
    return text.strip()


def to_path(name: str, text: str) -> Path:
    return Path(to_text(name, text)).expanduser()


def to_directory(name: str, text: str) -> Path:
    path = to_path(name, text)
    if not path.is_dir():
        raise SettingsError(f"{name}: there is no directory {path}.")
    return path


def one_of(*choices: str) -> Parser:
    """One of some words, in any case."""

    def parse(name: str, text: str) -> str:
        for choice in choices:
            if choice.lower() == text.strip().lower():
                return choice
        raise SettingsError(f"{name}: must be one of {', '.join(choices)}, not {text!r}.")

    return parse


def to_switch(name: str, text: str) -> bool:
    return bool(one_of("on", "off")(name, text) == "on")


def whole_number(least: int, most: int) -> Parser:
    """A whole number from `least` to `most`."""

    def parse(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text.strip()) or not least <= int(text) <= most:
            raise SettingsError(f"{name}: must be a whole number from {least} to {most}, not {text!r}.")
        return int(text)

    return parse


def decimal(least: str, most: str) -> Parser:
    """A decimal number from `least` to `most`."""

    def parse(name: str, text: str) -> Decimal:
        try:
            number = Decimal(text.strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not Decimal(least) <= number <= Decimal(most):
            raise SettingsError(f"{name}: must be a number from {least} to {most}, not {text!r}.")
        return number

    return parse


def to_bytes(name: str, text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{name}: must be a number of bytes such as 16777216 or 16 MiB, not {text!r}.")
    return int(whole_number(1024, 1024**3)(name, str(int(match[1]) * _SIZES[match[2].lower()])))


def to_url(name: str, text: str) -> str:
    """The text is not repeated in the message: a URL may hold a password."""
    try:
        return base_url(text)
    except ValueError as problem:
        raise SettingsError(f"{name}: the URL {problem}.") from None


def items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def to_urls(name: str, text: str) -> frozenset[str]:
    return frozenset(to_url(name, item) for item in items(text))


def to_origins(name: str, text: str) -> tuple[str, ...]:
    if items(text) == ["*"]:
        return ("*",)
    origins = to_urls(name, text)
    for origin in origins:
        if urlsplit(origin).path:
            raise SettingsError(f"{name}: {origin} has a path; an origin is scheme, host and port.")
    return tuple(sorted(origins))


def to_mapping(name: str, value: object) -> Mapping[str, Any]:
    """A setting with members of its own; whoever they are for checks them."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name}: must be a mapping.")
    return {str(key): content for key, content in value.items()}


def printable(text: str) -> str:
    """A text on one line, for messages: what is no visible character stands there as its escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def as_text(value: Any) -> str:
    """YAML reads a bare on or off as true or false, and has lists where the environment has commas."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return "" if value is None else str(value)


def flatten(document: Mapping[str, Any]) -> dict[str, str]:
    """Members of a nested mapping get dotted names: `limits: {a: 1}` is `limits.a`."""
    flat: dict[str, str] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": as_text(content) for inner, content in value.items()}
        else:
            flat[key] = as_text(value)
    return flat


def read_yaml(name: str, path: Path) -> dict[str, Any]:
    """Read the YAML mapping that the setting `name` points at."""
    try:
        document = yaml.load(path.read_bytes(), Loader=_UniqueKeyLoader)  # noqa: S506 - derived from SafeLoader
    except OSError as problem:
        raise SettingsError(f"{name}: cannot read {path}: {problem.strerror}.") from problem
    except (yaml.YAMLError, *NO_VALUE) as problem:
        raise SettingsError(f"{name}: {path} is not readable as YAML{_place(problem)}.") from problem
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(f"{name}: {path} must be a mapping of names to values.")
    return {str(key): value for key, value in document.items()}


def _place(problem: Exception) -> str:
    if not isinstance(problem, yaml.MarkedYAMLError) or problem.problem_mark is None:
        return ""
    return f", line {problem.problem_mark.line + 1}: {problem.problem}"


class _UniqueKeyLoader(yaml.SafeLoader):
    """A setting written twice in one file is a mistake that nobody would see."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value.isprintable():
                said = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise yaml.MarkedYAMLError(problem=f"{said} is no name", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
