"""The numbers of the shared computations, read from `cards/shared.yaml`: this file names them, that one holds them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True)
class SharedNumbers:
    """One field for each number of `cards/shared.yaml`, in the unit stated there (clinical specification, B0)."""

    mild_below: Decimal
    moderate_below: Decimal
    severe_below: Decimal
    profound_below: Decimal
    current_days: Decimal
    fever_count_days: Decimal
    fresh_count_hours: Decimal
    stale_days: Decimal
    comparator_below: Decimal
    same_draw_minutes: Decimal
    in_force_hours: Decimal
    derived_differs_by: Decimal
    derived_differs_share: Decimal
    anc_over_wbc_factor: Decimal
    conflict_close_hours: Decimal
    conflict_spread_share: Decimal
    bound_below: Decimal
    vitals_hours: Decimal
    fever_single: Decimal
    fever_sustained: Decimal
    fever_sustained_minutes: Decimal
    reported_fever_hours: Decimal
    infection_days: Decimal
    antibacterial_hours: Decimal
    shock_systolic_below: Decimal
    hypothermia_single_below: Decimal
    hypothermia_below: Decimal
    hypothermia_minutes: Decimal
    nadir_days: Decimal
    treated_days: Decimal
    previous_hours: Decimal
    trend_days: Decimal
    trend_fall_share: Decimal
    fast_fall_days: Decimal
    fast_fall_share: Decimal
    fast_fall_by: Decimal
    growth_factor_days: Decimal
    stable_days: Decimal
    stable_results: Decimal
    stable_span_days: Decimal
    stable_from: Decimal
    stable_median_share: Decimal
    duffy_median_share: Decimal
    duffy_median_from_days: Decimal
    duffy_median_to_days: Decimal
    duffy_median_results: Decimal
    duffy_new_drug_days: Decimal
    duffy_infections: Decimal
    duffy_infection_days: Decimal
    duffy_stable_from: Decimal
    duffy_stable_results: Decimal
    duffy_stable_days: Decimal
    duffy_stable_span_days: Decimal
    haemoglobin_low_male: Decimal
    haemoglobin_low_other: Decimal
    platelets_low: Decimal
    wbc_low: Decimal
    marrow_procedure_days: Decimal
    marrow_fever_days: Decimal
    prenadir_days: Decimal
    antibacterial_drug_days: Decimal
    open_cbc_days: Decimal
    open_cbc_stable_days: Decimal
    open_stat_hours: Decimal
    drug_window_days: Decimal
    long_treatment_days: Decimal
    short_gate_window_days: Decimal
    long_gate_window_days: Decimal
    clozapine_early_days: Decimal
    clozapine_middle_days: Decimal
    clozapine_early_window: Decimal
    clozapine_middle_window: Decimal
    clozapine_late_window: Decimal
    course_gap_hours: Decimal
    restart_days: Decimal
    adult_years: Decimal
    pregnancy_days: Decimal
    film_days: Decimal
    film_low_count_days: Decimal
    duffy_test_days: Decimal
    igg_days: Decimal
    recurrent_infection_days: Decimal
    course_count_days: Decimal
    penicillin_g_per_mu: Decimal
    fever_wbc_below: Decimal
    resume_days: Decimal
    held_low_days: Decimal
    short_factor_days: Decimal
    long_factor_days: Decimal
    chest_radiotherapy_days: Decimal
    factor_cytotoxic_days: Decimal
    factor_gap_hours: Decimal
    transplant_days: Decimal
    profound_span_days: Decimal
    steroid_dose: Decimal
    steroid_days: Decimal
    methylprednisolone_factor: Decimal
    dexamethasone_factor: Decimal
    serology_transplant_days: Decimal
    igg_very_low: Decimal
    workup_days: Decimal

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(field.name for field in fields(cls))


def days(number: Decimal) -> timedelta:
    """A duration of 24-hour days (C-TIME)."""
    return timedelta(days=float(number))


def hours(number: Decimal) -> timedelta:
    return timedelta(hours=float(number))


def minutes(number: Decimal) -> timedelta:
    return timedelta(minutes=float(number))


CLOCK_STEP = timedelta(minutes=1)
"""Charts tell the time to the minute: what falls short of a duration by no more than that has reached it."""


def lasts(duration: timedelta, least: Decimal | timedelta) -> bool:
    """True where a duration reaches `least` (a number of days, or a duration), within the step of a chart's clock."""
    wanted = least if isinstance(least, timedelta) else days(least)
    return duration >= wanted - CLOCK_STEP


def elapsed_days(duration: timedelta) -> Decimal:
    """A duration in days for a condition that asks for "at least"; a whole number is reached as by `lasts`."""
    day = timedelta(days=1)
    whole = round(duration / day)
    return Decimal(whole) if timedelta(0) <= whole * day - duration <= CLOCK_STEP else Decimal(duration / day)
