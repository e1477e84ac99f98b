"""Whatever JSON a client sends, the reader answers with a chart or one of our errors, never with another exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.clinical.chart import PrefetchKey
from cds_service.errors import CdsServiceError
from cds_service.fhir import chart_builder
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import PATIENT, bundle, chart_of, count, mine, order, problems_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.sampled_from(
        ["", " ", "p1", "Patient/p1", "active", "final", "2026-11-22", "2026", "1.2", "urn:uuid:1", "#x", "10*9/L"]
    )
    | st.text(max_size=8)
)
NAMES = st.sampled_from(
    [
        "resourceType", "id", "entry", "resource", "search", "mode", "link", "relation", "url", "total", "subject",
        "patient", "reference", "code", "coding", "system", "display", "text", "status", "value", "unit",
        "valueQuantity", "component", "contained", "effectiveDateTime", "period", "start", "end", "meta",
        "extension", "category", "medicationReference", "medicationCodeableConcept", "dosageInstruction", "timing",
        "repeat", "doseAndRate", "referenceRange", "low", "clinicalStatus", "stage", "onsetAge", "reasonCode",
        "reason", "route", "event", "boundsDuration", "versionId",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
KEYS = st.sampled_from([key.value for key in PrefetchKey]) | st.text(max_size=5)
WELL_FORMED: list[dict[str, Any]] = [
    PATIENT,
    count(component=[{"code": {"text": "x"}}], referenceRange=[{"low": {"value": 1}}], interpretation=[{"text": "N"}]),
    order(dosageInstruction=[{"timing": {"repeat": {}, "event": []}, "route": {"text": "iv"}, "doseAndRate": [{}]}]),
    mine("Condition", "c1", code={"text": "CML"}, stage=[{}], onsetAge={}, clinicalStatus={}, recordedDate=""),
    mine("MedicationAdministration", "a1", status="completed", effectivePeriod={}, dosage={}, request={}, contained=[]),
    mine("Procedure", "x1", code={}, bodySite=[], performedPeriod={}),
    mine("Encounter", "e1", reasonCode=[{}], reason=[{}], period={}),
    mine("ServiceRequest", "s1", code={}, occurrenceTiming={}),
    mine("AllergyIntolerance", "g1", code={}, reaction=[{"substance": {}}], patient={"reference": "Patient/p1"}),
    {"resourceType": "Medication", "id": "x", "code": {}, "ingredient": [{"itemReference": {}}]},
    {"resourceType": "DiagnosticReport", "subject": {"reference": "Patient/p1"}, "contained": [count(subject=None)]},
]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of a real type in which some members were replaced by anything."""
    resource = dict(draw(st.sampled_from(WELL_FORMED)))
    for name in draw(st.lists(st.sampled_from(sorted(resource)), max_size=3)):
        if name != "resourceType":
            resource[name] = draw(ANYTHING)
    return resource


def reads_or_refuses(reader: FhirChartReader, prefetch: Any, drafts: Any, **members: Any) -> None:
    try:
        chart = chart_of(reader, prefetch, drafts, **members)
    except CdsServiceError:
        return
    assert all(problem.kind and problem.text for problem in chart.data_problems)
    assert all(order_.drugs is not None and isinstance(order_.status, str) for order_ in chart.orders)


RELAXED = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@RELAXED
@given(prefetch=st.dictionaries(KEYS, ANYTHING, max_size=4), drafts=ANYTHING)
def test_survives_any_json(reader: FhirChartReader, prefetch: Any, drafts: Any) -> None:
    reads_or_refuses(reader, prefetch, drafts, selections=("MedicationRequest/m1",))


@RELAXED
@given(key=KEYS, resources=st.lists(damaged(), max_size=4), drafts=st.lists(damaged(), max_size=3))
def test_survives_damaged_resources(reader: FhirChartReader, key: str, resources: Any, drafts: Any) -> None:
    reads_or_refuses(reader, {key: bundle(*resources)}, bundle(*drafts))


@RELAXED
@given(broken=damaged())
def test_reads_the_good_beside_the_broken(reader: FhirChartReader, broken: Any) -> None:
    if broken["resourceType"] == "Patient" or broken.get("id") == "good":
        return
    chart = chart_of(reader, {"cellCounts": bundle(broken, count("good"))})
    assert "Observation/good" in {m.source for m in chart.measurements}


def test_reports_a_resource_that_defeats_its_reader(reader: FhirChartReader, monkeypatch: pytest.MonkeyPatch) -> None:
    def defeated(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(chart_builder, "read_condition", defeated)
    chart = chart_of(reader, {"conditions": bundle(mine("Condition", "c1")), "cellCounts": bundle(count())})
    assert problems_of(chart) == {("broken-resource", "Condition/c1")}
    assert len(chart.measurements) == 1


def test_survives_resources_nested_beyond_reason(reader: FhirChartReader) -> None:
    nested: Any = "x"
    for _ in range(400):
        nested = {"extension": [nested]}
    deep = {**count(), "extension": nested}
    del deep["id"]
    assert len(chart_of(reader, {"cellCounts": bundle(deep)}).measurements) == 1
