"""Codes and words of charts: every drug, every trap of the code tables, and the concepts that rules name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Route
from cds_service.clinical.drug_matching import DrugMatch, MatchedBy
from cds_service.clinical.terminology import Analyte, CodeSystem, Coding, Terminology
from cds_service.clinical.units import UnitProblem

ROOT = Path(__file__).parents[3]
CODES = ROOT / "cards" / "codes"
VIGNETTES = ROOT.parent / "shared" / "clinical" / "vignettes.jsonl"
TERMS = load_terminology(ROOT / "cards")
UCUM = "http://unitsofmeasure.org"


def table(name: str) -> list[dict[str, str]]:
    with (CODES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def loinc(*codes: str) -> list[Coding]:
    return [Coding(CodeSystem.LOINC, code) for code in codes]


def rxnorm(code: str, display: str | None = None) -> list[Coding]:
    return [Coding(CodeSystem.RXNORM, code, display)]


def atc(code: str) -> list[Coding]:
    return [Coding(CodeSystem.ATC, code)]


def names(match: DrugMatch) -> set[str]:
    return {drug.ingredient for drug in match.drugs}


def named(text: str, form: str | None = None, route: Route = Route.UNKNOWN) -> DrugMatch:
    return TERMS.match_drugs([], text, form, route)


# Analytes


@pytest.mark.parametrize("row", table("loinc.csv"), ids=lambda row: row["code"])
def test_every_loinc_code_is_its_analyte(row: dict[str, str]) -> None:
    assert TERMS.analyte_of(loinc(row["code"])) is Analyte(row["analyte"])


def test_excluded_specimens_never_count_even_beside_a_counted_code() -> None:
    excluded = [row["code"] for row in table("loinc.csv") if row["analyte"] == "EXCLUDED"]
    assert len(excluded) > 100
    for code in excluded:
        assert TERMS.analyte_of(loinc("751-8", code)) is Analyte.EXCLUDED
        assert TERMS.analyte_of(loinc(code, "6690-2")) is Analyte.EXCLUDED


@pytest.mark.parametrize("code", ["51383-8", "57845-0", "26513-2", "47281-1", "752-6"])
def test_named_traps_are_excluded(code: str) -> None:
    assert TERMS.analyte_of(loinc(code)) is Analyte.EXCLUDED


@pytest.mark.parametrize("code", ["768-2", "763-3", "20482-6", "30394-1", "20482-8", "53115-2", "13056-7", "8315-4"])
def test_codes_that_are_no_neutrophil_count_are_not_read(code: str) -> None:
    assert TERMS.analyte_of(loinc(code)) is None


def test_codes_of_different_analytes_contradict_each_other() -> None:
    assert TERMS.analyte_of(loinc("751-8", "6690-2")) is Analyte.CONTRADICTORY
    assert TERMS.analyte_of(loinc("751-8", "26499-4")) is Analyte.ANC


@pytest.mark.parametrize("system", ["http://loinc.org", "http://loinc.org/", "urn:oid:2.16.840.1.113883.6.1"])
def test_code_system_spellings_are_known(system: str) -> None:
    assert TERMS.analyte_of([Coding(system, " 751-8 ")]) is Analyte.ANC


def test_codes_of_foreign_systems_are_ignored() -> None:
    assert (
        TERMS.analyte_of([Coding("urn:local", "751-8"), Coding(None, "751-8"), Coding("http://loinc.org", None)])
        is None
    )


def measure(analyte: Analyte, value: str, unit: str | None) -> Decimal | UnitProblem:
    return TERMS.measure(analyte, Decimal(value), unit=unit, code=None, system=None)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "expected"),
    [
        (Analyte.ANC, "100", "10*9/L", Decimal(100)),
        (Analyte.ANC, "100.1", "10*9/L", UnitProblem.IMPLAUSIBLE),
        (Analyte.ANC, "0", "10*9/L", Decimal(0)),
        (Analyte.ANC, "-0.1", "10*9/L", UnitProblem.IMPLAUSIBLE),
        (Analyte.ANC, "1200", "10*9/L", UnitProblem.IMPLAUSIBLE),
        (Analyte.WBC, "500", "K/uL", Decimal(500)),
        (Analyte.WBC, "500.1", "K/uL", UnitProblem.IMPLAUSIBLE),
        (Analyte.PLT, "3000", "10*9/L", Decimal(3000)),
        (Analyte.PLT, "3001", "10*9/L", UnitProblem.IMPLAUSIBLE),
        (Analyte.PLT, "90", None, UnitProblem.MISSING),
        (Analyte.NEUT_PCT, "100", "%", Decimal(100)),
        (Analyte.NEUT_PCT, "52", "1", UnitProblem.IMPLAUSIBLE),
        (Analyte.HGB, "85", "g/dL", UnitProblem.IMPLAUSIBLE),
        (Analyte.HGB, "85", "g/L", Decimal("8.5")),
        (Analyte.HGB, "5", "mmol/L", UnitProblem.UNKNOWN),
        (Analyte.HGB_MOLAR, "5", "mmol/L", Decimal("8.055")),
        (Analyte.TEMP, "102.2", "Cel", UnitProblem.IMPLAUSIBLE),
        (Analyte.TEMP, "102.2", "[degF]", Decimal("39.0")),
        (Analyte.TEMP, "29.9", "Cel", UnitProblem.IMPLAUSIBLE),
        (Analyte.TEMP, "30", "Cel", Decimal(30)),
        (Analyte.TEMP, "45.1", "Cel", UnitProblem.IMPLAUSIBLE),
        (Analyte.SBP, "49", "mm[Hg]", UnitProblem.IMPLAUSIBLE),
        (Analyte.SBP, "300", "mm[Hg]", Decimal(300)),
        (Analyte.SMEAR, "1", "1", UnitProblem.UNKNOWN),
    ],
)
def test_measures_in_canonical_units_within_plausible_limits(
    analyte: Analyte, value: str, unit: str | None, expected: Decimal | UnitProblem
) -> None:
    assert measure(analyte, value, unit) == expected


# Drugs


@pytest.mark.parametrize("drug", [drug.ingredient for drug in TERMS.drugs])
def test_every_drug_is_recognised_by_its_own_name(drug: str) -> None:
    match = named(drug)
    assert names(match) == {drug}
    assert match.matched_by is MatchedBy.NAME
    assert match.matched_text
    assert all(part in drug for part in match.matched_text.split(" / "))


def vignette_drugs() -> set[str]:
    """The drug names of the clinical vignettes; some always, all where the vignettes are at hand."""
    lines = VIGNETTES.read_text("utf-8").splitlines() if VIGNETTES.exists() else []
    inputs = [json.loads(line)["input"] for line in lines]
    orders = [order for one in inputs for key in ("meds", "draft_orders") for order in one.get(key, [])]
    return {"prednisone", "cladribine", "azacitidine"} | {
        order["ingredient"] for order in orders if "ingredient" in order
    }


def test_every_drug_of_the_clinical_vignettes_is_recognised() -> None:
    assert [drug for drug in vignette_drugs() if not named(drug).known] == []


def drug_code_cases() -> Iterator[tuple[str, str, MatchedBy]]:
    for row in table("rxnorm_products.csv"):
        yield row["code"], row["name"], MatchedBy.PRODUCT


def test_no_product_name_contradicts_its_code() -> None:
    contradicted = [
        code for code, name, _ in drug_code_cases() if TERMS.match_drugs(rxnorm(code, name), name, None).conflict
    ]
    assert contradicted == []


def test_product_codes_and_product_names_give_the_same_drugs() -> None:
    different = [
        name
        for code, name, matched_by in drug_code_cases()
        if (coded := TERMS.match_drugs(rxnorm(code), None, None)).known
        and (coded.matched_by is not matched_by or names(coded) != names(named(name)))
    ]
    assert different == []


@pytest.mark.parametrize(
    ("code", "drug", "matched_by"),
    [
        ("6851", "methotrexate", MatchedBy.INGREDIENT),
        ("1256", "azathioprine", MatchedBy.INGREDIENT),
        ("1371041", "ado-trastuzumab emtansine", MatchedBy.INGREDIENT),
        ("2267574", "trastuzumab deruxtecan", MatchedBy.PRECISE_INGREDIENT),
        ("2360530", "sacituzumab govitecan", MatchedBy.PRECISE_INGREDIENT),
        ("2057198", "filgrastim", MatchedBy.PRECISE_INGREDIENT),
        ("466523", "pegylated liposomal doxorubicin", MatchedBy.PRECISE_INGREDIENT),
        ("1790115", "pegylated liposomal doxorubicin", MatchedBy.PRODUCT),
        ("583218", "nab-paclitaxel", MatchedBy.PRODUCT),
        ("56946", "paclitaxel", MatchedBy.INGREDIENT),
        ("10831", "trimethoprim-sulfamethoxazole", MatchedBy.COMBINATION),
        ("74169", "piperacillin-tazobactam", MatchedBy.COMBINATION),
        ("19711", "amoxicillin-clavulanate", MatchedBy.COMBINATION),
        ("1670310", "trifluridine-tipiracil", MatchedBy.COMBINATION),
        ("10829", "trimethoprim", MatchedBy.INGREDIENT),
        ("5492", "prednisone (systemic corticosteroids)", MatchedBy.INGREDIENT),
        ("6902", "methylprednisolone", MatchedBy.INGREDIENT),
    ],
)
def test_rxnorm_codes_alone_are_enough(code: str, drug: str, matched_by: MatchedBy) -> None:
    match = TERMS.match_drugs(rxnorm(code), None, None)
    assert (names(match), match.matched_by) == ({drug}, matched_by)


@pytest.mark.parametrize("code", ["224905", "10803", "37617", "6387", "1946825999"])
def test_codes_of_other_drugs_are_no_drug_of_ours(code: str) -> None:
    assert not TERMS.match_drugs(rxnorm(code), None, None).known


@pytest.mark.parametrize(
    ("code", "drug", "route"),
    [
        ("L01BA01", "methotrexate", Route.UNKNOWN),
        ("L04AX03", "methotrexate", Route.UNKNOWN),
        ("L01BB04", "cladribine (injection)", Route.PARENTERAL),
        ("L04AA40", "cladribine (oral, MS)", Route.ORAL),
        ("D11AH09", "ruxolitinib", Route.LOCAL),
        ("D11AH08", "abrocitinib", Route.ORAL),
        ("J01EE01", "trimethoprim-sulfamethoxazole", Route.UNKNOWN),
        ("J01CR05", "piperacillin-tazobactam", Route.UNKNOWN),
        ("L04AF04", "filgotinib", Route.UNKNOWN),
        ("H03BB02", "methimazole", Route.UNKNOWN),
    ],
)
def test_atc_codes_are_recognised(code: str, drug: str, route: Route) -> None:
    match = TERMS.match_drugs(atc(code), None, None)
    assert (names(match), match.route, match.matched_by) == ({drug}, route, MatchedBy.ATC)


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("METHOTREXATE SODIUM 2.5 MG PO TABS", {"methotrexate"}),
        ("Filgrastim-aafi (Nivestym) 300 MCG/0.5ML", {"filgrastim"}),
        ("Neupogen 300 mcg/0.5 mL syringe", {"filgrastim"}),
        ("pegfilgrastim-jmdb", {"pegfilgrastim"}),
        ("ado-trastuzumab emtansine 100 MG", {"ado-trastuzumab emtansine"}),
        ("Kadcyla", {"ado-trastuzumab emtansine"}),
        ("fam-trastuzumab deruxtecan-nxki", {"trastuzumab deruxtecan"}),
        ("trastuzumab 440 MG Injection", set()),
        ("hydroxycarbamide 500 mg capsule", {"hydroxyurea"}),
        ("Divalproex Sodium 500 MG", {"valproate"}),
        ("co-trimoxazole 960 mg", {"trimethoprim-sulfamethoxazole"}),
        ("sulfamethoxazole 800 MG / trimethoprim 160 MG Oral Tablet", {"trimethoprim-sulfamethoxazole"}),
        ("trimethoprim 100 MG Oral Tablet", {"trimethoprim"}),
        ("Zosyn 4.5 g", {"piperacillin-tazobactam"}),
        ("Augmentin 875", {"amoxicillin-clavulanate"}),
        ("amoxicillin 500 MG", {"amoxicillin"}),
        ("tipiracil 6.14 MG / trifluridine 15 MG Oral Tablet", {"trifluridine-tipiracil"}),
        ("trifluridine 10 MG/ML Ophthalmic Solution", set()),
        ("Vyxeos", {"cytarabine", "daunorubicin"}),
        ("peginterferon alfa-2b", set()),
        ("interferon alfa-2b", {"interferon alfa-2b"}),
        ("melphalan flufenamide 20 MG Injection", set()),
        ("doxorubicin hydrochloride liposome 2 MG/ML", {"pegylated liposomal doxorubicin"}),
        ("oxcarbazepine 300 MG", set()),
        ("ondansetron 4 MG", set()),
        ("Mavenclad", {"cladribine (oral, MS)"}),
        ("tisagenlecleucel", {"CAR-T cell therapy (class)"}),
        ("", set()),
    ],
)
def test_names_are_read_where_no_code_is_known(text: str, drugs: set[str]) -> None:
    assert names(named(text)) == drugs
    assert names(TERMS.match_drugs([Coding("urn:local", "17", text)], None, None)) == drugs


@pytest.mark.parametrize(
    ("text", "form", "route"),
    [
        ("fluorouracil 50 MG/ML Topical Cream", None, Route.LOCAL),
        ("fluorouracil", "Cream", Route.LOCAL),
        ("fluorouracil", "Solution for injection", Route.PARENTERAL),
        ("ganciclovir ophthalmic gel", None, Route.LOCAL),
        ("metronidazole vaginal tablet", None, Route.LOCAL),
        ("tacrolimus 1 MG Oral Capsule", None, Route.ORAL),
        ("methotrexate intrathecal injection", None, Route.INTRATHECAL),
        ("methotrexate oral or intravenous", None, Route.UNKNOWN),
        ("methotrexate", None, Route.UNKNOWN),
    ],
)
def test_form_words_hint_at_the_route(text: str, form: str | None, route: Route) -> None:
    match = named(text, form)
    assert match.known
    assert match.route is route


@pytest.mark.parametrize(
    ("route", "drug"),
    [
        (Route.UNKNOWN, "azacitidine (injection)"),
        (Route.PARENTERAL, "azacitidine (injection)"),
        (Route.OTHER_SYSTEMIC, "azacitidine (injection)"),
        (Route.ORAL, "azacitidine (oral)"),
    ],
)
def test_route_of_the_order_tells_oral_and_injected_forms_apart(route: Route, drug: str) -> None:
    assert names(TERMS.match_drugs(rxnorm("1251", "azacitidine"), None, None, route)) == {drug}


def test_product_route_outweighs_form_words() -> None:
    match = TERMS.match_drugs(rxnorm("105562", "melphalan 2 MG Oral Tablet"), "give by iv", None)
    assert (names(match), match.route) == ({"melphalan"}, Route.ORAL)


def test_display_that_names_another_drug_is_a_conflict() -> None:
    match = TERMS.match_drugs(rxnorm("6851", "Mercaptopurine 50 MG Oral Tablet"), None, None)
    assert [drug.ingredient for drug in match.drugs] == ["methotrexate", "mercaptopurine"]
    assert match.conflict
    assert match.contradicted_by == ("mercaptopurine",)


def test_codes_of_different_drugs_are_a_conflict() -> None:
    match = TERMS.match_drugs([*atc("L01BB02"), *rxnorm("6851")], None, None)
    assert [drug.ingredient for drug in match.drugs] == ["methotrexate", "mercaptopurine"]
    assert (match.matched_by, match.matched_code, match.contradicted_by) == (
        MatchedBy.INGREDIENT,
        "6851",
        ("mercaptopurine",),
    )


@pytest.mark.parametrize(
    ("codes", "text", "drugs"),
    [
        (["10829", "10180"], None, ["trimethoprim-sulfamethoxazole"]),
        (["10180", "10829"], "x", ["trimethoprim-sulfamethoxazole"]),
        (["10829"], "sulfamethoxazole / trimethoprim", ["trimethoprim-sulfamethoxazole"]),
        (["10803", "1670304"], None, ["trifluridine-tipiracil"]),
        (["1256"], "azathioprine with allopurinol", ["azathioprine", "allopurinol"]),
        (["224905"], "ado-trastuzumab emtansine 100 MG", ["ado-trastuzumab emtansine"]),
        (["2360231"], "sacituzumab govitecan-hziy", ["sacituzumab govitecan"]),
        (["105585"], "methotrexate 2.5 MG, hold trimethoprim", ["methotrexate"]),
    ],
)
def test_codes_and_words_of_parts_complete_each_other(codes: list[str], text: str | None, drugs: list[str]) -> None:
    match = TERMS.match_drugs([coding for code in codes for coding in rxnorm(code)], text, None)
    assert [drug.ingredient for drug in match.drugs] == drugs
    assert not match.conflict


@pytest.mark.parametrize(
    ("codings", "text", "drugs", "rivals"),
    [
        (rxnorm("161"), "methotrexate 2.5 MG", {"methotrexate"}, ("acetaminophen",)),
        (rxnorm("313782"), "azathioprine", {"azathioprine"}, ("Acetaminophen 325 MG Oral Tablet",)),
        (rxnorm("6851"), "paracetamol 500 mg", {"methotrexate"}, ("paracetamol",)),
        (rxnorm("6851"), "paracetamol with methotrexate", {"methotrexate"}, ()),
        (rxnorm("6851"), "starch", {"methotrexate"}, ()),
        (rxnorm("105585", "clozapine"), None, {"methotrexate", "clozapine"}, ("clozapine",)),
    ],
)
def test_code_and_words_that_disagree_are_a_conflict_and_each_is_judged(
    codings: list[Coding], text: str | None, drugs: set[str], rivals: tuple[str, ...]
) -> None:
    match = TERMS.match_drugs(codings, text, None)
    assert (names(match), match.contradicted_by, match.conflict) == (drugs, rivals, bool(rivals))


@pytest.mark.parametrize(
    ("codings", "text", "unlisted", "words"),
    [
        (rxnorm("161"), None, True, "acetaminophen"),
        ([], "Paracetamol 500 mg", True, "Paracetamol"),
        (rxnorm("224905"), "trastuzumab-dkst", True, "trastuzumab"),
        ([], "tazobactam", True, "tazobactam"),
        (rxnorm("10803"), None, True, "trifluridine"),
        ([], "starch", False, ""),
        (rxnorm("999999999"), None, False, ""),
        ([], "azathioprin e", True, "azathioprin e"),
    ],
)
def test_tells_drugs_that_are_not_listed_from_what_nothing_knows(
    codings: list[Coding], text: str | None, unlisted: bool, words: str
) -> None:
    match = TERMS.match_drugs(codings, text, None)
    assert (match.unlisted or match.known, match.matched_text) == (unlisted, words)


@pytest.mark.parametrize(
    ("codings", "text", "matched_by", "code", "words"),
    [
        (rxnorm("105585"), None, MatchedBy.PRODUCT, "105585", "methotrexate 2.5 MG Oral Tablet"),
        (atc("L01BA01"), "MTX", MatchedBy.ATC, "L01BA01", "methotrexate"),
        ([], "azaTHIOprine 50 MG Oral Tablet [Imuran]", MatchedBy.NAME, "", "azaTHIOprine / Imuran"),
        ([Coding("urn:local", "1256", "Imuran")], "tab", MatchedBy.NAME, "", "Imuran"),
        (rxnorm("161"), None, None, "", "acetaminophen"),
    ],
)
def test_says_which_code_or_name_matched(
    codings: list[Coding], text: str | None, matched_by: MatchedBy | None, code: str, words: str
) -> None:
    match = TERMS.match_drugs(codings, text, None)
    assert (match.matched_by, match.matched_code, match.matched_text) == (matched_by, code, words)


@pytest.mark.parametrize(
    ("text", "form", "route"),
    [
        ("Efudex", None, Route.LOCAL),
        ("Efudex", "Tablet", Route.LOCAL),
        ("Efudex for oral use", None, Route.ORAL),
        ("Opzelura / Imuran", None, Route.LOCAL),
        ("Inqovi", None, Route.ORAL),
        ("Efudex and Inqovi", None, Route.UNKNOWN),
        ("gemcitabine bladder instillation", None, Route.LOCAL),
        ("pentamidine, nebulised", None, Route.LOCAL),
    ],
)
def test_a_brand_tells_the_route_unless_words_for_the_site_do(text: str, form: str | None, route: Route) -> None:
    assert named(text, form).route is route


def test_most_precise_code_is_used() -> None:
    match = TERMS.match_drugs([*atc("L01DB01"), *rxnorm("3639"), *rxnorm("1790115")], "Doxil", None)
    assert (names(match), match.matched_by) == ({"pegylated liposomal doxorubicin"}, MatchedBy.PRODUCT)
    assert not match.conflict


def test_nothing_said_is_no_match() -> None:
    assert TERMS.match_drugs([], None, None) == DrugMatch()


def test_drug_claims_follow_the_table() -> None:
    clozapine, carboplatin, imatinib = (TERMS.drug(name) for name in ("clozapine", "carboplatin", "imatinib"))
    assert clozapine.is_clozapine
    assert clozapine.is_antipsychotic
    assert clozapine.is_idiosyncratic
    assert carboplatin.is_cytotoxic
    assert carboplatin.is_high_myelosuppressive
    assert carboplatin.has_platelet_limit
    assert imatinib.is_bcr_abl_tki
    assert imatinib.has_anc_limit
    assert not imatinib.is_cytotoxic_or_adc
    assert TERMS.drug("polatuzumab vedotin").is_cytotoxic_or_adc
    assert TERMS.drug("filgrastim").is_growth_factor
    assert TERMS.drug("cefepime").is_beta_lactam
    assert not TERMS.drug("cefepime").is_gated


@pytest.mark.parametrize(
    ("ingredient", "judged"),
    [
        ("methotrexate", True),
        ("azathioprine", True),
        ("olaparib", True),
        ("linezolid", True),
        ("carboplatin", False),
        ("clozapine", False),
        ("ceftriaxone", False),
        ("hydroxyurea", False),
        ("levetiracetam", False),
    ],
)
def test_marrow_toxic_drugs_without_a_limit_are_judged(ingredient: str, judged: bool) -> None:
    assert TERMS.drug(ingredient).is_judged_without_anc_limit is judged


# Conditions, procedures, routes, orders, results


def icd(code: str) -> Coding:
    return Coding(CodeSystem.ICD10, code)


def snomed(code: str, display: str | None = None) -> Coding:
    return Coding(CodeSystem.SNOMED, code, display)


@pytest.mark.parametrize(
    ("coding", "kinds"),
    [
        (icd("C92.10"), {"cml", "haematological-malignancy"}),
        (icd("C9210"), {"cml", "haematological-malignancy"}),
        (icd("c92.11"), {"cml", "remission", "haematological-malignancy"}),
        (icd("C92.20"), {"haematological-malignancy"}),
        (icd("C83.30"), {"lymphoma", "haematological-malignancy"}),
        (icd("D46.9"), {"mds"}),
        (icd("D70.4"), {"cyclic-neutropenia", "neutropenia"}),
        (icd("D57.1"), {"sickle-cell-disease"}),
        (icd("D57.3"), set()),
        (icd("D72.810"), set()),
        (icd("A41.51"), {"sepsis"}),
        (icd("L03.115"), {"cellulitis"}),
        (icd("O24.419"), {"pregnancy"}),
        (icd("D69.51"), set()),
        (icd("E11.9"), set()),
        (snomed("413842007"), {"cml", "cml-blast"}),
        (snomed("16402000"), set()),
        (snomed("409089005"), {"febrile-neutropenia", "neutropenia"}),
        (Coding("http://hl7.org/fhir/sid/icd-10", "J18.9"), {"pneumonia"}),
        (Coding("urn:oid:2.16.840.1.113883.6.96", "386661006"), {"fever"}),
        (Coding("urn:local", "386661006"), set()),
    ],
)
def test_condition_codes_have_kinds(coding: Coding, kinds: set[str]) -> None:
    assert TERMS.condition_kinds([coding]) == kinds


@pytest.mark.parametrize(
    ("codings", "text", "kinds"),
    [
        ([], "Perianal  Pain", {"perianal-pain"}),
        ([], "Mouth ulcers", {"mouth-ulcers"}),
        ([Coding("urn:local", "17", "Febrile neutropenia (disorder)")], None, {"febrile-neutropenia", "neutropenia"}),
        ([], "no evidence of febrile neutropenia", set()),
        ([snomed("16402000")], "Sickle cell disease", set()),
        ([icd("D70.8")], "Benign ethnic neutropenia", {"neutropenia", "duffy-null-neutropenia"}),
        ([icd("C92.10")], "CML, blast phase", {"cml", "cml-blast", "haematological-malignancy"}),
        ([], None, set()),
    ],
)
def test_whole_texts_count_where_no_code_does(codings: list[Coding], text: str | None, kinds: set[str]) -> None:
    assert TERMS.condition_kinds(codings, text) == kinds


CHEMOTHERAPY, RADIOTHERAPY = snomed("367336001"), snomed("108290001")


@pytest.mark.parametrize(
    ("codings", "text", "sites", "kinds"),
    [
        ([CHEMOTHERAPY], "AML induction chemotherapy", [], {"chemotherapy", "leukaemia-induction"}),
        ([CHEMOTHERAPY], "Conditioning before HSCT", [], {"chemotherapy", "conditioning"}),
        ([CHEMOTHERAPY], "ALL induction", [], {"chemotherapy", "leukaemia-induction"}),
        ([CHEMOTHERAPY], "Lymphodepleting chemotherapy", [], {"chemotherapy", "lymphodepletion"}),
        ([CHEMOTHERAPY], None, [], {"chemotherapy"}),
        ([snomed("234336002")], None, [], {"hsct"}),
        ([], "Allogeneic stem cell transplant", [], {"hsct"}),
        ([], "Physical conditioning class", [], set()),
        ([RADIOTHERAPY], None, [snomed("51185008")], {"radiotherapy", "thorax", "thoracic-radiotherapy"}),
        ([RADIOTHERAPY], "Mediastinal radiotherapy", [], {"radiotherapy", "thorax", "thoracic-radiotherapy"}),
        ([RADIOTHERAPY], "Pelvic radiotherapy", [], {"radiotherapy"}),
        ([], "Chest X-ray", [], set()),
    ],
)
def test_procedures_have_kinds(codings: list[Coding], text: str | None, sites: list[Coding], kinds: set[str]) -> None:
    assert TERMS.procedure_kinds(codings, text, sites) == kinds


@pytest.mark.parametrize(
    ("codings", "text", "route"),
    [
        ([snomed("26643006")], None, Route.ORAL),
        ([snomed("72607000")], "iv", Route.INTRATHECAL),
        ([], "Topical", Route.LOCAL),
        ([], "intravesical", Route.LOCAL),
        ([Coding("urn:local", "PO", "Oral")], None, Route.ORAL),
        ([snomed("26643006"), snomed("47625008")], None, Route.UNKNOWN),
        ([], "as directed", Route.UNKNOWN),
        ([], None, Route.UNKNOWN),
    ],
)
def test_routes_are_read_from_code_or_text(codings: list[Coding], text: str | None, route: Route) -> None:
    assert TERMS.route_of(codings, text) is route


@pytest.mark.parametrize(
    ("codings", "text", "kinds"),
    [
        (loinc("57021-8"), None, {"cbc-diff"}),
        (loinc("58410-2"), "CBC with differential", {"cbc"}),
        ([], "CBC with differential", {"cbc-diff"}),
        (loinc("56888-1"), None, {"hiv-antigen-antibody", "hiv-antibody"}),
        (loinc("31017-7"), "celiac serology", set()),
    ],
)
def test_orders_have_kinds(codings: list[Coding], text: str | None, kinds: set[str]) -> None:
    assert TERMS.order_kinds(codings, text) == kinds


@pytest.mark.parametrize(
    ("codings", "text", "kinds"),
    [
        ([snomed("260385009")], None, {"negative"}),
        ([], "Fy(a-b-)", {"duffy-null"}),
        ([], "Fy(a+b-)", {"duffy-positive"}),
        ([], "Not detected", {"negative"}),
        ([], "see comment", set()),
    ],
)
def test_results_have_kinds(codings: list[Coding], text: str | None, kinds: set[str]) -> None:
    assert TERMS.result_kinds(codings, text) == kinds


def test_written_orders_have_codes_that_are_recognised_again() -> None:
    assert TERMS.code_for("cbc-diff") == Coding(CodeSystem.LOINC, "57021-8", "CBC W Auto Differential panel - Blood")
    assert TERMS.code_for("blood-culture").code == "600-7"
    assert TERMS.code_for("pharmacy-consult") == Coding(None, None, "Pharmacist consultation")
    for kind, coding in TERMS.written_orders.items():
        assert kind in TERMS.order_kinds([coding], None)
    with pytest.raises(KeyError):
        TERMS.code_for("moon-rock")


def test_look_ups_hold_for_a_terminology_without_the_removable_tables(tmp_path: Path) -> None:
    bare = without(tmp_path, "conditions_snomed.csv", "atc.csv")
    assert bare.condition_kinds([snomed("386661006", "Fever")]) == {"fever"}
    assert bare.condition_kinds([snomed("386661006")]) == set()
    assert bare.condition_kinds([icd("R50.9")]) == {"fever"}
    assert not bare.match_drugs(atc("L01BA01"), None, None).known
    assert bare.match_drugs(rxnorm("6851"), None, None).known


def without(cards: Path, *removed: str) -> Terminology:
    (cards / "codes").mkdir()
    for name in ("drugs.csv", "interactions.csv"):
        (cards / name).write_bytes((ROOT / "cards" / name).read_bytes())
    for path in CODES.iterdir():
        if path.name not in removed:
            (cards / "codes" / path.name).write_bytes(path.read_bytes())
    return load_terminology(cards)
