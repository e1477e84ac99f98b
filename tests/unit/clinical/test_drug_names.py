"""Names of drugs in texts: whole, run together, torn apart, and never by likeness."""

from __future__ import annotations

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.drug_names import DrugName, DrugNames, NamesFound, name_words

PLAIN, PEG, HYDROXYUREA, FU, COMBINATION = (frozenset({one}) for one in ("g", "pg", "hu", "fu", "ts"))
NAMES = DrugNames(
    {
        name_words("filgrastim"): DrugName(PLAIN),
        name_words("pegfilgrastim"): DrugName(PEG),
        name_words("hydroxyurea"): DrugName(HYDROXYUREA),
        name_words("hydrea"): DrugName(HYDROXYUREA),
        name_words("5 FU"): DrugName(FU),
        name_words("Efudex"): DrugName(FU, Route.LOCAL),
        name_words("co-trimoxazole forte"): DrugName(COMBINATION),
        name_words("imatinib"): DrugName(frozenset({"i"})),
        name_words("melphalan"): DrugName(frozenset({"m"})),
        name_words("melphalan flufenamide"): DrugName(frozenset()),
        name_words("lithium"): DrugName(frozenset({"l"})),
    }
)


def found(*texts: str) -> set[str]:
    return set(NAMES.find(texts).ingredients)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Filgrastim-AAFI 300MCG/0.5mL", ("filgrastim", "aafi", "300", "mcg", "0", "5", "ml")),
        ("5FU_x", ("5", "fu", "x")),
        ("", ()),
        ("%&/", ()),
        ("Ｆｉｌ", ("ｆｉｌ",)),
    ],
)
def test_cuts_a_text_at_all_but_letters_and_between_letters_and_digits(text: str, words: tuple[str, ...]) -> None:
    assert name_words(text) == words


@pytest.mark.parametrize(
    ("text", "ingredients"),
    [
        ("FILGRASTIM", {"g"}),
        ("filgrastim-aafi", {"g"}),
        ("filgrastim300mcg", {"g"}),
        ("300filgrastim", {"g"}),
        ("fil grastim", {"g"}),
        ("f i l g r a s t i m", {"g"}),
        ("peg-filgrastim", {"pg"}),
        ("peg filgrastim 6 MG", {"pg"}),
        ("PEGFILGRASTIM-jmdb", {"pg"}),
        ("pegilated filgrastim", {"g"}),
        ("hydroxy\nurea 500 mg", {"hu"}),
        ("hydroxyure", set()),
        ("hydroxyureas", set()),
        ("hyd rea", set()),
        ("5-fu", {"fu"}),
        ("5FU", {"fu"}),
        ("15 FU", set()),
        ("cotrimoxazole forte", {"ts"}),
        ("co trimoxazoleforte", {"ts"}),
        ("co-trimoxazole", set()),
        ("lit hium", {"l"}),
        ("imatinib and filgrastim", {"i", "g"}),
        ("melphalan 2 mg", {"m"}),
        ("melphalan flufenamide", set()),
        ("melphalan / melphalan flufenamide", {"m"}),
    ],
)
def test_finds_names_in_any_case_and_spacing_and_guesses_none(text: str, ingredients: set[str]) -> None:
    assert found(text) == ingredients


def test_finds_no_name_across_two_texts() -> None:
    assert found("peg", "filgrastim") == {"g"}
    assert found("hydroxy", "urea") == set()


def test_says_what_was_written_and_what_brands_imply() -> None:
    assert NAMES.find(["Peg-FilGRAStim and EFUDEX, melphalan Flufenamide; efudex"]) == NamesFound(
        ingredients=frozenset({"pg", "fu"}),
        listed=("Peg-FilGRAStim", "EFUDEX", "efudex"),
        unlisted=("melphalan Flufenamide",),
        routes=frozenset({Route.LOCAL}),
    )


def test_finds_names_beside_letters_that_change_their_length_in_lower_case() -> None:
    assert NAMES.find(["İ straße filgrastim"]).listed == ("filgrastim",)


def test_finds_nothing_without_names_or_texts() -> None:
    assert DrugNames({}).find(["filgrastim"]) == NamesFound()
    assert NAMES.find([]) == NamesFound()


def read_with(names: list[str], *texts: str) -> tuple[str, ...]:
    """What is found by a table that holds just these names."""
    table = DrugNames({name_words(name): DrugName(frozenset({name})) for name in names})
    return table.find(texts).listed


@pytest.mark.parametrize(
    ("names", "text", "written"),
    [
        (["lithium"], "lit hium", ("lit hium",)),
        (["hydrea"], "hyd rea", ()),
        (["a bcdefgh"], "abcdefgh", ("abcdefgh",)),
        (["a bcdefgh"], "abc defgh", ("abc defgh",)),
        (["a bcdefgh"], "a b c d e f g h", ("a b c d e f g h",)),
        (["a bc"], "a bc", ("a bc",)),
        (["a bc"], "abc", ()),
        (["a b c"], "a b c", ("a b c",)),
        (["a b", "a b c"], "a b c", ("a b c",)),
        (["a b", "a b c d"], "a b c", ("a b",)),
        (["a b c d", "a b"], "a b x", ("a b",)),
        (["a b c d", "a b"], "a b c d", ("a b c d",)),
        (["a b c d", "a"], "a b c x", ("a",)),
        (["a b c d"], "a b c", ()),
        (["a", "filgrastim"], "xa filgrastim", ("filgrastim",)),
        (["a b"], "x b a b", ("a b",)),
        (["imatinib"], "imatinib imatinib", ("imatinib",)),
        (["imatinib", "imatinib mesylate"], "imatinib mesylate", ("imatinib mesylate",)),
        (["imatinib", "imatinibmesylate"], "imatinib mesylate", ("imatinib mesylate",)),
    ],
)
def test_takes_the_longest_name_that_begins_at_a_word(names: list[str], text: str, written: tuple[str, ...]) -> None:
    assert read_with(names, text) == written


def test_a_name_of_several_words_wins_over_the_same_letters_run_together() -> None:
    whole, joined = DrugName(frozenset({"whole"})), DrugName(frozenset({"joined"}))
    names = DrugNames({("imat", "inib"): whole, ("imatinib",): joined})
    assert names.find(["imat inib"]).ingredients == {"whole"}
    assert names.find(["imatinib"]).ingredients == {"joined"}


def test_a_text_without_end_is_read_as_far_as_a_name_can_stand():
    """A megabyte of words is no order; reading all of it once took minutes."""
    assert NAMES.find(["imatinib " + "x " * 500_000]).ingredients == frozenset({"i"})
    assert NAMES.find(["x " * 500_000 + "imatinib"]).ingredients == frozenset()
