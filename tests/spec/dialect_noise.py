"""Dialects of noise: much else, mistaken and alien resources, odd members. Nothing of it may change an answer."""

from __future__ import annotations

import csv
from functools import cache

from tests.places import SHARED_DIR
from tests.spec.dialect_tools import (
    LOINC,
    RXNORM,
    UCUM,
    Circumstances,
    Json,
    ago,
    bundles,
    copied,
    entries,
    entry_of,
    patient_id,
    resources,
)  # fmt: skip

UNRELATED = (
    ("2345-7", "Glucose", 5.1, "mmol/L"),
    ("2160-0", "Creatinine", 0.9, "mg/dL"),
    ("2951-2", "Sodium", 140, "mmol/L"),
)


@cache
def other_specimens() -> list[dict[str, str]]:
    """Neutrophils and leukocytes of liquor, urine, effusions, cord blood: the codes that must never count."""
    with (SHARED_DIR / "terminology" / "loinc.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["use"].startswith(("EXCLUDE", "NOT"))]


def result(request: Json, code: str, value: float, unit: str, at: str, identity: str, **members: object) -> Json:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient_id(request)}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    } | members


def _add(request: Json, key: str, *found: Json, dice=None) -> None:
    bundle = request["prefetch"][key]
    held = entries(bundle)
    held += [entry_of(one) for one in found]
    bundle["total"] = len(held)
    if dice is not None:
        dice.shuffle(held)


def many_results(request: Json, circumstances: Circumstances) -> Json:
    """A hundred and sixty results of other things, some with alarming numbers."""
    found = []
    for number in range(100):
        code, _, value, unit = circumstances.dice.choice(UNRELATED)
        found.append(result(request, code, value, unit, ago(circumstances, hours=3 * number), f"noise-{number}"))
    for number in range(60):
        row = circumstances.dice.choice(other_specimens())
        value = circumstances.dice.choice([0, 0.01, 0.3, 0.9, 45, 99])
        unit = circumstances.dice.choice(["10*9/L", "%", "10*3/uL"])
        at = ago(circumstances, hours=circumstances.dice.randrange(1, 400))
        found.append(result(request, row["code"], value, unit, at, f"other-{number}"))
    _add(request, "cellCounts", *found, dice=circumstances.dice)
    return request


def mistaken_results(request: Json, circumstances: Circumstances) -> Json:
    """Every result again with an extreme value, entered in error or cancelled, and results of the future."""
    wrong = []
    for key in ("cellCounts", "vitalSigns"):
        for number, entry in enumerate([*request["prefetch"][key].get("entry", [])]):
            status = circumstances.dice.choice(["entered-in-error", "cancelled", "registered", "unknown"])
            double = copied(entry["resource"]) | {"id": f"{key}-wrong-{number}", "status": status}
            double["effectiveDateTime"] = ago(circumstances, hours=circumstances.dice.choice([0.5, 2, 30]))
            if "valueQuantity" in double:
                double["valueQuantity"]["value"] = circumstances.dice.choice([0, 0.05, 99])
            wrong.append((key, double))
    for key, double in wrong:
        _add(request, key, double, dice=circumstances.dice)
    future = result(request, "751-8", 0.05, "10*9/L", ago(circumstances, hours=-20), "future")
    _add(request, "cellCounts", future)
    return request


def results_without_values(request: Json, circumstances: Circumstances) -> Json:
    """Counts that were asked for and not made."""
    absent = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}]
    }
    for number, code in enumerate(("751-8", "6690-2", "8310-5", "777-3")):
        empty = result(request, code, 0, "10*9/L", ago(circumstances, hours=1), f"absent-{number}")
        del empty["valueQuantity"]
        _add(request, "cellCounts" if code != "8310-5" else "vitalSigns", empty | {"dataAbsentReason": absent})
    return request


OTHER_PERSON = {"reference": "Patient/somebody-else", "display": "Somebody Else"}


