"""How each order and dose was recognised, and which drugs nothing knows."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.chart import DataProblem, DrugRecognition, Route
from cds_service.fhir.reader import FhirChartReader
from tests.unit.fhir.samples import RXNORM, bundle, chart_of, coded, mine, order, problems_of

UNKNOWN = "Nothing in the code tables knows its drug; it was not judged."


def drug(concept: Any, own: str = "m1", **members: Any) -> Any:
    return order(own, medicationCodeableConcept=concept, **members)


def dose(own: str, concept: Any, **members: Any) -> Any:
    usual = {"status": "completed", "effectiveDateTime": "2026-11-20", "medicationCodeableConcept": concept}
    return mine("MedicationAdministration", own, **(usual | members))


@pytest.mark.parametrize(
    ("concept", "found"),
    [
        (
            coded(RXNORM, "105585") | {"text": "MTX weekly"},
            ("methotrexate", "rxnorm-product", "methotrexate 2.5 MG Oral Tablet", "105585", Route.ORAL),
        ),
        (coded(RXNORM, "6851"), ("methotrexate", "rxnorm-ingredient", "methotrexate", "6851", Route.UNKNOWN)),
        (
            coded("http://www.whocc.no/atc", "L01BA01"),
            ("methotrexate", "atc", "methotrexate", "L01BA01", Route.UNKNOWN),
        ),
        (
            {"text": "azaTHIOprine 50 MG Oral Tablet [Imuran]"},
            ("azathioprine", "name", "azaTHIOprine / Imuran", None, Route.ORAL),
        ),
        ({"text": "Efudex for John Q. Sample"}, ("fluorouracil", "name", "Efudex", None, Route.LOCAL)),
    ],
)
def test_says_which_code_or_name_was_recognised_as_which_drug(
    reader: FhirChartReader, concept: Any, found: tuple[str, str, str, str | None, Route]
) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(drug(concept))})
    name, matched_by, matched, code, route = found
    assert chart.recognitions == (DrugRecognition("MedicationRequest/m1", (name,), matched_by, matched, code, route),)


def test_says_it_of_orders_statements_doses_and_drafts_by_the_route_they_state(reader: FhirChartReader) -> None:
    concept = coded(RXNORM, "1251")
    oral = {"route": {"text": "oral"}}
    taken = mine("MedicationStatement", "s1", status="active", medicationCodeableConcept=concept, dosage=[oral])
    chart = chart_of(
        reader,
        {
            "medicationRequests": bundle(drug(concept), taken),
            "medicationAdministrations": bundle(dose("a1", concept, dosage=oral)),
        },
        bundle(drug(concept, "d1", status="draft", dosageInstruction=[oral])),
    )
    assert [(r.source, r.drugs, r.route) for r in chart.recognitions] == [
        ("MedicationRequest/m1", ("azacitidine (injection)",), Route.UNKNOWN),
        ("MedicationStatement/s1", ("azacitidine (oral)",), Route.ORAL),
        ("MedicationAdministration/a1", ("azacitidine (oral)",), Route.ORAL),
        ("MedicationRequest/d1", ("azacitidine (oral)",), Route.ORAL),
    ]


def test_says_nothing_of_orders_that_do_not_count(reader: FhirChartReader) -> None:
    known, unknown = {"text": "azathioprine"}, {"text": "starch"}
    orders = [
        drug(one, f"m{number}", **members)
        for number, (one, members) in enumerate(
            (one, members)
            for one in (known, unknown)
            for members in ({"status": "cancelled"}, {"status": "entered-in-error"}, {"intent": "plan"})
        )
    ]
    doses = bundle(dose("a1", known, status="not-done"), dose("a2", unknown, status="not-done"))
    chart = chart_of(reader, {"medicationRequests": bundle(*orders), "medicationAdministrations": doses})
    assert (chart.recognitions, chart.data_problems) == ((), ())


def test_counts_each_drug_that_nothing_knows_without_its_words(reader: FhirChartReader) -> None:
    moonshine, starch = {"text": "moonshine 40 %"}, coded("urn:local", "F-1", "starch")
    chart = chart_of(
        reader,
        {
            "medicationRequests": bundle(
                drug(moonshine, "m1"), drug(starch, "m2"), drug({"text": "azathioprine"}, "m3")
            ),
            "medicationAdministrations": bundle(dose("a1", moonshine), dose("a2", moonshine)),
        },
        bundle(drug(starch, "d1", status="draft")),
    )
    assert set(chart.data_problems) == {
        DataProblem("unknown-drug", "MedicationRequest/m1", f"{UNKNOWN} Its orders and doses: 3."),
        DataProblem("unknown-drug", "MedicationRequest/m2", f"{UNKNOWN} Its orders and doses: 2."),
    }
    assert "medicationRequests" not in chart.unavailable


def test_says_once_that_nothing_knows_a_drug(reader: FhirChartReader) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(drug({"text": "moonshine"}))})
    assert chart.data_problems == (DataProblem("unknown-drug", "MedicationRequest/m1", UNKNOWN),)


@pytest.mark.parametrize(
    "concept",
    [
        {"text": "Paracetamol 500 mg tablets"},
        coded(RXNORM, "161", "acetaminophen"),
        coded(RXNORM, "313782"),
        coded(RXNORM, "224905", "trastuzumab"),
        {"text": "IVIG 10 %"},
    ],
)
def test_reports_no_drug_that_is_known_and_not_listed(reader: FhirChartReader, concept: Any) -> None:
    chart = chart_of(reader, {"medicationRequests": bundle(drug(concept))})
    assert (chart.recognitions, chart.data_problems) == ((), ())
    assert chart.orders[0].drugs == ()
    assert "medicationRequests" not in chart.unavailable


def test_a_known_ingredient_of_a_medication_is_known(reader: FhirChartReader) -> None:
    mixed = {
        "resourceType": "Medication",
        "id": "x",
        "code": coded("urn:local", "77", "House mixture"),
        "ingredient": [
            {"itemCodeableConcept": coded(RXNORM, "10180")},
            {"itemCodeableConcept": coded(RXNORM, "10829")},
        ],
    }
    pointing = order(medicationCodeableConcept=None, medicationReference={"reference": "#x"}, contained=[mixed])
    chart = chart_of(reader, {"medicationRequests": bundle(pointing)})
    assert [d.ingredient for d in chart.orders[0].drugs] == ["trimethoprim-sulfamethoxazole"]
    assert chart.orders[0].name == "House mixture"
    assert (len(chart.recognitions), chart.data_problems) == (1, ())


def test_names_what_a_code_or_a_word_contradicts(reader: FhirChartReader) -> None:
    wrong = coded(RXNORM, "6851") | {"text": "Mercaptopurine 50 MG Oral Tablet"}
    unlisted = coded(RXNORM, "161") | {"text": "azathioprine"}
    chart = chart_of(reader, {"medicationRequests": bundle(drug(wrong), drug(unlisted, "m2"))})
    assert problems_of(chart) == {
        ("contradictory-drug", "MedicationRequest/m1"),
        ("contradictory-drug", "MedicationRequest/m2"),
    }
    assert [problem.text.rpartition(": ")[2] for problem in chart.data_problems] == [
        "mercaptopurine.",
        "acetaminophen.",
    ]
    assert [r.drugs for r in chart.recognitions] == [("methotrexate", "mercaptopurine"), ("azathioprine",)]
