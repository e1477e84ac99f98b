"""Growth factors: what still acts, the time from a cytotoxic dose, reasons for one, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.card_files.tables import load_terminology
from cds_service.clinical.chart import Allergy, MedicationOrder, Route
from cds_service.clinical.drug_table import Drug, Risk
from cds_service.clinical.facts import DrugCase
from cds_service.clinical.facts.growth_factor_text_facts import listed
from cds_service.clinical.growth_factors import SHORT_ACTING, gaps
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import (
    CARDS,
    CEFEPIME,
    CHEMO,
    FILGRASTIM,
    HOME_CHEMO,
    NOW,
    anc,
    ask,
    back,
    bare_date,
    dose,
    draft,
    drug,
    drug_case,
    order,
    problem,
    procedure,
    situation,
    value,
    wbc,
)

DRUGS = {"medicationRequests", "medicationAdministrations"}
PEGFILGRASTIM = drug("pegfilgrastim", mechanism_group="growth-factor", active_order_is_exposure=False)
SARGRAMOSTIM = drug("sargramostim", mechanism_group="growth-factor")
CONJUGATE = drug("conjugate", mechanism_group="adc", risk=Risk.HIGH_MYELOSUPPRESSIVE, active_order_is_exposure=False)
PLERIXAFOR = drug("plerixafor", exposure_lookback_days=Decimal(14))


def ahead(hours: float) -> Moment:
    return Moment.at(NOW + timedelta(hours=hours))


def growth_factor(*things: Any, planned: Moment | None = None, unavailable: tuple[str, ...] = ()) -> DrugCase:
    """A draft of filgrastim, planned for then."""
    one = draft(FILGRASTIM, planned_first_dose=planned)
    return drug_case(situation(one, *things, hook="order-sign", unavailable=unavailable), one)


def allergy(*drugs: Drug) -> Allergy:
    return Allergy("AllergyIntolerance/a", drugs, "swelling after it")


# -- what still acts


@pytest.mark.parametrize(
    ("what", "days_ago", "acts"),
    [
        (FILGRASTIM, 3, True),
        (FILGRASTIM, 3.1, False),
        (SARGRAMOSTIM, 3, True),
        (SARGRAMOSTIM, 3.1, False),
        (PEGFILGRASTIM, 14, True),
        (PEGFILGRASTIM, 14.1, False),
        (drug("some newer one", mechanism_group="growth-factor"), 14, True),
        (CEFEPIME, 1, False),
    ],
)
def test_a_short_acting_factor_acts_for_three_days_and_a_long_acting_one_for_fourteen(
    what: Drug, days_ago: float, *, acts: bool
) -> None:
    assert value("growth_factor_acting", situation(dose(what, days_ago))) is acts


def test_an_order_without_a_dose_may_have_been_given() -> None:
    assert value("growth_factor_acting", situation(order(PEGFILGRASTIM, start=13))) is True
    assert value("growth_factor_acting", situation(order(FILGRASTIM, start=60))) is True


@pytest.mark.parametrize("key", sorted(DRUGS))
def test_without_the_drugs_it_is_not_known_whether_one_acts(key: str) -> None:
    assert ask("growth_factor_acting", situation(unavailable=(key,))) == Unknown(frozenset({key}))


def test_the_drug_table_calls_the_same_ones_short_acting(terminology_drugs: tuple[Drug, ...]) -> None:
    factors = {d.ingredient: d.notes for d in terminology_drugs if d.is_growth_factor}
    assert set(factors) > SHORT_ACTING
    assert not [name for name, notes in factors.items() if "short acting" in notes and name not in SHORT_ACTING]
    assert not [name for name in SHORT_ACTING if "long acting" in factors[name]]


@pytest.fixture(scope="module")
def terminology_drugs() -> tuple[Drug, ...]:
    return load_terminology(CARDS).drugs


# -- the time from a cytotoxic dose


@pytest.mark.parametrize(
    ("given", "planned", "sure", "perhaps"),
    [
        (back(), ahead(2), True, False),
        (back(), ahead(23.9), True, False),
        (back(), ahead(24), False, False),
        (back(hours=10), ahead(13.9), True, False),
        (back(hours=10), ahead(14), False, False),
        (back(hours=2), back(hours=2), True, False),  # planned with the dose itself
        (back(hours=2), back(hours=3), False, False),  # planned before it
        (bare_date(0), ahead(2), True, False),  # today, so before now
        (bare_date(0), ahead(24), False, False),
        (bare_date(1), ahead(2), False, True),  # yesterday, at some time
        (bare_date(2), ahead(2), False, False),
        (back(hours=2), bare_date(0), True, False),  # today, so from now on
        (back(hours=2), bare_date(-1), False, True),  # tomorrow, at some time
        (back(hours=2), bare_date(-2), False, False),
    ],
)
def test_less_than_24_hours_between_is_too_soon(given: Moment, planned: Moment, *, sure: bool, perhaps: bool) -> None:
    case = growth_factor(dose(CHEMO, given), planned=planned)
    assert value("drug.cytotoxic_too_soon", case) is sure
    assert value("drug.cytotoxic_perhaps_too_soon", case) is perhaps


@pytest.mark.parametrize(
    ("given", "perhaps"),
    [(back(), True), (back(hours=23.9), True), (back(hours=24), False), (bare_date(1), True), (bare_date(2), False)],
)
def test_without_a_planned_time_a_dose_of_the_last_24_hours_leaves_it_open(given: Moment, *, perhaps: bool) -> None:
    case = growth_factor(dose(CHEMO, given))
    assert value("drug.cytotoxic_too_soon", case) is False
    assert value("drug.cytotoxic_perhaps_too_soon", case) is perhaps


@pytest.mark.parametrize(
    "thing",
    [
        order(HOME_CHEMO, start=30),
        dose(HOME_CHEMO, 0.1),
        dose(CHEMO, 0.1, route=Route.ORAL),
        dose(CHEMO, 0.1, route=Route.INTRATHECAL),
        dose(CHEMO, 0.1, route=Route.LOCAL),
        dose(CEFEPIME, 0.1),
        order(CHEMO),  # undated: when it was given is not known
        order(CHEMO, "cancelled", start=0.1),
    ],
)
def test_drugs_by_mouth_or_into_the_spinal_canal_do_not_count_for_the_24_hours(thing: Any) -> None:
    assert value("drug.cytotoxic_too_soon", growth_factor(thing, planned=ahead(2))) is False
    assert value("drug.cytotoxic_perhaps_too_soon", growth_factor(thing)) is False


@pytest.mark.parametrize(
    "thing",
    [
        dose(CHEMO, 0.1, route=Route.PARENTERAL),
        dose(HOME_CHEMO, 0.1, route=Route.PARENTERAL),
        dose(CONJUGATE, 0.1),
        order(CHEMO, start=0.1),
        order(CHEMO, "completed", start=9, end=0.1),
    ],
)
def test_doses_and_orders_of_the_clinic_count_for_the_24_hours(thing: Any) -> None:
    assert value("drug.cytotoxic_too_soon", growth_factor(thing, planned=ahead(2))) is True
    assert value("drug.cytotoxic_perhaps_too_soon", growth_factor(thing)) is True


@pytest.mark.parametrize(("route", "counts"), [(Route.ORAL, False), (Route.INTRATHECAL, False), (Route.UNKNOWN, True)])
def test_a_dose_without_a_route_was_given_as_ordered(route: Route, *, counts: bool) -> None:
    ordered = order(CHEMO, "completed", start=9, end=9, route=route)
    given = dose(CHEMO, 0.1, order=ordered.source)
    assert value("drug.cytotoxic_too_soon", growth_factor(ordered, given, planned=ahead(2))) is counts
    stated = dose(CHEMO, 0.1, order=ordered.source, route=Route.PARENTERAL)
    assert value("drug.cytotoxic_too_soon", growth_factor(ordered, stated, planned=ahead(2))) is True


@pytest.mark.parametrize(
    ("what", "more", "sure"),
    [
        (CHEMO, {}, True),
        (CONJUGATE, {}, True),
        (CHEMO, {"route": Route.ORAL}, False),
        (CHEMO, {"route": Route.INTRATHECAL}, False),
        (CHEMO, {"route": Route.LOCAL}, False),
        (CHEMO, {"status": "cancelled"}, False),
        (CEFEPIME, {}, False),
    ],
)
def test_a_cytotoxic_drafted_for_a_time_counts_as_a_dose_then(what: Drug, more: dict[str, Any], *, sure: bool) -> None:
    chemotherapy = draft(what, planned_first_dose=ahead(5), **more)
    assert value("drug.cytotoxic_too_soon", growth_factor(chemotherapy, planned=ahead(28.9))) is sure
    assert value("drug.cytotoxic_too_soon", growth_factor(chemotherapy, planned=ahead(29))) is False
    assert value("drug.cytotoxic_too_soon", growth_factor(chemotherapy, planned=ahead(4.9))) is False


def test_only_the_cytotoxics_of_a_combination_count_and_only_with_a_time() -> None:
    companion = drug("companion", active_order_is_exposure=False)
    both = MedicationOrder(
        "MedicationRequest/x", (companion, CHEMO), "both", "draft", draft=True, planned_first_dose=ahead(1)
    )
    case = growth_factor(both, planned=ahead(3))
    assert value("drug.cytotoxic_gap_words", case) == "planned 2 h after carboplatin"
    assert value("drug.cytotoxic_too_soon", growth_factor(draft(CHEMO), planned=ahead(3))) is False


def test_the_shortest_gap_stands_first_and_drafts_are_not_cut_off_at_now() -> None:
    s = situation(
        dose(CHEMO, back(hours=20)), dose(CONJUGATE, back(hours=3)), draft(CHEMO, planned_first_dose=ahead(1))
    )
    found = gaps(s, ahead(2))
    assert [(gap.drug.ingredient, gap.least, gap.most) for gap in found] == [
        (name, timedelta(hours=h), timedelta(hours=h))
        for name, h in (("carboplatin", 1), ("conjugate", 5), ("carboplatin", 22))
    ]


def test_a_first_dose_planned_for_the_day_of_a_drafted_cytotoxic_may_come_before_or_after_it() -> None:
    case = growth_factor(draft(CHEMO, planned_first_dose=ahead(5)), planned=bare_date(0))
    assert value("drug.cytotoxic_too_soon", case) is False
    assert value("drug.cytotoxic_perhaps_too_soon", case) is True


def test_of_two_doses_the_one_with_the_shorter_time_at_most_is_named() -> None:
    case = growth_factor(dose(CHEMO, bare_date(0)), dose(CONJUGATE, back(hours=10)), planned=ahead(2))
    assert value("drug.cytotoxic_gap_words", case) == "planned 12 h after conjugate"


@pytest.mark.parametrize("fact", ["drug.cytotoxic_too_soon", "drug.cytotoxic_perhaps_too_soon"])
def test_without_the_drugs_the_time_is_not_known(fact: str) -> None:
    case = growth_factor(planned=ahead(2), unavailable=tuple(DRUGS))
    assert ask(fact, case) == Unknown(frozenset(DRUGS))


def test_without_a_planned_time_nothing_is_surely_too_soon_whatever_is_on_file() -> None:
    assert ask("drug.cytotoxic_too_soon", growth_factor(unavailable=tuple(DRUGS))) == Known(value=False)


@pytest.mark.parametrize(
    ("given", "planned", "words"),
    [
        (back(hours=3), ahead(2.5), "planned 5 h after carboplatin"),
        (back(), ahead(0.9), "planned less than 1 h after carboplatin"),
        (back(), ahead(1), "planned 1 h after carboplatin"),
        (bare_date(0), ahead(2), "planned less than 24 h after carboplatin"),
        (back(hours=3), None, "no planned time, carboplatin within 24 h before"),
        (bare_date(1), ahead(2), "planned 2026-11-22 17:00 UTC, carboplatin perhaps within 24 h before"),
        (back(hours=2), bare_date(-1), "planned 2026-11-23, without a time, carboplatin perhaps within 24 h before"),
        (back(hours=30), ahead(2), None),
    ],
)
def test_words_of_the_time_between(given: Moment, planned: Moment | None, words: str | None) -> None:
    assert value("drug.cytotoxic_gap_words", growth_factor(dose(CHEMO, given), planned=planned)) == words


@pytest.mark.parametrize(
    ("planned", "words"),
    [(None, "time not stated"), (ahead(2), "2026-11-22 17:00 UTC"), (bare_date(-1), "2026-11-23, without a time")],
)
def test_words_of_the_planned_first_dose(planned: Moment | None, words: str) -> None:
    case = growth_factor(planned=planned)
    assert ask("drug.first_dose_words", case) == Known(words, planned, (case.order.source,))


# -- radiotherapy of the chest, allergy, diseases


@pytest.mark.parametrize(
    ("kind", "days_ago", "there"),
    [
        ("thoracic-radiotherapy", 14, True),
        ("thoracic-radiotherapy", 14.1, False),
        ("thoracic-radiotherapy", -1, False),
        ("thoracic-radiotherapy", None, False),
        ("radiotherapy", 1, False),
    ],
)
def test_radiotherapy_of_the_chest_counts_for_fourteen_days(kind: str, days_ago: float | None, *, there: bool) -> None:
    s = situation(procedure(kind, days_ago))
    assert value("chest_radiotherapy_14_days", s) is there
    assert (value("chest_radiotherapy_words", s) != "none on file") is there


@pytest.mark.parametrize(
    ("thing", "both"),
    [
        (dose(CHEMO, 28), True),
        (dose(CHEMO, 28.1), False),
        (dose(CONJUGATE, 3), True),
        (order(HOME_CHEMO, start=60), True),
        (dose(CHEMO, 3, route=Route.INTRATHECAL), False),
        (draft(CHEMO), True),
        (order(CHEMO, start=-3), True),
        (order(CHEMO, start=-3, route=Route.INTRATHECAL), False),
        (order(CHEMO, "on-hold", start=-3), False),
        (order(CEFEPIME, start=-3), False),
        (draft(CEFEPIME), False),
    ],
)
def test_chemoradiation_needs_a_cytotoxic_given_or_ordered(thing: Any, *, both: bool) -> None:
    assert value("chest_chemoradiation", situation(thing, procedure("thoracic-radiotherapy", 1))) is both
    assert value("chest_chemoradiation", situation(thing)) is False


def test_chemoradiation_is_not_known_without_procedures_or_drugs() -> None:
    assert ask("chest_chemoradiation", situation(dose(CHEMO, 1), unavailable=("procedures",))) == Unknown(
        frozenset({"procedures"})
    )
    found = ask("chest_chemoradiation", situation(procedure("thoracic-radiotherapy", 1), unavailable=tuple(DRUGS)))
    assert found == Unknown(frozenset(DRUGS))


def test_an_allergy_to_any_growth_factor_counts() -> None:
    assert value("growth_factor_allergy", situation(allergy(FILGRASTIM))) is True
    assert value("growth_factor_allergy", situation(allergy(CEFEPIME, PEGFILGRASTIM))) is True
    assert value("growth_factor_allergy", situation(allergy(CEFEPIME))) is False
    assert value("growth_factor_allergy", situation(allergy())) is False
    assert ask("growth_factor_allergy", situation(unavailable=("allergies",))) == Unknown(frozenset({"allergies"}))


@pytest.mark.parametrize("kind", ["aml", "all", "apl", "mds", "cmml"])
def test_acute_leukaemia_mds_and_cmml(kind: str) -> None:
    assert value("leukaemia_or_mds", situation(problem(kind))) is True
    assert value("leukaemia_or_mds", situation(problem(kind, active=False))) is False
    assert value("cmml", situation(problem(kind))) is (kind == "cmml")


def test_other_diseases_and_an_unavailable_problem_list() -> None:
    assert value("leukaemia_or_mds", situation(problem("cml"), problem("lymphoma"))) is False
    for fact in ("leukaemia_or_mds", "cmml"):
        assert ask(fact, situation(unavailable=("conditions",))) == Unknown(frozenset({"conditions"}))


# -- reasons for a growth factor


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (dose(CHEMO, 28), "carboplatin, 28 days ago"),
        (dose(CONJUGATE, 3), "conjugate, 3 days ago"),
        (order(HOME_CHEMO, start=60), "capecitabine"),
        (draft(CHEMO), "carboplatin (ordered)"),
        (order(CHEMO, start=-3), "carboplatin (ordered)"),
        (problem("cyclic-neutropenia"), "cyclic-neutropenia"),
        (problem("severe-chronic-neutropenia"), "severe-chronic-neutropenia"),
        (procedure("hsct", 100), "hsct, 100 days ago"),
        (procedure("conditioning", 9), "conditioning, 9 days ago"),
        (dose(PLERIXAFOR, 14), "plerixafor"),
        (draft(PLERIXAFOR), "plerixafor"),
        (order(PLERIXAFOR, start=-3), "plerixafor"),
    ],
)
def test_a_reason_for_a_growth_factor(thing: Any, words: str) -> None:
    s = situation(thing, anc("3.0"))
    assert value("growth_factor_reason", s) is True
    assert value("growth_factor_reason_words", s) == words
    assert value("growth_factor_without_reason", s) is False


@pytest.mark.parametrize(
    "thing",
    [
        dose(CHEMO, 28.1),
        dose(CHEMO, 3, route=Route.INTRATHECAL),
        draft(CHEMO, status="cancelled"),
        order(CHEMO, "on-hold", start=-3),
        problem("cyclic-neutropenia", active=False),
        problem("neutropenia"),
        procedure("hsct", 100.1),
        procedure("hsct"),
        procedure("lymphodepletion", 3),
        order(CHEMO, authored=back(60)),
        order(CHEMO, start=-3, route=Route.INTRATHECAL),
        draft(CHEMO, route=Route.INTRATHECAL),
        draft(CHEMO, route=Route.LOCAL),
        dose(PLERIXAFOR, 14.1),
        dose(drug("plerixafor"), 1),
        draft(PLERIXAFOR, status="cancelled"),
        order(PLERIXAFOR, "stopped", start=30, end=20),
        dose(CEFEPIME, 1),
        draft(FILGRASTIM),
    ],
)
def test_no_reason_for_a_growth_factor(thing: Any) -> None:
    s = situation(thing, anc("3.0"))
    assert value("growth_factor_reason", s) is False
    assert value("growth_factor_reason_words", s) == "none on file"
    assert value("growth_factor_without_reason", s) is True


@pytest.mark.parametrize("key", ["medicationRequests", "medicationAdministrations", "conditions", "procedures"])
def test_reasons_are_not_known_where_data_are_unavailable(key: str) -> None:
    s = situation(anc("3.0"), unavailable=(key,))
    assert ask("growth_factor_reason", s) == Unknown(frozenset({key}))
    assert ask("growth_factor_without_reason", s) == Unknown(frozenset({key}))
    assert value("growth_factor_reason_words", s) == "not known (data unavailable)"


@pytest.mark.parametrize(
    ("labs", "without"),
    [
        ([anc("1.0", 7)], True),
        ([anc("0.99")], False),
        ([anc("1.0", 7.1)], False),
        ([anc("1.4", comparator="<")], False),
        ([wbc("1.2", 0), anc("1.6", 3)], False),
        ([wbc("1.2", 0), anc("1.6", 0)], False),  # capped by the leukocytes: at most 1.2
        ([], False),
    ],
)
def test_a_measured_count_of_1_or_more_needs_a_reason(labs: list[Any], *, without: bool) -> None:
    assert value("growth_factor_without_reason", situation(*labs)) is without


def test_without_counts_it_is_not_known_whether_there_is_a_reason() -> None:
    assert ask("growth_factor_without_reason", situation(unavailable=("cellCounts",))) == Unknown(
        frozenset({"cellCounts"})
    )


def test_the_count_of_the_last_seven_days() -> None:
    assert value("anc_within_7_days", situation(anc("0.3", 7))) is True
    assert value("anc_within_7_days", situation(anc("0.3", 7.1))) is False
    assert value("anc_within_7_days", situation(anc("0.3", 8), wbc("0.4", 1))) is False
    assert value("anc_within_7_days", situation()) is False
    assert ask("anc_within_7_days", situation(unavailable=("cellCounts",))) == Unknown(frozenset({"cellCounts"}))


# -- words


def test_words_of_cytotoxics_newest_first_each_once() -> None:
    old = order(CHEMO, "completed", start=9, end=9)
    s = situation(old, dose(CHEMO, 9, order=old.source), order(HOME_CHEMO, start=60), order(CONJUGATE, start=2))
    assert value("cytotoxic_words", s) == (
        "capecitabine, ongoing; conjugate, 2 days ago (order; no dose on record); carboplatin, 9 days ago"
    )
    assert value("cytotoxic_words", situation()) == "none on file"
    for key in DRUGS:
        assert value("cytotoxic_words", situation(unavailable=(key,))) == "not known (data unavailable)"


def test_words_of_growth_factors_that_act() -> None:
    assert (
        value("growth_factor_words", situation(dose(FILGRASTIM, 2), dose(PEGFILGRASTIM, 20)))
        == "filgrastim, 2 days ago"
    )
    assert (
        value("growth_factor_words", situation(unavailable=("medicationRequests",))) == "not known (data unavailable)"
    )


def test_words_of_radiotherapy_and_allergies() -> None:
    chest = situation(procedure("thoracic-radiotherapy", 2))
    assert value("chest_radiotherapy_words", chest) == "thoracic-radiotherapy, 2 days ago"
    assert value("chest_radiotherapy_words", situation(unavailable=("procedures",))) == "not known (data unavailable)"
    assert value("growth_factor_allergy_words", situation(allergy(FILGRASTIM))) == "swelling after it"
    assert value("growth_factor_allergy_words", situation(allergy(CEFEPIME))) == "none on file"
    assert value("growth_factor_allergy_words", situation(unavailable=("allergies",))) == "not known (data unavailable)"


SPEAK: list[tuple[Callable[[], DrugCase], str]] = [
    (lambda: growth_factor(allergy(FILGRASTIM)), "allergy on file"),
    (lambda: growth_factor(problem("sickle-cell-disease")), "sickle cell disease"),
    (lambda: growth_factor(anc("2.0")), "no reason for a growth factor on file"),
    (
        lambda: growth_factor(dose(CHEMO, 2), procedure("thoracic-radiotherapy", 2)),
        "chemotherapy with radiotherapy of the chest",
    ),
    (lambda: growth_factor(dose(CHEMO, 0), planned=ahead(2)), "planned 2 h after carboplatin"),
    (lambda: growth_factor(dose(CHEMO, 0)), "no planned time, carboplatin within 24 h before"),
    (
        lambda: growth_factor(allergy(FILGRASTIM), problem("sickle-cell-disease")),
        "allergy on file; sickle cell disease",
    ),
    (growth_factor, "nothing known against it"),
]


@pytest.mark.parametrize(("build", "words"), SPEAK)
def test_words_of_all_that_speaks_against_it(build: Callable[[], DrugCase], words: str) -> None:
    assert value("drug.growth_factor_cautions", build()) == words


def test_words_name_what_they_rest_on_once() -> None:
    given = dose(CHEMO, 2)
    assert ask("cytotoxic_words", situation(given)) == Known("carboplatin, 2 days ago", sources=(given.source,))
    s = situation()
    assert listed(s, ["a", "b", "a"], ["x", "y", "x"]) == Known("a; b", sources=("x", "y"))
    assert listed(s, [], []) == Known("none on file")
