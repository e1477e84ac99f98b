"""The input of a case becomes the chart that its words say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from cds_service.card_files.case_charts import CaseChart
from cds_service.card_files.case_input import NOW, CaseInputError
from cds_service.card_files.library import read_numbers
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Chart, Route
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.situation import Situation
from cds_service.clinical.terminology import Terminology
from tests.cards.small_library import SHIPPED

MINUTE = timedelta(minutes=1)


@cache
def _tables() -> tuple[Terminology, SharedNumbers]:
    return load_terminology(SHIPPED), read_numbers(SHIPPED / "shared.yaml")


def situation(**given: Any) -> Situation:
    return CaseChart(given, *_tables()).situation()


def chart(**given: Any) -> Chart:
    return situation(**given).chart


def lab(**more: Any) -> dict[str, Any]:
    return {"analyte": "ANC", "value": 0.9, "unit": "10*9/L", "days_ago": 1, **more}


def test_nothing_said_is_a_well_woman_of_52_when_a_chart_is_opened() -> None:
    found = situation()
    assert found.hook == "patient-view"
    assert found.now == NOW
    assert found.diseases.age_years == 52
    assert found.chart.patient is not None
    assert found.chart.patient.sex == "female"
    assert not found.chart.patient.deceased
    assert found.chart.unavailable == {}
    assert (found.chart.measurements, found.chart.orders, found.chart.problems) == ((), (), ())


def test_ages_and_deaths() -> None:
    assert situation(age=None).diseases.age_years is None
    assert situation(age=17).diseases.age_years == 17
    assert situation(age=0.01).diseases.age_years == 0
    patient = chart(deceased=True, sex="male").patient
    assert patient is not None
    assert (patient.deceased, patient.sex) == (True, "male")


def test_unavailable_data_have_a_reason_and_no_patient() -> None:
    found = chart(unavailable=["patient", "cellCounts"])
    assert found.patient is None
    assert found.lacks("cellCounts")
    assert not found.lacks("conditions")


def test_settings_of_the_site() -> None:
    policy = situation(settings={"CDS_SUGGESTION_MIN_CONFIDENCE": "high", "limits.duffy_null_anc": 1.0}).policy
    assert (policy.min_confidence, policy.duffy_null_anc) == ("high", Decimal("1.0"))


@pytest.mark.parametrize(
    ("given", "age"),
    [
        ({"days_ago": 28}, timedelta(days=28) - MINUTE),
        ({"days_ago": 0}, timedelta(0)),
        ({"days_ago": -1}, timedelta(days=-1)),
        ({"days_ago": None, "hours_ago": 2}, timedelta(hours=2) - MINUTE),
    ],
)
def test_times_are_a_minute_less_than_they_say(given: dict[str, Any], age: timedelta) -> None:
    assert NOW - chart(labs=[lab(**given)]).measurements[0].taken.latest == age


def test_a_bare_date_is_the_whole_day() -> None:
    taken = chart(labs=[lab(at_date_only=True)]).measurements[0].taken
    assert taken.earliest == NOW.replace(day=21, hour=0)
    assert taken.latest == NOW.replace(day=22, hour=0) - timedelta(microseconds=1)


def test_units_are_converted_as_for_a_real_result() -> None:
    counts = chart(labs=[lab(value=900, unit="/uL"), lab(analyte="HGB", value=101, unit="g/L")]).measurements
    assert [(m.analyte, m.value, m.raw) for m in counts] == [
        ("ANC", Decimal("0.900"), "900 /uL"),
        ("HGB", Decimal("10.1"), "101 g/L"),
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"unit": None}, "missing unit"),
        ({"unit": "K/mL"}, "ambiguous unit"),
        ({"unit": "furlong"}, "unknown unit"),
        ({"value": 900}, "implausible value"),
    ],
)
def test_an_unusable_result_says_why(given: dict[str, Any], problem: str) -> None:
    measurement = chart(labs=[lab(**given)]).measurements[0]
    assert (measurement.value, measurement.problem) == (None, problem)


def test_everything_else_that_a_result_can_say() -> None:
    measurement = chart(labs=[lab(comparator="<", ref_low=1.8, specimen="s1", status="preliminary")]).measurements[0]
    assert (measurement.comparator, measurement.low_limit, measurement.specimen) == ("<", Decimal("1.8"), "s1")
    assert not measurement.final
    assert chart(labs=[lab(unit=None, ref_low=1.8)]).measurements[0].low_limit is None


def test_results_of_other_statuses_are_left_out() -> None:
    assert chart(labs=[lab(status="entered-in-error")]).measurements == ()


def test_findings_in_words() -> None:
    found = chart(
        labs=[
            {"analyte": "DUFFY", "value": "null", "days_ago": 9},
            {"analyte": "DUFFY", "value": None, "days_ago": 9},
            {"analyte": "DUFFY_GENOTYPE", "value": "positive", "days_ago": 9},
            {"analyte": "SMEAR", "value": "no blasts", "days_ago": 9},
        ]
    ).findings
    assert [sorted(f.kinds) for f in found] == [["duffy-null"], ["duffy-null"], ["duffy-positive"], []]
    assert found[3].texts == ("no blasts",)


def test_vital_signs() -> None:
    found = chart(
        temps=[{"value": 101.3, "unit": "[degF]", "hours_ago": 1}, {"value": 38, "unit": None, "hours_ago": 2}],
        sbp=[{"value": 84, "hours_ago": 3}, {"value": 100}],
        weight_kg=60,
    ).measurements
    assert [(m.analyte, m.value) for m in found] == [
        ("TEMP", Decimal("38.5")),
        ("TEMP", None),
        ("SBP", Decimal(84)),
        ("SBP", Decimal(100)),
        ("WEIGHT", Decimal(60)),
    ]
    assert NOW - found[2].taken.latest == timedelta(hours=3) - MINUTE
    assert chart(sbp=84).measurements[0].value == Decimal(84)


def test_problems_by_kind_words_or_text() -> None:
    found = chart(
        conditions=[
            {"name": "aml", "status": "resolved", "onset_days_ago": 5},
            {"name": "hairy cell leukemia", "recorded_days_ago": 5, "stage": "late"},
            {"text": "broken leg", "onset_days_ago": 1, "at_date_only": True},
        ],
        pregnant=True,
        encounter_reason={"name": "fever", "hours_ago": 2},
    ).problems
    assert [(sorted(p.kinds), p.active) for p in found] == [
        (["aml"], False), (["hcl"], True), ([], True), (["pregnancy"], True), (["fever"], True),
    ]  # fmt: skip
    assert found[1].stage == "late"
    assert found[1].onset is None
    assert found[1].recorded is not None
    assert found[2].onset is not None
    assert not found[2].onset.exact
    assert found[4].source.startswith("Encounter/")


def test_procedures() -> None:
    found = chart(procedures=[{"name": "hsct", "days_ago": 3}, {"name": "AML induction"}]).procedures
    assert "hsct" in found[0].kinds
    assert "leukaemia-induction" in found[1].kinds
    assert found[1].performed is None


def test_drugs_on_file_and_their_doses() -> None:
    found = chart(
        meds=[
            {"ingredient": "doxorubicin", "status": "completed", "end_days_ago": 1, "last_given_days_ago": 1},
            {"ingredient": "azathioprine", "start_days_ago": 40, "daily_dose_mg": 100, "route": "oral"},
            {"product": "Camomile tea", "start_days_ago": 1},
            {"product": "Fluorouracil 5 % topical cream", "start_days_ago": 1},
            {"ingredient": "imatinib", "status": "on-hold", "end_days_ago": 4, "status_reason": "neutropenia"},
        ]
    )
    doxorubicin, azathioprine, tea, cream, imatinib = found.orders
    assert doxorubicin.end is not None
    assert NOW - doxorubicin.end.latest == timedelta(days=1) + MINUTE
    assert found.administrations[0].order == doxorubicin.source
    assert NOW - found.administrations[0].given.latest == timedelta(days=1) + MINUTE
    assert (azathioprine.route, azathioprine.daily_dose_mg) == (Route.ORAL, Decimal(100))
    assert azathioprine.start is not None
    assert NOW - azathioprine.start.latest == timedelta(days=40) - MINUTE
    assert (tea.drugs, tea.name) == ((), "Camomile tea")
    assert cream.route is Route.LOCAL
    assert imatinib.reasons == {"neutropenia"}


def test_new_drafts() -> None:
    found = chart(
        hook="order-select",
        draft_orders=[
            {"ingredient": "carboplatin", "planned_days": 3, "planned_hours": 24},
            {"ingredient": "paclitaxel", "selected": False, "new_start": True},
            {"test": "hiv-antibody"},
            {"type": "ServiceRequest", "text": "coeliac serology"},
            {"text": "wheelchair"},
        ],
    )
    first, second = found.orders
    assert (first.draft, first.selected, first.status, first.planned_days) == (True, True, "draft", Decimal(3))
    assert first.planned_first_dose is not None
    assert first.planned_first_dose.latest == NOW + timedelta(hours=24)
    assert not second.selected
    assert [(sorted(o.kinds), o.draft) for o in found.service_orders] == [(["hiv-antibody"], True), ([], True)]
    assert found.other_drafts == ("wheelchair",)


def test_a_stop_order_is_the_order_on_file_with_another_status() -> None:
    existing, changed = chart(
        hook="order-sign",
        meds=[{"ingredient": "imatinib", "start_days_ago": 9}],
        draft_orders=[{"ingredient": "imatinib", "status": "stopped", "status_reason": "rash"}],
    ).orders
    assert (existing.status, existing.draft) == ("active", False)
    assert (changed.source, changed.status, changed.draft) == (existing.source, "stopped", True)
    assert changed.reason_text == "rash"
    assert changed.start == existing.start


def test_orders_on_file() -> None:
    found = chart(
        existing_orders=["cbc-diff", {"name": "cbc with diff", "due_days": None, "status": "draft"}]
    ).service_orders
    assert [sorted(o.kinds) for o in found] == [["cbc-diff"], ["cbc-diff"]]
    assert found[0].due is not None
    assert found[0].due.latest == NOW + timedelta(days=21)
    assert (found[1].due, found[1].status) == (None, "draft")


def test_allergies() -> None:
    assert chart(allergies=["filgrastim"]).allergies[0].drugs[0].ingredient == "filgrastim"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hook": "order-review"}, "order-review is no hook"),
        ({"age": "old"}, "age must be a number, but is 'old'"),
        ({"pregnant": "yes"}, "pregnant: must be true or false"),
        ({"labs": "none"}, "labs: must be a list"),
        ({"labs": [lab(days_ago=None)]}, "a result needs days_ago or hours_ago"),
        ({"labs": [{"analyte": "ANC", "value": 1, "days_ago": 1}]}, "labs: needs unit"),
        ({"labs": [lab(analyte="XYZ")]}, "labs: XYZ is no analyte"),
        ({"labs": [lab(unti="x")]}, "labs: unknown unti"),
        ({"labs": ["ANC"]}, "labs: must have members, but is 'ANC'"),
        ({"unavailable": ["labs"]}, "unavailable: labs is no prefetch key"),
        ({"conditions": [{"name": "broken leg"}]}, "'broken leg' is no kind of condition"),
        ({"conditions": [{"status": "active"}]}, "conditions: needs name"),
        ({"procedures": [{"name": "haircut"}]}, "'haircut' is no kind of procedure"),
        ({"meds": [{"ingredient": "tea", "start_days_ago": 1}]}, "'tea' is 0 rows of drugs.csv"),
        ({"meds": [{"ingredient": "imatinib"}]}, "meds: needs start_days_ago"),
        ({"meds": [{"ingredient": "imatinib", "start_days_ago": 1, "route": "by post"}]}, "'by post' is no route"),
        ({"draft_orders": [{"ingredient": "imatinib"}]}, "patient-view has no draft orders"),
        ({"hook": "order-sign", "draft_orders": [{}]}, "draft_orders: needs text"),
        (
            {
                "hook": "order-sign",
                "meds": [{"ingredient": "imatinib", "start_days_ago": 1}],
                "draft_orders": [{"ingredient": "imatinib", "new_start": True}],
            },
            "'imatinib' is not new",
        ),
        ({"existing_orders": ["a haircut"]}, "'a haircut' is no kind of order"),
    ],
)
def test_what_the_vocabulary_has_no_word_for_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseInputError) as refused:
        situation(**given)
    assert message in str(refused.value)
