"""The given cases as other clients would send them: the same facts give the same verdicts, cards and actions.

Each dialect of dialects.py is tried alone on every fourth case, and several together on every second one.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import orjson
import pytest

from cds_service.app import load_knowledge, make_service
from cds_service.application.discover import service_of_hook
from cds_service.application.hook_request import CallerIdentity
from cds_service.application.invoke import HookService
from cds_service.errors import ChartUnavailable
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader
from cds_service.settings import Settings
from cds_service.web.envelope import read_hook_request
from cds_service.web.json_body import parse_json_object
from tests.places import SHARED_DIR
from tests.spec import dialect_keys as keys
from tests.spec.dialect_tools import RXNORM, Json, Rewrite, copied, patient_id, resources, searchset
from tests.spec.dialects import CLIENTS, DIALECTS, Dialect, rewritten

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
OTHER_INSTANTS = (datetime(2028, 2, 29, 0, 0, 30, tzinfo=UTC), datetime(2027, 1, 1, 23, 59, 59, tzinfo=UTC))
PAGED = ("cellCounts", "vitalSigns", "conditions", "medicationRequests", "medicationAdministrations")


def _vignettes() -> ModuleType:
    path = SHARED_DIR / "tools" / "vignettes.py"
    spec = importlib.util.spec_from_file_location("given_vignettes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses and caches look it up
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


GIVEN = _vignettes()
CASES: dict[str, Json] = {name: row for name, row in GIVEN.load().items() if not row["input"].get("settings")}


@dataclass(frozen=True)
class Outcome:
    """What an answer comes to: each rule's verdict, and each card's rules and actions; or why there is none."""

    verdicts: dict[str, tuple[str, str | None, tuple[str, ...]]]
    cards: list[Any]
    refused: str | None = None

    @property
    def fired(self) -> dict[str, str | None]:
        return {rule: indicator for rule, (outcome, indicator, _) in self.verdicts.items() if outcome == "fired"}

    @property
    def silent(self) -> bool:
        return self.refused is None and not self.cards


class Bench:
    """The service on its own library, asked without HTTP, and the plain requests of the cases with their outcomes."""

    def __init__(self) -> None:
        settings = Settings(auth="off")
        knowledge = load_knowledge(settings)
        self.service: HookService = make_service(
            settings, knowledge, FhirChartReader(knowledge.terminology, FhirClient(), knowledge.library.numbers)
        )
        self.rules = {rule.id for rule in knowledge.library.rules}
        self.templates = {name: text for service in knowledge.services for name, text in service.prefetch.items()}
        self.templates |= {"allergies": "AllergyIntolerance?patient={{context.patientId}}"}
        self.plain = {name: copied(GIVEN.build_request(case, NOW)) for name, case in CASES.items()}
        self.expected = {name: self.ask(request) for name, request in self.plain.items()}

    def ask(self, request: Json, now: datetime = NOW) -> Outcome:
        document = parse_json_object(orjson.dumps(request))
        service = service_of_hook(self.service.services, str(document["hook"]))
        try:
            call = read_hook_request(document, service, CallerIdentity())
            answer = self.service.answer(call, now=now)
        except ChartUnavailable as refusal:
            return Outcome({}, [], str(refusal))
        verdicts = {
            line.id: (line.outcome, line.indicator and str(line.indicator), tuple(sorted(line.suggestions)))
            for line in answer.evaluation.rules
        }
        return Outcome(verdicts, [_card(card) for card in answer.cards])

    def rewrite(self, name: str, rewrites: tuple[Rewrite, ...], seed: str) -> Json:
        return rewritten(self.plain[name], rewrites, seed=f"{name} {seed}", now=NOW, templates=self.templates)


def _card(card: Any) -> Any:
    rules = sorted(rule.id for rule in card.rules)
    return str(card.indicator), rules, sorted([action.type for action in one.actions] for one in card.suggestions)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def differences(bench: Bench, dialect: Dialect, seed: str, names: list[str]) -> tuple[list[str], int]:
    """The cases that come out otherwise in a dialect, and how many requests it changed at all."""
    wrong, changed = [], 0
    for name in names:
        request = bench.rewrite(name, dialect.rewrites, seed)
        if request == bench.plain[name]:
            continue
        changed += 1
        known = dialect.same_as
        wanted = bench.ask(bench.rewrite(name, known, seed)) if known else bench.expected[name]
        got = bench.ask(request)
        if got.verdicts != wanted.verdicts or got.refused != wanted.refused:
            rules = {*wanted.verdicts, *got.verdicts}
            odd = [r for r in sorted(rules) if wanted.verdicts.get(r) != got.verdicts.get(r)]
            told = [f"{rule}: {wanted.verdicts.get(rule)} -> {got.verdicts.get(rule)}" for rule in odd[:3]]
            wrong.append(f"{name} {CASES[name]['title']}: {got.refused or told}")
        elif dialect.writable and got.cards != wanted.cards:
            wrong.append(f"{name} {CASES[name]['title']}: cards {wanted.cards} -> {got.cards}")
    return wrong, changed


def cases(number: int, step: int) -> list[str]:
    """Every `step`-th case, another set for another number."""
    return list(CASES)[number % step :: step]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_says_the_same(bench: Bench, name: str) -> None:
    wrong, changed = differences(bench, DIALECTS[name], name, cases([*DIALECTS].index(name), 4))
    assert wrong == []
    if changed == 0:  # a rare kind of fact: then on all cases
        wrong, changed = differences(bench, DIALECTS[name], name, list(CASES))
        assert (wrong, changed > 0) == ([], True)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_with_several_dialects_says_the_same(bench: Bench, name: str) -> None:
    wrong, changed = differences(bench, CLIENTS[name], name, cases([*CLIENTS].index(name), 2))
    assert wrong == []
    assert changed > 50


@pytest.mark.parametrize("now", [NOW, *OTHER_INSTANTS], ids=str)
def test_the_plain_cases_come_out_as_given(bench: Bench, now: datetime) -> None:
    """At any hour: midnight of a leap day and the last second of a day included."""
    wrong = []
    for name, case in CASES.items():
        outcome, expected = bench.ask(GIVEN.build_request(case, now), now), case["expected"]
        levels = {rule: level for rule, level in expected.get("indicators", {}).items() if rule in outcome.fired}
        if set(outcome.fired) != set(expected["fire"]) & bench.rules:
            wrong.append((name, sorted(outcome.fired), expected["fire"]))
        if any(outcome.fired[rule] != level for rule, level in levels.items()):
            wrong.append((name, outcome.fired, levels))
        offered = {kind for _, _, kinds in outcome.verdicts.values() for kind in kinds}
        if set(expected["fire"]) <= bench.rules and not set(expected["suggestion_kinds"]) <= offered:
            wrong.append((name, sorted(offered), expected["suggestion_kinds"]))
    assert wrong == []


@pytest.mark.parametrize("key", PAGED)
def test_a_first_page_is_no_all_clear(bench: Bench, key: str) -> None:
    """An empty first page tells as little as no answer; danger on a first page is said, or the page refused."""
    checked = 0
    for name in cases(PAGED.index(key), 4):
        missing = bench.ask(bench.rewrite(name, (keys.without_key(key),), "paged"))
        nothing = bench.ask(bench.rewrite(name, (keys.first_page_only(key, empty=True),), "paged"))
        half = bench.ask(bench.rewrite(name, (keys.first_page_only(key),), "paged"))
        assert (nothing.verdicts, nothing.cards) == (missing.verdicts, missing.cards), name
        urgent = {rule for rule, level in bench.expected[name].fired.items() if level == "critical"}
        assert half.refused or urgent <= set(half.fired), name
        checked += not missing.silent
    assert checked > 10


def _of_somebody_else(request: Json) -> Json:
    for observation in resources(request, "Observation"):
        observation["subject"] = {"reference": "Patient/somebody-else"}
    return request


def _without_codes(request: Json) -> Json:
    for observation in resources(request, "Observation"):
        observation["code"] = {"text": observation["code"]["coding"][0]["display"]}
    return request


@pytest.mark.parametrize("spoil", [_of_somebody_else, _without_codes])
def test_counts_that_cannot_be_used_are_no_all_clear(bench: Bench, spoil: Any) -> None:
    """Another patient's counts, or counts that only words name: said, and never taken for "no counts"."""
    for name in cases(0, 5):
        if bench.plain[name]["prefetch"]["cellCounts"].get("entry") and bench.expected[name].fired:
            assert not bench.ask(spoil(copied(bench.plain[name]))).silent, name


def test_an_order_that_names_no_drug_is_no_all_clear(bench: Bench) -> None:
    """V001 has nothing to say; an active order of an unknown drug leaves the drug rules unknown, which is said."""
    request = copied(bench.plain["V001"])
    subject = {"reference": f"Patient/{patient_id(request)}"}
    order = {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order", "subject": subject}
    request["prefetch"]["medicationRequests"] = searchset(order)
    assert bench.expected["V001"].silent
    assert not bench.ask(request).silent
    named = order | {
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "161"}], "text": "acetaminophen"}
    }
    request["prefetch"]["medicationRequests"] = searchset(named)
    assert bench.ask(request).silent
