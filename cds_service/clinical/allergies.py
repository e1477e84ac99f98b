"""Whether a drug goes with the allergies on file: the drug itself, or another of its class.

Allergies are often recorded as a class or as a drug that the drug table does not have, so words count as well as drugs.
Not known is never "no": with unreadable entries the allergies are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cds_service.clinical.chart import Allergy, Chart, PrefetchKey
from cds_service.clinical.codings import has_phrase, words_of
from cds_service.clinical.drug_table import Drug

ANY_ANTIBACTERIAL = "antibacterial"
"""The class of every drug with an antibacterial role, for an allergy to "antibiotics"."""
UNNAMED_SUBSTANCE = "unnamed substance"
BROKEN, OTHERS, NOBODYS = "broken-resource", "other-patient", "unstated-patient"
NO_KNOWN = ("no", "known")
"""How an entry begins that says there is no allergy."""
EXCEPTIONS = (("except",), ("excepting",), ("excluding",), ("apart", "from"), ("other", "than"), ("besides",), ("but",))
"""The words by which such an entry names one all the same."""
NOT_TOLD = (
    ("unknown",), ("unspecified",), ("unidentified",), ("undetermined",), ("masked",), ("not", "known"),
    ("no", "information"), ("not", "asked"), ("not", "reviewed"), ("not", "assessed"), ("not", "available"),
    ("not", "recorded"), ("not", "documented"), ("unable", "to"), ("unobtainable",), ("asked", "but"),
)  # fmt: skip
"""The words of an entry that says that nobody knows."""


class WordMatch(StrEnum):
    """Where in a word the letters stand; a name is a whole word, or several."""

    WHOLE = "whole"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class ClassWord:
    """A word that tells the class of a drug: its name, or the stem that names of the class share."""

    words: tuple[str, ...]
    match: WordMatch
    classes: frozenset[str]

    def stands_in(self, text: tuple[str, ...]) -> bool:
        if self.match is WordMatch.WHOLE:
            return has_phrase(text, self.words)
        (letters,) = self.words
        begins = self.match is WordMatch.START
        return any(word.startswith(letters) if begins else word.endswith(letters) for word in text)


@dataclass(frozen=True, slots=True)
class DrugClasses:
    """The classes of drugs, by the drug table and by the words for them (cards/codes/drug_class_words.csv)."""

    words: tuple[ClassWord, ...] = ()

    def named_in(self, text: str) -> frozenset[str]:
        parts = words_of(text)
        return frozenset[str]().union(*(word.classes for word in self.words if word.stands_in(parts)))

    def of(self, drugs: Iterable[Drug], text: str = "") -> frozenset[str]:
        """All classes that drugs belong to, or that a text names."""
        classes = set(self.named_in(text))
        for drug in drugs:
            classes |= {drug.drug_class, *self.named_in(drug.ingredient)}
            classes |= {ANY_ANTIBACTERIAL} if drug.antibacterial is not None else set()
        return frozenset(classes)


@dataclass(frozen=True, slots=True)
class AllergyCheck:
    """The allergies of one chart, asked about drugs."""

    chart: Chart
    classes: DrugClasses

    @property
    def known(self) -> bool:
        """False where allergies were not read, or an entry could not be, or does not say what it is to."""
        untold = any(self._tells_nothing(allergy) for allergy in self.chart.allergies)
        return not (self.chart.lacks(PrefetchKey.ALLERGIES) or self._has_unread_ones() or untold)

    @property
    def on_file(self) -> tuple[Allergy, ...]:
        """The allergies, without entries that say that there is none."""
        return tuple(a for a in self.chart.allergies if not self._denies(a))

    def against(self, drugs: Sequence[Drug], text: str = "") -> Allergy | None:
        """The first allergy to one of these drugs or to their class; `text` are the words of the order."""
        ours = self.classes.of(drugs, text)
        return next((a for a in self.on_file if set(a.drugs) & set(drugs) or ours & self._classes(a)), None)

    def _has_unread_ones(self) -> bool:
        """What an unreadable entry of a Bundle is about nobody knows; another patient's list is not this one's."""
        set_aside = {p.kind for p in self.chart.data_problems if p.source.startswith("AllergyIntolerance")}
        unreadable = any(p.kind == BROKEN and p.source == "Bundle" for p in self.chart.data_problems)
        only_others = OTHERS in set_aside and not self.chart.allergies
        return unreadable or only_others or bool(set_aside & {BROKEN, NOBODYS})

    def _tells_nothing(self, allergy: Allergy) -> bool:
        """Words beside a drug or class are about the reaction; "unknown antibiotic" still leaves open which."""
        if allergy.drugs or self.classes.named_in(allergy.text) - {ANY_ANTIBACTERIAL}:
            return False
        said = words_of(allergy.text)
        return allergy.text == UNNAMED_SUBSTANCE or any(has_phrase(said, phrase) for phrase in NOT_TOLD)

    def _denies(self, allergy: Allergy) -> bool:
        """True for "no known allergies", unless a drug or class is named in it or something is excepted."""
        said = words_of(allergy.text)
        named = allergy.drugs or self.classes.named_in(allergy.text) - {ANY_ANTIBACTERIAL}
        return said[:2] == NO_KNOWN and not named and not any(has_phrase(said, phrase) for phrase in EXCEPTIONS)

    def _classes(self, allergy: Allergy) -> frozenset[str]:
        """An allergy to "antibiotics" is one to each of them; the word beside a drug or class adds nothing."""
        named = self.classes.named_in(allergy.text)
        exact = (named | self.classes.of(allergy.drugs)) - {ANY_ANTIBACTERIAL}
        return exact or named
