"""Facts about the patient, diseases, exposure before the draw, and the orders of the call."""

from __future__ import annotations

from cds_service.clinical.chart import MedicationOrder, PrefetchKey, Route, ServiceOrder
from cds_service.clinical.diseases import FEVER_RISK_DISEASE, HAEMATOLOGICAL_MALIGNANCY, LEUKAEMIA_ON_FILE
from cds_service.clinical.exposure import ENDED
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.knowledge import Answer, HasSource, Known, Unknown, claim, either, is_true
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

NEEDS_PROBLEMS = "True on any evidence; unknown where problems are unavailable"
NEEDS_DRUGS = "True on any evidence; unknown where drugs are unavailable"
OPEN_STATUSES = frozenset({"active", "draft"})


@fact("opening_chart", FactKind.BOOL, missing="Always known", source="RULES B",
      meaning="The call comes from opening a chart (patient-view, encounter-start), not from ordering")  # fmt: skip
def opening_chart(s: Situation) -> Answer:
    return Known(s.on_chart)


@fact(
    "child",
    FactKind.BOOL,
    meaning="Younger than 18 years",
    missing="False where the birth date is not known: read as adult, and said on the cards",
    source="RULES 9",
)
def child(s: Situation) -> Answer:
    return Known(s.diseases.is_child)


@fact(
    "age_years",
    FactKind.NUMBER,
    unit="a",
    meaning="Completed years of age",
    missing="Unknown where the birth date is",
    source="RULES 9",
)
def age_years(s: Situation) -> Answer:
    age = s.diseases.age_years
    return Unknown(note="birth date not known") if age is None else Known(age)


@fact("pregnant", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 9",
      meaning="An active pregnancy, undated or at most 300 d old")  # fmt: skip
def pregnant(s: Situation) -> Answer:
    return claim(s.chart, s.diseases.pregnancies, PrefetchKey.CONDITIONS)


@fact(
    "haematological_malignancy",
    FactKind.BOOL,
    meaning="AML, ALL, APL, MDS, CMML, CML, CLL, hairy cell leukaemia, myeloma or lymphoma on the problem list",
    missing=NEEDS_PROBLEMS,
    source="RULES 2b",
)
def haematological_malignancy(s: Situation) -> Answer:
    return s.diseases.has(*HAEMATOLOGICAL_MALIGNANCY)


@fact(
    "marrow_disease",
    FactKind.BOOL,
    meaning="Active disease of the marrow, or induction, conditioning, transplant or lymphodepletion within 30 d",
    missing="True on any evidence; unknown where problems or procedures are unavailable",
    source="C-DISEASE",
)
def marrow_disease(s: Situation) -> Answer:
    return s.diseases.marrow_disease


@fact(
    "marrow_procedure_100_days",
    FactKind.BOOL,
    meaning="Leukaemia induction, conditioning, transplant or lymphodepletion within 100 d",
    missing="True on any evidence; unknown where procedures are unavailable",
    source="RULES 2c",
)
def marrow_procedure_100_days(s: Situation) -> Answer:
    return claim(s.chart, s.diseases.marrow_procedures(s.numbers.marrow_fever_days), PrefetchKey.PROCEDURES)


@fact(
    "neutropenic_disease",
    FactKind.BOOL,
    meaning=(
        "A disease in which the count can be low at any time: acute leukaemia, MDS, CMML, hairy cell, aplastic "
        "anaemia, LGL, agranulocytosis, chronic, cyclic or congenital neutropenia"
    ),
    missing=NEEDS_PROBLEMS,
    source="RULES 2d",
)
def neutropenic_disease(s: Situation) -> Answer:
    return s.diseases.has(*FEVER_RISK_DISEASE)


@fact("leukaemia_on_file", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 18b",
      meaning="AML, ALL, APL, MDS, CMML or CML on the problem list, which explains blasts")  # fmt: skip
def leukaemia_on_file(s: Situation) -> Answer:
    return s.diseases.has(*LEUKAEMIA_ON_FILE)


@fact(
    "hairy_cell_leukaemia",
    FactKind.BOOL,
    meaning="Active hairy cell leukaemia",
    missing=NEEDS_PROBLEMS,
    source="RULES 30",
)
def hairy_cell_leukaemia(s: Situation) -> Answer:
    return s.diseases.has("hcl")


@fact(
    "sickle_cell_disease",
    FactKind.BOOL,
    meaning="Active sickle cell disease (not trait)",
    missing=NEEDS_PROBLEMS,
    source="RULES 27",
)
def sickle_cell_disease(s: Situation) -> Answer:
    return s.diseases.has("sickle-cell-disease")


