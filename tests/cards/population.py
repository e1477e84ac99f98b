"""A made-up population of adults whose charts are opened, in the words of the cases (cards/README.md).

Plain `random` with a seed, and nothing of the service: the same seed gives the same people everywhere. The shares are
round numbers near what is published or ordinarily seen, and say which, so that they can be argued with.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from tests.cards.population_drugs import DAILY_DRUGS, OTHER_PRODUCTS, REGIMENS, draft_of

SEED = 20261122
SIZE = 2400
SIGNING_SHARE = 0.3
"""Of the openings, those in which something is ordered and signed."""

Json = dict[str, Any]

SETTINGS = {"clinic": 0.71, "ward": 0.22, "oncology": 0.05, "haematology": 0.02}
"""Where charts are opened. A hospital with its clinics; a cancer unit sees its patients often, so they weigh more."""

TRAITS = {
    "usual": 0.8825,
    "duffy-null": 0.08,
    "mild": 0.015,
    "few-lymphocytes": 0.02,
    "moderate": 0.002,
    "severe": 0.0005,
}
"""What sets the own neutrophil count. Duffy-null: two thirds of people of African ancestry, some 12 % in the USA.
The rest of the low counts (viral, drug, idiopathic) is of the size that laboratory series find: about 1 in 60 mild."""

DUFFY_CODED = 0.12
"""Of the Duffy-null, those whose chart says so: the phenotype is rarely typed."""

ANC_MEDIAN_SIGMA = {
    # Log-normal. Usual: NHANES mean 4.3, below 1.5 in well under 1 %. Duffy-null: 13.6 % below 1.5 and 2.5 % below 1.0
    # (Merz 2023, as the specification cites it), which fixes median and sigma.
    "usual": (4.1, 0.36),
    "duffy-null": (2.51, 0.47),
    "mild": (1.3, 0.12),
    "few-lymphocytes": (2.6, 0.25),
    "moderate": (0.78, 0.12),
    "severe": (0.35, 0.2),
}
ALC_MEDIAN = {"few-lymphocytes": 1.0}
WITHIN_PERSON_SIGMA = 0.18
"""Biological and analytical variation of neutrophils within a person, as a coefficient of variation."""


def population(size: int = SIZE, seed: int = SEED) -> Iterator[Json]:
    """One chart opening each: the input of a case, hook patient-view."""
    rng = random.Random(seed)  # noqa: S311 - people are made up, not secrets
    for _ in range(size):
        yield _adult(rng)


def signings(size: int = SIZE, seed: int = SEED) -> Iterator[Json]:
    """For a share of the same people: the same chart when an order is signed."""
    rng = random.Random(seed + 1)  # noqa: S311 - as above
    for person in population(size, seed):
        if rng.random() < SIGNING_SHARE:
            yield person | {"hook": "order-sign", "draft_orders": [draft_of(person, rng)]}


def is_healthy(person: Json) -> bool:
    """Normal counts, no fever, no drug of the table, no problem that any rule knows, not pregnant."""
    low = {"ANC": 1.5, "WBC": 4.0, "ALC": 1.0, "HGB": 12.0, "PLT": 150}
    normal = all(_canonical(lab) >= low.get(lab["analyte"], 0) for lab in person["labs"] if lab["unit"] is not None)
    known = [c for c in person["conditions"] if "name" in c] + [m for m in person["meds"] if "ingredient" in m]
    unusable = [lab for lab in person["labs"] if lab["unit"] is None and lab["analyte"] in low]
    duffy = [lab for lab in person["labs"] if lab["analyte"] == "DUFFY"]
    cool = all(36 <= temperature["value"] < 38 for temperature in person["temps"])
    return normal and cool and not known and not unusable and not duffy and not person.get("pregnant")


def _canonical(lab: Json) -> float:
    return lab["value"] / 1000 if lab["unit"] == "/uL" else float(lab["value"])


def _adult(rng: random.Random) -> Json:
    place, trait = _pick(rng, SETTINGS), _pick(rng, TRAITS)
    sex = "female" if rng.random() < 0.54 else "male"  # women use more care
    age = _age(rng, place)
    meds = _meds(rng, place)
    after_cycle = any("last_given_days_ago" in med for med in meds)
    fever = rng.random() < (FEVER_AFTER_CYCLE if place == "ward" and after_cycle else FEVER[place])
    if fever and after_cycle and rng.random() < 0.8:  # most are treated by the time their chart is opened again
        meds.append({"ingredient": "piperacillin-tazobactam", "start_days_ago": round(rng.uniform(0, 4), 1)})
    person: Json = {
        "age": age,
        "sex": sex,
        "labs": [*_counts(rng, place, trait, sex, meds), *_other_results(rng, trait)],
        "temps": _temperatures(rng, place, fever=fever),
        "conditions": _problems(rng, place, trait, fever=fever),
        "meds": meds,
    }
    if sex == "female" and age < 45 and rng.random() < 0.04:
        person["pregnant"] = True
    if place != "clinic":
        person["sbp"] = max(70, round(rng.gauss(128, 16)))
    if rng.random() < 0.12:  # a follow-up count is often ordered already
        person["existing_orders"] = ["cbc-diff"]
    if rng.random() < 0.001:
        person["deceased"] = True
    return person


def _age(rng: random.Random, place: str) -> int:
    """Adults; those in hospital and with cancer are older."""
    mean = 52 if place == "clinic" else 66
    return min(98, max(18, round(rng.gauss(mean, 17))))


def _pick(rng: random.Random, shares: dict[str, float]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


UNDER_CHEMOTHERAPY = {"clinic": 0.0, "ward": 0.05, "oncology": 0.6, "haematology": 0.15}
"""The others of the cancer units are in follow-up; on wards lie those who were admitted with a complication."""


def _meds(rng: random.Random, place: str) -> list[Json]:
    """What nearly everybody takes is no drug of the table; the table's drugs by how often they are prescribed."""
    meds: list[Json] = [
        {"product": name, "start_days_ago": rng.randint(5, 900)}
        for name in rng.sample(OTHER_PRODUCTS, k=rng.choice((0, 1, 1, 2, 3, 4)))
    ]
    meds += [drug.order(rng) for drug in DAILY_DRUGS if rng.random() < drug.share * drug.factor(place)]
    if rng.random() < UNDER_CHEMOTHERAPY[place]:
        meds += _regimen(rng)
    return meds


