"""Reads the drug table and the tables that recognise its drugs: RxNorm, ATC, names, dose forms."""

from __future__ import annotations

from pathlib import Path

from cds_service.card_files.csv_rows import Row, put, read_table
from cds_service.card_files.interaction_tables import with_interactions
from cds_service.clinical.chart import Route
from cds_service.clinical.codings import CodeSystem, words_of
from cds_service.clinical.drug_matching import CodeEntry, DrugMatcher, DrugRule, FormWord, MatchedBy
from cds_service.clinical.drug_names import DrugName, DrugNames, IngredientIds, name_words
from cds_service.clinical.drug_table import (
    Antibacterial,
    Confidence,
    DefaultRoute,
    Drug,
    FeverRule,
    HoldOperator,
    IdiosyncraticTier,
    ResumeOperator,
    Risk,
    StopSuggestion,
)

LEVELS = {
    "precise-ingredient": MatchedBy.PRECISE_INGREDIENT,
    "ingredient": MatchedBy.INGREDIENT,
    "multi-ingredient": MatchedBy.COMBINATION,
}

NAME_KINDS = ("generic", "brand", "synonym")
UNLISTED_KINDS = {
    "ingredient": MatchedBy.INGREDIENT,
    "product": MatchedBy.PRODUCT,
    "name": MatchedBy.NAME,
}

DRUG_COLUMNS = (
    "ingredient", "class", "mechanism_group", "risk", "anc_hold_e9L", "anc_hold_operator", "anc_resume_e9L",
    "plt_hold_e9L", "plt_resume_e9L", "anc_resume_operator", "resume_or_baseline", "anc_cycle_start_e9L",
    "plt_cycle_start_e9L", "dose_pct_1_0_to_1_5", "anc_hold_min_days", "anc_hold_with_fever_e9L",
    "label_action_on_resumption", "depends_on_indication", "essential_drug", "eval_on_patient_view",
    "gate_window_days", "exposure_lookback_days", "active_order_is_exposure", "default_route", "antibacterial",
    "fever_rule", "fever_lookback_days", "fever_hold", "idio_tier", "stop_suggestion", "dose_reduce",
    "disease_clause", "serology_lookback_days", "monitoring", "source", "confidence", "notes",
)  # fmt: skip


def load_drugs(cards_dir: Path) -> tuple[Drug, ...]:
    """The rows of drugs.csv with their interactions. Raises: CardFileError."""
    drugs: dict[str, Drug] = {}
    for row in read_table(cards_dir / "drugs.csv", *DRUG_COLUMNS):
        _check_pairs(row)
        put(drugs, row.needed("ingredient"), _drug(row), row)
    return with_interactions(cards_dir, tuple(drugs.values()))


def _check_pairs(row: Row) -> None:
    """A limit and its operator stand together; so do a fever rule and its window."""
    for first, second in (
        ("anc_hold_e9L", "anc_hold_operator"),
        ("anc_resume_e9L", "anc_resume_operator"),
        ("fever_rule", "fever_lookback_days"),
    ):
        if bool(row.text(first)) != bool(row.text(second)):
            row.fault(f"{first} and {second} must stand together")


def _drug(row: Row) -> Drug:
    hold_in_fever = row.text("fever_hold")
    return Drug(
        ingredient=row.needed("ingredient"),
        drug_class=row.needed("class"),
        mechanism_group=row.needed("mechanism_group"),
        risk=row.choice("risk", Risk),
        confidence=row.choice("confidence", Confidence),
        source=row.needed("source"),
        anc_hold=row.number("anc_hold_e9L"),
        anc_hold_operator=row.optional_choice("anc_hold_operator", HoldOperator),
        anc_resume=row.number("anc_resume_e9L"),
        anc_resume_operator=row.optional_choice("anc_resume_operator", ResumeOperator),
        resume_or_baseline=row.flag("resume_or_baseline"),
        plt_hold=row.number("plt_hold_e9L"),
        plt_resume=row.number("plt_resume_e9L"),
        anc_cycle_start=row.number("anc_cycle_start_e9L"),
        plt_cycle_start=row.number("plt_cycle_start_e9L"),
        dose_percent_at_mild=row.number("dose_pct_1_0_to_1_5"),
        anc_hold_min_days=row.number("anc_hold_min_days"),
        anc_hold_with_fever=row.number("anc_hold_with_fever_e9L"),
        label_action=row.text("label_action_on_resumption"),
        depends_on_indication=row.flag("depends_on_indication"),
        essential=row.flag("essential_drug"),
        eval_on_patient_view=row.flag("eval_on_patient_view"),
        gate_window_days=row.number("gate_window_days"),
        exposure_lookback_days=row.number("exposure_lookback_days"),
        active_order_is_exposure=row.flag("active_order_is_exposure"),
        default_route=row.optional_choice("default_route", DefaultRoute),
        antibacterial=row.optional_choice("antibacterial", Antibacterial),
        fever_rule=row.optional_choice("fever_rule", FeverRule),
        fever_lookback_days=row.number("fever_lookback_days"),
        fever_hold=bool(hold_in_fever),
        fever_hold_from=None if hold_in_fever in ("", "Y") else row.number("fever_hold"),
        idiosyncratic_tier=row.optional_choice("idio_tier", IdiosyncraticTier),
        stop_suggestion=row.choice("stop_suggestion", StopSuggestion),
        dose_reduce=row.flag("dose_reduce"),
        disease_clause=row.flag("disease_clause"),
        serology_lookback_days=row.number("serology_lookback_days"),
        monitoring=row.text("monitoring"),
        notes=row.text("notes"),
    )


