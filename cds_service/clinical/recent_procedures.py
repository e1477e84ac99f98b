"""Procedures within a time before the call: radiotherapy of the chest, transplants, induction (rules 29c-29e)."""

from __future__ import annotations

from datetime import timedelta

from cds_service.clinical.chart import PerformedProcedure
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

CHEST_RADIOTHERAPY = frozenset({"thoracic-radiotherapy"})
TRANSPLANT = frozenset({"hsct", "conditioning"})
INTENSIVE_CHEMOTHERAPY = frozenset({"leukaemia-induction", "conditioning"})


def procedures_within(s: Situation, kinds: frozenset[str], window: timedelta) -> list[PerformedProcedure]:
    """Procedures of these kinds that may lie within `window`; undated ones do not count."""
    dated = [(p, p.performed) for p in s.chart.procedures if p.kinds & kinds and p.performed is not None]
    return [procedure for procedure, performed in dated if performed.may_be_within(window, s.now)]


def chest_radiotherapy(s: Situation) -> list[PerformedProcedure]:
    return procedures_within(s, CHEST_RADIOTHERAPY, days(s.numbers.chest_radiotherapy_days))


def transplants(s: Situation) -> list[PerformedProcedure]:
    return procedures_within(s, TRANSPLANT, days(s.numbers.transplant_days))


def intensive_chemotherapy(s: Situation) -> list[PerformedProcedure]:
    """Leukaemia induction or conditioning, after which a low count lasts."""
    return procedures_within(s, INTENSIVE_CHEMOTHERAPY, days(s.numbers.marrow_procedure_days))
