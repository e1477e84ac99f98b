"""The site's own orders: what is read, and what is refused in one line that names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cds_service.card_files.drug_class_words import load_drug_classes
from cds_service.card_files.library import shipped_cards_dir
from cds_service.card_files.site_orders import CONFIGURABLE, load_site_orders
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.cards import Link
from cds_service.clinical.codings import Coding
from cds_service.clinical.requested_tests import MEMBERS, TESTS
from cds_service.clinical.site_orders import SiteOrders, recognising
from cds_service.clinical.suggestions import CHANGES_AN_ORDER, NEEDS_SITE_ORDER, OrderItem
from cds_service.clinical.suggestions import SuggestionKind as Kind
from cds_service.errors import CardFileError, SettingsError

CARDS = shipped_cards_dir()
TERMS = load_terminology(CARDS)
CODE = {"system": "urn:oid:1.2.3", "code": "LAB1", "display": "CBC of the house"}
CODING = Coding("urn:oid:1.2.3", "LAB1", "CBC of the house")
RXNORM = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "20481", "display": "cefepime"}
CEFEPIME = {"medication": {"text": "Cefepime"}, "dosage": "2 g IV every 8 hours"}
SET_CODE = {**CODE, "code": "SET1", "display": "Shock set"}
ORDER_SET = {"order_set": {"codes": [SET_CODE]}, "contains": ["Cefepime", "Vancomycin"]}


def load(orders: Any) -> SiteOrders:
    return load_site_orders(orders, TERMS, CARDS)


def antibiotics(*options: Any, **more: Any) -> dict[str, Any]:
    return {"empiric-antibiotics": {"options": list(options), **more}}


def test_nothing_set_up_means_the_codes_of_the_tables_and_no_drug() -> None:
    orders = load({})
    assert (orders.codes, orders.options, orders.links) == ({}, {}, {})
    assert orders.drug_classes == load_drug_classes(CARDS)


def test_reads_codes_links_members_and_options() -> None:
    link = {"label": " Refer ", "url": "https://example.org/refer?x=1"}
    orders = load(
        {
            "stat-cbc-diff": {"codes": [CODE, {**CODE, "code": "LAB2"}]},
            "lab-verification-task": {"codes": [{**CODE, "code": "LAB3"}]},
            "haematology-referral": {"link": link},
            "workup-panel": {"members": {"b12": {"codes": [{**CODE, "code": "LAB4"}]}}, "link": link},
            "nat-test": {"members": {"hev-nat": {"codes": [{**CODE, "code": "LAB5"}]}}},
            **antibiotics(CEFEPIME, {**CEFEPIME, "label": "Cefepime if well"}, ORDER_SET, link=link),
            "gcsf-draft": {"options": [{"medication": {"text": "Filgrastim"}, "dosage": "5 micrograms/kg"}]},
            "antibacterial-prophylaxis-draft": {
                "options": [{"medication": {"text": "Levofloxacin"}, "dosage": "500 mg daily"}]
            },
        }
    )
    assert orders.codes == {
        "stat-cbc-diff": (CODING, Coding("urn:oid:1.2.3", "LAB2", "CBC of the house")),
        "lab-verification-task": (Coding("urn:oid:1.2.3", "LAB3", "CBC of the house"),),
        "b12": (Coding("urn:oid:1.2.3", "LAB4", "CBC of the house"),),
        "hev-nat": (Coding("urn:oid:1.2.3", "LAB5", "CBC of the house"),),
    }
    refer = Link("Refer", "https://example.org/refer?x=1")
    assert orders.links == dict.fromkeys(
        (Kind.HAEMATOLOGY_REFERRAL, Kind.WORKUP_PANEL, Kind.EMPIRIC_ANTIBIOTICS), refer
    )
    first, second, third = orders.options[Kind.EMPIRIC_ANTIBIOTICS]
    assert first.label == "Cefepime, 2 g IV every 8 hours"
    assert first.item == OrderItem("Cefepime", dosage="2 g IV every 8 hours")
    assert first.drugs == (TERMS.drug("cefepime"),)
    assert (second.label, second.item) == ("Cefepime if well", first.item)
    assert third.item == OrderItem("Shock set", codings=(Coding(*SET_CODE.values()),))
    assert third.drugs == (TERMS.drug("cefepime"), TERMS.drug("vancomycin"))
    ((growth_factor,), (prophylaxis,)) = (orders.options[kind] for kind in (Kind.GCSF_DRAFT, Kind.PROPHYLAXIS_DRAFT))
    assert (growth_factor.drugs, prophylaxis.drugs) == ((TERMS.drug("filgrastim"),), (TERMS.drug("levofloxacin"),))


def test_a_medication_can_be_codes_with_or_without_words() -> None:
    (coded,) = load(antibiotics({**CEFEPIME, "medication": {"codes": [RXNORM]}})).options[Kind.EMPIRIC_ANTIBIOTICS]
    assert coded.item.words == "cefepime"
    assert coded.item.codings == (Coding(*RXNORM.values()),)
    named_here = {**CEFEPIME, "medication": {"codes": [RXNORM], "text": "House protocol 1"}}
    (known_by_code,) = load(antibiotics(named_here)).options[Kind.EMPIRIC_ANTIBIOTICS]
    assert (known_by_code.item.words, known_by_code.drugs) == ("House protocol 1", (TERMS.drug("cefepime"),))
    both = {**CEFEPIME, "medication": {"codes": [RXNORM, CODE], "text": "Cefepime"}}
    (option,) = load(antibiotics(both)).options[Kind.EMPIRIC_ANTIBIOTICS]
    assert (option.item.words, len(option.item.codings)) == ("Cefepime", 2)


@pytest.mark.parametrize(
    "words",
    [
        "Piperacillin/tazobactam 4.5 g",
        "Amoxicillin and clavulanic acid",
        "piperacillin + tazobactam",
        "Imipenem/cilastatin 500 mg/100 mL",
        "Zosyn",
        "Ampicillin-sulbactam 3 g",
        "PIPERACILLIN-TAZOBACTAM 4.5 G IN SODIUM CHLORIDE 0.9 % 100 ML, IVPB",
    ],
)
def test_recognises_drugs_as_pharmacies_write_them(words: str) -> None:
    assert load(antibiotics({**CEFEPIME, "medication": {"text": words}})).options


def option(**members: Any) -> dict[str, Any]:
    """An option with some members changed; None leaves one out."""
    return antibiotics({name: value for name, value in {**CEFEPIME, **members}.items() if value is not None})


def codes(**members: Any) -> dict[str, Any]:
    return {"duffy-phenotype": {"codes": [{k: v for k, v in {**CODE, **members}.items() if v is not None}]}}


def link(**members: Any) -> dict[str, Any]:
    return {"pharmacy-consult": {"link": {"label": "Page", "url": "https://example.org", **members}}}


@pytest.mark.parametrize(
    ("orders", "place", "words"),
    [
        ({"cbc": {"codes": [CODE]}}, "orders.cbc", "is no kind of suggestion; known are repeat-cbc-diff"),
        ({"hold-medication": {"codes": [CODE]}}, "orders.hold-medication", "acts on an order of the patient"),
        ({"duffy-phenotype": {}}, "orders.duffy-phenotype", "must be a mapping with codes or link"),
        ({"duffy-phenotype": None}, "orders.duffy-phenotype", "must be a mapping"),
        ({"duffy-phenotype": [CODE]}, "orders.duffy-phenotype", "must be a mapping"),
        ({"duffy-phenotype": {"options": [CEFEPIME]}}, "orders.duffy-phenotype", "unknown members: options"),
        ({"gcsf-draft": {"codes": [CODE]}}, "orders.gcsf-draft", "unknown members: codes; known are options, link"),
        ({"workup-panel": {"codes": [CODE]}}, "orders.workup-panel", "unknown members: codes; known are members, link"),
        ({"workup-panel": {"members": {"iron": {}}}}, "orders.workup-panel.members", "unknown members: iron"),
        ({"workup-panel": {"members": {"b12": {}}}}, "orders.workup-panel.members.b12", "with codes"),
        ({"workup-panel": {"members": {}}}, "orders.workup-panel.members", "must be a mapping"),
        ({"duffy-phenotype": {"codes": []}}, "orders.duffy-phenotype.codes", "at least one entry"),
        ({"duffy-phenotype": {"codes": CODE}}, "orders.duffy-phenotype.codes", "must be a list"),
        ({"duffy-phenotype": {"codes": ["LAB1"]}}, "orders.duffy-phenotype.codes[0]", "must be a mapping"),
        (codes(code=None), "orders.duffy-phenotype.codes[0].code", "is missing"),
        (codes(code=7), "orders.duffy-phenotype.codes[0].code", "put it in quotes"),
        (codes(code=" "), "orders.duffy-phenotype.codes[0].code", "not empty"),
        (codes(code="a  b"), "orders.duffy-phenotype.codes[0].code", "double spaces"),
        (codes(system=None), "orders.duffy-phenotype.codes[0].system", "is missing"),
        (codes(system="LOINC"), "orders.duffy-phenotype.codes[0].system", "address of a code system"),
        (codes(display=None), "orders.duffy-phenotype.codes[0].display", "is missing"),
        (codes(display="a\nb"), "orders.duffy-phenotype.codes[0].display", "on one line"),
        (codes(display="a" * 201), "orders.duffy-phenotype.codes[0].display", "at most 200"),
        (codes(code="a\ud800"), "orders.duffy-phenotype.codes[0].code", "invisible"),
        (codes(display="\u200b"), "orders.duffy-phenotype.codes[0].display", "not empty"),
        (codes(display="CBC\u200b"), "orders.duffy-phenotype.codes[0].display", "invisible"),
        (codes(display="-"), "orders.duffy-phenotype.codes[0].display", "not empty"),
        (codes(system="javascript:alert(1)"), "orders.duffy-phenotype.codes[0].system", "address of a code system"),
        (codes(system="http://a\\b"), "orders.duffy-phenotype.codes[0].system", "address of a code system"),
        ({"a\nb\x1b\ud800": {}}, r"orders.a\nb\x1b\ud800", "is no kind"),
        ({"duffy-phenotype": {"a\nb": {}}}, "orders.duffy-phenotype", r"unknown members: a\nb"),
        (codes(version="1"), "orders.duffy-phenotype.codes[0]", "unknown members: version"),
        (link(url="http://example.org"), "orders.pharmacy-consult.link.url", "must be an https URL"),
        (link(url="https://"), "orders.pharmacy-consult.link.url", "https URL"),
        (link(url="https://u:p@example.org"), "orders.pharmacy-consult.link.url", "without user"),
        (link(url="https://example.org/a b"), "orders.pharmacy-consult.link.url", "without user, spaces or"),
        (link(url="https://example.org:99999"), "orders.pharmacy-consult.link.url", "https URL"),
        (link(url="https://example.org:0"), "orders.pharmacy-consult.link.url", "https URL"),
        (link(url="https://example.org\\.example.com"), "orders.pharmacy-consult.link.url", "or backslashes"),
        (link(url="https://[::1"), "orders.pharmacy-consult.link.url", "https URL"),
        (link(url="javascript:alert(1)"), "orders.pharmacy-consult.link.url", "https URL"),
        (link(label=""), "orders.pharmacy-consult.link.label", "not empty"),
        (link(type="smart"), "orders.pharmacy-consult.link", "unknown members: type"),
        (antibiotics(), "orders.empiric-antibiotics.options", "at least one entry"),
        (option(medication=None), "orders.empiric-antibiotics.options[0]", "needs either medication"),
        (option(order_set={"codes": [CODE]}), "orders.empiric-antibiotics.options[0]", "needs either medication"),
        (option(dosage=None), "orders.empiric-antibiotics.options[0].dosage", "is missing"),
        (option(contains=["Cefepime"]), "orders.empiric-antibiotics.options[0]", "contains goes with order_set"),
        (option(route="IV"), "orders.empiric-antibiotics.options[0]", "unknown members: route"),
        (option(medication={"text": "Gentamicin"}), "orders.empiric-antibiotics.options[0].medication",
         "the drug table does not recognise 'Gentamicin', so that allergies to it could not be checked"),
        (option(medication={"codes": [CODE]}), "orders.empiric-antibiotics.options[0].medication", "recognise"),
        (option(medication={"text": "Cefepime + gentamicin"}), "orders.empiric-antibiotics.options[0].medication",
         "does not recognise 'gentamicin'"),
        (option(medication={"text": "Cefepime and Gentamicin"}), "orders.empiric-antibiotics.options[0].medication",
         "does not recognise 'Gentamicin'"),
        (option(medication={"codes": [RXNORM], "text": "Cefepime and gentamicin"}),
         "orders.empiric-antibiotics.options[0].medication", "does not recognise 'gentamicin'"),
        (option(medication={"text": "Cefepime/gentamicin"}), "orders.empiric-antibiotics.options[0].medication",
         "does not recognise 'gentamicin'"),
        (option(medication={"codes": [RXNORM], "text": "Carboplatin"}),
         "orders.empiric-antibiotics.options[0].medication", "name different drugs: cefepime, carboplatin"),
        (option(medication={"text": "Carboplatin"}), "orders.empiric-antibiotics.options[0]",
         "carboplatin is no antibacterial of the drug table"),
        ({"gcsf-draft": {"options": [CEFEPIME]}}, "orders.gcsf-draft.options[0]", "cefepime is no growth factor"),
        ({"antibacterial-prophylaxis-draft": {"options": [{**CEFEPIME, "medication": {"text": "Filgrastim"}}]}},
         "orders.antibacterial-prophylaxis-draft.options[0]", "filgrastim is no antibacterial"),
        (option(dosage="x" * 100), "orders.empiric-antibiotics.options[0]", "give it a shorter label"),
        (option(label="x" * 101), "orders.empiric-antibiotics.options[0]", "more than 100 characters"),
        (option(label=3), "orders.empiric-antibiotics.options[0].label", "put it in quotes"),
        (antibiotics(CEFEPIME, CEFEPIME), "orders.empiric-antibiotics.options", "have the same button: Cefepime, 2 g"),
        (antibiotics({**ORDER_SET, "dosage": "2 g"}), "orders.empiric-antibiotics.options[0]", "dosage goes with"),
        (antibiotics({**ORDER_SET, "contains": []}), "orders.empiric-antibiotics.options[0].contains", "at least one"),
        (antibiotics({"order_set": {"codes": [CODE]}}), "orders.empiric-antibiotics.options[0].contains", "a list"),
        (antibiotics({**ORDER_SET, "contains": ["Gentamicin"]}), "orders.empiric-antibiotics.options[0].contains[0]",
         "does not recognise 'Gentamicin'"),
        (antibiotics({**ORDER_SET, "contains": [3]}), "orders.empiric-antibiotics.options[0].contains[0]", "a text"),
        (antibiotics({**ORDER_SET, "order_set": {"text": "Set"}}), "orders.empiric-antibiotics.options[0].order_set",
         "needs codes"),
    ],
)  # fmt: skip
def test_refuses_what_could_not_be_used_and_says_where(orders: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(orders)
    said = str(raised.value)
    assert said.startswith(f"{place}: ")
    assert words in said
    assert "\n" not in said
    assert "u:p" not in said


GENTAMICIN = {"system": RXNORM["system"], "code": "1596450", "display": "gentamicin"}


@pytest.mark.parametrize(
    "words",
    [
        "Cefepime, gentamicin",
        "Cefepime gentamicin",
        "Cefepime-gentamicin",
        "Cefepime; amikacin",
        "cefepime or tobramycin",
        "cefepime then amikacin",
        "vancomycin et amikacin",
        "Cefepime with Nosuchmycin",
    ],
)
def test_refuses_a_name_with_a_drug_that_is_not_checked(words: str) -> None:
    """However they are joined, for a medication and for what an order set contains."""
    for orders in (option(medication={"text": words}), antibiotics({**ORDER_SET, "contains": [words]})):
        with pytest.raises(SettingsError, match=r"does not recognise '(gentamicin|amikacin|tobramycin|Nosuchmycin)'"):
            load(orders)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (option(medication={"text": "Cefepime, vancomycin"}), "names several drugs: cefepime, vancomycin"),
        (option(medication={"text": "Vancomycin", "codes": [GENTAMICIN]}), "not recognise 'gentamicin'"),
        (option(medication={"text": "Vancomycin", "codes": [{**CODE, "display": "Gentamicin"}]}),
         "not recognise 'Gentamicin'"),
        (option(medication={"text": "Cefepime", "codes": [RXNORM, {**GENTAMICIN, "display": "Cefepime"}]}),
         "not recognise 'gentamicin'"),
        (option(medication={"text": "Vancomycin", "codes": [{**CODE, "display": "Cefepime"}]}), "names several drugs"),
        (option(label="Vancomycin"), "name another drug: vancomycin"),
        (option(label="Gentamicin"), "name another drug: Gentamicin"),
        (option(label="House protocol", dosage="2 g with gentamicin"), "name another drug: gentamicin"),
        (antibiotics({**ORDER_SET, "label": "Meropenem"}), "name another drug: meropenem"),
        (antibiotics({**ORDER_SET, "order_set": {"codes": [{**SET_CODE, "display": "Cefepime plus gentamicin"}]}}),
         "name another drug: gentamicin"),
        (antibiotics({**ORDER_SET, "order_set": {"codes": [SET_CODE], "text": "Meropenem set"}, "label": "Set"}),
         "name another drug: meropenem"),
        (antibiotics({**ORDER_SET, "order_set": {"codes": [{**SET_CODE, "display": "Amikacin"}], "text": "Set"}}),
         "name another drug: Amikacin"),
    ],
)  # fmt: skip
def test_refuses_words_and_codes_that_name_another_drug(content: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        load(content)


def test_an_order_set_may_say_what_it_contains() -> None:
    named = {"order_set": {"codes": [{**SET_CODE, "display": "Cefepime and vancomycin"}]}}
    assert load(antibiotics({**ORDER_SET, **named, "label": "Cefepime + vancomycin"})).options


LOINC_CBC = {"system": "urn:oid:2.16.840.1.113883.6.1", "code": "57021-8", "display": "CBC"}


@pytest.mark.parametrize(
    ("orders", "place", "fault"),
    [
        ({"blood-cultures": {"codes": [CODE]}, "repeat-cbc-diff": {"codes": [{**CODE, "code": "LAB2"}, CODE]}},
         "orders.repeat-cbc-diff.codes[1]", "blood-cultures has the same code LAB1"),
        ({"stat-cbc-diff": {"codes": [CODE]}, "workup-panel": {"members": {"b12": {"codes": [CODE]}}}},
         "orders.workup-panel.members.b12.codes[0]", "stat-cbc-diff has the same code LAB1"),
        ({"workup-panel": {"members": {"b12": {"codes": [CODE]}, "folate": {"codes": [CODE]}}}},
         "orders.workup-panel.members.folate.codes[0]", "b12 has the same code"),
        ({"blood-cultures": {"codes": [SET_CODE]}, **antibiotics(CEFEPIME, ORDER_SET)},
         "orders.empiric-antibiotics.options[1].order_set.codes[0]", "blood-cultures has the same code SET1"),
        ({"blood-cultures": {"codes": [LOINC_CBC]}}, "orders.blood-cultures.codes[0]",
         "the code tables know 57021-8 as another order: cbc-diff"),
        ({"workup-panel": {"members": {"b12": {"codes": [LOINC_CBC]}}}}, "orders.workup-panel.members.b12.codes[0]",
         "as another order: cbc-diff"),
    ],
)  # fmt: skip
def test_one_code_stands_for_one_order(orders: dict[str, Any], place: str, fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(orders)
    assert str(raised.value).startswith(f"{place}: ")
    assert fault in str(raised.value)


def test_kinds_of_the_same_order_and_options_of_the_same_drug_may_share_a_code() -> None:
    film = {"system": "http://loinc.org", "code": "5909-7", "display": "Blood film"}
    drug = {"medication": {"codes": [{**RXNORM, "code": "82122", "display": "levofloxacin"}]}, "dosage": "500 mg"}
    shared = {"stat-cbc-diff": {"codes": [CODE, LOINC_CBC]}, "repeat-cbc-diff": {"codes": [CODE, LOINC_CBC]}}
    prophylaxis = {"antibacterial-prophylaxis-draft": {"options": [drug]}}
    assert load({**shared, "manual-smear": {"codes": [film]}, **antibiotics(drug), **prophylaxis}).codes


def test_the_longest_button_that_fits() -> None:
    assert load(option(label="x" * 100)).options
    assert load(option(dosage="x" * 90)).options
    with pytest.raises(SettingsError, match="shorter label"):
        load(option(dosage="x" * 91))
    assert load(codes(display="x" * 200)).codes


def test_every_kind_is_either_set_up_or_acts_on_an_order() -> None:
    assert {*TESTS, *MEMBERS, *NEEDS_SITE_ORDER, Kind.LAB_VERIFICATION} == set(CONFIGURABLE)
    assert set(CONFIGURABLE) | CHANGES_AN_ORDER == set(Kind)


MEMBERS_OF_A_KIND = {"codes", "options", "members", "link"}
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["codes", "options", "members", "link", "label", "url", "medication", "text", "dosage", "b12"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(CONFIGURABLE)), plain, max_size=2))
def test_anything_else_is_refused_in_one_line(orders: dict[str, Any]) -> None:
    """Whatever stands in the file: orders that can be used, or one line that begins with the setting."""
    fault = ""
    try:
        load(orders)
    except SettingsError as raised:
        fault = str(raised)
    assert fault.startswith("orders.") or not fault
    assert "\n" not in fault
    assert fault or all(isinstance(entry, dict) and set(entry) <= MEMBERS_OF_A_KIND for entry in orders.values())


def test_an_order_with_the_codes_of_the_site_is_recognised_when_it_comes_back() -> None:
    other = {**CODE, "code": "LAB2"}
    orders = load(
        {
            "stat-cbc-diff": {"codes": [CODE]},
            "repeat-cbc-diff": {"codes": [CODE, other]},
            "workup-panel": {"members": {"b12": {"codes": [{**CODE, "code": "B12"}]}}},
            "haematology-referral": {"codes": [{**CODE, "code": "REF1"}]},
            "nat-test": {"members": {"hev-nat": {"codes": [{**CODE, "code": "NAT1"}]}}},
        }
    )
    terms = recognising(TERMS, orders)
    assert terms.order_kinds([CODING]) == {"cbc-diff"}
    assert terms.order_kinds([Coding(" urn:oid:1.2.3 ", " LAB2 ", None)]) == {"cbc-diff"}
    assert terms.order_kinds([Coding("urn:oid:1.2.3", "B12", None)]) == {"b12"}
    assert terms.order_kinds([Coding("urn:oid:1.2.3", "REF1", None)]) == {"haematology-referral"}
    assert terms.order_kinds([Coding("urn:oid:1.2.3", "NAT1", None)]) == {"hev-nat"}
    assert terms.order_kinds([Coding("urn:oid:1.2.9", "LAB1", None), Coding(None, None, None)]) == frozenset()
    assert terms.order_kinds([Coding("http://loinc.org", "57021-8", None)]) == {"cbc-diff"}
    assert terms.order_kinds((), "CBC with differential") == {"cbc-diff"}


@pytest.mark.parametrize("tests", [*TESTS.values(), *MEMBERS.values()], ids=lambda tests: tests[0].purpose)
def test_an_order_in_our_words_is_recognised_when_it_comes_back(tests: Any) -> None:
    terms = recognising(TERMS, SiteOrders())
    for test in tests:
        words = SiteOrders().item_for(Kind.STAT_CBC, test).words
        assert test.covered_by & terms.order_kinds((), words)


WORDS = "word,match,classes,source\n"


def words_in(tmp_path: Path, text: str) -> Path:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "drug_class_words.csv").write_text(WORDS + text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("beta lactam,end,carbapenem,text", "must be one word where only its end counts"),
        ("beta lactam,start,carbapenem,text", "must be one word where only its start counts"),
        ("-,whole,carbapenem,text", "must be one word"),
        (",whole,carbapenem,text", "word is empty"),
        ("penem,middle,carbapenem,text", "match is none of"),
        ("penem,end,,text", "classes is empty"),
        ("penem,end,carbapenem,text\npenem,end,monobactam,text", "is there twice"),
    ],
)
def test_a_wrong_word_is_refused(tmp_path: Path, row: str, fault: str) -> None:
    with pytest.raises(CardFileError, match=fault):
        load_drug_classes(words_in(tmp_path, row + "\n"))


def test_reads_words_of_several_classes(tmp_path: Path) -> None:
    classes = load_drug_classes(words_in(tmp_path, "beta lactam,whole,a|b,text\npenem,end,b,text\n"))
    assert classes.named_in("Beta-lactam allergy") == {"a", "b"}
    assert classes.named_in("meropenem") == {"b"}
    assert classes.named_in("lactam beta penemic") == frozenset()


def test_yaml_gives_what_the_reader_expects() -> None:
    text = "stat-cbc-diff: {codes: [{system: 'urn:oid:1.2.3', code: LAB1, display: CBC of the house}]}"
    assert load(yaml.safe_load(text)).codes == {"stat-cbc-diff": (CODING,)}
