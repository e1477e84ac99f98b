"""Reads the words that tell the class of a drug: names of classes, and stems that the names of a class share."""

from __future__ import annotations

from pathlib import Path

from cds_service.card_files.csv_rows import Row, put, read_table
from cds_service.clinical.allergies import ClassWord, DrugClasses, WordMatch
from cds_service.clinical.codings import words_of

FILE = "drug_class_words.csv"


def load_drug_classes(cards_dir: Path) -> DrugClasses:
    """Raises: CardFileError naming file and line."""
    words: dict[tuple[tuple[str, ...], WordMatch], ClassWord] = {}
    for row in read_table(cards_dir / "codes" / FILE, "word", "match", "classes", "source"):
        word = _word(row)
        put(words, (word.words, word.match), word, row)
    return DrugClasses(tuple(words.values()))


def _word(row: Row) -> ClassWord:
    words, match = words_of(row.needed("word")), row.choice("match", WordMatch)
    if not words or (match is not WordMatch.WHOLE and len(words) > 1):
        row.fault(f"word must be one word where only its {match} counts: {row.text('word')}")
    row.needed("classes")
    return ClassWord(words, match, row.several("classes"))
