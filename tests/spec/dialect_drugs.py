"""Dialects of medications: other codes, names only, and where the Medication lies."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from tests.places import SHARED_DIR
from tests.spec.dialect_tools import (
    BASE,
    ORDERS,
    RXNORM,
    Circumstances,
    Json,
    holders,
    resources,
)  # fmt: skip

ROUTE_CLASSES = {
    "oral": "oral", "iv": "parenteral", "im": "parenteral", "sc": "parenteral", "topical": "local",
    "intravesical": "parenteral", "intrathecal": "parenteral",
}  # fmt: skip
BIOSIMILARS = {
    "filgrastim": "filgrastim-sndz 300 MCG/0.5 ML injection", "pegfilgrastim": "pegfilgrastim-jmdb",
    "adalimumab": "adalimumab-atto 40 mg/0.8 mL",
}  # fmt: skip
NDC, GPI = "urn:oid:2.16.840.1.113883.6.69", "urn:oid:2.16.840.1.113883.6.68"


def _rows(name: str) -> list[dict[str, str]]:
    with (SHARED_DIR / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _products() -> dict[str, list[dict[str, str]]]:
    """Products of one ingredient, by ingredient: clinical and branded drugs with a dose form."""
    found = defaultdict(list)
    for row in _rows("terminology/rxnorm_products.csv"):
        if row["tty"] in ("SCD", "SBD") and row["multi_ingredient"] != "Y":
            found[row["ingredient_rxcui"]].append(row)
    return found


@cache
def _facts() -> dict[str, dict[str, str]]:
    return {row["ingredient"]: row for row in _rows("clinical/drugs.csv")}


@cache
def _atc() -> dict[str, str]:
    rows = _rows("terminology/drugs_to_codes.csv")
    return {row["drugs_csv_ingredient"]: row["atc_systemic"] for row in rows if row["atc_systemic"]}


def _concepts(request: Json):
    """Each order or dose with the concept of its medication."""
    for resource in resources(request, *ORDERS):
        if "medicationCodeableConcept" in resource:
            yield resource, resource["medicationCodeableConcept"]


def _stated_route(resource: Json) -> str | None:
    dosages = [*resource.get("dosageInstruction", []), resource.get("dosage", {})]
    return next((dosage["route"]["text"] for dosage in dosages if "route" in dosage), None)


def _usual_route(name: str) -> str:
    """How the drug is given where the case does not say: what an order of it must not be taken for."""
    if name.endswith("(injection)"):
        return "parenteral"
    return "oral" if _facts().get(name, {}).get("active_order_is_exposure") == "Y" else "parenteral"


def _product_of(resource: Json, concept: Json, circumstances: Circumstances) -> dict[str, str] | None:
    """A product of the medication's ingredient that is given by the route of the case."""
    codes = [coding["code"] for coding in concept.get("coding", []) if coding["system"] == RXNORM]
    options = [row for code in codes for row in _products().get(code, [])]
    stated = _stated_route(resource)
    wanted = ROUTE_CLASSES[stated] if stated else _usual_route(concept.get("text", ""))
    fitting = [row for row in options if row["route_class"] == wanted]
    if not fitting and stated is None:
        fitting = [row for row in options if row["route_class"] in ("oral", "parenteral")]
    return circumstances.dice.choice(fitting) if fitting else None


def _one_choice_each(request: Json, circumstances: Circumstances):
    """Each medication with a product: the same product for all orders and doses of one drug and route."""
    chosen: dict[tuple[str, str | None], dict[str, str] | None] = {}
    for resource, concept in _concepts(request):
        key = (concept.get("text", ""), _stated_route(resource))
        if key not in chosen:
            chosen[key] = _product_of(resource, concept, circumstances)
        if (product := chosen[key]) is not None:
            yield concept, product


def products(request: Json, circumstances: Circumstances) -> Json:
    """RxNorm codes of clinical and branded drugs, with their names."""
    for concept, product in _one_choice_each(request, circumstances):
        name = product["name"]
        concept.clear()
        concept |= {"coding": [{"system": RXNORM, "code": product["product_rxcui"], "display": name}], "text": name}
    return request


def bare_products(request: Json, circumstances: Circumstances) -> Json:
    """Product codes and no words."""
    for concept, product in _one_choice_each(request, circumstances):
        concept.clear()
        concept |= {"coding": [{"system": RXNORM, "code": product["product_rxcui"]}]}
    return request


def many_codings(request: Json, circumstances: Circumstances) -> Json:
    """As Epic writes them: GPI, NDC, local, then RxNorm by its OID."""
    for concept, product in _one_choice_each(request, circumstances):
        codings = [
            {"system": GPI, "code": "21300050002130"},
            {"system": NDC, "code": "00703-3671-01", "display": product["name"].upper()},
            {"system": "urn:oid:1.2.840.114350.1.13.861.1.7.2.698288", "code": "5109", "display": "Local name"},
            {"system": "urn:oid:2.16.840.1.113883.6.88", "code": product["product_rxcui"]},
        ]
        concept |= {"coding": codings, "text": product["name"]}
    return request