def load_drug_rules(codes_dir: Path, drugs: tuple[Drug, ...]) -> tuple[DrugRule, ...]:
    """Which ingredients are which row of the drug table. Raises: CardFileError."""
    by_name = {drug.ingredient: drug for drug in drugs}
    rules: dict[tuple[str, str, tuple[tuple[str, ...], ...]], DrugRule] = {}
    columns = ("drug", "needs", "covers", "words", "route", "assumed", "source")
    for row in read_table(codes_dir / "drug_codes.csv", *columns):
        if row.text("drug") not in by_name:
            row.fault(f"no such drug in drugs.csv: {row.text('drug')}")
        rule = DrugRule(
            drug=by_name[row.text("drug")],
            needs=frozenset(row.needed("needs").split("+")),
            covers=row.several("covers"),
            words=tuple(sorted(words_of(phrase) for phrase in row.several("words"))),
            route=row.optional_choice("route", Route),
            assumed=row.flag("assumed"),
        )
        put(rules, (rule.drug.ingredient, row.text("needs"), rule.words), rule, row)
    return tuple(rules.values())


def load_matcher(codes_dir: Path, rules: tuple[DrugRule, ...]) -> DrugMatcher:
    """The look-ups that recognise drugs. Raises: CardFileError."""
    ours = frozenset[str]().union(*(rule.needs | rule.covers for rule in rules))
    codes = _load_ingredients(codes_dir, ours) | _load_atc(codes_dir, ours)
    for row in read_table(codes_dir / "rxnorm_products.csv", "code", "name", "ingredients", "route", "source"):
        put(codes, (CodeSystem.RXNORM, row.needed("code")), _entry(row, "name", ours, MatchedBy.PRODUCT), row)
    names = _load_names(codes_dir, ours)
    _add_unlisted(codes_dir, codes, names)
    return DrugMatcher(rules=rules, codes=codes, names=DrugNames(names), forms=_load_forms(codes_dir))


def _load_ingredients(codes_dir: Path, ours: frozenset[str]) -> dict[tuple[CodeSystem, str], CodeEntry]:
    entries: dict[tuple[CodeSystem, str], CodeEntry] = {}
    columns = ("code", "display", "ingredients", "level", "source")
    for row in read_table(codes_dir / "rxnorm_ingredients.csv", *columns):
        if (level := LEVELS.get(row.text("level"))) is None:
            row.fault(f"level is none of {', '.join(LEVELS)}")
        entry = CodeEntry(row.needed("code"), _ingredients(row, ours), row.needed("display"), level)
        put(entries, (CodeSystem.RXNORM, entry.code), entry, row)
    return entries


def _load_atc(codes_dir: Path, ours: frozenset[str]) -> dict[tuple[CodeSystem, str], CodeEntry]:
    """ATC codes. The file is removable: its codes are for non-commercial use."""
    entries: dict[tuple[CodeSystem, str], CodeEntry] = {}
    path = codes_dir / "atc.csv"
    if not path.exists():
        return entries
    for row in read_table(path, "code", "display", "ingredients", "route", "source"):
        put(entries, (CodeSystem.ATC, row.needed("code")), _entry(row, "display", ours, MatchedBy.ATC), row)
    return entries


def _entry(row: Row, name: str, ours: frozenset[str], matched_by: MatchedBy) -> CodeEntry:
    ingredients, route = _ingredients(row, ours), row.choice("route", Route)
    return CodeEntry(row.needed("code"), ingredients, row.needed(name), matched_by, route)


def _ingredients(row: Row, ours: frozenset[str]) -> IngredientIds:
    found = row.several("ingredients")
    if not found or not found <= ours:
        row.fault(f"ingredients that drug_codes.csv does not know: {', '.join(sorted(found - ours)) or 'none given'}")
    return found


def _load_names(codes_dir: Path, ours: frozenset[str]) -> dict[tuple[str, ...], DrugName]:
    """Names of ingredients and products. `route` is the one that all products of a brand have, empty for the rest."""
    names: dict[tuple[str, ...], DrugName] = {}
    for row in read_table(codes_dir / "drug_names.csv", "name", "ingredients", "kind", "route"):
        if row.text("kind") not in NAME_KINDS:
            row.fault(f"kind is none of {', '.join(NAME_KINDS)}")
        name = DrugName(_ingredients(row, ours), row.optional_choice("route", Route) or Route.UNKNOWN)
        put(names, name_words(row.needed("name")), name, row)
    return names


def _add_unlisted(
    codes_dir: Path, codes: dict[tuple[CodeSystem, str], CodeEntry], names: dict[tuple[str, ...], DrugName]
) -> None:
    """Drugs that are known and that the drug table does not list, though some begin like one that it does."""
    nothing = frozenset[str]()
    for row in read_table(codes_dir / "unlisted_drugs.csv", "code", "kind", "name", "source"):
        if row.text("kind") not in UNLISTED_KINDS:
            row.fault(f"kind is none of {', '.join(UNLISTED_KINDS)}")
        if row.text("code"):
            entry = CodeEntry(row.text("code"), nothing, row.needed("name"), UNLISTED_KINDS[row.text("kind")])
            put(codes, (CodeSystem.RXNORM, entry.code), entry, row)
        if row.text("kind") != "product":
            put(names, name_words(row.needed("name")), DrugName(nothing), row)


def _load_forms(codes_dir: Path) -> dict[tuple[str, ...], FormWord]:
    forms: dict[tuple[str, ...], FormWord] = {}
    for row in read_table(codes_dir / "dose_forms.csv", "phrase", "route", "names_site"):
        form = FormWord(row.choice("route", Route), row.flag("names_site"))
        put(forms, words_of(row.needed("phrase")), form, row)
    return forms
