"""The vocabulary as a whole: every fact answers on every chart, by its type, and is "always known" only where so."""

from __future__ import annotations

import dataclasses
import itertools
from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.drug_table import Risk
from cds_service.clinical.facts import FACTS, FactKind, FactSheet
from cds_service.clinical.facts.count_facts import is_duffy_null
from cds_service.clinical.facts.registry import fact
from cds_service.clinical.knowledge import DEFECT, Known, Unknown
from tests.unit.clinical.charts import (
    CEFEPIME,
    CHEMO,
    METHIMAZOLE,
    anc,
    ask,
    back,
    bare_date,
    dose,
    draft,
    drug,
    drug_case,
    finding,
    lab,
    order,
    problem,
    sbp,
    situation,
    temp,
    value,
    wbc,
)

TYPES = {FactKind.BOOL: bool, FactKind.NUMBER: (Decimal, int), FactKind.TEXT: str}
FULL = drug(
    "fullamab (iv)",
    mechanism_group="cytotoxic",
    risk=Risk.HIGH_MYELOSUPPRESSIVE,
    anc_hold=Decimal(1),
    plt_hold=Decimal(50),
    anc_hold_with_fever=Decimal("1.5"),
    anc_cycle_start=Decimal("1.5"),
    plt_cycle_start=Decimal(100),
    anc_resume=Decimal("1.5"),
    anc_hold_min_days=Decimal(7),
    plt_resume=Decimal(75),
    label_action="same dose",
    notes="a note",
    monitoring="weekly",
    gate_window_days=Decimal(30),
    default_route="parenteral",
    fever_rule="drug-always",
    fever_lookback_days=Decimal(14),
)
CHARTS = {
    "empty": [],
    "sick": [
        anc("0.4", 1),
        anc("1.6", 40),
        wbc("0.9", 0),
        lab("HGB", "9", 1),
        lab("PLT", "40", 1),
        lab("BLASTS_PCT", "12", 1),
        lab("IGG", "300", 5),
        lab("ALC", "0.4", 1),
        lab("WEIGHT", "70", 1),
        temp("38.6"),
        sbp("85"),
        problem("pneumonia", 2),
        problem("sepsis"),
        problem("cml", stage="accelerated"),
        problem("sore-throat", 2),
        dose(CHEMO, 8),
        order(CEFEPIME, start=2),
        order(METHIMAZOLE, start=20),
        finding("DUFFY", "duffy-null"),
        finding("SMEAR", "blasts"),
    ],
    "odd": [
        lab("ANC", None, 1, problem="unit K/mL is not known"),
        anc("2", bare_date(1)),
        wbc("5", bare_date(1)),
        lab("NEUT_PCT", "20", bare_date(1)),
        temp(None, 2),
        temp("38.1", 3),
        order(None, start=1),
        order(FULL),
        problem("pregnancy"),
    ],
}
DRUGS = {"full": FULL, "bare": drug("bare"), "methimazole": METHIMAZOLE}
GAPS = [(), tuple(PrefetchKey)]


def cases():
    for (name, things), gaps, hook in itertools.product(CHARTS.items(), GAPS, ("patient-view", "order-sign")):
        yield pytest.param(things, gaps, hook, id=f"{name}-{'gaps' if gaps else 'complete'}-{hook}")


@pytest.mark.parametrize(("things", "gaps", "hook"), list(cases()))
def test_every_fact_answers_by_its_type(things, gaps, hook):
    for what, drafted in itertools.product(DRUGS.values(), (True, False)):
        one = draft(what, dose_text="1 daily") if drafted else order(what, start=9)
        about = situation(one, *things, hook=hook, unavailable=gaps)
        sheet = FactSheet(about).for_drug(one, what)
        for spec in FACTS.values():
            answer = sheet.answer(spec.name)
            assert isinstance(answer, Known) or DEFECT not in answer.missing, spec.name
            if isinstance(answer, Known):
                assert isinstance(answer.value, TYPES[spec.kind]), spec.name
                assert spec.kind is FactKind.BOOL or not isinstance(answer.value, bool), spec.name
            assert not spec.missing.startswith("Always known") or isinstance(answer, Known), spec.name


def test_answers_each_fact_once():
    sheet = FactSheet(situation(anc("1.2")))
    assert sheet.answer("anc") is sheet.answer("anc")
    child = sheet.for_drug(order(METHIMAZOLE), METHIMAZOLE)
    assert child.answer("anc") is sheet.answer("anc")


def test_a_fact_about_a_drug_is_unknown_without_one():
    assert FactSheet(situation()).answer("drug.ingredient") == Unknown(note="no drug in view")


def test_rejects_a_fact_defined_twice():
    with pytest.raises(ValueError, match="defined twice"):
        fact("anc", FactKind.NUMBER, meaning="m", missing="m", source="s")(lambda s: Unknown())


