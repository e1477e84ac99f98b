"""Which services are offered, and which one a call is for. The wording of the services stands in the card library."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.application.hook_request import ServiceDescription
from cds_service.errors import UnknownService


def discover_services(services: Iterable[ServiceDescription]) -> tuple[ServiceDescription, ...]:
    """Return the services in a fixed order, so that discovery answers the same in every worker and on every start."""
    return tuple(sorted(services, key=lambda service: service.id))


def service_of_hook(services: Iterable[ServiceDescription], hook: str) -> ServiceDescription:
    """The service that is registered for a hook. Raises: UnknownService."""
    for service in services:
        if service.hook == hook:
            return service
    raise UnknownService("hook: no service is registered for it.")


def find_service(services: Iterable[ServiceDescription], service_id: str) -> ServiceDescription:
    """Raises: UnknownService. The id is not repeated in its message: it is whatever stood in the URL."""
    for service in services:
        if service.id == service_id:
            return service
    raise UnknownService("There is no service of that id; see GET /cds-services.")
