"""Facts about one drug's limits against the counts: its window, what reaches which limit, and for how long."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.chart import MedicationOrder, PrefetchKey
from cds_service.clinical.draws import Count, plain
from cds_service.clinical.drug_table import HoldOperator
from cds_service.clinical.facts.count_facts import CELLS, incomplete, platelets
from cds_service.clinical.facts.drug_facts import ALWAYS
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known, Unknown, both, claim, either, is_true, negated
from cds_service.clinical.shared_numbers import days, lasts

NEEDS_COUNT = "Unknown where no count within the drug's window is usable and no bound reaches the limit"


def treatment_age(c: DrugCase) -> timedelta:
    """How long the drug has been active; zero where it is not (clozapine phases, long treatment)."""
    exposure = c.situation.exposure
    starts = [s for o in exposure.active_drug(lambda d: d == c.drug) if (s := exposure.started(o))]
    return max((start.youngest_age(c.situation.now) for start in starts), default=timedelta(0))


def window_of(c: DrugCase) -> Decimal:
    """Days a count may be old for this drug (C-FRESH, drug rules)."""
    n = c.situation.numbers
    age = treatment_age(c)
    if c.drug.is_clozapine:
        if age <= days(n.clozapine_early_days):
            return n.clozapine_early_window
        return n.clozapine_middle_window if age <= days(n.clozapine_middle_days) else n.clozapine_late_window
    if not c.order.draft:
        return n.current_days
    if c.drug.gate_window_days is None:
        return n.drug_window_days
    if c.drug.gate_window_days == n.short_gate_window_days and age > days(n.long_treatment_days):
        return n.long_gate_window_days
    return c.drug.gate_window_days


@fact(
    "drug.window_days",
    FactKind.NUMBER,
    unit="d",
    meaning="How old a count may be for this drug",
    missing=ALWAYS,
    source="C-FRESH",
)
def window_days(c: DrugCase) -> Answer:
    return Known(window_of(c))


@fact("drug.count_available", FactKind.BOOL, missing="Unknown where cell counts are unavailable", source="C-FRESH",
      meaning="A final usable neutrophil count surely lies within the drug's window")  # fmt: skip
def count_available(c: DrugCase) -> Answer:
    if c.situation.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    found = c.situation.counts.available_within(days(window_of(c)))
    return Known(found is not None, found.taken if found else None, found.sources if found else ())


def judged_count(c: DrugCase) -> Count | None:
    """The lower of count in force and bound within the drug's window. Active drugs: 28 d, clozapine included."""
    counts = c.situation.counts
    window = window_of(c) if c.order.draft else c.situation.numbers.current_days
    return next(iter(counts.low_counts(window)), None)


def below(c: DrugCase, limit: Decimal | None, *, inclusive: bool = False) -> Answer:
    """Whether the count reaches a limit. A bound can reach it, never clear it (C-ANC)."""
    if limit is None:
        return Known(False)
    count = judged_count(c)
    reached = count is not None and (count.value <= limit if inclusive else count.value < limit)
    if incomplete(c.situation) or (c.situation.chart.lacks(CELLS) and not reached):
        return Unknown(frozenset({CELLS}))
    if count is None:
        return Unknown(note=f"no usable count within {plain(window_of(c))} days")
    if not reached and c.situation.counts.bound is not None:
        return Unknown(note="only a WBC bounds the neutrophil count")
    return Known(reached, count.taken, count.sources)


@fact(
    "drug.below_anc_limit",
    FactKind.BOOL,
    meaning=(
        "The ANC (or bound) reaches the label's hold limit, with the label's operator; false where there is no limit"
    ),
    missing=NEEDS_COUNT,
    source="drugs.csv",
)
def below_anc_limit(c: DrugCase) -> Answer:
    return below(c, c.drug.anc_hold, inclusive=c.drug.anc_hold_operator is HoldOperator.AT_OR_BELOW)


@fact(
    "drug.below_fever_limit",
    FactKind.BOOL,
    meaning="Hot, and the ANC (or bound) is below the label's limit with fever; false where there is no such limit",
    missing=NEEDS_COUNT,
    source="drugs.csv",
)
def below_fever_limit(c: DrugCase) -> Answer:
    if c.drug.anc_hold_with_fever is None:
        return Known(False)
    return both(below(c, c.drug.anc_hold_with_fever), c.situation.fever.hot)


def platelets_below(c: DrugCase, limit: Decimal | None) -> Answer:
    """Platelets of the last 28 d (on drafts: of the gate window) against a limit."""
    if limit is None:
        return Known(False)
    value = platelets(c.situation)
    if not isinstance(value, Known) or value.at is None:
        return value
    if c.order.draft and not value.at.may_be_within(days(window_of(c)), c.situation.now):
        return Unknown(note="platelet count older than the drug's window")
    return Known(value.value < limit, value.at, value.sources)  # type: ignore[operator]