def test_every_fact_says_what_it_means_and_what_missing_data_do():
    for spec in FACTS.values():
        assert spec.meaning
        assert spec.missing
        assert spec.source
        assert spec.kind in TYPES


def test_is_duffy_null_only_where_known():
    assert is_duffy_null(situation(finding("DUFFY", "duffy-null")))
    assert not is_duffy_null(situation())


@pytest.mark.parametrize(
    ("route", "systemic"), [(Route.UNKNOWN, True), (Route.ORAL, True), (Route.LOCAL, False), (Route.INTRATHECAL, False)]
)
def test_a_route_that_is_not_known_is_systemic(route, systemic):
    one = order(METHIMAZOLE, start=3, route=route)
    assert value("drug.systemic", drug_case(situation(one), one)) is systemic


@pytest.mark.parametrize(
    ("things", "blasts"),
    [
        ([lab("BLASTS_PCT", "1", 28)], True),
        ([lab("BLASTS_PCT", "0", 1)], False),
        ([lab("BLASTS_PCT", "1", 28.5)], False),
        ([finding("SMEAR", "blasts", days=28)], True),
        ([finding("SMEAR", "blasts", days=29)], False),
        ([finding("SMEAR", "negative", days=1)], False),
        ([], False),
    ],
)
def test_blasts_are_a_percentage_above_zero_or_a_coded_film_finding(things, blasts):
    assert value("blasts_reported", situation(*things)) is blasts


DEFERIPRONE = drug("deferiprone", fever_rule="drug-always", fever_lookback_days=Decimal(14))
PENICILLAMINE = drug("penicillamine", fever_rule="drug-throat", fever_lookback_days=Decimal(14))
RITUXIMAB = drug("rituximab", fever_rule="drug-fever", fever_lookback_days=Decimal(365))
CHLORAMPHENICOL = drug(
    "chloramphenicol", antibacterial="other", fever_rule="drug-fever", fever_lookback_days=Decimal(14)
)
FEVER, THROAT, SIGN, COUNTED = temp("38.5"), problem("sore-throat", 14), problem("cellulitis", 3), anc("3.0", 0.5)


@pytest.mark.parametrize(
    ("what", "things", "warns"),
    [
        (METHIMAZOLE, [FEVER], True),
        (METHIMAZOLE, [THROAT], True),
        (METHIMAZOLE, [SIGN], False),
        (METHIMAZOLE, [FEVER, COUNTED], False),
        (PENICILLAMINE, [THROAT], True),
        (PENICILLAMINE, [FEVER], False),
        (RITUXIMAB, [FEVER], True),
        (RITUXIMAB, [THROAT], False),
        (RITUXIMAB, [FEVER, COUNTED], False),
        (DEFERIPRONE, [FEVER, COUNTED], True),
        (DEFERIPRONE, [THROAT, COUNTED], True),
        (DEFERIPRONE, [SIGN, COUNTED], True),
        (DEFERIPRONE, [], False),
        (CHEMO, [FEVER], False),
        (drug("x"), [FEVER], False),
    ],
)
def test_a_warning_symptom_is_of_the_kind_the_table_names(what, things, warns):
    assert value("warning_drug_symptom", situation(order(what, start=20), *things)) is warns


@pytest.mark.parametrize(("days", "warns"), [(7, True), (6.9, False)])
def test_an_antibacterial_is_suspected_from_day_7(days, warns):
    assert value("warning_drug_symptom", situation(order(CHLORAMPHENICOL, start=days), FEVER)) is warns


@pytest.mark.parametrize(
    ("what", "days", "warns"), [(METHIMAZOLE, 14, True), (METHIMAZOLE, 14.5, False), (RITUXIMAB, 365, True)]
)
def test_a_stopped_drug_is_suspected_within_its_look_back(what, days, warns):
    about = situation(order(what, "stopped", start=400, end=days), FEVER)
    assert value("warning_drug_symptom", about) is warns


def test_does_not_know_of_a_warning_symptom_without_the_drug_list():
    assert value("warning_drug_symptom", situation(FEVER, unavailable=("medicationRequests",))) is None
    about = situation(order(METHIMAZOLE, start=20), COUNTED, unavailable=("medicationAdministrations",))
    assert value("warning_drug_symptom", about) is None


def test_words_say_what_is_not_known():
    nothing, unavailable = situation(), situation(unavailable=tuple(PrefetchKey))
    assert value("anc_words", nothing) == "not on file"
    assert value("last_counts", nothing) == "none on file"
    assert value("last_counts", unavailable) == "not known (cell counts unavailable)"
    assert value("earlier_counts", nothing) == "none on file"
    assert value("lineages", nothing) == "Hb not known, PLT not known"
    assert value("temperature_words", unavailable) == "temperature not known"
    assert value("duffy_words", nothing) == "Duffy status not known"


