"""Facts in words, for card text only: what was seen, with unit and age, and what is not known."""

from __future__ import annotations

from datetime import timedelta

from cds_service.clinical.chart import Measurement, PrefetchKey
from cds_service.clinical.diseases import FEVER_RISK_DISEASE, HAEMATOLOGICAL_MALIGNANCY
from cds_service.clinical.draws import Count, plain
from cds_service.clinical.exposure import Exposed, newest_exposure
from cds_service.clinical.facts.count_facts import duffy_null, haemoglobin, incomplete, platelets
from cds_service.clinical.facts.fever_facts import chemo_exposures, pausable, symptomatic
from cds_service.clinical.facts.registry import FactKind, fact
from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Answer, Known, Unknown
from cds_service.clinical.moments import Moment
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation

ALWAYS = "Always known; says in words what is not"


def count_words(count: Count, s: Situation) -> str:
    """ "0.3 (2 h ago)"."""
    return f"{count.shown} ({age(count.taken, s)})"


def age(moment: Moment, s: Situation) -> str:
    return age_words(Known(True, at=moment), s.now)


@fact(
    "anc_words",
    FactKind.TEXT,
    meaning="The ANC in force, or its bound, with its age",
    missing=ALWAYS,
    source="RULES B0 presentation 9",
)
def anc_words(s: Situation) -> Answer:
    if incomplete(s):
        return Known("not known (cell counts unavailable)")
    count, bound = s.counts.in_force, s.counts.bound
    if bound is not None and (count is None or not s.counts.is_current(count) or bound.value <= count.value):
        return Known(count_words(bound, s), bound.taken, bound.sources)
    if count is None:
        return Known("not on file")
    newer = f", newer WBC {count_words(s.counts.white, s)}" if bound and s.counts.white else ""
    return Known(count_words(count, s) + newer, count.taken, count.sources)


@fact(
    "count_caveat",
    FactKind.TEXT,
    meaning="That the count was reported as an upper limit, bounded by the WBC, or is preliminary",
    missing="Unknown where the count in force is a plain final result",
    source="C-UNIT, C-VALID",
)
def count_caveat(s: Situation) -> Answer:
    count = s.counts.in_force
    if count is None:
        return Unknown(note="no count")
    words = ["an upper limit: it may be far lower, repeat within 72 h"] if count.upper_bound else []
    words += [] if count.final else ["a preliminary result"]
    return Known(f"This count is {' and '.join(words)}.") if words else Unknown(note="a final result")


@fact(
    "neutropenia_risk_words",
    FactKind.TEXT,
    meaning="What makes neutropenia likely where no fresh count is known",
    missing=ALWAYS,
    source="RULES 2",
)
def neutropenia_risk_words(s: Situation) -> Answer:
    chemotherapy = newest_exposure(chemo_exposures(s))
    words = [_exposure_words(chemotherapy, s)] if chemotherapy else []
    words += [p.text for p in s.diseases.having(FEVER_RISK_DISEASE | HAEMATOLOGICAL_MALIGNANCY)]
    words += [
        f"{p.text}, {age(p.performed, s)}"
        for p in s.diseases.marrow_procedures(s.numbers.marrow_fever_days)
        if p.performed
    ]
    return Known("; ".join(dict.fromkeys(words)) or "the last count")


@fact("wbc_words", FactKind.TEXT, missing=ALWAYS, source="RULES 13", meaning="The newest WBC with its age")
def wbc_words(s: Situation) -> Answer:
    white = s.counts.white
    return Known("not on file") if white is None else Known(count_words(white, s), white.taken, white.sources)


@fact(
    "last_counts",
    FactKind.TEXT,
    meaning="The last three neutrophil counts with their dates",
    missing=ALWAYS,
    source="RULES A, S2",
)
def last_counts(s: Situation) -> Answer:
    if incomplete(s):
        return Known("not known (cell counts unavailable)")
    counts = s.course.last(3)
    words = "; ".join(f"{c.shown} on {c.taken.day}" for c in counts)
    sources = tuple(source for c in counts for source in c.sources)
    return Known(words or "none on file", sources=sources)


@fact(
    "earlier_counts",
    FactKind.TEXT,
    meaning="The last three neutrophil counts, oldest first, with the days they span",
    missing=ALWAYS,
    source="RULES 15",
)
def earlier_counts(s: Situation) -> Answer:
    counts = list(reversed(s.course.last(3)))
    if not counts:
        return Known("none on file")
    span = (counts[-1].taken.latest - counts[0].taken.latest) / timedelta(days=1)
    return Known(f"{' > '.join(c.shown for c in counts)} in {round(span)} days")


