"""One ingredient of the drug table: its class, risk, label limits and where they were read.

Pure data with claims about it; the numbers live in cards/drugs.csv. Counts are 10*9/L. None = no established number.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cds_service.clinical.interactions import Interaction


class Risk(StrEnum):
    """How the drug lowers (or raises) the neutrophil count."""

    HIGH_MYELOSUPPRESSIVE = "high-myelosuppressive"
    DOSE_DEPENDENT = "dose-dependent"
    IDIOSYNCRATIC = "idiosyncratic-agranulocytosis"
    LATE_ONSET = "late-onset"
    MILD_OR_RARE = "mild-or-rare"
    RAISES_COUNT = "raises-ANC-confounder"


class HoldOperator(StrEnum):
    """When a hold limit is reached."""

    BELOW = "<"
    AT_OR_BELOW = "<="


class ResumeOperator(StrEnum):
    """When a resume limit is reached."""

    AT_OR_ABOVE = ">="
    ABOVE = ">"


class Antibacterial(StrEnum):
    """The antibacterial role of a drug; PROPHYLAXIS does not treat an infection."""

    ANTIPSEUDOMONAL = "antipseudomonal"
    FLUOROQUINOLONE = "fluoroquinolone"
    OTHER = "other"
    PROPHYLAXIS = "prophylaxis"


class FeverRule(StrEnum):
    """Which signs make a missing count urgent while the drug is taken."""

    CHEMO = "chemo"
    CHEMO_HAEM = "chemo-haem"
    DRUG_FEVER_THROAT = "drug-fever-throat"
    DRUG_THROAT = "drug-throat"
    DRUG_FEVER = "drug-fever"
    DRUG_ALWAYS = "drug-always"


class IdiosyncraticTier(StrEnum):
    """A: always acted on. B: not while another cause of the count is proven."""

    A = "A"
    B = "B"


class StopSuggestion(StrEnum):
    """What is offered instead of carrying on: pausing, or asking first."""

    HOLD = "hold"
    CONSULT = "consult"


class Confidence(StrEnum):
    """How far a row was verified."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class DefaultRoute(StrEnum):
    """How a beta-lactam is given where the order states no route."""

    ORAL = "oral"
    PARENTERAL = "parenteral"


CYTOTOXIC_GROUPS = frozenset({"cytotoxic", "antimetabolite-cytotoxic"})
ADC_GROUPS = frozenset({"adc"})
BETA_LACTAM_GROUPS = frozenset({"antibiotic-betalactam"})
GROWTH_FACTOR_GROUPS = frozenset({"growth-factor"})
CML_TKI_CLASSES = frozenset({"BCR-ABL TKI", "BCR-ABL (STAMP) inhibitor"})


@dataclass(frozen=True, slots=True)
class Drug:
    """A row of cards/drugs.csv. `interactions`: the pairs of cards/interactions.csv that it belongs to."""

    ingredient: str
    drug_class: str
    mechanism_group: str
    risk: Risk
    confidence: Confidence
    source: str
    anc_hold: Decimal | None = None
    anc_hold_operator: HoldOperator | None = None
    anc_resume: Decimal | None = None
    anc_resume_operator: ResumeOperator | None = None
    resume_or_baseline: bool = False
    plt_hold: Decimal | None = None
    plt_resume: Decimal | None = None
    anc_cycle_start: Decimal | None = None
    plt_cycle_start: Decimal | None = None
    dose_percent_at_mild: Decimal | None = None
    anc_hold_min_days: Decimal | None = None
    anc_hold_with_fever: Decimal | None = None
    label_action: str = ""
    depends_on_indication: bool = False
    essential: bool = False
    eval_on_patient_view: bool = False
    gate_window_days: Decimal | None = None
    exposure_lookback_days: Decimal | None = None
    active_order_is_exposure: bool = True
    default_route: DefaultRoute | None = None
    antibacterial: Antibacterial | None = None
    fever_rule: FeverRule | None = None
    fever_lookback_days: Decimal | None = None
    fever_hold: bool = False
    fever_hold_from: Decimal | None = None
    idiosyncratic_tier: IdiosyncraticTier | None = None
    stop_suggestion: StopSuggestion = StopSuggestion.HOLD
    dose_reduce: bool = False
    disease_clause: bool = False
    serology_lookback_days: Decimal | None = None
    monitoring: str = ""
    notes: str = ""
    interactions: tuple[Interaction, ...] = ()

    @property
    def is_cytotoxic(self) -> bool:
        return self.mechanism_group in CYTOTOXIC_GROUPS

    @property
    def is_cytotoxic_or_adc(self) -> bool:
        return self.is_cytotoxic or self.mechanism_group in ADC_GROUPS

    @property
    def has_anc_limit(self) -> bool:
        return self.anc_hold is not None

    @property
    def has_platelet_limit(self) -> bool:
        return self.plt_hold is not None or self.plt_cycle_start is not None

    @property
    def is_high_myelosuppressive(self) -> bool:
        return self.risk is Risk.HIGH_MYELOSUPPRESSIVE

    @property
    def is_idiosyncratic(self) -> bool:
        return self.risk is Risk.IDIOSYNCRATIC

    @property
    def is_beta_lactam(self) -> bool:
        return self.mechanism_group in BETA_LACTAM_GROUPS

    @property
    def is_antipsychotic(self) -> bool:
        return self.mechanism_group == "antipsychotic"

    @property
    def is_growth_factor(self) -> bool:
        return self.mechanism_group in GROWTH_FACTOR_GROUPS

    @property
    def is_bcr_abl_tki(self) -> bool:
        return self.drug_class in CML_TKI_CLASSES

    @property
    def is_clozapine(self) -> bool:
        return self.ingredient == "clozapine"

    @property
    def is_hydroxyurea(self) -> bool:
        return self.ingredient == "hydroxyurea"

    @property
    def is_judged_without_anc_limit(self) -> bool:
        """True for the drugs of rule 27b: toxic to the marrow, without a label number, and of no group of their own."""
        toxic = self.risk in (Risk.HIGH_MYELOSUPPRESSIVE, Risk.DOSE_DEPENDENT)
        special = self.is_cytotoxic_or_adc or self.is_beta_lactam or self.is_hydroxyurea
        return toxic and not self.has_anc_limit and not special

    @property
    def is_gated(self) -> bool:
        """True where a new systemic draft of it asks for a count (C-GATE)."""
        return self.has_anc_limit or self.is_cytotoxic_or_adc or self.is_judged_without_anc_limit