def other_patients(request: Json, circumstances: Circumstances) -> Json:
    """A Bundle of each key holds resources of another patient, with values that would fire everything."""
    at = ago(circumstances, hours=1)
    if entries(request["prefetch"]["cellCounts"]):  # else it would not be known that there are none
        _add(request, "cellCounts", result(request, "751-8", 0.05, "10*9/L", at, "x1") | {"subject": OTHER_PERSON})
    hot = result(request, "8310-5", 40, "Cel", at, "x2") | {"subject": {"reference": "https://else.example/Patient/p"}}
    _add(request, "vitalSigns", hot)
    chemo = _order("x3", "3639", "doxorubicin", circumstances) | {"subject": OTHER_PERSON}
    _add(request, "medicationRequests", chemo)
    aml = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C92.00"}]}
    _add(request, "conditions", {"resourceType": "Condition", "id": "x4", "code": aml, "subject": OTHER_PERSON})
    return request


def _order(identity: str, code: str, name: str, circumstances: Circumstances, **members: object) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": name}], "text": name},
        "authoredOn": ago(circumstances, days=20),
    } | members


def _own(request: Json, *found: Json) -> list[Json]:
    return [one | {"subject": {"reference": f"Patient/{patient_id(request)}"}} for one in found]


def drugs_that_do_not_count(request: Json, circumstances: Circumstances) -> Json:
    """Local forms, plans, proposals, drafts that were dropped, old finished orders, drugs nobody looks at."""
    local = [
        _order("n1", "92732", "fluorouracil 10 MG/ML Topical Cream [Fluoroplex]", circumstances),
        _order(
            "n2",
            "4678",
            "ganciclovir 0.15 % ophthalmic gel",
            circumstances,
            dosageInstruction=[{"route": {"text": "ophthalmic"}}],
        ),
    ]
    intents = [
        _order(f"i{n}", "3639", "doxorubicin", circumstances, intent=intent)
        for n, intent in enumerate(("plan", "proposal", "option"))
    ]
    bounds = {"start": ago(circumstances, days=2000), "end": ago(circumstances, days=1900)}
    past = {
        "authoredOn": ago(circumstances, days=2000),
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": bounds}}}],
    }
    statuses = [
        _order("s1", "3639", "doxorubicin", circumstances, status="completed", **past),
        _order("s2", "2626", "clozapine", circumstances, status="entered-in-error"),
        _order("s3", "3639", "doxorubicin", circumstances, status="cancelled"),
        _order("s4", "3639", "doxorubicin", circumstances, doNotPerform=True),
        _order("s5", "161", "acetaminophen 325 MG Oral Tablet", circumstances),
    ]
    _add(request, "medicationRequests", *_own(request, *local, *intents, *statuses), dice=circumstances.dice)
    given = {
        "resourceType": "MedicationAdministration", "id": "a1", "status": "not-done",
        "medicationCodeableConcept": {"text": "doxorubicin"}, "effectiveDateTime": ago(circumstances, days=8),
    }  # fmt: skip
    _add(
        request, "medicationAdministrations", *_own(request, given, given | {"id": "a2", "status": "entered-in-error"})
    )
    return request


def problems_that_do_not_count(request: Json, circumstances: Circumstances) -> Json:
    """Refuted, mistaken and unrelated conditions; procedures that were not done."""
    system = "http://hl7.org/fhir/sid/icd-10-cm"

    def condition(identity: str, code: str, **members: object) -> Json:
        status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
        coded = {"coding": [{"system": system, "code": code}]}
        return {"resourceType": "Condition", "id": identity, "clinicalStatus": status, "code": coded} | members

    ruled_out = {"coding": [{"code": "refuted"}]}
    mistaken = {"coding": [{"code": "entered-in-error"}]}
    found = [
        condition("c1", "A41.9", verificationStatus=ruled_out, onsetDateTime=ago(circumstances, days=1)),
        condition("c2", "R50.9", verificationStatus=mistaken, onsetDateTime=ago(circumstances, hours=3)),
        condition("c3", "I10"),
        condition("c4", "C92.00", verificationStatus=mistaken),
        condition("c5", "E11.9") | {"code": {"text": "type 2 diabetes " * 2000}},
    ]
    _add(request, "conditions", *_own(request, *found), dice=circumstances.dice)
    chemo = {
        "coding": [{"system": "http://snomed.info/sct", "code": "367336001"}],
        "text": "AML induction chemotherapy",
    }
    done = ago(circumstances, days=3)
    not_done = {
        "resourceType": "Procedure",
        "id": "pr1",
        "status": "not-done",
        "code": chemo,
        "performedDateTime": done,
    }
    _add(request, "procedures", *_own(request, not_done, not_done | {"id": "pr2", "status": "preparation"}))
    return request


