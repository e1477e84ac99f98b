"""Every rule's verdict on one situation: fired, not fired, unknown or suppressed, with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce

from cds_service.clinical.cards import Indicator
from cds_service.clinical.chart import MedicationOrder, PrefetchKey
from cds_service.clinical.conditions import Truth
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.facts.registry import FactSheet
from cds_service.clinical.knowledge import Known, Unknown
from cds_service.clinical.rules import ForEach, Guard, Rule, RuleLibrary, Suppressor
from cds_service.clinical.situation import Situation

DECEASED = "deceased"


class Outcome(StrEnum):
    """What came of a rule."""

    FIRED = "fired"
    NOT_FIRED = "not-fired"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class FiredCase:
    """Where a rule fired: for a for-each rule one drug of one order, else the patient as a whole."""

    sheet: FactSheet
    indicator: Indicator
    order: MedicationOrder | None = None
    drug: Drug | None = None


@dataclass(frozen=True)
class Verdict:
    """One rule's verdict. `missing_keys`: prefetch keys whose absence left it unknown. Times: those of the call."""

    rule: Rule
    outcome: Outcome
    sheets: tuple[FactSheet, ...]
    cases: tuple[FiredCase, ...] = ()
    missing_keys: frozenset[str] = frozenset()
    suppressed_by: str | None = None

    @property
    def fired(self) -> bool:
        return self.outcome is Outcome.FIRED

    @property
    def indicator(self) -> Indicator | None:
        """The highest level it fired at, also where suppressed."""
        return max((case.indicator for case in self.cases), key=lambda i: i.rank, default=None)


def judge_all(library: RuleLibrary, situation: Situation) -> list[Verdict]:
    """Every rule of the hook exactly once, after precedence and suppression."""
    rules = library.for_hook(situation.hook)
    sheet = FactSheet(situation)
    if situation.chart.patient is not None and situation.chart.patient.deceased:
        return [Verdict(rule, Outcome.SUPPRESSED, (sheet,), suppressed_by=DECEASED) for rule in rules]
    verdicts = {rule.id: _judge(rule, sheet) for rule in rules if not rule.scope}
    suppressed = _suppress(verdicts)
    for rule in (rule for rule in rules if rule.scope):
        suppressed = _apply_scope(rule, sheet, suppressed)
    return [suppressed[rule.id] for rule in rules]


def _judge(rule: Rule, sheet: FactSheet) -> Verdict:
    if rule.for_each is None:
        return _judge_case(rule, sheet)
    cases = [
        _judge_case(rule, sheet.for_drug(order, drug), order, drug)
        for order, drug in judged_drugs(rule, sheet.situation)
    ]
    return _combine(rule, sheet, cases)


def judged_drugs(rule: Rule, situation: Situation) -> Iterable[tuple[MedicationOrder, Drug]]:
    """What a for-each rule runs over: each drug of the orders that it looks at."""
    if rule.for_each is ForEach.STOPPED_DRUG:
        orders: Sequence[MedicationOrder] = situation.stops
    elif rule.for_each is ForEach.HELD_DRUG:
        orders = situation.held
    else:
        orders = situation.exposure.active if situation.on_chart else situation.systemic_drafts
    return ((order, drug) for order in orders for drug in order.drugs)


def _judge_case(
    rule: Rule, sheet: FactSheet, order: MedicationOrder | None = None, drug: Drug | None = None
) -> Verdict:
    truth = judge_guard(rule.guard, sheet)
    if truth is Truth.UNKNOWN:
        return Verdict(rule, Outcome.UNKNOWN, (sheet,), missing_keys=_missing_keys(rule, sheet))
    if truth is Truth.FALSE:
        return Verdict(rule, Outcome.NOT_FIRED, (sheet,))
    level = next(level for level in rule.levels if judge_guard(level.guard, sheet) is Truth.TRUE)
    return Verdict(rule, Outcome.FIRED, (sheet,), cases=(FiredCase(sheet, level.indicator, order, drug),))


def judge_guard(guard: Guard, sheet: FactSheet, levels: Mapping[str, str] | None = None) -> Truth:
    """TRUE where `when` is known to be true (or absent) and `unless` is not known to be true.

    Source: clinical specification, B0: evidence for danger is taken generously, evidence for reassurance strictly.
    """
    truth = guard.when.judge(sheet.answer, levels) if guard.when else Truth.TRUE
    if truth is Truth.FALSE or guard.unless is None:
        return truth
    return Truth.FALSE if guard.unless.judge(sheet.answer, levels) is Truth.TRUE else truth


def _combine(rule: Rule, sheet: FactSheet, found: Sequence[Verdict]) -> Verdict:
    """One verdict of a for-each rule: fired where a drug fired, unknown where a drug or the drug list is unknown."""
    sheets = tuple(s for v in found for s in v.sheets) or (sheet,)
    if cases := tuple(case for v in found for case in v.cases):
        return Verdict(rule, Outcome.FIRED, sheets, cases)
    keys = frozenset().union(*(v.missing_keys for v in found)) | _missing_drugs(rule, sheet.situation)
    if keys or any(v.outcome is Outcome.UNKNOWN for v in found):
        return Verdict(rule, Outcome.UNKNOWN, sheets, missing_keys=keys)
    return Verdict(rule, Outcome.NOT_FIRED, sheets)