@fact(
    "lineages",
    FactKind.TEXT,
    meaning="Haemoglobin and platelets of the last 28 d",
    missing=ALWAYS,
    source="RULES 10",
)
def lineages(s: Situation) -> Answer:
    red, thrombocytes = haemoglobin(s), platelets(s)
    words = [
        f"Hb {red.shown} g/dL ({age(red.at, s)})" if isinstance(red, Known) and red.at else "Hb not known",
        f"PLT {thrombocytes.shown} ({age(thrombocytes.at, s)})"
        if isinstance(thrombocytes, Known) and thrombocytes.at
        else "PLT not known",
    ]
    return Known(", ".join(words))


@fact(
    "lineages_short",
    FactKind.TEXT,
    meaning="Haemoglobin and platelets of the last 28 d, without their ages",
    missing=ALWAYS,
    source="RULES 18",
)
def lineages_short(s: Situation) -> Answer:
    red, thrombocytes = haemoglobin(s), platelets(s)
    first = f"Hb {red.shown}" if isinstance(red, Known) else "Hb not known"
    second = f"PLT {thrombocytes.shown}" if isinstance(thrombocytes, Known) else "PLT not known"
    return Known(f"{first}, {second}")


@fact(
    "temperature_words",
    FactKind.TEXT,
    meaning="The last usable temperature and its age, or that none is recorded",
    missing=ALWAYS,
    source="C-FEVER",
)
def temperature_words(s: Situation) -> Answer:
    last = s.fever.last_temperature
    return Known(s.fever.statement, sources=(last.source,) if last else ())


@fact(
    "no_fever_words",
    FactKind.TEXT,
    meaning="'no fever' only where readings of 24 h exist and all are below 38.0",
    missing=ALWAYS,
    source="C-FEVER",
)
def no_fever_words(s: Situation) -> Answer:
    return Known(s.fever.no_fever_words)


@fact(
    "sign_words",
    FactKind.TEXT,
    meaning="What makes the patient hot; the word fever only where it is one",
    missing=ALWAYS,
    source="RULES 1",
)
def sign_words(s: Situation) -> Answer:
    return Known(s.fever.reason or "Infection sign")


@fact(
    "sign_details",
    FactKind.TEXT,
    meaning="All readings and problems behind fever or infection sign; undated infections; borderline readings",
    missing=ALWAYS,
    source="C-FEVER",
)
def sign_details(s: Situation) -> Answer:
    f = s.fever
    readings = dict.fromkeys([*f.febrile_readings, *f.hypothermic_readings])
    words = [f"{plain(m.value)} C {age(m.taken, s)}" for m in readings if m.value is not None]
    words += [f"systolic {plain(m.value)} mmHg {age(m.taken, s)}" for m in f.shock_readings if m.value is not None]
    problems = [*f.reported, *f.infections, *f.severe_count_symptoms]
    words += [f"{p.text} ({age(p.dated, s)})" for p in problems if p.dated]
    words += [f"{p.text} (undated, not counted)" for p in f.undated_infections]
    words += [] if f.last_temperature in readings else [f.statement]
    return Known("; ".join(words))


@fact(
    "borderline_words",
    FactKind.TEXT,
    meaning="A note on readings just below the fever definition",
    missing="Unknown where no reading lies at 38.0 to 38.2",
    source="C-FEVER",
)
def borderline_words(s: Situation) -> Answer:
    if not s.fever.borderline:
        return Unknown(note="no such reading")
    return Known("A reading of 38.0-38.2 C lies below the set fever definition; others use 38.0: recheck within 1 h.")


@fact(
    "chemotherapy_words",
    FactKind.TEXT,
    meaning="The last chemotherapy and how long ago",
    missing="Unknown where no exposure is known",
    source="RULES 2",
)
def chemotherapy_words(s: Situation) -> Answer:
    last = newest_exposure(chemo_exposures(s))
    if last is None:
        return Unknown(note="no chemotherapy known")
    return Known(_exposure_words(last, s), last.last, (last.source,))


def _exposure_words(exposed: Exposed, s: Situation) -> str:
    when = "ongoing" if exposed.ongoing else age(exposed.last, s)
    return f"{exposed.drug.ingredient}, {when}" + (
        "" if exposed.given or exposed.ongoing else " (order; no dose on record)"
    )


@fact(
    "days_after_chemotherapy",
    FactKind.NUMBER,
    unit="d",
    meaning="Whole days since the last possible chemotherapy",
    missing="Unknown where no exposure is known",
    source="RULES 2",
)
def days_after_chemotherapy(s: Situation) -> Answer:
    last = newest_exposure(chemo_exposures(s))
    if last is None:
        return Unknown(note="no chemotherapy known")
    return Known(round(last.last.youngest_age(s.now) / timedelta(days=1)), last.last, (last.source,))


