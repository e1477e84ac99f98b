"""Antibody tests of the call, why they may be falsely negative, and the words for both."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.facts.serology_facts import ANTIBODY_TESTS
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.requested_tests import NAT_OF_ANTIBODY
from tests.unit.clinical.charts import (
    CARDS,
    anc,
    ask,
    dose,
    draft,
    drug,
    lab,
    order,
    problem,
    procedure,
    service_order,
    situation,
    value,
)

SUPPRESSIVE = drug("rtx (iv)", serology_lookback_days=Decimal(365), active_order_is_exposure=False)
HOME = drug("aza", serology_lookback_days=Decimal(180))
PREDNISONE = drug("prednisone (x)", mechanism_group="corticosteroid", serology_lookback_days=Decimal(30))


def drafted(kind, **more):
    return service_order(kind, more.pop("status", "draft"), draft=True, **more)


def ordering(*things, hook="order-sign", **more):
    return situation(*things, hook=hook, **more)


@pytest.mark.parametrize("kind", ANTIBODY_TESTS)
def test_each_antibody_test_of_the_call_is_seen(kind):
    one = drafted(kind)
    answer = ask("antibody_test_drafted", ordering(one))
    assert isinstance(answer, Known)
    assert answer.value is True
    assert answer.sources == (one.source,)
    words = ANTIBODY_TESTS[kind]
    assert value("antibody_test_words", ordering(one)) == words[0].upper() + words[1:]
    assert ask("antibody_test_words", ordering(one)).sources == (one.source,)
    assert value("nat_instead_of_antibody", ordering(one)) is (kind in NAT_OF_ANTIBODY)


def test_the_kinds_are_those_of_the_tables():
    known = {line.split(",")[1] for line in (CARDS / "codes" / "kinds.csv").read_text("utf-8").splitlines()}
    assert set(ANTIBODY_TESTS) <= known
    assert set(NAT_OF_ANTIBODY) == set(list(ANTIBODY_TESTS)[:7])


@pytest.mark.parametrize(
    "one",
    [
        service_order("hcv-antibody"),
        drafted("hcv-antibody", status="revoked"),
        drafted("hcv-antibody", status="entered-in-error"),
        drafted("hcv-antibody", status="completed"),
        drafted("hbv-surface-antigen"),
        drafted("ana"),
        drafted("cbc-diff"),
    ],
    ids=["on file", "revoked", "in error", "completed", "antigen", "autoantibody", "count"],
)
def test_what_is_no_draft_of_an_antibody_test(one):
    about = ordering(one)
    assert value("antibody_test_drafted", about) is False
    assert value("nat_instead_of_antibody", about) is False
    assert isinstance(ask("antibody_test_words", about), Unknown)
    assert isinstance(ask("nat_words", about), Unknown)


def test_while_orders_are_chosen_the_selected_ones_count():
    hcv, hiv = drafted("hcv-antibody"), drafted("hiv-antibody", selected=True)
    assert value("antibody_test_words", ordering(hcv, hiv, hook="order-select")) == "HIV antibody"
    assert value("antibody_test_words", ordering(hcv, hiv)) == "HIV antibody and hepatitis C antibody"
    nothing = ordering(hcv, drafted("hiv-antibody"), hook="order-select")
    assert value("antibody_test_words", nothing) == "HIV antibody and hepatitis C antibody"
    chosen_drug = ordering(hcv, draft(HOME, selected=True), hook="order-select")
    assert value("antibody_test_drafted", chosen_drug) is False
    chosen_test = ordering(hcv, drafted("cbc-diff", selected=True), hook="order-select")
    assert value("antibody_test_drafted", chosen_test) is False


def test_two_tests_are_named_and_the_others_counted():
    about = ordering(drafted("hiv-antibody"), drafted("hbv-antibody"), drafted("toxoplasma-antibody"))
    assert value("antibody_test_words", about) == "HIV antibody, hepatitis B antibody and 1 more"
    assert value("nat_words", about) == "HIV RNA (NAT) and Hepatitis B virus DNA (NAT)"
    twice = ordering(drafted("hiv-antibody"), drafted("hiv-antibody"))
    assert value("antibody_test_words", twice) == "HIV antibody"


def test_a_panel_of_several_tests_is_all_of_them():
    panel = replace(drafted("x"), kinds=frozenset({"hcv-antibody", "syphilis-antibody"}))
    assert value("antibody_test_words", ordering(panel)) == "Hepatitis C antibody and syphilis antibody"
    assert value("nat_words", ordering(panel)) == "Hepatitis C virus RNA (NAT)"


@pytest.mark.parametrize(("days", "exposed"), [(365, True), (365.01, False)])
def test_a_drug_counts_within_its_look_back(days, exposed):
    one = dose(SUPPRESSIVE, days)
    answer = ask("serology_drug_exposure", situation(one))
    assert isinstance(answer, Known)
    assert answer.value is exposed
    assert answer.sources == ((one.source,) if exposed else ())


@pytest.mark.parametrize(
    "one",
    [
        order(drug("other"), start=3),
        order(PREDNISONE, start=90, daily_dose_mg=Decimal(60)),
        order(HOME, start=3, route=Route.LOCAL),
        order(HOME, start=3, route=Route.INTRATHECAL),
        dose(HOME, 3, route=Route.INTRATHECAL),
        draft(HOME),
    ],
    ids=["other", "corticosteroid", "local", "intrathecal", "intrathecal dose", "draft"],
)
def test_what_is_no_exposure(one):
    assert value("serology_drug_exposure", situation(one)) is False


def test_drugs_that_are_unavailable():
    for key in (PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS):
        assert ask("serology_drug_exposure", situation(unavailable=(key,))) == Unknown(frozenset({key}))


@pytest.mark.parametrize(("days", "recent"), [(365, True), (365.01, False)])
def test_a_transplant_counts_for_a_year(days, recent):
    assert value("transplant_365_days", situation(procedure("hsct", days))) is recent


def test_a_transplant_that_is_undated_or_unavailable_is_not_known():
    undated = ask("transplant_365_days", situation(procedure("hsct")))
    assert isinstance(undated, Unknown)
    assert undated.missing == frozenset()
    key = PrefetchKey.PROCEDURES
    assert ask("transplant_365_days", situation(unavailable=(key,))) == Unknown(frozenset({key}))
    assert value("transplant_365_days", situation(procedure("hsct"), procedure("hsct", 9))) is True
    assert value("transplant_365_days", situation(procedure("conditioning", 9), procedure("conditioning"))) is False


def test_whether_an_igg_is_on_file():
    one = lab("IGG", "700", 2000)
    answer = ask("igg_known", situation(one))
    assert isinstance(answer, Known)
    assert answer.value is True
    assert (answer.at, answer.sources) == (one.taken, (one.source,))
    assert value("igg_known", situation(anc("1"))) is False
    key = PrefetchKey.LAB_RESULTS
    assert ask("igg_known", situation(unavailable=(key,))) == Unknown(frozenset({key}))


def test_every_reason_is_said_with_its_time():
    about = situation(
        dose(SUPPRESSIVE, 40),
        dose(SUPPRESSIVE, 80),
        order(HOME, start=9),
        order(PREDNISONE, start=30, daily_dose_mg=Decimal("40.0")),
        order(PREDNISONE, "completed", start=300, end=200, daily_dose_mg=Decimal(60)),
        procedure("hsct", 100),
        problem("lymphoma"),
        problem("pneumonia"),
        lab("IGG", "399", 5),
    )
    assert value("immunosuppression_words", about) == (
        "rtx (last 40 days ago); aza (taken now); prednisone 40.0 mg/day, begun 30 days ago; "
        "stem cell transplant (100 days ago); lymphoma; IgG 399 mg/dL (5 days ago)"
    )
    assert value("immunosuppression_short", about) == "rtx, aza and 4 more"


def test_each_reason_alone():
    assert value("immunosuppression_short", situation(order(HOME, start=9))) == "aza"
    steroid = situation(order(PREDNISONE, start=30, daily_dose_mg=Decimal(40)))
    assert value("immunosuppression_short", steroid) == "corticosteroids"
    assert value("immunosuppression_short", situation(problem("lymphoma"), procedure("hsct", 9))) == (
        "stem cell transplant and lymphoma"
    )
    for nothing in (situation(lab("IGG", "400", 5)), situation()):
        assert value("immunosuppression_short", nothing) == "none on file"
        assert value("immunosuppression_words", nothing) == "none on file"


def test_a_steroid_dose_is_said_as_its_equivalent():
    dexa = drug("dexamethasone", mechanism_group="corticosteroid", serology_lookback_days=Decimal(30))
    about = situation(order(dexa, start=20, daily_dose_mg=Decimal(4)), order(PREDNISONE, start=3))
    assert value("immunosuppression_words", about) == ("dexamethasone 4 mg/day (as prednisone 26.8), begun 20 days ago")


def test_a_steroid_is_named_without_what_its_row_says_in_brackets():
    row = drug("systemic corticosteroids (all)", mechanism_group="corticosteroid", serology_lookback_days=Decimal(30))
    about = situation(order(row, start=20, daily_dose_mg=Decimal(20)))
    assert "systemic corticosteroids 20 mg/day" in str(value("immunosuppression_words", about))
