"""What a FHIR search, known by its URL, was asked for: which resources, whose, and how narrowly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.fhir.references import parse_reference

KEY_OF_TYPE = {
    "Patient": PrefetchKey.PATIENT,
    "Condition": PrefetchKey.CONDITIONS,
    "MedicationRequest": PrefetchKey.MEDICATION_REQUESTS,
    "MedicationAdministration": PrefetchKey.MEDICATION_ADMINISTRATIONS,
    "Procedure": PrefetchKey.PROCEDURES,
    "ServiceRequest": PrefetchKey.SERVICE_REQUESTS,
    "AllergyIntolerance": PrefetchKey.ALLERGIES,
    "Encounter": PrefetchKey.ENCOUNTER,
}
OBSERVATION_KEYS = frozenset({PrefetchKey.CELL_COUNTS, PrefetchKey.LAB_RESULTS, PrefetchKey.VITAL_SIGNS})
LABORATORY_KEYS = frozenset({PrefetchKey.CELL_COUNTS, PrefetchKey.LAB_RESULTS})
VITALS = frozenset({Analyte.TEMP, Analyte.SBP, Analyte.BP_PANEL, Analyte.WEIGHT})
CELLS = frozenset(
    {
        Analyte.ANC, Analyte.WBC, Analyte.NEUT_PCT, Analyte.SEGS_PCT, Analyte.BANDS_PCT, Analyte.ALC, Analyte.LYMPH_PCT,
        Analyte.MONO, Analyte.HGB, Analyte.HGB_MOLAR, Analyte.PLT, Analyte.BLASTS_PCT, Analyte.BLASTS_ABS,
        Analyte.CBC_PANEL,
    }
)  # fmt: skip
DECISIVE = frozenset({Analyte.ANC, Analyte.WBC, Analyte.CBC_PANEL, Analyte.TEMP, Analyte.BP_PANEL, Analyte.SBP})
"""A search by codes tells about counts or vital signs only where it asks for one of these."""

TELLING = frozenset({Analyte.ANC, Analyte.WBC, Analyte.NEUT_PCT, Analyte.SEGS_PCT, Analyte.CBC_PANEL, Analyte.TEMP})
"""Results that show, without the search's URL, that counts or vital signs were looked for."""

HARMLESS = frozenset(
    {
        "patient", "subject", "_sort", "_count", "_format", "_include", "_pretty", "_revinclude", "_total",
        "_getpages", "_getpagesoffset", "_bundletype", "_offset", "_page", "_page_token", "_pageToken", "_skip",
        "ct", "page", "pageToken",
    }
)  # fmt: skip
"""Parameters that leave no resource out: whose, in which order, what beside them, and on which page."""

WEIGHED = {
    "AllergyIntolerance": frozenset({"clinical-status"}),
    "Condition": frozenset({"clinical-status"}),
    "MedicationAdministration": frozenset({"status"}),
    "MedicationRequest": frozenset({"status"}),
    "Observation": frozenset({"category", "code", "date"}),
    "Procedure": frozenset({"status"}),
    "ServiceRequest": frozenset({"status"}),
}
"""Parameters whose values tell whether they leave anything out. Any other one narrows a search."""

PAST_AND_PRESENT = frozenset({"active", "completed"})
NEGATIONS = frozenset({"not", "not-in", "below", "missing", "of-type"})
LIVE_STATUSES = frozenset({"active", "draft", "in-progress"})


def key_of_analyte(analyte: Analyte) -> PrefetchKey | None:
    """Under which of our keys a result belongs; None for the same analyte in a specimen that is not ours."""
    if analyte is Analyte.EXCLUDED:
        return None
    if analyte in CELLS or analyte is Analyte.CONTRADICTORY:
        return PrefetchKey.CELL_COUNTS
    return PrefetchKey.VITAL_SIGNS if analyte in VITALS else PrefetchKey.LAB_RESULTS


