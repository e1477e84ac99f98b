"""Drugs that may have lowered the count: which count, within which window, and what is said of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.chart import PrefetchKey, Route
from cds_service.clinical.drug_table import HoldOperator, Risk
from cds_service.clinical.facts.cause_drug_facts import short_name
from cds_service.clinical.knowledge import Known, Unknown
from tests.unit.clinical.charts import anc, ask, dose, draft, drug, drug_case, order, problem, situation, value, wbc

LOOKBACK = Decimal(14)
IDIO = drug("idio", risk=Risk.IDIOSYNCRATIC, exposure_lookback_days=LOOKBACK, drug_class="thionamide")
LIMITED = drug(
    "limited (oral)",
    risk=Risk.IDIOSYNCRATIC,
    exposure_lookback_days=LOOKBACK,
    anc_hold=Decimal("1.20"),
    anc_hold_operator=HoldOperator.BELOW,
    notes="weeks 3-12",
)
LATE = drug("late", risk=Risk.LATE_ONSET, exposure_lookback_days=Decimal(365), active_order_is_exposure=False)
DOSED = drug("dosed", risk=Risk.DOSE_DEPENDENT, exposure_lookback_days=LOOKBACK)
CLINIC = drug("clinic", risk=Risk.DOSE_DEPENDENT, exposure_lookback_days=LOOKBACK, active_order_is_exposure=False)
IDIO_FACT, LATE_FACT, DOSE_FACT = (
    "idiosyncratic_drug_suspected",
    "late_onset_drug_suspected",
    "dose_dependent_drug_suspected",
)
BOTH = {PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS}


@pytest.mark.parametrize(("days", "suspected"), [(14, True), (14.01, False)])
def test_a_stopped_drug_counts_within_its_look_back(days, suspected):
    about = situation(anc("0.8"), order(IDIO, "stopped", start=30, end=days))
    assert value(IDIO_FACT, about) is suspected
    assert value(LATE_FACT, about) is False
    assert value(DOSE_FACT, about) is False


@pytest.mark.parametrize(("count", "suspected"), [("1.00", True), ("0.99", False)])
def test_a_drug_that_is_taken_counts_until_the_default_limit_is_reached(count, suspected):
    assert value(IDIO_FACT, situation(anc(count), order(IDIO, start=30))) is suspected


@pytest.mark.parametrize(("count", "suspected"), [("1.20", True), ("1.19", False)])
def test_a_drug_that_is_taken_counts_until_its_own_limit_is_reached(count, suspected):
    assert value(IDIO_FACT, situation(anc(count), order(LIMITED, start=30))) is suspected


def test_a_drug_below_its_limit_does_not_hide_another():
    about = situation(anc("1.1"), order(LIMITED, start=30), order(IDIO, start=30))
    answer = ask(IDIO_FACT, about)
    assert isinstance(answer, Known)
    assert answer.value is True
    assert answer.sources == (about.chart.orders[1].source,)


def test_without_a_count_nothing_is_known_to_be_below_its_limit():
    assert value(IDIO_FACT, situation(order(LIMITED, start=30))) is True


@pytest.mark.parametrize(("days", "suspected"), [(365, True), (365.01, False)])
def test_a_late_drug_counts_from_its_last_dose(days, suspected):
    about = situation(anc("1.3"), dose(LATE, days))
    assert value(LATE_FACT, about) is suspected
    assert value(IDIO_FACT, about) is False


def test_a_late_drug_counts_although_the_count_is_low():
    assert value(LATE_FACT, situation(anc("0.1"), dose(LATE, 9))) is True


def test_a_dose_dependent_drug_at_a_severe_count_is_acted_on_by_another_rule():
    assert value(DOSE_FACT, situation(anc("0.50"), order(DOSED, start=30))) is True
    assert value(DOSE_FACT, situation(anc("0.49"), order(DOSED, start=30))) is False


@pytest.mark.parametrize(
    "things",
    [
        (order(DOSED, "stopped", start=30, end=5),),
        (order(CLINIC, start=5),),
        (order(DOSED, start=30), problem("aplastic-anaemia")),
    ],
    ids=["stopped", "clinic", "marrow disease"],
)
def test_a_dose_dependent_drug_counts_where_the_other_rule_is_silent(things):
    assert value(DOSE_FACT, situation(anc("0.3"), *things)) is True


def test_marrow_disease_that_is_not_known_does_not_silence_the_other_rule():
    about = situation(anc("0.3"), order(DOSED, start=30), unavailable=(PrefetchKey.CONDITIONS,))
    assert value(DOSE_FACT, about) is False


def test_a_dose_dependent_drug_with_a_label_limit_has_its_own_rule():
    limited = drug("d", risk=Risk.DOSE_DEPENDENT, exposure_lookback_days=LOOKBACK, anc_hold=Decimal(1))
    assert value(DOSE_FACT, situation(anc("0.8"), order(limited, start=30))) is False


@pytest.mark.parametrize(
    "more",
    [
        {"ingredient": "clozapine"},
        {"ingredient": "hydroxyurea"},
        {"mechanism_group": "antibiotic-betalactam"},
        {"mechanism_group": "tki"},
        {"mechanism_group": "cytotoxic"},
        {"mechanism_group": "adc"},
    ],
    ids=lambda more: next(iter(more.values())),
)
@pytest.mark.parametrize(
    ("fact", "risk"),
    [(IDIO_FACT, Risk.IDIOSYNCRATIC), (LATE_FACT, Risk.LATE_ONSET), (DOSE_FACT, Risk.DOSE_DEPENDENT)],
)
def test_drugs_with_rules_of_their_own_are_no_suspects(fact, risk, more):
    given = {"risk": risk, "exposure_lookback_days": LOOKBACK} | more
    own = drug(given.pop("ingredient", "x"), **given)
    assert value(fact, situation(anc("1.3"), order(own, start=30))) is False
    other = drug("x", risk=risk, exposure_lookback_days=LOOKBACK)
    assert value(fact, situation(anc("1.3"), order(other, start=30))) is True


def test_a_drug_without_a_look_back_is_not_looked_for():
    assert value(IDIO_FACT, situation(anc("1.3"), order(drug("x", risk=Risk.IDIOSYNCRATIC), start=3))) is False


@pytest.mark.parametrize("route", [Route.LOCAL, Route.INTRATHECAL])
def test_local_and_intrathecal_routes_do_not_count(route):
    assert value(DOSE_FACT, situation(anc("0.8"), order(DOSED, start=3, route=route))) is False
    assert value(LATE_FACT, situation(anc("0.8"), dose(LATE, 3, route=route))) is False


@pytest.mark.parametrize("fact", [IDIO_FACT, LATE_FACT, DOSE_FACT])
def test_drugs_that_are_unavailable_are_not_known_to_be_absent(fact):
    for key in BOTH:
        answer = ask(fact, situation(anc("0.8"), unavailable=(key,)))
        assert answer == Unknown(frozenset({key}))


def test_each_suspect_is_named_once_with_its_time():
    about = situation(anc("0.8"), order(IDIO, "stopped", start=30, end=5), order(IDIO, "stopped", start=90, end=9))
    assert value("suspected_drugs", about) == "idio, ended 5 days ago"
    assert ask("suspected_drugs", about).sources == (about.chart.orders[0].source,)


def test_the_words_tell_begun_ended_given_and_merely_ordered():
    about = situation(
        anc("1.3"),
        order(IDIO, start=30),
        order(IDIO, "stopped", start=90, end=3),
        dose(LATE, 40),
        order(LATE, start=60),
    )
    assert value("suspected_drugs", about) == "idio, begun 30 days ago; late, last dose 40 days ago"
    ordered = situation(anc("1.3"), order(LATE, start=60))
    assert value("suspected_drugs", ordered) == "late, begun 60 days ago, no dose on record"
    undated = situation(anc("1.3"), order(IDIO))
    assert value("suspected_drugs", undated) == "idio, start not stated"


def test_two_drugs_are_named_and_the_others_counted():
    idio2, idio3 = (
        drug(name, risk=Risk.IDIOSYNCRATIC, exposure_lookback_days=LOOKBACK) for name in ("second", "third")
    )
    two = situation(anc("1.3"), order(IDIO, start=30), order(idio2, start=30))
    assert value("suspected_drugs", two) == "idio, begun 30 days ago; second, begun 30 days ago"
    three = situation(anc("1.3"), order(IDIO, start=30), order(idio2, start=30), order(idio3, start=30))
    assert value("suspected_drugs", three).endswith("second, begun 30 days ago and 1 more")
    assert "third" in value("suspected_drug_notes", three)


@pytest.mark.parametrize(("count", "named"), [("0.99", True), ("1.00", False)])
def test_dose_dependent_drugs_are_named_below_one_only(count, named):
    about = situation(anc(count), order(DOSED, start=30))
    assert ("dosed" in value("suspected_drugs", about)) is named
    assert value("suspected_drug_notes", about) == (
        "dosed (class), begun 30 days ago: dose-dependent neutropenia; usual latency not stated"
        if named
        else "none recognised"
    )


def test_a_bound_below_one_names_dose_dependent_drugs_too():
    about = situation(anc("3.0", 9), wbc("0.9", 1), order(DOSED, start=30))
    assert value("suspected_drugs", about) == "dosed, begun 30 days ago"
    assert value("suspected_drugs", situation(order(DOSED, start=30))) == "none recognised"


def test_the_notes_tell_class_mechanism_limit_and_what_the_table_notes():
    about = situation(anc("1.3"), order(LIMITED, start=30), order(IDIO, start=20))
    assert value("suspected_drug_notes", about) == (
        "limited (class), begun 30 days ago: idiosyncratic agranulocytosis, label limit ANC 1.2; weeks 3-12. "
        "idio (thionamide), begun 20 days ago: idiosyncratic agranulocytosis; usual latency not stated"
    )
    assert "late-onset neutropenia" in value("suspected_drug_notes", situation(anc("1.3"), dose(LATE, 3)))


def test_the_list_of_doses_to_reduce():
    listed = drug("x", dose_reduce=True)
    about = situation(order(listed, start=3), order(IDIO, start=3))
    first, second = about.chart.orders
    answer = ask("drug.dose_reduce", drug_case(about, first))
    assert isinstance(answer, Known)
    assert answer.value is True
    assert answer.sources == (first.source,)
    assert value("drug.dose_reduce", drug_case(about, second)) is False
    assert value("drug.dose_reduce", drug_case(about, draft(listed))) is True


@pytest.mark.parametrize(("days", "current"), [(28, True), (28.01, False)])
def test_the_wbc_is_current_for_28_days(days, current):
    assert value("wbc_current", situation(wbc("2.5", days))) is current


def test_the_wbc_that_is_not_there():
    assert value("wbc_current", situation()) is False
    assert ask("wbc_current", situation(unavailable=(PrefetchKey.CELL_COUNTS,))) == Unknown(
        frozenset({PrefetchKey.CELL_COUNTS})
    )


def test_a_drug_is_named_without_what_its_row_says_in_brackets():
    assert short_name(drug("systemic corticosteroids (prednisone and others)")) == "systemic corticosteroids"
    assert short_name(drug("valproic acid")) == "valproic acid"
