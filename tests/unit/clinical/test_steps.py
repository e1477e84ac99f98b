"""What a written order is told: its words, the patient, the order it changes, its reason and what it rests on."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from cds_service.clinical.cards import Action
from cds_service.clinical.drug_table import Confidence
from cds_service.clinical.presentation import Presenter
from cds_service.clinical.rules import Due, ForEach
from cds_service.clinical.suggestions import SuggestedStep
from cds_service.clinical.suggestions import SuggestionKind as Kind
from cds_service.clinical.verdicts import judge_all
from cds_service.clinical.wording import proposed
from tests.unit.clinical.charts import Decimal, anc, draft, drug, lab, order, situation
from tests.unit.clinical.rulebook import guard, library, rule, suggestion

HOOKS = frozenset({"patient-view", "order-sign"})


def steps_of(rules, *things, about=None):
    """The steps that the cards ask to have written."""
    book, asked = library(*rules), []
    ids = map(str, itertools.count(1))

    def write(step: SuggestedStep) -> tuple[Action, ...]:
        asked.append(step)
        return (Action("create", step.description),)

    here = about or situation(*things)
    Presenter(book, here, write, lambda: next(ids)).present(judge_all(book, here))
    return asked


def one(rule_id, level="warning", **more):
    return rule(rule_id, levels={level: None}, hooks=HOOKS, **more)


LIMITED = {"anc_hold": Decimal("1.0")}


def test_a_step_carries_its_words_the_patient_the_reason_and_what_it_rests_on():
    repeat = suggestion(Kind.REPEAT_CBC, "CBC in {due}", due=(Due(7, guard()),))
    reads = rule("r", "anc < 1.5 && platelets < 100.0", hooks=HOOKS, suggestions=(repeat,))
    count, cells = anc("1.2", 1, source="Observation/a"), lab("PLT", "90", 1, source="Observation/p")
    (step,) = steps_of([reads], count, cells)
    assert (step.kind, step.label, step.description) == (Kind.REPEAT_CBC, "CBC in 7 days", "CBC in 7 days")
    assert (step.patient_id, step.due_in_days, step.order, step.urgent) == ("p1", 7, None, False)
    assert step.reason == "Summary of r"
    assert step.sources == ("Observation/a", "Observation/p")


def test_a_step_rests_on_the_facts_it_names_alone():
    repeat = dataclasses.replace(suggestion(Kind.REPEAT_CBC, "CBC"), rests_on=("platelets",))
    reads = rule("r", "anc < 1.5", hooks=HOOKS, suggestions=(repeat,))
    count, cells = anc("1.2", 1, source="Observation/a"), lab("PLT", "90", 1, source="Observation/p")
    (step,) = steps_of([reads], count, cells)
    assert step.sources == ("Observation/p",)


def test_a_step_about_nobody_names_nobody():
    reads = one("r", suggestions=(suggestion(Kind.REPEAT_CBC, "CBC"),))
    (step,) = steps_of([reads], about=situation(patient=None))
    assert step.patient_id == ""


def test_a_button_is_cut_at_100_characters():
    label = "word " * 25
    (step,) = steps_of([one("r", suggestions=(suggestion(Kind.REPEAT_CBC, label),))])
    assert step.label == " ".join(["word"] * 19) + "…"


HOLD = suggestion(Kind.HOLD_MEDICATION, "Hold {drug.name}", each=True)


def test_a_rule_about_the_patient_offers_to_hold_each_active_order():
    first, second = (order(drug(name), start=5, source=f"MedicationRequest/{name}") for name in ("a", "b"))
    steps = steps_of([one("r", suggestions=(HOLD,))], first, second, order(drug("c"), "stopped", start=5))
    assert [(s.label, s.order) for s in steps] == [("Hold A", "MedicationRequest/a"), ("Hold B", "MedicationRequest/b")]
    assert [s.description for s in steps] == ["Hold A", "Hold B"]


def test_a_rule_about_the_patient_offers_nothing_that_rests_on_a_doubtful_drug_row():
    sure, doubtful = (order(drug(c, confidence=Confidence(c)), start=5) for c in ("high", "low"))
    steps = steps_of([one("r", suggestions=(HOLD,))], sure, doubtful)
    assert [s.label for s in steps] == ["Hold High"]


def test_an_order_is_offered_with_the_words_and_the_guard_of_its_own_drug():
    limited, other = (
        order(drug("a", **LIMITED), start=5, source="MedicationRequest/a"),
        order(drug("b"), start=5, source="MedicationRequest/b"),
    )
    below = dataclasses.replace(HOLD, guard=guard("drug.below_anc_limit"))
    steps = steps_of([one("r", suggestions=(below,))], limited, other, anc("0.4"))
    assert [s.order for s in steps] == ["MedicationRequest/a"]


def test_a_suggestion_about_the_patient_is_offered_once_and_names_no_order():
    each = rule(
        "r",
        "drug.below_anc_limit",
        each=ForEach.DRUG,
        hooks=HOOKS,
        suggestions=(suggestion(Kind.REPEAT_CBC, "CBC for {drug.name}"),),
    )
    orders = [order(drug(name, **LIMITED), start=5) for name in ("a", "b")]
    steps = steps_of([each], *orders, anc("0.4"))
    assert [(s.label, s.order) for s in steps] == [("CBC for A", None)]
    about = situation(*orders, anc("0.4"))
    (verdict,) = judge_all(library(each), about)
    assert [case.drug.ingredient for _, case in proposed(verdict, about) if case.drug] == ["a"]


def test_a_draft_is_removed_by_its_own_reference():
    remove = suggestion(Kind.REMOVE_DRAFT, "Remove {drug.name}", each=True)
    each = rule("r", "drug.below_anc_limit", each=ForEach.DRUG, hooks=HOOKS, suggestions=(remove,))
    drafted = draft(drug("a", **LIMITED), source="MedicationRequest/d")
    (step,) = steps_of([each], about=situation(drafted, anc("0.4"), hook="order-sign"))
    assert (step.order, step.due_in_days, step.urgent) == ("MedicationRequest/d", None, False)


@pytest.mark.parametrize(
    ("kind", "level", "urgent"),
    [
        (Kind.REPEAT_CBC, "warning", False),
        (Kind.REPEAT_CBC, "critical", True),
        (Kind.STAT_CBC, "info", True),
        (Kind.BLOOD_CULTURES, "warning", True),
    ],
)
def test_what_is_due_at_once_or_critical_is_urgent(kind, level, urgent):
    steps = steps_of([one("r", level, suggestions=(suggestion(kind, "Now"),))])
    assert {step.urgent for step in steps} == {urgent}
