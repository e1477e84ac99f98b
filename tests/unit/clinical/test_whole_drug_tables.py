"""Every drug of the drug table by every code, product, brand and salt that is linked to it, with and without words.

The first half holds for the shipped tables; the second compares them with the given ones, where these are at hand.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Route
from cds_service.clinical.drug_matching import DrugMatch, MatchedBy
from cds_service.clinical.terminology import CodeSystem, Coding
from tests.places import ROOT, SHARED_DIR

TERMS = load_terminology(ROOT / "cards")
CODES, GIVEN = ROOT / "cards" / "codes", SHARED_DIR / "terminology"
RXNORM, ATC = CodeSystem.RXNORM, CodeSystem.ATC
BRAND = re.compile(r"\[([^\]]+)\]")
RXNORM_LEVELS = {
    MatchedBy.PRECISE_INGREDIENT,
    MatchedBy.PRODUCT,
    MatchedBy.INGREDIENT,
    MatchedBy.COMBINATION,
}

TOLD_APART_BY_MORE = {
    ("nab-paclitaxel", "56946"),
    ("nab-paclitaxel", "L01CD01"),
    ("pegylated liposomal doxorubicin", "3639"),
    ("pegylated liposomal doxorubicin", "L01DB01"),
    ("liposomal irinotecan", "51499"),
    ("liposomal irinotecan", "L01CE02"),
    ("azacitidine (oral)", "1251"),
    ("azacitidine (oral)", "L01BC07"),
    ("cladribine (oral, MS)", "44157"),
    ("cladribine (oral, MS)", "L01BB04"),
    ("cladribine (injection)", "L04AA40"),
    ("mycophenolate mofetil", "L04AA06"),
}
"""Rows that share a code with a plainer row: the words or the route of the order tell them."""

PART_OF_A_COMBINATION = {
    ("trifluridine-tipiracil", "10803"),
    ("piperacillin-tazobactam", "37617"),
    ("piperacillin-tazobactam", "J01CG02"),
    ("trimethoprim-sulfamethoxazole", "10829"),
    ("trimethoprim-sulfamethoxazole", "J01EA01"),
}
"""Codes of one part: alone they are the other product (eye drops, trimethoprim) or no drug of the table."""

OTHER_CORTICOSTEROIDS = {"prednisolone", "methylprednisolone", "dexamethasone"}
"""Rows of their own whose codes are also listed under "systemic corticosteroids"."""


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def given(name: str) -> list[dict[str, str]]:
    return read(GIVEN / name) if GIVEN.exists() else []


def match(
    code: str, system: CodeSystem = RXNORM, text: str | None = None, route: Route = Route.UNKNOWN, display: str = ""
) -> DrugMatch:
    return TERMS.match_drugs([Coding(system, code, display or None)], text, None, route)


def named(text: str, route: Route = Route.UNKNOWN) -> DrugMatch:
    return TERMS.match_drugs([], text, None, route)


def rows(found: DrugMatch) -> set[str]:
    return {drug.ingredient for drug in found.drugs}


def ours(ingredients: str) -> str:
    """The ids of a product's ingredients, as the tables write them."""
    return "|".join(sorted(ingredients.split("|")))


# The shipped tables


def spellings(text: str) -> Iterator[str]:
    """The same name as other people write it."""
    yield from (text.upper(), text.title(), f"  {text.replace(' ', '   ')}\t", text.replace(" ", "-"))
    yield f"{text} 50 MG"
    yield f"{text}-abcd"
    yield f"1 ML {text}, give as told"


def test_every_name_is_recognised_in_every_spelling() -> None:
    listed = [(row["name"], rows(named(row["name"]))) for row in read(CODES / "drug_names.csv")]
    assert [text for name, drugs in listed for text in spellings(name) if rows(named(text)) != drugs] == []


def test_names_that_are_no_drug_alone_are_parts_of_combinations() -> None:
    parts = {row["ingredients"] for row in read(CODES / "drug_names.csv") if not named(row["name"]).known}
    assert parts == {"10803", "37617", "48203"}  # trifluridine, tazobactam, clavulanate
    assert rows(named("tipiracil")) == {"trifluridine-tipiracil"}


def test_every_product_name_is_its_drug_without_spaces_around_numbers() -> None:
    wrong = []
    for row in read(CODES / "rxnorm_products.csv"):
        squeezed = re.sub(r"(?<=[a-z]) (?=\d)|(?<=\d) (?=[A-Za-z])", "", row["name"]).upper()
        expected = match(row["code"])
        if rows(expected) != rows(named(squeezed, expected.route)):
            wrong.append(squeezed)
    assert wrong == []