@fact(
    "treating_words",
    FactKind.TEXT,
    meaning="The antipseudomonal drug and since when",
    missing="Unknown where no antipseudomonal drug runs",
    source="RULES 1",
)
def treating_words(s: Situation) -> Answer:
    order = next(iter(s.exposure.treating), None)
    started = s.exposure.started(order) if order else None
    if order is None or started is None:
        return Unknown(note="not on an antipseudomonal drug")
    since = f"{started.latest:%d %b %H:%M} UTC" if started.exact else started.day
    return Known(f"{order.drugs[0].ingredient} since {since}", started, (order.source,))


@fact(
    "days_treated",
    FactKind.NUMBER,
    unit="d",
    meaning="Whole days on the antipseudomonal drug",
    missing="Unknown where no antipseudomonal drug runs",
    source="RULES 1",
)
def days_treated(s: Situation) -> Answer:
    starts = [start for order in s.exposure.treating if (start := s.exposure.started(order))]
    if not starts:
        return Unknown(note="not on an antipseudomonal drug")
    return Known(min(starts).youngest_age(s.now).days)


@fact(
    "contributing_drugs",
    FactKind.TEXT,
    meaning="Drugs taken or given within 28 d that can lower the count",
    missing=ALWAYS,
    source="RULES 10",
)
def contributing_drugs(s: Situation) -> Answer:
    if s.chart.lacks(PrefetchKey.MEDICATION_REQUESTS):
        return Known("not known (drug list unavailable)")
    window = days(s.numbers.nadir_days)
    recent = s.exposure.within(lambda d: d.risk != "raises-ANC-confounder", lambda _: window)
    names = dict.fromkeys(e.drug.ingredient for e in recent)
    return Known(", ".join(names) or "none recognised", sources=tuple(e.source for e in recent))


@fact(
    "warning_drugs",
    FactKind.TEXT,
    meaning="The drugs whose warning symptom is there",
    missing=ALWAYS,
    source="RULES 5",
)
def warning_drugs(s: Situation) -> Answer:
    found = symptomatic(s)
    names = " and ".join(dict.fromkeys(e.drug.ingredient for e in found))
    return Known((names[:1].upper() + names[1:]) or "A drug", sources=tuple(dict.fromkeys(e.source for e in found)))


@fact(
    "drugs_to_pause",
    FactKind.TEXT,
    meaning="The active drugs that may be paused until the count is known",
    missing="Unknown where none is to be paused",
    source="RULES 5",
)
def drugs_to_pause(s: Situation) -> Answer:
    names = {e.drug.ingredient for e in symptomatic(s) if pausable(s, e.drug)}
    active = [d.ingredient for o in s.exposure.active for d in o.drugs if d.ingredient in names]
    return Known(" and ".join(dict.fromkeys(active))) if active else Unknown(note="none to be paused")


@fact(
    "symptom_words",
    FactKind.TEXT,
    meaning="The fever, throat symptom or infection sign, in a few words",
    missing=ALWAYS,
    source="RULES 5",
)
def symptom_words(s: Situation) -> Answer:
    signs = [s.fever.reason] if s.fever.reason else []
    signs += [p.text.lower() for p in s.fever.throat_symptoms]
    words = " and ".join(dict.fromkeys(signs)) or "a warning symptom"
    return Known(words[:1].lower() + words[1:], sources=tuple(p.source for p in s.fever.throat_symptoms))


@fact(
    "blast_words",
    FactKind.TEXT,
    meaning="The blasts reported: percentage or film finding, with age",
    missing=ALWAYS,
    source="RULES 18b",
)
def blast_words(s: Situation) -> Answer:
    counted = [m for m in s.chart.measurements if m.analyte == "BLASTS_PCT" and m.value and m.final]
    newest = max(counted, key=lambda m: m.taken, default=None)
    if newest is not None and newest.value is not None:
        return Known(f"{plain(newest.value)} % ({age(newest.taken, s)})", sources=(newest.source,))
    return Known("on the film", sources=tuple(f.source for f in s.chart.findings if "blasts" in f.kinds))


