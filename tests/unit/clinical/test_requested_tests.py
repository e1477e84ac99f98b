"""The tests that suggestions stand for: their words, what covers them, and which of them a chart asks for."""

from __future__ import annotations

import pytest

from cds_service.clinical.requested_tests import (
    MEMBERS,
    TESTS,
    RequestedTest,
    _test,
    asks_for_tests,
    every_test,
    requested_tests,
)
from cds_service.clinical.suggestions import SuggestionKind as Kind
from tests.unit.clinical.charts import bare_date, finding, lab, service_order, situation


def test_a_test_is_covered_by_an_order_for_itself_and_by_those_named_beside_it():
    assert _test("film", "blood film") == RequestedTest("film", "blood film", frozenset({"film"}), "blood film", None)
    assert _test("film", "blood film", "smear", part="first", note="Now.") == RequestedTest(
        "film", "blood film", frozenset({"film", "smear"}), "first", "Now."
    )


def test_every_kind_stands_for_its_tests():
    purposes = {kind: [test.purpose for test in tests] for kind, tests in {**TESTS, **MEMBERS}.items()}
    assert purposes == {
        Kind.REPEAT_CBC: ["cbc-diff"],
        Kind.STAT_CBC: ["cbc-diff"],
        Kind.MANUAL_SMEAR: ["manual-differential"],
        Kind.BLOOD_CULTURES: ["blood-culture", "blood-culture"],
        Kind.HAEMATOLOGY_REFERRAL: ["haematology-referral"],
        Kind.IGG_REFERRAL: ["igg-replacement-referral"],
        Kind.PHARMACY_CONSULT: ["pharmacy-consult"],
        Kind.DUFFY_PHENOTYPE: ["duffy-phenotype"],
        Kind.WORKUP_PANEL: [
            "b12", "folate", "hiv-antigen-antibody", "hbv-surface-antigen", "hcv-antibody", "ana",
        ],
        Kind.NAT_TEST: ["hiv-nat", "hbv-nat", "hcv-nat", "hev-nat", "cmv-nat", "ebv-nat", "parvovirus-b19-nat"],
    }  # fmt: skip
    assert len(every_test()) == 22
    assert {kind for kind in Kind if asks_for_tests(kind)} == set(purposes)


def purposes(kind, *things, order=None, **more):
    return [test.purpose for test in requested_tests(kind, situation(*things, **more), order)]


@pytest.mark.parametrize(
    ("result", "needed"),
    [
        (lab("B12", "300", 365), False),
        (lab("B12", "300", 365.1), True),
        (lab("B12", "300", bare_date(364)), False),
        (lab("B12", "300", bare_date(365)), True),
        (lab("B12", "300", 1, final=False), True),
        (lab("B12", None, 1), False),
        (finding("HIV", "negative", days=365), True),
        (lab("FERRITIN", "300", 1), True),
    ],
)
def test_a_final_result_of_a_year_makes_a_test_of_the_work_up_needless(result, needed):
    assert ("b12" in purposes(Kind.WORKUP_PANEL, result)) is needed


def test_the_work_up_is_what_is_not_on_file():
    assert len(purposes(Kind.WORKUP_PANEL)) == 6
    assert purposes(Kind.WORKUP_PANEL, finding("HIV", "negative", days=365), lab("ANA", None, 3)) == [
        "b12", "folate", "hbv-surface-antigen", "hcv-antibody",
    ]  # fmt: skip


def test_each_drafted_antibody_test_has_its_nucleic_acid_test():
    hiv = service_order("hiv-antibody", "draft", draft=True, source="ServiceRequest/1")
    hcv = service_order("hcv-antibody", "draft", draft=True, source="ServiceRequest/2")
    drafted = {"hook": "order-sign"}
    assert purposes(Kind.NAT_TEST, hcv, hiv, **drafted) == ["hiv-nat", "hcv-nat"]
    assert purposes(Kind.NAT_TEST, hcv, hiv, order="ServiceRequest/2", **drafted) == ["hcv-nat"]
    assert purposes(Kind.NAT_TEST, hcv, hiv, order="ServiceRequest/3", **drafted) == []
    assert purposes(Kind.NAT_TEST, service_order("hcv-antibody"), **drafted) == []


def test_other_kinds_ask_for_no_test():
    assert purposes(Kind.HOLD_MEDICATION) == []
