"""Observations: numbers with their units, findings, signs, and what is wrong with them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.chart import Chart, Measurement
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import LOINC, NOW, SNOMED, UCUM, bundle, chart_of, coded, count, mine, problems_of

ABSENT = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")


def chart_with(reader: FhirChartReader, *observations: Any) -> Chart:
    return chart_of(reader, {"labResults": bundle(*observations)})


def measured(reader: FhirChartReader, *observations: Any) -> list[Measurement]:
    return list(chart_with(reader, *observations).measurements)


@pytest.mark.parametrize(
    ("code", "value", "unit", "analyte", "canonical"),
    [
        ("751-8", 1.2, "10*9/L", "ANC", "1.2"),
        ("751-8", 1200, "/uL", "ANC", "1.200"),
        ("751-8", 0.30000000000000004, "10*9/L", "ANC", "0.30000000000000004"),
        ("751-8", "1.20", "10*3/uL", "ANC", "1.20"),
        ("6690-2", 4, "10*9/L", "WBC", "4"),
        ("770-8", 55, "%", "NEUT_PCT", "55"),
        ("718-7", 85, "g/L", "HGB", "8.5"),
        ("59260-0", 5.0, "mmol/L", "HGB", "8.0550"),
        ("8310-5", 101.3, "[degF]", "TEMP", "38.5"),
        ("29463-7", 70, "kg", "WEIGHT", "70"),
    ],
)
def test_converts_a_number_exactly(
    reader: FhirChartReader, code: str, value: Any, unit: str, analyte: str, canonical: str
) -> None:
    (found,) = measured(reader, count(code=code, value=value, unit=unit))
    assert (found.analyte, found.value, found.problem) == (analyte, Decimal(canonical), None)


@pytest.mark.parametrize(
    ("members", "kind", "problem"),
    [
        ({"unit": None}, "unusable-unit", "unit missing"),
        ({"unit": "K/mL"}, "unusable-unit", "unit K/mL is ambiguous"),
        ({"unit": "furlong"}, "unusable-unit", "unit furlong is not known"),
        ({"value": 1200}, "implausible-value", "implausible value"),
        ({"value": -1}, "implausible-value", "implausible value"),
        ({"valueQuantity": None, "valueString": "1.2"}, "unusable-unit", "unit missing"),
        ({"valueQuantity": None, "valueInteger": 1}, "unusable-unit", "unit missing"),
        ({"valueQuantity": None, "valueString": "clotted"}, "unusable-value", "reported in words, not as a number"),
        ({"valueQuantity": {"value": True, "unit": "10*9/L"}}, "unusable-value", "reported in words, not as a number"),
        ({"valueQuantity": None}, "unusable-value", "no value"),
        (
            {"valueQuantity": {"value": 1, "unit": "10*9/L", "comparator": "~"}},
            "unusable-value",
            "its comparator is not known",
        ),
    ],
)
def test_keeps_an_unusable_number_and_says_why(
    reader: FhirChartReader, members: dict[str, Any], kind: str, problem: str
) -> None:
    chart = chart_with(reader, count(**members))
    (found,) = chart.measurements
    assert (found.value, found.problem) == (None, problem)
    assert problems_of(chart) == {(kind, "Observation/o1")}


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_keeps_the_comparator(reader: FhirChartReader, comparator: str) -> None:
    quantity = {"value": 0.1, "comparator": comparator, "unit": "10*9/L", "system": UCUM, "code": "10*9/L"}
    (found,) = measured(reader, count(valueQuantity=quantity))
    assert (found.comparator, found.value, found.raw) == (comparator, Decimal("0.1"), f"{comparator}0.1 10*9/L")


@pytest.mark.parametrize(
    ("status", "final"), [("final", True), ("amended", True), ("corrected", True), ("preliminary", False)]
)
def test_tells_final_from_preliminary(reader: FhirChartReader, status: str, final: bool) -> None:
    assert [m.final for m in measured(reader, count(status=status))] == [final]


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error", "unknown"])
def test_drops_other_statuses_silently(reader: FhirChartReader, status: str) -> None:
    chart = chart_with(reader, count(status=status))
    assert (chart.measurements, chart.data_problems) == ((), ())


def test_reads_a_missing_status_as_preliminary_and_says_so(reader: FhirChartReader) -> None:
    chart = chart_with(reader, count(status=None))
    assert [m.final for m in chart.measurements] == [False]
    assert problems_of(chart) == {("broken-resource", "Observation/o1")}


@pytest.mark.parametrize(
    "members",
    [
        {"valueQuantity": None, "valueString": "see report " * 3000},
        {"valueQuantity": {"value": 1.2, "unit": "cells " * 5000}},
    ],
)
def test_prose_in_place_of_a_result_is_quoted_in_part(reader: FhirChartReader, members: dict[str, Any]) -> None:
    chart = chart_with(reader, count(**members))
    assert len(chart.measurements[0].raw) <= 80
    assert all(len(problem.text) < 400 for problem in chart.data_problems)


def test_takes_a_stated_absence_as_no_result(reader: FhirChartReader) -> None:
    chart = chart_with(reader, count(valueQuantity=None, dataAbsentReason=ABSENT))
    assert (chart.measurements, chart.data_problems) == ((), ())


def test_dates_a_result_by_issued_where_nothing_else_does(reader: FhirChartReader) -> None:
    (found,) = measured(reader, count(effectiveDateTime=None, issued="2026-11-22T13:00:00Z"))
    assert found.taken.earliest.hour == 13


@pytest.mark.parametrize("time", [{"effectiveDateTime": None}, {"effectiveDateTime": "soon"}])
def test_uses_no_result_without_a_time(reader: FhirChartReader, time: dict[str, Any]) -> None:
    chart = chart_with(reader, count(**time, meta={"lastUpdated": "2026-11-22T13:00:00Z"}))
    (found,) = chart.measurements
    assert (found.value, found.problem) == (None, "no time of the draw")
    assert (found.taken.latest, found.taken.latest - found.taken.earliest) == (NOW, timedelta(days=28))
    assert problems_of(chart) == {("no-time", "Observation/o1")}


def test_an_undated_temperature_may_be_of_the_last_day(reader: FhirChartReader) -> None:
    undated = count("t1", "8310-5", 39.0, "Cel", effectiveDateTime=None)
    (found,) = measured(reader, undated)
    assert (found.value, found.taken.latest - found.taken.earliest) == (None, timedelta(hours=24))


def test_leaves_out_an_undated_result_that_does_not_decide(reader: FhirChartReader) -> None:
    assert measured(reader, count(code="718-7", effectiveDateTime=None)) == []


@pytest.mark.parametrize(
    ("members", "counted"),
    [
        ({"specimen": {"reference": "Specimen/9", "display": "Cerebrospinal fluid"}}, False),
        ({"specimen": {"reference": "#s"}, "contained": [{"resourceType": "Specimen", "id": "s",
          "type": {"text": "Pleural effusion, pleural"}}]}, False),
        ({"bodySite": {"text": "Synovial space"}}, False),
        ({"code": coded(LOINC, "751-8") | {"text": "Neutrophils CSF"}}, False),
        ({"specimen": {"display": "Cord blood"}}, False),
        ({"specimen": {"display": "Bone marrow aspirate"}}, False),
        ({"specimen": {"display": "Bronchoalveolar lavage"}}, False),
        ({"specimen": {"display": "Venous blood"}}, True),
        ({"code": coded(LOINC, "751-8") | {"text": "Neutrophils in Blood or body fluid"}}, True),
        ({}, True),
    ],
)  # fmt: skip
def test_counts_no_cells_of_another_fluid(reader: FhirChartReader, members: dict[str, Any], counted: bool) -> None:
    assert len(measured(reader, count() | members)) == counted


@pytest.mark.parametrize(
    ("ranges", "limit"),
    [
        ([{"low": {"value": 1.8, "unit": "10*9/L"}}], "1.8"),
        ([{"low": {"value": 1800, "unit": "/uL"}}], "1.800"),
        ([{"low": {"value": 1.8, "unit": "10*9/L"}, "type": coded("x", "normal")}], "1.8"),
        ([{"low": {"value": 1.8, "unit": "10*9/L"}, "type": coded("x", "treatment")}], None),
        ([{"low": {"value": 1.8}}], None),
        ([{"low": {"value": 1.8, "unit": "10*9/L"}}, {"low": {"value": 1.5, "unit": "10*9/L"}}], None),
        ([{"text": "1.8-7.7"}], None),
        ("1.8-7.7", None),
    ],
)
def test_reads_the_laboratorys_lower_limit(reader: FhirChartReader, ranges: Any, limit: str | None) -> None:
    (found,) = measured(reader, count(referenceRange=ranges))
    assert found.low_limit == (None if limit is None else Decimal(limit))


@pytest.mark.parametrize(
    ("specimen", "name"),
    [
        ({"reference": "Specimen/s1"}, "Specimen/s1"),
        ({"reference": "#s"}, None),
        (None, None),
        ({"display": "x"}, None),
    ],
)
def test_names_the_specimen_that_results_can_share(reader: FhirChartReader, specimen: Any, name: str | None) -> None:
    assert [m.specimen for m in measured(reader, count(specimen=specimen))] == [name]


def test_reads_the_components_of_a_panel_as_results_of_the_panel(reader: FhirChartReader) -> None:
    parts = [
        {"code": coded(LOINC, "6690-2"), "valueQuantity": {"value": 2.1, "unit": "10*3/uL"}},
        {"code": coded(LOINC, "751-8"), "valueQuantity": {"value": 0.9, "unit": "10*3/uL"}},
        {"code": coded(LOINC, "777-3"), "dataAbsentReason": ABSENT},
    ]
    found = measured(reader, count("cbc", "57021-8", valueQuantity=None, component=parts))
    assert {(m.analyte, str(m.value), m.source) for m in found} == {
        ("WBC", "2.1", "Observation/cbc"),
        ("ANC", "0.9", "Observation/cbc"),
    }


def test_reads_the_systolic_pressure_of_a_panel(reader: FhirChartReader) -> None:
    parts = [
        {"code": coded(LOINC, "8480-6"), "valueQuantity": {"value": 84, "unit": "mm[Hg]"}},
        {"code": coded(LOINC, "8462-4"), "valueQuantity": {"value": 50, "unit": "mm[Hg]"}},
    ]
    found = measured(reader, count("bp", "85354-9", valueQuantity=None, component=parts))
    assert [(m.analyte, m.value) for m in found] == [("SBP", Decimal(84))]


def test_reads_results_inside_a_report_with_its_time(reader: FhirChartReader) -> None:
    inner = {**count("inner", effectiveDateTime=None), "subject": None}
    report = mine("DiagnosticReport", "r1", contained=[inner], effectiveDateTime="2026-11-22T12:00:00Z")
    (found,) = measured(reader, report)
    assert (found.analyte, found.source, found.taken.earliest.hour) == ("ANC", "DiagnosticReport/r1", 12)


def test_uses_no_result_whose_codes_contradict_each_other(reader: FhirChartReader) -> None:
    code = {"coding": [{"system": LOINC, "code": "751-8"}, {"system": LOINC, "code": "777-3"}]}
    chart = chart_with(reader, {**count(), "code": code})
    assert chart.measurements == ()
    assert problems_of(chart) == {("contradictory-code", "Observation/o1")}


def test_finds_our_code_among_local_ones(reader: FhirChartReader) -> None:
    code = {"coding": [{"system": "urn:lab", "code": "NEUT"}, {"code": "x"}, {"system": LOINC, "code": "751-8"}, {}]}
    assert [m.analyte for m in measured(reader, {**count(), "code": code})] == ["ANC"]


def test_counts_no_cells_of_another_specimen(reader: FhirChartReader, terminology: Any) -> None:
    excluded = next(code for code, analyte in terminology.loinc.items() if analyte == "EXCLUDED")
    chart = chart_with(reader, count(code=excluded))
    assert (chart.measurements, chart.findings, chart.data_problems) == ((), (), ())


def finding(code: str, own: str = "f1", **members: Any) -> Any:
    return count(own, code, **({"valueQuantity": None} | members))


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"valueCodeableConcept": coded(SNOMED, "260385009", "Negative")}, "negative"),
        ({"valueCodeableConcept": {"text": "Positive"}}, "positive"),
        ({"valueString": "not detected"}, "negative"),
        ({"valueBoolean": True}, "positive"),
        ({"valueBoolean": False}, "negative"),
        ({"valueString": "see report", "interpretation": [coded("x", "NEG", "Negative")]}, "negative"),
        ({"interpretation": [coded("x", "POS")]}, "positive"),
    ],
)
def test_reads_a_coded_result(reader: FhirChartReader, members: dict[str, Any], kind: str) -> None:
    (found,) = chart_with(reader, finding("56888-1", **members)).findings
    assert (found.analyte, found.kinds) == ("HIV", frozenset({kind}))


def test_keeps_a_number_of_an_analyte_without_unit_as_a_finding(reader: FhirChartReader) -> None:
    (found,) = chart_with(reader, count(code="2132-9", value=420, unit="pg/mL")).findings
    assert (found.analyte, found.texts) == ("B12", ("420 pg/mL",))


def test_keeps_the_words_of_a_film_without_reading_blasts_into_them(reader: FhirChartReader) -> None:
    (found,) = chart_with(reader, finding("5909-7", valueCodeableConcept={"text": "No blasts seen"})).findings
    assert (found.texts, found.kinds) == (("No blasts seen",), frozenset())


@pytest.mark.parametrize(
    ("words", "kinds"),
    [("Fy(a-b-)", {"duffy-null"}), ("Fy(a+b-)", {"duffy-positive"}), ("pending", None)],
)
def test_reads_the_duffy_phenotype(reader: FhirChartReader, words: str, kinds: set[str] | None) -> None:
    found = chart_with(reader, finding("13309-0", valueCodeableConcept={"text": words})).findings
    assert [set(f.kinds) for f in found] == ([] if kinds is None else [kinds])


def antigens(terminology: Any, a: str | None, b: str | None, names: tuple[str, str]) -> list[Any]:
    codes = [next(code for code, analyte in terminology.loinc.items() if analyte == name) for name in names]
    return [
        finding(code, own, valueCodeableConcept={"text": said})
        for code, own, said in zip(codes, ("fya", "fyb"), (a, b), strict=True)
        if said is not None
    ]


@pytest.mark.parametrize(
    ("names", "analyte"), [(("FYA", "FYB"), "DUFFY"), (("FYA_GENOTYPE", "FYB_GENOTYPE"), "DUFFY_GENOTYPE")]
)
@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        ("Negative", "Negative", "duffy-null"),
        ("Positive", "Negative", "duffy-positive"),
        ("Negative", "Positive", "duffy-positive"),
        ("Positive", None, "duffy-positive"),
        ("Negative", None, None),
        ("Negative", "pending", None),
    ],
)
def test_reads_two_antigens_as_one_phenotype(
    reader: FhirChartReader, terminology: Any, names: tuple[str, str], analyte: str, a: str, b: str, kind: str | None
) -> None:
    found = chart_with(reader, *antigens(terminology, a, b, names)).findings
    assert [(f.analyte, set(f.kinds)) for f in found] == ([] if kind is None else [(analyte, {kind})])


FEVER = coded(SNOMED, "386661006", "Fever")


@pytest.mark.parametrize(
    ("code", "members", "kinds"),
    [
        (FEVER, {}, {"fever"}),
        (FEVER, {"valueBoolean": True}, {"fever"}),
        (FEVER, {"valueCodeableConcept": {"text": "Present"}}, {"fever"}),
        (FEVER, {"valueBoolean": False}, None),
        (FEVER, {"valueCodeableConcept": {"text": "Absent"}}, None),
        (FEVER, {"valueString": "No fever at home"}, None),
        (FEVER, {"dataAbsentReason": ABSENT}, None),
        (coded("urn:local", "complaint"), {"valueCodeableConcept": FEVER}, {"fever"}),
        (coded(LOINC, "82810-3"), {"valueCodeableConcept": coded(SNOMED, "77386006", "Pregnancy")}, {"pregnancy"}),
        (coded(LOINC, "54116-3"), {"valueCodeableConcept": coded(SNOMED, "91861009", "AML")}, None),
    ],
)
def test_reads_reported_signs(reader: FhirChartReader, code: Any, members: Any, kinds: set[str] | None) -> None:
    chart = chart_with(reader, {**finding("751-8", **members), "code": code})
    assert [set(p.kinds) for p in chart.problems] == ([] if kinds is None else [kinds])
    assert all(p.active and p.dated is not None and p.source == "Observation/f1" for p in chart.problems)


@pytest.mark.parametrize("code", [None, 7, {"coding": [{}]}])
def test_reports_an_observation_that_does_not_say_what_was_observed(reader: FhirChartReader, code: Any) -> None:
    chart = chart_with(reader, count("o1"), count("o2") | {"code": code})
    assert len(chart.measurements) == 1
    assert problems_of(chart) == {("broken-resource", "Observation/o2")}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"meta": {"versionId": "1"}}, {"meta": {"versionId": "2"}}),
        ({"meta": {"versionId": "9"}}, {"meta": {"versionId": "10"}}),
        (
            {"meta": {"lastUpdated": "2026-11-22T17:30:00+05:00"}},
            {"meta": {"lastUpdated": "2026-11-22T13:00:00Z"}},
        ),
        ({"status": "final"}, {"status": "corrected"}),
        ({"status": "final"}, {"status": "amended"}),
        ({"status": "preliminary"}, {"status": "final"}),
        ({"status": "corrected", "meta": {"versionId": "1"}}, {"status": "final", "meta": {"versionId": "2"}}),
    ],
)
def test_a_corrected_result_replaces_the_original(
    reader: FhirChartReader, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    old, new = count(value=0.4, **older), count(value=4.0, **newer)
    for both in ((old, new), (new, old)):
        assert [str(m.value) for m in measured(reader, *both)] == ["4.0"]


def test_a_result_that_was_an_error_is_gone_with_its_original(reader: FhirChartReader) -> None:
    for both in ((count(), count(status="entered-in-error")), (count(status="entered-in-error"), count())):
        assert measured(reader, *both) == []
