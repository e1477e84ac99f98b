"""C-FEVER: what is a fever, what is an infection sign, and the words for both."""

from __future__ import annotations

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import (
    CEFTRIAXONE,
    CHEMO,
    COTRIMOXAZOLE,
    anc,
    bare_date,
    dose,
    lab,
    order,
    problem,
    sbp,
    situation,
    temp,
    value,
    wbc,
)


def temps(*pairs: tuple[str, float]):
    return [temp(number, hours) for number, hours in pairs]


@pytest.mark.parametrize(
    ("things", "fever"),
    [
        (temps(("38.3", 1)), True),
        (temps(("38.2", 1)), False),
        (temps(("38.3", 24)), True),
        (temps(("38.3", 24.1)), False),
        (temps(("38.3", -1)), False),
        (temps(("38.0", 1), ("38.0", 2)), True),
        (temps(("38.0", 1), ("38.0", 1.99)), True),
        (temps(("38.0", 1), ("38.0", 1.98)), False),
        (temps(("38.0", 1), ("37.9", 2), ("38.0", 3)), False),
        (temps(("38.0", 1), ("38.1", 2), ("37.9", 3), ("38.2", 4)), True),
        (temps(("37.9", 1), ("38.2", 3)), False),
        ([temp(None, 1, problem="no unit")], False),
        ([problem("fever", 2)], True),
        ([problem("fever", 2.1)], False),
        ([problem("fever", bare_date(2))], True),
        ([problem("fever")], False),
        ([problem("fever", recorded=1)], True),
        ([problem("fever", 1, active=False)], False),
        ([problem("febrile-neutropenia", 1)], True),
        ([], False),
    ],
)
def test_is_a_fever_by_reading_or_by_report(things, fever):
    assert value("fever", situation(*things)) is fever


@pytest.mark.parametrize(
    ("things", "sign"),
    [
        ([problem("pneumonia", 14)], True),
        ([problem("pneumonia", 14.5)], False),
        ([problem("pneumonia", recorded=14)], True),
        ([problem("pneumonia", 20, recorded=1)], False),
        ([problem("pneumonia")], False),
        ([problem("pneumonia", 3, active=False)], False),
        ([problem("sinusitis", 3)], False),
        ([problem("bronchitis", 3)], False),
        ([problem("common-cold", 3)], False),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, start=4)], False),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, start=3)], False),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, start=2.9)], True),
        ([problem("pneumonia", 3.9), order(CEFTRIAXONE, start=4)], True),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, authored=Moment.at(bare_date(4).earliest))], True),
        ([problem("pneumonia", 4), order(COTRIMOXAZOLE, start=4)], True),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, start=4, route=Route.LOCAL)], True),
        ([problem("pneumonia", 4), order(CEFTRIAXONE, "stopped", start=4, end=1)], True),
        ([problem("pneumonia", bare_date(4)), order(CEFTRIAXONE, start=bare_date(4))], True),
        ([problem("pneumonia", 4), order(CEFTRIAXONE)], True),
        ([sbp("89")], True),
        ([sbp("90")], False),
        ([sbp("50")], True),
        ([sbp("301")], False),
        ([sbp("120", 2), sbp("85", 20)], True),
        ([sbp("85", 24.1)], False),
        ([lab("SBP", None)], False),
        (temps(("35.4", 1)), True),
        (temps(("35.5", 1)), False),
        (temps(("35.9", 1), ("35.9", 1.5)), True),
        (temps(("35.9", 1), ("35.9", 1.49)), True),
        (temps(("35.9", 1), ("35.9", 1.48)), False),
        (temps(("36.0", 1), ("35.9", 3)), False),
        ([temp("35.9"), anc("0.49", 7)], True),
        ([temp("35.9"), anc("0.49", 7.5)], False),
        ([temp("35.9"), anc("0.5", 1)], False),
        ([temp("35.9"), wbc("0.4", 1)], True),
        ([temp("35.9"), anc("0.4", 3), wbc("1.2", 0)], True),
        ([problem("perianal-pain", 14), anc("0.4")], True),
        ([problem("perianal-pain", 14.5), anc("0.4")], False),
        ([problem("perianal-pain", 3), anc("0.5")], False),
        ([problem("sore-throat", 3), anc("0.4")], True),
        ([problem("mouth-ulcers", 3), anc("0.4")], True),
        ([problem("mouth-ulcers"), anc("0.4")], False),
        ([problem("mouth-ulcers", 3), anc("0.4"), dose(CHEMO, 10)], False),
        ([problem("perianal-pain", 3), anc("0.4"), dose(CHEMO, 10)], True),
        ([problem("sore-throat", 3), anc("0.4"), order(CHEMO, start=10)], True),
        ([problem("sore-throat", 3)], False),
        ([], False),
    ],
)
def test_is_an_infection_sign(things, sign):
    assert value("infection_sign", situation(*things)) is sign


