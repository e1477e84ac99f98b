"""Facts about antibacterial prophylaxis: profound counts that last, what makes them last, and cover under way."""

from __future__ import annotations

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.draws import Count
from cds_service.clinical.drug_table import Antibacterial
from cds_service.clinical.facts.count_facts import NEEDS_CELLS, whether
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.facts.text_facts import age
from cds_service.clinical.knowledge import Answer, Known, Unknown, claim
from cds_service.clinical.recent_procedures import intensive_chemotherapy
from cds_service.clinical.shared_numbers import days, hours, lasts
from cds_service.clinical.situation import Situation

COVER = frozenset({Antibacterial.FLUOROQUINOLONE, Antibacterial.ANTIPSEUDOMONAL})


def earlier_profound(s: Situation) -> Count | None:
    """The newest count below 0.1 at least 7 d before the one in force, and of the same episode.

    Counts at least 24 h older than the one in force, up to 365 d old; one of 0.5 or more ends the episode.
    """
    n, latest = s.numbers, s.counts.in_force
    if latest is None:
        return None
    for count in s.counts.series(days(n.stale_days)):
        if latest.taken.earliest - count.taken.latest < hours(n.previous_hours):
            continue
        if count.value >= n.severe_below:
            return None
        long_before = lasts(latest.taken.latest - count.taken.earliest, n.profound_span_days)
        if long_before and count.value < n.profound_below:
            return count
    return None


@fact("profound_7_days_earlier", FactKind.BOOL, missing=NEEDS_CELLS, source="RULES 29e",
      meaning="Another final count below 0.1, taken 7 d or more before the one in force, with none of 0.5 or more "
              "between")  # fmt: skip
def profound_7_days_earlier(s: Situation) -> Answer:
    found = earlier_profound(s)
    return whether(found is not None, s, found)


@fact("earlier_profound_words", FactKind.TEXT, missing="Unknown where there is none", source="RULES 29e",
      meaning="The earlier profound count with its age")  # fmt: skip
def earlier_profound_words(s: Situation) -> Answer:
    found = earlier_profound(s)
    if found is None:
        return Unknown(note="no earlier profound count")
    return Known(f"{found.shown} ({age(found.taken, s)})", found.taken, found.sources)


@fact("intensive_chemotherapy_30_days", FactKind.BOOL, source="RULES 29e",
      missing="True on any evidence; unknown where procedures are unavailable",
      meaning="Leukaemia induction or conditioning within 30 d")  # fmt: skip
def intensive_chemotherapy_30_days(s: Situation) -> Answer:
    return claim(s.chart, intensive_chemotherapy(s), PrefetchKey.PROCEDURES)


@fact("intensive_chemotherapy_words", FactKind.TEXT, missing="Unknown where there was none", source="RULES 29e",
      meaning="The leukaemia induction or conditioning with its age")  # fmt: skip
def intensive_chemotherapy_words(s: Situation) -> Answer:
    found = [(p.text, p.performed, p.source) for p in intensive_chemotherapy(s)]
    words = [f"{text} ({age(performed, s)})" for text, performed, _ in found if performed]
    if not words:
        return Unknown(note="none within 30 d")
    return Known("; ".join(words), sources=tuple(source for *_, source in found))


@fact("antibacterial_cover", FactKind.BOOL, source="RULES 29e",
      missing="True on any evidence; unknown where drugs are unavailable",
      meaning="A systemic fluoroquinolone or antipseudomonal drug is active")  # fmt: skip
def antibacterial_cover(s: Situation) -> Answer:
    return claim(s.chart, s.exposure.active_drug(lambda d: d.antibacterial in COVER), PrefetchKey.MEDICATION_REQUESTS)
