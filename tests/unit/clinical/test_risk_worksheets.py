"""The items of MASCC and CISNE: what the chart holds, what is not known, and never a total."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cds_service.clinical.chart import Finding, Patient, PrefetchKey
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.moments import Moment
from cds_service.clinical.risk_worksheets import cisne_items, known_of, mascc_items
from tests.unit.clinical.charts import (
    CHEMO,
    HOME_CHEMO,
    METHIMAZOLE,
    ask,
    back,
    bare_date,
    dose,
    drug,
    lab,
    order,
    problem,
    sbp,
    situation,
    value,
)

ADC = drug("sacituzumab govitecan", mechanism_group="adc")
NOBODY = Patient("p1")
TUMOUR = "solid tumour, or no earlier fungal infection"


def ecog(text: str, days: float = 3, *, final: bool = True) -> Finding:
    return Finding("ECOG", (text,), back(days), "Observation/ecog", final=final)


def found(items, name: str) -> str | None:
    return {item.name: item.finding for item in items}[name]


def mascc(name: str, *things, **more) -> str | None:
    return found(mascc_items(situation(*things, **more)), name)


def cisne(name: str, *things, **more) -> str | None:
    return found(cisne_items(situation(*things, **more)), name)


def test_lists_the_items_of_both_worksheets_in_order():
    nothing = situation(patient=NOBODY)
    assert [item.name for item in mascc_items(nothing)] == [
        "burden of illness", "hypotension", "COPD", TUMOUR, "dehydration", "outpatient at onset", "age",
    ]  # fmt: skip
    assert [item.name for item in cisne_items(nothing)] == [
        "ECOG", "stress hyperglycaemia", "COPD", "cardiovascular disease", "mucositis", "monocytes",
    ]  # fmt: skip
    assert known_of([*mascc_items(nothing), *cisne_items(nothing)]) == []


def test_a_full_chart_leaves_only_what_is_judged_at_the_bedside():
    full = situation(
        sbp("104"), problem("solid-tumour"), problem("mouth-ulcers", 2), ecog("1"), lab("MONO", "0.1", 1)
    )  # fmt: skip
    assert [item.name for item in known_of(mascc_items(full))] == ["hypotension", TUMOUR, "age"]
    assert [item.name for item in known_of(cisne_items(full))] == ["ECOG", "mucositis", "monocytes"]


def test_hypotension_tells_the_lowest_pressure_of_24_hours():
    low = sbp("84", 20)
    item = mascc_items(situation(sbp("120", 1), low, sbp("70", 24.1), sbp("100", 3)))[1]
    assert item.finding == "lowest systolic 84 mmHg (20 h ago)"
    assert item.sources == (low.source,)


def test_hypotension_is_not_known_without_a_readable_pressure():
    broken = lab("SBP", None, back(hours=1))
    assert mascc("hypotension", sbp("120", 24.1)) is None
    assert mascc("hypotension", broken) is None
    assert mascc("hypotension", sbp("120"), broken) is None
    assert mascc("hypotension", sbp("84"), broken) == "lowest systolic 84 mmHg (1 h ago)"


def test_missing_vital_signs_hide_whether_the_pressure_was_normal():
    gap = (PrefetchKey.VITAL_SIGNS,)
    assert mascc("hypotension", sbp("120"), unavailable=gap) is None
    assert mascc("hypotension", sbp("84"), unavailable=gap) == "lowest systolic 84 mmHg (1 h ago)"


def test_a_solid_tumour_answers_the_item_unless_a_blood_cancer_may_be_there_too():
    breast = problem("solid-tumour")
    assert mascc(TUMOUR, breast) == "solid-tumour"
    assert mascc(TUMOUR, breast, problem("lymphoma")) is None
    assert mascc(TUMOUR, problem("lymphoma")) is None
    assert mascc(TUMOUR, problem("solid-tumour", active=False)) is None
    assert mascc(TUMOUR, breast, unavailable=(PrefetchKey.CONDITIONS,)) is None
    assert mascc_items(situation(breast))[3].sources == (breast.source,)


def test_age_is_told_in_years():
    assert mascc("age") == "56 years"
    born = Moment.at(datetime(1966, 11, 23, tzinfo=UTC))
    assert mascc("age", patient=Patient("p1", born)) == "59 years"
    assert mascc("age", patient=NOBODY) is None


@pytest.mark.parametrize(("days", "words"), [(28, "2 (28 days ago)"), (28.1, None), (-1, None)])
def test_ecog_is_told_as_sent_up_to_28_days(days, words):
    assert cisne("ECOG", ecog("2", days)) == words


def test_the_newest_final_ecog_is_told():
    assert cisne("ECOG", ecog("3", 9), ecog("1", 2), ecog("2", 5), ecog("4", 1, final=False)) == "1 (2 days ago)"
    assert cisne("ECOG", Finding("SMEAR", ("1",), back(2), "Observation/s")) is None
    assert cisne_items(situation(ecog("1")))[0].sources == ("Observation/ecog",)


def test_long_words_of_the_chart_are_shortened():
    words = cisne("ECOG", ecog("Restricted in\nphysically strenuous activity but ambulatory", 3))
    assert words == "Restricted in physically strenuous… (3 days ago)"


@pytest.mark.parametrize(("days", "known"), [(14, True), (14.1, False), (None, False)])
def test_mucositis_is_a_dated_problem_of_14_days(days, known):
    one = problem("mouth-ulcers", days)
    assert cisne("mucositis", one) == ("mouth-ulcers (14 days ago)" if known else None)
    assert cisne_items(situation(one))[4].sources == ((one.source,) if known else ())


def test_a_sore_throat_is_no_mucositis():
    assert cisne("mucositis", problem("sore-throat", 2)) is None
    assert cisne("mucositis", problem("sore-throat", 2), problem("mouth-ulcers", 3)) == "mouth-ulcers (3 days ago)"


@pytest.mark.parametrize(("days", "words"), [(7, "0.1 (7 days ago)"), (7.1, None)])
def test_monocytes_are_told_up_to_7_days(days, words):
    one = lab("MONO", "0.1", days)
    assert cisne("monocytes", one) == words
    assert cisne_items(situation(one))[5].sources == ((one.source,) if words else ())


def test_monocytes_keep_their_comparator():
    assert cisne("monocytes", lab("MONO", "0.1", 1, comparator="<")) == "<0.1 (24 h ago)"
    assert cisne("monocytes", lab("MONO", None, 1)) is None


def test_values_of_a_bare_date_are_told_where_they_may_be_recent_enough():
    assert cisne("monocytes", lab("MONO", "0.1", bare_date(7))) == "0.1 (7 days ago)"
    assert cisne("ECOG", Finding("ECOG", ("1",), bare_date(28), "Observation/e")) == "1 (28 days ago)"
    assert mascc("hypotension", lab("SBP", "104", bare_date(1))) == "lowest systolic 104 mmHg (1 day ago)"


# The facts


def test_words_tell_known_and_unknown_items_and_their_number():
    pressure, cells = sbp("104"), lab("MONO", "0.1", 1)
    about = situation(pressure, cells)
    assert value("worksheet_counts", about) == "MASCC 2 of 7, CISNE 1 of 6"
    assert ask("mascc_known", about) == Known(
        "hypotension: lowest systolic 104 mmHg (1 h ago); age: 56 years", sources=(pressure.source,)
    )
    assert value("mascc_unknown", about) == f"burden of illness; COPD; {TUMOUR}; dehydration; outpatient at onset"
    assert ask("cisne_known", about) == Known("monocytes: 0.1 (24 h ago)", sources=(cells.source,))
    assert value("cisne_unknown", about) == "ECOG; stress hyperglycaemia; COPD; cardiovascular disease; mucositis"


def test_words_tell_that_nothing_is_known():
    about = situation(patient=NOBODY)
    assert value("mascc_known", about) == "none"
    assert value("cisne_known", about) == "none"
    assert value("worksheet_counts", about) == "MASCC 0 of 7, CISNE 0 of 6"


@pytest.mark.parametrize(
    ("things", "days"),
    [
        ([dose(CHEMO, 42)], "42"),
        ([dose(CHEMO, 42), dose(ADC, 9), dose(METHIMAZOLE, 3)], "9"),
        ([order(HOME_CHEMO, "active", 20)], "0"),
        ([order(CHEMO, "active", 12)], "12"),
        ([order(CHEMO, "completed", 60, 30)], "30"),
    ],
)
def test_the_last_possible_cytotoxic_exposure_is_told_in_days(things, days):
    assert value("cytotoxic_age_days", situation(*things)) == Decimal(days)


def test_a_dose_of_a_bare_date_is_as_young_as_it_can_be():
    days = value("cytotoxic_age_days", situation(dose(CHEMO, bare_date(9)), dose(CHEMO, 9)))
    assert Decimal("8.62") < days < Decimal("8.63")


def test_a_cytotoxic_dose_names_its_source():
    given = dose(CHEMO, 9)
    assert ask("cytotoxic_age_days", situation(given)) == Known(Decimal(9), given.given, (given.source,))


def test_without_a_cytotoxic_drug_there_are_no_days():
    assert ask("cytotoxic_age_days", situation(dose(METHIMAZOLE, 3))) == Unknown(note="no cytotoxic drug on file")
    keys = (PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)
    answer = ask("cytotoxic_age_days", situation(unavailable=keys))
    assert isinstance(answer, Unknown)
    assert answer.missing == frozenset(keys)


def test_of_equal_pressures_one_is_told():
    first, second = sbp("84", 3), sbp("84", 1)
    item = mascc_items(situation(first, second))[1]
    assert (item.finding, item.sources) == ("lowest systolic 84 mmHg (3 h ago)", (first.source,))
