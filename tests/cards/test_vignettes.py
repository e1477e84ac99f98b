"""The given vignettes, as FHIR requests through the real use case, for the rules that the library has."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from cds_service.app import Knowledge, load_knowledge, make_service
from cds_service.application.discover import service_of_hook
from cds_service.application.hook_request import CallerIdentity
from cds_service.clinical.cards import HookAnswer, RuleVerdict
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader
from cds_service.settings import Settings
from cds_service.web.envelope import read_hook_request
from tests.places import SHARED_DIR

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
Json = dict[str, Any]


def _vignettes() -> list[Json]:
    lines = (SHARED_DIR / "clinical" / "vignettes.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("vignette_tool", SHARED_DIR / "tools" / "vignettes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _knowledge() -> Knowledge:
    return load_knowledge(Settings.load({}, auth="off"))


def answer_to(vignette: Json) -> HookAnswer:
    """The service's answer, with the settings that the vignette is about."""
    settings = Settings.load(_tool().vignette_settings(vignette), auth="off", deadline_ms=60_000)
    reader = FhirChartReader(_knowledge().terminology, FhirClient(), _knowledge().library.numbers)
    service = make_service(settings, _knowledge(), reader)
    document = _tool().build_request(vignette, NOW)
    description = service_of_hook(_knowledge().services, document["hook"])
    request = read_hook_request(document, description, CallerIdentity(), allow_http=False)
    return service.answer(request, now=NOW)


def ours() -> set[str]:
    return {rule.id for rule in _knowledge().library.rules}


def offering(rule_ids: set[str]) -> set[str]:
    """The kinds that these rules can offer."""
    rules = [rule for rule in _knowledge().library.rules if rule.id in rule_ids]
    return {suggestion.kind.value for rule in rules for suggestion in rule.suggestions}


def speakers(answer: HookAnswer) -> set[str]:
    """The rules that have a card of their own; another rule may be a line of it, but they are no line of a summary."""
    p = _knowledge().library.presentation
    titles = (p.summary_title, p.order_notes_title, p.also_title)
    return {card.rules[0].id for card in answer.cards if not card.summary.startswith(titles)}


@pytest.mark.parametrize("vignette", _vignettes(), ids=lambda v: v["id"])
def test_the_service_answers_a_vignette_as_expected(vignette: Json) -> None:
    expected = vignette["expected"]
    answer = answer_to(vignette)
    fired: dict[str, RuleVerdict] = {rule.id: rule for rule in answer.evaluation.rules if rule.outcome == "fired"}
    wanted = set(expected["fire"]) & ours()
    assert set(fired) == wanted
    assert not set(fired) & set(expected["not_fire"])
    levels = {rule: level for rule, level in expected.get("indicators", {}).items() if rule in wanted}
    assert {rule: str(fired[rule].indicator) for rule in levels} == levels
    offered = {kind for rule in fired.values() for kind in rule.suggestions}
    assert set(expected["suggestion_kinds"]) & offering(wanted) <= offered
    assert not offered & set(expected.get("not_suggested", ()))
    assert set(expected.get("display", {}).get("must_show_card", ())) & ours() <= speakers(answer)


def test_every_built_rule_fires_in_some_vignette() -> None:
    """Else this module would say nothing about it."""
    named = {rule for vignette in _vignettes() for rule in vignette["expected"]["fire"]}
    assert ours() - named == set()
