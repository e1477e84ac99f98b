"""Reads the site's own orders (`orders:` of the site profile) and refuses what could not be used safely.

Every fault stops the start with one line that names the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds_service.card_files.drug_class_words import load_drug_classes
from cds_service.card_files.site_codes import ClaimedCodes
from cds_service.card_files.site_options import OptionReader
from cds_service.card_files.site_values import Place
from cds_service.clinical.cards import Link
from cds_service.clinical.codings import Coding
from cds_service.clinical.requested_tests import MEMBERS
from cds_service.clinical.site_orders import OrderOption, SiteOrders
from cds_service.clinical.suggestions import CHANGES_AN_ORDER, NEEDS_SITE_ORDER, SuggestionKind
from cds_service.clinical.terminology import Terminology

NAME = "orders"
CONFIGURABLE = tuple(kind for kind in SuggestionKind if kind not in CHANGES_AN_ORDER)


def load_site_orders(orders: Mapping[str, Any], terminology: Terminology, cards_dir: Path) -> SiteOrders:
    """The orders of the site, checked. Raises: SettingsError, CardFileError."""
    classes = load_drug_classes(cards_dir)
    reader = _Reader(OptionReader(terminology, classes), ClaimedCodes(terminology.orders))
    for name, content in orders.items():
        reader.read(name, content)
    return SiteOrders(reader.codes, reader.options, reader.links, classes)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Collects what each kind of suggestion is given."""

    option_reader: OptionReader
    claimed: ClaimedCodes
    codes: dict[str, tuple[Coding, ...]] = field(default_factory=dict)
    options: dict[SuggestionKind, tuple[OrderOption, ...]] = field(default_factory=dict)
    links: dict[SuggestionKind, Link] = field(default_factory=dict)

    def read(self, name: str, content: Any) -> None:
        place = Place(f"{NAME}.{name}")
        kind = _kind(place, name)
        entry = place.mapping(content, _orders_of(kind), "link")
        if "codes" in entry:
            self._take(place, kind.value, entry)
        if "members" in entry:
            self._members(place.member("members"), kind, entry["members"])
        if "options" in entry:
            self._take_options(place.member("options"), kind, entry["options"])
        if "link" in entry:
            self.links[kind] = place.member("link").link(entry["link"])

    def _take(self, place: Place, name: str, entry: Mapping[str, Any]) -> None:
        """The codes of a kind, or of a member."""
        self.codes[name] = place.member("codes").codings(entry["codes"])
        self.claimed.claim(place.member("codes"), name, self.codes[name])

    def _members(self, place: Place, kind: SuggestionKind, content: Any) -> None:
        for name, value in place.mapping(content, *(test.purpose for test in MEMBERS[kind])).items():
            inner = place.member(name)
            self._take(inner, name, inner.mapping(value, "codes"))

    def _take_options(self, place: Place, kind: SuggestionKind, content: Any) -> None:
        self.options[kind] = self.option_reader.options(place, kind, content)
        for number, option in enumerate(self.options[kind]):
            if option.item.dosage is None:
                inner = place.entry(number).member("order_set").member("codes")
                self.claimed.claim(inner, kind.value, option.item.codings)


def _kind(place: Place, name: str) -> SuggestionKind:
    if name in CHANGES_AN_ORDER:
        place.fault("acts on an order of the patient; there is nothing to set up for it")
    if name not in CONFIGURABLE:
        place.fault(f"is no kind of suggestion; known are {', '.join(CONFIGURABLE)}")
    return SuggestionKind(name)


def _orders_of(kind: SuggestionKind) -> str:
    """The member under which the orders of a kind stand."""
    if kind in NEEDS_SITE_ORDER:
        return "options"
    return "members" if kind in MEMBERS else "codes"
