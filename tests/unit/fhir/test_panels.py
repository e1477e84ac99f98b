"""Reports and panels: what their results take over from them, whose they are, and panels that came alone."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.chart import Chart
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import LOINC, bundle, chart_of, coded, count, mine, problems_of

PANEL, REPORT = "58410-2", "DiagnosticReport/r1"
UNDATED = {"effectiveDateTime": None}
ALONE = "a blood count was sent without its results"


def panel(*members: str, own: str = "cbc", **more: Any) -> Any:
    references = [{"reference": member} for member in members] or None
    return count(own, PANEL, valueQuantity=None, hasMember=references, **more)


def report(*members: str, **more: Any) -> Any:
    usual = {
        "status": "final",
        "code": coded(LOINC, PANEL),
        "effectiveDateTime": "2026-11-22T12:00:00Z",
        "result": [{"reference": member} for member in members] or None,
    }
    return mine("DiagnosticReport", "r1", **(usual | more))


def inner(**members: Any) -> Any:
    """An ANC inside a report, which leaves subject, time and status to it."""
    bare = {name: value for name, value in count(**members).items() if name not in ("subject", "id")}
    return {name: value for name, value in bare.items() if value is not None}


def chart_with(reader: FhirChartReader, *resources: Any) -> Chart:
    return chart_of(reader, {"cellCounts": bundle(*resources)})


def hours(chart: Chart) -> list[int]:
    return [m.taken.earliest.hour for m in chart.measurements]


@pytest.mark.parametrize(
    "reference",
    ["Observation/o1", "https://x/fhir/Observation/o1", "Observation/o1/_history/2"],
)
@pytest.mark.parametrize("holder", [panel, report])
def test_dates_a_result_by_the_panel_or_report_that_points_to_it(
    reader: FhirChartReader, holder: Any, reference: str
) -> None:
    held = holder(reference, effectiveDateTime="2026-11-22T11:00:00Z")
    for resources in ((held, count(**UNDATED)), (count(**UNDATED), held)):
        chart = chart_with(reader, *resources)
        assert (hours(chart), chart.data_problems) == ([11], ())


def test_dates_a_result_by_the_url_of_its_entry(reader: FhirChartReader) -> None:
    url = "urn:uuid:9c0c1d1a-0a8c-4f62-8f4e-6a4b8f5f8a11"
    nameless = {k: v for k, v in count(**UNDATED).items() if k != "id"}
    entries = [{"resource": panel(url)}, {"fullUrl": url, "resource": nameless}]
    assert hours(chart_of(reader, {"cellCounts": bundle(entry=entries)})) == [14]


@pytest.mark.parametrize(
    ("member", "hour"),
    [
        ({}, 14),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-11-22T09:00:00Z"}}, 9),
        ({"effectiveDateTime": None, "issued": "2026-11-22T13:30:00Z"}, 12),
    ],
)
def test_a_result_keeps_the_time_of_its_own_draw(reader: FhirChartReader, member: dict[str, Any], hour: int) -> None:
    assert hours(chart_with(reader, report("Observation/o1"), count(**member))) == [hour]


def test_is_dated_by_the_one_of_two_holders_that_is_dated(reader: FhirChartReader) -> None:
    undated, dated = panel("Observation/o1", **UNDATED), report("Observation/o1")
    for holders in ((undated, dated), (dated, undated)):
        assert hours(chart_with(reader, *holders, count(**UNDATED))) == [12]


@pytest.mark.parametrize("newest_first", [True, False])
def test_stays_undated_where_two_holders_date_it_differently(reader: FhirChartReader, newest_first: bool) -> None:
    old = panel("Observation/o1", own="old", effectiveDateTime="2024-05-01T10:00:00Z")
    new = panel("Observation/o1", own="new", effectiveDateTime="2026-11-22T10:00:00Z")
    holders = (new, old) if newest_first else (old, new)
    chart = chart_with(reader, *holders, count(**UNDATED))
    assert ("no-time", "Observation/o1") in problems_of(chart)
    assert [m.value for m in chart.measurements] == [None]


def test_takes_no_time_from_a_retracted_report(reader: FhirChartReader) -> None:
    chart = chart_with(reader, report("Observation/o1", status="entered-in-error"), count(**UNDATED))
    assert [m.value for m in chart.measurements] == [None]


def test_stays_undated_where_nothing_dates_it(reader: FhirChartReader) -> None:
    chart = chart_with(reader, panel("Observation/o1", **UNDATED), count(**UNDATED))
    assert ("no-time", "Observation/o1") in problems_of(chart)
    assert [m.value for m in chart.measurements] == [None]


@pytest.mark.parametrize("holder", [panel, report])
def test_completes_results_inside_a_panel_or_report(reader: FhirChartReader, holder: Any) -> None:
    bare = inner(status=None, **UNDATED)
    (found,) = chart_with(reader, holder(contained=[bare], effectiveDateTime="2026-11-22T12:00:00Z")).measurements
    assert (found.analyte, found.final, found.taken.earliest.hour) == ("ANC", True, 12)


@pytest.mark.parametrize(
    ("outer", "own", "final"),
    [
        ("final", None, True),
        ("corrected", None, True),
        ("amended", None, True),
        ("appended", None, True),
        ("preliminary", None, False),
        ("partial", None, False),
        ("preliminary", "final", True),
        ("final", "preliminary", False),
        ("partial", "corrected", True),
        ("registered", None, None),
        ("entered-in-error", None, None),
        ("entered-in-error", "final", None),
        ("cancelled", "final", None),
        ("final", "entered-in-error", None),
    ],
)
def test_the_status_of_a_result_inside_a_report(
    reader: FhirChartReader, outer: str, own: str | None, final: bool | None
) -> None:
    chart = chart_with(reader, report(contained=[inner(status=own)], status=outer))
    assert [m.final for m in chart.measurements] == ([] if final is None else [final])
    assert chart.data_problems == ()


def test_a_result_beside_its_panel_has_its_own_status(reader: FhirChartReader) -> None:
    chart = chart_with(reader, panel("Observation/o1", status="entered-in-error"), count())
    assert [m.final for m in chart.measurements] == [True]
    chart = chart_with(reader, panel("Observation/o1"), count(status=None))
    assert [m.final for m in chart.measurements] == [False]
    assert problems_of(chart) == {("broken-resource", "Observation/o1")}


def test_sets_aside_another_patients_result_inside_a_report(reader: FhirChartReader) -> None:
    foreign = inner() | {"subject": {"reference": "Patient/p2"}}
    chart = chart_with(reader, report(contained=[foreign, inner(value=0.9)]))
    assert [str(m.value) for m in chart.measurements] == ["0.9"]
    assert problems_of(chart) == {("other-patient", REPORT)}


def test_a_newer_report_replaces_the_results_inside_the_older_one(reader: FhirChartReader) -> None:
    old = report(contained=[inner(value=0.4)], meta={"versionId": "1"})
    new = report(contained=[inner(value=4.0)], meta={"versionId": "2"}, status="corrected")
    for resources in ((old, new), (new, old)):
        assert [str(m.value) for m in chart_with(reader, *resources).measurements] == ["4.0"]


@pytest.mark.parametrize(
    ("specimen", "contained", "counted"),
    [
        ([{"display": "Cerebrospinal fluid"}], [], False),
        ({"reference": "#s"}, [{"resourceType": "Specimen", "id": "s", "type": {"text": "Pleural fluid"}}], False),
        ([{"display": "Venous blood"}], [], True),
        ([{"display": "Cerebrospinal fluid"}, {"display": "Blood"}], [], True),
        (None, [], True),
    ],
)
def test_results_are_of_the_specimen_of_their_report(
    reader: FhirChartReader, specimen: Any, contained: list[Any], counted: bool
) -> None:
    chart = chart_with(reader, report(specimen=specimen, contained=[*contained, inner()]))
    assert len(chart.measurements) == counted
    chart = chart_with(reader, report("Observation/o1", specimen=specimen, contained=contained or None), count())
    assert len(chart.measurements) == counted


def test_results_of_one_report_share_its_specimen(reader: FhirChartReader) -> None:
    held = report("Observation/o1", "Observation/o2", specimen=[{"reference": "Specimen/9"}])
    own = {"specimen": {"reference": "Specimen/8"}}
    chart = chart_with(reader, held, count("o1"), count("o2", "6690-2", 3, **own))
    assert [m.specimen for m in chart.measurements] == ["Specimen/9", "Specimen/8"]


def test_components_are_of_the_specimen_that_the_code_of_their_panel_names(reader: FhirChartReader) -> None:
    part = {"code": coded(LOINC, "751-8"), "valueQuantity": {"value": 0.3, "unit": "10*9/L"}}
    fluid = count("csf", "26465-5", valueQuantity=None, component=[part])
    assert chart_with(reader, fluid).measurements == ()
    assert len(chart_with(reader, panel(component=[part])).measurements) == 1


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([panel("Observation/o9"), count("x", "718-7", 12, "g/dL")], ALONE),
        ([report("Observation/o8", "Observation/o9"), count()], ALONE),
        ([panel("Observation/o9", **UNDATED), count()], ALONE),
        ([panel("Observation/o9", effectiveDateTime="2026-10-25T15:00:00Z"), count()], ALONE),
        ([panel("Observation/o9", effectiveDateTime="2026-10-25T14:59:00Z"), count()], None),
        ([panel("Observation/o9", "Observation/o1"), count()], None),
        ([panel("Observation/o9", "Observation/h"), count("h", "718-7", 12, "g/dL")], ALONE),
        ([panel("Observation/o9", "Observation/w"), count("w", "6690-2", 4)], None),
        ([panel("Observation/h"), count("h", "718-7", 12, "g/dL")], None),
        ([panel("Observation/o9", status="entered-in-error"), count()], None),
        ([panel("Observation/o9", status="cancelled"), count()], None),
        ([panel("Observation/o9") | {"code": coded(LOINC, "24323-8")}, count()], None),
        ([panel(), count()], None),
        ([panel("#inside", contained=[inner()]), count()], None),
        ([panel("Observation/o9", contained=[inner()]), count()], None),
        ([panel("Observation/o9", component=[{"code": coded(LOINC, "6690-2")}]), count()], None),
        ([count()], None),
    ],
)
def test_a_blood_count_without_its_results_leaves_the_counts_unknown(
    reader: FhirChartReader, resources: list[Any], reason: str | None
) -> None:
    assert chart_with(reader, *resources).unavailable.get("cellCounts") == reason


def test_says_why_counts_are_unavailable_before_it_says_what_a_panel_lacks(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"labResults": bundle(panel("Observation/o9")), "cellCounts": {"resourceType": "Basket"}})
    assert chart.unavailable["cellCounts"] not in (None, ALONE)


@pytest.mark.parametrize("status", ["FINAL", " Final "])
def test_reads_a_status_in_any_case(reader: FhirChartReader, status: str) -> None:
    assert [m.final for m in chart_with(reader, count(status=status)).measurements] == [True]
