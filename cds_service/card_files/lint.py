"""Every fault of a card library at once: what does not load, the policies of rules and of cases, the version lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cds_service.card_files.boundaries import boundaries_left_out
from cds_service.card_files.case_policies import policies_broken
from cds_service.card_files.cases import Case, build_situation, cases_path, read_cases, read_shared_cases
from cds_service.card_files.library import load_library, read_numbers, read_rules
from cds_service.card_files.probes import Probes
from cds_service.card_files.rule_policies import (
    RULE_POLICIES,
    Fault,
    drugs_are_of_rules_about_drugs,
    levels_are_of_active_rules,
    limits_are_not_typed_into_texts,
    summaries_fit_on_a_card,
    suppressors_share_a_hook,
    words_of_conditions_exist,
)
from cds_service.card_files.tables import load_terminology
from cds_service.card_files.version_lock import check_lock
from cds_service.card_files.yaml_files import line_of, read_yaml
from cds_service.clinical.rules import Rule
from cds_service.clinical.situation import Situation
from cds_service.errors import CardFileError, CardLibraryError


def lint(cards_dir: Path) -> list[CardFileError]:
    """Every fault of a library; empty where there is none. A library that does not load gives only that."""
    try:
        load_library(cards_dir)
        load_terminology(cards_dir)
    except CardLibraryError as broken:
        return list(broken.faults)
    except CardFileError as fault:
        return [fault]
    return LibraryLint(cards_dir).faults()


class LibraryLint:
    """The policies over one library that loads."""

    def __init__(self, cards_dir: Path) -> None:
        self.cards_dir = cards_dir
        self.rules = read_rules(cards_dir)[0]
        self.terminology = load_terminology(cards_dir)
        self.numbers = read_numbers(cards_dir / "shared.yaml")
        self.units = {name: str(entry["unit"]) for name, entry in read_yaml(cards_dir / "shared.yaml").items()}
        self.probes = Probes(self.terminology, self.numbers)

    def faults(self) -> list[CardFileError]:
        """All of them, rule by rule, then what concerns the library as a whole."""
        judged = [rule for rule in self.rules if rule.status != "retired"]
        found = [fault for rule in judged for fault in self._of_rule(rule)]
        found += [fault for rule in judged if rule.status == "active" for fault in self._of_cases(rule)]
        return found + self._of_shared_cases() + self._stray_files() + check_lock(self.cards_dir, self.rules)

    def _of_rule(self, rule: Rule) -> Iterator[CardFileError]:
        faults: list[Fault] = [fault for policy in RULE_POLICIES for fault in policy(rule)]
        faults += limits_are_not_typed_into_texts(rule, self.units)
        faults += summaries_fit_on_a_card(rule, self.probes)
        faults += words_of_conditions_exist(rule, self.terminology.drugs)
        faults += suppressors_share_a_hook(rule, self.rules)
        faults += drugs_are_of_rules_about_drugs(rule, self.rules)
        faults += levels_are_of_active_rules(rule, self.rules)
        path = Path(rule.path)
        yield from (CardFileError(words, path=path, line=line_of(path, near)) for words, near in faults)

    def _of_cases(self, rule: Rule) -> list[CardFileError]:
        path = cases_path(rule)
        if not path.exists():
            return [CardFileError("is missing: every active rule has cases", path=path)]
        try:
            cases = read_cases(path)
        except CardFileError as fault:
            return [fault]
        situations, unreadable = self._situations(cases)
        wanting = [*policies_broken(rule, cases), *boundaries_left_out(rule, situations)]
        return [*unreadable, *(CardFileError(f"of the cases, {words}", path=path) for words in wanting)]

    def _situations(self, cases: Sequence[Case]) -> tuple[list[Situation], list[CardFileError]]:
        """Of each case that can be read, and the faults of the others."""
        situations, faults = [], []
        for case in cases:
            try:
                situations.append(build_situation(case, self.terminology, self.numbers))
            except CardFileError as fault:
                faults.append(fault)
        return situations, faults

    def _of_shared_cases(self) -> list[CardFileError]:
        try:
            cases = read_shared_cases(self.cards_dir, {rule.id for rule in self.rules if rule.status == "active"})
        except CardFileError as fault:
            return [fault]
        return self._situations(cases)[1]

    def _stray_files(self) -> list[CardFileError]:
        """Files of cases beside no rule: their cases would never run."""
        ours = {cases_path(rule) for rule in self.rules}
        found = sorted((self.cards_dir / "rules").glob("*/*.cases.yaml"))
        return [CardFileError("there is no rule of this name", path=path) for path in found if path not in ours]