def _missing_drugs(rule: Rule, situation: Situation) -> frozenset[str]:
    """An unavailable drug list leaves a rule about active or held drugs unknown; drafts and stops are always known."""
    key = PrefetchKey.MEDICATION_REQUESTS
    reads_list = rule.for_each is ForEach.HELD_DRUG or (rule.for_each is ForEach.DRUG and situation.on_chart)
    if reads_list and situation.chart.lacks(key):
        return frozenset({str(key)})
    return frozenset()


def _missing_keys(rule: Rule, sheet: FactSheet) -> frozenset[str]:
    """The unavailable data behind the facts of `when` that are not known."""
    names = rule.guard.when.facts if rule.guard.when else frozenset[str]()
    return _unavailable(names, sheet)


def _unavailable(names: Iterable[str], sheet: FactSheet) -> frozenset[str]:
    answers = (sheet.answer(name) for name in names)
    return frozenset(str(key) for a in answers if isinstance(a, Unknown) for key in a.missing)


def _suppress(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Apply declared precedence; rules come suppressors first, so one pass is enough."""
    settled: dict[str, Verdict] = {}
    for rule_id, verdict in verdicts.items():
        named = (s for s in verdict.rule.suppressors if s.rule in settled)
        by = next((s.rule for s in named if _silences(s, settled[s.rule], verdict)), None)
        settled[rule_id] = _silenced(verdict, by) if by else verdict
    return settled


def _silences(suppressor: Suppressor, speaker: Verdict, verdict: Verdict) -> bool:
    """True where the guard holds for what a rule fired for; but never of a critical verdict that outranks that."""
    if not speaker.fired or verdict.outcome is Outcome.NOT_FIRED:
        return False
    levels = {case.indicator for case in speaker.cases if judge_guard(suppressor.guard, case.sheet) is Truth.TRUE}
    return Indicator.CRITICAL in levels or (bool(levels) and verdict.indicator is not Indicator.CRITICAL)


def _silenced(verdict: Verdict, by: str) -> Verdict:
    return replace(verdict, outcome=Outcome.SUPPRESSED, suppressed_by=by)


def _apply_scope(rule: Rule, sheet: FactSheet, verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """A scope rule silences all others where it applies; its level follows what they would have said (rule 9)."""
    levels = {rule_id: level for rule_id, v in verdicts.items() if (level := _level_word(v)) is not None}
    applies = judge_guard(rule.guard, sheet)
    outcome, cases = _scope_outcome(rule, sheet, applies, levels)
    keys = _unavailable(rule.condition_facts, sheet).union(*(v.missing_keys for v in verdicts.values()))
    own = Verdict(rule, outcome, (sheet,), cases, keys if outcome is Outcome.UNKNOWN else frozenset())
    if applies is not Truth.TRUE:
        return {**verdicts, rule.id: own}
    silent = {rule_id: _silenced(v, rule.id) if _has_to_say(v) else v for rule_id, v in verdicts.items()}
    return {**silent, rule.id: own}


def _has_to_say(verdict: Verdict) -> bool:
    """What fired, or is unknown for other reasons than missing data: those stay reported as not evaluated."""
    return verdict.outcome is not Outcome.NOT_FIRED and not (
        verdict.outcome is Outcome.UNKNOWN and verdict.missing_keys
    )


def _level_word(verdict: Verdict) -> str | None:
    """What a scope rule sees of another rule: its level, "none", or nothing where it is unknown."""
    if verdict.fired and verdict.indicator is not None:
        return verdict.indicator.value
    return None if verdict.outcome is Outcome.UNKNOWN else "none"


def _scope_outcome(
    rule: Rule, sheet: FactSheet, applies: Truth, levels: Mapping[str, str]
) -> tuple[Outcome, tuple[FiredCase, ...]]:
    """Kleene AND of "applies" and "some level holds"."""
    judged = [(level, judge_guard(level.guard, sheet, levels)) for level in rule.levels]
    hit = next((level for level, truth in judged if truth is Truth.TRUE), None)
    if applies is Truth.FALSE or (hit is None and all(truth is Truth.FALSE for _, truth in judged)):
        return Outcome.NOT_FIRED, ()
    if applies is Truth.UNKNOWN or hit is None:
        return Outcome.UNKNOWN, ()
    return Outcome.FIRED, (FiredCase(sheet, hit.indicator),)


def because(verdict: Verdict) -> dict[str, Known]:
    """The known facts that the rule's conditions name; of a for-each rule those of the first drug it fired for."""
    sheet = verdict.cases[0].sheet if verdict.cases else verdict.sheets[0]
    answers = {name: sheet.answer(name) for name in sorted(verdict.rule.condition_facts)}
    return {name: answer for name, answer in answers.items() if isinstance(answer, Known)}


def missing_facts(verdict: Verdict) -> dict[str, Unknown]:
    """The facts that the rule's conditions name and that are not known."""
    sheet = verdict.cases[0].sheet if verdict.cases else verdict.sheets[0]
    answers = {name: sheet.answer(name) for name in sorted(verdict.rule.condition_facts)}
    return {name: answer for name, answer in answers.items() if isinstance(answer, Unknown)}


def all_missing_keys(verdicts: Iterable[Verdict]) -> frozenset[str]:
    """Prefetch keys that left some rule unknown."""
    unknown = (v.missing_keys for v in verdicts if v.outcome is Outcome.UNKNOWN)
    return reduce(frozenset.union, unknown, frozenset())
