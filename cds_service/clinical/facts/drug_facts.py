"""Facts about one drug of one order in a for-each rule: what the drug table says of it, and how it may be acted on."""

from __future__ import annotations

from cds_service.clinical.chart import Route
from cds_service.clinical.facts.registry import DrugCase, FactKind, fact
from cds_service.clinical.knowledge import Answer, Known

ALWAYS = "Always known"


@fact(
    "drug.ingredient",
    FactKind.TEXT,
    meaning="The ingredient, as the drug table names it",
    missing=ALWAYS,
    source="drugs.csv",
)
def ingredient(c: DrugCase) -> Answer:
    return Known(c.drug.ingredient, sources=(c.order.source,))


@fact(
    "drug.name",
    FactKind.TEXT,
    meaning="The ingredient, capitalised, for card text",
    missing=ALWAYS,
    source="drugs.csv",
)
def name(c: DrugCase) -> Answer:
    shown = c.drug.ingredient.split(" (")[0]
    return Known(shown[:1].upper() + shown[1:], sources=(c.order.source,))


@fact("drug.group", FactKind.TEXT, missing=ALWAYS, source="drugs.csv", meaning="The mechanism group of the drug table")
def group(c: DrugCase) -> Answer:
    return Known(c.drug.mechanism_group)


@fact("drug.risk", FactKind.TEXT, missing=ALWAYS, source="drugs.csv", meaning="The risk class of the drug table")
def risk(c: DrugCase) -> Answer:
    return Known(c.drug.risk.value)


@fact(
    "drug.draft",
    FactKind.BOOL,
    meaning="The order is a new draft; otherwise it is an active order",
    missing=ALWAYS,
    source="C-GATE",
)
def draft(c: DrugCase) -> Answer:
    return Known(c.order.draft, sources=(c.order.source,))


@fact(
    "drug.systemic",
    FactKind.BOOL,
    meaning=(
        "Given by a systemic route; a route that is not stated and does not follow from the product is taken as "
        "systemic"
    ),
    missing=ALWAYS,
    source="C-ROUTE",
)
def systemic(c: DrugCase) -> Answer:
    return Known(c.order.route not in (Route.LOCAL, Route.INTRATHECAL))


@fact(
    "drug.cytotoxic",
    FactKind.BOOL,
    meaning="A cytotoxic drug or antibody-drug conjugate",
    missing=ALWAYS,
    source="drugs.csv",
)
def cytotoxic(c: DrugCase) -> Answer:
    return Known(c.drug.is_cytotoxic_or_adc)


@fact(
    "drug.idiosyncratic",
    FactKind.BOOL,
    meaning="Risk class idiosyncratic agranulocytosis",
    missing=ALWAYS,
    source="drugs.csv",
)
def idiosyncratic(c: DrugCase) -> Answer:
    return Known(c.drug.is_idiosyncratic)


@fact(
    "drug.tier",
    FactKind.TEXT,
    meaning="Tier of an idiosyncratic drug: A, B or empty",
    missing="Always known: empty where the drug has none",
    source="RULES 25",
)
def tier(c: DrugCase) -> Answer:
    return Known(c.drug.idiosyncratic_tier.value if c.drug.idiosyncratic_tier else "")


@fact("drug.antipsychotic", FactKind.BOOL, missing=ALWAYS, source="drugs.csv", meaning="An antipsychotic")
def antipsychotic(c: DrugCase) -> Answer:
    return Known(c.drug.is_antipsychotic)


@fact(
    "drug.cml_tki",
    FactKind.BOOL,
    meaning="A BCR-ABL inhibitor in a patient with coded CML",
    missing="Unknown for these agents where problems are unavailable",
    source="RULES 33",
)
def cml_tki(c: DrugCase) -> Answer:
    if not c.drug.is_bcr_abl_tki:
        return Known(False)
    return c.situation.diseases.has("cml", "cml-blast", "cml-accelerated")


@fact(
    "drug.essential",
    FactKind.BOOL,
    meaning="A drug that must not be stopped lightly",
    missing=ALWAYS,
    source="drugs.csv",
)
def essential(c: DrugCase) -> Answer:
    return Known(c.drug.essential)


@fact(
    "drug.watched_on_chart",
    FactKind.BOOL,
    meaning="Judged while active when a chart is opened",
    missing=ALWAYS,
    source="drugs.csv",
)
def watched_on_chart(c: DrugCase) -> Answer:
    return Known(c.drug.eval_on_patient_view)


@fact(
    "drug.disease_clause",
    FactKind.BOOL,
    meaning="Marrow disease turns its limit into information",
    missing=ALWAYS,
    source="C-DISEASE",
)
def disease_clause(c: DrugCase) -> Answer:
    return Known(c.drug.disease_clause)


@fact(
    "drug.ask_first",
    FactKind.BOOL,
    meaning="Not to be paused without asking: antiseizure, antidepressant, transplant, antiretroviral, anti-infective",
    missing=ALWAYS,
    source="drugs.csv",
)
def ask_first(c: DrugCase) -> Answer:
    return Known(c.drug.stop_suggestion == "consult")


@fact(
    "drug.indications_differ",
    FactKind.BOOL,
    meaning="The limit depends on the indication: all contexts are printed",
    missing=ALWAYS,
    source="drugs.csv",
)
def indications_differ(c: DrugCase) -> Answer:
    return Known(c.drug.depends_on_indication)


@fact("drug.has_anc_limit", FactKind.BOOL, missing=ALWAYS, source="drugs.csv", meaning="The label has an ANC limit")
def has_anc_limit(c: DrugCase) -> Answer:
    return Known(c.drug.has_anc_limit)


@fact(
    "drug.limit_known",
    FactKind.BOOL,
    meaning="The label has an ANC or platelet limit during treatment",
    missing=ALWAYS,
    source="RULES 27",
)
def limit_known(c: DrugCase) -> Answer:
    return Known(c.drug.has_anc_limit or c.drug.plt_hold is not None or c.drug.anc_hold_with_fever is not None)


@fact(
    "drug.judged_without_limit",
    FactKind.BOOL,
    meaning="Toxic to the marrow, without a label ANC limit, and not cytotoxic, beta-lactam or hydroxyurea",
    missing=ALWAYS,
    source="RULES 27b",
)
def judged_without_limit(c: DrugCase) -> Answer:
    return Known(c.drug.is_judged_without_anc_limit)


@fact(
    "drug.asks_for_count",
    FactKind.BOOL,
    meaning=(
        "A draft needs a recent count: clozapine, or a gate window with an ANC limit or of the cytotoxic group, "
        "not of mild risk"
    ),
    missing=ALWAYS,
    source="RULES 8",
)
def asks_for_count(c: DrugCase) -> Answer:
    limited = c.drug.has_anc_limit or c.drug.is_cytotoxic_or_adc
    gated = c.drug.gate_window_days is not None and limited and c.drug.risk != "mild-or-rare"
    return Known(c.drug.is_clozapine or gated)