@fact(
    "drug.below_platelet_limit",
    FactKind.BOOL,
    meaning="Platelets are below the label's hold limit",
    missing="Unknown where the platelet count is; false where there is no limit",
    source="drugs.csv",
)
def below_platelet_limit(c: DrugCase) -> Answer:
    return platelets_below(c, c.drug.plt_hold)


def chemo_limit(c: DrugCase) -> tuple[Decimal, bool]:
    """The limit of rule 29 and whether it is inclusive: highest of 1.0, hold limit and, on drafts, cycle start."""
    n = c.situation.numbers
    candidates = [
        n.moderate_below,
        c.drug.anc_hold or Decimal(0),
        c.drug.anc_cycle_start or Decimal(0) if c.order.draft else Decimal(0),
    ]
    limit = max(candidates)
    inclusive = c.drug.anc_hold_operator is HoldOperator.AT_OR_BELOW and c.drug.anc_hold == limit
    return limit, inclusive


@fact(
    "drug.below_chemo_limit",
    FactKind.BOOL,
    meaning="The ANC (or bound) is below the highest of 1.0, the hold limit and, on a draft, the cycle-start limit",
    missing=NEEDS_COUNT,
    source="RULES 29",
)
def below_chemo_limit(c: DrugCase) -> Answer:
    limit, inclusive = chemo_limit(c)
    return below(c, limit, inclusive=inclusive)


@fact(
    "drug.chemo_limit",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The limit that rule 29 judges by",
    missing=ALWAYS,
    source="RULES 29",
)
def chemo_limit_number(c: DrugCase) -> Answer:
    return Known(chemo_limit(c)[0])


def chemo_platelet_limit(c: DrugCase) -> Decimal | None:
    limits = [c.drug.plt_hold, c.drug.plt_cycle_start if c.order.draft else None]
    return max((limit for limit in limits if limit is not None), default=None)


@fact(
    "drug.below_chemo_platelet_limit",
    FactKind.BOOL,
    meaning="Platelets are below the hold limit or, on a draft, the cycle-start limit, whichever is higher",
    missing="Unknown where the platelet count is; false where there is no limit",
    source="RULES 29",
)
def below_chemo_platelet_limit(c: DrugCase) -> Answer:
    return platelets_below(c, chemo_platelet_limit(c))


@fact(
    "drug.anc_limit",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning="The label's ANC hold limit",
    missing="Unknown where the label has none",
    source="drugs.csv",
)
def anc_limit(c: DrugCase) -> Answer:
    return Unknown(note="no label limit") if c.drug.anc_hold is None else Known(c.drug.anc_hold)


@fact(
    "drug.anc_at_most",
    FactKind.NUMBER,
    unit="10*9/L",
    meaning=(
        "The lower of count in force and bound within the drug's window: a bound is only to be compared with 'below'"
    ),
    missing="Unknown where no count or bound lies within the drug's window",
    source="C-ANC",
)
def anc_at_most(c: DrugCase) -> Answer:
    if incomplete(c.situation):
        return Unknown(frozenset({CELLS}))
    count = judged_count(c)
    return (
        Known(count.value, count.taken, count.sources, shown=count.shown)
        if count
        else Unknown(note="no count in the window")
    )


@fact("drug.high_limit_reached", FactKind.BOOL, missing="False where none is known to be reached", source="RULES 27",
      meaning="The label's limit that is reached (during treatment, or with fever) is 1.0 or higher")  # fmt: skip
def high_limit_reached(c: DrugCase) -> Answer:
    limits = ((c.drug.anc_hold, below_anc_limit(c)), (c.drug.anc_hold_with_fever, below_fever_limit(c)))
    reached = [limit for limit, verdict in limits if limit is not None and is_true(verdict)]
    return Known(max(reached, default=Decimal(0)) >= c.situation.numbers.moderate_below)


@fact(
    "drug.platelet_limit_reached",
    FactKind.BOOL,
    meaning="Platelets are known to be below the label's hold limit",
    missing="False where the platelet count is not known",
    source="RULES 27",
)
def platelet_limit_reached(c: DrugCase) -> Answer:
    return Known(is_true(below_platelet_limit(c)))


