"""What must hold for every response and cannot be said in a JSON Schema."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from cds_service.web.schemas import find_faults

ALLOWED_EMPTY = {"cards", "services"}
OPEN_EXTENSION = "org.leukopenia-cds.evaluation"
RULES_EXTENSION = "org.leukopenia-cds.rules"
HTML = re.compile(r"<[A-Za-z!/?]")
TEMPLATE = re.compile(
    r"\A(?:[A-Z][A-Za-z]+/\{\{context\.(?:patientId|encounterId)\}\}|\{\{context\.userId\}\}|[A-Z][A-Za-z]+\?\S+)\Z"
)
TOKEN = re.compile(r"\{\{(.*?)\}\}")
TOKENS = {
    "context.patientId",
    "context.userId",
    "context.encounterId",
    "userPractitionerId",
    "userPractitionerRoleId",
    "userPatientId",
    "userRelatedPersonId",
}


def check_cards(body: dict[str, Any], *, own: bool = True) -> None:
    """Check a 200 of a service call. `own`: also what this service promises beyond the specification."""
    assert find_faults(body, "response") == []
    assert list(find_empty(body)) == []
    uuids = [card["uuid"] for card in body["cards"]]
    uuids += [suggestion["uuid"] for card in body["cards"] for suggestion in card.get("suggestions", [])]
    assert len(uuids) == len(set(uuids)), "uuids repeat"
    for text in uuids:
        assert uuid.UUID(text).variant == uuid.RFC_4122
    for card in body["cards"]:
        check_card(card)
        if own:
            check_promises(card)


def check_card(card: dict[str, Any]) -> None:
    """One card against the specification."""
    assert len(card["summary"]) < 140
    assert "\n" not in card["summary"]
    assert not re.search(r"\{[a-z_.|]+\}", card["summary"] + card.get("detail", "")), "a placeholder was not filled"
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    recommended = [suggestion.get("isRecommended", False) for suggestion in card.get("suggestions", [])]
    assert sum(recommended) <= 1 or card["selectionBehavior"] == "any"
    for suggestion in card.get("suggestions", []):
        for action in suggestion.get("actions", []):
            check_action(action)
    for link in card.get("links", []):
        assert link["type"] == "smart" or "appContext" not in link


def check_action(action: dict[str, Any]) -> None:
    """One action: the whole resource to create or update, or the id of the one to delete."""
    assert action["description"].strip()
    if action["type"] == "delete":
        assert "resource" not in action
        assert re.fullmatch(r"[A-Z][A-Za-z]+/\S+", action["resourceId"])
    else:
        assert "resourceId" not in action
        assert action["resource"]["resourceType"]
    if action["type"] == "update":
        assert action["resource"]["id"]


def check_promises(card: dict[str, Any]) -> None:
    """What CONTRACT and DESIGN promise of every card."""
    assert card["source"]["topic"]["system"] == "urn:leukopenia-cds:topic"
    assert card["extension"][RULES_EXTENSION]
    assert not any(suggestion.get("isRecommended") for suggestion in card.get("suggestions", [])), "pre-selected"
    assert not HTML.search(card["summary"] + card.get("detail", "")), "HTML in a card"


def check_not_silent(body: dict[str, Any]) -> None:
    """With the evaluation: no cards only where no rule was left unknown."""
    rules = body["extension"][OPEN_EXTENSION]["rules"]
    assert body["cards"] or "unknown" not in {rule["outcome"] for rule in rules}


def check_outcome(body: dict[str, Any]) -> None:
    """The body of an error."""
    assert body["resourceType"] == "OperationOutcome"
    assert list(find_empty(body)) == []
    for issue in body["issue"]:
        assert set(issue) == {"severity", "code", "diagnostics"}
        assert "Traceback" not in issue["diagnostics"]


def check_discovery(body: dict[str, Any]) -> None:
    """The body of discovery."""
    assert find_faults(body, "discovery") == []
    assert list(find_empty(body)) == []
    for service in body["services"]:
        for template in service.get("prefetch", {}).values():
            check_template(template, service["hook"])


def check_template(template: str, hook: str) -> None:
    """One prefetch template within what a CDS Hooks 2.0 client must and should be able to resolve."""
    assert TEMPLATE.match(template), template
    tokens = set(TOKEN.findall(template))
    assert tokens <= TOKENS, template
    assert "context.encounterId" not in tokens or hook == "encounter-start"
    parameters = template.partition("?")[2].split("&") if "?" in template else []
    names = [parameter.partition("=")[0] for parameter in parameters]
    assert len(names) == len(set(names)), f"a parameter is repeated: {template}"
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        assert not name.startswith("_") or name in {"_count", "_sort", "_id", "_lastUpdated"}, template
        assert "." not in name, template
        assert ":" not in name or name.endswith(":in"), template
        assert not re.match(r"(ne|sa|eb|ap)\d", value), template


def find_empty(value: Any, path: str = "$") -> Iterator[str]:
    """Paths of null, "", [] and {}; our own evaluation extension writes its empty members out by contract."""
    if value is None or value in ("", [], {}):
        if path.rpartition(".")[2] not in ALLOWED_EMPTY or value is None:
            yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != OPEN_EXTENSION:
                yield from find_empty(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from find_empty(inner, f"{path}[{index}]")
