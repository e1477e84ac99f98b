"""What codes and words of a chart stand for: analytes, conditions, procedures, routes, orders, results and drugs.

All look-ups are built once from the code tables and cost a dictionary access. Nothing here reads files or FHIR JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, Coding, codes_of, has_phrase, plain_text, words_of
from cds_service.clinical.drug_matching import DrugMatch, DrugMatcher, MatchedBy
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.units import UnitProblem, UnitTable, UnitUse

_SEMANTIC_TAG = re.compile(r" \((disorder|finding|situation|procedure|qualifier value)\)$")

__all__ = [
    "Analyte",
    "AnalyteSpec",
    "CodeSystem",
    "Coding",
    "ConceptTable",
    "Cue",
    "DrugMatch",
    "MatchedBy",
    "Terminology",
]


class Analyte(StrEnum):
    """What an observation measures or finds, as far as the rules care."""

    ANC = "ANC"
    WBC = "WBC"
    NEUT_PCT = "NEUT_PCT"
    SEGS_PCT = "SEGS_PCT"
    BANDS_PCT = "BANDS_PCT"
    ALC = "ALC"
    LYMPH_PCT = "LYMPH_PCT"
    MONO = "MONO"
    HGB = "HGB"
    HGB_MOLAR = "HGB_MOLAR"
    PLT = "PLT"
    BLASTS_PCT = "BLASTS_PCT"
    BLASTS_ABS = "BLASTS_ABS"
    SMEAR = "SMEAR"
    DUFFY = "DUFFY"
    FYA = "FYA"
    FYB = "FYB"
    FYA_GENOTYPE = "FYA_GENOTYPE"
    FYB_GENOTYPE = "FYB_GENOTYPE"
    B12 = "B12"
    FOLATE = "FOLATE"
    HIV = "HIV"
    HBV = "HBV"
    HCV = "HCV"
    ANA = "ANA"
    IGG = "IGG"
    TEMP = "TEMP"
    SBP = "SBP"
    BP_PANEL = "BP_PANEL"
    WEIGHT = "WEIGHT"
    ECOG = "ECOG"
    CBC_PANEL = "CBC_PANEL"
    EXCLUDED = "EXCLUDED"
    """The same analyte in another specimen or meaning: never counted, whatever else the observation is coded as."""
    CONTRADICTORY = "CONTRADICTORY"
    """The codes of one observation name different analytes: never counted, to be reported. Not in the tables."""


@dataclass(frozen=True, slots=True)
class AnalyteSpec:
    """How an analyte is measured: unit use, canonical unit, and the plausible range in that unit (both ends allowed).

    `use` is None for findings that are no numbers.
    """

    analyte: Analyte
    use: UnitUse | None = None
    unit: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    def is_plausible(self, value: Decimal) -> bool:
        too_low = self.minimum is not None and value < self.minimum
        return not (too_low or (self.maximum is not None and value > self.maximum))


@dataclass(frozen=True, slots=True)
class ConceptTable:
    """Codes and whole texts of concepts, each standing for kinds.

    `exact` and `prefixes` are by code system and code; a code may be recognised and yet be of no kind (sickle cell
    trait). `texts` count only where no code is recognised, `texts_beside_codes` always.
    """

    exact: Mapping[tuple[CodeSystem, str], frozenset[str]] = field(default_factory=dict)
    prefixes: Mapping[tuple[CodeSystem, str], frozenset[str]] = field(default_factory=dict)
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    texts_beside_codes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def kinds(self, codings: Sequence[Coding], text: str | None = None) -> frozenset[str]:
        coded = [kinds for coding in codings for kinds in self._coded(coding)]
        said = _said(codings, text)
        beside = [self.texts_beside_codes.get(one, frozenset()) for one in said]
        fallback = [] if coded else [self.texts.get(one, frozenset()) for one in said]
        return frozenset[str]().union(*coded, *beside, *fallback)

    def recognises(self, codings: Sequence[Coding]) -> bool:
        """True where at least one of the codes is in the table."""
        return any(self._coded(coding) for coding in codings)

    def _coded(self, coding: Coding) -> list[frozenset[str]]:
        system, code = coding.known_system, (coding.code or "").strip().upper().replace(".", "")
        if system is None or not code:
            return []
        whole = self.exact.get((system, code))
        parts = (self.prefixes.get((system, code[:size])) for size in range(1, len(code) + 1))
        return [kinds for kinds in (whole, *parts) if kinds is not None]


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase in a procedure's text that tells its kind; `beside` is a kind it must already have ("" = any).

    `fallback`: only where no code of the procedure is recognised.
    """

    phrase: tuple[str, ...]
    kind: str
    beside: str = ""
    fallback: bool = False