def _regimen(rng: random.Random) -> list[Json]:
    """One cycle of the last five weeks, charted as given; a fifth gets a growth factor the day after."""
    given = rng.randint(0, 34)
    orders: list[Json] = [
        {"ingredient": name, "start_days_ago": given + 60, "last_given_days_ago": given}
        for name in rng.choice(REGIMENS)
    ]
    if given > 1 and rng.random() < 0.2:
        orders.append({"ingredient": "pegfilgrastim", "start_days_ago": given - 1, "last_given_days_ago": given - 1})
    return orders


LAST_DRAW = {
    # Days since the last count, as weights of spans; None: no count on file. Clinics look back further.
    "clinic": {(0, 28): 0.27, (29, 365): 0.43, (366, 1500): 0.14, None: 0.16},
    "ward": {(0, 1): 0.9, (2, 7): 0.08, (8, 60): 0.02},
    "oncology": {(0, 3): 0.6, (4, 28): 0.3, (29, 120): 0.1},
    "haematology": {(0, 7): 0.4, (8, 90): 0.6},
}

DIFFERENTIAL = {"clinic": 0.68, "ward": 0.68, "oncology": 0.97, "haematology": 0.97}
"""How often a count comes with its differential."""


def _counts(rng: random.Random, place: str, trait: str, sex: str, meds: list[Json]) -> list[Json]:
    """Blood counts: the last draw where such patients have theirs, and earlier ones ever further apart."""
    span = rng.choices(list(LAST_DRAW[place]), weights=list(LAST_DRAW[place].values()))[0]
    if trait in ("mild", "moderate", "severe") and rng.random() < 0.4:
        span = (0, 28)  # a low count is repeated
    if span is None:
        return []
    if any(med.get("ingredient") == "clozapine" for med in meds) and rng.random() < 0.92:
        span = (0, 6)  # most of those who take it keep to the interval of its label
    median, sigma = ANC_MEDIAN_SIGMA[trait]
    own = median * math.exp(rng.gauss(0, sigma))
    alc = ALC_MEDIAN.get(trait, 1.9 if place == "clinic" else 1.5) * math.exp(rng.gauss(0, 0.28))
    days, labs = rng.uniform(*span), list[Json]()
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 6))):
        labs += _draw(rng, own * _effect(days, place, meds), alc, sex, round(days, 2), DIFFERENTIAL[place])
        days += rng.uniform(1, 4) if place == "ward" and days < 5 else rng.uniform(25, 220)
    return labs


def _effect(days: float, place: str, meds: list[Json]) -> float:
    """What the last cycle does to a count drawn so many days ago, and acute illness to one drawn on a ward."""
    cycles = [med["last_given_days_ago"] for med in meds if "last_given_days_ago" in med]
    since = max(cycles) - days if cycles else -1
    if 5 <= since <= 18:
        return 0.35 if since < 8 or since > 14 else 0.18  # the nadir lies 7-14 days after most regimens
    if 0 <= since <= 28:
        return 0.7
    return 1.4 if place == "ward" and days < 5 else 1.0


