"""Facts that tell lymphopenia from neutropenia as the reason of a low leukocyte count (RULES 14)."""

from __future__ import annotations

from cds_service.clinical.facts.count_facts import NEEDS_CELLS, NO_COUNT, about, whether
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer
from cds_service.clinical.lymphocytes import beside, lymphocytes_beside
from cds_service.clinical.situation import Situation


@fact(
    "lymphocytes",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The lymphocyte count within 24 h of the newest WBC: measured, else the WBC times the share of its draw",
    missing=NO_COUNT,
    source="RULES 14",
)
def lymphocytes(s: Situation) -> Answer:
    white = s.counts.white
    return about(lymphocytes_beside(white, s.chart.measurements, s.numbers, s.now) if white else None, s)


@fact(
    "anc_beside_wbc",
    FactKind.BOOL,
    meaning=(
        "The ANC in force was taken within 24 h of the newest WBC and is a count of its own, not only 'at most' so much"
    ),
    missing=NEEDS_CELLS,
    source="RULES 14",
)
def anc_beside_wbc(s: Situation) -> Answer:
    """Only an ANC of that time can say that the leukocytes are not low for want of neutrophils."""
    count, white = s.counts.in_force, s.counts.white
    if count is None or white is None or count.upper_bound:
        return whether(False, s)
    return whether(beside(count.taken, white.taken, s.numbers), s, count)