@dataclass(frozen=True)
class Terminology:
    """Every vocabulary of the service."""

    units: UnitTable
    analytes: Mapping[Analyte, AnalyteSpec]
    loinc: Mapping[str, Analyte]
    conditions: ConceptTable
    procedures: ConceptTable
    procedure_cues: tuple[Cue, ...]
    routes: Mapping[tuple[CodeSystem, str], Route]
    route_texts: Mapping[str, Route]
    orders: ConceptTable
    written_orders: Mapping[str, Coding]
    results: ConceptTable
    drugs: tuple[Drug, ...]
    matcher: DrugMatcher
    uncoded_drugs: tuple[str, ...] = ()
    """Drugs that have no code in the tables and are recognised by name only."""

    @cached_property
    def _by_ingredient(self) -> dict[str, Drug]:
        return {drug.ingredient: drug for drug in self.drugs}

    def analyte_of(self, codings: Sequence[Coding]) -> Analyte | None:
        """The analyte of an observation's codes; None where no code is ours.

        EXCLUDED outweighs everything; codes of different analytes give CONTRADICTORY.
        """
        found = {self.loinc[code] for code in codes_of(codings, CodeSystem.LOINC) if code in self.loinc}
        if not found:
            return None
        if Analyte.EXCLUDED in found:
            return Analyte.EXCLUDED
        return found.pop() if len(found) == 1 else Analyte.CONTRADICTORY

    def measure(
        self, analyte: Analyte, value: Decimal, *, unit: str | None, code: str | None, system: str | None
    ) -> Decimal | UnitProblem:
        """The value in the analyte's canonical unit, or why it cannot be used; an implausible value cannot."""
        spec = self.analytes[analyte]
        if spec.use is None:
            return UnitProblem.UNKNOWN
        converted = self.units.convert(value, unit=unit, code=code, system=system, use=spec.use)
        if isinstance(converted, UnitProblem):
            return converted
        return converted if spec.is_plausible(converted) else UnitProblem.IMPLAUSIBLE

    def condition_kinds(self, codings: Sequence[Coding], text: str | None = None) -> frozenset[str]:
        """The kinds of a condition, reason or coded finding; empty where the rules know none."""
        return self.conditions.kinds(codings, text)

    def procedure_kinds(
        self, codings: Sequence[Coding], text: str | None = None, body_sites: Sequence[Coding] = ()
    ) -> frozenset[str]:
        """The kinds of a procedure: by its codes, and by cues in its texts and body sites."""
        kinds = set(self.procedures.kinds([*codings, *body_sites], text))
        uncoded = not self.procedures.recognises(codings)
        texts = [words_of(one) for one in _said([*codings, *body_sites], text)]
        for cue in self.procedure_cues:
            wanted = (not cue.beside or cue.beside in kinds) and (uncoded or not cue.fallback)
            if wanted and any(has_phrase(words, cue.phrase) for words in texts):
                kinds.add(cue.kind)
        if {"radiotherapy", "thorax"} <= kinds:
            kinds.add("thoracic-radiotherapy")
        return frozenset(kinds)

    def route_of(self, codings: Sequence[Coding], text: str | None = None) -> Route:
        """The route of an order or dose; UNKNOWN where it is not stated, not recognised or stated in two ways."""
        keys = ((coding.known_system, (coding.code or "").strip()) for coding in codings)
        coded = {self.routes[system, code] for system, code in keys if system and (system, code) in self.routes}
        told = coded or {self.route_texts[one] for one in _said(codings, text) if one in self.route_texts}
        return told.pop() if len(told) == 1 else Route.UNKNOWN

    def order_kinds(self, codings: Sequence[Coding], text: str | None = None) -> frozenset[str]:
        """What a laboratory or service order asks for ("cbc-diff", "hcv-antibody", ...)."""
        return self.orders.kinds(codings, text)

    def result_kinds(self, codings: Sequence[Coding], text: str | None = None) -> frozenset[str]:
        """What a coded or textual result says ("negative", "positive", "duffy-null", ...)."""
        return self.results.kinds(codings, text)

    def code_for(self, purpose: str) -> Coding:
        """The coding to write into a suggested order.

        Raises: KeyError for a purpose that cards/codes/orders.csv does not write.
        """
        return self.written_orders[purpose]

    def drug(self, ingredient: str) -> Drug:
        """A row of the drug table by its name. Raises: KeyError."""
        return self._by_ingredient[ingredient]

    def match_drugs(
        self, codings: Sequence[Coding], text: str | None, form_text: str | None, route: Route = Route.UNKNOWN
    ) -> DrugMatch:
        """The drugs of the table that a medication contains: by code, failing that by name.

        `route` is the route the order states; it tells oral and injected forms of one ingredient apart.
        """
        return self.matcher.match(codings, text, form_text, route)


def _said(codings: Sequence[Coding], text: str | None) -> list[str]:
    """The texts of a concept, ready for comparison; SNOMED CT's "(disorder)" is no part of them."""
    texts = [coding.display for coding in codings] + [text]
    return [_SEMANTIC_TAG.sub("", plain_text(one)) for one in texts if one]
