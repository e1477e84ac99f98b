"""C-EXPOSURE, C-ROUTE, C-CHEMO and C-TREATED: an order is no dose; danger generously, reassurance strictly."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.clinical.chart import Route
from cds_service.clinical.drug_table import Risk
from cds_service.clinical.exposure import Exposed
from cds_service.clinical.moments import Moment
from tests.unit.clinical.charts import (
    CEFEPIME,
    CEFTRIAXONE,
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
    order,
    sbp,
    situation,
    value,
    wbc,
)

AZATHIOPRINE = drug("azathioprine", risk=Risk.HIGH_MYELOSUPPRESSIVE)
DRUG_DATA = ("medicationRequests", "medicationAdministrations")


@pytest.mark.parametrize(
    ("things", "exposed"),
    [
        ([dose(CHEMO, 42)], True),
        ([dose(CHEMO, 42.5)], False),
        ([dose(CHEMO, -1)], False),
        ([order(CHEMO, start=42)], True),
        ([order(CHEMO, start=43)], False),
        ([order(CHEMO, authored=bare_date(42))], True),
        ([order(CHEMO, start=-1)], False),
        ([order(CHEMO)], True),
        ([order(CHEMO, start=60), dose(CHEMO, 50)], False),
        ([order(CHEMO, start=5), dose(CHEMO, 50)], True),
        ([order(CHEMO, start=60, source="MedicationRequest/1"), dose(CHEMO, 50, order="MedicationRequest/1")], False),
        ([order(CHEMO, start=20), dose(CHEMO, 50, order="MedicationRequest/other")], True),
        ([order(CHEMO, "completed", start=100, end=42)], True),
        ([order(CHEMO, "stopped", start=100, end=43)], False),
        ([order(CHEMO, "on-hold", start=100, end=10)], True),
        ([order(CHEMO, "completed", start=30)], True),
        ([order(CHEMO, "completed")], False),
        ([order(CHEMO, "completed", start=-5, end=-1)], False),
        ([order(CHEMO, "active", start=100, end=30)], True),
        ([order(CHEMO, "cancelled", start=10)], False),
        ([order(CHEMO, "draft", start=10)], False),
        ([order(HOME_CHEMO, start=300)], True),
        ([order(HOME_CHEMO)], True),
        ([order(HOME_CHEMO, "stopped", start=300, end=43)], False),
        ([order(CHEMO, start=300, route=Route.ORAL)], True),
        ([order(CHEMO, start=300, route=Route.PARENTERAL)], False),
        ([dose(CHEMO, 3, route=Route.INTRATHECAL)], True),
        ([dose(CHEMO, 3, route=Route.LOCAL)], False),
        ([order(CHEMO, start=3, route=Route.LOCAL)], False),
        ([order(None, start=3)], False),
        ([], False),
    ],
)
def test_may_have_had_chemotherapy_within_its_look_back(things, exposed):
    assert value("chemotherapy_exposure", situation(*things)) is exposed


def test_does_not_know_of_chemotherapy_where_orders_are_unavailable():
    for key in DRUG_DATA:
        assert value("chemotherapy_exposure", situation(unavailable=(key,))) is None
        assert value("chemotherapy_exposure", situation(dose(CHEMO, 1), unavailable=(key,))) is True


@pytest.mark.parametrize(("days", "early"), [(14, True), (14.5, False)])
def test_the_nadir_may_be_to_come_for_14_days(days, early):
    assert value("chemotherapy_within_14_days", situation(dose(CHEMO, days))) is early


@pytest.mark.parametrize(
    ("things", "nadir"),
    [
        ([dose(CHEMO, 10)], True),
        ([dose(CHEMO, 30)], True),
        ([dose(CHEMO, 30.5)], False),
        ([dose(CHEMO, 2)], True),
        ([dose(CHEMO, 1.9)], False),
        ([order(CHEMO, start=10)], False),
        ([order(CHEMO, "completed", start=60, end=30)], True),
        ([order(CHEMO, "stopped", start=60, end=30.5)], False),
        ([order(CHEMO, "completed", start=60, end=1)], False),
        ([order(CHEMO, "on-hold", start=60, end=10)], False),
        ([order(HOME_CHEMO, start=2)], True),
        ([order(HOME_CHEMO, start=1.9)], False),
        ([order(HOME_CHEMO, start=300)], True),
        ([order(HOME_CHEMO)], False),
        ([order(HOME_CHEMO, "stopped", start=300, end=30)], True),
        ([order(HOME_CHEMO, "stopped", start=300, end=30.5)], False),
        ([order(HOME_CHEMO, "stopped", end=10)], True),
        ([order(HOME_CHEMO, "on-hold", start=300, end=1)], True),
        ([order(HOME_CHEMO, "stopped", start=300)], False),
        ([order(HOME_CHEMO, "cancelled", start=300, end=10)], False),
        ([order(HOME_CHEMO, start=300, end=20)], True),
        ([dose(CHEMO, 10, route=Route.INTRATHECAL)], False),
        ([order(HOME_CHEMO, start=300, route=Route.INTRATHECAL)], False),
        ([dose(CHEMO, 10, route=Route.LOCAL)], False),
        ([dose(CHEMO, bare_date(2))], False),
        ([dose(CHEMO, bare_date(3))], True),
        ([dose(CHEMO, bare_date(30))], False),
        ([dose(AZATHIOPRINE, 10)], False),
    ],
)
def test_is_at_a_nadir_only_where_a_dose_was_surely_given_0_to_28_days_before_the_draw(things, nadir):
    assert value("nadir28", situation(anc("0.4", 2), *things)) is nadir


def test_any_highly_myelosuppressive_drug_explains_the_count():
    about = situation(anc("0.4"), dose(AZATHIOPRINE, 10))
    assert value("myelo28", about) is True
    assert value("nadir28", about) is False


def test_explains_nothing_without_a_count_and_does_not_know_without_orders():
    assert value("nadir28", situation(dose(CHEMO, 10))) is False
    for key in DRUG_DATA:
        assert value("nadir28", situation(anc("0.4"), unavailable=(key,))) is None


@pytest.mark.parametrize(("count_at_3_days", "bound", "nadir"), [("0.4", "1.2", False), ("1.3", "0.4", True)])
def test_the_exposure_has_to_explain_the_lower_of_count_and_bound(count_at_3_days, bound, nadir):
    about = situation(anc(count_at_3_days, 3), wbc(bound, 0), dose(CHEMO, 2))
    assert value("nadir28", about) is nadir


@pytest.mark.parametrize(
    ("one", "active"),
    [
        (order(CEFTRIAXONE, start=1), True),
        (order(CEFTRIAXONE), True),
        (order(CEFTRIAXONE, start=-1), False),
        (order(CEFTRIAXONE, start=5, end=1), False),
        (order(CEFTRIAXONE, start=5, end=-1), True),
        (order(CEFTRIAXONE, "on-hold", start=1), False),
        (order(CEFTRIAXONE, start=1, route=Route.LOCAL), False),
        (order(CEFTRIAXONE, start=1, route=Route.INTRATHECAL), False),
        (order(CEFTRIAXONE, start=1, draft=True), False),
    ],
)
def test_is_active_where_started_and_not_ended(one, active):
    assert bool(situation(one).exposure.active) is active


@pytest.mark.parametrize(
    ("things", "treated"),
    [
        ([order(CEFEPIME, start=10)], True),
        ([order(CEFEPIME, start=10.5)], False),
        ([order(CEFEPIME, start=bare_date(10))], False),
        ([order(CEFEPIME, authored=bare_date(1))], True),
        ([order(CEFEPIME)], False),
        ([order(CEFEPIME, "stopped", start=2, end=1)], False),
        ([order(CEFEPIME, start=1, draft=True)], False),
        ([order(CEFTRIAXONE, start=1)], False),
        ([order(CEFEPIME, start=1), sbp("89")], False),
        ([order(CEFEPIME, start=1), sbp("90")], True),
        ([], False),
    ],
)
def test_is_treated_by_an_antipseudomonal_drug_of_10_days_without_shock(things, treated):
    assert value("treated", situation(*things)) is treated


def test_does_not_know_whether_treated_without_vital_signs_or_orders():
    assert value("treated", situation(order(CEFEPIME, start=1), unavailable=("vitalSigns",))) is None
    assert value("treated", situation(unavailable=("medicationRequests",))) is None


def test_finds_growth_factors_generously():
    about = situation(order(FILGRASTIM, start=30), anc("1.4"), anc("2.8", 20))
    assert not about.course.fast_fall


def test_names_the_sources_of_an_exposure():
    given = dose(CHEMO, 3)
    answer = ask("chemotherapy_exposure", situation(given))
    assert answer.sources == (given.source,)


def test_takes_the_newest_exposure_for_the_words():
    about = situation(dose(CHEMO, 9), dose(CHEMO, 30))
    assert value("days_after_chemotherapy", about) == 9
    assert value("chemotherapy_words", about) == "carboplatin, 9 days ago"
    assert (
        value("chemotherapy_words", situation(order(CHEMO, start=9)))
        == "carboplatin, 9 days ago (order; no dose on record)"
    )
    assert value("chemotherapy_words", situation(order(HOME_CHEMO, start=9))) == "capecitabine, ongoing"
    assert value("chemotherapy_words", situation()) is None
    assert value("days_after_chemotherapy", situation()) is None


@pytest.mark.parametrize(("days", "within"), [(60, True), (60.5, False)])
def test_looks_back_as_far_as_the_table_says(days, within):
    lomustine = drug("lomustine", mechanism_group="cytotoxic", fever_rule="chemo", fever_lookback_days=Decimal(60))
    assert value("chemotherapy_exposure", situation(dose(lomustine, days))) is within


STARTED = order(CHEMO, start=30, source="MedicationRequest/m")
AUTHORED = order(CHEMO, authored=back(30), source="MedicationRequest/m")
BOTH = order(CHEMO, start=30, authored=back(45), source="MedicationRequest/m")
OTHER = drug("vinblastine", mechanism_group="cytotoxic", active_order_is_exposure=False)


@pytest.mark.parametrize("one", [STARTED, AUTHORED, BOTH], ids=["started", "authored", "both"])
@pytest.mark.parametrize(
    ("given", "counts_by_itself"),
    [
        ([dose(CHEMO, 30)], False),
        ([dose(CHEMO, 29)], False),
        ([dose(CHEMO, 31)], True),
        ([dose(CHEMO, bare_date(30))], False),
        ([dose(CHEMO, 31, order="MedicationRequest/m")], False),
        ([dose(CHEMO, 29, order="MedicationRequest/m")], False),
        ([dose(CHEMO, 29, order="MedicationRequest/other")], True),
        ([dose(OTHER, 29)], True),
        ([dose(OTHER, 29, order="MedicationRequest/m")], True),
        ([dose(CHEMO, 31), dose(CHEMO, 28)], False),
        ([], True),
    ],
)
def test_the_order_of_a_clinic_drug_counts_until_a_dose_of_it_is_on_file(one, given, counts_by_itself):
    possible = situation(one, *given).exposure.possible
    assert [e.source for e in possible if not e.given] == (["MedicationRequest/m"] if counts_by_itself else [])
    assert [e.source for e in possible if e.given] == [a.source for a in given]


@pytest.mark.parametrize(("end", "active"), [(0, True), (back(minutes=1), False), (-1, True), (None, True)])
def test_an_order_is_active_until_its_end_and_exposure_after_it(end, active):
    one = order(HOME_CHEMO, start=10, end=end, source="MedicationRequest/m")
    exposure = situation(one).exposure
    (exposed,) = exposure.possible
    assert (exposure.is_active(one), exposed.ongoing) == (active, active)
    assert exposed.since == back(10)


@pytest.mark.parametrize(
    ("more", "last", "since"),
    [
        ({"start": 20, "end": 10, "authored": back(25)}, back(10), back(20)),
        ({"authored": back(25), "end": 10}, back(10), back(25)),
        ({"start": 20}, back(20), back(20)),
        ({"end": 10}, back(10), None),
    ],
)
@pytest.mark.parametrize("status", ["completed", "stopped", "on-hold"])
def test_an_ended_order_is_exposure_until_its_end_else_at_its_start(status, more, last, since):
    (exposed,) = situation(order(CHEMO, status, **more)).exposure.possible
    assert (exposed.last, exposed.since, exposed.ongoing, exposed.given) == (last, since, False, False)


DRAW = back(2)
M = "MedicationRequest/m"


def proven(*things, draw=DRAW, chosen=lambda what: True):
    return situation(*things).exposure.proven_before(draw, chosen)


def went_on(what, since):
    return [Exposed(what, Moment.at(NOW), M, since=since, ongoing=True)]


def until(what, end, since):
    return [Exposed(what, end, M, since=since)]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (order(HOME_CHEMO, start=20, source=M), went_on(HOME_CHEMO, back(20))),
        (order(HOME_CHEMO, authored=back(20), source=M), went_on(HOME_CHEMO, back(20))),
        (order(HOME_CHEMO, start=2, source=M), went_on(HOME_CHEMO, DRAW)),
        (order(HOME_CHEMO, start=1.9, source=M), []),
        (order(HOME_CHEMO, start=bare_date(2), source=M), []),
        (order(HOME_CHEMO, source=M), []),
        (order(HOME_CHEMO, start=20, end=-3, source=M), went_on(HOME_CHEMO, back(20))),
        (order(HOME_CHEMO, start=20, end=0, source=M), went_on(HOME_CHEMO, back(20))),
        (order(HOME_CHEMO, start=20, end=0.1, source=M), until(HOME_CHEMO, back(0.1), back(20))),
        (order(HOME_CHEMO, "stopped", start=40, end=30, source=M), until(HOME_CHEMO, back(30), back(40))),
        (order(HOME_CHEMO, "stopped", start=40, end=30.1, source=M), []),
        (order(HOME_CHEMO, "completed", end=10, source=M), until(HOME_CHEMO, back(10), None)),
        (order(HOME_CHEMO, "on-hold", start=40, end=10, source=M), until(HOME_CHEMO, back(10), back(40))),
        (order(HOME_CHEMO, "stopped", start=20, source=M), []),
        (order(HOME_CHEMO, "stopped", start=20, end=-3, source=M), until(HOME_CHEMO, back(-3), back(20))),
        (order(HOME_CHEMO, "cancelled", start=20, source=M), []),
        (order(HOME_CHEMO, start=20, route=Route.INTRATHECAL, source=M), []),
        (order(CHEMO, start=20, source=M), []),
        (order(CHEMO, start=20, route=Route.ORAL, source=M), went_on(CHEMO, back(20))),
        (order(CHEMO, "completed", start=40, end=30, source=M), until(CHEMO, back(30), back(40))),
        (order(CHEMO, "completed", start=40, end=30.1, source=M), []),
        (order(CHEMO, "stopped", authored=back(40), end=2, source=M), until(CHEMO, DRAW, back(40))),
        (order(CHEMO, "stopped", start=40, end=1.9, source=M), []),
        (order(CHEMO, "on-hold", start=40, end=10, source=M), []),
        (order(CHEMO, start=40, end=10, source=M), []),
        (order(CHEMO, "completed", start=20, source=M), []),
    ],
)
def test_an_order_proves_exposure_only_where_it_surely_came_before_the_draw(one, expected):
    assert proven(one) == expected


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (dose(CHEMO, 2), True),
        (dose(CHEMO, 30), True),
        (dose(CHEMO, 30.1), False),
        (dose(CHEMO, 1.9), False),
        (dose(CHEMO, bare_date(2)), False),
        (dose(CHEMO, bare_date(3)), True),
        (dose(CHEMO, bare_date(30)), False),
        (dose(CHEMO, 10, route=Route.INTRATHECAL), False),
        (dose(CHEMO, 10, route=Route.LOCAL), False),
    ],
)
def test_a_dose_proves_exposure_for_28_days_after_it(given, counts):
    expected = [Exposed(CHEMO, given.given, given.source, since=given.given, given=True)]
    assert proven(given) == (expected if counts else [])
    assert proven(given, chosen=lambda what: what is HOME_CHEMO) == []


def test_an_exposure_is_proven_of_the_drugs_that_are_asked_for_alone():
    both = [order(HOME_CHEMO, start=20, source=M), order(AZATHIOPRINE, start=20)]
    assert proven(*both, chosen=lambda what: what is HOME_CHEMO) == went_on(HOME_CHEMO, back(20))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (order(HOME_CHEMO, start=5, source=M), went_on(HOME_CHEMO, back(5))),
        (order(HOME_CHEMO, source=M), went_on(HOME_CHEMO, None)),
        (order(HOME_CHEMO, start=0, source=M), went_on(HOME_CHEMO, back(0))),
        (order(CHEMO, source=M), went_on(CHEMO, None)),
        (order(CHEMO, start=5, source=M), until(CHEMO, back(5), back(5))),
        (order(CHEMO, start=bare_date(0), source=M), until(CHEMO, bare_date(0), bare_date(0))),
        (order(HOME_CHEMO, start=-1, source=M), []),
        (order(HOME_CHEMO, "draft", start=5, source=M), []),
        (order(HOME_CHEMO, "cancelled", start=5, end=3, source=M), []),
        (order(HOME_CHEMO, "stopped", start=5, end=-1, source=M), []),
        (order(HOME_CHEMO, "stopped", start=5, end=0, source=M), until(HOME_CHEMO, back(0), back(5))),
    ],
)
def test_an_order_is_possible_exposure_with_its_start_and_its_last_day(one, expected):
    assert situation(one).exposure.possible == expected


def test_a_dose_is_exposure_at_its_time():
    given = dose(CHEMO, 3)
    assert situation(given).exposure.possible == [
        Exposed(CHEMO, back(3), given.source, since=back(3), given=True, ongoing=False)
    ]


ROUTES = [(Route.UNKNOWN, True, True), (Route.INTRATHECAL, False, True), (Route.LOCAL, False, False)]


@pytest.mark.parametrize(("route", "active", "existing"), ROUTES)
def test_a_local_order_counts_nowhere_and_an_intrathecal_one_in_the_fever_rules_only(route, active, existing):
    one = order(HOME_CHEMO, start=5, route=route)
    exposure = situation(one, draft(HOME_CHEMO), order(None, start=5)).exposure
    assert exposure.active == ([one] if active else [])
    assert exposure.existing == ([one] if existing else [])


@pytest.mark.parametrize(
    ("one", "active"),
    [
        (order(HOME_CHEMO, start=0), True),
        (order(HOME_CHEMO, start=-0.1), False),
        (order(HOME_CHEMO, start=bare_date(0)), True),
        (order(HOME_CHEMO, authored=back(-1)), True),
        (order(HOME_CHEMO, "on-hold", start=5), False),
    ],
)
def test_an_order_is_active_from_its_start(one, active):
    assert situation().exposure.is_active(one) is active


@pytest.mark.parametrize(("days", "running"), [(3, True), (2.9, False), (bare_date(4), True), (bare_date(3), False)])
def test_an_antibacterial_has_run_as_long_as_it_surely_has(days, running):
    one = order(CEFTRIAXONE, start=days)
    found = situation(one, order(CHEMO, start=9)).exposure.antibacterial_running_for(timedelta(days=3))
    assert found == ([one.start] if running else [])
