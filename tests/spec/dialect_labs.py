"""Dialects of results: units, codes, times, and panels."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta, timezone
from decimal import Decimal
from functools import cache

from tests.places import SHARED_DIR
from tests.spec.dialect_tools import (
    LOINC,
    UCUM,
    Circumstances,
    Json,
    ago,
    copied,
    entries,
    entry_of,
    instant,
    patient_id,
    resources,
)  # fmt: skip

COUNTS = ("ANC", "WBC", "ALC", "PLT")
SAME_ANALYTE = {
    "ANC": ("751-8", "753-4", "26499-4"),
    "WBC": ("6690-2", "26464-8", "804-5", "49498-9", "12227-5", "33256-9"),
    "ALC": ("731-0", "732-8", "26474-7"),
    "PLT": ("777-3", "26515-7", "778-1", "49497-1"),
    "HGB": ("718-7", "30350-3", "20509-6", "30352-9"),
    "NEUT_PCT": ("770-8", "26511-6", "23761-0"),
    "SEGS_PCT": ("769-0", "26505-8", "32200-8"),
    "BANDS_PCT": ("764-1", "26508-2", "35332-6"),
    "LYMPH_PCT": ("736-9", "737-7", "26478-8"),
    "BLASTS_PCT": ("709-6", "26446-5"),
    "TEMP": ("8310-5", "8331-1", "8333-7", "8332-9", "8328-7"),
    "WEIGHT": ("29463-7", "3141-9", "8335-2"),
    "IGG": ("2465-3",),
    "SBP": ("8480-6",),
}
ANALYTE_OF = {code: analyte for analyte, codes in SAME_ANALYTE.items() for code in codes}
PERCENT = [("%", "%", 1), ("%", None, 1), ("percent", None, 1), ("%{WBCs}", "%{WBCs}", 1), ("1", "1", 100)]
OTHER_UNITS: dict[str, list[tuple[str, str | None, Decimal | int]]] = {
    "HGB": [("g/L", "g/L", Decimal("0.1")), ("gm/dL", None, 1), ("g/dl", None, 1), ("gm%", None, 1), ("g%", "g%", 1)],
    "IGG": [("g/L", "g/L", 100), ("mg/L", "mg/L", Decimal("0.1")), ("g/dL", "g/dL", 1000)],
    "SBP": [("mmHg", None, 1), ("mm Hg", None, 1), ("mmHg", "mm[Hg]", 1)],
    "WEIGHT": [("g", "g", Decimal("0.001")), ("kilogram", "kg", 1), ("kg", None, 1)],
} | dict.fromkeys(("NEUT_PCT", "SEGS_PCT", "BANDS_PCT", "LYMPH_PCT", "BLASTS_PCT"), PERCENT)
CANONICAL = {"HGB": "g/dL", "IGG": "mg/dL", "SBP": "mm[Hg]", "WEIGHT": "kg"} | dict.fromkeys(COUNTS, "10*9/L")
FAHRENHEIT = [("[degF]", "[degF]"), ("F", None), ("degF", None), ("°F", None), ("deg F", "[degF]")]


@cache
def count_units() -> list[tuple[str, str | None, Decimal]]:
    """Every accepted spelling of a count: its text, its code where it is UCUM, its factor to 10*9/L."""
    with (SHARED_DIR / "terminology" / "units.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["canonical_ucum"] == "10*9/L" and r["normalises_to"] != "%"]
    return [
        (row["code"], row["code"] if row["kind"] == "valid UCUM" else None, Decimal(row["factor_to_canonical"]))
        for row in rows
        if row["factor_to_canonical"]
    ]


def analyte_of(holder: Json) -> str | None:
    coded = [coding["code"] for coding in holder.get("code", {}).get("coding", [])]
    return next((ANALYTE_OF[code] for code in coded if code in ANALYTE_OF), None)


def measured(request: Json):
    """Everything with a code and a number: Observations and their components."""
    for observation in resources(request, "Observation"):
        for holder in (observation, *observation.get("component", [])):
            if "valueQuantity" in holder and (analyte := analyte_of(holder)):
                yield analyte, holder


def plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _rewrite_quantity(quantity: Json, unit: str, code: str | None, factor: Decimal | int) -> None:
    if "value" in quantity:
        quantity["value"] = plain_number(Decimal(str(quantity["value"])) / factor)
    for name in ("unit", "system", "code"):
        quantity.pop(name, None)
    quantity["unit"] = unit
    if code is not None:
        quantity |= {"system": UCUM, "code": code}


def _quantities(holder: Json, unit: str) -> list[Json]:
    """The value and its reference limits, where all are in the canonical unit."""
    limits = [span[side] for span in holder.get("referenceRange", []) for side in ("low", "high") if side in span]
    found = [holder["valueQuantity"], *limits]
    return found if all(quantity.get("unit") == unit for quantity in found) else []


def other_units(request: Json, circumstances: Circumstances) -> Json:
    """Each result in another unit, or in another spelling of the same."""
    for analyte, holder in measured(request):
        options = count_units() if analyte in COUNTS else OTHER_UNITS.get(analyte, [])
        if options:
            chosen = circumstances.dice.choice(options)
            for quantity in _quantities(holder, CANONICAL.get(analyte, "%")):
                _rewrite_quantity(quantity, *chosen)
        elif analyte == "TEMP":
            _to_fahrenheit(holder["valueQuantity"], *circumstances.dice.choice(FAHRENHEIT))
    return request


def _to_fahrenheit(quantity: Json, unit: str, code: str | None) -> None:
    if quantity.get("unit") != "Cel":
        return
    value = (Decimal(str(quantity["value"])) * 9 / 5 + 32).quantize(Decimal("0.1"))
    _rewrite_quantity(quantity, unit, code, 1)
    quantity["value"] = plain_number(value)


def half_units(request: Json, circumstances: Circumstances) -> Json:
    """The unit by its code only, by its text only, or by a text that means the same; the number as a text."""
    for _, holder in measured(request):
        quantity = holder["valueQuantity"]
        choice = circumstances.dice.randrange(4)
        if choice == 0 and "code" in quantity:
            del quantity["unit"]
        elif choice == 1 and "code" in quantity:
            del quantity["code"], quantity["system"]
        elif choice == 2 and quantity.get("code") == "10*9/L":
            quantity |= {"unit": circumstances.dice.choice(["x10^9/L", "K/uL", "G/L", "10*3/uL", "giga/L"])}
        elif choice == 3:
            quantity["value"] = str(quantity["value"])
    return request


def other_codes(request: Json, circumstances: Circumstances) -> Json:
    """Another code of the same analyte, without display, LOINC by its OID, the laboratory's own code first."""
    for analyte, holder in [*measured(request)]:
        code = circumstances.dice.choice(SAME_ANALYTE[analyte])
        system = circumstances.dice.choice([LOINC, "urn:oid:2.16.840.1.113883.6.1", "http://loinc.org/"])
        local = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": "1526068", "display": "Result"}
        flat = {"code": "LAB123"}
        holder["code"] = {"coding": [local, flat, {"system": system, "code": code}]}
    return request


