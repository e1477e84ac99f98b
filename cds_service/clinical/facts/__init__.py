"""The vocabulary of the rules: named, typed, documented facts, computed from a situation."""

from cds_service.clinical.facts import (
    chart_facts,
    count_facts,
    drug_facts,
    drug_text_facts,
    fever_facts,
    limit_facts,
    text_facts,
    treatment_facts,
)
from cds_service.clinical.facts.registry import FACTS, DrugCase, FactKind, FactSheet, FactSpec

__all__ = [
    "FACTS",
    "DrugCase",
    "FactKind",
    "FactSheet",
    "FactSpec",
    "chart_facts",
    "count_facts",
    "drug_facts",
    "drug_text_facts",
    "fever_facts",
    "limit_facts",
    "text_facts",
    "treatment_facts",
]
