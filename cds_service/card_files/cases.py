"""The cases beside the rules: reads them, judges each with the whole library, and says where a verdict differs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cds_service.card_files.case_charts import CaseChart
from cds_service.card_files.case_input import CaseInputError, Item
from cds_service.card_files.library import load_library
from cds_service.card_files.tables import load_terminology
from cds_service.card_files.yaml_files import line_of, read_yaml
from cds_service.clinical.cards import Indicator
from cds_service.clinical.facts.registry import FACTS
from cds_service.clinical.rules import Rule, RuleLibrary
from cds_service.clinical.shared_numbers import SharedNumbers
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.clinical.templates import shown
from cds_service.clinical.terminology import Terminology
from cds_service.clinical.verdicts import Outcome, Verdict, because, judge_all, missing_facts
from cds_service.clinical.wording import detail_of, lines_of, offered, step_of, summary_of
from cds_service.errors import CardFileError

SHARED_CASES = "shared.cases.yaml"
EXPECT_KEYS = (
    "outcome", "suppressed_by", "indicator", "suggestions", "due", "missing", "line_contains", "summary_contains",
    "detail_contains",
)  # fmt: skip


@dataclass(frozen=True)
class Expectation:
    """What a case demands of its rule's verdict; None demands nothing.

    `suggestions` are the kinds offered, each once; `due` the days of a suggestion's kind; `missing` the prefetch keys.
    """

    outcome: str
    suppressed_by: str | None = None
    indicator: str | None = None
    suggestions: tuple[str, ...] | None = None
    due: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    line_contains: str | None = None
    summary_contains: str | None = None
    detail_contains: str | None = None


@dataclass(frozen=True)
class Case:
    """One case of one rule, with its place."""

    rule: str
    name: str
    given: Mapping[str, Any]
    expect: Expectation
    path: Path
    line: int | None = None

    @property
    def id(self) -> str:
        return f"{self.rule}: {self.name}"

    def fault(self, message: str) -> CardFileError:
        return CardFileError(f"case {self.name!r}: {message}", path=self.path, line=self.line)


@dataclass(frozen=True)
class CaseResult:
    """What came of a case. `problems` are sentences, empty where the case holds; `facts` what a failed one rests on."""

    case: Case
    problems: tuple[str, ...]
    facts: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        return self.case.rule

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class CaseRunner:
    """Judges cases; every situation is built once, so that a mutated rule costs little more than its own conditions."""

    library: RuleLibrary
    terminology: Terminology
    situations: dict[str, Situation] = field(default_factory=dict, repr=False)

    def situation(self, case: Case) -> Situation:
        """Raises: CardFileError."""
        if case.id not in self.situations:
            self.situations[case.id] = build_situation(case, self.terminology, self.library.numbers)
        return self.situations[case.id]

    def run(self, case: Case) -> CaseResult:
        """Raises: CardFileError where the input cannot be read or the rule has no such hook."""
        situation = self.situation(case)
        verdict = next((v for v in judge_all(self.library, situation) if v.rule.id == case.rule), None)
        if verdict is None:
            raise case.fault(f"the rule is not evaluated on {situation.hook}")
        problems = tuple(_differences(case.expect, verdict, situation))
        return CaseResult(case, problems, tuple(_facts_of(verdict)) if problems else ())


def build_situation(case: Case, terminology: Terminology, numbers: SharedNumbers) -> Situation:
    """The situation of a case. Raises: CardFileError."""
    try:
        return CaseChart(case.given, terminology, numbers).situation()
    except CaseInputError as problem:
        raise case.fault(str(problem)) from problem


def run_cases(cards_dir: Path, rule_ids: Sequence[str] | None = None) -> list[CaseResult]:
    """Run the cases of the active rules, or of those named. Raises: CardLibraryError, CardFileError."""
    book = CaseBook(cards_dir)
    chosen = {rule.id for rule in book.chosen(rule_ids)}
    return [book.runner.run(case) for case in book.all_cases if case.rule in chosen]


@dataclass(frozen=True)
class CaseBook:
    """A library with its tables and the cases of its active rules, each read once."""

    cards_dir: Path

    @cached_property
    def library(self) -> RuleLibrary:
        return load_library(self.cards_dir)

    @cached_property
    def runner(self) -> CaseRunner:
        return CaseRunner(self.library, load_terminology(self.cards_dir))

    @cached_property
    def _read(self) -> dict[str, list[Case]]:
        return {}

    def cases_of(self, rule: Rule) -> list[Case]:
        """The cases of a rule, read when they are asked for. Raises: CardFileError."""
        if rule.id not in self._read:
            self._read[rule.id] = read_cases(cases_path(rule))
        return self._read[rule.id]

    @cached_property
    def all_cases(self) -> list[Case]:
        """The cases of all rules, and those of the shared numbers. Raises: CardFileError."""
        own = [case for rule in self.chosen(None) for case in self.cases_of(rule)]
        return own + read_shared_cases(self.cards_dir, {rule.id for rule in self.library.rules})

    def chosen(self, rule_ids: Sequence[str] | None) -> list[Rule]:
        """The rules named, in order of their ids; all where none is named. Raises: CardFileError."""
        known = {rule.id: rule for rule in sorted(self.library.rules, key=lambda rule: rule.id)}
        if unknown := sorted(set(rule_ids or ()) - set(known)):
            raise CardFileError(f"no active rule is called {', '.join(unknown)}")
        return [rule for rule_id, rule in known.items() if not rule_ids or rule_id in rule_ids]


def cases_path(rule: Rule) -> Path:
    """Where the cases of a rule lie."""
    return Path(rule.path).with_suffix(".cases.yaml")


def read_cases(path: Path) -> list[Case]:
    """The cases of one rule's file; a file that is not there has none. Raises: CardFileError."""
    if not path.exists():
        return []
    rule_id = path.name.removesuffix(".cases.yaml")
    book = _content(path, "rule", "cases")
    if book.get("rule") != rule_id:
        raise CardFileError(f"rule: is {book.get('rule')!r}, but the file is of {rule_id}", path=path)
    return _distinct(_case(given, rule_id, path) for given in book.get("cases") or ())


