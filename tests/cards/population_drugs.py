"""What the people of the generated population take, and what is ordered for them. No part of the service is used."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

OTHER_PRODUCTS = (
    "Atorvastatin 20 MG Oral Tablet", "Metformin 500 MG Oral Tablet", "Amlodipine 5 MG Oral Tablet",
    "Omeprazole 20 MG Delayed Release Oral Capsule", "Levothyroxine 75 MCG Oral Tablet", "Sertraline 50 MG Oral Tablet",
    "Bisoprolol 5 MG Oral Tablet", "Insulin glargine", "Salbutamol inhaler", "Apixaban 5 MG Oral Tablet",
)  # fmt: skip
"""The most prescribed drugs, none of which is in the drug table."""

REGIMENS = (
    ("paclitaxel", "carboplatin"), ("oxaliplatin", "fluorouracil"), ("doxorubicin", "cyclophosphamide"),
    ("docetaxel",), ("gemcitabine",), ("pemetrexed", "carboplatin"), ("capecitabine",),
)  # fmt: skip


@dataclass(frozen=True)
class DailyDrug:
    """A drug of the table, and the share of clinic patients who take it. `weights`: how much more often elsewhere."""

    name: str
    share: float
    weights: tuple[tuple[str, float], ...] = ()
    longest_days: int = 1500

    def factor(self, place: str) -> float:
        return dict(self.weights).get(place, 1.0)

    def order(self, rng: random.Random) -> Json:
        """Taken for some time, as a rule still active; one in twelve was stopped lately."""
        start = rng.randint(1, self.longest_days)
        if start > 30 and rng.random() < 0.08:
            return {
                "ingredient": self.name,
                "status": "stopped",
                "start_days_ago": start,
                "end_days_ago": rng.randint(1, 30),
            }
        return {"ingredient": self.name, "start_days_ago": start}


CANCER = (("oncology", 20.0), ("clinic", 0.3))
BLOOD = (("haematology", 40.0), ("clinic", 0.2))

DAILY_DRUGS = (
    # Common and hardly ever the cause: prevalence of prescription surveys, rounded.
    DailyDrug("clopidogrel", 0.03), DailyDrug("spironolactone", 0.03), DailyDrug("prednisone", 0.03),
    DailyDrug("allopurinol", 0.03), DailyDrug("colchicine", 0.008), DailyDrug("captopril", 0.002),
    DailyDrug("hydroxychloroquine", 0.006), DailyDrug("levetiracetam", 0.009),
    # Psychiatry and neurology.
    DailyDrug("mirtazapine", 0.012), DailyDrug("quetiapine", 0.012), DailyDrug("olanzapine", 0.006),
    DailyDrug("risperidone", 0.005), DailyDrug("aripiprazole", 0.008), DailyDrug("clozapine", 0.0015),
    DailyDrug("lamotrigine", 0.01), DailyDrug("valproate", 0.006), DailyDrug("carbamazepine", 0.004),
    DailyDrug("phenytoin", 0.002), DailyDrug("lithium", 0.003),
    # Immune suppression, rheumatology, gastroenterology, neurology.
    DailyDrug("methotrexate", 0.008), DailyDrug("azathioprine", 0.004), DailyDrug("mercaptopurine", 0.001),
    DailyDrug("sulfasalazine", 0.003), DailyDrug("leflunomide", 0.0015), DailyDrug("mycophenolate mofetil", 0.002),
    DailyDrug("tacrolimus", 0.002), DailyDrug("adalimumab", 0.004), DailyDrug("etanercept", 0.002),
    DailyDrug("rituximab", 0.001, BLOOD), DailyDrug("teriflunomide", 0.0004), DailyDrug("dapsone", 0.0004),
    # Thyroid, haematology, cancer tablets.
    DailyDrug("methimazole", 0.003, longest_days=600), DailyDrug("propylthiouracil", 0.0003, longest_days=400),
    DailyDrug("hydroxyurea", 0.001, BLOOD), DailyDrug("imatinib", 0.0003, BLOOD), DailyDrug("ibrutinib", 0.0004, BLOOD),
    DailyDrug("lenalidomide", 0.0006, BLOOD), DailyDrug("palbociclib", 0.001, CANCER),
    DailyDrug("olaparib", 0.0003, CANCER),
    # Courses of anti-infectives.
    DailyDrug("trimethoprim-sulfamethoxazole", 0.006, longest_days=10), DailyDrug("amoxicillin", 0.008, longest_days=8),
    DailyDrug("ceftriaxone", 0.001, (("ward", 90.0),), 8), DailyDrug("vancomycin", 0.0001, (("ward", 400.0),), 8),
    DailyDrug("piperacillin-tazobactam", 0.0001, (("ward", 600.0),), 8),
    DailyDrug("terbinafine", 0.002, longest_days=80),
    DailyDrug("valganciclovir", 0.0003, longest_days=150),
)  # fmt: skip

ORDERED = {
    # What is signed: mostly drugs of no rule, tests and renewals.
    "other": 0.56,
    "test": 0.2,
    "renewal": 0.12,
    "antibiotic": 0.06,
    "table": 0.06,
}


def draft_of(person: Json, rng: random.Random) -> Json:
    """One draft order that suits this person; patients under chemotherapy get their next cycle."""
    cycle = [
        med["ingredient"]
        for med in person["meds"]
        if "last_given_days_ago" in med and med["ingredient"] != "pegfilgrastim"
    ]
    if cycle and rng.random() < 0.5:
        return {"ingredient": cycle[0]}
    kind = rng.choices(list(ORDERED), weights=list(ORDERED.values()))[0]
    taken = [med["ingredient"] for med in person["meds"] if "ingredient" in med and med.get("status") != "stopped"]
    if kind == "test":
        return {"text": "Basic metabolic panel"} if rng.random() < 0.9 else {"test": "hcv-antibody"}
    if kind == "antibiotic":
        return {"ingredient": rng.choice(("amoxicillin", "ceftriaxone")), "planned_days": rng.choice((5, 7, 10, 14))}
    if kind == "renewal" and taken:
        return {"ingredient": rng.choice(taken)}
    if kind == "table":
        return {"ingredient": rng.choices(DAILY_DRUGS, weights=[drug.share for drug in DAILY_DRUGS])[0].name}
    return {"product": rng.choice(OTHER_PRODUCTS)}