@dataclass(frozen=True, slots=True)
class Search:
    """The type and parameters of a search URL. Parameters lose their modifiers; `negated` are those with :not."""

    type: str
    parameters: dict[str, tuple[str, ...]]
    negated: frozenset[str] = frozenset()

    @classmethod
    def read(cls, url: str | None) -> Search | None:
        """None where the URL does not tell what was searched for (a POST search hides its parameters)."""
        if not url:
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        kind = unquote(parts.path).removesuffix("/_search").rstrip("/").rpartition("/")[2]
        values: dict[str, tuple[str, ...]] = {}
        query = parse_qs(parts.query, keep_blank_values=False)
        for name, texts in query.items():
            plain = name.partition(":")[0]
            values[plain] = values.get(plain, ()) + tuple(part for text in texts for part in text.split(",") if part)
        negated = frozenset(name for name in query if name.partition(":")[2] in NEGATIONS)
        return cls(kind, values, negated) if kind[:1].isupper() and values else None

    def patients(self) -> frozenset[str]:
        """The ids of the patients that the search is limited to."""
        stated = (*self.parameters.get("patient", ()), *self.parameters.get("subject", ()))
        return frozenset(parse_reference(text).id or text for text in stated)

    def is_of(self, patient_id: str) -> bool:
        return self.patients() == {patient_id}

    def is_of_another(self, patient_id: str) -> bool:
        return bool(self.patients() - {patient_id})

    def answers(self, terminology: Terminology) -> frozenset[PrefetchKey]:
        """The keys whose data this search would have found."""
        if self.negated or self._leaves_out_recent_ones():
            return frozenset()
        if self.type == "Observation":
            return self._observation_keys(terminology)
        key = KEY_OF_TYPE.get(self.type)
        if key is None or (self._is_narrowed() and key not in (PrefetchKey.PATIENT, PrefetchKey.ENCOUNTER)):
            return frozenset()
        return frozenset({key}) if self._looks_for_live_ones() else frozenset()

    def _is_narrowed(self) -> bool:
        whole = {"_summary"} if self.parameters.get("_summary") == ("false",) else set[str]()
        return not set(self.parameters) <= HARMLESS | WEIGHED.get(self.type, frozenset()) | whole

    def _leaves_out_recent_ones(self) -> bool:
        """True unless every date it asks for is a lower bound."""
        return not all(written.startswith(("ge", "gt", "sa")) for written in self.parameters.get("date", ()))

    def asked_for_fewer(self, matches: int, total: Decimal | None) -> bool:
        """True where the search may have found more than it was told to send."""
        limits = [int(written) for written in self.parameters.get("_count", ()) if written.isdecimal()]
        reached = bool(limits) and matches >= min(limits)
        return reached and (total is None or total > matches)

    def _looks_for_live_ones(self) -> bool:
        """A search for resolved problems says nothing of active ones; one for active drugs nothing of past ones."""
        stated = {_code(text) for name in ("status", "clinical-status") for text in self.parameters.get(name, ())}
        if self.type == "MedicationRequest" and stated:
            return stated >= PAST_AND_PRESENT
        wanted = {"completed"} if self.type in ("MedicationAdministration", "Procedure") else LIVE_STATUSES
        return not stated or self.type == "Encounter" or bool(stated & wanted)

    def _observation_keys(self, terminology: Terminology) -> frozenset[PrefetchKey]:
        if self._is_narrowed():
            return frozenset()
        if codes := self.parameters.get("code"):
            return _keys_of_codes(codes, terminology)
        categories = {_code(text) for text in self.parameters.get("category", ())}
        vitals = OBSERVATION_KEYS - LABORATORY_KEYS if "vital-signs" in categories else frozenset[PrefetchKey]()
        laboratory = LABORATORY_KEYS if "laboratory" in categories else frozenset[PrefetchKey]()
        return vitals | laboratory if categories else OBSERVATION_KEYS


def _keys_of_codes(codes: tuple[str, ...], terminology: Terminology) -> frozenset[PrefetchKey]:
    asked = {terminology.loinc.get(_code(code)) for code in codes} - {None}
    known = {analyte: key_of_analyte(analyte) for analyte in asked if analyte is not None}
    return frozenset(
        key
        for analyte, key in known.items()
        if key is not None and (analyte in DECISIVE or key is PrefetchKey.LAB_RESULTS)
    )


def _code(token: str) -> str:
    """The code of a token parameter, with or without its system."""
    return token.rpartition("|")[2]
