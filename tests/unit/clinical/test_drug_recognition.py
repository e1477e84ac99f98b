"""Codes and words of one medication together: routes, parts that are no drug alone, phrases, other drugs named."""

from __future__ import annotations

import pytest

from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, Coding
from cds_service.clinical.drug_matching import PhraseIndex
from cds_service.clinical.terminology import Analyte
from cds_service.clinical.units import UnitProblem
from tests.unit.clinical.charts import CARDS, Decimal

TERMS = load_terminology(CARDS)
UCUM = "http://unitsofmeasure.org"


def names(match):
    return [drug.ingredient for drug in match.drugs]


@pytest.mark.parametrize(
    ("form", "route"), [("Oral Tablet", Route.ORAL), ("injection", Route.PARENTERAL), (None, Route.UNKNOWN)]
)
def test_a_code_that_tells_no_route_leaves_it_to_the_words(form, route):
    assert TERMS.match_drugs([Coding(CodeSystem.RXNORM, "6851")], None, form).route is route


def test_a_word_for_another_drug_contradicts_the_row_that_the_route_chose():
    match = TERMS.match_drugs([Coding(CodeSystem.RXNORM, "1251", "imatinib")], None, None, Route.ORAL)
    assert names(match) == ["azacitidine (oral)", "imatinib"]
    assert match.contradicted_by == ("imatinib",)


def test_a_part_that_is_no_drug_of_the_table_alone_was_not_matched():
    match = TERMS.match_drugs([Coding(CodeSystem.ATC, "J01CG02")], None, None)
    assert (match.drugs, match.matched_by, match.unlisted) == ((), None, True)
    assert (match.matched_text, match.matched_code) == ("tazobactam", "J01CG02")


@pytest.mark.parametrize(
    ("text", "route", "row"),
    [
        ("azacitidine", Route.ORAL, "azacitidine (oral)"),
        ("azacitidine", Route.PARENTERAL, "azacitidine (injection)"),
        ("azacitidine", Route.UNKNOWN, "azacitidine (injection)"),
        ("azacitidine oral tablet", Route.PARENTERAL, "azacitidine (injection)"),
        ("azacitidine oral tablet", Route.UNKNOWN, "azacitidine (oral)"),
    ],
)
def test_the_stated_route_goes_before_the_words_of_a_name(text, route, row):
    assert names(TERMS.match_drugs([], text, None, route)) == [row]


def test_the_route_is_told_of_what_is_no_drug_of_the_table_too():
    match = TERMS.match_drugs([], "some other oral tablet", None)
    assert (match.drugs, match.route, match.unlisted) == ((), Route.ORAL, False)


@pytest.mark.parametrize(
    ("phrase", "there"),
    [
        (("oral",), True),
        (("oral", "tablet"), True),
        (("tablet", "of"), False),
        (("oral", "drops"), False),
        (("oral", "10"), False),
        (("tab",), False),
        (("10", "mg", "oral"), True),
        (("drops", "oral"), False),
    ],
)
def test_a_phrase_stands_in_a_text_as_whole_words_in_their_order(phrase, there):
    assert PhraseIndex("10 MG Oral-Tablet").has(phrase) is there


@pytest.mark.parametrize(
    ("code", "system", "unit", "measured"),
    [
        ("10*3/uL", UCUM, None, Decimal("1.2")),
        ("10*3/uL", UCUM, "/uL", UnitProblem.CONTRADICTION),
        ("K/uL", UCUM, None, UnitProblem.UNKNOWN),
        ("K/uL", None, None, Decimal("1.2")),
        (None, UCUM, "K/uL", Decimal("1.2")),
    ],
)
def test_a_number_is_measured_with_all_that_was_sent_of_its_unit(code, system, unit, measured):
    assert TERMS.measure(Analyte.ANC, Decimal("1.2"), unit=unit, code=code, system=system) == measured


def test_a_code_of_a_known_system_that_is_no_route_is_passed_over():
    unknown, oral = Coding(CodeSystem.SNOMED, "0"), Coding(CodeSystem.SNOMED, "26643006")
    assert TERMS.route_of([unknown]) is Route.UNKNOWN
    assert TERMS.route_of([unknown, oral]) is Route.ORAL
    assert TERMS.route_of([unknown], "oral") is Route.ORAL
    assert TERMS.route_of([Coding(None, "26643006")], None) is Route.UNKNOWN
