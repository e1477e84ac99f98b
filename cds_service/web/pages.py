"""The pages for people: the rules of the card library, one rule with all it rests on, and the start page.

Everything is rendered on the server and escaped; there is no script.
"""

from __future__ import annotations

import re
from itertools import groupby

from flask import Blueprint, Response, abort, render_template

from cds_service import __version__
from cds_service.application.discover import discover_services
from cds_service.clinical.facts.registry import FACTS, FactSpec
from cds_service.clinical.rules import Guard, Rule, RuleLibrary
from cds_service.web.collaborators import Collaborators
from cds_service.web.headers import PAGE_CACHING

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def page_blueprint(parts: Collaborators) -> Blueprint:
    """/guidelines, /guidelines/{rule-id} and /."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    @blueprint.context_processor
    def shared() -> dict[str, str]:
        return {"version": __version__, "knowledge_version": parts.service.library.knowledge_version}

    @blueprint.get("/guidelines")
    def guidelines() -> Response:
        return _page("guidelines.html", areas=rules_by_area(parts.service.library))

    @blueprint.get("/guidelines/<rule_id>")
    def guideline(rule_id: str) -> Response:
        rule = find_rule(parts.service.library, rule_id)
        if rule is None:
            return _page("no_rule.html", status=404)
        cases = parts.rule_cases.get(rule.id, ())
        return _page(
            "guideline.html",
            rule=rule,
            facts=facts_of(rule),
            cases=cases,
            conditions=condition_lines(rule),
            offers=offers_of(rule),
        )

    @blueprint.get("/")
    def start() -> Response:
        if not parts.settings.playground:
            abort(404)
        services = discover_services(parts.service.services)
        return _page("start.html", services=services, settings=parts.settings)

    return blueprint


def find_rule(library: RuleLibrary, rule_id: str) -> Rule | None:
    """The active rule of that id."""
    return next((rule for rule in library.rules if rule.id == rule_id), None)


def rules_by_area(library: RuleLibrary) -> list[tuple[str, list[Rule]]]:
    """Areas and their rules, both by name."""
    rules = sorted(library.rules, key=lambda rule: (rule.area, rule.id))
    return [(area, list(found)) for area, found in groupby(rules, key=lambda rule: rule.area)]


def facts_of(rule: Rule) -> list[FactSpec]:
    """The facts that decide about the rule, as their registry describes them."""
    return [FACTS[name] for name in sorted(rule.condition_facts) if name in FACTS]


def condition_lines(rule: Rule) -> list[tuple[str, str]]:
    """What fires the rule and at which level, as written in its file; the first level that holds is taken."""
    fires = [("fires where", text) for text in _condition(rule.guard)]
    for level in rule.levels:
        fires += [(f"{level.indicator.value} where", text) for text in _condition(level.guard)] or [
            ("otherwise" if len(rule.levels) > 1 else "level", level.indicator.value)
        ]
    return fires


def offers_of(rule: Rule) -> list[tuple[str, str]]:
    """What a card of the rule can offer; what is filled in for the patient shows as an ellipsis."""
    return [(_PLACEHOLDER.sub("…", offer.label.text), offer.kind.value) for offer in rule.suggestions]


def _condition(guard: Guard) -> list[str]:
    """Both parts of a guard as one condition; nothing where it has none."""
    if guard.unless is None:
        return [guard.when.text.strip()] if guard.when else []
    unless = f"not ({guard.unless.text.strip()})"
    return [f"({guard.when.text.strip()})\nand {unless}" if guard.when else unless]


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    body = render_template(template, **values)
    response = Response(body, status=status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = PAGE_CACHING
    return response
