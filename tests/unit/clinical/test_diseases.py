"""C-DISEASE, rule 2's diseases, age and pregnancy: what changes the meaning of a count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.clinical.chart import Patient
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import bare_date, problem, procedure, situation, value


@pytest.mark.parametrize(
    ("thing", "marrow"),
    [
        *[
            (problem(kind), True)
            for kind in ("aml", "all", "apl", "mds", "cmml", "hcl", "aplastic-anaemia", "cml-blast")
        ],
        (problem("cml", stage="blast phase"), True),
        (problem("cml", stage="accelerated phase"), False),
        (problem("cml-accelerated"), False),
        (problem("cml"), False),
        (problem("cll"), False),
        (problem("aml", active=False), False),
        *[(procedure(kind, 30), True) for kind in ("leukaemia-induction", "conditioning", "hsct", "lymphodepletion")],
        (procedure("hsct", 30.5), False),
        (procedure("hsct", bare_date(30)), False),
        (procedure("hsct", bare_date(29)), True),
        (procedure("hsct"), False),
        (procedure("hsct", -1), False),
        (procedure("radiotherapy", 1), False),
    ],
)
def test_low_counts_may_be_the_disease_or_the_intent(thing, marrow):
    assert value("marrow_disease", situation(thing)) is marrow


@pytest.mark.parametrize("key", ["conditions", "procedures"])
def test_does_not_know_of_marrow_disease_without_problems_or_procedures(key):
    assert value("marrow_disease", situation(unavailable=(key,))) is None
    assert value("marrow_disease", situation(problem("aml"), unavailable=(key,))) is True


@pytest.mark.parametrize(
    ("fact", "kinds"),
    [
        ("haematological_malignancy", "aml all apl mds cmml cml cll hcl myeloma lymphoma"),
        (
            "neutropenic_disease",
            (
                "aml all apl mds cmml hcl aplastic-anaemia lgl agranulocytosis cyclic-neutropenia"
                " severe-chronic-neutropenia"
            ),
        ),
        ("leukaemia_on_file", "aml all apl mds cmml cml"),
        ("cml", "cml cml-blast cml-accelerated"),
        ("advanced_cml", "cml-blast cml-accelerated"),
        ("hairy_cell_leukaemia", "hcl"),
        ("sickle_cell_disease", "sickle-cell-disease"),
    ],
)
def test_recognises_the_listed_diseases_while_active(fact, kinds):
    for kind in kinds.split():
        assert value(fact, situation(problem(kind))) is True, kind
        assert value(fact, situation(problem(kind, active=False))) is False, kind
    assert value(fact, situation(problem("epilepsy"))) is False
    assert value(fact, situation(unavailable=("conditions",))) is None


def test_takes_an_unknown_phase_as_chronic():
    assert value("advanced_cml", situation(problem("cml"))) is False
    assert value("advanced_cml", situation(problem("cml", stage="Accelerated phase"))) is True


@pytest.mark.parametrize(("days", "within"), [(100, True), (100.5, False), (bare_date(100), True)])
def test_procedures_of_100_days_matter_to_a_fever(days, within):
    assert value("marrow_procedure_100_days", situation(procedure("hsct", days))) is within


def born(year: int, month: int, day: int) -> Moment:
    return Moment.at(datetime(year, month, day, tzinfo=UTC))


@pytest.mark.parametrize(
    ("birth", "years", "child"),
    [
        (born(2008, 11, 22), 18, False),
        (born(2008, 11, 23), 17, True),
        (born(2008, 12, 1), 17, True),
        (born(1950, 1, 1), 76, False),
        (born(2030, 1, 1), None, False),
        (None, None, False),
        (Moment(earliest=datetime(2008, 1, 1, tzinfo=UTC), latest=datetime(2008, 12, 31, tzinfo=UTC)), 18, False),
    ],
)
def test_counts_completed_years_and_reads_an_unknown_age_as_adult(birth, years, child):
    about = situation(patient=Patient("p", birth))
    assert value("age_years", about) == years
    assert value("child", about) is child


def test_reads_an_unavailable_patient_as_adult():
    assert value("child", situation(patient=None)) is False
    assert value("population_words", situation(patient=None)) == "Age not known, read as adult"


@pytest.mark.parametrize(
    ("thing", "pregnant"),
    [
        (problem("pregnancy"), True),
        (problem("pregnancy", 300), True),
        (problem("pregnancy", 300.5), False),
        (problem("pregnancy", recorded=300.5), False),
        (problem("pregnancy", active=False), False),
    ],
)
def test_counts_a_pregnancy_for_300_days_or_undated(thing, pregnant):
    assert value("pregnant", situation(thing)) is pregnant


def test_says_who_the_patient_is():
    assert value("population_words", situation()) == "Adult"
    assert value("population_words", situation(problem("pregnancy"))) == "Pregnant (undated entry)"
    assert value("population_words", situation(problem("pregnancy", 30))) == "Pregnant"
    assert value("population_words", situation(patient=Patient("p", born(2020, 1, 1)))) == "Age 6"
