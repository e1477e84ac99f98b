"""Dialects of other releases, of references and of the hook's context."""

from __future__ import annotations

from tests.spec.dialect_tools import (
    BASE,
    ORDERS,
    Circumstances,
    Json,
    bundles,
    entries,
    holders,
    patient_id,
    resources,
)  # fmt: skip


def r5(request: Json, circumstances: Circumstances) -> Json:
    """What R5 writes differently in the resources that are read."""
    for resource in resources(request, *ORDERS):
        if (concept := resource.pop("medicationCodeableConcept", None)) is not None:
            resource["medication"] = {"concept": concept}
        if (reasons := resource.get("statusReason")) and resource["resourceType"] == "MedicationAdministration":
            resource["statusReason"] = [reasons]
        if resource["resourceType"] == "MedicationAdministration":
            resource["occurenceDateTime"] = resource.pop("effectiveDateTime")
    for resource in resources(request, "Procedure"):
        resource["occurrenceDateTime"] = resource.pop("performedDateTime")
    for resource in resources(request, "ServiceRequest"):
        resource["code"] = {"concept": resource["code"]}
    return request


def stu3(request: Json, circumstances: Circumstances) -> Json:
    """What STU3 writes differently: plain status codes, lone objects for arrays, doses without doseAndRate."""
    for resource in resources(request):
        for name in ("clinicalStatus", "verificationStatus"):
            if name in resource:
                resource[name] = resource[name]["coding"][0]["code"]
        if "stage" in resource:
            resource["stage"] = resource["stage"][0]
        if resource["resourceType"] in ("MedicationRequest", "MedicationAdministration", "Observation", "Condition"):
            resource["context"] = {"reference": "Encounter/e1"}
        if resource["resourceType"] == "MedicationAdministration" and "request" in resource:
            resource["prescription"] = resource.pop("request")
        for dosage in resource.get("dosageInstruction", []):
            for rate in dosage.pop("doseAndRate", []):
                dosage.update(rate)
        if isinstance(resource.get("interpretation"), list):
            resource["interpretation"] = resource["interpretation"][0]
    return request


def authored_only(request: Json, circumstances: Circumstances) -> Json:
    """Orders that say when they were written, not from when they hold; ends stay."""
    for resource in resources(request, "MedicationRequest"):
        for dosage in resource.get("dosageInstruction", []):
            period = dosage.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
            if period.get("start") == resource.get("authoredOn") and "end" not in period:
                period.pop("start", None)
    return request


def validity_period(request: Json, circumstances: Circumstances) -> Json:
    """The bounds of an order as those of its dispense request."""
    for resource in resources(request, "MedicationRequest"):
        for dosage in resource.get("dosageInstruction", []):
            period = dosage.get("timing", {}).get("repeat", {}).pop("boundsPeriod", None)
            if period:
                resource["dispenseRequest"] = {"validityPeriod": period}
    return request


# -- references


def _refer(request: Json, written: str) -> Json:
    for resource in resources(request):
        for name in ("subject", "patient"):
            if name in resource:
                resource[name] = {"reference": written, "display": "Vignette, A", "type": "Patient"}
    return request


def absolute_subjects(request: Json, circumstances: Circumstances) -> Json:
    return _refer(request, f"{BASE}/Patient/{patient_id(request)}")


def versioned_subjects(request: Json, circumstances: Circumstances) -> Json:
    return _refer(request, f"{BASE}/Patient/{patient_id(request)}/_history/12")


def urn_subjects(request: Json, circumstances: Circumstances) -> Json:
    """Resources that name the Patient by the urn:uuid of its entry."""
    url = "urn:uuid:0b7c6d3e-8a52-4e0f-9d55-0f4b0a7d1111"
    patient = request["prefetch"]["patient"]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"fullUrl": url, "resource": patient}]}
    request["prefetch"]["patient"] = bundle
    return _refer(request, url)


def without_subjects(request: Json, circumstances: Circumstances) -> Json:
    """Under our own keys the query says whose the resources are."""
    for resource in resources(request):
        resource.pop("subject", None)
        resource.pop("patient", None)
    return request


# -- context


def long_ids(request: Json, circumstances: Circumstances) -> Json:
    """References where ids are asked for; a role for a user; members that nobody knows."""
    context = request["context"]
    context["patientId"] = circumstances.dice.choice(
        [f"Patient/{context['patientId']}", f"{BASE}/Patient/{context['patientId']}"]
    )
    context["userId"] = "PractitionerRole/eH3.nGA-2"
    context.setdefault("encounterId", "Encounter/e-17.A")
    context["unknown"] = {"a": [None]}
    return request


def loose_drafts(request: Json, circumstances: Circumstances) -> Json:
    """Draft orders as the Sandbox sends them: no Bundle type, category an object; selections as URLs or bare ids."""
    if "draftOrders" in request["context"]:
        bundle = request["context"]["draftOrders"]
        del bundle["type"]
        for entry in entries(bundle):
            category = {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "inpatient"}
                ]
            }
            entry["resource"] |= {
                "category": category,
                "requester": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]},
            }
    chosen = request["context"].get("selections", [])
    forms = (lambda s: f"{BASE}/{s}", lambda s: s.rpartition("/")[2], lambda s: f"{s}/_history/1")
    request["context"] |= {"selections": [circumstances.dice.choice(forms)(one) for one in chosen]} if chosen else {}
    return request


def named_drafts(request: Json, circumstances: Circumstances) -> Json:
    """Entries of the draft Bundle with full URLs, and things in it that are no orders."""
    if "draftOrders" in request["context"]:
        held = entries(request["context"]["draftOrders"])
        for entry in held:
            entry["fullUrl"] = f"{BASE}/{entry['resource']['resourceType']}/{entry['resource']['id']}"
        held.append({"resource": {"resourceType": "Practitioner", "id": "dr1", "name": [{"family": "Who"}]}})
        held.append({"resource": {"resourceType": "Organization", "id": "o1"}})
    return request


def drafts_in_prefetch(request: Json, circumstances: Circumstances) -> Json:
    """The draft orders are also what the search for orders found (a client that stores drafts)."""
    if "draftOrders" in request["context"]:
        existing = {r["id"] for _, b in bundles(request) for r in (e["resource"] for e in b.get("entry", []))}
        for entry in entries(request["context"]["draftOrders"]):
            if entry["resource"]["id"] not in existing and entry["resource"]["status"] == "draft":
                key = (
                    "medicationRequests"
                    if entry["resource"]["resourceType"] == "MedicationRequest"
                    else "serviceRequests"
                )
                entries(request["prefetch"][key]).append({"resource": entry["resource"]})
                request["prefetch"][key]["total"] = len(entries(request["prefetch"][key]))
    return request


def shuffled(request: Json, circumstances: Circumstances) -> Json:
    """No order in anything."""
    for holder in holders(request):
        circumstances.dice.shuffle(holder)
    found = list(request["prefetch"].items())
    circumstances.dice.shuffle(found)
    request["prefetch"] = dict(found)
    return request