def read_shared_cases(cards_dir: Path, rule_ids: Collection[str]) -> list[Case]:
    """The cases that notice a change of a shared number; each names the rule it looks at. Raises: CardFileError."""
    path = cards_dir / SHARED_CASES
    if not path.exists():
        return []
    cases = _distinct(_case(given, "", path) for given in _content(path, "cases").get("cases") or ())
    for case in cases:
        if case.rule not in rule_ids:
            raise case.fault(f"no active rule is called {case.rule!r}")
    return cases


def _content(path: Path, *keys: str) -> Item:
    try:
        return Item(read_yaml(path), *keys, what="file")
    except CaseInputError as problem:
        raise CardFileError(str(problem), path=path) from problem


def _distinct(cases: Iterable[Case]) -> list[Case]:
    """The cases, each of another name. Raises: CardFileError."""
    found: dict[str, Case] = {}
    for case in cases:
        if case.id in found:
            raise case.fault("stands here twice")
        found[case.id] = case
    return list(found.values())


def _case(given: Any, rule_id: str, path: Path) -> Case:
    """`rule_id` is empty where each case names its rule."""
    name = given.get("name") if isinstance(given, Mapping) else None
    line = line_of(path, str(name)) if name else None
    try:
        item = Item(given, "name", "input", "expect", *(() if rule_id else ("rule",)), what="case")
        rule, name = rule_id or str(item.needed("rule")), str(item.needed("name"))
        return Case(rule, name, item.needed("input") or {}, _expectation(item.needed("expect")), path, line)
    except CaseInputError as problem:
        raise CardFileError(f"case {name!r}: {problem}", path=path, line=line) from problem


