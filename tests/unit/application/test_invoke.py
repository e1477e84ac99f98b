"""The use case behind every hook: cards and every verdict, or what is missing (CONTRACT section 3 and 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.application.hook_request import HookRequest, ServiceDescription
from cds_service.application.invoke import HookService
from cds_service.application.ports import ReadChart
from cds_service.clinical.cards import Action
from cds_service.clinical.chart import DataProblem
from cds_service.clinical.rules import ForEach
from cds_service.clinical.situation import SitePolicy
from cds_service.clinical.suggestions import SuggestionKind
from cds_service.errors import ChartUnavailable, UnknownService
from tests.unit.clinical.charts import NOW, Decimal, anc, bare_date, chart, drug, order, temp
from tests.unit.clinical.rulebook import library, rule, suggestion

SERVICE = ServiceDescription("view", "patient-view", "Title", "Words", {"patient": "Patient/{{context.patientId}}"})


class Reader:
    """Answers with a fixed chart and remembers what it was asked for."""

    def __init__(self, found):
        self.found, self.asked = found, None

    def read(self, request, templates, *, now, deadline):
        self.asked = (dict(templates), deadline - now)
        return ReadChart(self.found)


class Writer:
    """Writes one action for each step and remembers the steps."""

    def __init__(self):
        self.steps, self.requesters = [], []

    def actions_for(self, step, read, *, now, requester=None):
        self.steps.append(step)
        self.requesters.append(requester)
        return (Action("create", step.label, resource={}),)


def service(rules, found, **more):
    return HookService(library(*rules), (SERVICE,), Reader(found), Writer(), SitePolicy(), timedelta(seconds=2), **more)


def request(**context):
    return HookRequest("view", "patient-view", "id", "p1", {"patientId": "p1", **context})


LOW = rule("anc-low", "anc < 1.5", suggestions=(suggestion(SuggestionKind.REPEAT_CBC, "CBC"),))
FEVER = rule("fever", "fever")


def test_answers_with_cards_and_every_verdict_once():
    one = service([LOW, FEVER], chart(anc("1.2", 1, source="Observation/o1")), guideline_url="https://x.org/guidelines")
    answer = one.answer(request(), now=NOW)
    (card,) = answer.cards
    assert [rule.id for rule in card.rules] == ["anc-low"]
    assert card.links[0].url == "https://x.org/guidelines/anc-low"
    low, fever = answer.evaluation.rules
    assert (low.outcome, low.indicator, low.suggestions, low.card) == (
        "fired",
        "warning",
        ("repeat-cbc-diff",),
        card.uuid,
    )
    assert (fever.outcome, fever.indicator, fever.suggestions, fever.card) == ("not-fired", None, (), None)
    (because,) = low.because
    assert (because.fact, because.value, because.unit, because.at, because.sources) == (
        "anc",
        1.2,
        "10*9/L",
        "2026-11-21T15:00:00Z",
        ("Observation/o1",),
    )
    assert answer.evaluation.knowledge_version == "2026.11.0"
    assert answer.evaluation.evaluated_at == NOW


def test_shows_whole_numbers_bare_dates_and_words_as_what_they_are():
    limited = drug("tki", anc_hold=Decimal("1.5"))
    each = rule(
        "r", "drug.below_anc_limit && drug.ingredient == 'tki' && anc < 1.5 && anc_age_days < 5.0", each=ForEach.DRUG
    )
    one = service([each], chart(order(limited, start=9), anc("1", bare_date(1))))
    facts = {b.fact: b for b in one.answer(request(), now=NOW).evaluation.rules[0].because}
    assert (facts["anc"].value, facts["anc"].at) == (1, "2026-11-21")
    assert isinstance(facts["anc"].value, int)
    assert facts["drug.ingredient"].value == "tki"
    assert facts["drug.below_anc_limit"].value is True


def test_gives_the_writer_the_patient_the_encounter_and_the_user():
    one = service([LOW], chart(anc("1.2")))
    one.answer(request(encounterId="e1", userId="Practitioner/1"), now=NOW)
    assert [(s.patient_id, s.encounter_id) for s in one.writer.steps] == [("p1", "e1")]
    assert one.writer.requesters == ["Practitioner/1"]
    one.answer(request(encounterId=7), now=NOW)
    assert one.writer.steps[-1].encounter_id is None


def test_asks_the_reader_for_what_the_service_needs_within_the_deadline():
    one = service([LOW], chart())
    one.answer(request(), now=NOW)
    assert one.reader.asked == (dict(SERVICE.prefetch), timedelta(seconds=2))


def test_answers_nothing_where_everything_was_known_and_nothing_fired():
    answer = service([LOW, FEVER], chart(anc("2.0"))).answer(request(), now=NOW)
    assert answer.cards == ()
    assert [r.outcome for r in answer.evaluation.rules] == ["not-fired", "not-fired"]


def test_refuses_where_nothing_fires_and_the_counts_are_unavailable():
    one = service([LOW, FEVER], chart(unavailable=("cellCounts",)))
    with pytest.raises(ChartUnavailable, match="cellCounts") as caught:
        one.answer(request(), now=NOW)
    assert caught.value.keys == ("cellCounts",)


def test_answers_without_counts_where_another_rule_fires():
    answer = service([LOW, FEVER], chart(temp("39"), unavailable=("cellCounts",))).answer(request(), now=NOW)
    assert [[r.id for r in card.rules] for card in answer.cards] == [["fever"], ["anc-low"]]
    assert answer.cards[1].topic.code == "couldNotEvaluate"
    unknown = answer.evaluation.rules[0]
    assert (unknown.outcome, unknown.missing) == ("unknown", ("anc",))


def test_says_what_could_not_be_checked_where_other_data_are_unavailable():
    answer = service([LOW, FEVER], chart(anc("2.0"), unavailable=("vitalSigns",))).answer(request(), now=NOW)
    assert [card.topic.code for card in answer.cards] == ["couldNotEvaluate"]


def test_needs_no_counts_for_rules_that_look_at_none():
    assert service([FEVER], chart(unavailable=("cellCounts",))).answer(request(), now=NOW).cards == ()


def test_reports_data_problems():
    found = chart(anc("2.0"))
    broken = type(found)(
        found.patient, measurements=found.measurements, data_problems=(DataProblem("k", "Observation/1", "words"),)
    )
    problems = service([LOW], broken).answer(request(), now=NOW).evaluation.data_problems
    assert [(p.kind, p.source, p.text) for p in problems] == [("k", "Observation/1", "words")]


def test_knows_its_services_and_whether_it_is_ready():
    one = service([LOW], chart())
    assert one.service("view") is SERVICE
    assert one.ready() == []
    assert service([], chart()).ready() == ["the card library holds no active rule"]
    with pytest.raises(UnknownService):
        one.service("other")
