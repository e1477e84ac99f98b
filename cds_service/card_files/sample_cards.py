"""The card of a rule as it will look: that of its first case that fires, with the rule speaking alone.

An author sees the words in place. Buttons are drawn without the orders behind them: those belong to a site.
"""

from __future__ import annotations

from itertools import count

from cds_service.card_files.cases import CaseBook
from cds_service.clinical.cards import Action, Card
from cds_service.clinical.presentation import Presenter
from cds_service.clinical.suggestions import NEEDS_SITE_ORDER, SuggestedStep
from cds_service.clinical.verdicts import Outcome, judge_all


def sample_card(book: CaseBook, rule_id: str) -> tuple[str, Card] | None:
    """The name of a case that fires, and its card; None for a rule that is not active or has no such case.

    Raises: CardLibraryError, CardFileError.
    """
    rule = next((rule for rule in book.library.rules if rule.id == rule_id), None)
    case = next((c for c in book.cases_of(rule) if c.expect.outcome == Outcome.FIRED), None) if rule else None
    if case is None:
        return None
    situation = book.runner.situation(case)
    spoken = [verdict for verdict in judge_all(book.library, situation) if verdict.rule.id == rule_id]
    numbers = count(1)
    cards = Presenter(book.library, situation, _drawn, lambda: f"card-{next(numbers)}").present(spoken)
    return (case.name, cards[0]) if cards else None


def _drawn(step: SuggestedStep) -> tuple[Action, ...]:
    """A button, except for what only a site can order."""
    return () if step.kind in NEEDS_SITE_ORDER else (Action("create", step.description),)
