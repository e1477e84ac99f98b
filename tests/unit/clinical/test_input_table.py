"""The table of inputs on a card: values with unit, date and age, claims, and what is not known."""

from __future__ import annotations

from cds_service.clinical.input_table import HEAD, input_table
from cds_service.clinical.rules import ForEach
from cds_service.clinical.verdicts import judge_all
from tests.unit.clinical.charts import Decimal, anc, draft, drug, lab, problem, situation, temp
from tests.unit.clinical.rulebook import library, rule

USUAL = ("anc", "platelets")
HOOKS = frozenset({"patient-view", "order-sign"})
TWO_DRUGS = [draft(drug("gemcitabine")), draft(drug("carboplatin"))]


def rows(*rules, things=(), remarks=(), hook="patient-view"):
    verdicts = judge_all(library(*rules), situation(*things, hook=hook))
    table = input_table(verdicts, USUAL, remarks).splitlines()
    assert tuple(table[:2]) == HEAD
    return table[2:]


def test_shows_the_usual_inputs_known_or_not():
    found = rows(rule("r"), things=[anc("0.9", 3, source="Observation/a")])
    assert found == ["| ANC | 0.9 10\\*9/L | 2026-11-19 (3 days ago) |", "| Not known | PLT |  |"]


def test_a_rule_lists_its_own_inputs():
    (row,) = rows(rule("r", inputs=("temperature_words",)), things=[temp("38.4", 2)])
    assert row == "| Temperature | last T 38.4 C, 2 h ago |  |"


def test_rules_that_share_a_card_share_their_rows():
    found = rows(rule("a", inputs=("anc",)), rule("b", inputs=("anc", "wbc")), things=[anc("0.9", 3)])
    assert found[1:] == ["| Not known | WBC |  |"]


def test_numbers_of_the_conditions_are_added_once():
    reads = rule("r", "haemoglobin < 9.0 || anc < 1.5", inputs=("anc",))
    found = rows(reads, things=[anc("0.9", 3), lab("HGB", "8.5", 2)])
    assert [row.split(" | ")[0] for row in found] == ["| ANC", "| Hb"]


def test_claims_that_are_true_are_found_and_false_ones_are_not_mentioned():
    reads = rule("r", "hot || sickle_cell_disease || anc < 1.5")
    found = rows(reads, things=[anc("0.9", 3), temp("39.0", 1)])
    assert found[1:] == ["| Found | fever or infection sign |  |", "| Not known | PLT |  |"]


def test_what_was_asked_in_vain_is_said_once():
    reads = rule("r", "anc < 1.5 || duffy_null || platelets < 100.0")
    found = rows(reads, things=[anc("0.9", 3)], remarks=["age: read as an adult"])
    assert found[1:] == ["| Not known | PLT; Duffy-null; age: read as an adult |  |"]


def test_units_are_words_where_their_symbols_are_not():
    assert rows(rule("r", inputs=("age_years",))) == ["| Age | 56 years |  |"]


def test_each_drug_of_a_rule_has_its_row():
    each = rule("r", "drug.draft", each=ForEach.DRUG, inputs=("drug.ingredient",), hooks=HOOKS)
    found = rows(each, things=TWO_DRUGS, hook="order-sign")
    assert [row.split(" | ")[:2] for row in found] == [
        ["| Order of (Gemcitabine)", "gemcitabine"],
        ["| Order of (Carboplatin)", "carboplatin"],
    ]


def test_a_word_that_a_condition_compared_is_no_row():
    each = rule("r", "drug.ingredient == 'gemcitabine'", each=ForEach.DRUG, inputs=("anc",), hooks=HOOKS)
    assert rows(each, things=[*TWO_DRUGS, anc("0.9", 3)], hook="order-sign") == [
        "| ANC | 0.9 10\\*9/L | 2026-11-19 (3 days ago) |"
    ]


def test_text_of_the_chart_cannot_break_the_table():
    found = rows(rule("r"), things=[anc("0.9", 3)], remarks=["a | b\n| c"])
    assert found[-1] == "| Not known | PLT; a \\| b \\| c |  |"


def test_nothing_to_show_is_no_table():
    verdicts = judge_all(library(rule("r")), situation())
    assert input_table(verdicts, ()) == ""


def test_several_findings_share_a_row():
    reads = rule("r", "hot && sickle_cell_disease", inputs=("anc",))
    found = rows(reads, things=[anc("0.9", 3), temp("39.0", 1), problem("sickle-cell-disease")])
    assert found[1:] == ["| Found | fever or infection sign; sickle cell disease |  |"]


def test_the_numbers_are_those_of_the_drug_that_the_rule_fired_for():
    low, high = (
        draft(drug(name), daily_dose_mg=Decimal(mg), source=f"MedicationRequest/{name}")
        for name, mg in (("low", 1000), ("high", 9000))
    )
    each = rule("r", "drug.grams_per_day >= 6.0", each=ForEach.DRUG, inputs=("anc",), hooks=HOOKS)
    found = rows(each, things=[low, high, anc("0.9", 3)], hook="order-sign")
    assert found[1:] == ["| Dose (High) | 9 g/d |  |"]
