"""The only place that wires everything: settings in, a running service out. Reading starts here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.application.discover import service_of_hook
from cds_service.application.feedback_report import read_report
from cds_service.application.hook_request import CallerIdentity, ServiceDescription
from cds_service.application.invoke import HookService
from cds_service.application.ports import AnswerLog, ChartReader
from cds_service.card_files.cases import CaseBook
from cds_service.card_files.library import load_library, shipped_cards_dir
from cds_service.card_files.listing import case_names
from cds_service.card_files.sample_cards import sample_card
from cds_service.card_files.services import load_services
from cds_service.card_files.site_orders import load_site_orders
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.rules import RuleLibrary
from cds_service.clinical.site_orders import SiteOrders, recognising
from cds_service.clinical.situation import SitePolicy
from cds_service.clinical.terminology import Terminology
from cds_service.errors import InvalidHookRequest, SettingsError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader
from cds_service.fhir.validation import load_models
from cds_service.fhir.write import FhirOrderWriter
from cds_service.observability import CountedReads, Metrics
from cds_service.settings import Settings, check_start
from cds_service.store.card_store import SqlCardStore
from cds_service.store.hash_key import load_or_create_key
from cds_service.web.authentication import Authenticator, OpenDoor, SignedTokens
from cds_service.web.client_tokens import ClientTokenVerifier
from cds_service.web.collaborators import Collaborators
from cds_service.web.envelope import read_hook_request
from cds_service.web.json_body import parse_json_object
from cds_service.web.rendering import render_answer, render_card
from cds_service.web.server import serve as run_server
from cds_service.web.wsgi import make_app, utc_now

if TYPE_CHECKING:
    from flask import Flask

HASH_KEY_FILE = "hash.key"


@dataclass(frozen=True)
class Knowledge:
    """What the card library says, rules, code tables, services; and what the site orders for them."""

    library: RuleLibrary
    terminology: Terminology
    services: tuple[ServiceDescription, ...]
    orders: SiteOrders


def create_app(settings: Settings) -> Flask:
    """Return the whole service as a WSGI application.

    Raises: SettingsError, CardLibraryError, CardFileError, StoreUnavailable.
    """
    check_start(settings)
    knowledge = load_knowledge(settings)
    load_models()  # once, before workers fork: else the first card with an order waits for it
    store = open_store(settings)
    metrics = Metrics()
    reader = CountedReads(FhirChartReader(knowledge.terminology, FhirClient(), knowledge.library.numbers), metrics)
    return make_app(
        Collaborators(
            settings=settings,
            service=make_service(settings, knowledge, reader, store),
            store=store,
            authenticator=make_authenticator(settings, store),
            metrics=metrics,
            clock=utc_now,
            rule_cases={rule.id: case_names(Path(rule.path)) for rule in knowledge.library.rules},
        )
    )


def serve(settings: Settings, *, host: str, port: int, workers: int | None = None) -> None:
    """Run the production server until told to stop. Raises as `create_app`, and SettingsError for a busy port."""
    check_start(settings)
    run_server(settings, create_app, host=host, port=port, workers=workers)


def evaluate_offline(settings: Settings, body: bytes, at: datetime) -> dict[str, Any]:
    """Answer one request without a server. A FHIR server is read only where the settings allow it.

    Raises: InvalidHookRequest, ChartUnavailable, UnsupportedRelease, and what loading the library raises.
    """
    knowledge = load_knowledge(settings)
    document = parse_json_object(body)
    hook = document.get("hook")
    if not isinstance(hook, str):
        raise InvalidHookRequest("hook: is required.")
    caller = CallerIdentity(fhir_servers=settings.fhir_servers)
    service = service_of_hook(knowledge.services, hook)
    request = read_hook_request(document, service, caller, allow_http=settings.allow_insecure)
    reader = FhirChartReader(knowledge.terminology, FhirClient(), knowledge.library.numbers)
    answer = make_service(settings, knowledge, reader).answer(request, now=at)
    return render_answer(answer, explain=settings.explain)


def read_feedback_report(settings: Settings) -> dict[str, Any]:
    """What `cds-service feedback report` prints. Raises: StoreUnavailable."""
    store = open_store(settings)
    try:
        return read_report(store).as_json()
    finally:
        store.close()


def sample_card_document(cards_dir: Path, rule_id: str) -> tuple[str, dict[str, Any]] | None:
    """The name of a rule's first case that fires, and its card as a client gets it; None where there is none.

    Raises: CardLibraryError, CardFileError.
    """
    sample = sample_card(CaseBook(cards_dir), rule_id)
    return (sample[0], render_card(sample[1])) if sample else None


def load_knowledge(settings: Settings) -> Knowledge:
    """Read, check and compile the card library. Raises: CardLibraryError, CardFileError, SettingsError."""
    if settings.site_cards_dir is not None:
        raise SettingsError("CDS_SITE_CARDS_DIR: a site's own rules are not supported by this version; unset it.")
    cards_dir = settings.cards_dir or shipped_cards_dir()
    plain = load_terminology(cards_dir)
    orders = load_site_orders(settings.orders, plain, cards_dir)
    terminology = recognising(plain, orders)
    return Knowledge(load_library(cards_dir), terminology, load_services(cards_dir, terminology), orders)


def make_service(
    settings: Settings, knowledge: Knowledge, reader: ChartReader, answers: AnswerLog | None = None
) -> HookService:
    """The use case behind every hook, with the policy of the site. `answers`: what users answered before, if known."""
    return HookService(
        library=knowledge.library,
        services=knowledge.services,
        reader=reader,
        writer=FhirOrderWriter(knowledge.terminology),
        policy=SitePolicy(settings.duffy_null_anc, settings.suggestion_min_confidence),
        deadline=timedelta(milliseconds=settings.deadline_ms),
        guideline_url=f"{settings.public_url}/guidelines",
        answers=answers,
        orders=knowledge.orders,
    )


def open_store(settings: Settings) -> SqlCardStore:
    """Open the database of served cards, feedback and token ids. Raises: SettingsError, StoreUnavailable."""
    key = load_or_create_key(settings.data_dir / HASH_KEY_FILE)
    return SqlCardStore.open(settings.database_url, hash_key=key)


def make_authenticator(settings: Settings, store: SqlCardStore) -> Authenticator:
    """Signed tokens of the trusted clients, or nothing at all."""
    if settings.auth == "off":
        return OpenDoor(settings.fhir_servers)
    return SignedTokens(ClientTokenVerifier(settings.trusted_clients, store))
