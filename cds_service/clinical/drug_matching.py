"""Recognises the drugs of the drug table in codes, and failing these in names.

Works on ingredients first: every code and name stands for a set of ingredient ids, and rules turn these into rows of
the drug table (a liposomal product, an oral form and a fixed combination are rows of their own).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, Coding
from cds_service.clinical.drug_names import DrugNames, IngredientIds, NamesFound, name_words
from cds_service.clinical.drug_table import Drug


class MatchedBy(StrEnum):
    """What recognised a drug; the order is the order of trust."""

    PRECISE_INGREDIENT = "rxnorm-precise-ingredient"
    PRODUCT = "rxnorm-product"
    INGREDIENT = "rxnorm-ingredient"
    COMBINATION = "rxnorm-multi-ingredient"
    ATC = "atc"
    NAME = "name"


WHOLE_PRODUCTS = frozenset({MatchedBy.PRODUCT, MatchedBy.COMBINATION})


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """What a medication was recognised as.

    `drugs` is empty where none of the table's drugs was recognised; `unlisted` then says that it is another known
    drug. `route` is the hint of the product, form or code (UNKNOWN: none). `matched_text` is the code's or the name's
    own words, `matched_code` the code that decided. `contradicted_by`: other drugs that codes or words of the same
    medication name; those of the table are judged as well, because either may be the one that is taken.
    """

    drugs: tuple[Drug, ...] = ()
    route: Route = Route.UNKNOWN
    matched_by: MatchedBy | None = None
    matched_text: str = ""
    matched_code: str = ""
    unlisted: bool = False
    contradicted_by: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.drugs)

    @property
    def conflict(self) -> bool:
        return bool(self.contradicted_by)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What one RxNorm or ATC code stands for. No ingredients: a drug that the table does not list."""

    code: str
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
        words = name_words(text)
        self._words = frozenset(words)
        self._joined = f" {' '.join(words)} "

    def has(self, phrase: tuple[str, ...]) -> bool:
        return phrase[0] in self._words and f" {' '.join(phrase)} " in self._joined


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
        names: DrugNames,
        forms: Mapping[tuple[str, ...], FormWord],
    ) -> None:
        self._rules: dict[str, list[tuple[int, DrugRule]]] = {}
        for place, rule in enumerate(sorted(rules, key=lambda rule: rule.rank)):
            for need in rule.needs:
                self._rules.setdefault(need, []).append((place, rule))
        self._codes, self._forms = codes, forms
        self.names = names

    def match(
        self, codings: Sequence[Coding], text: str | None, form_text: str | None, route: Route = Route.UNKNOWN
    ) -> DrugMatch:
        """The drugs of one medication; `route` is the route of the order where it is stated."""
        said = [coding.display for coding in codings if coding.display] + ([text] if text else [])
        named = self.names.find(said)
        found = sorted(self._entries(codings), key=lambda entry: list(MatchedBy).index(entry.matched_by))
        coded = [entry for entry in found if entry.ingredients]
        unlisted = [entry for entry in found if not entry.ingredients]
        words = [*said, form_text or ""]
        return self._by_code(coded, named, words, route) if coded else self._by_name(unlisted, named, words, route)

    def _entries(self, codings: Sequence[Coding]) -> list[CodeEntry]:
        keys = ((coding.known_system, (coding.code or "").strip()) for coding in codings)
        found = (self._codes.get((system, code)) for system, code in keys if system is not None)
        return [entry for entry in found if entry is not None]

    def _by_code(self, coded: Sequence[CodeEntry], named: NamesFound, said: Sequence[str], route: Route) -> DrugMatch:
        """The most precise code decides what it is; other codes and names may add to it, or contradict it.

        A product's code says all that is in it; the code of an ingredient may stand for one part of a combination.
        """
        best = coded[0]
        words = PhraseIndex(" | ".join([*(entry.name for entry in coded), *said]))
        hint = best.route if best.route is not Route.UNKNOWN else self._told_route(words, named)
        given = route if route is not Route.UNKNOWN else hint
        others = (*(entry.ingredients for entry in coded), named.ingredients)
        foreign = frozenset[str]().union(*(other for other in others if not other & best.ingredients))
        more = foreign if best.matched_by in WHOLE_PRODUCTS else foreign.union(*others)
        drugs = self._rows(best.ingredients, words, given)
        together = sorted(self._rows(best.ingredients | more, words, given), key=lambda drug: drug not in drugs)
        apart = foreign and drugs and set(drugs) <= set(together)
        rivals = [drug.ingredient for drug in together if drug not in drugs] if apart else []
        if not named.ingredients:
            rivals += named.unlisted  # the words name another known drug, and not this one
        return DrugMatch(
            drugs=tuple(together),
            route=hint,
            matched_by=best.matched_by if together else None,
            matched_text=best.name,
            matched_code=best.code,
            unlisted=not together,
            contradicted_by=tuple(rivals),
        )

    def _by_name(
        self, unlisted: Sequence[CodeEntry], named: NamesFound, said: Sequence[str], route: Route
    ) -> DrugMatch:
        words = PhraseIndex(" | ".join(said))
        hint = self._told_route(words, named)
        drugs = self._rows(named.ingredients, words, route if route is not Route.UNKNOWN else hint)
        if drugs:
            rivals = tuple(entry.name for entry in unlisted if not words.has(name_words(entry.name)))
            return DrugMatch(drugs, hint, MatchedBy.NAME, " / ".join(named.listed), contradicted_by=rivals)
        other = [*(entry.name for entry in unlisted), *named.listed, *named.unlisted]
        return DrugMatch(route=hint, matched_text=other[0] if other else "", unlisted=bool(other))

    def _rows(self, ingredients: IngredientIds, words: PhraseIndex, route: Route) -> tuple[Drug, ...]:
        left, rows = ingredients, []
        asked = {place: rule for one in ingredients for place, rule in self._rules.get(one, ())}
        for _, rule in sorted(asked.items(), key=itemgetter(0)):
            if rule.applies(left, words, route):
                rows.append(rule.drug)
                left -= rule.needs | rule.covers
        return tuple(dict.fromkeys(rows))

    def _told_route(self, text: PhraseIndex, named: NamesFound) -> Route:
        """The route of a text: words for the site before the brand, and the brand before words for the mere form."""
        told = [form for phrase, form in self._forms.items() if text.has(phrase)]
        sites, forms = ({form.route for form in told if form.names_site is by_site} for by_site in (True, False))
        routes = sites or named.routes or forms
        return next(iter(routes)) if len(routes) == 1 else Route.UNKNOWN