def test_local_products_are_local_by_code_and_by_name() -> None:
    """A cream is no tablet, whether a code or only the words say so. A rectal cream may be absorbed: by name it is."""
    wrong = []
    for row in read(CODES / "rxnorm_products.csv"):
        if row["route"] == "local" and "Rectal" not in row["name"] and "Implant" not in row["name"]:
            told = named(row["name"])
            wrong += [row["name"]] if match(row["code"]).route is not Route.LOCAL else []
            wrong += [row["name"]] if told.known and told.route is not Route.LOCAL else []
    assert wrong == []


def test_brands_of_local_products_are_local_by_the_brand_alone() -> None:
    by_brand: dict[str, set[str]] = {}
    for row in read(CODES / "rxnorm_products.csv"):
        for brand in BRAND.findall(row["name"]):
            by_brand.setdefault(brand, set()).add(row["route"])
    local = [brand for brand, routes in by_brand.items() if routes == {"local"} and brand != "Lamisil"]
    assert len(local) > 80
    assert [brand for brand in local if named(brand).known and named(brand).route is not Route.LOCAL] == []
    systemic = [brand for brand, routes in by_brand.items() if "local" not in routes]
    assert [brand for brand in systemic if named(brand).route is Route.LOCAL] == []


def test_drugs_that_are_not_listed_are_known_and_are_no_drug_of_the_table() -> None:
    listed = read(CODES / "unlisted_drugs.csv")
    assert len(listed) > 2500
    assert [
        row["code"] for row in listed if row["code"] and (match(row["code"]).known or not match(row["code"]).unlisted)
    ] == []
    words = [row["name"] for row in listed if row["kind"] != "product"]
    assert [name for name in words if named(name).known or not named(name).unlisted] == []
    assert [row["name"] for row in listed if named(row["name"]).known] == []


# The given tables


def test_the_drug_table_is_the_given_one_but_for_its_notes() -> None:
    """The words are ours, the facts and figures are not."""
    path = SHARED_DIR / "clinical" / "drugs.csv"
    if path.exists():
        ours, theirs = (
            [{**row, "notes": bool(row["notes"])} for row in rows]
            for rows in (read(ROOT / "cards" / "drugs.csv"), read(path))
        )
        assert ours == theirs


def links() -> Iterator[tuple[str, str, CodeSystem]]:
    for row in given("drugs_to_codes.csv"):
        for code in filter(None, row["rxcui"].split("|")):
            yield row["drugs_csv_ingredient"], code, RXNORM
        for code in filter(None, row["atc_systemic"].split("|")):
            yield row["drugs_csv_ingredient"], code, ATC


def test_every_linked_code_alone_is_the_row() -> None:
    exceptions = TOLD_APART_BY_MORE | PART_OF_A_COMBINATION
    wrong = [
        (name, code, rows(match(code, system)))
        for name, code, system in links()
        if (name, code) not in exceptions and rows(match(code, system)) != {name}
    ]
    assert [one for one in wrong if not one[2] <= OTHER_CORTICOSTEROIDS or not one[2]] == []


def test_every_linked_code_with_the_rows_name_is_the_row_and_no_contradiction() -> None:
    wrong = []
    for name, code, system in links():
        if name.startswith("prednisone ("):
            continue
        for words in ({"text": name}, {"display": name}):
            found = match(code, system, **words)  # type: ignore[arg-type]
            route = Route.ORAL if "(oral" in name else Route.PARENTERAL
            found = found if rows(found) == {name} else match(code, system, route=route, **words)  # type: ignore[arg-type]
            if rows(found) != {name} or found.conflict:
                wrong.append((name, code, rows(found), found.contradicted_by))
    assert wrong == []


def test_rows_that_share_a_code_are_told_apart_by_route() -> None:
    for code, system in (("44157", RXNORM), ("L01BB04", ATC)):
        assert rows(match(code, system, route=Route.ORAL)) == {"cladribine (oral, MS)"}
        assert rows(match(code, system, route=Route.PARENTERAL)) == {"cladribine (injection)"}
    assert rows(match("L04AA40", ATC, route=Route.PARENTERAL)) == {"cladribine (injection)"}
    for code, system in (("1251", RXNORM), ("L01BC07", ATC)):
        assert rows(match(code, system, route=Route.ORAL)) == {"azacitidine (oral)"}
        assert rows(match(code, system)) == {"azacitidine (injection)"}


