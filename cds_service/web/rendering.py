"""Cards, services and verdicts become CDS Hooks JSON.

Members without a value are left out, as the specification demands. The evaluation extension is ours and writes its
empty members out (CONTRACT section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from cds_service.application.hook_request import ServiceDescription
from cds_service.clinical.cards import (
    Action,
    BecauseFact,
    Card,
    Coding,
    Evaluation,
    HookAnswer,
    Link,
    RuleVerdict,
    RuleVersion,
    Suggestion,
)
from cds_service.clinical.chart import DrugRecognition

CDS_HOOKS_VERSION = "2.0.1"
RULES_EXTENSION = "org.leukopenia-cds.rules"
EVALUATION_EXTENSION = "org.leukopenia-cds.evaluation"
_EMPTY: tuple[object, ...] = (None, "", [], {})


def to_json(document: object) -> bytes:
    """Serialise; Decimal becomes a JSON number."""
    return orjson.dumps(document, default=_number)


def render_discovery(services: Iterable[ServiceDescription]) -> dict[str, Any]:
    """Discovery; an empty list of services is said as such."""
    return {"services": [_service(service) for service in services]}


def render_answer(answer: HookAnswer, *, explain: bool) -> dict[str, Any]:
    """The response; with `explain` every rule's verdict stands next to the cards."""
    response: dict[str, Any] = {"cards": [render_card(card) for card in answer.cards]}
    if explain:
        response["extension"] = {EVALUATION_EXTENSION: render_evaluation(answer.evaluation)}
    return response


def render_card(card: Card) -> dict[str, Any]:
    """One card."""
    return _without_empty(
        {
            "uuid": card.uuid,
            "summary": card.summary,
            "detail": card.detail,
            "indicator": card.indicator.value,
            "source": {"label": card.source_label, "url": card.source_url, "topic": _coding(card.topic)},
            "suggestions": [_suggestion(suggestion) for suggestion in card.suggestions],
            "selectionBehavior": card.selection_behavior if card.suggestions else None,
            "overrideReasons": [_coding(reason) for reason in card.override_reasons],
            "links": [_link(link) for link in card.links],
            "extension": {RULES_EXTENSION: [_rule_version(rule) for rule in card.rules]},
        }
    )


def render_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Every rule's verdict, with null and empty lists where there is nothing."""
    return {
        "knowledgeVersion": evaluation.knowledge_version,
        "evaluatedAt": utc_text(evaluation.evaluated_at),
        "rules": [_verdict(verdict) for verdict in evaluation.rules],
        "dataProblems": [
            {"kind": problem.kind, "source": problem.source, "text": problem.text}
            for problem in evaluation.data_problems
        ],
        "drugMatches": [_drug_match(match) for match in evaluation.drug_matches],
    }


def _drug_match(match: DrugRecognition) -> dict[str, Any]:
    return {
        "source": match.source,
        "drugs": list(match.drugs),
        "matchedBy": match.matched_by,
        "matched": match.matched,
        "code": match.code,
        "route": match.route.value,
    }


def utc_text(instant: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _service(service: ServiceDescription) -> dict[str, Any]:
    return _without_empty(
        {
            "hook": service.hook,
            "title": service.title,
            "description": service.description,
            "id": service.id,
            "version": CDS_HOOKS_VERSION,
            "prefetch": dict(service.prefetch),
            "usageRequirements": service.usage_requirements,
        }
    )


def _suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "label": suggestion.label,
        "uuid": suggestion.uuid,
        "actions": [_action(action) for action in suggestion.actions],
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "type": action.type,
        "description": action.description,
        "resource": action.resource,
        "resourceId": action.resource_id,
    }


def _coding(coding: Coding) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def _link(link: Link) -> dict[str, str]:
    return {"label": link.label, "url": link.url, "type": "absolute"}


def _rule_version(rule: RuleVersion) -> dict[str, str]:
    return {"id": rule.id, "version": rule.version}


def _verdict(verdict: RuleVerdict) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "version": verdict.version,
        "outcome": verdict.outcome,
        "suppressedBy": verdict.suppressed_by,
        "indicator": verdict.indicator.value if verdict.indicator else None,
        "suggestions": list(verdict.suggestions),
        "card": verdict.card,
        "because": [_because(fact) for fact in verdict.because],
        "missing": list(verdict.missing),
    }


def _because(fact: BecauseFact) -> dict[str, Any]:
    return {"fact": fact.fact, "value": fact.value, "unit": fact.unit, "at": fact.at, "sources": list(fact.sources)}


def _without_empty(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out members that are null, "", [] or {}, at any depth. Inside a list FHIR gives a null its meaning."""
    kept = {name: _pruned(value) for name, value in members.items()}
    return {name: value for name, value in kept.items() if not _is_empty(value)}


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _without_empty(value)
    if isinstance(value, list | tuple):
        return [_pruned(item) for item in value]
    return value


def _is_empty(value: Any) -> bool:
    return any(value is empty or (type(value) is type(empty) and value == empty) for empty in _EMPTY)


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
