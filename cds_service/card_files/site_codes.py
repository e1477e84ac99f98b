"""Sees that one code of a site stands for one order only: an order with it is recognised when it comes back.

Codes of drugs are not meant: one drug may be offered for several kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cds_service.card_files.site_values import Place
from cds_service.clinical.codings import Coding
from cds_service.clinical.site_orders import covered_by, purposes
from cds_service.clinical.terminology import ConceptTable


@dataclass(frozen=True, slots=True)
class ClaimedCodes:
    """The codes read so far, each with the kind or member that it stands for."""

    orders: ConceptTable
    claimed: dict[tuple[str, str], str] = field(default_factory=dict)

    def claim(self, place: Place, name: str, codings: Sequence[Coding]) -> None:
        """Raises: SettingsError where a code stands for another order already, here or in the tables."""
        for number, coding in enumerate(codings):
            self._claim(place.entry(number), name, coding)

    def _claim(self, place: Place, name: str, coding: Coding) -> None:
        known = self.orders.kinds([replace(coding, display=None)])
        if known and not known & covered_by(name):
            place.fault(f"the code tables know {coding.code} as another order: {', '.join(sorted(known))}")
        other = self.claimed.setdefault((coding.known_system or str(coding.system), str(coding.code)), name)
        if not purposes(other) & purposes(name):
            place.fault(f"{other} has the same code {coding.code}, so that its orders could not be told apart")
