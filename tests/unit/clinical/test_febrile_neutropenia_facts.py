"""Febrile neutropenia as a state of the patient: each way into it, each missing piece, on any hook."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import (
    CHEMO,
    anc,
    ask,
    back,
    dose,
    drug,
    order,
    problem,
    procedure,
    situation,
    temp,
    value,
    wbc,
)

FEVER = temp("38.5")
MERCAPTOPURINE = drug("mercaptopurine", fever_rule="chemo-haem", fever_lookback_days=Decimal(14))


@pytest.mark.parametrize(
    ("things", "neutropenic"),
    [
        ([anc("0.99", 7)], True),
        ([anc("1.0", 1)], False),
        ([wbc("0.99", 1)], True),
        ([anc("2", 0.5), dose(CHEMO, 9)], False),
        ([anc("2", 1.5), dose(CHEMO, 9)], True),
        ([dose(CHEMO, 43)], False),
        ([order(MERCAPTOPURINE, start=90), problem("all")], True),
        ([order(MERCAPTOPURINE, start=90)], False),
        ([procedure("hsct", 100)], True),
        ([procedure("hsct", 101)], False),
        ([problem("aplastic-anaemia")], True),
        ([anc("0.99", 365)], True),
        ([anc("0.99", back(days=365, minutes=1))], False),
        ([anc("1.0", 300)], False),
        ([wbc("1.99", 7)], True),
        ([wbc("1.99", back(days=7, minutes=1))], False),
        ([wbc("2.0", 1)], False),
        ([anc("1.6", 1.5), wbc("1.9", 1.2)], False),
        ([], False),
    ],
)
def test_fever_with_a_low_count_or_a_risk_without_a_count(things, neutropenic):
    for hook in ("patient-view", "order-sign"):
        assert value("neutropenic_fever", situation(FEVER, *things, hook=hook)) is neutropenic
    assert value("neutropenic_fever", situation(*things)) is False


def test_an_infection_sign_is_enough():
    assert value("neutropenic_fever", situation(problem("pneumonia", 2), anc("0.4", 1))) is True


@pytest.mark.parametrize(
    ("things", "unavailable", "missing"),
    [
        ([anc("0.4", 1)], "vitalSigns", {"vitalSigns"}),
        ([anc("4", 0.5)], "vitalSigns", None),
        ([FEVER], "cellCounts", {"cellCounts"}),
        ([FEVER, anc("2", 3)], "medicationAdministrations", {"medicationAdministrations"}),
        ([FEVER, anc("2", 0.5)], "medicationAdministrations", None),
        ([FEVER, anc("2", 3)], "procedures", {"procedures"}),
    ],
)
def test_is_not_known_where_what_is_missing_could_say_so(things, unavailable, missing):
    answer = ask("neutropenic_fever", situation(*things, unavailable=(unavailable,)))
    assert answer == Known(False) if missing is None else isinstance(answer, Unknown) and answer.missing == missing