@fact("cml", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 33", meaning="Active chronic myeloid leukaemia")
def cml(s: Situation) -> Answer:
    return s.diseases.has("cml", "cml-blast", "cml-accelerated")


@fact("advanced_cml", FactKind.BOOL, missing=NEEDS_PROBLEMS, source="RULES 33",
      meaning="CML in accelerated or blast phase; a phase that is not stated counts as chronic")  # fmt: skip
def advanced_cml(s: Situation) -> Answer:
    return claim(s.chart, s.diseases.advanced_cml, PrefetchKey.CONDITIONS)


@fact(
    "nadir28",
    FactKind.BOOL,
    meaning="Proven exposure to a cytotoxic or antibody-drug conjugate of high risk 0-28 d before the draw",
    missing="True on any evidence; unknown where drugs are unavailable: then not a nadir",
    source="C-EXPOSURE",
)
def nadir28(s: Situation) -> Answer:
    return s.nadir28


@fact(
    "myelo28",
    FactKind.BOOL,
    meaning="Proven exposure to any highly myelosuppressive drug 0-28 d before the draw",
    missing="True on any evidence; unknown where drugs are unavailable: then not explained",
    source="C-EXPOSURE",
)
def myelo28(s: Situation) -> Answer:
    return s.myelo28


@fact("idiosyncratic_drug_active", FactKind.BOOL, missing=NEEDS_DRUGS, source="RULES 10",
      meaning="A drug that can cause agranulocytosis is being taken")  # fmt: skip
def idiosyncratic_drug_active(s: Situation) -> Answer:
    return claim(s.chart, s.exposure.active_drug(lambda d: d.is_idiosyncratic), PrefetchKey.MEDICATION_REQUESTS)


@fact(
    "open_cbc",
    FactKind.BOOL,
    meaning="A CBC with differential is ordered, active or draft, undated or due within 35 d (100 d if stable)",
    missing="Unknown where service requests are unavailable: then none is assumed",
    source="C-OPEN-CBC",
)
def open_cbc(s: Situation) -> Answer:
    open_orders = [
        o for o in s.chart.service_orders if "cbc-diff" in o.kinds and o.status in OPEN_STATUSES and _due_soon(s, o)
    ]
    return claim(s.chart, open_orders, PrefetchKey.SERVICE_REQUESTS)


def _due_soon(s: Situation, order: ServiceOrder) -> bool:
    window = days(s.numbers.open_cbc_stable_days if s.course.stable else s.numbers.open_cbc_days)
    return order.due is None or order.due.earliest <= s.now + window


@fact(
    "gated_draft",
    FactKind.BOOL,
    meaning=(
        "A new systemic draft of a drug with an ANC limit, of the cytotoxic or ADC group, or judged without a limit"
    ),
    missing="Always known",
    source="C-GATE",
)
def gated_draft(s: Situation) -> Answer:
    return claim(s.chart, [o for o in s.systemic_drafts if any(d.is_gated for d in o.drugs)])


@fact(
    "order_without_antibacterial",
    FactKind.BOOL,
    meaning="There is any order in the drafts, and no antipseudomonal or other antibacterial is active or drafted",
    missing="Unknown where the drug list is unavailable and no antibacterial is drafted",
    source="RULES 1",
)
def order_without_antibacterial(s: Situation) -> Answer:
    anything: list[HasSource] = [*s.drafts, *s.drafted_services]
    drafted = [o for o in s.chart.orders if o.draft and o.status not in ENDED]  # not only those selected just now
    if (not anything and not s.chart.other_drafts) or any(_covers(o) for o in drafted):
        return Known(False)
    covered = claim(s.chart, [o for o in s.exposure.active if _covers(o)], PrefetchKey.MEDICATION_REQUESTS)
    if isinstance(covered, Unknown):
        return covered
    return Known(not covered.value, sources=tuple(o.source for o in anything))


def _covers(order: MedicationOrder) -> bool:
    return order.route is not Route.LOCAL and any(d.antibacterial in ("antipseudomonal", "other") for d in order.drugs)


@fact("platelets_matter", FactKind.BOOL, missing="Unknown where drugs or problems are unavailable", source="RULES 7",
      meaning="A CML tyrosine kinase inhibitor is being taken, or a draft has a platelet limit")  # fmt: skip
def platelets_matter(s: Situation) -> Answer:
    drafts = [o for o in s.systemic_drafts if any(d.has_platelet_limit for d in o.drugs)]
    taking = s.exposure.active_drug(lambda d: d.is_bcr_abl_tki)
    tki = claim(s.chart, taking, PrefetchKey.MEDICATION_REQUESTS)
    if is_true(tki):
        tki = cml(s)
    return either(claim(s.chart, drafts), tki)


@fact("clozapine_active", FactKind.BOOL, missing=NEEDS_DRUGS, source="RULES 8", meaning="Clozapine is being taken")
def clozapine_active(s: Situation) -> Answer:
    return claim(s.chart, s.exposure.active_drug(lambda d: d.is_clozapine), PrefetchKey.MEDICATION_REQUESTS)


@fact(
    "drug_being_stopped",
    FactKind.BOOL,
    meaning="An order of the call stops, holds or cancels a drug",
    missing="Always known",
    source="RULES 24",
)
def drug_being_stopped(s: Situation) -> Answer:
    return claim(s.chart, [o for o in s.stops if o.status in ENDED])
