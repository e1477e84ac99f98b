"""What a verdict rests on: the same for the same order on the same results, another as soon as anything is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.evidence import evidence_of
from cds_service.clinical.rules import ForEach
from cds_service.clinical.situation import SitePolicy
from cds_service.clinical.verdicts import judge_all
from tests.unit.clinical.charts import (
    METHIMAZOLE,
    NOW,
    Decimal,
    anc,
    back,
    draft,
    drug,
    finding,
    lab,
    order,
    problem,
    sbp,
    service_order,
    situation,
    temp,
    wbc,
)
from tests.unit.clinical.rulebook import library, rule

HOOKS = frozenset({"patient-view", "encounter-start", "order-select", "order-sign"})
LOW = rule("low", "anc < 1.5 || hot || duffy_null", hooks=HOOKS)
COUNT = anc("1.2", 3, source="Observation/o1", raw="1.2 10*9/L")
DRUG = drug("metoclosan", anc_hold=Decimal("1.5"))
EACH = rule("each", "drug.below_anc_limit", each=ForEach.DRUG, hooks=HOOKS)
STOPPED = rule("stopped", "drug.below_anc_limit", each=ForEach.STOPPED_DRUG, hooks=HOOKS)


def evidence(one, *things, **more):
    about = situation(*things, **more)
    (verdict,) = judge_all(library(one), about)
    assert verdict.fired
    return evidence_of(verdict)


def later(things, *, days=2, one=LOW, hook="patient-view"):
    """The same chart, opened so many days later."""
    about = replace(situation(*things, hook=hook), now=NOW + timedelta(days=days))
    (verdict,) = judge_all(library(one), about)
    return evidence_of(verdict)


def test_is_the_same_for_the_same_chart_in_any_order():
    older = anc("2.2", 60, source="Observation/o2")
    assert evidence(LOW, COUNT, older) == evidence(LOW, older, COUNT)


def test_is_the_same_when_only_time_has_passed():
    timed = rule("timed", "anc < 1.5 && anc_age_days >= 0.0", hooks=HOOKS)
    assert evidence(timed, COUNT) == later([COUNT], one=timed)


def test_is_the_same_for_a_result_that_came_under_another_reference():
    again = replace(COUNT, source="Observation/o9")
    rests_on_no_source = rule("any", "wbc < 4.0", hooks=HOOKS)
    count = wbc("3.5", source="Observation/w")
    assert evidence(rests_on_no_source, count, COUNT) == evidence(rests_on_no_source, count, again)
    assert evidence(rests_on_no_source, count, COUNT) == evidence(rests_on_no_source, count, COUNT, again)


@pytest.mark.parametrize(
    "new",
    [
        anc("1.2", 1),
        anc("1.4", 1),
        anc("3.0", 90),
        lab("PLT", "90", 3),
        lab("HGB", "9", 3),
        lab("B12", None, 3),
        anc("1.1", 3, final=False),
        finding("SMEAR", "negative"),
        finding("DUFFY", "duffy-positive"),
    ],
    ids=lambda new: f"{new.analyte}-{new.taken.day}",
)
def test_any_new_result_makes_it_another_even_one_the_rule_does_not_look_at(new):
    assert evidence(LOW, COUNT, new) != evidence(LOW, COUNT)


@pytest.mark.parametrize(
    "changed",
    [
        {"value": Decimal("1.3"), "raw": "1.3 10*9/L"},
        {"raw": "<1.2 10*9/L"},
        {"final": False},
        {"taken": back(3, hours=1)},
        {"low_limit": Decimal("1.8")},
    ],
    ids=str,
)
def test_a_corrected_result_makes_it_another(changed):
    other = anc("1.4", 90, source="Observation/o3")
    assert evidence(LOW, other, replace(COUNT, **changed)) != evidence(LOW, other, COUNT)


def test_the_same_number_of_another_analyte_is_another_result():
    monocytes = lab("MONO", "1.1", 3)
    assert evidence(LOW, COUNT, monocytes) != evidence(LOW, COUNT, replace(monocytes, analyte="ALC"))


def test_another_row_of_the_drug_table_makes_it_another():
    by_risk = rule("risk", "drug.below_anc_limit && drug.risk != 'none'", each=ForEach.DRUG, hooks=HOOKS)
    other = replace(DRUG, risk=METHIMAZOLE.risk)
    taken = order(DRUG, start=40, source="MedicationRequest/m1")
    assert evidence(by_risk, COUNT, taken) != evidence(by_risk, COUNT, replace(taken, drugs=(other,)))


def test_a_finding_in_other_words_or_of_another_day_makes_it_another():
    film = finding("SMEAR", "negative")
    for other in (
        replace(film, texts=("blasts",)),
        replace(film, kinds=frozenset({"blasts"})),
        replace(film, taken=back(1)),
        replace(film, final=False),
        replace(film, analyte="HCV"),
    ):
        assert evidence(LOW, COUNT, other) != evidence(LOW, COUNT, film)


def test_a_normal_temperature_or_pressure_is_nothing_new():
    assert evidence(LOW, COUNT, temp("36.8"), sbp("120"), lab("WEIGHT", "80")) == evidence(LOW, COUNT, temp("37.0"))


def test_a_fever_and_each_new_reading_of_it_makes_it_another():
    first, second = temp("38.6", 3, source="Observation/t1"), temp("38.7", 1, source="Observation/t2")
    assert len({evidence(LOW, COUNT), evidence(LOW, COUNT, first), evidence(LOW, COUNT, first, second)}) == 3


def test_what_is_known_now_and_was_not_makes_it_another():
    known, unknown = evidence(LOW, COUNT), evidence(LOW, COUNT, unavailable=("vitalSigns",))
    assert len({known, unknown, evidence(LOW, COUNT, unavailable=("vitalSigns", "conditions"))}) == 3


def test_another_limit_of_the_site_makes_it_another():
    within = rule("within", "duffy_suppressed", hooks=HOOKS)
    below = rule("within", "anc < 1.5 || duffy_suppressed", hooks=HOOKS)
    null, count = finding("DUFFY", "duffy-null"), anc("1.25", 1)
    assert evidence(within, null, count)
    strict = SitePolicy(duffy_null_anc=Decimal("1.3"))
    assert evidence(below, null, count) != evidence(below, null, count, policy=strict)


def test_another_rule_version_or_level_makes_it_another():
    levels = {"critical": "hot", "warning": None}
    found = {
        evidence(LOW, COUNT),
        evidence(replace(LOW, version="1.0.1"), COUNT),
        evidence(replace(LOW, id="other"), COUNT),
        evidence(rule("low", "anc < 1.5 || hot || duffy_null", levels=levels, hooks=HOOKS), COUNT),
        evidence(rule("low", "anc < 1.5 || hot || duffy_null", levels={"info": None}, hooks=HOOKS), COUNT),
    }
    assert len(found) == 4


def test_the_default_level_of_a_rule_is_a_warning_like_the_one_that_is_named():
    """So that the test above counts right: two of its five are the same."""
    named = rule("low", "anc < 1.5 || hot || duffy_null", levels={"critical": "hot", "warning": None}, hooks=HOOKS)
    assert evidence(named, COUNT) == evidence(LOW, COUNT)


def test_opening_a_chart_is_one_thing_and_ordering_another():
    hooks = ("patient-view", "encounter-start", "order-select", "order-sign")
    view, start, select, sign = (evidence(LOW, COUNT, hook=hook) for hook in hooks)
    assert view == start
    assert select == sign
    assert view != select


DRAFT = draft(
    DRUG,
    source="MedicationRequest/d1",
    daily_dose_mg=Decimal(15),
    planned_days=Decimal(7),
    dose_text="15 mg",
    route=Route.ORAL,
)


GATED = rule("gated", "gated_draft", hooks=HOOKS)


@pytest.mark.parametrize("one", [LOW, EACH, GATED], ids=["patient", "drug", "draft"])
def test_a_draft_is_the_same_under_another_number_and_by_the_time_it_is_signed(one):
    selected = replace(DRAFT, selected=True)
    signed = replace(DRAFT, source="MedicationRequest/d2", authored=back(0), status="active")
    assert evidence(one, COUNT, selected, hook="order-select") == evidence(one, COUNT, signed, hook="order-sign")


@pytest.mark.parametrize("one", [LOW, EACH], ids=["patient", "drug"])
@pytest.mark.parametrize(
    "changed",
    [
        {"daily_dose_mg": Decimal(20)},
        {"planned_days": Decimal(14)},
        {"dose_text": "20 mg"},
        {"dosage": "twice daily"},
        {"route": Route.PARENTERAL},
        {"drugs": (drug("other", anc_hold=Decimal("1.5")),)},
        {"planned_first_dose": back(-1)},
        {"reasons": frozenset({"neutropenia"})},
        {"reason_text": "rash"},
        {"name": "metoclosan 250 MG Oral Capsule"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_draft_is_another_order(one, changed):
    assert evidence(one, COUNT, DRAFT, hook="order-sign") != evidence(
        one, COUNT, replace(DRAFT, **changed), hook="order-sign"
    )


def test_the_dosage_as_it_was_sent_decides_over_its_words():
    first, second = replace(DRAFT, dosage="a", dose_text="x"), replace(DRAFT, dosage="a", dose_text="y")
    assert evidence(EACH, COUNT, first, hook="order-sign") == evidence(EACH, COUNT, second, hook="order-sign")


def test_a_drafted_test_is_known_by_what_it_orders():
    serology = rule("serology", "antibody_test_drafted", hooks=HOOKS)
    first = service_order("hcv-antibody", draft=True, source="ServiceRequest/s1")
    signed = replace(first, source="ServiceRequest/s2")
    other = replace(first, kinds=frozenset({"hiv-antibody"}), source="ServiceRequest/s3")
    assert evidence(serology, COUNT, first, hook="order-sign") == evidence(serology, COUNT, signed, hook="order-sign")
    assert evidence(serology, COUNT, first, hook="order-sign") != evidence(serology, COUNT, other, hook="order-sign")
    both = evidence(serology, COUNT, first, other, hook="order-sign")
    assert evidence(serology, COUNT, first, hook="order-sign") != both


def test_drafts_that_no_rule_knows_are_told_apart_by_their_names():
    first, second = replace(DRAFT, drugs=(), name="Apixaban"), replace(DRAFT, drugs=(), name="Warfarin")
    assert evidence(LOW, COUNT, first, hook="order-sign") != evidence(LOW, COUNT, second, hook="order-sign")


def test_a_rule_about_a_drug_is_not_moved_by_another_draft_but_one_about_the_patient_is():
    second = draft(drug("harmless"))
    assert evidence(EACH, COUNT, DRAFT, hook="order-sign") == evidence(EACH, COUNT, DRAFT, second, hook="order-sign")
    assert evidence(LOW, COUNT, DRAFT, hook="order-sign") != evidence(LOW, COUNT, DRAFT, second, hook="order-sign")


def test_a_second_drug_below_its_limit_makes_it_another():
    second = draft(drug("other", anc_hold=Decimal("1.5")))
    assert evidence(EACH, COUNT, DRAFT, hook="order-sign") != evidence(EACH, COUNT, DRAFT, second, hook="order-sign")


def test_stopping_an_order_is_another_thing_than_making_it():
    stop = order(DRUG, "stopped", start=40, draft=True, source="MedicationRequest/m1")
    hold = replace(stop, status="on-hold")
    assert evidence(STOPPED, COUNT, stop, hook="order-sign") != evidence(STOPPED, COUNT, hold, hook="order-sign")
    assert evidence(LOW, COUNT, stop, hook="order-sign") != evidence(LOW, COUNT, DRAFT, hook="order-sign")
    assert evidence(LOW, COUNT, stop, hook="order-sign") != evidence(LOW, COUNT, hook="order-sign")


def test_an_active_drug_that_is_now_taken_otherwise_makes_it_another():
    taken = order(DRUG, start=40, source="MedicationRequest/m1", daily_dose_mg=Decimal(5))
    assert evidence(EACH, COUNT, taken) == later([COUNT, taken], one=EACH)
    assert evidence(EACH, COUNT, taken) != evidence(EACH, COUNT, replace(taken, daily_dose_mg=Decimal(10)))
    assert evidence(EACH, COUNT, taken) == evidence(EACH, COUNT, replace(taken, source="MedicationRequest/m2"))


def test_a_new_drug_behind_a_fact_makes_it_another():
    suspects = rule("suspects", "idiosyncratic_drug_active || anc < 1.5", hooks=HOOKS)
    first, second = order(METHIMAZOLE, start=40), order(drug("other", risk=METHIMAZOLE.risk), start=4)
    assert evidence(suspects, COUNT, first) != evidence(suspects, COUNT, first, second)


def test_a_new_problem_behind_a_fact_makes_it_another():
    infected = rule("infected", "infection_sign", hooks=HOOKS)
    first, second = problem("pneumonia", 1), problem("cellulitis", 1)
    assert evidence(infected, COUNT, first) != evidence(infected, COUNT, first, second)


def test_holds_nothing_but_words():
    def words(thing):
        return isinstance(thing, str) or (isinstance(thing, tuple) and all(map(words, thing)))

    assert words(evidence(EACH, COUNT, DRAFT, finding("SMEAR", "negative"), hook="order-sign"))


COUNT_DAY = "2026-11-19T15:00:00+00:00/2026-11-19T15:00:00+00:00"


def test_the_words_stay_as_they_are_because_answers_of_last_week_are_compared_with_them():
    """Another word for the same thing would show every answered card again after an update."""
    reads = rule("reads", "anc < 1.5 && (anc_age_days > 1.0 || pregnant)", hooks=HOOKS)
    assert evidence(reads, COUNT, unavailable=("conditions",)) == (
        "reads",
        "1.0.0",
        "chart",
        (),
        (
            (
                "",
                "warning",
                (),
                (
                    ("anc", ("1.2", ("Observation/o1",))),
                    ("anc_age_days", ("", ("Observation/o1",))),
                    ("pregnant", ("unknown", "conditions")),
                ),
            ),
        ),
        (("ANC", "1.2 10*9/L", "", COUNT_DAY, "True"),),
    )


def test_the_words_of_a_drafted_order_stay_as_they_are():
    days = "2026-11-23T15:00:00+00:00/2026-11-23T15:00:00+00:00"
    drafted = replace(
        DRAFT,
        source="MedicationRequest/d9",
        daily_dose_mg=Decimal(20),
        dose_text="20 mg",
        dosage=None,
        planned_days=None,
        planned_first_dose=back(-1),
        reasons=frozenset({"b", "a"}),
        reason_text=None,
        route=Route.ORAL,
        status="draft",
    )
    words = ("", ("metoclosan",), "metoclosan", "oral", "20", "20 mg", "", days, ("a", "b"), "")
    _, _, where, drafts, (case,), results = evidence(EACH, COUNT, drafted, hook="order-sign")
    assert (where, drafts, results) == ("orders", (), (("ANC", "1.2 10*9/L", "", COUNT_DAY, "True"),))
    assert case[:3] == ("metoclosan", "warning", words)
    undated = replace(drafted, planned_first_dose=None)
    assert evidence(LOW, COUNT, undated, hook="order-sign")[3] == ((*words[:7], "", *words[8:]),)
    stop = replace(undated, status="stopped", drugs=(), name="Apixaban")
    assert evidence(LOW, COUNT, stop, hook="order-sign")[3] == (
        ("stopped", (), "Apixaban", *words[3:7], "", *words[8:]),
    )


def test_results_are_sorted_by_all_their_words():
    first, second = finding("SMEAR", "negative", days=3), replace(COUNT, analyte="WBC", source="Observation/w")
    *_, results = evidence(LOW, COUNT, second, first)
    assert [words[0] for words in results] == ["ANC", "SMEAR", "WBC"]
