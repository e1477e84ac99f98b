"""Recognises the drugs of the drug table in codes, and failing these in names.

Works on ingredients first: every code and name stands for a set of ingredient ids, and rules turn these into rows of
the drug table (a liposomal product, an oral form and a fixed combination are rows of their own).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, Coding, words_of
from cds_service.clinical.drug_table import Drug

IngredientIds = frozenset[str]


class MatchedBy(StrEnum):
    """What recognised a drug; the order is the order of trust."""

    PRECISE_INGREDIENT = "rxnorm-precise-ingredient"
    PRODUCT = "rxnorm-product"
    INGREDIENT = "rxnorm-ingredient"
    COMBINATION = "rxnorm-multi-ingredient"
    ATC = "atc"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """What a medication was recognised as.

    `drugs` is empty where none of the table's drugs was recognised. `route` is the hint of the product, form or code
    (UNKNOWN: none). `matched_text` is the code's or the name's own words. `conflict`: codes or words of the same
    medication name another drug of the table, listed in `contradicted_by`.
    """

    drugs: tuple[Drug, ...] = ()
    route: Route = Route.UNKNOWN
    matched_by: MatchedBy | None = None
    matched_text: str = ""
    conflict: bool = False
    contradicted_by: tuple[Drug, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.drugs)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What one RxNorm or ATC code stands for."""

    ingredients: IngredientIds
    name: str
    matched_by: MatchedBy
    route: Route = Route.UNKNOWN


@dataclass(frozen=True, slots=True)
class DrugRule:
    """When ingredients are this row of the drug table.

    `needs` must all be there; `covers` are then accounted for too. `words`: one of these phrases must stand in the
    text. `route`: only by this route; `assumed` also by every other route but the oral one, and where none is known.
    """

    drug: Drug
    needs: IngredientIds
    covers: IngredientIds = frozenset()
    words: tuple[tuple[str, ...], ...] = ()
    route: Route | None = None
    assumed: bool = False

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """Special rows come before general ones."""
        return (-len(self.needs), not self.words, self.route is None)

    def applies(self, ingredients: IngredientIds, text: PhraseIndex, route: Route) -> bool:
        if not self.needs <= ingredients or (self.words and not any(text.has(phrase) for phrase in self.words)):
            return False
        return self.route in (None, route) or (self.assumed and route is not Route.ORAL)


class PhraseIndex:
    """The words of a text, asked for phrases."""

    def __init__(self, text: str) -> None:
        self.words = words_of(text)
        self._joined = f" {' '.join(self.words)} "

    def has(self, phrase: tuple[str, ...]) -> bool:
        return f" {' '.join(phrase)} " in self._joined


@dataclass(frozen=True, slots=True)
class FormWord:
    """A word of a product text that tells the route; `names_site` outweighs words of the mere dose form."""

    route: Route
    names_site: bool


class DrugMatcher:
    """All look-ups of the drug vocabulary, built once."""

    def __init__(
        self,
        *,
        rules: Iterable[DrugRule],
        codes: Mapping[tuple[CodeSystem, str], CodeEntry],
        names: Mapping[tuple[str, ...], IngredientIds],
        forms: Mapping[tuple[str, ...], FormWord],
    ) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.rank))
        self._codes, self._names, self._forms = codes, names, forms
        self._longest_name = max((len(name) for name in names), default=0)

    def match(
        self, codings: Sequence[Coding], text: str | None, form_text: str | None, route: Route = Route.UNKNOWN
    ) -> DrugMatch:
        """The drugs of one medication; `route` is the route of the order where it is stated."""
        coded = sorted(self._entries(codings), key=lambda entry: list(MatchedBy).index(entry.matched_by))
        said = [coding.display for coding in codings if coding.display] + ([text] if text else [])
        named = self.ingredients_named(" | ".join(said))
        if not coded:
            return self._by_name(named, said, form_text, route)
        best = coded[0]
        words = PhraseIndex(" | ".join([best.name, *(entry.name for entry in coded), *said, form_text or ""]))
        hint = best.route if best.route is not Route.UNKNOWN else self._form_route(words)
        drugs = self._rows(best.ingredients, words, route if route is not Route.UNKNOWN else hint)
        others = [entry.ingredients for entry in coded[1:]] + ([named] if named else [])
        against = frozenset[str]().union(*(other for other in others if not other & best.ingredients))
        rivals = self._rows(against, words, route)
        return DrugMatch(drugs, hint, best.matched_by, best.name, bool(rivals), rivals)

    def ingredients_named(self, text: str) -> IngredientIds:
        """The ingredients whose names stand in a text; of overlapping names the longest."""
        words, found, start = words_of(text), set[str](), 0
        while start < len(words):
            size, ingredients = self._name_at(words, start)
            found |= ingredients
            start += size
        return frozenset(found)

    def _name_at(self, words: tuple[str, ...], start: int) -> tuple[int, IngredientIds]:
        for size in range(min(self._longest_name, len(words) - start), 0, -1):
            if (ingredients := self._names.get(words[start : start + size])) is not None:
                return size, ingredients
        return 1, frozenset()

    def _entries(self, codings: Sequence[Coding]) -> list[CodeEntry]:
        keys = ((coding.known_system, (coding.code or "").strip()) for coding in codings)
        found = (self._codes.get((system, code)) for system, code in keys if system is not None)
        return [entry for entry in found if entry is not None]

    def _by_name(self, named: IngredientIds, said: list[str], form_text: str | None, route: Route) -> DrugMatch:
        words = PhraseIndex(" | ".join([*said, form_text or ""]))
        hint = self._form_route(words)
        drugs = self._rows(named, words, route if route is not Route.UNKNOWN else hint)
        matched_text = next((one for one in said if self.ingredients_named(one)), "")
        return DrugMatch(drugs, hint, MatchedBy.NAME if drugs else None, matched_text)

    def _rows(self, ingredients: IngredientIds, words: PhraseIndex, route: Route) -> tuple[Drug, ...]:
        left, rows = ingredients, []
        for rule in self._rules:
            if left and rule.applies(left, words, route):
                rows.append(rule.drug)
                left -= rule.needs | rule.covers
        return tuple(dict.fromkeys(rows))

    def _form_route(self, text: PhraseIndex) -> Route:
        """The route that the words for site and form agree on; words for the site outweigh words for the form."""
        told = [form for phrase, form in self._forms.items() if text.has(phrase)]
        for by_site in (True, False):
            routes = {form.route for form in told if form.names_site is by_site}
            if routes:
                return routes.pop() if len(routes) == 1 else Route.UNKNOWN
        return Route.UNKNOWN