@pytest.mark.parametrize(
    "kind",
    [
        "pneumonia",
        "sepsis",
        "bacteraemia",
        "cellulitis",
        "neutropenic-enterocolitis",
        "urinary-tract-infection",
        "line-infection",
        "perianal-abscess",
        "infection-unspecified",
    ],
)
def test_every_listed_infection_is_a_sign(kind):
    assert value("hot", situation(problem(kind, 1))) is True


def test_hot_is_known_only_where_vital_signs_and_problems_are_or_something_says_so():
    for key in ("vitalSigns", "conditions"):
        assert value("hot", situation(unavailable=(key,))) is None
    assert value("hot", situation(temp("38.5"), unavailable=("conditions",))) is True
    assert value("shock", situation(unavailable=("vitalSigns",))) is None
    assert value("shock", situation(unavailable=("conditions",))) is False
    assert value("hot", situation()) is False


@pytest.mark.parametrize(
    ("things", "unavailable", "words"),
    [
        (temps(("36.8", 2)), (), "no fever"),
        (temps(("37.9", 2)), (), "no fever"),
        (temps(("36.8", 2), ("38.1", 3)), (), "T up to 38.1 C"),
        ([], (), "no temperature recorded in 24 h"),
        (temps(("36.8", 25)), (), "no temperature recorded in 24 h"),
        ([temp(None, 1)], (), "no temperature recorded in 24 h"),
        ([], ("vitalSigns",), "temperature not known"),
        ([temp("36.8"), problem("fever", 1)], (), "fever reported"),
    ],
)
def test_says_no_fever_only_where_readings_show_it(things, unavailable, words):
    assert value("no_fever_words", situation(*things, unavailable=unavailable)) == words


def test_prints_the_last_temperature_with_its_age():
    assert value("temperature_words", situation(*temps(("37.0", 9), ("36.8", 2)))) == "last T 36.8 C, 2 h ago"


@pytest.mark.parametrize(
    ("things", "words"),
    [
        (temps(("38.4", 1)), "Fever"),
        ([problem("fever", 1), sbp("80")], "Fever"),
        ([sbp("85", 2), sbp("80", 3)], "Systolic 80"),
        (temps(("35.2", 1)), "Temperature 35.2 C"),
        ([problem("sepsis", 1)], "Sepsis"),
        ([problem("sore-throat", 3), anc("0.4")], "Sore-throat"),
        ([], "Infection sign"),
    ],
)
def test_uses_the_word_fever_only_for_a_fever(things, words):
    assert value("sign_words", situation(*things)).startswith(words)
    assert "ever" not in value("sign_words", situation(*things)) or words == "Fever"


def test_prints_readings_problems_and_undated_infections_behind_a_sign():
    about = situation(*temps(("38.4", 1), ("35.2", 3)), sbp("80", 2), problem("sepsis", 1), problem("pneumonia"))
    readings, problems = value("sign_details", about).split("; sepsis")
    assert readings.startswith("38.4 C 1 h ago; 35.2 C 3 h ago; systolic 80 ")
    assert readings.endswith(" 2 h ago")
    assert problems == " (24 h ago); pneumonia (undated, not counted)"
    assert value("sign_details", situation()) == "no temperature recorded in 24 h"


@pytest.mark.parametrize(
    ("readings", "noted"),
    [([("38.0", 1)], True), ([("38.2", 1)], True), ([("37.9", 1)], False), ([("38.1", 1), ("38.3", 2)], False)],
)
def test_notes_a_reading_just_below_the_definition(readings, noted):
    words = value("borderline_words", situation(*temps(*readings)))
    assert (words is not None) is noted
    if noted:
        assert "others use 38.0" in words


def test_reports_unusable_temperatures_of_the_last_day():
    assert value("temperature_unusable", situation(temp(None, 23))) is True
    assert value("temperature_unusable", situation(temp(None, 25))) is False
    assert value("temperature_unusable", situation(temp("37.0"))) is False
