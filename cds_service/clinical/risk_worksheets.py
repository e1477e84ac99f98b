"""The items of the MASCC and CISNE worksheets, each with what the chart holds of it, or not known (C-SCORE).

No item is rated and no total is made. Most items are judged at the bedside or have no verified code: not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.clinical.chart import Measurement, PrefetchKey
from cds_service.clinical.diseases import HAEMATOLOGICAL_MALIGNANCY
from cds_service.clinical.draws import plain
from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Known
from cds_service.clinical.markdown import one_line, shorten
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import days, hours
from cds_service.clinical.situation import Situation

LONGEST_WORDS = 40


@dataclass(frozen=True, slots=True)
class WorksheetItem:
    """One item. `finding` is what the chart holds of it, in words; None where that is not known."""

    name: str
    finding: str | None = None
    sources: tuple[str, ...] = ()


def mascc_items(s: Situation) -> tuple[WorksheetItem, ...]:
    """The seven items of the MASCC risk index. Source: C-SCORE."""
    return (
        WorksheetItem("burden of illness"),
        _hypotension(s),
        WorksheetItem("COPD"),
        _tumour(s),
        WorksheetItem("dehydration"),
        WorksheetItem("outpatient at onset"),
        _age(s),
    )


def cisne_items(s: Situation) -> tuple[WorksheetItem, ...]:
    """The six items of CISNE. Source: C-SCORE."""
    return (
        _performance(s),
        WorksheetItem("stress hyperglycaemia"),
        WorksheetItem("COPD"),
        WorksheetItem("cardiovascular disease"),
        _mucositis(s),
        _monocytes(s),
    )


def _hypotension(s: Situation) -> WorksheetItem:
    """The lowest systolic pressure of 24 h; not known where one is missing or unreadable and none on hand is low."""
    name, window = "hypotension", hours(s.numbers.vitals_hours)
    readings = [
        (m.value, m)
        for m in s.chart.measurements
        if m.analyte == "SBP" and m.value is not None and m.taken.may_be_within(window, s.now)
    ]
    if not readings or not isinstance(s.fever.shock, Known):
        return WorksheetItem(name)
    value, lowest = min(readings, key=lambda pair: pair[0])
    return WorksheetItem(name, f"lowest systolic {plain(value)} mmHg ({_ago(lowest.taken, s)})", (lowest.source,))


def _tumour(s: Situation) -> WorksheetItem:
    """A solid tumour answers the item; with a blood cancer it also takes the history of fungal infection."""
    name = "solid tumour, or no earlier fungal infection"
    solid = s.diseases.having(frozenset({"solid-tumour"}))
    unclear = s.diseases.having(HAEMATOLOGICAL_MALIGNANCY) or s.chart.lacks(PrefetchKey.CONDITIONS)
    if not solid or unclear:
        return WorksheetItem(name)
    return WorksheetItem(name, _short(solid[0].text), (solid[0].source,))


def _age(s: Situation) -> WorksheetItem:
    years = s.diseases.age_years
    return WorksheetItem("age", None if years is None else f"{years} years")


def _performance(s: Situation) -> WorksheetItem:
    """The newest final ECOG status of the last 28 d, as it was sent."""
    window = days(s.numbers.current_days)
    stated = [f for f in s.chart.findings if f.analyte == "ECOG" and f.final and f.taken.may_be_within(window, s.now)]
    last = max(stated, key=lambda f: f.taken, default=None)
    if last is None:
        return WorksheetItem("ECOG")
    return WorksheetItem("ECOG", f"{_short(last.texts[0])} ({_ago(last.taken, s)})", (last.source,))


def _mucositis(s: Situation) -> WorksheetItem:
    """Dated within 14 d; that none is on the problem list does not say that there is none."""
    found = next((p for p in s.fever.throat_symptoms if "mouth-ulcers" in p.kinds), None)
    if found is None or found.dated is None:
        return WorksheetItem("mucositis")
    return WorksheetItem("mucositis", f"{_short(found.text)} ({_ago(found.dated, s)})", (found.source,))


def _monocytes(s: Situation) -> WorksheetItem:
    """A count of the last 7 d, as the count that makes a febrile neutropenia."""
    found = s.counts.latest_measurement("MONO")
    if found is None or not _is_fresh(found, s):
        return WorksheetItem("monocytes")
    shown = f"{found.comparator or ''}{plain(found.value)}" if found.value is not None else ""
    return WorksheetItem("monocytes", f"{shown} ({_ago(found.taken, s)})", (found.source,))


def _is_fresh(measurement: Measurement, s: Situation) -> bool:
    return measurement.taken.may_be_within(days(s.numbers.fever_count_days), s.now)


def _ago(moment: Moment, s: Situation) -> str:
    return age_words(Known(True, at=moment), s.now)


def _short(words: str) -> str:
    return shorten(one_line(words), LONGEST_WORDS)


def known_of(items: Iterable[WorksheetItem]) -> list[WorksheetItem]:
    """The items of which the chart holds something."""
    return [item for item in items if item.finding is not None]
