"""Procedures and service orders as the chart has them."""

from __future__ import annotations

from cds_service.clinical.chart import PerformedProcedure, ServiceOrder
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.codes import code_of, read_concept, read_concepts
from cds_service.fhir.json_access import Json
from cds_service.fhir.pool import Item
from cds_service.fhir.read_times import at_age, read_moment, read_timing_or_moment

DONE = frozenset({"completed", "in-progress"})
OPEN = frozenset({"active", "draft", "on-hold"})
ORDER_INTENTS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})


def read_procedure(item: Item, terminology: Terminology, born: Moment | None) -> PerformedProcedure | None:
    """Completed and ongoing procedures; a missing status counts as completed."""
    resource = item.resource
    if (code_of(resource.get("status")) or "completed") not in DONE or resource.get("notDone") is True:
        return None
    concept = read_concept(resource.get("code"))
    sites = [coding for site in read_concepts(resource.get("bodySite") or []) for coding in site.codings]
    words = " ".join((*concept.all_words, *_site_words(resource)))
    return PerformedProcedure(
        kinds=terminology.procedure_kinds(concept.codings, words or None, sites),
        text=concept.words or "procedure without a name",
        source=item.source,
        performed=_performed(resource, born),
    )


def _site_words(resource: Json) -> list[str]:
    return [words for site in read_concepts(resource.get("bodySite") or []) if (words := site.words)]


def _performed(resource: Json, born: Moment | None) -> Moment | None:
    """performed[x]; occurrence[x] in R5."""
    for stem in ("performed", "occurrence"):
        if moment := read_timing_or_moment(resource, stem) or at_age(resource.get(f"{stem}Age"), born):
            return moment
    return None


def read_service_order(
    item: Item, terminology: Terminology, *, draft: bool = False, selected: bool = False
) -> ServiceOrder | None:
    """A ServiceRequest (STU3: ProcedureRequest). Existing ones must be open orders; a draft may be anything."""
    resource = item.resource
    status = code_of(resource.get("status")) or ("draft" if draft else "unknown")
    if resource.get("doNotPerform") in (True, "true") or status == "entered-in-error":
        return None
    if not draft and (status not in OPEN or not is_order(resource) or _is_as_needed(resource)):
        return None
    concept = read_concept(resource.get("code"))
    return ServiceOrder(
        source=item.source,
        kinds=terminology.order_kinds(concept.codings, concept.text),
        text=concept.words or "order without a name",
        status=status,
        draft=draft,
        selected=selected,
        due=read_timing_or_moment(resource, "occurrence"),
        authored=read_moment(resource.get("authoredOn")),
    )


def _is_as_needed(resource: Json) -> bool:
    """Nobody knows whether such an order will be carried out: it takes the place of nothing."""
    return resource.get("asNeededBoolean") in (True, "true") or bool(resource.get("asNeededCodeableConcept"))


def is_order(resource: Json) -> bool:
    """Plans and proposals are no orders; a missing intent counts as one."""
    return (code_of(resource.get("intent")) or "order") in ORDER_INTENTS