@fact("duffy_words", FactKind.TEXT, missing=ALWAYS, source="C-DUFFY", meaning="Duffy status, as context")
def duffy_words(s: Situation) -> Answer:
    status = duffy_null(s)
    if isinstance(status, Unknown):
        return Known("Duffy status not known")
    limit = plain(s.policy.duffy_null_anc)
    if not status.value:
        return Known("not Duffy-null")
    count = s.counts.in_force
    if count is not None and count.value < s.policy.duffy_null_anc:
        return Known(f"Duffy-null; the count is below the Duffy-null reference limit ({limit})")
    return Known(f"Duffy-null (reference limit {limit})")


COUNTED = ("ANC", "WBC", "NEUT_PCT", "SEGS_PCT", "BANDS_PCT", "PLT")


@fact(
    "unusable_words",
    FactKind.TEXT,
    meaning="Each unusable result as sent, with the reason and its date",
    missing=ALWAYS,
    source="RULES 7",
)
def unusable_words(s: Situation) -> Answer:
    bad = [*s.counts.unusable(COUNTED), *s.fever.unusable_temperatures]
    return Known("; ".join(_unusable(m, s) for m in bad[:4]) or "none", sources=tuple(m.source for m in bad))


@fact(
    "unusable_short",
    FactKind.TEXT,
    meaning="The first two unusable results as sent",
    missing=ALWAYS,
    source="RULES 7",
)
def unusable_short(s: Situation) -> Answer:
    bad = [*s.fever.unusable_temperatures, *s.counts.unusable(COUNTED)]
    words = [f"{LABELS.get(m.analyte, m.analyte)} {m.raw}" for m in bad[:2]]
    return Known(" and ".join(words) or "A result", sources=tuple(m.source for m in bad))


LABELS = {
    "ANC": "ANC",
    "WBC": "WBC",
    "PLT": "Platelets",
    "TEMP": "Temperature",
    "NEUT_PCT": "Neutrophil %",
    "SEGS_PCT": "Segs %",
    "BANDS_PCT": "Bands %",
}


def _unusable(m: Measurement, s: Situation) -> str:
    why = s.counts.problem_of(m) or "not usable"
    return f"{LABELS.get(m.analyte, m.analyte)} {m.raw} ({age(m.taken, s)}): {why}"


@fact(
    "conflict_words",
    FactKind.TEXT,
    meaning="Both results of a conflict, with their times",
    missing="Unknown where results do not contradict each other",
    source="C-ANC",
)
def conflict_words(s: Situation) -> Answer:
    found = s.counts.conflicts
    if not found:
        return Unknown(note="no conflict")
    c = found[0]
    return Known(
        f"{count_words(c.first, s)} and {count_words(c.second, s)}: {c.why}",
        sources=(*c.first.sources, *c.second.sources),
    )


@fact(
    "population_words",
    FactKind.TEXT,
    meaning="Child with the age, pregnant (undated where so), or adult, age unknown",
    missing=ALWAYS,
    source="RULES 9",
)
def population_words(s: Situation) -> Answer:
    years = s.diseases.age_years
    if s.diseases.is_child:
        pregnant = ", pregnant" if s.diseases.pregnancies else ""
        return Known((f"Age {years}" if years else "Age under 1 year") + pregnant)
    if s.diseases.pregnancies:
        dated = any(p.dated for p in s.diseases.pregnancies)
        return Known(
            "Pregnant" if dated else "Pregnant (undated entry)", sources=tuple(p.source for p in s.diseases.pregnancies)
        )
    return Known("Adult" if years is not None else "Age not known, read as adult")


@fact(
    "pathway_words",
    FactKind.TEXT,
    meaning="Which pathway to use instead, for a child or in pregnancy",
    missing=ALWAYS,
    source="RULES 9",
)
def pathway_words(s: Situation) -> Answer:
    pathways = ["paediatric"] if s.diseases.is_child else []
    pathways += ["obstetric"] if s.diseases.pregnancies else []
    return Known(f"use the {'/'.join(pathways) or 'local'} pathway")


@fact(
    "age_note",
    FactKind.TEXT,
    meaning="That the age is not known",
    missing="Unknown where the age is known",
    source="RULES 9",
)
def age_note(s: Situation) -> Answer:
    if s.diseases.age_years is not None:
        return Unknown(note="age known")
    return Known("Age not known: read as an adult.")


@fact(
    "undated_infection_words",
    FactKind.TEXT,
    meaning="Active infections on the problem list without a date: no sign, but printed",
    missing="Unknown where there is none",
    source="C-FEVER",
)
def undated_infection_words(s: Situation) -> Answer:
    found = s.fever.undated_infections
    if not found:
        return Unknown(note="none")
    words = ", ".join(p.text for p in found)
    return Known(
        f"On the problem list without a date: {words}. Check whether it is present.",
        sources=tuple(p.source for p in found),
    )
