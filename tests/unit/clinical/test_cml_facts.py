"""BCR-ABL inhibitors on hold: what the counts, the reason, growth factors and other orders say of resuming."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.drug_table import ResumeOperator
from cds_service.clinical.facts import DrugCase
from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import (
    CHEMO,
    FILGRASTIM,
    anc,
    ask,
    back,
    bare_date,
    dose,
    draft,
    drug,
    drug_case,
    lab,
    order,
    problem,
    situation,
    value,
    wbc,
)

TKI = drug(
    "imatinib",
    drug_class="BCR-ABL TKI",
    anc_hold=Decimal("1.0"),
    anc_resume=Decimal("1.5"),
    plt_hold=Decimal(50),
    plt_resume=Decimal(75),
    anc_resume_operator=ResumeOperator.AT_OR_ABOVE,
    label_action="1st episode: same dose",
    notes="not for resuming",
)
STRICT = drug(
    "nilotinib",
    drug_class="BCR-ABL TKI",
    anc_resume=Decimal("1.0"),
    plt_resume=Decimal(50),
    anc_resume_operator=ResumeOperator.ABOVE,
)


def held(*things, what=TKI, unavailable=(), **more) -> DrugCase:
    one = order(what, "on-hold", **more)
    return drug_case(situation(*things, one, unavailable=unavailable), one)


def plt(number: str, days=1, **more):
    return lab("PLT", number, days, **more)


@pytest.mark.parametrize(
    ("what", "count", "platelets", "reached"),
    [
        (TKI, "1.5", "75", True),
        (TKI, "1.49", "75", False),
        (TKI, "1.5", "74", False),
        (STRICT, "1.01", "51", True),
        (STRICT, "1.0", "51", False),
        (STRICT, "1.01", "50", False),
        (CHEMO, "9", "900", False),
    ],
)
def test_reaches_the_resume_limits_by_the_operator_of_the_label(what, count, platelets, reached):
    assert value("drug.resume_limits_reached", held(anc(count, 1), plt(platelets), what=what)) is reached


def test_the_resume_limits_name_both_results():
    count, platelets = anc("1.5", 1), plt("75", 2)
    answer = ask("drug.resume_limits_reached", held(count, platelets))
    assert answer == Known(True, count.taken, (count.source, platelets.source))


GOOD = [anc("2", 1), plt("90")]


@pytest.mark.parametrize(
    ("things", "reached"),
    [
        ([anc("2", 7), plt("90", 7)], True),
        ([anc("2", back(days=7, minutes=1)), plt("90")], False),
        ([anc("2", 1), plt("90", back(days=7, minutes=1))], False),
        ([anc("2", bare_date(7)), plt("90")], False),
        ([anc("2", 1), plt("90", bare_date(7))], False),
        ([anc("2", 1)], False),
        ([plt("90")], False),
        ([anc("2", 1, final=False), plt("90")], False),
        ([anc("2", 1), plt("90", final=False)], False),
        ([*GOOD, anc("1.6", 0.5, final=False)], False),
        ([*GOOD, anc("2.4", 0.5, final=False)], True),
        ([*GOOD, plt("80", 0.5, final=False)], False),
        ([anc("2", 1), plt("90", comparator="<")], False),
        ([*GOOD, wbc("1.4", 0.1)], False),
        ([anc("2", 3), plt("90"), wbc("1.4", 0.5)], False),
        ([anc("2", 1), wbc("1.8", 1), plt("90")], False),
        ([*GOOD, anc("1.2", 0.5)], False),
        ([*GOOD, anc("0.4", 14), plt("20", 14)], True),
    ],
)
def test_reads_reassuring_counts_strictly(things, reached):
    assert value("drug.resume_limits_reached", held(*things)) is reached


def test_an_upper_limit_reaches_no_resume_limit():
    assert value("drug.resume_limits_reached", held(anc("1.4", 1, comparator="<"), plt("90"), what=STRICT)) is False


def test_the_counts_are_not_known_where_they_are_unavailable():
    answer = ask("drug.resume_limits_reached", held(*GOOD, unavailable=("cellCounts",)))
    assert answer == Unknown(frozenset({"cellCounts"}))


@pytest.mark.parametrize(
    ("kinds", "words", "for_cytopenia"),
    [
        ({"neutropenia"}, "neutropenia", True),
        ({"thrombocytopenia"}, None, True),
        ({"cytopenia"}, None, True),
        ({"neutropenia", "thrombocytopenia"}, None, True),
        ({"neutropenia", "febrile-neutropenia"}, None, True),
        ({"neutropenia", "agranulocytosis"}, None, True),
        ({"neutropenia", "leukopenia"}, None, True),
        ({"leukopenia"}, "leukopenia", False),
        ({"neutropenia", "sepsis"}, None, False),
        (set(), "rash", False),
        (set(), "  ", True),
        (set(), None, True),
    ],
)
def test_a_hold_is_for_a_cytopenia_by_its_reason_or_by_a_low_value(kinds, words, for_cytopenia):
    case = held(anc("0.8", 20), reasons=frozenset(kinds), reason_text=words)
    assert value("drug.held_for_cytopenia", case) is for_cytopenia


@pytest.mark.parametrize(
    ("things", "low"),
    [
        ([anc("0.99", 60)], True),
        ([anc("0.99", back(days=60, minutes=1))], False),
        ([anc("0.99", bare_date(60))], False),
        ([anc("1.0", 20)], False),
        ([anc("0.8", 20, final=False)], False),
        ([plt("49", 60)], True),
        ([plt("49", back(days=60, minutes=1))], False),
        ([plt("50", 20)], False),
        ([plt("50", 20, comparator="<")], True),
        ([plt("51", 20, comparator="<")], False),
        ([plt("49", 20, comparator=">")], False),
        ([plt(None, 20)], False),
        ([plt("49", 20, final=False)], False),
        ([lab("HGB", "8", 20)], False),
        ([], False),
    ],
)
def test_a_low_value_of_60_days_stands_in_for_a_reason(things, low):
    assert value("drug.held_for_cytopenia", held(*things)) is low


def test_a_low_value_names_its_sources_and_a_reason_the_order():
    count, platelets = anc("0.8", 20), plt("30", 19)
    assert ask("drug.held_for_cytopenia", held(count, platelets)) == Known(
        True, sources=(platelets.source, count.source)
    )
    case = held(reasons=frozenset({"cytopenia"}))
    assert ask("drug.held_for_cytopenia", case) == Known(True, sources=(case.order.source,))


def test_a_drug_without_limits_has_no_low_value():
    assert value("drug.held_for_cytopenia", held(anc("0.1", 5), plt("5", 5), what=STRICT)) is False


def test_a_reason_is_known_without_counts_and_its_absence_is_not():
    coded = held(reasons=frozenset({"neutropenia"}), unavailable=("cellCounts",))
    assert value("drug.held_for_cytopenia", coded) is True
    answer = ask("drug.held_for_cytopenia", held(anc("0.8", 20), unavailable=("cellCounts",)))
    assert answer == Unknown(frozenset({"cellCounts"}))


@pytest.mark.parametrize(
    ("more", "things", "words"),
    [
        ({"reasons": frozenset({"thrombocytopenia", "neutropenia"})}, [], "for neutropenia and thrombocytopenia"),
        ({"reasons": frozenset({"sepsis"})}, [anc("0.8", 20)], "for another reason"),
        ({}, [anc("0.8", 20), plt("30", 30)], "without a stated reason (ANC 0.8 on 2026-11-02)"),
        ({}, [plt("50", 19, comparator="<"), anc("0.8", 20)], "without a stated reason (PLT <50 on 2026-11-03)"),
        ({}, [], "without a stated reason"),
    ],
)
def test_says_what_the_hold_is_for(more, things, words):
    assert value("drug.hold_reason_words", held(*things, **more)) == words


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (14, "last dose 2026-11-08, 14 days ago"),
        (None, "date of the last dose not stated"),
        (-3, "date of the last dose not stated"),
    ],
)
def test_says_since_when_it_rests(end, words):
    assert value("drug.held_since_words", held(end=end)) == words


def test_says_what_the_label_says_of_the_dose_only():
    assert value("drug.resume_dose_words", held()) == "1st episode: same dose"
    assert value("drug.resume_dose_words", held(what=STRICT)) == "the label states no dose"


@pytest.mark.parametrize(
    ("things", "unavailable", "given"),
    [
        ([dose(FILGRASTIM, 7)], (), True),
        ([dose(FILGRASTIM, back(days=7, minutes=1))], (), False),
        ([order(FILGRASTIM, "completed", end=7)], (), True),
        ([draft(FILGRASTIM)], (), False),
        ([dose(CHEMO, 1)], (), False),
        ([], (), False),
        ([], ("medicationAdministrations",), None),
        ([], ("medicationRequests",), None),
        ([dose(FILGRASTIM, 1)], ("medicationRequests",), True),
    ],
)
def test_a_growth_factor_of_7_days_may_lift_a_count(things, unavailable, given):
    assert value("growth_factor_within_7_days", situation(*things, unavailable=unavailable)) is given


@pytest.mark.parametrize(
    ("things", "unavailable", "active"),
    [
        ([order(STRICT, start=3)], (), True),
        ([order(TKI, "on-hold", end=3)], (), False),
        ([order(CHEMO, start=3)], (), False),
        ([draft(STRICT)], (), False),
        ([], ("medicationRequests",), None),
    ],
)
def test_knows_whether_an_inhibitor_is_being_taken(things, unavailable, active):
    assert value("cml_drug_active", situation(*things, unavailable=unavailable)) is active


@pytest.mark.parametrize(
    ("problems", "words"),
    [
        ([problem("cml", stage="chronic phase")], "chronic phase"),
        ([problem("cml-blast", stage="blast phase"), problem("cml", stage="blast phase")], "blast phase"),
        ([problem("cml-accelerated", stage="accelerated"), problem("cml", stage="late")], "accelerated; late"),
        ([problem("cml")], "not stated, read as chronic"),
        ([problem("aml", stage="relapsed")], "not stated, read as chronic"),
        ([problem("cml", stage="blast phase", active=False)], "not stated, read as chronic"),
    ],
)
def test_says_the_phase_of_cml_as_it_is_coded(problems, words):
    assert value("cml_phase_words", situation(*problems)) == words
