"""C-FRESH for drugs, C-GATE, label limits with their operators, C-OPEN-CBC, and the safety net of ordering."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.drug_table import HoldOperator, Risk
from tests.unit.clinical.charts import (
    CEFEPIME,
    CHEMO,
    COTRIMOXAZOLE,
    FILGRASTIM,
    METHIMAZOLE,
    anc,
    back,
    bare_date,
    dose,
    draft,
    drug,
    drug_case,
    lab,
    order,
    problem,
    service_order,
    situation,
    temp,
    value,
    wbc,
)

CLOZAPINE = drug("clozapine", risk=Risk.IDIOSYNCRATIC)
GATED = drug("tki", anc_hold=Decimal("1.0"), gate_window_days=Decimal(30))
WEEK = drug("weekly", anc_hold=Decimal("1.0"), gate_window_days=Decimal(7))


def about_draft(what, *things, **more):
    one = draft(what, **more)
    return drug_case(situation(one, *things, hook="order-sign"), one)


def about_active(what, *things, start: float = 10):
    one = order(what, start=start)
    return drug_case(situation(one, *things), one)


@pytest.mark.parametrize(
    ("what", "active_days", "window"),
    [
        (CLOZAPINE, None, 7),
        (CLOZAPINE, 182, 7),
        (CLOZAPINE, 182.5, 14),
        (CLOZAPINE, 365, 14),
        (CLOZAPINE, 365.5, 31),
        (GATED, None, 30),
        (GATED, 365, 30),
        (GATED, 365.5, 90),
        (WEEK, 400, 7),
        (drug("no window"), None, 90),
    ],
)
def test_a_draft_wants_a_count_within_the_drugs_window(what, active_days, window):
    things = [] if active_days is None else [order(what, start=active_days)]
    assert value("drug.window_days", about_draft(what, *things)) == window


def test_an_active_drug_is_judged_by_counts_of_28_days_except_clozapine():
    assert value("drug.window_days", about_active(GATED)) == 28
    assert value("drug.window_days", about_active(CLOZAPINE, start=10)) == 7


@pytest.mark.parametrize(
    ("taken", "available"), [(back(7), True), (back(7.5), False), (bare_date(7), False), (bare_date(6), True)]
)
def test_a_count_is_available_only_where_surely_within_the_window(taken, available):
    assert value("drug.count_available", about_draft(WEEK, anc("2.0", taken))) is available
    assert value("drug.count_available", about_draft(WEEK, anc("2.0", taken, final=False))) is False


@pytest.mark.parametrize(
    ("labs", "below"),
    [
        ([anc("0.99")], True),
        ([anc("1.0")], False),
        ([anc("0.9", 7)], True),
        ([anc("0.9", 7.5)], None),
        ([anc("0.9", 0, final=False), anc("2.0", 1)], True),
        ([wbc("0.9")], True),
        ([wbc("1.2")], None),
        ([wbc("1.2"), anc("2.0", 3)], None),
        ([wbc("1.2"), anc("0.4", 3)], True),
        ([], None),
    ],
)
def test_a_bound_can_reach_a_limit_but_never_clear_it(labs, below):
    assert value("drug.below_anc_limit", about_draft(WEEK, *labs)) is below


@pytest.mark.parametrize(
    ("operator", "number", "below"),
    [
        (HoldOperator.BELOW, "1.0", False),
        (HoldOperator.AT_OR_BELOW, "1.0", True),
        (HoldOperator.AT_OR_BELOW, "1.01", False),
    ],
)
def test_keeps_the_operator_of_the_label(operator, number, below):
    what = drug("terbinafine", anc_hold=Decimal("1.0"), anc_hold_operator=operator)
    assert value("drug.below_anc_limit", about_active(what, anc(number))) is below


def test_no_limit_is_not_reached_and_no_count_is_not_known():
    assert value("drug.below_anc_limit", about_active(drug("x"), anc("0.1"))) is False
    one = order(GATED, start=1)
    for number, below in (("0.1", True), ("1.2", None)):
        about = drug_case(situation(one, anc(number), unavailable=("cellCounts",)), one)
        assert value("drug.below_anc_limit", about) is below


@pytest.mark.parametrize(
    ("what", "gated"),
    [
        (GATED, True),
        (CHEMO, True),
        (drug("t-dxd", mechanism_group="adc"), True),
        (drug("azathioprine", risk=Risk.HIGH_MYELOSUPPRESSIVE), True),
        (drug("linezolid", risk=Risk.DOSE_DEPENDENT), True),
        (drug("cefazolin", risk=Risk.DOSE_DEPENDENT, mechanism_group="antibiotic-betalactam"), False),
        (drug("hydroxyurea", risk=Risk.HIGH_MYELOSUPPRESSIVE), False),
        (METHIMAZOLE, False),
        (drug("mild"), False),
    ],
)
def test_gates_a_systemic_new_draft_with_a_limit(what, gated):
    assert value("gated_draft", situation(draft(what), hook="order-sign")) is gated
    assert value("gated_draft", situation(draft(what, route=Route.LOCAL), hook="order-sign")) is False
    assert value("gated_draft", situation(draft(what, status="stopped"), hook="order-sign")) is False
    assert value("gated_draft", situation(order(what), hook="order-sign")) is False


def test_on_selecting_looks_at_the_selected_drafts_only():
    chosen, other = draft(GATED, selected=True), draft(CHEMO)
    assert situation(chosen, other, hook="order-select").drafts == [chosen]
    assert situation(chosen, other, hook="order-sign").drafts == [chosen, other]
    assert situation(other, hook="order-select").drafts == [other]
    assert situation(other, service_order("cbc", "draft", draft=True, selected=True), hook="order-select").drafts == []


@pytest.mark.parametrize(
    ("things", "unprotected"),
    [
        ([], False),
        ([draft(METHIMAZOLE)], True),
        ([service_order("cbc-diff", "draft", draft=True)], True),
        ([service_order("cbc-diff")], False),
        ([draft(METHIMAZOLE), draft(CEFEPIME)], False),
        ([draft(METHIMAZOLE), order(CEFEPIME, start=1)], False),
        ([draft(METHIMAZOLE), order(COTRIMOXAZOLE, start=1)], True),
        ([draft(METHIMAZOLE), draft(CEFEPIME, route=Route.LOCAL)], True),
        ([draft(METHIMAZOLE), order(CEFEPIME, "stopped", start=3, end=1)], True),
        ([draft(METHIMAZOLE, selected=True), draft(CEFEPIME)], False),
    ],
)
def test_any_order_without_an_antibacterial_opens_the_safety_net(things, unprotected):
    assert value("order_without_antibacterial", situation(*things, hook="order-select")) is unprotected


def test_does_not_know_of_antibacterials_without_the_drug_list():
    about = situation(draft(METHIMAZOLE), hook="order-sign", unavailable=("medicationRequests",))
    assert value("order_without_antibacterial", about) is None


STABLE = [anc("1.2", 0), anc("1.2", 30), anc("1.2", 60)]


@pytest.mark.parametrize(
    ("things", "open_order"),
    [
        ([service_order("cbc-diff", due=-35)], True),
        ([service_order("cbc-diff", due=-36)], False),
        ([service_order("cbc-diff", due=-100), *STABLE], True),
        ([service_order("cbc-diff", due=-101), *STABLE], False),
        ([service_order("cbc-diff")], True),
        ([service_order("cbc-diff", "draft", draft=True)], True),
        ([service_order("cbc-diff", "completed")], False),
        ([service_order("cbc", due=-3)], False),
        ([], False),
    ],
)
def test_a_cbc_is_open_where_due_soon_or_undated(things, open_order):
    assert value("open_cbc", situation(*things)) is open_order


@pytest.mark.parametrize(
    ("things", "matter"),
    [
        ([draft(drug("p", plt_hold=Decimal(50)))], True),
        ([draft(drug("p", plt_cycle_start=Decimal(100)))], True),
        ([draft(GATED)], False),
        ([order(drug("imatinib", drug_class="BCR-ABL TKI")), problem("cml")], True),
        ([order(drug("imatinib", drug_class="BCR-ABL TKI"))], False),
        ([], False),
    ],
)
def test_platelets_matter_for_a_draft_with_a_limit_or_a_cml_tki(things, matter):
    assert value("platelets_matter", situation(*things, hook="order-sign")) is matter


@pytest.mark.parametrize(
    ("things", "new"),
    [
        ([], True),
        ([order(CLOZAPINE, start=100)], False),
        ([order(CLOZAPINE, "stopped", start=100, end=29.9)], False),
        ([order(CLOZAPINE, "stopped", start=100, end=30)], True),
        ([dose(CLOZAPINE, 29)], False),
    ],
)
def test_a_draft_is_a_new_start_30_days_after_the_last_dose(things, new):
    assert value("drug.new_or_restart", about_draft(CLOZAPINE, *things)) is new


@pytest.mark.parametrize(
    ("hold", "cycle", "on_draft", "on_chart"),
    [
        (None, None, "1.0", "1.0"),
        ("0.5", None, "1.0", "1.0"),
        ("1.5", None, "1.5", "1.5"),
        ("1.0", "1.5", "1.5", "1.0"),
    ],
)
def test_chemotherapy_is_judged_by_the_highest_limit(hold, cycle, on_draft, on_chart):
    what = drug(
        "c", mechanism_group="cytotoxic", anc_hold=hold and Decimal(hold), anc_cycle_start=cycle and Decimal(cycle)
    )
    assert value("drug.chemo_limit", about_draft(what)) == Decimal(on_draft)
    assert value("drug.chemo_limit", about_active(what)) == Decimal(on_chart)


@pytest.mark.parametrize(
    ("number", "draft_below", "chart_below"), [("99", True, False), ("100", False, False), ("49", True, True)]
)
def test_chemotherapy_platelets_are_judged_by_the_higher_limit_on_drafts(number, draft_below, chart_below):
    what = drug("c", mechanism_group="cytotoxic", plt_hold=Decimal(50), plt_cycle_start=Decimal(100))
    assert value("drug.below_chemo_platelet_limit", about_draft(what, lab("PLT", number))) is draft_below
    assert value("drug.below_chemo_platelet_limit", about_active(what, lab("PLT", number))) is chart_below
    assert value("drug.below_chemo_platelet_limit", about_draft(what)) is None
    assert value("drug.below_chemo_platelet_limit", about_draft(CHEMO, lab("PLT", number))) is False


def test_platelets_of_a_draft_must_lie_in_its_window():
    what = drug("tki", plt_hold=Decimal(50), gate_window_days=Decimal(7))
    assert value("drug.below_platelet_limit", about_draft(what, lab("PLT", "40", 7))) is True
    assert value("drug.below_platelet_limit", about_draft(what, lab("PLT", "40", 8))) is None
    assert value("drug.below_platelet_limit", about_active(what, lab("PLT", "40", 8))) is True


@pytest.mark.parametrize(
    ("things", "below"),
    [([temp("38.5"), anc("0.9")], True), ([anc("0.9")], False), ([temp("38.5"), anc("1.0")], False)],
)
def test_a_limit_with_fever_needs_both(things, below):
    what = drug("btk", anc_hold_with_fever=Decimal("1.0"))
    assert value("drug.below_fever_limit", about_active(what, *things)) is below
    assert value("drug.below_fever_limit", about_active(GATED, *things)) is False


@pytest.mark.parametrize(
    ("labs", "pending"),
    [
        ([anc("0.4", 0), anc("0.4", 6.9)], True),
        ([anc("0.4", 0), anc("0.4", 7)], False),
        ([anc("0.4", 0), anc("0.6", 3), anc("0.4", 8)], True),
        ([anc("0.4", 0)], True),
        ([], True),
    ],
)
def test_a_label_that_acts_on_lasting_counts_waits_for_them(labs, pending):
    what = drug("btk", anc_hold=Decimal("0.5"), anc_hold_min_days=Decimal(7))
    assert value("drug.duration_pending", about_active(what, *labs)) is pending
    assert value("drug.duration_pending", about_active(GATED, *labs)) is False


@pytest.mark.parametrize(
    ("what", "asks"),
    [
        (CLOZAPINE, True),
        (GATED, True),
        (drug("c", mechanism_group="cytotoxic", risk=Risk.HIGH_MYELOSUPPRESSIVE, gate_window_days=Decimal(7)), True),
        (CHEMO, False),
        (METHIMAZOLE, False),
        (drug("y", risk=Risk.DOSE_DEPENDENT, gate_window_days=Decimal(7)), False),
    ],
)
def test_asks_for_a_count_only_with_a_window_and_a_limit_or_group(what, asks):
    risky = drug(
        what.ingredient,
        **{**_fields(what), "risk": what.risk if what.risk is not Risk.MILD_OR_RARE else Risk.LATE_ONSET},
    )
    assert value("drug.asks_for_count", about_draft(risky)) is asks
    if what is GATED:
        assert value("drug.asks_for_count", about_draft(GATED)) is False


def _fields(what):
    names = ("mechanism_group", "anc_hold", "gate_window_days", "drug_class")
    return {name: getattr(what, name) for name in names}


@pytest.mark.parametrize(
    ("reasons", "text", "for_cytopenia"),
    [
        ((), None, True),
        ((), " ", True),
        (("neutropenia",), "Neutropenia", True),
        (("leukopenia",), "x", True),
        ((), "cytopenia", True),
        ((), "rash", False),
        (("thrombocytopenia",), "thrombocytopenia", False),
    ],
)
def test_recognises_a_stop_for_cytopenia(reasons, text, for_cytopenia):
    one = draft(GATED, status="stopped", reasons=frozenset(reasons), reason_text=text)
    about = drug_case(situation(one, hook="order-sign"), one)
    assert value("drug.stop_for_cytopenia", about) is for_cytopenia
    assert value("drug_being_stopped", about.situation) is True


def test_growth_factors_raise_and_do_not_contribute():
    about = situation(order(FILGRASTIM, start=1), order(METHIMAZOLE, start=3))
    assert value("contributing_drugs", about) == "methimazole"
    assert value("contributing_drugs", situation()) == "none recognised"
    assert (
        value("contributing_drugs", situation(unavailable=("medicationRequests",)))
        == "not known (drug list unavailable)"
    )