def _draw(rng: random.Random, anc: float, alc: float, sex: str, days: float, differential: float) -> list[Json]:
    """One specimen: leukocytes, haemoglobin, platelets; of the differentials some are sent as percentages only."""
    anc *= math.exp(rng.gauss(0, WITHIN_PERSON_SIGMA))
    wbc = anc + alc + rng.uniform(0.35, 0.8)
    own = {"days_ago": days, "specimen": f"specimen-{days}"}
    labs = [
        {"analyte": "WBC", **_number(rng, wbc), **own},
        {"analyte": "HGB", "value": round(rng.gauss(14.6 if sex == "male" else 13.3, 1.2), 1), "unit": "g/dL", **own},
        {"analyte": "PLT", "value": max(20, round(rng.gauss(250, 55))), "unit": "10*9/L", **own},
    ]
    kind = rng.random() / differential
    if kind < 0.82:
        labs += [{"analyte": "ANC", **_number(rng, anc), **own}, {"analyte": "ALC", **_number(rng, alc), **own}]
    elif kind < 1:
        shares = {"NEUT_PCT": anc / wbc, "LYMPH_PCT": alc / wbc}
        labs += [
            {"analyte": name, "value": round(share * 100, 1), "unit": "%", **own} for name, share in shares.items()
        ]
    if rng.random() < 0.5:
        labs[0]["ref_low"] = 4000 if labs[0]["unit"] == "/uL" else 4.0
    return labs


def _number(rng: random.Random, value: float) -> Json:
    """Laboratories write counts in several units; now and then an interface loses the unit."""
    unit = rng.choices(["10*9/L", "10*3/uL", "/uL", None], weights=[60, 30, 9.8, 0.2])[0]
    return {"value": round(value * 1000, -1) if unit == "/uL" else round(value, 2), "unit": unit}


def _other_results(rng: random.Random, trait: str) -> list[Json]:
    """Most have no film on file; some had one of the tests that a work-up asks for."""
    labs: list[Json] = []
    if rng.random() < 0.05:
        labs.append({"analyte": "SMEAR", "value": "normal morphology", "unit": None, "days_ago": rng.randint(1, 700)})
    for analyte, share in {"B12": 0.12, "FOLATE": 0.07, "HIV": 0.08, "HCV": 0.1, "HBV": 0.08, "ANA": 0.03}.items():
        if rng.random() < share:
            labs.append({"analyte": analyte, "value": "negative", "unit": None, "days_ago": rng.randint(5, 900)})
    if trait == "duffy-null" and rng.random() < DUFFY_CODED:
        labs.append({"analyte": "DUFFY", "value": "null", "unit": None, "days_ago": rng.randint(30, 3000)})
    return labs


FEVER = {"clinic": 0.012, "ward": 0.08, "oncology": 0.02, "haematology": 0.02}
FEVER_AFTER_CYCLE = 0.3
"""Charts opened with a fever of the last day: a few in a clinic, one patient in twelve on a ward, there after
chemotherapy one in three."""


def _temperatures(rng: random.Random, place: str, *, fever: bool) -> list[Json]:
    """Readings of the last day: often none in a clinic, several on a ward."""
    number = rng.choice((3, 4, 5)) if place == "ward" else int(fever or rng.random() < 0.5)
    mean, sigma = (38.6, 0.35) if fever else (36.7, 0.28)
    return [
        {"value": round(min(40.8, max(35.6, rng.gauss(mean, sigma))), 1), "hours_ago": round(1 + 5 * turn, 1)}
        for turn in range(number)
    ]


INFECTIONS = {"clinic": 0.03, "ward": 0.16, "oncology": 0.03, "haematology": 0.05}
INFECTION_NAMES = ("pneumonia", "cellulitis", "urosepsis", "sepsis", "bronchitis", "sinusitis", "common cold")
OTHER_PROBLEMS = ("Essential hypertension", "Type 2 diabetes mellitus", "Osteoarthritis of knee", "Hypothyroidism")


def _problems(rng: random.Random, place: str, trait: str, *, fever: bool) -> list[Json]:
    problems: list[Json] = [{"text": text} for text in rng.sample(OTHER_PROBLEMS, k=rng.choice((0, 1, 1, 2)))]
    if rng.random() < (0.5 if fever else INFECTIONS[place]):
        days = rng.randint(0, 12) if place == "ward" or fever else rng.randint(0, 400)
        status = "active" if days < 15 else rng.choice(("active", "resolved", "resolved"))
        problems.append({"name": rng.choice(INFECTION_NAMES), "onset_days_ago": days, "status": status})
    if place == "oncology":
        problems.append({"text": "Malignant neoplasm of breast", "onset_days_ago": rng.randint(40, 1500)})
    if place == "haematology":
        name = rng.choice(("CLL", "myeloma", "lymphoma", "lymphoma", "CML", "MDS"))
        problems.append({"name": name, "onset_days_ago": rng.randint(60, 2500)})
    if trait == "duffy-null" and rng.random() < 0.02:
        problems.append({"name": "benign ethnic neutropenia", "onset_days_ago": 2000})
    return problems
