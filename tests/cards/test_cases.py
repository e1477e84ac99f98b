"""Every case beside a rule holds."""

from __future__ import annotations

from functools import cache

import pytest

from cds_service.card_files.cases import Case, CaseBook
from cds_service.clinical.cards import Indicator
from cds_service.clinical.markdown import SUMMARY_MAX, one_line
from cds_service.clinical.verdicts import judge_all
from cds_service.clinical.wording import detail_of, lines_of, summary_of
from tests.places import ROOT

CARDS = ROOT / "cards"


@cache
def _book() -> CaseBook:
    return CaseBook(CARDS)


@pytest.mark.parametrize("case", _book().all_cases, ids=lambda case: case.id)
def test_the_case_holds(case: Case) -> None:
    assert _book().runner.run(case).problems == ()


@pytest.mark.parametrize("case", _book().all_cases, ids=lambda case: case.id)
def test_what_fires_can_be_said(case: Case) -> None:
    """Whatever fires beside the rule of the case: its texts fill in, nothing is left of a placeholder."""
    for verdict in judge_all(_book().library, _book().runner.situation(case)):
        if verdict.fired:
            texts = [summary_of(verdict), detail_of(verdict), *lines_of(verdict)]
            assert verdict.rule.title not in texts, "no text could be filled in"
            assert not [text for text in texts if "{" in text.replace("\\{", "") or "limits." in text]
            assert len(one_line(texts[0])) <= SUMMARY_MAX


def test_no_critical_verdict_is_silenced_by_a_lesser_one() -> None:
    library, runner = _book().library, _book().runner
    for case in _book().all_cases:
        verdicts = {v.rule.id: v for v in judge_all(library, runner.situation(case))}
        for verdict in verdicts.values():
            by = verdicts.get(verdict.suppressed_by or "")
            if by is not None and not by.rule.scope and verdict.indicator is Indicator.CRITICAL:
                assert by.indicator is Indicator.CRITICAL, case.id
