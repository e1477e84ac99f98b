"""Facts that tell whether a mild count of some weeks ago still waits for its repeat (RULES 16)."""

from __future__ import annotations

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.drug_table import Risk
from cds_service.clinical.facts.count_facts import whether
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, both, claim
from cds_service.clinical.moments import Moment
from cds_service.clinical.situation import Situation


@fact(
    "duffy_null_at_site_limit",
    FactKind.BOOL,
    meaning="Duffy-null, and the ANC in force, whatever its age, is a final count at or above the site's limit",
    missing="Unknown where Duffy status or cell counts are",
    source="RULES 16",
)
def duffy_null_at_site_limit(s: Situation) -> Answer:
    """A preliminary count, an upper limit ("<1.4") and a newer low WBC clear nothing."""
    count = s.counts.in_force
    reached = (
        count is not None
        and count.final
        and not count.upper_bound
        and s.counts.bound is None
        and count.value >= s.policy.duffy_null_anc
    )
    return both(s.duffy, whether(reached, s, count))


@fact(
    "myelosuppressive_within_28_days",
    FactKind.BOOL,
    meaning="Proven exposure to any highly myelosuppressive drug 0-28 d before now, not before a draw",
    missing="True on any evidence; unknown where drugs are unavailable: then none is assumed",
    source="RULES 16",
)
def myelosuppressive_within_28_days(s: Situation) -> Answer:
    given = s.exposure.proven_before(Moment.at(s.now), lambda drug: drug.risk is Risk.HIGH_MYELOSUPPRESSIVE)
    return claim(s.chart, given, PrefetchKey.MEDICATION_REQUESTS, PrefetchKey.MEDICATION_ADMINISTRATIONS)
