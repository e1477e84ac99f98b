"""Reads the code tables of the card library into one Terminology and checks that they fit together.

A wrong cell, an unknown column or kind and a repeated code stop the start with file and line. The SNOMED CT conditions
and the ATC codes are files that a site may remove for their licences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from cds_service.card_files.csv_rows import Row, put, read_table
from cds_service.card_files.drug_tables import load_drug_rules, load_drugs, load_matcher
from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, Coding, plain_text, words_of
from cds_service.clinical.terminology import Analyte, AnalyteSpec, ConceptTable, Cue, Terminology
from cds_service.clinical.units import UnitRow, UnitTable, UnitUse
from cds_service.errors import CardFileError

KIND_GROUPS = ("condition", "procedure", "order", "result")
Kinds = frozenset[str]


def load_terminology(cards_dir: Path) -> Terminology:
    """Everything that drugs.csv and codes/ of a card library say.

    Raises: CardFileError naming file and line.
    """
    codes = cards_dir / "codes"
    kinds = _load_kinds(codes)
    units = load_units(codes)
    drugs = load_drugs(cards_dir)
    rules = load_drug_rules(codes, drugs)
    coded = {rule.drug.ingredient for rule in rules if not any(need.startswith("name:") for need in rule.needs)}
    routes, route_texts = _load_routes(codes)
    orders, written = _load_orders(codes, kinds["order"])
    return Terminology(
        units=units,
        analytes=_load_analytes(codes, units),
        loinc=_load_loinc(codes),
        conditions=_load_conditions(codes, kinds["condition"]),
        procedures=_load_procedures(codes, kinds["procedure"]),
        procedure_cues=_load_cues(codes, kinds["procedure"]),
        routes=routes,
        route_texts=route_texts,
        orders=orders,
        written_orders=written,
        results=_load_results(codes, kinds["result"]),
        drugs=drugs,
        matcher=load_matcher(codes, rules),
        uncoded_drugs=tuple(drug.ingredient for drug in drugs if drug.ingredient not in coded),
    )


def load_units(codes_dir: Path) -> UnitTable:
    """The unit spellings. Raises: CardFileError."""
    rows: dict[tuple[UnitUse, str], UnitRow] = {}
    canonical: dict[UnitUse, str] = {}
    for row in read_table(
        codes_dir / "units.csv",
        "spelling", "ucum", "use", "canonical", "multiplier", "divisor", "offset", "step", "ambiguous", "source",
    ):  # fmt: skip
        unit = _unit(row)
        if canonical.setdefault(unit.use, unit.canonical) != unit.canonical:
            row.fault(f"{unit.use} has two canonical units")
        put(rows, (unit.use, unit.spelling), unit, row)
    return UnitTable(rows.values())


def _unit(row: Row) -> UnitRow:
    divisor = row.needed_number("divisor")
    if divisor == Decimal(0):
        row.fault("divisor is 0")
    return UnitRow(
        spelling=row.needed("spelling"),
        use=row.choice("use", UnitUse),
        canonical=row.needed("canonical"),
        ucum=row.flag("ucum"),
        ambiguous=row.flag("ambiguous"),
        multiplier=row.needed_number("multiplier"),
        divisor=divisor,
        offset=row.needed_number("offset"),
        step=row.number("step"),
    )


def _load_kinds(codes_dir: Path) -> dict[str, Kinds]:
    """The declared kinds of each group; a kind that is used but not declared is a fault elsewhere."""
    declared: dict[tuple[str, str], None] = {}
    for row in read_table(codes_dir / "kinds.csv", "group", "kind"):
        if row.text("group") not in KIND_GROUPS:
            row.fault(f"group is none of {', '.join(KIND_GROUPS)}: {row.text('group')}")
        put(declared, (row.text("group"), row.needed("kind")), None, row)
    return {group: frozenset(kind for of, kind in declared if of == group) for group in KIND_GROUPS}


def _load_analytes(codes_dir: Path, units: UnitTable) -> dict[Analyte, AnalyteSpec]:
    path = codes_dir / "analytes.csv"
    specs: dict[Analyte, AnalyteSpec] = {}
    for row in read_table(path, "analyte", "use", "minimum", "maximum"):
        analyte, use = row.choice("analyte", Analyte), row.optional_choice("use", UnitUse)
        unit = units.canonical[use] if use else ""
        put(specs, analyte, AnalyteSpec(analyte, use, unit, row.number("minimum"), row.number("maximum")), row)
    if missing := set(Analyte) - set(specs) - {Analyte.CONTRADICTORY}:
        raise CardFileError(f"lacks {', '.join(sorted(missing))}", path=path)
    return specs


def _load_loinc(codes_dir: Path) -> dict[str, Analyte]:
    codes: dict[str, Analyte] = {}
    for row in read_table(codes_dir / "loinc.csv", "code", "display", "analyte", "source", "note"):
        put(codes, row.needed("code"), row.choice("analyte", Analyte), row)
    return codes


@dataclass
class _Concepts:
    """A ConceptTable while it is being read."""

    known: Kinds
    exact: dict[tuple[CodeSystem, str], Kinds] = field(default_factory=dict)
    prefixes: dict[tuple[CodeSystem, str], Kinds] = field(default_factory=dict)
    texts: dict[str, Kinds] = field(default_factory=dict)
    beside: dict[str, Kinds] = field(default_factory=dict)

    def add_code(self, row: Row, system: CodeSystem) -> None:
        if row.text("match") not in ("exact", "prefix"):
            row.fault(f"match is neither exact nor prefix: {row.text('match')}")
        found = self.exact if row.text("match") == "exact" else self.prefixes
        put(found, (system, _bare(row.needed("code"))), row.kinds("kinds", self.known), row)

    def add_code_or_text(self, row: Row, column: str) -> None:
        """A row that has either system and code or a text. One code may be of several kinds, in several rows."""
        kinds = row.kinds(column, self.known)
        if bool(row.text("text")) == bool(row.text("code")):
            row.fault("needs either a code or a text")
        if row.text("text"):
            put(self.texts, plain_text(row.text("text")), kinds, row)
            return
        key = (row.choice("system", CodeSystem), _bare(row.text("code")))
        if kinds <= self.exact.get(key, frozenset()):
            row.fault(f"is there twice: {row.text('code')}")
        self.exact[key] = self.exact.get(key, frozenset()) | kinds

    def table(self) -> ConceptTable:
        return ConceptTable(self.exact, self.prefixes, self.texts, self.beside)


def _bare(code: str) -> str:
    """A code as it is compared: ICD-10 codes are sent with and without their dot."""
    return code.upper().replace(".", "")


def _load_conditions(codes_dir: Path, known: Kinds) -> ConceptTable:
    concepts = _Concepts(known)
    files = (("conditions_icd10.csv", CodeSystem.ICD10), ("conditions_snomed.csv", CodeSystem.SNOMED))
    for name, system in files:
        path = codes_dir / name
        if system is CodeSystem.SNOMED and not path.exists():
            continue
        for row in read_table(path, "code", "display", "kinds", "match", "source"):
            concepts.add_code(row, system)
    for row in read_table(codes_dir / "condition_texts.csv", "text", "kinds", "beside_code"):
        texts = concepts.beside if row.flag("beside_code") else concepts.texts
        put(texts, plain_text(row.needed("text")), row.kinds("kinds", known), row)
    return concepts.table()


def _load_procedures(codes_dir: Path, known: Kinds) -> ConceptTable:
    exact: dict[tuple[CodeSystem, str], Kinds] = {}
    for row in read_table(codes_dir / "procedures.csv", "system", "code", "display", "kinds", "source"):
        key = (row.choice("system", CodeSystem), _bare(row.needed("code")))
        put(exact, key, row.kinds("kinds", known), row)
    return ConceptTable(exact)


def _load_cues(codes_dir: Path, known: Kinds) -> tuple[Cue, ...]:
    cues: dict[tuple[str, str], Cue] = {}
    for row in read_table(codes_dir / "procedure_cues.csv", "phrase", "kind", "beside", "fallback"):
        row.kinds("kind", known)
        row.kinds("beside", known)
        cue = Cue(words_of(row.needed("phrase")), row.needed("kind"), row.text("beside"), row.flag("fallback"))
        put(cues, (row.text("phrase"), cue.kind), cue, row)
    return tuple(cues.values())


def _load_routes(codes_dir: Path) -> tuple[dict[tuple[CodeSystem, str], Route], dict[str, Route]]:
    codes: dict[tuple[CodeSystem, str], Route] = {}
    texts: dict[str, Route] = {}
    for row in read_table(codes_dir / "routes.csv", "system", "code", "text", "route", "source"):
        route = row.choice("route", Route)
        if row.text("code"):
            put(codes, (row.choice("system", CodeSystem), row.text("code")), route, row)
        put(texts, plain_text(row.needed("text")), route, row)
    return codes, texts


def _load_orders(codes_dir: Path, known: Kinds) -> tuple[ConceptTable, Mapping[str, Coding]]:
    """What orders are recognised, and the one coding that is written for each kind; without a code only its words."""
    concepts, written = _Concepts(known), dict[str, Coding]()
    columns = ("kind", "system", "code", "display", "text", "written", "source")
    for row in read_table(codes_dir / "orders.csv", *columns):
        concepts.add_code_or_text(row, "kind")
        if row.flag("written"):
            coding = Coding(
                row.text("system") or None, row.text("code") or None, row.text("display") or row.text("text")
            )
            put(written, row.needed("kind"), coding, row)
    return concepts.table(), written


def _load_results(codes_dir: Path, known: Kinds) -> ConceptTable:
    concepts = _Concepts(known)
    for row in read_table(codes_dir / "results.csv", "system", "code", "display", "text", "kinds", "source"):
        concepts.add_code_or_text(row, "kinds")
    return concepts.table()