@fact(
    "drug.duration_pending",
    FactKind.BOOL,
    meaning=(
        "The label acts only on a count that lasts, the counts below the limit do not span that many days yet, and "
        "no platelet limit is reached"
    ),
    missing="Unknown where cell counts are unavailable",
    source="RULES 27",
)
def duration_pending(c: DrugCase) -> Answer:
    if c.drug.anc_hold_min_days is None or c.drug.anc_hold is None or is_true(below_platelet_limit(c)):
        return Known(False)
    if c.situation.chart.lacks(CELLS):
        return Unknown(frozenset({CELLS}))
    limit = c.drug.anc_hold
    run: list[Count] = []
    for count in c.situation.counts.series():
        if count.value >= limit:
            break
        run.append(count)
    spans = run[0].taken.latest - run[-1].taken.earliest if run else timedelta(0)
    return Known(not lasts(spans, c.drug.anc_hold_min_days), sources=tuple(count.source for count in run))


@fact("drug.stop_for_cytopenia", FactKind.BOOL, missing=ALWAYS, source="RULES 24",
      meaning="The reason for stopping is not stated, or is neutropenia, leukopenia or cytopenia")  # fmt: skip
def stop_for_cytopenia(c: DrugCase) -> Answer:
    return Known(_for_cytopenia(c.order), sources=(c.order.source,))


def _for_cytopenia(order: MedicationOrder) -> bool:
    stated = bool(order.reasons or (order.reason_text or "").strip())
    words = (order.reason_text or "").strip().lower()
    by_words = words in {"neutropenia", "leukopenia", "leucopenia", "cytopenia"}
    return not stated or bool(order.reasons & {"neutropenia", "leukopenia", "cytopenia"}) or by_words


@fact("drug.below_default_limit", FactKind.BOOL, missing=NEEDS_COUNT, source="RULES 25",
      meaning="The ANC (or bound) reaches the label's limit or, where the label has none, lies below 1.0")  # fmt: skip
def below_default_limit(c: DrugCase) -> Answer:
    if c.drug.has_anc_limit:
        return below_anc_limit(c)
    return below(c, c.situation.numbers.moderate_below)


@fact(
    "drug.below_moderate",
    FactKind.BOOL,
    meaning="The ANC (or bound) is below 1.0 within the drug's window",
    missing=NEEDS_COUNT,
    source="C-BAND",
)
def below_moderate(c: DrugCase) -> Answer:
    return below(c, c.situation.numbers.moderate_below)


@fact(
    "drug.below_severe",
    FactKind.BOOL,
    meaning="The ANC (or bound) is below 0.5 within the drug's window",
    missing=NEEDS_COUNT,
    source="C-BAND",
)
def below_severe(c: DrugCase) -> Answer:
    return below(c, c.situation.numbers.severe_below)


@fact(
    "drug.below_mild",
    FactKind.BOOL,
    meaning="The ANC (or bound) is below 1.5 within the drug's window",
    missing=NEEDS_COUNT,
    source="C-BAND",
)
def below_mild(c: DrugCase) -> Answer:
    return below(c, c.situation.numbers.mild_below)


@fact(
    "drug.taken_at_home",
    FactKind.BOOL,
    meaning="An active order is exposure by itself; an oral route makes it so",
    missing=ALWAYS,
    source="C-EXPOSURE",
)
def taken_at_home(c: DrugCase) -> Answer:
    return Known(c.situation.exposure.taken_at_home(c.order, c.drug))


@fact(
    "drug.new_or_restart",
    FactKind.BOOL,
    meaning="A draft of a drug that is not active, and whose last dose (where any is on file) is at least 30 d ago",
    missing="Unknown where drugs are unavailable",
    source="RULES 26",
)
def new_or_restart(c: DrugCase) -> Answer:
    window = days(c.situation.numbers.restart_days)
    recent = [
        e
        for e in c.situation.exposure.possible
        if e.drug == c.drug and (e.ongoing or not lasts(e.last.youngest_age(c.situation.now), window))
    ]
    taking = claim(c.situation.chart, recent, PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)
    return both(Known(c.order.draft), negated(taking))


@fact(
    "drug.confidence",
    FactKind.TEXT,
    meaning="How far the row was verified: high, medium or low",
    missing=ALWAYS,
    source="C-CONFIDENCE",
)
def confidence(c: DrugCase) -> Answer:
    return Known(c.drug.confidence.value)


@fact(
    "drug.limit_reached",
    FactKind.BOOL,
    meaning="Any limit that a draft of this drug is judged by is reached by a count, preliminary or bound",
    missing=NEEDS_COUNT,
    source="RULES 8",
)
def limit_reached(c: DrugCase) -> Answer:
    if c.drug.is_cytotoxic_or_adc:
        return below_chemo_limit(c)
    if c.drug.is_clozapine and not is_true(c.situation.duffy):
        return below_mild(c)
    if c.drug.is_hydroxyurea and not is_true(c.situation.diseases.has("sickle-cell-disease")):
        return below_moderate(c)
    return either(below_anc_limit(c), below_fever_limit(c))