NARRATIVE = (
    "<div xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script><b>ANC 0.1</b> &amp; <p>"
    + "x" * 20000
    + "</div>"
)


def decorated(request: Json, circumstances: Circumstances) -> Json:
    """Narratives, extensions, tags, identifiers, notes, primitive extensions, unknown members."""
    for resource in resources(request):
        resource |= {
            "meta": {"profile": ["http://example.org/p"], "security": [{"code": "R"}], "tag": [{"code": "test"}]},
            "implicitRules": "http://example.org/rules",
            "language": "en",
            "text": {"status": "generated", "div": NARRATIVE if circumstances.dice.random() < 0.1 else "<div>x</div>"},
            "extension": [*resource.get("extension", []), {"url": "http://example.org/x", "valueString": "7"}],
            "identifier": [{"system": "urn:x", "value": "1"}],
            "_status": {"extension": [{"url": "http://example.org/y", "valueCode": "z"}]},
            "note": [{"text": "<img src=x onerror=alert(1)> ANC < 0.1, T 40"}],
        }
        if resource["resourceType"] != "MedicationRequest":  # an order that is not valid R4 is not offered as an update
            resource["unknownMember"] = {"deep": [[[{"a": None}]]]}
        for holder in (resource.get("valueQuantity"), resource.get("code")):
            if holder is not None:
                holder["extension"] = [{"url": "http://example.org/z", "valueDecimal": 1.0}]
                holder["id"] = "e1"
    request["extension"] = {"com.epic.cdshooks.request.fhir-version": "R4", "org.example": {"a": [1]}}
    return request


def without_ids(request: Json, circumstances: Circumstances) -> Json:
    """Prefetched resources without an id, in entries with or without a fullUrl."""
    for _, bundle in bundles(request):
        for entry in bundle.get("entry", []):
            entry["resource"].pop("id", None)
            entry.pop("fullUrl", None)
    return request


BROKEN: tuple[object, ...] = ({"resource": None}, {"resource": {"id": "b2"}}, {"fullUrl": "urn:uuid:1"}, None, "entry")
BROKEN_RESULTS: tuple[object, ...] = (
    {"resource": {"resourceType": "Observation", "id": "b1", "status": "final", "code": 7, "valueQuantity": [1, "x"]}},
    {
        "resource": {
            "resourceType": "Observation",
            "id": "b2",
            "status": "final",
            "component": 3,
            "effectiveDateTime": {},
        }
    },
    {"resource": {"resourceType": "Observation"}},
)
BROKEN_ORDERS: tuple[object, ...] = (
    {"resource": {"resourceType": "MedicationRequest", "id": "b3", "status": 7, "dosageInstruction": "daily"}},
    {"resource": {"resourceType": "MedicationRequest", "medicationCodeableConcept": "paracetamol", "intent": []}},
)
BROKEN_OF_KEY = dict.fromkeys(("cellCounts", "labResults", "vitalSigns"), BROKEN_RESULTS) | {
    "medicationRequests": BROKEN_ORDERS,
}


def broken_entries(request: Json, circumstances: Circumstances) -> Json:
    """One entry of each Bundle cannot be read."""
    for key, bundle in bundles(request):
        if not entries(bundle):
            continue  # a Bundle of nothing but what cannot be read is not known to be empty
        held = entries(bundle)  # where it is the only entry, a result without a code may be the one that matters
        options = (*BROKEN, *BROKEN_OF_KEY.get(key, ())) if held else BROKEN
        broken = copied({"entry": circumstances.dice.choice(options)})["entry"]
        held.insert(circumstances.dice.randrange(len(held) + 1), broken)
    return request