def _expectation(given: Any) -> Expectation:
    item = Item(given, *EXPECT_KEYS, what="expect")
    item.needed("outcome")
    expect = Expectation(**{**given, **{k: tuple(given[k]) for k in ("suggestions", "missing") if k in item}})
    if expect.outcome not in set(Outcome):
        raise CaseInputError(f"expect: outcome {expect.outcome} is none of {', '.join(Outcome)}")
    if expect.indicator is not None and expect.indicator not in set(Indicator):
        raise CaseInputError(f"expect: indicator {expect.indicator} is none of {', '.join(Indicator)}")
    kinds = {*(expect.suggestions or ()), *expect.due}
    if unknown := sorted(kinds - set(SuggestionKind)):
        raise CaseInputError(f"expect: {', '.join(unknown)} is no kind of suggestion")
    return expect


def _differences(expect: Expectation, verdict: Verdict, situation: Situation) -> Iterable[str]:
    """Sentences on what was expected and what came."""
    if expect.outcome != verdict.outcome:
        by = f" (by {verdict.suppressed_by})" if verdict.suppressed_by else ""
        missing = f" (missing {', '.join(sorted(verdict.missing_keys))})" if verdict.missing_keys else ""
        yield f"expected {expect.outcome}, but it is {verdict.outcome}{by}{missing}"
        return
    if expect.suppressed_by is not None and expect.suppressed_by != verdict.suppressed_by:
        yield f"expected to be suppressed by {expect.suppressed_by}, but it is by {verdict.suppressed_by}"
    if expect.missing is not None and set(expect.missing) != verdict.missing_keys:
        yield f"expected {_listed(expect.missing)} to be missing, but it is {_listed(sorted(verdict.missing_keys))}"
    if verdict.fired:
        yield from _fired_differences(expect, verdict, situation)


def _fired_differences(expect: Expectation, verdict: Verdict, situation: Situation) -> Iterable[str]:
    if expect.indicator is not None and expect.indicator != verdict.indicator:
        yield f"expected {expect.indicator}, but it is {verdict.indicator}"
    chosen = [(suggestion.kind.value, suggestion, case) for suggestion, case in offered(verdict, situation)]
    kinds = list(dict.fromkeys(kind for kind, _, _ in chosen))
    if expect.suggestions is not None and set(expect.suggestions) != set(kinds):
        yield f"expected to offer {_listed(expect.suggestions)}, but it offers {_listed(kinds)}"
    if expect.due:
        due = {kind: step_of(verdict, suggestion, case).due_in_days for kind, suggestion, case in chosen}
        for kind, days in expect.due.items():
            if due.get(kind) != days:
                yield f"expected {kind} in {days} days, but it is in {due.get(kind)}"
    yield from _text_differences(expect, verdict)


def _facts_of(verdict: Verdict) -> Iterable[str]:
    """Every fact that the rule's conditions name, with its value, date and origin, or why it is not known."""
    for name, known in because(verdict).items():
        unit = FACTS[name].unit
        date = f" ({known.at.day})" if known.at else ""
        origin = f" from {', '.join(known.sources)}" if known.sources else ""
        yield f"{name} = {shown(known)}{f' {unit}' if unit else ''}{date}{origin}"
    for name, unknown in missing_facts(verdict).items():
        keys = f"{', '.join(sorted(unknown.missing))} unavailable" if unknown.missing else ""
        yield f"{name} not known" + (f": {words}" if (words := keys or unknown.note) else "")


def _text_differences(expect: Expectation, verdict: Verdict) -> Iterable[str]:
    """Texts are only filled in where a case asks for them."""
    for what, wanted, text in (
        ("summary", expect.summary_contains, summary_of),
        ("detail", expect.detail_contains, detail_of),
        ("line", expect.line_contains, lambda fired: "\n".join(lines_of(fired))),
    ):
        if wanted is not None and wanted not in (said := text(verdict)):
            yield f"expected {wanted!r} in the {what}, but it reads {said!r}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
