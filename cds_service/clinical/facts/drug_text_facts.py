"""Facts in words about one drug of one order, for card text only: its limits, doses, sources and cautions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from cds_service.clinical.draws import plain
from cds_service.clinical.drug_table import Confidence, Drug, IdiosyncraticTier, ResumeOperator
from cds_service.clinical.facts.count_facts import CELLS, platelets
from cds_service.clinical.facts.limit_facts import (
    below_anc_limit,
    below_chemo_limit,
    below_chemo_platelet_limit,
    below_fever_limit,
    below_platelet_limit,
    chemo_limit,
    chemo_platelet_limit,
    window_of,
)
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.facts.text_facts import ALWAYS, age, anc_words
from cds_service.clinical.knowledge import Answer, Known, Unknown, is_true


@fact(
    "drug.count_words",
    FactKind.TEXT,
    meaning="The newest count for this drug and its age, or that none is on file",
    missing=ALWAYS,
    source="RULES 8",
)
def drug_count_words(c: DrugCase) -> Answer:
    return anc_words(c.situation)


@fact(
    "drug.last_count",
    FactKind.TEXT,
    meaning="The last final count and its age, or that there is none",
    missing=ALWAYS,
    source="RULES 8",
)
def drug_last_count(c: DrugCase) -> Answer:
    last = next(iter(c.situation.counts.final), None)
    if c.situation.chart.lacks(CELLS):
        return Known("cell counts unavailable")
    return Known(f"last {last.shown}, {age(last.taken, c.situation)}" if last else "no usable count on file")


@fact("drug.window_words", FactKind.TEXT, missing=ALWAYS, source="C-FRESH", meaning="The drug's count window in days")
def drug_window_words(c: DrugCase) -> Answer:
    return Known(f"{plain(window_of(c))} days")


@fact(
    "drug.limit_words",
    FactKind.TEXT,
    meaning="The label's limits during treatment, with operators",
    missing=ALWAYS,
    source="drugs.csv",
)
def drug_limit_words(c: DrugCase) -> Answer:
    return Known(limit_words(c.drug))


def limit_words(drug: Drug) -> str:
    """ "hold below 1.0", with platelets and the limit with fever where the label has them."""
    words = []
    if drug.anc_hold is not None:
        words.append(f"hold {'at or below' if drug.anc_hold_operator == '<=' else 'below'} ANC {plain(drug.anc_hold)}")
    if drug.plt_hold is not None:
        words.append(f"below PLT {plain(drug.plt_hold)}")
    if drug.anc_hold_with_fever is not None:
        words.append(f"with fever below ANC {plain(drug.anc_hold_with_fever)}")
    return ", ".join(words) or "no numeric limit"


@fact(
    "drug.resume_words",
    FactKind.TEXT,
    meaning="When the label resumes",
    missing="Unknown where the label has no resume limit",
    source="drugs.csv",
)
def drug_resume_words(c: DrugCase) -> Answer:
    d = c.drug
    words = [f"ANC {_operator(d)}{plain(d.anc_resume)}"] if d.anc_resume is not None else []
    words += [f"PLT {_operator(d)}{plain(d.plt_resume)}"] if d.plt_resume is not None else []
    if not words:
        return Unknown(note="no resume limit")
    return Known(" and ".join(words) + (" or the patient's baseline" if d.resume_or_baseline else ""))


@fact(
    "drug.resume_phrase",
    FactKind.TEXT,
    meaning="When the label resumes, or that it states no limit",
    missing=ALWAYS,
    source="drugs.csv",
)
def drug_resume_phrase(c: DrugCase) -> Answer:
    words = drug_resume_words(c)
    return Known(f"resume at {words.value}" if isinstance(words, Known) else "no resume limit stated")


def _operator(drug: Drug) -> str:
    return ">" if drug.anc_resume_operator is ResumeOperator.ABOVE else ">="


@fact(
    "drug.label_action",
    FactKind.TEXT,
    meaning="What the label does on resumption, notes, and how counts are monitored",
    missing="Unknown where the table has none",
    source="drugs.csv",
)
def drug_label_action(c: DrugCase) -> Answer:
    monitoring = f"monitoring: {c.drug.monitoring}" if c.drug.monitoring else ""
    words = "; ".join(part for part in (c.drug.label_action, c.drug.notes, monitoring) if part)
    return Known(words) if words else Unknown(note="nothing stated")


CAVEATS: Mapping[Confidence, str] = {
    Confidence.MEDIUM: "limit not re-read against the current label",
    Confidence.LOW: "contradictory or incomplete: text only",
}
"""What a card says of a row that was not fully verified (C-CONFIDENCE)."""


@fact(
    "drug.source_words",
    FactKind.TEXT,
    meaning="Where the limit was read, and how far it was verified",
    missing=ALWAYS,
    source="C-CONFIDENCE",
)
def drug_source_words(c: DrugCase) -> Answer:
    caveat = CAVEATS.get(c.drug.confidence)
    return Known(f"{c.drug.source} (confidence {c.drug.confidence.value}{f'; {caveat}' if caveat else ''})")


@fact(
    "drug.unread_note",
    FactKind.TEXT,
    meaning="That the drug's limit was not re-read against the current label",
    missing="Unknown where it was",
    source="C-CONFIDENCE",
)
def drug_unread_note(c: DrugCase) -> Answer:
    caveat = CAVEATS.get(c.drug.confidence)
    return Known(f"({caveat})") if caveat else Unknown(note="read")


@fact(
    "drug.extra_check",
    FactKind.TEXT,
    missing="Unknown where there is none",
    source="RULES 27b",
    meaning="What else to look at with this drug",
)
def drug_extra_check(c: DrugCase) -> Answer:
    if c.drug.ingredient != "methotrexate":
        return Unknown(note="nothing more")
    return Known("With methotrexate check renal function and consider folinic acid.")


@fact(
    "drug.stop_options",
    FactKind.TEXT,
    meaning="What can be done with a drug at its limit; one not to be stopped abruptly is never paused without asking",
    missing="Always known; says in words what is not",
    source="drugs.csv",
)
def drug_stop_options(c: DrugCase) -> Answer:
    if c.drug.stop_suggestion == "consult":
        return Known(
            "ask the pharmacy or the specialist about a taper or another drug, continue with a reason; "
            f"{c.drug.ingredient} is not to be stopped abruptly"
        )
    return Known("hold or stop, ask the pharmacy or the specialist, continue with a reason")


@fact(
    "drug.stop_caution",
    FactKind.TEXT,
    meaning="That a drug must not be stopped abruptly",
    missing="Unknown where the drug may be paused without asking",
    source="drugs.csv",
)
def drug_stop_caution(c: DrugCase) -> Answer:
    if c.drug.stop_suggestion != "consult":
        return Unknown(note="may be paused")
    return Known(f"Do not stop {c.drug.ingredient} abruptly: ask the specialist or the pharmacy first.")


@fact(
    "drug.tier_words",
    FactKind.TEXT,
    meaning="What an idiosyncratic drug's tier means: no rechallenge by the label, or a possible cause only",
    missing="Always known; says in words what is not",
    source="RULES 25",
)
def drug_tier_words(c: DrugCase) -> Answer:
    no_rechallenge = c.drug.idiosyncratic_tier is IdiosyncraticTier.A
    return Known("label: do not rechallenge after agranulocytosis" if no_rechallenge else "possible cause")


@fact(
    "drug.dose_words",
    FactKind.TEXT,
    meaning="The dose of the order, as text",
    missing="Unknown where the order states no dose",
    source="RULES 27",
)
def drug_dose_words(c: DrugCase) -> Answer:
    if c.order.daily_dose_mg is not None:
        return Known(f"{plain(c.order.daily_dose_mg)} mg/day", sources=(c.order.source,))
    return Known(c.order.dose_text) if c.order.dose_text else Unknown(note="no dose stated")


@fact(
    "drug.chemo_limit_words",
    FactKind.TEXT,
    meaning="The limit of rule 29 and where it comes from",
    missing=ALWAYS,
    source="RULES 29",
)
def drug_chemo_limit_words(c: DrugCase) -> Answer:
    limit, inclusive = chemo_limit(c)
    words = f"{'at or below' if inclusive else 'below'} ANC {plain(limit)} ({limit_source(c.drug, limit)})"
    thrombocytes = chemo_platelet_limit(c)
    return Known(words + (f" or below PLT {plain(thrombocytes)}" if thrombocytes is not None else ""))


def limit_source(drug: Drug, limit: Decimal) -> str:
    return "drug table" if limit in (drug.anc_hold, drug.anc_cycle_start) else "service policy"


@fact(
    "drug.reached_limits",
    FactKind.TEXT,
    meaning="The limits that the counts reach, shortest form",
    missing=ALWAYS,
    source="RULES 27, 29",
)
def drug_reached_limits(c: DrugCase) -> Answer:
    return Known(" and ".join(_reached(c)) or limit_words(c.drug))


def _reached(c: DrugCase) -> list[str]:
    return _chemo_reached(c) if c.drug.is_cytotoxic_or_adc else _label_reached(c)


def _chemo_reached(c: DrugCase) -> list[str]:
    limit, thrombocytes = chemo_limit(c)[0], chemo_platelet_limit(c)
    words = [f"ANC {plain(limit)} ({limit_source(c.drug, limit)})"] if is_true(below_chemo_limit(c)) else []
    return words + (
        [f"PLT {plain(thrombocytes)}"] if thrombocytes is not None and is_true(below_chemo_platelet_limit(c)) else []
    )


def _label_reached(c: DrugCase) -> list[str]:
    d = c.drug
    operator = "at or below" if d.anc_hold_operator == "<=" else "below"
    words = [f"{operator} ANC {plain(d.anc_hold)}"] if d.anc_hold is not None and is_true(below_anc_limit(c)) else []
    by_fever = not words and d.anc_hold_with_fever is not None and is_true(below_fever_limit(c))
    words += (
        [f"with fever below ANC {plain(d.anc_hold_with_fever)}"]
        if by_fever and d.anc_hold_with_fever is not None
        else []
    )
    return words + (
        [f"below PLT {plain(d.plt_hold)}"] if d.plt_hold is not None and is_true(below_platelet_limit(c)) else []
    )


@fact(
    "drug.reached_counts",
    FactKind.TEXT,
    meaning="The counts that reach a limit, with their ages; both where neither is known to",
    missing=ALWAYS,
    source="RULES 27, 29",
)
def drug_reached_counts(c: DrugCase) -> Answer:
    words = " ".join(_reached(c))
    thrombocytes = platelets(c.situation)
    shown = f"PLT {thrombocytes.shown}" if isinstance(thrombocytes, Known) else "PLT not known"
    neutrophils = f"ANC {anc_words(c.situation).value}"  # type: ignore[union-attr]
    chosen = [text for text in (neutrophils, shown) if text[:3] in words] or [neutrophils, shown]
    return Known(", ".join(chosen))


@fact(
    "drug.in_cycle_words",
    FactKind.TEXT,
    meaning="The number within a cycle, where it differs from cycle start",
    missing="Unknown where the label has one number only",
    source="RULES 29",
)
def drug_in_cycle_words(c: DrugCase) -> Answer:
    d = c.drug
    if d.anc_cycle_start is None or d.anc_hold is None or d.anc_cycle_start == d.anc_hold:
        return Unknown(note="one limit only")
    return Known(f"within a cycle: {limit_words(d)}; to start one: ANC {plain(d.anc_cycle_start)}")


@fact(
    "drug.since_words",
    FactKind.TEXT,
    meaning="Since when the drug is taken",
    missing="Unknown where no start is stated",
    source="RULES 22",
)
def drug_since_words(c: DrugCase) -> Answer:
    if c.order.draft:
        return Known("a new order", sources=(c.order.source,))
    started = c.situation.exposure.started(c.order)
    return Known(f"since {started.day}", started) if started else Unknown(note="start not stated")


@fact(
    "drug.trigger_words",
    FactKind.TEXT,
    meaning="Which of the counts reached a limit",
    missing=ALWAYS,
    source="RULES 27",
)
def drug_trigger_words(c: DrugCase) -> Answer:
    thrombocytes = platelets(c.situation)
    words = f"ANC {anc_words(c.situation).value}"  # type: ignore[union-attr]
    shown = f"PLT {thrombocytes.shown}" if isinstance(thrombocytes, Known) else "PLT not known"
    return Known(f"{words}, {shown}")
