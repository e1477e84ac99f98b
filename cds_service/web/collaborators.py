"""What the web layer is given by `app`: the use cases behind the routes, as Protocols, and how it is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cds_service.application.hook_request import HookRequest, ServiceDescription
from cds_service.application.ports import CardStore
from cds_service.clinical.cards import HookAnswer
from cds_service.clinical.rules import RuleLibrary
from cds_service.observability import Metrics
from cds_service.settings import Settings
from cds_service.web.authentication import Authenticator


class HookService(Protocol):
    """Answers hook calls from one card library."""

    @property
    def services(self) -> Sequence[ServiceDescription]:
        """The services of discovery."""
        ...

    @property
    def library(self) -> RuleLibrary:
        """The card library that the pages show."""
        ...

    def answer(self, request: HookRequest, *, now: datetime) -> HookAnswer:
        """Return the cards and every rule's verdict. Raises: CdsServiceError."""
        ...

    def ready(self) -> list[str]:
        """What keeps the rules from being evaluated; empty where nothing does."""
        ...


@dataclass(frozen=True, slots=True)
class Collaborators:
    """Everything that the routes use. `rule_cases` are the names of the test cases by rule id."""

    settings: Settings
    service: HookService
    store: CardStore
    authenticator: Authenticator
    metrics: Metrics
    clock: Callable[[], datetime]
    rule_cases: Mapping[str, Sequence[str]] = field(default_factory=dict)
