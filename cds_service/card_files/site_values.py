"""Values of the site's own orders: texts, codes and links, each checked where it stands.

Every fault is a SettingsError that names the place; a URL is never repeated, because it may hold a password.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from cds_service.clinical.cards import Link
from cds_service.clinical.codings import Coding
from cds_service.errors import SettingsError
from cds_service.setting_values import printable

LONGEST_TEXT = 200
_ADDRESS = re.compile(r"(?:https?://|urn:)[^\s<>\"\\]+", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what a clinician would not see: control and zero-width characters, halves of characters."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the site profile, such as `orders.empiric-antibiotics.options[0]`."""

    name: str

    def fault(self, message: str) -> NoReturn:
        raise SettingsError(printable(f"{self.name}: {message}."))

    def member(self, name: str) -> Place:
        return Place(f"{self.name}.{name}")

    def entry(self, number: int) -> Place:
        return Place(f"{self.name}[{number}]")

    def mapping(self, value: Any, *allowed: str) -> dict[str, Any]:
        """A mapping that is not empty and has no other members than these."""
        if not isinstance(value, Mapping) or not value:
            self.fault(f"must be a mapping with {' or '.join(allowed)}")
        unknown = sorted(str(name) for name in value if name not in allowed)
        if unknown:
            self.fault(f"unknown members: {', '.join(unknown)}; known are {', '.join(allowed)}")
        return dict(value)

    def each(self, value: Any) -> list[tuple[Place, Any]]:
        """The entries of a list that is not empty, with their places."""
        if not isinstance(value, list) or not value:
            self.fault("must be a list with at least one entry")
        return [(self.entry(number), entry) for number, entry in enumerate(value)]

    def text(self, entry: Mapping[str, Any], name: str) -> str:
        """A member that is a text."""
        return self.member(name).words(entry.get(name))

    def words(self, value: Any) -> str:
        """A text on one line. YAML reads 007 as a number: such codes must stand in quotes."""
        if value is None:
            self.fault("is missing")
        if not isinstance(value, str):
            self.fault("must be a text; put it in quotes")
        said = value.strip()
        if not any(map(str.isalnum, said)) or any(unicodedata.category(letter) in _UNSEEN for letter in said):
            self.fault("must be a text on one line that is not empty, without invisible characters")
        if len(said) > LONGEST_TEXT:
            self.fault(f"must have at most {LONGEST_TEXT} characters")
        return said

    def codings(self, value: Any) -> tuple[Coding, ...]:
        """One or several codes, each with system, code and display."""
        return tuple(place.coding(entry) for place, entry in self.each(value))

    def coding(self, value: Any) -> Coding:
        entry = self.mapping(value, "system", "code", "display")
        system, code, display = (self.text(entry, name) for name in ("system", "code", "display"))
        if not _ADDRESS.fullmatch(system):
            self.member("system").fault(
                "must be the address of a code system, such as http://loinc.org or urn:oid:1.2.3"
            )
        if "  " in code:
            self.member("code").fault("must have no double spaces")
        return Coding(system, code, display)

    def link(self, value: Any) -> Link:
        """A link with the words that are shown; only https."""
        entry = self.mapping(value, "label", "url")
        label, url = self.text(entry, "label"), self.text(entry, "url")
        if not _is_safe(url):
            self.member("url").fault("must be an https URL with a host, without user, spaces or backslashes")
        return Link(label, url)


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and parts.username is None
            and parts.port != 0
            and _ADDRESS.fullmatch(url) is not None
        )
    except ValueError:
        return False
