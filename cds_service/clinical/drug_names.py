"""Finds the names of drugs in a text, whatever their case and spacing ("AZATHIOPRINE50MG", "hydroxy urea").

A name is found whole or run together, never by likeness: a misspelt name is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from cds_service.clinical.chart import Route

IngredientIds = frozenset[str]
Words = tuple[str, ...]

LONGEST_TEXT = 10_000
"""More than any order's words by far: what is beyond is no name, and reading it would only cost time."""
_PIECE = re.compile(r"[^\W\d_]+|\d+")
SHORTEST_JOINED = 7
"""Letters that a name needs to be found across wrong spaces; shorter ones can arise from neighbouring words."""


@dataclass(frozen=True, slots=True)
class DrugName:
    """What a name stands for. No ingredients: a drug that the table does not list. `route` is that of a brand."""

    ingredients: IngredientIds
    route: Route = Route.UNKNOWN


@dataclass(frozen=True, slots=True)
class NamesFound:
    """The names in a text: their ingredients, the names of drugs that the table does not list, the brands' routes."""

    ingredients: IngredientIds = frozenset()
    listed: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    routes: frozenset[Route] = frozenset()


def name_words(text: str) -> Words:
    """The words of a name or text in lower case; a digit after a letter begins a new one, as does everything else."""
    return tuple(_PIECE.findall(text.casefold()))


class DrugNames:
    """All names, each by its words (`name_words`) and, where long enough, by its letters run together."""

    def __init__(self, names: Mapping[Words, DrugName]) -> None:
        self._whole = names
        joined = {"".join(words): name for words, name in names.items()}
        self._joined = {letters: name for letters, name in joined.items() if len(letters) >= SHORTEST_JOINED}
        self._begun = {letters[:size] for letters in self._joined for size in range(1, len(letters) + 1)}
        self._longest: dict[str, int] = {}
        for words in filter(None, names):
            self._longest[words[0]] = max(len(words), self._longest.get(words[0], 0))

    def find(self, texts: Sequence[str]) -> NamesFound:
        """The names in several texts about one drug; of overlapping names the longest."""
        found = [name for text in texts for name in self._in(text)]
        return NamesFound(
            frozenset[str]().union(*(name.ingredients for _, name in found)),
            tuple(dict.fromkeys(written for written, name in found if name.ingredients)),
            tuple(dict.fromkeys(written for written, name in found if not name.ingredients)),
            frozenset(name.route for _, name in found if name.ingredients and name.route is not Route.UNKNOWN),
        )

    def _in(self, text: str) -> list[tuple[str, DrugName]]:
        """Each name as it is written there."""
        text = text[:LONGEST_TEXT]
        folded = text.casefold()
        written = text if len(text) == len(folded) else folded
        pieces = list(_PIECE.finditer(folded))
        words = tuple(piece.group() for piece in pieces)
        found, start = [], 0
        while start < len(words):
            size, name = self._at(words, start)
            if name is not None:
                found.append((written[pieces[start].start() : pieces[start + size - 1].end()], name))
            start += size
        return found

    def _at(self, words: Words, start: int) -> tuple[int, DrugName | None]:
        """The longest name that begins at a word, and how many words it takes; run together it may take more."""
        size, name = self._written_whole(words, start)
        letters = ""
        for number, word in enumerate(islice(words, start, None), 1):
            letters += word
            if letters not in self._begun:
                break
            if number > size and letters in self._joined:
                size, name = number, self._joined[letters]
        return max(size, 1), name

    def _written_whole(self, words: Words, start: int) -> tuple[int, DrugName | None]:
        longest = min(self._longest.get(words[start], 0), len(words) - start)
        for size in range(longest, 0, -1):
            if (name := self._whole.get(words[start : start + size])) is not None:
                return size, name
        return 0, None