def test_words_print_values_with_their_ages():
    about = situation(anc("1.3", 1), anc("1.8", 45), anc("2.4", 91), lab("HGB", "9.5", 1), lab("PLT", "80", 3))
    assert value("anc_words", about) == "1.3 (24 h ago)"
    assert value("earlier_counts", about) == "2.4 > 1.8 > 1.3 in 90 days"
    assert value("lineages", about) == "Hb 9.5 g/dL (24 h ago), PLT 80 (3 days ago)"
    assert value("last_counts", about) == "1.3 on 2026-11-21; 1.8 on 2026-10-08; 2.4 on 2026-08-23"


@pytest.mark.parametrize(
    ("status", "number", "words"),
    [
        ("duffy-null", "1.3", "Duffy-null (reference limit 1.2)"),
        ("duffy-null", "1.1", "Duffy-null; the count is below the Duffy-null reference limit (1.2)"),
        ("duffy-positive", "1.1", "not Duffy-null"),
    ],
)
def test_words_give_duffy_status_as_context(status, number, words):
    assert value("duffy_words", situation(anc(number), finding("DUFFY", status))) == words


def test_words_print_an_unusable_result_as_sent_with_its_reason():
    about = situation(lab("ANC", None, back(hours=3), raw="1200 K/mL", problem="unit K/mL is not known"))
    assert value("unusable_words", about) == "ANC 1200 K/mL (3 h ago): unit K/mL is not known"
    assert value("counts_unusable", about) is True


def test_words_print_both_results_of_a_conflict():
    about = situation(anc("0.9", back(hours=2)), anc("1.2", back(hours=1)))
    assert (
        value("conflict_words", about)
        == "0.9 (2 h ago) and 1.2 (1 h ago): results close in time lie in different bands"
    )
    assert value("conflict_words", situation()) is None
    assert value("counts_conflict", about) is True
    assert value("counts_conflict", situation(anc("0.9", back(40)), anc("1.2", back(40, 1)))) is False


def test_new_and_unexplained_needs_180_days_without_a_low_count_and_no_exposure():
    assert value("new_and_unexplained", situation(anc("0.8"), anc("1.0", 90))) is True
    assert value("new_and_unexplained", situation(anc("0.8"), anc("0.9", 180))) is False
    assert value("new_and_unexplained", situation(anc("0.8"), anc("0.9", 181))) is True
    assert value("new_and_unexplained", situation(anc("0.8"), dose(CHEMO, 8))) is False


def test_course_without_counts_is_near_no_median():
    assert not situation().course.near_own_median


def test_a_treatment_is_named_with_its_start():
    about = situation(order(CEFEPIME, start=4))
    assert value("treating_words", about) == "cefepime since 18 Nov 15:00 UTC"
    assert value("days_treated", about) == 4
    assert ask("treating_words", situation()) == Unknown(note="not on an antipseudomonal drug")


def test_a_fact_that_cannot_be_computed_is_unknown_and_says_so(monkeypatch):
    def fail(about):
        raise ZeroDivisionError

    monkeypatch.setitem(FACTS, "anc", dataclasses.replace(FACTS["anc"], compute=fail))
    assert FactSheet(situation(anc("1.2"))).answer("anc") == Unknown(frozenset({DEFECT}), "could not be computed")


@pytest.mark.parametrize(
    ("dose_mg", "text", "words"),
    [(Decimal(400), "1 daily", "400 mg/day"), (None, "1 daily", "1 daily"), (None, None, None)],
)
def test_words_print_the_dose_of_the_order(dose_mg, text, words):
    one = order(METHIMAZOLE, start=3, daily_dose_mg=dose_mg, dose_text=text)
    assert value("drug.dose_words", drug_case(situation(one), one)) == words


def test_words_say_that_the_age_is_not_known():
    assert value("age_note", situation(patient=None)) == "Age not known: read as an adult."
    assert value("age_note", situation()) is None


def test_words_print_every_unusable_result_with_the_name_of_what_was_measured():
    labs = [
        lab(analyte, None, back(hours=3), raw=f"{analyte} raw", problem=problem_words)
        for analyte, problem_words in (("PLT", "unit is missing"), ("SEGS_PCT", None))
    ]
    vital = lab("TEMP", None, back(hours=2), raw="hot", problem="not a number")
    about = situation(*labs, vital)
    assert value("unusable_words", about) == (
        "Platelets PLT raw (3 h ago): unit is missing; "
        "Segs % SEGS_PCT raw (3 h ago): not a usable number; "
        "Temperature hot (2 h ago): not a number"
    )
    assert value("unusable_short", about) == "Temperature hot and Platelets PLT raw"
    assert value("unusable_short", situation()) == "A result"
