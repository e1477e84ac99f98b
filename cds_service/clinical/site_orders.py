"""What a hospital orders for each kind of suggestion: its own codes, ready-made orders of drugs, links.

Read and checked at the start (card_files.site_orders); without any of it the codes of cards/codes/orders.csv are
written, and no drug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cds_service.clinical.allergies import DrugClasses
from cds_service.clinical.cards import Link
from cds_service.clinical.codings import Coding, plain_text
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.requested_tests import MEMBERS, TESTS, RequestedTest, every_test
from cds_service.clinical.suggestions import OrderItem, SuggestionKind
from cds_service.clinical.terminology import ConceptTable, Terminology


@dataclass(frozen=True, slots=True)
class OrderOption:
    """One ready-made order of the site. `drugs` are all that it contains: allergies are checked for each of them."""

    label: str
    item: OrderItem
    drugs: tuple[Drug, ...]


@dataclass(frozen=True)
class SiteOrders:
    """The site's orders. `codes` are by kind of suggestion, or by member (a test of the work-up, of the NAT tests)."""

    codes: Mapping[str, tuple[Coding, ...]] = field(default_factory=dict)
    options: Mapping[SuggestionKind, tuple[OrderOption, ...]] = field(default_factory=dict)
    links: Mapping[SuggestionKind, Link] = field(default_factory=dict)
    drug_classes: DrugClasses = field(default_factory=DrugClasses)

    def item_for(self, kind: SuggestionKind, test: RequestedTest) -> OrderItem:
        """The order of one test, with the site's codes where there are any."""
        codings = self.codes.get(test.purpose if kind in MEMBERS else kind, ())
        words = next((coding.display for coding in codings if coding.display), test.words[:1].upper() + test.words[1:])
        return OrderItem(words=words, purpose=test.purpose, codings=codings, note=test.note)

    def only_linked(self, kind: SuggestionKind) -> bool:
        """True where the site wants a link followed instead of an order made."""
        members = {test.purpose for test in MEMBERS.get(kind, ())}
        return kind in self.links and not {kind, *members} & self.codes.keys() and kind not in self.options


@dataclass(frozen=True, slots=True)
class SiteOrderTable(ConceptTable):
    """Recognises, besides the orders of the tables, those that are written with the site's own codes."""

    own: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def kinds(self, codings: Sequence[Coding], text: str | None = None) -> frozenset[str]:
        found = (self.own.get(((c.system or "").strip(), (c.code or "").strip()), frozenset()) for c in codings)
        return ConceptTable.kinds(self, codings, text).union(*found)


def recognising(terminology: Terminology, orders: SiteOrders) -> Terminology:
    """The vocabulary in which an order that this service wrote is recognised when it comes back."""
    known, own = terminology.orders, dict[tuple[str, str], frozenset[str]]()
    for name, codings in orders.codes.items():
        for coding in codings:
            key = (coding.system or "", coding.code or "")
            own[key] = own.get(key, frozenset()) | purposes(name)
    texts = {plain_text(test.words): frozenset({test.purpose}) for test in every_test()}
    table = SiteOrderTable(known.exact, known.prefixes, {**texts, **known.texts}, known.texts_beside_codes, own)
    return replace(terminology, orders=table)


def purposes(name: str) -> frozenset[str]:
    """What an order with the codes of a kind, or of a member, is an order for."""
    return frozenset(test.purpose for test in _tests(name)) or frozenset({name})


def covered_by(name: str) -> frozenset[str]:
    """The kinds of orders that do for a kind, or for a member."""
    return purposes(name).union(*(test.covered_by for test in _tests(name)))


def _tests(name: str) -> tuple[RequestedTest, ...]:
    members = tuple(test for tests in MEMBERS.values() for test in tests if test.purpose == name)
    return next((tests for kind, tests in TESTS.items() if kind == name), members)
