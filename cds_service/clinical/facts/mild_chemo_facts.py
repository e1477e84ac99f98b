"""Facts about a cytotoxic draft at a mild count: the count as measured, and the dose that the label gives for it."""

from __future__ import annotations

from cds_service.clinical.draws import plain
from cds_service.clinical.facts.count_facts import CELLS, incomplete
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.limit_facts import judged_count
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown


@fact("drug.anc", FactKind.NUMBER, unit="10*9/L", source="RULES 29b",
      meaning="The neutrophil count in force, within the drug's window and not bounded by a newer WBC",
      missing="Unknown where none lies within the window, a WBC bounds it, or cell counts are unavailable")  # fmt: skip
def drug_anc(c: DrugCase) -> Answer:
    if incomplete(c.situation):
        return Unknown(frozenset({CELLS}))
    count = judged_count(c)
    if count is None:
        return Unknown(note="no count in the window")
    if c.situation.counts.bound is not None:
        return Unknown(note="only a WBC bounds the neutrophil count")
    return Known(count.value, count.taken, count.sources, shown=count.shown)


@fact("drug.mild_dose_stated", FactKind.BOOL, missing=ALWAYS, source="drugs.csv",
      meaning="The label states a share of the dose for a mild count")  # fmt: skip
def mild_dose_stated(c: DrugCase) -> Answer:
    return Known(c.drug.dose_percent_at_mild is not None)


@fact("drug.mild_dose_words", FactKind.TEXT, missing="Unknown where the label states none", source="drugs.csv",
      meaning="The share of the dose that the label gives at a mild count")  # fmt: skip
def mild_dose_words(c: DrugCase) -> Answer:
    share = c.drug.dose_percent_at_mild
    return Unknown(note="no share stated") if share is None else Known(f"{plain(share)} % of the dose")
