"""Card text: placeholders are filled with what is known, words for what is not, and never a rounded number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.markdown import escape
from cds_service.clinical.templates import MissingFact, Template, shown, unknown_names
from tests.unit.clinical.charts import NOW, back

LIMITS = {"low": Decimal("1.50")}
FACTS = {"anc": Known(Decimal("1.20"), back(hours=2)), "wbc": Known(Decimal(3), shown="<3"), "hot": Known(True)}


def fill(text: str, **more) -> str:
    answer = {**FACTS, **more.pop("facts", {})}
    return Template(text).fill(lambda name: answer.get(name, Unknown()), now=NOW, limits=LIMITS, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANC {anc}", "ANC 1.2"),
        ("{anc.age}", "2 h ago"),
        ("{anc.date}", "2026-11-22"),
        ("{wbc.date}", "date not known"),
        ("{wbc}", "<3"),
        ("{hot}", "yes"),
        ("{limits.low}", "1.5"),
        ("{platelets|not known}", "not known"),
        ("{platelets|}.", "."),
        ("no placeholder", "no placeholder"),
    ],
)
def test_fills_in(text, expected):
    assert fill(text) == expected


def test_fills_in_what_the_engine_knows():
    assert fill("{drugs} on {due_date}", special={"drugs": "A", "due_date": "2026-12-01"}) == "A on 2026-12-01"


def test_refuses_a_fact_that_is_not_known_and_has_no_words_for_it():
    with pytest.raises(MissingFact):
        fill("{platelets}")


def test_escapes_values_but_not_its_own_text():
    assert fill("**{wbc_words}**", facts={"wbc_words": Known("<b>*x*")}, escape=escape) == r"**&lt;b>\*x\***"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (Decimal("0.4990"), "0.499"),
        (Decimal("1E+2"), "100"),
        (7, "7"),
        ("x", "x"),
        (("a", "b"), "a, b"),
    ],
)
def test_shows_a_value_as_a_person_reads_it(value, words):
    assert shown(Known(value)) == words


def test_knows_its_facts_and_those_it_needs():
    template = Template("{anc} {anc.age|new} {platelets|x} {limits.low} {drugs}")
    assert template.facts == {"anc", "platelets"}
    assert template.required_facts == {"anc"}


@pytest.mark.parametrize("text", ["{ank}", "{anc.colour}", "{limits.high}", "{low}", "{limits.anc}"])
def test_names_placeholders_that_stand_for_nothing(text):
    assert unknown_names(Template(text), LIMITS) == [text]


def test_accepts_placeholders_that_stand_for_something():
    assert unknown_names(Template("{anc} {anc.age} {drug.name} {limits.low} {due} {drugs}"), LIMITS) == []
