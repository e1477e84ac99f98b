"""Fever, signs of infection and shock from charted spot readings and dated problems (C-FEVER)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import cast

from cds_service.clinical.chart import Chart, Measurement, PrefetchKey, Problem
from cds_service.clinical.draws import plain
from cds_service.clinical.exposure import Exposure
from cds_service.clinical.knowledge import Answer, HasSource, Known, Unknown, claim, either, lacking
from cds_service.clinical.moments import ABOUT_A_DAY
from cds_service.clinical.shared_numbers import SharedNumbers, days, hours, lasts, minutes

INFECTIONS = frozenset(
    {
        "pneumonia", "sepsis", "bacteraemia", "cellulitis", "neutropenic-enterocolitis", "urinary-tract-infection",
        "line-infection", "perianal-abscess", "infection-unspecified",
    }
)  # fmt: skip
"""Infections that are a sign while active (C-FEVER, a)."""

MINOR_INFECTIONS = frozenset({"sinusitis", "bronchitis", "common-cold"})
"""Infections that count as past infections only."""

THROAT_SYMPTOMS = frozenset({"sore-throat", "mouth-ulcers"})
REPORTED_FEVER = frozenset({"fever", "febrile-neutropenia"})


@dataclass(frozen=True)
class Fever:
    """What the vital signs and problems of one chart say about fever and infection at one instant.

    `severe_count`: an ANC (or bound) below 0.5 and at most 7 d old; `nadir`: proven cytotoxic exposure before the draw.
    """

    chart: Chart
    now: datetime
    numbers: SharedNumbers
    exposure: Exposure
    severe_count: bool
    nadir: bool

    def _vitals(self, analyte: str) -> list[Measurement]:
        window = hours(self.numbers.vitals_hours)
        found = [m for m in self.chart.measurements if m.analyte == analyte and m.taken.may_be_within(window, self.now)]
        return sorted(found, key=lambda m: m.taken)

    @cached_property
    def temperatures(self) -> list[Measurement]:
        """Usable readings of the last 24 h, oldest first, in Cel."""
        return [m for m in self._vitals("TEMP") if m.value is not None]

    @cached_property
    def unusable_temperatures(self) -> list[Measurement]:
        return [m for m in self._vitals("TEMP") if m.value is None]

    @property
    def last_temperature(self) -> Measurement | None:
        return self.temperatures[-1] if self.temperatures else None

    @cached_property
    def febrile_readings(self) -> list[Measurement]:
        """The readings that make a fever: one >= 38.3, or two >= 38.0 an hour apart with none lower between."""
        high = [m for m in self.temperatures if _value(m) >= self.numbers.fever_single]
        return high or self._sustained()

    def _sustained(self) -> list[Measurement]:
        run: list[Measurement] = []
        for reading in self.temperatures:
            run = [*run, reading] if _value(reading) >= self.numbers.fever_sustained else []
            if len(run) > 1 and lasts(
                run[-1].taken.latest - run[0].taken.earliest, minutes(self.numbers.fever_sustained_minutes)
            ):
                return run
        return []

    @cached_property
    def reported(self) -> list[Problem]:
        """A fever coded as an active problem, encounter reason or observation, dated within 48 h."""
        window = hours(self.numbers.reported_fever_hours)
        return [
            p for p in self._active(REPORTED_FEVER) if p.dated is not None and p.dated.may_be_within(window, self.now)
        ]

    @property
    def fever(self) -> Answer:
        """Where an encounter was asked for (encounter-start), its reason can report a fever too."""
        evidence: list[HasSource] = [*self.febrile_readings, *self.reported]
        return claim(self.chart, evidence, PrefetchKey.VITAL_SIGNS, PrefetchKey.CONDITIONS, PrefetchKey.ENCOUNTER)

    def _active(self, kinds: frozenset[str]) -> list[Problem]:
        return [p for p in self.chart.problems if p.active and p.kinds & kinds]

    def _recent(self, problems: Iterable[Problem]) -> list[Problem]:
        window = days(self.numbers.infection_days)
        return [p for p in problems if p.dated is not None and p.dated.may_be_within(window, self.now)]

    @cached_property
    def infections(self) -> list[Problem]:
        """Active dated infections, without those an antibacterial has treated for 72 h or more."""
        return [p for p in self._recent(self._active(INFECTIONS)) if not self._under_treatment(p)]

    @cached_property
    def undated_infections(self) -> list[Problem]:
        """Active infections without a date: no sign, but printed."""
        return [p for p in self._active(INFECTIONS) if p.dated is None]

    def _under_treatment(self, problem: Problem) -> bool:
        started = self.exposure.antibacterial_running_for(hours(self.numbers.antibacterial_hours))
        return problem.dated is not None and any(problem.dated.latest <= start.earliest for start in started)

    @cached_property
    def shock_readings(self) -> list[Measurement]:
        """Systolic pressures below 90; implausible ones have no value (codes/analytes.csv)."""
        usable = [m for m in self._vitals("SBP") if m.value is not None]
        return [m for m in usable if _value(m) < self.numbers.shock_systolic_below]

    @property
    def shock(self) -> Answer:
        """Unknown also where a pressure could not be read: "no shock" would make a fever a treated one."""
        if not self.shock_readings and any(m.value is None for m in self._vitals("SBP")):
            return Unknown(note="a systolic pressure could not be used")
        return claim(self.chart, self.shock_readings, PrefetchKey.VITAL_SIGNS)

    @cached_property
    def hypothermic_readings(self) -> list[Measurement]:
        """One < 35.5; or two < 36.0 at least 30 min apart; or one < 36.0 at a severe count."""
        n = self.numbers
        low = [m for m in self.temperatures if _value(m) < n.hypothermia_below]
        deep = [m for m in low if _value(m) < n.hypothermia_single_below]
        if deep or (low and self.severe_count):
            return deep or low
        spread = len(low) > 1 and lasts(low[-1].taken.latest - low[0].taken.earliest, minutes(n.hypothermia_minutes))
        return low if spread else []

    @cached_property
    def severe_count_symptoms(self) -> list[Problem]:
        """At ANC < 0.5: perianal pain; sore throat or mouth ulcers unless at a chemotherapy nadir (mucositis)."""
        if not self.severe_count:
            return []
        kinds = frozenset({"perianal-pain"}) if self.nadir else frozenset({"perianal-pain"}) | THROAT_SYMPTOMS
        return self._recent(self._active(kinds))

    @cached_property
    def throat_symptoms(self) -> list[Problem]:
        """Sore throat or mouth ulcers of the last 14 days."""
        return self._recent(self._active(THROAT_SYMPTOMS))

    @property
    def infection_sign(self) -> Answer:
        signs: list[HasSource] = [
            *self.infections,
            *self.shock_readings,
            *self.hypothermic_readings,
            *self.severe_count_symptoms,
        ]
        return claim(self.chart, signs, PrefetchKey.VITAL_SIGNS, PrefetchKey.CONDITIONS)

    @property
    def hot(self) -> Answer:
        """Fever or an infection sign."""
        return either(self.fever, self.infection_sign)

    @property
    def reason(self) -> str | None:
        """Why it is hot, in a few words; the word fever only where it is one."""
        if self.febrile_readings or self.reported:
            return "Fever"
        if self.shock_readings:
            return f"Systolic {plain(min(_value(m) for m in self.shock_readings))} mmHg"
        if self.hypothermic_readings:
            return f"Temperature {plain(_value(self.hypothermic_readings[-1]))} C"
        first = next(iter([*self.infections, *self.severe_count_symptoms]), None)
        return f"{first.text[:40].capitalize()}" if first else None

    @property
    def statement(self) -> str:
        """What is known of the temperature, in the words RULES.md asks for; never "afebrile"."""
        last = self.last_temperature
        if last is None:
            known = not lacking(self.chart, PrefetchKey.VITAL_SIGNS)
            return "no temperature recorded in 24 h" if known else "temperature not known"
        return f"last T {plain(_value(last))} C, {ago(last, self.now)}"

    @property
    def no_fever_words(self) -> str:
        """ "no fever" only where a usable reading exists, all are below 38.0, and none is reported."""
        if not self.temperatures:
            return self.statement
        if self.reported:
            return "fever reported"
        highest = max(_value(m) for m in self.temperatures)
        return "no fever" if highest < self.numbers.fever_sustained else f"T up to {plain(highest)} C"

    @property
    def borderline(self) -> bool:
        """A reading of 38.0-38.2 that is no fever by the set definition."""
        in_between = [
            m for m in self.temperatures if self.numbers.fever_sustained <= _value(m) < self.numbers.fever_single
        ]
        return bool(in_between) and not self.febrile_readings


def _value(measurement: Measurement) -> Decimal:
    """The number of a reading that was chosen because it has one."""
    return cast(Decimal, measurement.value)


def ago(measurement: Measurement, now: datetime) -> str:
    """ "2 h ago", "10 days ago"; of a bare date "today" or the days."""
    return age_words(Known(True, at=measurement.taken), now)


def age_words(known: Known, now: datetime) -> str:
    """How long ago something was, in whole hours or days, rounded down."""
    if known.at is None:
        return "date not known"
    age = known.at.youngest_age(now)
    if known.at.latest - known.at.earliest > ABOUT_A_DAY:
        return f"dated {known.at.day}"
    if not known.at.exact:
        whole_days = age.days + 1 if age else 0
        return "today" if not whole_days else f"{whole_days} day{'' if whole_days == 1 else 's'} ago"
    whole_hours = int(age.total_seconds() // 3600)
    if whole_hours < 1:
        return "just now" if age.total_seconds() < 60 else f"{int(age.total_seconds() // 60)} min ago"
    if whole_hours < 48:
        return f"{whole_hours} h ago"
    return f"{whole_hours // 24} days ago"