def several_codes(request: Json, circumstances: Circumstances) -> Json:
    """All LOINC codes of the analyte at once; words that name something else."""
    for analyte, holder in [*measured(request)]:
        codings = [{"system": LOINC, "code": code} for code in SAME_ANALYTE[analyte]]
        holder["code"] = {"coding": codings, "text": "Component of the panel"}
    return request


def lone_pressure(request: Json, circumstances: Circumstances) -> Json:
    """The systolic pressure as an Observation of its own, without a panel."""
    for observation in resources(request, "Observation"):
        for component in observation.pop("component", []):
            observation |= {"code": component["code"], "valueQuantity": component["valueQuantity"]}
    return request


# -- times


DATED = {
    "Observation": "effectiveDateTime", "MedicationAdministration": "effectiveDateTime",
    "Procedure": "performedDateTime", "Condition": "onsetDateTime", "MedicationRequest": "authoredOn",
    "ServiceRequest": "authoredOn",
}  # fmt: skip


def each_time(value: object, change: Callable[[str], str]) -> object:
    """Every instant of a resource, wherever it stands, changed."""
    if isinstance(value, dict):
        return {name: each_time(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [each_time(inner, change) for inner in value]
    is_instant = isinstance(value, str) and len(value) == 20 and value.endswith("Z") and value[10] == "T"
    return change(value) if is_instant else value  # type: ignore[arg-type]


def _replace_times(request: Json, change: Callable[[str], str]) -> Json:
    request["prefetch"] = each_time(request["prefetch"], change)
    request["context"] = each_time(request["context"], change)
    return request


def offsets(request: Json, circumstances: Circumstances) -> Json:
    """The same instants in other time zones, some with fractions of seconds."""

    def change(written: str) -> str:
        zone = timezone(timedelta(minutes=circumstances.dice.choice([-480, -300, 0, 120, 330, 765])))
        return (
            instant(written).astimezone(zone).isoformat(timespec=circumstances.dice.choice(["seconds", "milliseconds"]))
        )

    return _replace_times(request, change)


EDGES = (-1, 0, 1, 2, 7, 10, 14, 28, 30, 31, 35, 42, 56, 60, 90, 100, 180, 182, 280, 300, 365, 730)


def bare_dates(request: Json, circumstances: Circumstances) -> Json:
    """Dates without a time, where no limit of a rule lies within the day. One kind of resource keeps its times."""

    def change(written: str) -> str:
        age = (circumstances.now - instant(written)) / timedelta(days=1)
        return written if any(abs(age - edge) <= 1.1 for edge in EDGES) else written[:10]

    return _replace_times(request, change)


def periods(request: Json, circumstances: Circumstances) -> Json:
    """Results and conditions dated by a Period; doses by a Period that has ended."""
    stems = {
        "Observation": "effective",
        "Condition": "onset",
        "MedicationAdministration": "effective",
        "Procedure": "performed",
    }
    for resource in resources(request, *stems):
        stem = stems[resource["resourceType"]]
        if (time := resource.pop(f"{stem}DateTime", None)) is not None:
            period = {"start": time} | ({"end": time} if circumstances.dice.random() < 0.5 else {})
            resource[f"{stem}Period"] = period
    return request


def instants(request: Json, circumstances: Circumstances) -> Json:
    """effectiveInstant, effectiveTiming, or only `issued`."""
    for resource in resources(request, "Observation"):
        if (time := resource.pop("effectiveDateTime", None)) is not None:
            choice = circumstances.dice.randrange(3)
            timed = [{"effectiveInstant": time}, {"effectiveTiming": {"event": [time]}}, {"issued": time}]
            resource.update(timed[choice])
    return request


def issued_later(request: Json, circumstances: Circumstances) -> Json:
    """When the laboratory released it is not when it was drawn."""
    for resource in resources(request, "Observation"):
        resource["issued"] = ago(circumstances, minutes=1)
    return request


def recorded_only(request: Json, circumstances: Circumstances) -> Json:
    """Conditions dated by when they were recorded."""
    for resource in resources(request, "Condition"):
        if (time := resource.pop("onsetDateTime", None)) is not None:
            resource["recordedDate"] = time
    return request


# -- panels


def _panel(request: Json, members: list[Json], number: int) -> Json:
    first = members[0]
    return {
        "resourceType": "Observation",
        "id": f"panel-{number}",
        "status": first["status"],
        "category": first["category"],
        "code": {"coding": [{"system": LOINC, "code": "58410-2"}], "text": "CBC panel"},
        "subject": {"reference": f"Patient/{patient_id(request)}"},
        "effectiveDateTime": first["effectiveDateTime"],
    }


def _draws(request: Json) -> list[list[Json]]:
    """The results of cellCounts, those of one time and status together."""
    grouped: dict[tuple[str, str], list[Json]] = {}
    for entry in entries(request["prefetch"]["cellCounts"]):
        result = entry["resource"]
        grouped.setdefault((result["effectiveDateTime"], result["status"]), []).append(result)
    return list(grouped.values())


def as_components(request: Json, circumstances: Circumstances) -> Json:
    """One CBC panel for each draw, the counts as its components."""
    panels = []
    for number, members in enumerate(_draws(request)):
        kept = ("code", "valueQuantity", "referenceRange", "interpretation", "dataAbsentReason")
        parts = [{name: member[name] for name in kept if name in member} for member in members]
        panels.append(_panel(request, members, number) | {"component": parts})
    return _with_counts(request, panels)


def as_members(request: Json, circumstances: Circumstances) -> Json:
    """A panel that points to its results, which come beside it."""
    panels, members = [], []
    for number, draw in enumerate(_draws(request)):
        references = [{"reference": f"Observation/{member['id']}"} for member in draw]
        panels.append(_panel(request, draw, number) | {"hasMember": references})
        members += draw
    _with_counts(request, [*panels, *members])
    return request


def as_report(request: Json, circumstances: Circumstances) -> Json:
    """A DiagnosticReport for each draw that contains its results, which leave subject and time to it."""
    reports = []
    for number, draw in enumerate(_draws(request)):
        report = _panel(request, draw, number) | {"resourceType": "DiagnosticReport", "id": f"report-{number}"}
        inner = [copied(member) | {"id": f"r{place}"} for place, member in enumerate(draw)]
        for member in inner:
            del member["subject"], member["effectiveDateTime"]
        reports.append(report | {"contained": inner, "result": [{"reference": f"#{m['id']}"} for m in inner]})
    return _with_counts(request, reports)


def _with_counts(request: Json, results: list[Json]) -> Json:
    bundle = request["prefetch"]["cellCounts"]
    if results:
        bundle |= {"total": len(results), "entry": [entry_of(result) for result in results]}
    return request
