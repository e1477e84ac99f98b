"""The statements of the guidance that the library sets out to cover, in our own short words, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the guidance and the rules that must be there for it."""

    id: str
    words: str
    rules: tuple[str, ...] = ()


def _statement(number: int, words: str, rules: str = "") -> Statement:
    return Statement(f"S{number}", words, tuple(rules.split()))


STATEMENTS: tuple[Statement, ...] = (
    _statement(
        0,
        "Low leukocytes: what is in scope",
        "leukopenia-anc-unknown leukopenia-by-lymphopenia out-of-scope-population",
    ),
    _statement(
        1,
        "Mild neutropenia: watch, unless something speaks against it",
        "anc-mild-observe fever-mild-neutropenia trend-declining pancytopenia-referral blasts-reported",
    ),
    _statement(2, "Earlier counts and the other cell lines", "trend-declining pancytopenia-referral"),
    _statement(3, "When to repeat the count", "anc-mild-observe monitoring-due"),
    _statement(4, "A blood film is needed", "smear-recommended blasts-reported"),
    _statement(5, "Look for the cause", "workup-causes causative-drug-review pancytopenia-referral"),
    _statement(6, "Without symptoms above 1.0: monitoring alone", "anc-mild-observe gcsf-caution"),
    _statement(7, "A short delay of chemotherapy may be considered", "chemo-mild-consider-delay"),
    _statement(
        8,
        "Find drugs that cause it, and stop them where possible",
        "causative-drug-review idiosyncratic-agranulocytosis-stop marrow-toxic-drug-low-anc betalactam-neutropenia"
        " clozapine-anc",
    ),
    _statement(9, "Fever with neutropenia is treated at once", "febrile-neutropenia fever-anc-unknown"),
    _statement(10, "Fever or a sign of infection below 1.0", "febrile-neutropenia fever-idiosyncratic-drug"),
    _statement(
        11,
        "Fever after chemotherapy",
        "febrile-neutropenia fever-anc-unknown fever-mild-neutropenia fn-risk-score",
    ),
    _statement(
        12,
        "Chemotherapy at a low count: reduce or interrupt",
        "chemo-hold-anc drug-anc-hold-threshold cbc-missing-for-monitored-drug interaction-myelosuppression",
    ),
    _statement(13, "Growth factor may be considered", "gcsf-consider gcsf-caution"),
    _statement(14, "Antibacterial prophylaxis", "antibacterial-prophylaxis-consider"),
    _statement(
        15,
        "CML: interrupt and resume the inhibitor by its own limits",
        "cml-tki-neutropenia-hold cml-tki-neutropenia-watch cml-tki-resume",
    ),
    _statement(16, "CMML: growth factor only in febrile severe neutropenia", "cmml-gcsf-restriction"),
    _statement(17, "Hairy cell leukaemia: follow closely", "hcl-neutropenia-followup"),
    _statement(18, "Low IgG with recurrent infections", "hypogammaglobulinaemia-ivig"),
    _statement(19, "Dose-dependent leukopenia: reduce rather than stop", "dose-dependent-leukopenia-reduce"),
    _statement(20, "Hydroxyurea below 1.0 can mean intolerance", "hydroxyurea-intolerance"),
    _statement(21, "No essential drug is stopped for a mild count", "avoid-stopping-essential-drug"),
    _statement(
        22,
        "Severe neutropenia with fever never waits",
        "febrile-neutropenia fever-anc-unknown anc-severe stale-low-anc",
    ),
    _statement(23, "Antibiotic dose and body weight", "betalactam-weight-dose"),
    _statement(24, "Long courses of beta-lactams", "betalactam-prolonged-course betalactam-neutropenia"),
    _statement(25, "Serology can be falsely negative", "serology-false-negative"),
    _statement(26, "References: the sources of every card"),
    _statement(27, "For professionals: override reasons, nothing applied by itself", "data-quality-unusable-cbc"),
    _statement(28, "Review status and date: printed on every card"),
    _statement(29, "Personalisation and editorial policy: does not apply"),
)
"""Rules that belong to no statement (Duffy-null results, for one) are in the library all the same."""
