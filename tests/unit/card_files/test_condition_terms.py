"""The boolean structure of conditions, and every way to get one place of it wrong."""

from __future__ import annotations

import pytest

from cds_service.card_files.condition_terms import conjuncts, numbers_in, parse, variations


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a && b", ["a", "b"]),
        ("(a && b)", ["a", "b"]),
        ("a && (b || c)", ["a", "b || c"]),
        ("a || b && c", ["a || (b && c)"]),
        ("(a) || (b)", ["a || b"]),
        ("x in ['a && b', \"c && d\"] && e", ["x in ['a && b', \"c && d\"]", "e"]),
        ("(a + b) < c && d", ["(a + b) < c", "d"]),
        ("a ? b && c : d", ["a ? b && c : d"]),
        ("!(a && b) && c", ["!(a && b)", "c"]),
    ],
)
def test_splits_what_must_all_hold(text: str, parts: list[str]) -> None:
    assert conjuncts(text) == parts


def test_changes_each_place_once() -> None:
    assert list(variations("a && n < 1")) == ["n < 1", "!(a) && n < 1", "a", "a && !(n < 1)", "a && n <= 1"]


def test_takes_a_negation_away_and_does_not_double_it() -> None:
    assert list(variations("!a")) == ["a"]
    assert list(variations("!(a && b)")) == ["a && b", "!(b)", "!(!(a) && b)", "!(a)", "!(a && !(b))"]


def test_drops_one_of_three_terms() -> None:
    assert {"b || c", "a || c", "a || b"} <= set(variations("a || b || c"))


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("n < m", "n <= m"),
        ("n <= m", "n < m"),
        ("n > m", "n >= m"),
        ("n >= m", "n > m"),
        ("t == 'x'", "t != 'x'"),
        ("t != 'a < b'", "t == 'a < b'"),
    ],
)
def test_takes_the_neighbouring_comparison(text: str, changed: str) -> None:
    assert list(variations(text)) == [f"!({text})", changed]


def test_keeps_the_structure_when_written_again() -> None:
    text = "a && (b || !(c && d)) && e"
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


def test_finds_typed_numbers_outside_of_names_and_quotes() -> None:
    assert numbers_in("n < 1.5 && limits.x2 > 0 && t == '7' && a_24_h") == ["1.5", "0"]