def product_names(request: Json, circumstances: Circumstances) -> Json:
    """No code at all: the name as the product has it."""
    for concept, product in _one_choice_each(request, circumstances):
        name = product["name"]
        concept.clear()
        concept["text"] = circumstances.dice.choice([name, name.upper(), name.lower(), f"  {name} (take as told)"])
    return request


def names(request: Json, circumstances: Circumstances) -> Json:
    """The ingredient's name and nothing else; biological drugs with a suffix."""
    for _, concept in _concepts(request):
        name = concept.get("text") or concept["coding"][0]["display"]
        concept.pop("coding", None)
        plain = name.removesuffix(" (injection)")
        wording = circumstances.dice.choice([plain, plain.upper(), f"{plain.title()} - per protocol"])
        concept["text"] = BIOSIMILARS.get(name, wording if plain == name else name)
    return request


def displays(request: Json, circumstances: Circumstances) -> Json:
    """A local code whose display is the name; no text."""
    for _, concept in _concepts(request):
        name = concept.pop("text", None)
        concept["coding"] = [{"system": "urn:local:formulary", "code": "F-77", "display": name}]
    return request


def precise_ingredients(request: Json, circumstances: Circumstances) -> Json:
    """The code of the salt, where there is one."""
    for concept, product in _one_choice_each(request, circumstances):
        if product["precise_ingredient_rxcui"]:
            concept.clear()
            concept["coding"] = [{"system": RXNORM, "code": product["precise_ingredient_rxcui"]}]
    return request


def atc(request: Json, circumstances: Circumstances) -> Json:
    """The ATC class code, without words."""
    for _, concept in _concepts(request):
        codes = _atc().get(concept.get("text", ""), "").split("|")
        if len(codes) == 1 and codes[0]:
            concept.clear()
            concept["coding"] = [{"system": "http://www.whocc.no/atc", "code": codes[0]}]
    return request


# -- where the Medication lies


def _medication(concept: Json, identity: str) -> Json:
    return {"resourceType": "Medication", "id": identity, "code": concept}


def contained_medications(request: Json, circumstances: Circumstances) -> Json:
    for resource, concept in [*_concepts(request)]:
        del resource["medicationCodeableConcept"]
        resource["contained"] = [_medication(concept, "med")]
        resource["medicationReference"] = {"reference": "#med"}
    return request


def ingredient_medications(request: Json, circumstances: Circumstances) -> Json:
    """A contained Medication that is known by its ingredient only."""
    for resource, concept in [*_concepts(request)]:
        del resource["medicationCodeableConcept"]
        part = {"itemCodeableConcept": concept, "isActive": True}
        form = {"text": "Injection"} if _stated_route(resource) in ("iv", "im") else None
        medication = {"resourceType": "Medication", "id": "med", "ingredient": [part]} | (
            {"form": form} if form else {}
        )
        resource |= {"contained": [medication], "medicationReference": {"reference": "#med"}}
    return request


def _beside(request: Json, reference_of: Callable[[str], str], url_of: Callable[[str], str]) -> Json:
    """The Medications as further entries of the Bundle that holds the order."""
    for holder in holders(request):
        for resource in [entry["resource"] for entry in holder]:
            if (concept := resource.pop("medicationCodeableConcept", None)) is not None:
                identity = f"{resource['id']}-med"
                resource["medicationReference"] = {"reference": reference_of(identity), "display": "see Medication"}
                medication = _medication(concept, identity)
                holder.append({"fullUrl": url_of(identity), "resource": medication, "search": {"mode": "include"}})
    return request


def relative_medications(request: Json, circumstances: Circumstances) -> Json:
    return _beside(request, lambda identity: f"Medication/{identity}", lambda identity: f"{BASE}/Medication/{identity}")


def absolute_medications(request: Json, circumstances: Circumstances) -> Json:
    return _beside(request, lambda i: f"{BASE}/Medication/{i}/_history/3", lambda i: f"{BASE}/Medication/{i}")


def urn_medications(request: Json, circumstances: Circumstances) -> Json:
    """Bundles whose entries are known by urn:uuid, the Medications without an id of their own."""
    _beside(request, lambda identity: f"urn:uuid:{identity}", lambda identity: f"urn:uuid:{identity}")
    for holder in holders(request):
        for entry in holder:
            if entry["resource"]["resourceType"] == "Medication":
                del entry["resource"]["id"]
    return request


def display_medications(request: Json, circumstances: Circumstances) -> Json:
    """A reference that leads nowhere, with the product's name as its display."""
    for resource, concept in [*_concepts(request)]:
        display = concept.get("text") or concept["coding"][0]["display"]
        del resource["medicationCodeableConcept"]
        resource["medicationReference"] = {
            "reference": f"Medication/e{circumstances.dice.randrange(10**9)}",
            "display": display,
        }
    return request
