"""Which fired rules are not shown again, because the same user has answered them for the same order and results.

Only looks and decides; whatever goes wrong, the card is shown. Source: clinical specification, presentation 6.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cds_service.application.feedback_report import ACCEPTED, OVERRIDDEN
from cds_service.application.hook_request import HookRequest
from cds_service.application.ports import AnswerLog, PastAnswer
from cds_service.clinical.cards import Card
from cds_service.clinical.evidence import evidence_of
from cds_service.clinical.presentation import UNCHECKED_TOPIC
from cds_service.clinical.quiet_policy import QuietPolicy
from cds_service.clinical.rules import Rule, RuleLibrary
from cds_service.clinical.suggestions import RESTS_ON_DRUG_ROW, SuggestionKind
from cds_service.clinical.verdicts import Verdict

QUIET = "quiet"
"""The name of the policy, in the card library and in the evaluation."""

BESIDE_THE_ORDER = frozenset(str(kind) for kind in frozenset(SuggestionKind) - RESTS_ON_DRUG_ROW)
"""The kinds of suggestions that leave the order as it is."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Quiet:
    """What one call found out: the fingerprint of each rule whose answer will count, and the rules to withhold now."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    def marked(self, card: Card) -> Card:
        """The card with the fingerprints of its rules. The card that says what was not checked answers for no rule."""
        if card.topic == UNCHECKED_TOPIC:
            return card
        rules = (replace(rule, fingerprint=self.fingerprints.get(rule.id)) for rule in card.rules)
        return replace(card, rules=tuple(rules))


def find_answered(
    library: RuleLibrary, log: AnswerLog | None, request: HookRequest, verdicts: Sequence[Verdict], now: datetime
) -> Quiet:
    """`verdicts` are those that may be withheld. A user who is not named is nobody's same user: all is shown."""
    policy, user = library.presentation.quiet, request.context.get("userId")
    minor = [verdict for verdict in verdicts if policy and verdict.rule.id not in policy.never]
    if policy is None or log is None or not minor or not isinstance(user, str) or not user.strip():
        return Quiet()
    try:
        return _Search(policy, log, request, now, _all_reasons(library)).look(minor)
    except Exception as error:  # noqa: BLE001 - a card too many is better than none (invariant 9)
        fault = {"error": type(error).__name__, "hookInstance": request.hook_instance}
        _log.warning("earlier_answers_not_known", extra=fault)
        return Quiet()


def _all_reasons(library: RuleLibrary) -> frozenset[str]:
    return frozenset(reason.code for rule in library.rules for reason in rule.override_reasons)


@dataclass(frozen=True, slots=True)
class _Search:
    """One look at the log. `reasons`: the codes that rules of this library offer for declining."""

    policy: QuietPolicy
    log: AnswerLog
    request: HookRequest
    now: datetime
    reasons: frozenset[str]

    def look(self, verdicts: Sequence[Verdict]) -> Quiet:
        found = {verdict.rule.id: self._fingerprint(verdict) for verdict in verdicts}
        since = self.now - self.policy.longest
        answers = self.log.answers(frozenset(found.values()), client=self.request.client, since=since)
        withheld = (v.rule.id for v in verdicts if self._is_settled(v.rule, found[v.rule.id], answers))
        return Quiet(found, frozenset(withheld))

    def _fingerprint(self, verdict: Verdict) -> str:
        """One user of one client with one patient, and all that the verdict rests on."""
        who = (self.request.client, self.request.tenant, self.request.patient_id, self.request.context["userId"])
        return self.log.fingerprint((*who, evidence_of(verdict)))

    def _is_settled(self, rule: Rule, fingerprint: str, answers: Sequence[PastAnswer]) -> bool:
        ours = (answer for answer in answers if answer.fingerprint == fingerprint)
        return any(self._declines(answer, rule) or self._follows(answer, rule) for answer in ours)

    def _declines(self, answer: PastAnswer, rule: Rule) -> bool:
        """A card can speak for several rules: a reason that only others of them offer was said of those."""
        if answer.outcome != OVERRIDDEN or self.now - answer.answered_at >= self.policy.overridden:
            return False
        offered = {reason.code for reason in rule.override_reasons}
        return answer.reason in offered or answer.reason not in self.reasons

    def _follows(self, answer: PastAnswer, rule: Rule) -> bool:
        """On signing: advice for something beside the order was taken. Advice to change the order cannot have been."""
        if answer.outcome != ACCEPTED or self.request.hook != "order-sign":
            return False
        taken = frozenset(answer.accepted)
        of_this_rule = taken & {str(suggestion.kind) for suggestion in rule.suggestions}
        return bool(of_this_rule) and taken <= BESIDE_THE_ORDER and self.now - answer.answered_at < self.policy.accepted
