"""Drugs against allergies: the drug, its class by the drug table, and classes that are only named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.card_files.drug_class_words import load_drug_classes
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.allergies import UNNAMED_SUBSTANCE, AllergyCheck
from cds_service.clinical.chart import Allergy, Chart, DataProblem
from tests.unit.clinical.charts import ADULT, CARDS

TERMS = load_terminology(CARDS)
CLASSES = load_drug_classes(CARDS)


def allergy(text: str) -> Allergy:
    return Allergy("AllergyIntolerance/a1", TERMS.match_drugs((), text, None).drugs, text)


def check(*texts: str, **more) -> AllergyCheck:
    return AllergyCheck(Chart(ADULT, allergies=tuple(map(allergy, texts)), **more), CLASSES)


def stands_against(entry: str, drug: str) -> bool:
    return check(entry).against((TERMS.drug(drug),)) is not None


@pytest.mark.parametrize(
    ("entry", "against", "not_against"),
    [
        ("Cefepime", ["cefepime", "ceftazidime", "piperacillin-tazobactam"], ["meropenem", "aztreonam", "vancomycin"]),
        ("Amoxicillin", ["amoxicillin", "cefepime", "piperacillin-tazobactam"], ["meropenem", "levofloxacin"]),
        ("Penicillin", ["piperacillin-tazobactam", "cefepime"], ["meropenem", "aztreonam"]),
        ("Penicillins", ["piperacillin-tazobactam"], ["vancomycin"]),
        ("Allergy to penicillin (finding)", ["piperacillin-tazobactam"], ["levofloxacin"]),
        ("PCN", ["piperacillin-tazobactam"], ["meropenem"]),
        ("PCNs", ["piperacillin-tazobactam"], ["meropenem"]),
        ("Maxipime", ["cefepime"], ["meropenem"]),
        ("Rocephin", ["ceftriaxone", "cefepime"], ["aztreonam"]),
        ("Amoxil", ["amoxicillin", "cefepime"], ["levofloxacin"]),
        ("Levaquin", ["levofloxacin", "ciprofloxacin"], ["cefepime"]),
        ("Merrem", ["meropenem", "imipenem"], ["cefepime"]),
        ("Azactam", ["aztreonam"], ["cefepime"]),
        ("Vanco", ["vancomycin"], ["cefepime"]),
        ("No known allergies except penicillin", ["cefepime"], ["meropenem"]),
        ("No known allergies except Amoxil", ["amoxicillin"], ["meropenem"]),
        ("No known allergies other than antibiotics", ["cefepime", "meropenem"], ["filgrastim"]),
        ("Cephalosporins", ["cefepime", "piperacillin-tazobactam"], ["imipenem"]),
        ("Cefotaxime", ["cefepime"], ["meropenem"]),
        ("Tazobactam", ["piperacillin-tazobactam"], ["meropenem"]),
        ("Zosyn", ["piperacillin-tazobactam", "cefepime"], ["aztreonam"]),
        ("Beta-lactams", ["cefepime", "meropenem", "aztreonam"], ["vancomycin", "ciprofloxacin"]),
        ("Meropenem", ["meropenem", "imipenem", "ertapenem"], ["cefepime", "aztreonam"]),
        ("Carbapenems", ["imipenem"], ["piperacillin-tazobactam"]),
        ("Aztreonam", ["aztreonam"], ["cefepime"]),
        ("Ciprofloxacin", ["levofloxacin", "moxifloxacin"], ["cefepime"]),
        ("Quinolones", ["levofloxacin"], ["cefepime"]),
        ("Sulfa drugs", ["trimethoprim-sulfamethoxazole"], ["levofloxacin"]),
        ("Trimethoprim", ["trimethoprim-sulfamethoxazole", "trimethoprim"], ["levofloxacin"]),
        ("Vancomycin", ["vancomycin"], ["linezolid"]),
        ("Filgrastim", ["filgrastim", "pegfilgrastim"], ["cefepime"]),
        ("G-CSF", ["pegfilgrastim"], ["cefepime"]),
        ("Antibiotics", ["cefepime", "meropenem", "vancomycin", "levofloxacin"], ["filgrastim"]),
        ("Penicillin -class of antibiotic- (substance)", ["cefepime"], ["vancomycin"]),
        ("Aminoglycoside antibiotic", [], ["cefepime", "vancomycin"]),
        ("Peanut", [], ["cefepime", "filgrastim", "vancomycin"]),
        ("Morphine sulfate", [], ["trimethoprim-sulfamethoxazole"]),
        ("Penicillium notatum", [], ["piperacillin-tazobactam"]),
        ("No known drug allergies", [], ["cefepime"]),
        ("No known antibiotic allergy", [], ["cefepime"]),
    ],
)  # fmt: skip
def test_an_allergy_stands_against_the_drug_and_its_class(entry, against, not_against):
    assert [name for name in against if not stands_against(entry, name)] == []
    assert [name for name in not_against if stands_against(entry, name)] == []


ANTIBACTERIALS = [drug for drug in TERMS.drugs if drug.antibacterial or drug.is_growth_factor]


@given(st.sampled_from(ANTIBACTERIALS), st.sampled_from(ANTIBACTERIALS))
def test_within_a_class_of_the_drug_table_each_stands_against_each(one, other):
    """By code or by name, and the other way round."""
    if one.drug_class == other.drug_class:
        assert AllergyCheck(Chart(ADULT, allergies=(Allergy("a", (one,), "coded"),)), CLASSES).against((other,))
    forth = check(one.ingredient).against((other,)) is not None
    back = check(other.ingredient).against((one,)) is not None
    assert forth == back


@given(st.sampled_from(ANTIBACTERIALS), st.text(max_size=40), st.text(max_size=40))
def test_no_words_around_it_hide_an_allergy(drug, before, after):
    entry = Allergy("a", (drug,), f"{before} {drug.ingredient} {after}")
    assert AllergyCheck(Chart(ADULT, allergies=(entry,)), CLASSES).against((drug,)) is entry


def test_the_words_of_an_order_count_too():
    found = check("Gentamicin", "Penicillin").against((), "Ceftolozane 1.5 g")
    assert found is not None
    assert found.text == "Penicillin"


def test_names_the_entry_and_asks_each_drug_of_an_order():
    found = check("Latex", "Cefepime").against((TERMS.drug("vancomycin"), TERMS.drug("cefepime")))
    assert found is not None
    assert found.text == "Cefepime"


def problem(kind: str, source: str) -> tuple[DataProblem, ...]:
    return (DataProblem(kind, source, "It could not be read."),)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (check(), True),
        (check("Latex"), True),
        (check(unavailable={"allergies": "not sent"}), False),
        (check(unavailable={"conditions": "not sent"}), True),
        (check(UNNAMED_SUBSTANCE), False),
        (check("Latex", UNNAMED_SUBSTANCE), False),
        (check(data_problems=problem("broken-resource", "AllergyIntolerance/a9")), False),
        (check(data_problems=problem("broken-resource", "AllergyIntolerance")), False),
        (check(data_problems=problem("broken-resource", "Condition/a9")), True),
        (check("Latex", data_problems=problem("broken-resource", "Bundle")), False),
        (check(data_problems=problem("other-patient", "AllergyIntolerance/a9")), False),
        (check("Latex", data_problems=problem("other-patient", "AllergyIntolerance/a9")), True),
        (check(data_problems=problem("other-patient", "Condition/c9")), True),
        (check("Latex", data_problems=problem("unstated-patient", "AllergyIntolerance/a9")), False),
        (check("Latex", data_problems=problem("unknown-drug", "Bundle")), True),
    ],
)
def test_allergies_that_cannot_all_be_read_are_not_known(asked, known):
    assert asked.known is known


def test_a_coded_drug_without_words_is_readable():
    entry = Allergy("a", (TERMS.drug("cefepime"),), UNNAMED_SUBSTANCE)
    assert AllergyCheck(Chart(ADULT, allergies=(entry,)), CLASSES).known


@pytest.mark.parametrize(
    "text",
    [
        "No information about allergies",
        "Patient not asked",
        "Unable to obtain",
        "Allergies not reviewed",
        "Not assessed",
        "Allergies not known",
        "Not available",
        "Not recorded",
        "Not documented",
        "Unobtainable",
        "Asked but declined",
        "Unknown",
        "Unspecified drug allergy",
        "Unidentified substance",
        "Undetermined",
        "Masked",
        "Unknown antibiotic",
    ],
)
def test_an_entry_that_says_that_nobody_knows_leaves_allergies_not_known(text):
    assert not check(text).known
    assert not check("Latex", text).known


@pytest.mark.parametrize("text", ["Penicillin, reaction unknown", "Zosyn; unspecified reaction", "No known allergies"])
def test_words_beside_a_drug_or_a_denial_leave_them_known(text):
    assert check(text).known


def test_leaves_out_entries_that_say_there_is_none():
    assert [entry.text for entry in check("No known allergies", "Latex", "no known drug allergy").on_file] == ["Latex"]


@pytest.mark.parametrize("words", ["except", "excepting", "excluding", "apart from", "other than", "besides", "but"])
def test_what_is_excepted_from_no_known_allergies_is_on_file(words):
    text = f"No known allergies {words} latex"
    assert [entry.text for entry in check(text).on_file] == [text]


def test_every_class_of_the_words_is_one_that_a_drug_can_have():
    named = {name for word in CLASSES.words for name in word.classes}
    without_a_row = {"aminoglycoside", "macrolide", "tetracycline"}
    assert named - {drug.drug_class for drug in TERMS.drugs} == {"antibacterial", *without_a_row}


def test_all_classes_of_an_order_are_asked_for():
    drugs = (TERMS.drug("vancomycin"), TERMS.drug("cefepime"))
    classes = CLASSES.of(drugs, "Gentamicin")
    assert classes >= CLASSES.of(drugs[:1]) | CLASSES.of(drugs[1:]) | CLASSES.named_in("Gentamicin")
    assert {drug.drug_class for drug in drugs} <= classes
    assert CLASSES.of((), "Ceftolozane 1.5 g") == CLASSES.named_in("Ceftolozane 1.5 g") != frozenset()
    assert CLASSES.of(()) == frozenset()
    assert check("Penicillin").against((TERMS.drug("vancomycin"),), "Ceftolozane 1.5 g") is not None
    assert check("Penicillin").against((TERMS.drug("vancomycin"),)) is None
