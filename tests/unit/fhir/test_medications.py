"""Medication orders, doses and drafts: which drug, by which route, from when to when, how much."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.chart import Chart, MedicationOrder, Route
from cds_service.fhir.read_dosages import times_a_day
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import RXNORM, SNOMED, bundle, chart_of, coded, mine, order, problems_of, read

AZATHIOPRINE = coded(RXNORM, "1256", "azathioprine")
MEDICATION = {"resourceType": "Medication", "id": "med1", "code": AZATHIOPRINE}
ALIAS = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"


def only(chart: Chart) -> MedicationOrder:
    (found,) = chart.orders
    return found


def read_order(reader: FhirChartReader, **members: Any) -> MedicationOrder:
    return only(chart_of(reader, {"medicationRequests": bundle(order(**members))}))


def pointing(reference: Any, **members: Any) -> Any:
    return order(medicationCodeableConcept=None, medicationReference=reference, **members)


def entries(*pairs: tuple[Any, str | None]) -> Any:
    return bundle(entry=[{"resource": r} | ({"fullUrl": url} if url else {}) for r, url in pairs])


@pytest.mark.parametrize(
    ("prefetch", "drafts"),
    [
        ({"medicationRequests": bundle(pointing({"reference": "Medication/med1"}), MEDICATION)}, None),
        ({"medicationRequests": bundle(pointing({"reference": "https://x/fhir/Medication/med1"}), MEDICATION)}, None),
        ({"medicationRequests": bundle(pointing({"reference": "Medication/med1/_history/2"}), MEDICATION)}, None),
        (
            {
                "medicationRequests": entries(
                    (pointing({"reference": ALIAS}), None), ({**MEDICATION, "id": None}, ALIAS)
                )
            },
            None,
        ),
        ({"medicationRequests": bundle(pointing({"reference": "Medication/med1"})), "other": bundle(MEDICATION)}, None),
        (
            {"medicationRequests": bundle(pointing({"reference": "#m"}, contained=[{**MEDICATION, "id": "m"}]))},
            None,
        ),
        (
            {"medicationRequests": bundle(pointing({"reference": "Medication/x", "display": "azathioprine 50 mg"}))},
            None,
        ),
        (
            {
                "medicationRequests": bundle(
                    order(medicationCodeableConcept=None, medication={"concept": AZATHIOPRINE}),
                )
            },
            None,
        ),
        (
            {
                "medicationRequests": bundle(
                    order(medicationCodeableConcept=None, medication={"reference": {"reference": "Medication/med1"}}),
                    MEDICATION,
                )
            },
            None,
        ),
        ({}, bundle(pointing({"reference": "Medication/med1"}, status="draft"), MEDICATION)),
    ],
)
def test_finds_the_medication_wherever_it_lies(reader: FhirChartReader, prefetch: Any, drafts: Any) -> None:
    chart = chart_of(reader, prefetch, drafts)
    assert [drug.ingredient for drug in only(chart).drugs] == ["azathioprine"]
    assert chart.data_problems == ()


def test_finds_the_ingredients_of_a_medication(reader: FhirChartReader) -> None:
    parts = [{"itemCodeableConcept": AZATHIOPRINE}, {"itemReference": {"reference": "#s", "display": "starch"}}]
    mixed = {"resourceType": "Medication", "id": "med1", "ingredient": parts}
    found = only(chart_of(reader, {"medicationRequests": bundle(pointing({"reference": "Medication/med1"}), mixed)}))
    assert [drug.ingredient for drug in found.drugs] == ["azathioprine"]


@pytest.mark.parametrize("medication", [{"reference": "Medication/gone"}, None])
def test_says_that_an_order_names_no_medication(reader: FhirChartReader, medication: Any) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(pointing(medication))})
    assert only(chart).drugs == ()
    assert problems_of(chart) == {("unnamed-medication", "MedicationRequest/m1")}
    assert chart.unavailable["medicationRequests"] == "an order points to a medication that was not sent"


@pytest.mark.parametrize("status", ["cancelled", "Cancelled", 7])
def test_an_order_that_does_not_count_spoils_nothing_by_naming_no_medication(
    reader: FhirChartReader, status: Any
) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(pointing(None, status=status))})
    assert problems_of(chart) == {("unnamed-medication", "MedicationRequest/m1")}
    assert "medicationRequests" not in chart.unavailable


def test_takes_a_draft_without_a_medication_as_it_is(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"medicationRequests": None}, bundle(pointing(None, status="draft", intent=None)))
    assert (only(chart).draft, only(chart).drugs, chart.data_problems) == (True, (), ())
    assert "medicationRequests" not in chart.unavailable


def test_reports_codes_and_words_that_name_different_drugs(reader: FhirChartReader) -> None:
    code = coded(RXNORM, "1256") | {"text": "clozapine"}
    chart = chart_of(reader, {"medicationRequests": bundle(order(medicationCodeableConcept=code))})
    assert [drug.ingredient for drug in only(chart).drugs] == ["azathioprine", "clozapine"]
    assert problems_of(chart) == {("contradictory-drug", "MedicationRequest/m1")}


@pytest.mark.parametrize("intent", ["plan", "proposal", "option"])
def test_takes_only_orders_for_orders(reader: FhirChartReader, intent: str) -> None:
    assert chart_of(reader, {"medicationRequests": bundle(order(intent=intent))}).orders == ()


@pytest.mark.parametrize("members", [{"status": "entered-in-error"}, {"doNotPerform": True}])
def test_drops_mistakes_and_prohibitions(reader: FhirChartReader, members: dict[str, Any]) -> None:
    assert chart_of(reader, {"medicationRequests": bundle(order(**members))}).orders == ()


def route(words: str, code: str | None = None) -> Any:
    return {"route": {"text": words} | (coded(SNOMED, code) if code else {})}


@pytest.mark.parametrize(
    ("dosages", "drug", "expected"),
    [
        ([route("Oral", "26643006")], "azathioprine", Route.ORAL),
        ([route("topical")], "fluorouracil", Route.LOCAL),
        ([route("intrathecal")], "methotrexate", Route.INTRATHECAL),
        ([route("topical"), route("oral")], "azathioprine", Route.ORAL),
        ([route("intrathecal"), route("iv")], "methotrexate", Route.PARENTERAL),
        ([], "fluorouracil 5 % topical cream", Route.LOCAL),
        ([], "azathioprine 50 MG Oral Tablet", Route.ORAL),
        ([], "azathioprine", Route.UNKNOWN),
        ([route("by carrier pigeon")], "azathioprine", Route.UNKNOWN),
    ],
)
def test_reads_the_route(reader: FhirChartReader, dosages: list[Any], drug: str, expected: Route) -> None:
    assert read_order(reader, drug=drug, dosageInstruction=dosages).route is expected


def timing(**repeat: Any) -> Any:
    return {"timing": {"repeat": repeat}}


def dates(found: MedicationOrder) -> tuple[str | None, str | None]:
    return tuple(f"{m.earliest:%m-%d}" if m else None for m in (found.start, found.end))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("members", "start_and_end"),
    [
        (
            {"dosageInstruction": [timing(boundsPeriod={"start": "2026-11-01", "end": "2026-11-10"})]},
            ("11-01", "11-10"),
        ),
        ({"dosageInstruction": [timing(boundsPeriod={"start": "2026-11-01"})]}, ("11-01", None)),
        ({"dosageInstruction": [{"timing": {"event": ["2026-11-01", "2026-11-08"]}}]}, ("11-01", "11-08")),
        (
            {
                "dosageInstruction": [
                    timing(boundsPeriod={"start": "2026-11-05", "end": "2026-11-07"}),
                    timing(boundsPeriod={"start": "2026-11-01", "end": "2026-11-04"}),
                ]
            },
            ("11-01", "11-07"),
        ),
        (
            {
                "dosageInstruction": [
                    timing(boundsPeriod={"start": "2026-11-01", "end": "2026-11-04"}),
                    timing(boundsPeriod={"start": "2026-11-05"}),
                ]
            },
            ("11-01", None),
        ),
        ({"dispenseRequest": {"validityPeriod": {"start": "2026-11-02", "end": "2026-11-20"}}}, ("11-02", "11-20")),
        (
            {"authoredOn": "2026-11-01", "dosageInstruction": [timing(boundsDuration={"value": 7, "code": "d"})]},
            (None, "11-08"),
        ),
        ({}, (None, None)),
        ({"dosageInstruction": "one tablet daily"}, (None, None)),
    ],
)
def test_reads_from_when_to_when(reader: FhirChartReader, members: dict[str, Any], start_and_end: Any) -> None:
    assert dates(read_order(reader, **members)) == start_and_end


def dose(value: Any, unit: str, **repeat: Any) -> Any:
    quantity = {"value": value, "unit": unit}
    return {"doseAndRate": [{"doseQuantity": quantity}]} | (timing(**repeat) if repeat else {})


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.mark.parametrize(
    ("dosages", "daily"),
    [
        ([dose(100, "mg", **DAILY)], "100"),
        ([dose(2, "g", frequency=3, period=1, periodUnit="d")], "6000"),
        ([dose(500, "mg", frequency=1, period=6, periodUnit="h")], "2000"),
        ([dose(100, "mg", frequency=1, period=1, periodUnit="wk")], "14.28571428571428571428571429"),
        ([dose(100, "mg", **DAILY), dose(50, "mg", **DAILY)], "150"),
        ([dose(100, "mg", **DAILY) | {"sequence": 1}, dose(50, "mg", **DAILY) | {"sequence": 2}], "100"),
        ([dose(2, "tablet", **DAILY)], None),
        ([dose(100, "mg")], None),
        ([dose(100, "mg", **DAILY), dose(1, "tablet", **DAILY)], None),
        ([{"doseQuantity": {"value": 5, "unit": "mg"}, **timing(**DAILY)}], "5"),
        (
            [
                {
                    "doseAndRate": [
                        {"type": coded("x", "calculated"), "doseQuantity": {"value": 9, "unit": "mg"}},
                        {"type": coded("x", "ordered"), "doseQuantity": {"value": 7, "unit": "mg"}},
                    ],
                    **timing(**DAILY),
                }
            ],
            "7",
        ),
        ([], None),
    ],
)
def test_adds_up_the_daily_dose(reader: FhirChartReader, dosages: list[Any], daily: str | None) -> None:
    assert read_order(reader, dosageInstruction=dosages).daily_dose_mg == (None if daily is None else Decimal(daily))


@pytest.mark.parametrize(
    ("timing_", "times"),
    [
        ({"repeat": {"frequency": 2, "frequencyMax": 3, "period": 1, "periodUnit": "d"}}, 3),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"], "period": 1, "periodUnit": "d"}}, 2),
        ({"code": coded("x", "BID")}, 2),
        ({"code": {"text": "Q8H"}}, 3),
        ({"repeat": {"periodUnit": "d"}}, 1),
        ({"repeat": {"frequency": 1, "period": 0, "periodUnit": "d"}}, None),
        ({"code": {"text": "when the moon is full"}}, None),
        ({}, None),
    ],
)
def test_counts_doses_a_day(timing_: dict[str, Any], times: int | None) -> None:
    assert times_a_day(timing_) == times


@pytest.mark.parametrize(
    ("reason", "kinds", "words"),
    [
        (coded(SNOMED, "165517008", "Neutropenia"), {"neutropenia"}, "Neutropenia"),
        ({"text": "neutropenia"}, {"neutropenia"}, "neutropenia"),
        ([{"text": "rash"}], set(), "rash"),
        (None, set(), None),
    ],
)
def test_reads_why_an_order_rests(reader: FhirChartReader, reason: Any, kinds: set[str], words: str | None) -> None:
    found = read_order(reader, status="on-hold", statusReason=reason)
    assert (found.reasons >= kinds, found.reason_text, found.status) == (True, words, "on-hold")


def test_reads_a_draft_with_its_plan(reader: FhirChartReader) -> None:
    instruction = {
        "text": "1 g every 8 h",
        "timing": {
            "event": ["2026-11-23T08:00:00Z"],
            "repeat": {"frequency": 3, "period": 1, "periodUnit": "d", "boundsDuration": {"value": 14, "unit": "d"}},
        },
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "g"}}],
    }
    found = only(
        chart_of(reader, {}, bundle(order("d1", "meropenem", status="draft", dosageInstruction=[instruction])))
    )
    assert (found.draft, found.planned_days, found.daily_dose_mg) == (True, 14, 3000)
    assert found.planned_first_dose is not None
    assert found.planned_first_dose.earliest == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert found.dose_text == "1 g every 8 h"


def test_takes_the_supply_as_the_length_of_a_draft(reader: FhirChartReader) -> None:
    supply = {"expectedSupplyDuration": {"value": 30, "unit": "days"}}
    found = only(chart_of(reader, {}, bundle(order("d1", status="draft", dispenseRequest=supply))))
    assert found.planned_days == 30


def test_keeps_the_existing_order_beside_the_draft_that_stops_it(reader: FhirChartReader) -> None:
    answer = read(reader, {"medicationRequests": bundle(order())}, bundle(order(status="stopped")))
    assert [(o.draft, o.status) for o in answer.chart.orders] == [(False, "active"), (True, "stopped")]
    assert answer.originals["MedicationRequest/m1"]["status"] == "active"


@pytest.mark.parametrize(
    ("selections", "selected"),
    [
        (("MedicationRequest/d1",), {"d1"}),
        (("https://x/fhir/MedicationRequest/d1",), {"d1"}),
        (("d1",), {"d1"}),
        (("ServiceRequest/d1", "MedicationRequest/zzz", "nonsense ref"), set()),
        ((), set()),
    ],
)
def test_marks_the_selected_drafts(reader: FhirChartReader, selections: Any, selected: set[str]) -> None:
    drafts = bundle(order("d1", status="draft"), order("d2", status="draft"))
    chart = chart_of(reader, {}, drafts, selections=selections)
    assert {o.source.rpartition("/")[2] for o in chart.orders if o.selected} == selected


def test_reads_drafts_of_every_type(reader: FhirChartReader) -> None:
    drafts = bundle(
        order("d1", status="draft"),
        mine("ServiceRequest", "s1", status="draft", code={"text": "hcv serology"}),
        mine("ProcedureRequest", "s2", status="draft", code={"coding": [{}]}),
        mine("NutritionOrder", "n1", subject=None, patient={"reference": "Patient/p1"}),
        {"resourceType": "Practitioner", "id": "dr1"},
    )
    chart = chart_of(reader, {}, drafts)
    assert [(o.source, o.draft) for o in chart.service_orders] == [
        ("ServiceRequest/s1", True),
        ("ProcedureRequest/s2", True),
    ]
    assert (chart.other_drafts, len(chart.orders)) == (("NutritionOrder/n1",), 1)


def test_sets_another_patients_draft_aside(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {}, bundle(order("d1", subject={"reference": "Patient/p2"})))
    assert (chart.orders, problems_of(chart)) == ((), {("other-patient", "MedicationRequest/d1")})


def test_reports_drafts_that_are_no_bundle(reader: FhirChartReader) -> None:
    assert problems_of(chart_of(reader, {}, {"a": 1})) == {("unreadable-drafts", "draftOrders")}


def administration(**members: Any) -> Any:
    usual = {"status": "completed", "medicationCodeableConcept": {"text": "doxorubicin"}}
    return mine("MedicationAdministration", "a1", **(usual | members))


@pytest.mark.parametrize(
    "time",
    [
        {"effectiveDateTime": "2026-11-10T09:00:00Z"},
        {"effectivePeriod": {"start": "2026-11-10T09:00:00Z", "end": "2026-11-10T11:00:00Z"}},
        {"occurenceDateTime": "2026-11-10T09:00:00Z"},
    ],
)
@pytest.mark.parametrize("status", ["completed", "in-progress"])
def test_reads_a_dose_that_was_given(reader: FhirChartReader, time: dict[str, Any], status: str) -> None:
    given = administration(
        **time,
        status=status,
        request={"reference": "https://x/fhir/MedicationRequest/m7"},
        dosage={"route": {"text": "iv"}},
    )
    (dose_,) = chart_of(reader, {"medicationAdministrations": bundle(given)}).administrations
    assert [drug.ingredient for drug in dose_.drugs] == ["doxorubicin"]
    assert (dose_.given.earliest.hour, dose_.route, dose_.order) == (9, Route.PARENTERAL, "MedicationRequest/m7")


@pytest.mark.parametrize("status", ["not-done", "entered-in-error", None])
def test_reads_no_dose_that_was_not_given(reader: FhirChartReader, status: str | None) -> None:
    given = administration(effectiveDateTime="2026-11-10", status=status)
    assert chart_of(reader, {"medicationAdministrations": bundle(given)}).administrations == ()


@pytest.mark.parametrize("status", ["stopped", "on-hold", "unknown", "Completed", "in-progress"])
def test_reads_a_dose_that_was_begun(reader: FhirChartReader, status: str) -> None:
    given = administration(effectiveDateTime="2026-11-10", status=status)
    assert len(chart_of(reader, {"medicationAdministrations": bundle(given)}).administrations) == 1


@pytest.mark.parametrize(
    ("status", "read_as", "reported"),
    [
        (None, "active", True),
        ("unknown", "active", True),
        ("whatever", "active", True),
        (7, "active", True),
        ("ACTIVE", "active", False),
        ("On-Hold", "on-hold", False),
        ("ended", "completed", False),
    ],
)
def test_reads_an_order_of_unclear_status_as_active(
    reader: FhirChartReader, status: Any, read_as: str, reported: bool
) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(order(status=status, authoredOn="2026-11-01"))})
    assert only(chart).status == read_as
    assert problems_of(chart) == ({("unknown-status", "MedicationRequest/m1")} if reported else set())


@pytest.mark.parametrize(
    ("members", "reported"),
    [
        ({"status": "completed"}, True),
        ({"status": "stopped"}, True),
        ({"status": "active"}, False),
        ({"status": "completed", "authoredOn": "2026-11-01"}, False),
        ({"status": "completed", "medicationCodeableConcept": {"text": "paracetamol"}}, False),
    ],
)
def test_reports_a_finished_order_without_a_date(
    reader: FhirChartReader, members: dict[str, Any], reported: bool
) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(order(**members))})
    assert problems_of(chart) == ({("undated-dose", "MedicationRequest/m1")} if reported else set())


@pytest.mark.parametrize(
    ("members", "unnamed"),
    [
        ({"medicationReference": {"reference": "Medication/gone"}}, True),
        ({"medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "9988"}]}}, True),
        ({"medicationCodeableConcept": {}}, True),
        ({}, False),
        ({"medicationCodeableConcept": {"text": "paracetamol"}}, False),
        ({"medicationCodeableConcept": coded(RXNORM, "1256")}, False),
        ({"medicationReference": {"reference": "Medication/gone", "display": "azathioprine"}}, False),
    ],
)
def test_lists_the_drafts_whose_medication_nobody_named(
    reader: FhirChartReader, members: dict[str, Any], unnamed: bool
) -> None:
    draft = order(status="draft", **({"medicationCodeableConcept": None} | members))
    chart = chart_of(reader, {"medicationRequests": None}, bundle(draft))
    assert chart.unnamed_drafts == (("MedicationRequest/m1",) if unnamed else ())
    assert (("unnamed-medication", "MedicationRequest/m1") in problems_of(chart)) is unnamed
    assert "medicationRequests" not in chart.unavailable


def test_reports_a_dose_without_a_time(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"medicationAdministrations": bundle(administration())})
    assert (chart.administrations, problems_of(chart)) == ((), {("undated-dose", "MedicationAdministration/a1")})


def test_says_that_a_dose_names_no_medication(reader: FhirChartReader) -> None:
    given = administration(effectiveDateTime="2026-11-10", medicationCodeableConcept=None)
    chart = chart_of(reader, {"medicationAdministrations": bundle(given)})
    assert chart.unavailable["medicationAdministrations"] == "a dose points to a medication that was not sent"


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"status": "active"}, "active"),
        ({"status": "recorded"}, "active"),
        ({"status": "completed"}, "completed"),
        ({"status": "intended"}, None),
        ({"status": "active", "taken": "n"}, None),
    ],
)
def test_reads_what_the_patient_says_to_take(
    reader: FhirChartReader, members: dict[str, Any], status: str | None
) -> None:
    usual = {"medicationCodeableConcept": AZATHIOPRINE, "effectivePeriod": {"start": "2026-01-01", "end": "2026-02-01"}}
    stated = mine("MedicationStatement", "st1", **usual, **members)
    found = chart_of(reader, {"home": bundle(stated)}).orders
    assert [(o.source, o.status, dates(o)) for o in found] == (
        [] if status is None else [("MedicationStatement/st1", status, ("01-01", "02-01"))]
    )
