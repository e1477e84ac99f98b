"""The Duffy phenotype or genotype that two antigen results say together: Fy(a) and Fy(b), each negative or positive."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.clinical.chart import Finding
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Analyte

PAIRS = {
    "DUFFY": (Analyte.FYA.value, Analyte.FYB.value),
    "DUFFY_GENOTYPE": (Analyte.FYA_GENOTYPE.value, Analyte.FYB_GENOTYPE.value),
}
DUFFY_KINDS = frozenset({"duffy-null", "duffy-positive"})


def read_duffy(findings: Iterable[Finding]) -> list[Finding]:
    """All findings, the antigen pairs replaced by what they mean; Duffy results that say nothing clear are left out."""
    found = list(findings)
    antigens = {name for pair in PAIRS.values() for name in pair}
    kept = [f for f in found if f.analyte not in antigens and not _says_nothing(f)]
    combined = (_combined(name, pair, found) for name, pair in PAIRS.items())
    return [*kept, *(finding for finding in combined if finding is not None)]


def _says_nothing(finding: Finding) -> bool:
    return finding.analyte == "DUFFY" and not finding.kinds & DUFFY_KINDS


def _combined(name: str, pair: tuple[str, str], findings: list[Finding]) -> Finding | None:
    """Any antigen makes it positive; only two negative ones make it null."""
    latest = [found for analyte in pair if (found := _latest(analyte, findings)) is not None]
    present = [f for f in latest if "positive" in f.kinds or "duffy-positive" in f.kinds]
    if present:
        return _meaning(name, "duffy-positive", present)
    absent = [f for f in latest if "negative" in f.kinds]
    return _meaning(name, "duffy-null", absent) if len(absent) == len(pair) else None


def _latest(analyte: str, findings: list[Finding]) -> Finding | None:
    clear = [f for f in findings if f.analyte == analyte and f.kinds & {"negative", "positive", "duffy-positive"}]
    return max(clear, key=lambda f: f.taken, default=None)


def _meaning(name: str, kind: str, findings: list[Finding]) -> Finding:
    texts = tuple(dict.fromkeys(text for finding in findings for text in finding.texts))
    taken: Moment = max(finding.taken for finding in findings)
    final = all(finding.final for finding in findings)
    return Finding(name, texts, taken, findings[-1].source, frozenset({kind}), final)