def test_every_given_ingredient_is_recognised_as_what_its_name_says_or_known_as_not_listed() -> None:
    parts = {"10803", "37617", "48203"}
    radioactive_elements = {"1534772", "1546450"}  # the element alone is neither of its two drugs
    wrong = []
    for row in given("rxnorm_ingredients.csv"):
        by_code, by_name = match(row["code"]), named(row["display"])
        if rows(by_code) != rows(by_name) or by_code.unlisted != by_name.unlisted:
            wrong.append(row["code"])
        if not by_code.known and not by_code.unlisted:
            wrong.append(row["code"])
        if by_code.known and by_code.matched_by not in RXNORM_LEVELS:
            wrong.append(row["code"])
    assert set(wrong) <= parts | radioactive_elements


def test_every_given_atc_code_is_recognised_as_what_its_name_says() -> None:
    wrong = []
    for row in given("atc.csv"):
        if row["use"] == "class prefix":
            continue
        found = match(row["code"], ATC)
        if rows(found) not in (rows(named(row["display"])), rows(named(row["ingredient"]))):
            wrong.append(row["code"])
    assert wrong in ([], ["L04AA40"])  # the code of oral cladribine is called cladribine


def products() -> Iterator[tuple[dict[str, str], DrugMatch]]:
    return ((row, match(row["product_rxcui"])) for row in given("rxnorm_products.csv"))


def linked_rows(row: dict[str, str]) -> set[str]:
    """The rows that the given tables link to a product: by its precise ingredient, else by its ingredient."""
    return rows(match(row["precise_ingredient_rxcui"])) or rows(match(row["ingredient_rxcui"]))


def says_the_same(row: dict[str, str], found: DrugMatch) -> bool:
    """A product is known by its code; its name gives the same drugs and does not contradict it."""
    told = named(row["name"])
    both = match(row["product_rxcui"], display=row["name"], text=row["name"].upper())
    known = found.matched_by is MatchedBy.PRODUCT if found.known else found.unlisted
    return known and rows(found) == rows(told) == rows(both) and not both.conflict


def test_every_given_product_is_recognised_by_its_code_as_by_its_name() -> None:
    assert [row["name"] for row, found in products() if not says_the_same(row, found)] == []


def test_every_given_product_has_the_row_of_its_ingredient() -> None:
    """Oral forms, protein-bound and fixed combinations are rows beside that of the plain ingredient."""
    special = {"azacitidine (oral)", "cladribine (oral, MS)", "nab-paclitaxel", "trimethoprim-sulfamethoxazole"}
    assert [
        r["name"] for r, found in products() if not linked_rows(r) <= rows(found) and not special & rows(found)
    ] == []


def test_trastuzumab_alone_and_immunoglobulins_are_no_drug_of_the_table() -> None:
    for row, found in products():
        antibody = (
            "trastuzumab" in row["name"].lower() and "tansine" not in row["name"] and "deruxtecan" not in row["name"]
        )
        if antibody or row["ingredient_rxcui"] == "5666":
            assert (rows(found), found.unlisted, rows(named(row["name"]))) == (set(), True, set()), row["name"]


def test_every_given_route_class_is_the_route() -> None:
    """Implants for the eye or the bladder are local; nasal, inhaled and vaginal products are."""
    routes = {
        "oral": Route.ORAL, "parenteral": Route.PARENTERAL, "local": Route.LOCAL, "inhaled": Route.LOCAL,
        "rectal": Route.OTHER_SYSTEMIC, "transdermal/implant": Route.OTHER_SYSTEMIC, "": Route.LOCAL,
    }  # fmt: skip
    wrong = [
        row["name"]
        for row, found in products()
        if found.known and found.route is not routes[row["route_class"]] and "Drug Implant" not in row["name"]
    ]
    assert wrong == []


def test_every_given_brand_and_salt_is_recognised_by_its_name_alone() -> None:
    brands: dict[str, list[set[str]]] = {}
    for row, found in products():
        for brand in BRAND.findall(row["name"]):
            brands.setdefault(brand, []).append(rows(found))
    assert wrong_names((brand, of) for brand, several in brands.items() for of in several if of) == []
    salts = {(r["precise_ingredient_name"], r["precise_ingredient_rxcui"]) for r, _ in products()}
    assert wrong_names((name, rows(match(code))) for name, code in salts if "|" not in code and match(code).known) == []


def wrong_names(expected: Iterable[tuple[str, set[str]]]) -> list[str]:
    return [
        name for name, drugs in expected for text in (name, name.upper(), f"{name} 5 MG") if rows(named(text)) != drugs
    ]
