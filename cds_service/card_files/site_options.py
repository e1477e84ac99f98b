"""Reads the ready-made drug orders of a site: a drug with its dosage, or an order set with the drugs that it contains.

What the drug table does not recognise is refused, because allergies to it could not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from cds_service.card_files.site_values import Place
from cds_service.clinical.allergies import DrugClasses
from cds_service.clinical.codings import Coding
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.site_orders import OrderOption
from cds_service.clinical.suggestions import OrderItem, SuggestionKind
from cds_service.clinical.terminology import Terminology
from cds_service.clinical.wording import LONGEST_LABEL

ROLES: Mapping[SuggestionKind, tuple[str, Callable[[Drug], bool]]] = {
    SuggestionKind.EMPIRIC_ANTIBIOTICS: ("antibacterial", lambda drug: drug.antibacterial is not None),
    SuggestionKind.PROPHYLAXIS_DRAFT: ("antibacterial", lambda drug: drug.antibacterial is not None),
    SuggestionKind.GCSF_DRAFT: ("growth factor", lambda drug: drug.is_growth_factor),
}
"""What a drug must be in the drug table to be ordered for a kind: another one is a mistake in the profile."""

_SEVERAL = re.compile(r"\s*(?:[+&]|\b(?:and|with|plus)\b|(?<=[a-z]{4})/(?=[a-z]{4}))\s*", re.IGNORECASE)
"""What joins drugs in one name: each must be recognised, also one of no known name. The stroke of "mg/mL" does not."""


_PARTNER_STEM = "bactam"
_PARTNERS = frozenset({"cilastatin"})


@dataclass(frozen=True, slots=True)
class OptionReader:
    """Reads the options of one kind. Raises: SettingsError from every method."""

    terminology: Terminology
    classes: DrugClasses

    def options(self, place: Place, kind: SuggestionKind, content: Any) -> tuple[OrderOption, ...]:
        options = tuple(self._option(one, kind, entry) for one, entry in place.each(content))
        labels = [option.label for option in options]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            place.fault(f"two options have the same button: {twice[0]}")
        return options

    def _option(self, place: Place, kind: SuggestionKind, content: Any) -> OrderOption:
        entry = place.mapping(content, "label", "medication", "dosage", "order_set", "contains")
        if ("medication" in entry) == ("order_set" in entry):
            place.fault("needs either medication with dosage, or order_set with contains")
        item, drugs = self._drug(place, entry) if "medication" in entry else self._order_set(place, entry)
        role, fits = ROLES[kind]
        for drug in drugs:
            if not fits(drug):
                place.fault(f"{drug.ingredient} is no {role} of the drug table")
        label = place.text(entry, "label") if "label" in entry else ", ".join(filter(None, (item.words, item.dosage)))
        if len(label) > LONGEST_LABEL:
            place.fault(f"the button would have more than {LONGEST_LABEL} characters; give it a shorter label")
        self._no_other(place, drugs, [label, item.words, item.dosage or "", *_displays(item.codings)])
        return OrderOption(label, item, drugs)

    def _drug(self, place: Place, entry: Mapping[str, Any]) -> tuple[OrderItem, tuple[Drug, ...]]:
        if "contains" in entry:
            place.fault("contains goes with order_set; a medication says itself what it is")
        dosage = place.text(entry, "dosage")
        codings, words = _what(place.member("medication"), entry["medication"])
        drugs = self._recognised(place.member("medication"), codings, words)
        return OrderItem(words, codings=codings, dosage=dosage), drugs

    def _order_set(self, place: Place, entry: Mapping[str, Any]) -> tuple[OrderItem, tuple[Drug, ...]]:
        if "dosage" in entry:
            place.fault("dosage goes with medication; an order set has its own")
        codings, words = _what(place.member("order_set"), entry["order_set"])
        if not codings:
            place.member("order_set").fault("needs codes: words alone open no order set")
        parts = place.member("contains").each(entry.get("contains"))
        found = [self._recognised(one, (), one.words(name)) for one, name in parts]
        return OrderItem(words, codings=codings), tuple(dict.fromkeys(drug for drugs in found for drug in drugs))

    def _recognised(self, place: Place, codings: Sequence[Coding], words: str) -> tuple[Drug, ...]:
        for name in self._unlisted(codings, [words, *_displays(codings)]):
            _not_recognised(place, name)
        match = self.terminology.match_drugs(codings, words, None)
        by_code = self.terminology.match_drugs([replace(coding, display=None) for coding in codings], None, None).drugs
        others = [drug.ingredient for drug in match.drugs if by_code and drug not in by_code]
        if others or match.contradicted_by:
            names = dict.fromkeys([*(drug.ingredient for drug in by_code), *others, *match.contradicted_by])
            place.fault(f"its codes and words name different drugs: {', '.join(names)}")
        for part in [words, *_SEVERAL.split(words)]:
            if part and not (match.drugs and self._is_known(part, codings if part == words else ())):
                _not_recognised(place, part)
        if len(match.drugs) > 1:
            place.fault(f"names several drugs: {', '.join(drug.ingredient for drug in match.drugs)}; one order is one")
        return match.drugs

    def _unlisted(self, codings: Sequence[Coding], texts: Sequence[str]) -> list[str]:
        """Known drugs that the drug table does not list, wherever words or codes name one."""
        coded = [self.terminology.match_drugs([replace(coding, display=None)], None, None) for coding in codings]
        names = [
            *self.terminology.matcher.names.find(texts).unlisted,
            *(match.matched_text for match in coded if match.unlisted),
        ]
        return [name for name in names if not _is_partner(name)]

    def _no_other(self, place: Place, drugs: Sequence[Drug], texts: Sequence[str]) -> None:
        """What is read beside an order must not name a drug that is not in it."""
        named = [drug for text in texts for drug in self.terminology.match_drugs((), text, None).drugs]
        others = [drug.ingredient for drug in named if drug not in drugs] + self._unlisted((), texts)
        if others:
            place.fault(f"its words name another drug: {', '.join(dict.fromkeys(others))}")

    def _is_known(self, words: str, codings: Sequence[Coding]) -> bool:
        known = self.terminology.match_drugs(codings, words, None).drugs
        return bool(known) or bool(self.classes.named_in(words)) or not any(letter.isalpha() for letter in words)


def _is_partner(name: str) -> bool:
    """True for what only protects another drug (cilastatin, a beta-lactamase inhibitor): part of that one."""
    return name.casefold() in _PARTNERS or name.casefold().endswith(_PARTNER_STEM)


def _displays(codings: Sequence[Coding]) -> list[str]:
    return [coding.display for coding in codings if coding.display]


def _not_recognised(place: Place, name: str) -> NoReturn:
    place.fault(
        f"the drug table does not recognise {name!r}, so that allergies to it could not be checked; "
        "name an ingredient of drugs.csv, or set up a link"
    )


def _what(place: Place, content: Any) -> tuple[tuple[Coding, ...], str]:
    """The codes of an order and the words for it: its text, else the display of the first code."""
    entry = place.mapping(content, "codes", "text")
    codings = place.member("codes").codings(entry["codes"]) if "codes" in entry else ()
    words = place.text(entry, "text") if "text" in entry else str(codings[0].display)
    return codings, words
