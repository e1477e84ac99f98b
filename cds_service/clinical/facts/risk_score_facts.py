"""Facts for the card on the MASCC and CISNE worksheets: the last cytotoxic drug, and items known or not (RULES 3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.facts.fever_facts import DRUGS
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.facts.text_facts import ALWAYS
from cds_service.clinical.knowledge import Answer, Known, Unknown, lacking
from cds_service.clinical.risk_worksheets import WorksheetItem, cisne_items, known_of, mascc_items
from cds_service.clinical.situation import Situation


@fact(
    "cytotoxic_age_days",
    FactKind.NUMBER,
    unit="d",
    meaning="Elapsed days since the last possible exposure to a cytotoxic or antibody-drug conjugate",
    missing="Unknown where no exposure is known",
    source="RULES 3",
)
def cytotoxic_age_days(s: Situation) -> Answer:
    exposed = [e for e in s.exposure.possible if e.drug.is_cytotoxic_or_adc]
    last = min(exposed, key=lambda e: e.last.youngest_age(s.now), default=None)
    if last is None:
        return Unknown(lacking(s.chart, *DRUGS), "no cytotoxic drug on file")
    return Known(Decimal(last.last.youngest_age(s.now) / timedelta(days=1)), last.last, (last.source,))


@fact("worksheet_counts", FactKind.TEXT, missing=ALWAYS, source="C-SCORE",
      meaning="How many items of the MASCC and CISNE worksheets the chart holds; no total of points")  # fmt: skip
def worksheet_counts(s: Situation) -> Answer:
    mascc, cisne = mascc_items(s), cisne_items(s)
    return Known(f"MASCC {len(known_of(mascc))} of {len(mascc)}, CISNE {len(known_of(cisne))} of {len(cisne)}")


@fact("mascc_known", FactKind.TEXT, missing=ALWAYS, source="C-SCORE",
      meaning="The MASCC items that the chart holds, with their values")  # fmt: skip
def mascc_known(s: Situation) -> Answer:
    return _known_words(mascc_items(s))


@fact("mascc_unknown", FactKind.TEXT, missing=ALWAYS, source="C-SCORE", meaning="The MASCC items that are not known")
def mascc_unknown(s: Situation) -> Answer:
    return _unknown_words(mascc_items(s))


@fact("cisne_known", FactKind.TEXT, missing=ALWAYS, source="C-SCORE",
      meaning="The CISNE items that the chart holds, with their values")  # fmt: skip
def cisne_known(s: Situation) -> Answer:
    return _known_words(cisne_items(s))


@fact("cisne_unknown", FactKind.TEXT, missing=ALWAYS, source="C-SCORE", meaning="The CISNE items that are not known")
def cisne_unknown(s: Situation) -> Answer:
    return _unknown_words(cisne_items(s))


def _known_words(items: Iterable[WorksheetItem]) -> Answer:
    known = known_of(items)
    words = "; ".join(f"{item.name}: {item.finding}" for item in known)
    return Known(words or "none", sources=tuple(source for item in known for source in item.sources))


def _unknown_words(items: Iterable[WorksheetItem]) -> Answer:
    """Never empty: some items are always judged at the bedside."""
    return Known("; ".join(item.name for item in items if item.finding is None))
