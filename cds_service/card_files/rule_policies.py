"""The policies of rules: what the engine would accept but a clinician should not have to.

Each policy is a function named as the sentence it enforces; it gives what is wrong and near which words it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from cds_service.card_files.condition_terms import numbers_in
from cds_service.card_files.probes import Probes
from cds_service.card_files.truth_tables import TooManyFacts, guarantees
from cds_service.clinical.cards import Indicator
from cds_service.clinical.conditions import Condition, limits_in
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.markdown import SUMMARY_MAX
from cds_service.clinical.rules import Guard, Place, Rule, Text
from cds_service.clinical.templates import PLACEHOLDER, Template

UNIT_WORDS = {"d": "d|day|days", "h": "h|hour|hours", "min": "min|minutes", "Cel": "C|Cel", "a": "y|years"}
HTML = re.compile(r"<[A-Za-z/!]|&[a-z]+;|&#")
NOBODY = "nobody"
"""What sources.yaml says of a reference that nobody has verified."""

LEVEL_NAME = re.compile(r"level\['([^']+)'\]")
_WORD = re.compile(r"""([\w.]+)\s*[=!]=\s*['"]([^'"]*)['"]""")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]|\.\d)")

Fault = tuple[str, str]
"""What is wrong, and words of the file near which it stands."""


def guards_of(rule: Rule) -> Iterator[Guard]:
    """Every guard of a rule."""
    yield rule.guard
    yield from (level.guard for level in rule.levels)
    yield from (suppressor.guard for suppressor in rule.suppressors)
    yield from (text.guard for texts in texts_of(rule).values() for text in texts)
    for suggestion in rule.suggestions:
        yield suggestion.guard
        yield from (due.guard for due in suggestion.due)


def conditions_of(rule: Rule) -> list[Condition]:
    """Every condition of a rule, each once."""
    return list({c.text: c for guard in guards_of(rule) for c in guard.conditions}.values())


def texts_of(rule: Rule) -> dict[str, tuple[Text, ...]]:
    """The texts of a rule by their field."""
    return {"summary": rule.summary, "detail": rule.detail, "line": rule.line}


def templates_of(rule: Rule) -> list[Template]:
    """Everything that a clinician reads of a rule."""
    texts = [text.template for variants in texts_of(rule).values() for text in variants]
    reasons = [suggestion.reason for suggestion in rule.suggestions if suggestion.reason]
    return [*texts, *(suggestion.label for suggestion in rule.suggestions), *reasons]


def conditions_take_numbers_from_limits(rule: Rule) -> Iterator[Fault]:
    """Every number once: a condition names limits; only 0 may be written."""
    for condition in conditions_of(rule):
        typed = [number for number in numbers_in(condition.text) if Decimal(number) != 0]
        if typed:
            yield f"condition {condition.text!r} has the number {', '.join(typed)}: make it a limit", typed[0]


def every_limit_is_used(rule: Rule) -> Iterator[Fault]:
    """A limit that nothing names is a number nobody checks."""
    used = {name for condition in conditions_of(rule) for name in limits_in(condition.text)}
    used |= {p.name.removeprefix("limits.") for template in templates_of(rule) for p in template.placeholders}
    for name in sorted(set(rule.limits) - used):
        yield f"limit {name} is used nowhere", f"{name}:"


def the_last_text_needs_no_condition(rule: Rule) -> Iterator[Fault]:
    """So that there is always something to say."""
    for field, texts in texts_of(rule).items():
        if texts[-1].guard.conditions:
            yield f"{field}: the last text must hold always: leave out its conditions", f"{field}:"


def texts_print_only_what_is_known(rule: Rule) -> Iterator[Fault]:
    """The last text of each kind, and every label, prints only facts that the conditions guarantee to be known.

    An earlier text with an unknown fact is passed over, so it may print more.
    """
    for field, texts in texts_of(rule).items():
        yield from _unproven(rule, texts[-1].template, texts[-1].guard, field)
    for suggestion in rule.suggestions:
        yield from _unproven(rule, suggestion.label, suggestion.guard, f"label of {suggestion.kind}")
        if suggestion.reason:
            yield from _unproven(rule, suggestion.reason, suggestion.guard, f"reason of {suggestion.kind}")


def _unproven(rule: Rule, template: Template, guard: Guard, field: str) -> Iterator[Fault]:
    conditions = [c for c in (rule.guard.when, guard.when) if c is not None]
    for fact in sorted(template.required_facts):
        try:
            known = guarantees(conditions, fact)
        except TooManyFacts as problem:
            yield f"{field}: whether {fact} is known cannot be proven: {problem}", f"{{{fact}"
            continue
        if not known:
            yield f"{field}: {fact} may be unknown here; write {{{fact}|words for not known}}", f"{{{fact}"


def texts_have_no_html(rule: Rule) -> Iterator[Fault]:
    """Markdown only."""
    for template in templates_of(rule):
        if found := HTML.search(PLACEHOLDER.sub("", template.text)):
            yield f"text has HTML at {found[0]!r}", found[0]


def an_active_rule_cites_what_somebody_read(rule: Rule) -> Iterator[Fault]:
    """A draft may rest on a reference that nobody has verified yet; what clinicians see may not."""
    if rule.status == "active":
        for reference in rule.sources:
            if reference.verified == NOBODY:
                yield f"nobody has verified {reference.id}: an active rule may not cite it", "sources:"


def every_level_has_a_place(rule: Rule) -> Iterator[Fault]:
    """Wherever a rule can fire, it is said how it is shown."""
    for indicator in sorted({level.indicator for level in rule.levels} - set(rule.places)):
        yield f"place does not say where {indicator} goes", "place:"


def critical_cards_stand_alone(rule: Rule) -> Iterator[Fault]:
    """A critical verdict is never a line of another card (clinical specification, presentation 1)."""
    critical = any(level.indicator is Indicator.CRITICAL for level in rule.levels)
    if critical and rule.places.get(Indicator.CRITICAL, Place.OWN) is not Place.OWN:
        yield "a critical card must have the place own", "place:"


def suggestions_stand_once(rule: Rule) -> Iterator[Fault]:
    """One entry for each kind, so that a case can speak of it by its name."""
    kinds = [suggestion.kind for suggestion in rule.suggestions]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        yield f"suggestion {kind} stands here twice", kind


def due_days_go_with_their_words(rule: Rule) -> Iterator[Fault]:
    """A label that prints a day needs one, and the last day must hold always."""
    for suggestion in rule.suggestions:
        printed = {p.name for p in suggestion.label.placeholders} & {"due", "due_date"}
        if printed and not suggestion.due:
            yield f"label of {suggestion.kind} prints {min(printed)}, but due_days is not given", suggestion.kind
        if suggestion.due and suggestion.due[-1].guard.conditions:
            yield f"due_days of {suggestion.kind}: the last must hold always", suggestion.kind


RULE_POLICIES: tuple[Callable[[Rule], Iterator[Fault]], ...] = (
    conditions_take_numbers_from_limits,
    every_limit_is_used,
    the_last_text_needs_no_condition,
    texts_print_only_what_is_known,
    texts_have_no_html,
    an_active_rule_cites_what_somebody_read,
    every_level_has_a_place,
    critical_cards_stand_alone,
    suggestions_stand_once,
    due_days_go_with_their_words,
)
"""Policies that look at one rule alone."""


def limits_are_not_typed_into_texts(rule: Rule, units: Mapping[str, str]) -> Iterator[Fault]:
    """A limit is printed by its placeholder, so that changing it changes the text. `units`: of the shared numbers."""
    for template in templates_of(rule):
        text = PLACEHOLDER.sub(" ", template.text)
        for limit in rule.limits.values():
            unit = units[limit.shared] if limit.shared else limit.unit
            if typed := _typed(text, limit.value, unit):
                near = next(line for line in template.text.splitlines() if typed in line)
                yield f"text has {typed} typed in: print {{limits.{limit.name}}}", near


def _typed(text: str, value: Decimal, unit: str) -> str | None:
    """A count with its decimal point, or another number with its unit."""
    words = UNIT_WORDS.get(unit)
    for found in _NUMBER.finditer(text):
        followed = words and re.match(rf"\s*(?:{words})\b", text[found.end() :])
        if Decimal(found[0]) == value and (followed or (words is None and "." in found[0])):
            return found[0]
    return None


def summaries_fit_on_a_card(rule: Rule, probes: Probes) -> Iterator[Fault]:
    """Fewer than 140 characters, also with the longest drug names and ages (CDS Hooks 2.0, card attributes)."""
    for text in rule.summary:
        filled = probes.longest(text.template, rule)
        if len(filled) > SUMMARY_MAX:
            yield f"summary can have {len(filled)} characters: {filled!r}", text.template.text


DRUG_WORDS: Mapping[str, Callable[[Drug], str | None]] = {
    "drug.ingredient": lambda drug: drug.ingredient,
    "drug.group": lambda drug: drug.mechanism_group,
    "drug.risk": lambda drug: drug.risk,
    "drug.tier": lambda drug: drug.idiosyncratic_tier or "",
    "drug.confidence": lambda drug: drug.confidence,
}
"""Text facts whose values are those of a column of drugs.csv."""


def words_of_conditions_exist(rule: Rule, drugs: Sequence[Drug]) -> Iterator[Fault]:
    """A misspelt ingredient or class would silently never match."""
    for condition in conditions_of(rule):
        for fact, word in _WORD.findall(condition.text):
            column = DRUG_WORDS.get(fact)
            if column and word not in {column(drug) for drug in drugs}:
                yield f"condition {condition.text!r} asks for {fact} {word!r}, which no row of drugs.csv has", word


def suppressors_share_a_hook(rule: Rule, rules: Sequence[Rule]) -> Iterator[Fault]:
    """What is never judged together cannot silence."""
    by_id = {other.id: other for other in rules}
    for name in rule.suppressed_by:
        suppressor = by_id.get(name)
        if suppressor is not None and not suppressor.hooks & rule.hooks:
            yield f"suppressed_by names {name}, which shares no hook with it", name
        if suppressor is not None and suppressor.status != "active":
            yield f"suppressed_by names {name}, which is {suppressor.status}", name


def drugs_are_of_rules_about_drugs(rule: Rule, rules: Sequence[Rule]) -> Iterator[Fault]:
    """A suppressor that is judged once for the patient has no drug that a condition could speak of."""
    about_drugs = {other.id for other in rules if other.for_each is not None}
    for suppressor in rule.suppressors:
        facts = frozenset[str]().union(*(condition.facts for condition in suppressor.guard.conditions))
        named = sorted(name for name in facts if name.startswith("drug."))
        if named and suppressor.rule not in about_drugs:
            yield f"suppressed_by asks {named[0]} of {suppressor.rule}, which is not about drugs", named[0]


def levels_are_of_active_rules(rule: Rule, rules: Sequence[Rule]) -> Iterator[Fault]:
    """level['…'] of a rule that is not there would never be known."""
    active = {other.id for other in rules if other.status == "active"}
    named = {name for condition in conditions_of(rule) for name in LEVEL_NAME.findall(condition.text)}
    for name in sorted(named - active):
        yield f"level[{name!r}] is of no active rule", name
