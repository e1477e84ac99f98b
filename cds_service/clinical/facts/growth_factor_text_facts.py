"""Facts in words about growth factors, for card text only: doses and their times, radiotherapy, reasons, allergies."""

from __future__ import annotations

from datetime import timedelta

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import Exposed
from cds_service.clinical.facts.chart_facts import sickle_cell_disease
from cds_service.clinical.facts.fever_facts import DRUGS
from cds_service.clinical.facts.growth_factor_facts import (
    chest_chemoradiation,
    growth_factor_allergy,
    growth_factor_without_reason,
)
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.facts.text_facts import ALWAYS, age
from cds_service.clinical.growth_factors import Gap, acting, cytotoxics, perhaps_too_soon, reasons, too_soon
from cds_service.clinical.knowledge import Answer, Known, Unknown, is_true, lacking
from cds_service.clinical.moments import Moment
from cds_service.clinical.recent_procedures import chest_radiotherapy
from cds_service.clinical.situation import Situation

ONE_HOUR = timedelta(hours=1)


def listed(s: Situation, words: list[str], sources: list[str], *keys: str) -> Answer:
    """What was found; else "none on file", or "not known" where something that would tell is unavailable."""
    nothing = "not known (data unavailable)" if lacking(s.chart, *keys) else "none on file"
    return Known("; ".join(dict.fromkeys(words)) or nothing, sources=tuple(dict.fromkeys(sources)))


def _newest_of_each(exposures: list[Exposed]) -> list[Exposed]:
    """The newest exposure to each drug, newest first; of a dose and its order the dose."""
    newest: dict[Drug, Exposed] = {}
    for exposed in sorted(exposures, key=lambda e: (e.last, e.given), reverse=True):
        newest.setdefault(exposed.drug, exposed)
    return list(newest.values())


def _dose_words(exposed: Exposed, s: Situation) -> str:
    when = "ongoing" if exposed.ongoing else age(exposed.last, s)
    unproven = "" if exposed.given or exposed.ongoing else " (order; no dose on record)"
    return f"{exposed.drug.ingredient}, {when}{unproven}"


@fact("cytotoxic_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="Cytotoxics and antibody-drug conjugates of the last 28 d, newest first")  # fmt: skip
def cytotoxic_words(s: Situation) -> Answer:
    found = _newest_of_each(cytotoxics(s))
    return listed(s, [_dose_words(e, s) for e in found], [e.source for e in found], *DRUGS)


@fact("growth_factor_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29c",
      meaning="Growth factors that may still act")  # fmt: skip
def growth_factor_words(s: Situation) -> Answer:
    found = _newest_of_each(acting(s))
    return listed(s, [_dose_words(e, s) for e in found], [e.source for e in found], *DRUGS)


@fact("chest_radiotherapy_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="Radiotherapy of the chest within 14 d")  # fmt: skip
def chest_radiotherapy_words(s: Situation) -> Answer:
    found = [(p.text, p.performed, p.source) for p in chest_radiotherapy(s)]
    words = [f"{text}, {age(performed, s)}" for text, performed, _ in found if performed]
    return listed(s, words, [source for *_, source in found], PrefetchKey.PROCEDURES)


@fact("growth_factor_reason_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="What can be a reason for a growth factor")  # fmt: skip
def growth_factor_reason_words(s: Situation) -> Answer:
    found = reasons(s)
    words = [f"{r.words}, {age(r.at, s)}" if r.at else r.words for r in found]
    return listed(s, words, [r.source for r in found], *DRUGS, PrefetchKey.CONDITIONS, PrefetchKey.PROCEDURES)


@fact("growth_factor_allergy_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="Allergies to a growth factor")  # fmt: skip
def growth_factor_allergy_words(s: Situation) -> Answer:
    found = [a for a in s.chart.allergies if any(d.is_growth_factor for d in a.drugs)]
    return listed(s, [a.text for a in found], [a.source for a in found], PrefetchKey.ALLERGIES)


@fact("drug.first_dose_words", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="When the first dose of the draft is planned")  # fmt: skip
def first_dose_words(c: DrugCase) -> Answer:
    first = c.order.planned_first_dose
    return Known("time not stated" if first is None else _moment_words(first), first, (c.order.source,))


def _moment_words(first: Moment) -> str:
    return f"{first.latest:%Y-%m-%d %H:%M} UTC" if first.exact else f"{first.day}, without a time"


@fact("drug.cytotoxic_gap_words", FactKind.TEXT, missing="Unknown where no such dose is known", source="RULES 29d",
      meaning="The cytotoxic dose that lies, or may lie, less than 24 h before the planned first dose")  # fmt: skip
def cytotoxic_gap_words(c: DrugCase) -> Answer:
    if sure := too_soon(c.situation, c.order):
        return Known(f"planned {_after(sure[0])}", sources=(sure[0].source,))
    perhaps, first = perhaps_too_soon(c.situation, c.order), c.order.planned_first_dose
    if not perhaps:
        return Unknown(note="no cytotoxic dose near it")
    near = perhaps[0].drug.ingredient
    words = f"planned {_moment_words(first)}, {near} perhaps" if first else f"no planned time, {near}"
    return Known(f"{words} within 24 h before", sources=(perhaps[0].source,))


def _after(gap: Gap) -> str:
    """The time in whole hours, rounded down; where a day only is known, that it is less than 24 h."""
    whole = int(gap.least / ONE_HOUR)
    hours = "less than 24 h" if gap.least != gap.most else f"{whole} h" if whole else "less than 1 h"
    return f"{hours} after {gap.drug.ingredient}"


@fact("drug.growth_factor_cautions", FactKind.TEXT, missing=ALWAYS, source="RULES 29d",
      meaning="All that speaks against the growth factor, and what is open")  # fmt: skip
def growth_factor_cautions(c: DrugCase) -> Answer:
    s, gap = c.situation, cytotoxic_gap_words(c)
    cautions = (
        (growth_factor_allergy(s), "allergy on file"),
        (chest_chemoradiation(s), "chemotherapy with radiotherapy of the chest"),
        (sickle_cell_disease(s), "sickle cell disease"),
        (growth_factor_without_reason(s), "no reason for a growth factor on file"),
    )
    words = [str(gap.value)] if isinstance(gap, Known) else []
    words += [caution for holds, caution in cautions if is_true(holds)]
    return Known("; ".join(words) or "nothing known against it")
