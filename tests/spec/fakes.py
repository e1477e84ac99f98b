"""Stand-ins for what lies behind the web layer, small enough to be read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cds_service.application.hook_request import Feedback, HookRequest, ServiceDescription
from cds_service.application.ports import ServedCards
from cds_service.clinical.cards import (
    Action,
    BecauseFact,
    Card,
    Coding,
    Evaluation,
    HookAnswer,
    Indicator,
    Link,
    ReportedProblem,
    RuleVerdict,
    RuleVersion,
    Suggestion,
)
from cds_service.clinical.rules import Change, Guard, Level, Limit, Reference, Rule

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
TOPIC = "urn:leukopenia-cds:topic"

SERVICES = tuple(
    ServiceDescription(
        id=f"leukopenia-{hook}",
        hook=hook,
        title=f"Leukopenia on {hook}",
        description="Says what low counts mean.",
        prefetch={"patient": "Patient/{{context.patientId}}"},
        usage_requirements="Needs cell counts." if hook == "patient-view" else None,
    )
    for hook in ("patient-view", "encounter-start", "order-select", "order-sign")
)

PLAIN_CARD = Card(
    uuid="11111111-1111-4111-8111-111111111111",
    summary="ANC 1.2 on 2026-11-21: mild and well",
    indicator=Indicator.INFO,
    detail="",
    source_label="Leukopenia rules",
    topic=Coding(TOPIC, "ancMildObserve", "Mild neutropenia"),
    rules=(RuleVersion("anc-mild-observe", "1.0.0"),),
)

FULL_CARD = Card(
    uuid="22222222-2222-4222-8222-222222222222",
    summary="ANC 0.4 on 2026-11-21",
    indicator=Indicator.CRITICAL,
    detail="| a | b |\n|---|---|\n| ANC | 0.4 |",
    source_label="Leukopenia rules",
    source_url="https://example.org/guidelines",
    topic=Coding(TOPIC, "ancSevere", "Severe neutropenia"),
    rules=(RuleVersion("anc-severe", "1.1.0"), RuleVersion("chemo-hold-anc", "1.0.0")),
    selection_behavior="any",
    suggestions=(
        Suggestion(
            uuid="33333333-3333-4333-8333-333333333333",
            kind="repeat-cbc-diff",
            label="Repeat the count",
            actions=(
                Action(
                    "create",
                    "Order a blood count",
                    resource={
                        "resourceType": "ServiceRequest",
                        "status": "draft",
                        "note": [],
                        "quantityQuantity": {"value": Decimal(1)},
                    },
                ),
            ),
        ),
        Suggestion(
            uuid="44444444-4444-4444-8444-444444444444",
            kind="remove-draft-order",
            label="Remove the draft",
            actions=(Action("delete", "Remove the draft", resource_id="MedicationRequest/m1"),),
        ),
    ),
    override_reasons=(Coding("urn:leukopenia-cds:override", "expected-nadir", "Expected nadir"),),
    links=(Link("Guideline", "https://example.org/guideline"),),
)

EVALUATION = Evaluation(
    knowledge_version="2026.11.0",
    evaluated_at=NOW,
    rules=(
        RuleVerdict(
            id="anc-mild-observe",
            version="1.0.0",
            outcome="fired",
            indicator=Indicator.INFO,
            card=PLAIN_CARD.uuid,
            because=(BecauseFact("anc", 1.2, "10*9/L", "2026-11-21", ("Observation/o1",)),),
        ),
        RuleVerdict(id="anc-severe", version="1.1.0", outcome="unknown", missing=("anc",)),
    ),
    data_problems=(ReportedProblem("unusable-unit", "Observation/o9", "The unit is not known."),),
)

RULE = Rule(
    id="anc-mild-observe",
    version="1.0.0",
    status="active",
    title="Mild neutropenia <in> an adult",
    area="counts",
    statements=("S1",),
    hooks=frozenset({"patient-view"}),
    logic="ANC from 1.0 to below 1.5 <script>alert(1)</script> & well.",
    guard=Guard(),
    levels=(Level(Indicator.INFO, Guard()),),
    summary=(),
    detail=(),
    line=(),
    places={},
    limits={"anc": Limit("anc", Decimal("1.5"), "10*9/L", "CTCAE")},
    sources=(
        Reference("F1", "A <b>paper</b>", "abstract read", "https://example.org/paper"),
        Reference("F2", "Odd", "no", "javascript:alert(1)"),
    ),
    changes=(Change("1.0.0", "2026-11-22", "First version."),),
)


@dataclass
class FakeLibrary:
    """A card library with one rule."""

    knowledge_version: str = "2026.11.0"
    rules: tuple[Any, ...] = (RULE,)


@dataclass
class FakeService:
    """Answers every call alike, or raises, and remembers what it was asked."""

    cards: tuple[Card, ...] = (PLAIN_CARD, FULL_CARD)
    error: Exception | None = None
    problems: list[str] = field(default_factory=list)
    asked: list[HookRequest] = field(default_factory=list)
    services: Sequence[ServiceDescription] = SERVICES
    library: FakeLibrary = field(default_factory=FakeLibrary)
    before: Callable[[HookRequest], None] | None = None

    def answer(self, request: HookRequest, *, now: datetime) -> HookAnswer:
        assert now == NOW
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return HookAnswer(self.cards, EVALUATION)

    def ready(self) -> list[str]:
        return self.problems


@dataclass
class FakeStore:
    """Keeps in memory what a store is given."""

    served: list[ServedCards] = field(default_factory=list)
    kept: list[tuple[str, Feedback, str | None]] = field(default_factory=list)
    problem: str | None = None
    error: Exception | None = None

    def remember(self, served: ServedCards) -> None:
        self.served.append(served)

    def record_feedback(
        self, service_id: str, feedback: Sequence[Feedback], *, client: str | None, received_at: datetime
    ) -> int:
        assert received_at == NOW
        if self.error is not None:
            raise self.error
        self.kept.extend((service_id, entry, client) for entry in feedback)
        return len(feedback)

    def report(self) -> list[dict[str, Any]]:
        return []

    def check(self) -> str | None:
        return self.problem
