"""What the evaluation says of drugs; what rows of low and medium confidence may offer, over the whole drug table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cds_service.app import load_knowledge, make_service
from cds_service.application.discover import service_of_hook
from cds_service.application.hook_request import CallerIdentity
from cds_service.application.invoke import HookService
from cds_service.clinical.cards import HookAnswer
from cds_service.clinical.drug_table import Confidence, Drug
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader
from cds_service.settings import Settings
from cds_service.web.envelope import read_hook_request
from cds_service.web.rendering import render_answer
from tests.spec.invariants import check_cards
from tests.spec.requests import hook_request
from tests.unit.fhir.samples import PATIENT, RXNORM, bundle, coded, count, order

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
EXPLAINED = "org.leukopenia-cds.evaluation"
REST_ON_A_LIMIT = {"hold-medication", "remove-draft-order", "stop-medication", "resume-medication"}
REST_ON_A_ROW = REST_ON_A_LIMIT | {"reduce-dose-draft"}
NOT_RE_READ = "limit not re-read against the current label"
EMPTY = (
    "labResults", "vitalSigns", "conditions", "medicationAdministrations", "procedures", "serviceRequests",
)  # fmt: skip


@cache
def service(min_confidence: str) -> tuple[HookService, Terminology]:
    settings = Settings(auth="off", suggestion_min_confidence=min_confidence)
    knowledge = load_knowledge(settings)
    reader = FhirChartReader(knowledge.terminology, FhirClient(), knowledge.library.numbers)
    return make_service(settings, knowledge, reader), knowledge.terminology


def request(anc: float, *orders: Any, draft: Any = None) -> dict[str, Any]:
    counts = bundle(count(value=anc), count("o2", "777-3", 200))
    prefetch = {"patient": PATIENT, "cellCounts": counts, "medicationRequests": bundle(*orders)}
    prefetch |= {key: bundle() for key in EMPTY}
    if draft is None:
        return hook_request(prefetch=prefetch)
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    return hook_request("order-sign", prefetch=prefetch, context={"draftOrders": drafts})


def ask(document: dict[str, Any], min_confidence: str = "medium") -> HookAnswer:
    asked, _ = service(min_confidence)
    call = read_hook_request(document, service_of_hook(asked.services, document["hook"]), CallerIdentity())
    return asked.answer(call, now=NOW)


def test_the_evaluation_shows_how_each_drug_was_recognised() -> None:
    answer = ask(
        request(
            3.0,
            order("m1", medicationCodeableConcept={"text": "azaTHIOprine 50 MG Oral Tablet [Imuran]"}),
            order("m2", medicationCodeableConcept=coded(RXNORM, "6851")),
            order("m3", drug="moonshine"),
            order("m4", drug="paracetamol"),
        )
    )
    body = render_answer(answer, explain=True)
    check_cards(body)
    evaluation = body["extension"][EXPLAINED]
    assert evaluation["drugMatches"] == [
        {
            "source": "MedicationRequest/m1",
            "drugs": ["azathioprine"],
            "matchedBy": "name",
            "matched": "azaTHIOprine / Imuran",
            "code": None,
            "route": "oral",
        },
        {
            "source": "MedicationRequest/m2",
            "drugs": ["methotrexate"],
            "matchedBy": "rxnorm-ingredient",
            "matched": "methotrexate",
            "code": "6851",
            "route": "unknown",
        },
    ]
    assert [(p["kind"], p["source"]) for p in evaluation["dataProblems"]] == [("unknown-drug", "MedicationRequest/m3")]
    assert body["cards"] == []


def situations(drug: Drug) -> Iterator[dict[str, Any]]:
    """The drug taken, and drafted, at a severe and a moderate count."""
    for anc in (0.3, 0.8):
        yield request(anc, order(drug=drug.ingredient, authoredOn="2026-10-01"))
        yield request(anc, draft=order(drug=drug.ingredient, status="draft"))


@dataclass(frozen=True)
class Offer:
    """The kinds that rest on a drug row, and whether a card says that a limit was not re-read."""

    kinds: frozenset[str]
    caveat: bool


@cache
def offers(confidence: Confidence, min_confidence: str) -> dict[str, list[Offer]]:
    """What is offered for each drug of a confidence in each situation."""
    drugs = [drug for drug in service("medium")[1].drugs if drug.confidence is confidence]
    return {drug.ingredient: [offer_of(ask(one, min_confidence)) for one in situations(drug)] for drug in drugs}


def offer_of(answer: HookAnswer) -> Offer:
    kinds = {kind for rule in answer.evaluation.rules for kind in rule.suggestions}
    return Offer(frozenset(kinds & REST_ON_A_ROW), any(NOT_RE_READ in card.detail for card in answer.cards))


def kinds_of(found: dict[str, list[Offer]]) -> set[str]:
    return {kind for several in found.values() for offer in several for kind in offer.kinds}


def test_a_low_row_offers_nothing_and_a_medium_one_nothing_where_the_site_demands_high() -> None:
    assert len(offers(Confidence.LOW, "medium")) == 1
    assert kinds_of(offers(Confidence.LOW, "medium")) == set()
    assert kinds_of(offers(Confidence.MEDIUM, "high")) == set()
    assert kinds_of(offers(Confidence.MEDIUM, "medium")) >= {"hold-medication", "remove-draft-order"}
    assert kinds_of(offers(Confidence.HIGH, "medium")) >= {"hold-medication", "remove-draft-order"}


def test_a_high_row_offers_the_same_where_the_site_demands_high() -> None:
    drugs = [drug for drug in service("medium")[1].drugs if drug.confidence is Confidence.HIGH][::10]
    usual = offers(Confidence.HIGH, "medium")
    assert len(drugs) > 10
    for drug in drugs:
        assert [offer_of(ask(one, "high")) for one in situations(drug)] == usual[drug.ingredient]


def test_only_a_medium_row_says_that_its_limit_was_not_re_read() -> None:
    _, terms = service("medium")
    medium = offers(Confidence.MEDIUM, "medium")
    limited = {name: several for name, several in medium.items() if terms.drug(name).has_anc_limit}
    resting = [offer for several in limited.values() for offer in several if offer.kinds & REST_ON_A_LIMIT]
    assert len(resting) > 40
    assert all(offer.caveat for offer in resting)
    assert not any(offer.caveat for several in offers(Confidence.HIGH, "medium").values() for offer in several)


LOCAL_PRODUCTS = (
    "Efudex", "fluorouracil 5 % cream", "ruxolitinib 1.5 % cream", "dapsone 5 % gel", "tacrolimus ointment", "Mitosol",
    "ganciclovir ophthalmic gel", "mitomycin bladder instillation", "Inlexzo", "Zirgan", "Opzelura",
    "chloramphenicol eye drops", "metronidazole vaginal gel", "ribavirin inhalation",
)  # fmt: skip


def test_a_local_product_of_any_drug_is_judged_by_no_drug_rule() -> None:
    """Creams, eye drops, inhalations: as an active order and as a draft, at a severe count."""
    _, terms = service("medium")
    for name in LOCAL_PRODUCTS:
        drug = terms.match_drugs([], name, None).drugs[0]
        for one in (request(0.3, order(drug=name)), request(0.3, draft=order(drug=name, status="draft"))):
            answer = ask(one)
            assert offer_of(answer).kinds == frozenset(), name
            assert [
                fact for rule in answer.evaluation.rules for fact in rule.because if fact.value == drug.ingredient
            ] == []
