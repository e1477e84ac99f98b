"""Possible exposure to drugs by a route that reaches the whole body, for rules outside fever (C-EXPOSURE, C-ROUTE)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from cds_service.clinical.chart import Route
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.exposure import Exposed
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation


def systemic_exposures(s: Situation, window: Callable[[Drug], Decimal | None]) -> list[Exposed]:
    """Possible exposures that may lie within the drug's window in days; None: this drug is not looked for.

    Local routes are no exposure at all; intrathecal doses count in the fever rules only.
    """
    given = {a.source for a in s.chart.administrations if a.route is Route.INTRATHECAL}
    intrathecal = given | {o.source for o in s.chart.orders if o.route is Route.INTRATHECAL}
    found = s.exposure.within(lambda drug: window(drug) is not None, lambda drug: days(window(drug) or Decimal(0)))
    return [exposed for exposed in found if exposed.source not in intrathecal]


def taken_now(s: Situation, drug: Drug) -> bool:
    """True where an active order of the drug is on file."""
    return any(drug in order.drugs for order in s.exposure.active)
