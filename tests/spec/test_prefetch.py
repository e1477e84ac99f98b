"""D. What arrives as prefetch, or does not."""

from __future__ import annotations

import pytest

from tests.spec.charts import CARBOPLATIN, KEYS, anc, counts, drafts, medication, prefetch, searchset, temperature, wbc
from tests.spec.invariants import check_cards, check_not_silent, check_outcome
from tests.spec.requests import hook_request

ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}
NO_RESULTS = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 0,
    "entry": [{"resource": WARNING, "search": {"mode": "outcome"}}],
}


def summaries(response):
    assert response.status_code == 200, response.text
    check_cards(response.json)
    return [card["summary"] for card in response.json["cards"]]


def missing_counts(response):
    """True where the service says that it lacks the cell counts."""
    if response.status_code == 412:
        check_outcome(response.json)
        return "cellCounts" in response.json["issue"][0]["diagnostics"]
    return False


def test_takes_none_some_or_all_keys(call):
    """D22. None: 412. Counts alone: the cards that they allow. All: all cards."""
    assert missing_counts(call(hook_request()))
    assert any("ANC 0.3" in text for text in summaries(call(hook_request(prefetch={"cellCounts": counts(0.3)}))))
    assert any("ANC 0.3" in text for text in summaries(call(hook_request(prefetch=prefetch(0.3)))))


@pytest.mark.parametrize("empty", [None, searchset(), {"resourceType": "Bundle"}, NO_RESULTS])
def test_what_was_sent_empty_is_known_to_be_empty(call, empty):
    """D23. null, a Bundle without entries, and "no results" as a warning all say: there are no data."""
    response = call(hook_request(prefetch=prefetch(cellCounts=empty)))
    assert response.status_code == 200


@pytest.mark.parametrize(
    "failed",
    [
        ERROR,
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ERROR, "search": {"mode": "outcome"}}]},
    ],
)
def test_what_failed_is_unknown_and_not_empty(call, failed):
    """D23. An error-level OperationOutcome instead of data, or inside a Bundle, leaves the data unknown: 412."""
    assert missing_counts(call(hook_request(prefetch=prefetch(cellCounts=failed))))


def test_an_absent_key_is_unknown(call):
    """D23. An absent key was not supplied; without a server to ask its data are unknown."""
    chart = prefetch()
    del chart["cellCounts"]
    assert missing_counts(call(hook_request(prefetch=chart)))


def test_a_first_page_is_not_taken_for_the_whole(call):
    """D24. A page with a next link that cannot be read on: said on a card or 412, never an empty 200."""
    page = counts(4.0) | {"link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]}
    response = call(hook_request(prefetch=prefetch(cellCounts=page)))
    assert missing_counts(response) or response.json["cards"]
    severe = counts(0.3) | {"link": page["link"]}
    response = call(hook_request(prefetch=prefetch(cellCounts=severe)))
    assert missing_counts(response) or "critical" in [card["indicator"] for card in response.json["cards"]]


@pytest.mark.parametrize("absent", [{}, {"prefetch": None}, {"prefetch": {}}])
def test_prefetch_may_be_absent(call, absent):
    """D25. No prefetch at all is a call like any other, and here lacks the counts."""
    assert missing_counts(call(hook_request(**absent)))


def test_foreign_keys_are_read_by_what_they_hold(call):
    """D25. Keys that were never asked for do no harm, and resources count under whatever key they came."""
    chart = prefetch()
    renamed = {f"item{number}": value for number, value in enumerate(chart.values())}
    renamed["item1"] = counts(0.3)
    assert any("ANC 0.3" in text for text in summaries(call(hook_request(prefetch=renamed))))
    assert summaries(call(hook_request(prefetch=prefetch(1.2, coverage=searchset({"resourceType": "Coverage"})))))


def test_another_release_is_named(call):
    """D25. DSTU2 resources get a 412 that names the release that is needed."""
    order = {"resourceType": "MedicationOrder", "id": "x", "patient": {"reference": "Patient/p1"}}
    response = call(hook_request("order-sign", context={"draftOrders": drafts(order)}, prefetch=prefetch()))
    assert response.status_code == 412
    check_outcome(response.json)
    assert "R4" in response.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("neutrophils", [4.0, 1.2])
@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_no_gap_is_met_with_silence(explaining, key, neutrophils, hook):
    """D26. A key is missing: cards or 412; an empty 200 only where no rule was left unknown."""
    chart = prefetch(neutrophils)
    del chart[key]
    context = {"draftOrders": drafts(CARBOPLATIN)} if hook == "order-sign" else {}
    response = explaining.post(
        f"/cds-services/leukopenia-{hook}", json=hook_request(hook, prefetch=chart, context=context)
    )
    if response.status_code == 412:
        check_outcome(response.json)
    else:
        assert response.status_code == 200
        check_cards(response.json)
        check_not_silent(response.json)


def test_needed_data_that_cannot_be_had_are_a_412(call):
    """D26. No prefetch, no token, a draft that needs the counts: 412 and neither 200 nor 400."""
    assert missing_counts(call(hook_request("order-sign", context={"draftOrders": drafts(CARBOPLATIN)})))


def test_a_danger_that_is_known_is_said_without_the_counts(call):
    """D26. Fever after chemotherapy gets its critical card although no count was sent."""
    given = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": CARBOPLATIN["medicationCodeableConcept"],
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": wbc(1)["effectiveDateTime"],
    }
    chart = prefetch(vitalSigns=searchset(temperature(38.9)), medicationAdministrations=searchset(given))
    del chart["cellCounts"]
    response = call(hook_request(prefetch=chart))
    assert [card["indicator"] for card in response.json["cards"]][:1] == ["critical"]
    summaries(response)


def test_the_412_names_the_key(call):
    """D27. The body is an OperationOutcome whose diagnostics name the missing prefetch key."""
    response = call(hook_request())
    assert response.status_code == 412
    check_outcome(response.json)
    assert "cellCounts" in response.json["issue"][0]["diagnostics"]
    assert "p1" not in response.text


def test_works_from_prefetch_alone(call):
    """D28. Everything came as prefetch: no server is named, none is needed."""
    assert summaries(call(hook_request(prefetch=prefetch(0.3))))


def test_a_broken_resource_does_not_spoil_the_rest(call):
    """D23. One entry that is no resource is set aside; the counts beside it still count."""
    mixed = searchset(anc(0.3), wbc(1.4))
    mixed["entry"] += [{"resource": "garbage"}, None, {"resource": {"resourceType": "Observation", "status": 7}}]
    assert any("ANC 0.3" in text for text in summaries(call(hook_request(prefetch=prefetch(cellCounts=mixed)))))


def test_another_patients_results_are_set_aside(call, explaining):
    """D25. A count of another patient never makes a card; the evaluation says that it was there."""
    foreign = searchset(anc(0.1, subject={"reference": "Patient/other"}), anc(4.0, id="o2"), wbc(6))
    body = hook_request(
        prefetch=prefetch(cellCounts=foreign, medicationRequests=searchset(medication("161", "paracetamol")))
    )
    assert not any("0.1" in text for text in summaries(call(body)))
    evaluation = explaining.post("/cds-services/leukopenia-patient-view", json=body).json["extension"]
    problems = evaluation["org.leukopenia-cds.evaluation"]["dataProblems"]
    assert [problem["source"] for problem in problems] == ["Observation/o751-8"]
