"""Dialects of conditions, procedures, findings, dosages and orders of tests."""

from __future__ import annotations

from tests.spec.dialect_tools import LOINC, Circumstances, Json, entries, entry_of, resources

SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ADDRESSES = {
    SNOMED: ("urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct/"),
    ICD10: ("urn:oid:2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10"),
}
CODED = ("Condition", "Procedure")


def _codings(resource: Json) -> list[Json]:
    found: list[Json] = resource.get("code", {}).get("coding", [])
    return found


def _only(request: Json, system: str) -> Json:
    """One code system, where the concept has it, and no words."""
    for resource in resources(request, "Condition"):
        kept = [coding for coding in _codings(resource) if coding["system"] == system]
        if kept:
            resource["code"] = {"coding": [{"system": system, "code": kept[0]["code"]}]}
    return request


def snomed_only(request: Json, circumstances: Circumstances) -> Json:
    return _only(request, SNOMED)


def icd10_only(request: Json, circumstances: Circumstances) -> Json:
    return _only(request, ICD10)


def other_addresses(request: Json, circumstances: Circumstances) -> Json:
    """Code systems by their OIDs, ICD-10 without its dot or in small letters, a local code first, other words."""
    for resource in resources(request, *CODED):
        for coding in _codings(resource):
            if coding["system"] == ICD10:
                coding["code"] = circumstances.dice.choice([coding["code"].replace(".", ""), coding["code"].lower()])
            coding["system"] = circumstances.dice.choice(ADDRESSES.get(coding["system"], (coding["system"],)))
            coding.pop("display", None)
        if _codings(resource):
            resource["code"]["coding"].insert(
                0, {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.696871", "code": "12345"}
            )
            if resource["resourceType"] == "Condition":
                resource["code"]["text"] = "as on the problem list"
    return request


def words_only(request: Json, circumstances: Circumstances) -> Json:
    """The name of the case in words, without a code."""
    for resource in resources(request, *CODED):
        resource["code"] = {"text": resource["code"]["text"]}
    return request


def plain_conditions(request: Json, circumstances: Circumstances) -> Json:
    """No verification status; category; severity; a patient's own words as a note."""
    for resource in resources(request, "Condition"):
        resource.pop("verificationStatus", None)
        category = circumstances.dice.choice(["problem-list-item", "encounter-diagnosis", "health-concern"])
        resource["category"] = [{"coding": [{"code": category}]}]
        resource["severity"] = {"text": "moderate"}
        resource["encounter"] = {"reference": "Encounter/e9"}
    return request


# -- findings


def _findings(request: Json, code: str):
    for entry in [*entries(request["prefetch"]["labResults"])]:
        coded = entry["resource"]["code"]["coding"]
        if any(coding["code"] == code for coding in coded):
            yield entry["resource"]


def duffy_antigens(request: Json, circumstances: Circumstances) -> Json:
    """The Duffy phenotype as two results, one for each antigen."""
    for finding in _findings(request, "13309-0"):
        null = finding["valueCodeableConcept"]["text"] == "Fy(a-b-)"
        for number, (code, present) in enumerate((("1025-6", not null), ("1031-4", False))):
            word = ("260385009", "Negative") if not present else ("10828004", "Positive")
            value = {"coding": [{"system": SNOMED, "code": word[0], "display": word[1]}]}
            one = finding | {"id": f"{finding['id']}-{number}", "code": {"coding": [{"system": LOINC, "code": code}]}}
            entries(request["prefetch"]["labResults"]).append(entry_of(one | {"valueCodeableConcept": value}))
        held = request["prefetch"]["labResults"]
        held["entry"] = [entry for entry in entries(held) if entry["resource"]["id"] != finding["id"]]
        held["total"] = len(held["entry"])
    return request


def spoken_findings(request: Json, circumstances: Circumstances) -> Json:
    """Textual results as valueString."""
    for observation in resources(request, "Observation"):
        if (value := observation.get("valueCodeableConcept")) is not None:
            words = value.get("text") or value["coding"][0]["display"]
            del observation["valueCodeableConcept"]
            observation["valueString"] = words
    return request


# -- dosages


def grams(request: Json, circumstances: Circumstances) -> Json:
    """Doses in g or ug, twice the frequency over twice the period, a route by code or by text alone."""
    for resource in resources(request, "MedicationRequest"):
        for dosage in resource.get("dosageInstruction", []):
            for rate in dosage.get("doseAndRate", []):
                value = rate["doseQuantity"]["value"]
                chosen = circumstances.dice.choice([("g", value / 1000), ("ug", value * 1000), ("mg", value)])
                rate["doseQuantity"] = {"value": chosen[1], "unit": chosen[0]}
            repeat = dosage.get("timing", {}).get("repeat", {})
            if "frequency" in repeat:
                repeat |= {"frequency": repeat["frequency"], "period": 24, "periodUnit": "h"}
    return request


ABBREVIATIONS = {1: "QD", 2: "BID", 3: "TID", 4: "QID"}


def abbreviated(request: Json, circumstances: Circumstances) -> Json:
    """The frequency as a Timing code; the dose as a range's high end; several rates of other types before it."""
    for resource in resources(request, "MedicationRequest"):
        for dosage in resource.get("dosageInstruction", []):
            repeat = dosage.get("timing", {}).get("repeat", {})
            if frequency := repeat.pop("frequency", None):
                repeat.pop("period"), repeat.pop("periodUnit")
                dosage["timing"]["code"] = {"coding": [{"code": ABBREVIATIONS[frequency]}], "text": "as prescribed"}
                ordered = {"type": {"coding": [{"code": "ordered"}]}} | dosage["doseAndRate"][0]
                calculated = {"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": {"value": 1, "unit": "mg"}}
                dosage["doseAndRate"] = [calculated, ordered]
    return request


def routes_in_words(request: Json, circumstances: Circumstances) -> Json:
    for resource in resources(request, "MedicationRequest", "MedicationAdministration"):
        for dosage in [*resource.get("dosageInstruction", []), resource.get("dosage") or {}]:
            if "route" in dosage:
                words = dosage["route"]["text"]
                dosage["route"] = {"text": circumstances.dice.choice([words, words.upper(), f"{words.title()} "])}
    return request


def routes_in_codes(request: Json, circumstances: Circumstances) -> Json:
    for resource in resources(request, "MedicationRequest", "MedicationAdministration"):
        for dosage in [*resource.get("dosageInstruction", []), resource.get("dosage") or {}]:
            if dosage.get("route", {}).get("coding"):
                dosage["route"] = {"coding": [{"system": SNOMED, "code": dosage["route"]["coding"][0]["code"]}]}
    return request


def supplied_for(request: Json, circumstances: Circumstances) -> Json:
    """The planned length of a draft as its supply; the planned first dose as the start of its bounds."""
    for resource in resources({**request, "prefetch": {}}, "MedicationRequest"):
        for dosage in resource.get("dosageInstruction", []):
            timing = dosage.get("timing", {})
            if (length := timing.get("repeat", {}).pop("boundsDuration", None)) is not None:
                resource["dispenseRequest"] = {"expectedSupplyDuration": length}
            if (events := timing.pop("event", None)) is not None and "boundsPeriod" not in timing.get("repeat", {}):
                timing.setdefault("repeat", {})["boundsPeriod"] = {"start": events[0]}
    return request


def ordered_cbc(request: Json, circumstances: Circumstances) -> Json:
    """Open orders of a count by other codes of the same panel, or by its name."""
    codes = ("57021-8", "57782-5", "69742-5")
    for resource in resources(request, "ServiceRequest"):
        if any(coding["code"] == "57021-8" for coding in _codings(resource)):
            coded = {
                "coding": [
                    {"system": "urn:lab", "code": "CBCD"},
                    {"system": LOINC, "code": circumstances.dice.choice(codes)},
                ]
            }
            resource["code"] = circumstances.dice.choice([coded, {"text": "CBC with differential"}])
    return request
