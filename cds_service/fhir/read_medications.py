"""Medication orders, statements and administrations as the chart has them.

A drug that is only pointed to is looked up among the Medication resources; what cannot be named is reported.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from cds_service.clinical.chart import Administration, DataProblem, MedicationOrder, Route
from cds_service.clinical.codings import Coding
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import DrugMatch, Terminology
from cds_service.clinical.units import UnitUse
from cds_service.fhir.codes import Concept, code_of, read_concept, read_concepts, status_of
from cds_service.fhir.json_access import Json, mapping, mappings, text
from cds_service.fhir.pool import Item, Medications
from cds_service.fhir.read_dosages import Course, read_course, read_daily_dose, read_dose_words, read_route
from cds_service.fhir.read_procedures import is_order
from cds_service.fhir.read_times import days_in, read_moment, read_span, read_timing_or_moment
from cds_service.fhir.references import Reference, reference_of

GIVEN = frozenset({"completed", "in-progress", "stopped", "on-hold", "unknown"})
"""A dose that was interrupted, or of which it is not known how it ended, was begun."""

ORDER_STATUSES = frozenset(
    {"active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft"}
)  # fmt: skip
NEWER_STATUSES = {"ended": "completed"}
"""R5 codes and what R4 calls them."""

STATEMENT_STATUS = {
    "active": "active", "recorded": "active", "completed": "completed", "stopped": "stopped", "on-hold": "on-hold",
}  # fmt: skip
UNNAMED = "medication not named"
MEDICATION_MEMBERS = ("medicationCodeableConcept", "medicationReference", "medication")


@dataclass(frozen=True, slots=True)
class Product:
    """What an order or dose is of. `missing` is the Medication that it points to and that was not sent."""

    concept: Concept
    form: str | None = None
    ingredients: tuple[Concept, ...] = ()
    missing: Reference | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """The drugs of a product, the route that its form implies, and how they were recognised.

    `known`: some code or word is that of a drug we know, listed or not. `identity`: what tells it from other products.
    """

    drugs: tuple[Drug, ...]
    route: Route
    name: str
    matches: tuple[DrugMatch, ...] = ()
    identity: Hashable = None

    @property
    def known(self) -> bool:
        return any(match.known or match.unlisted for match in self.matches)

    @property
    def contradiction(self) -> str | None:
        rivals = dict.fromkeys(rival for match in self.matches for rival in match.contradicted_by)
        return ", ".join(rivals) or None


@dataclass(frozen=True, slots=True)
class MedicationReader:
    """Reads everything that is about drugs."""

    terminology: Terminology
    medications: Medications

    def order(self, item: Item, *, draft: bool = False, selected: bool = False) -> MedicationOrder | None:
        """A MedicationRequest. Existing ones must be orders; a draft may be anything, even without a medication."""
        resource = item.resource
        status = order_status(resource, draft)
        if resource.get("doNotPerform") is True or status == "entered-in-error" or not (draft or is_order(resource)):
            return None
        course = _course_of(resource, draft)
        return self._order(item, status, course, mappings(resource.get("dosageInstruction")), draft, selected)

    def statement(self, item: Item) -> MedicationOrder | None:
        """A MedicationStatement: what the patient takes without an order of this house."""
        resource = item.resource
        status = STATEMENT_STATUS.get(status_of(resource) or "")
        if status is None or code_of(resource.get("taken")) in ("n", "unk", "na"):
            return None
        dosages = mappings(resource.get("dosage"))
        course = read_course(dosages, resource.get("effectivePeriod"))
        begun = course.start or read_moment(resource.get("effectiveDateTime"))
        return self._order(item, status, replace(course, start=begun), dosages)

    def _order(
        self, item: Item, status: str, course: Course, dosages: list[Json], draft: bool = False, selected: bool = False
    ) -> MedicationOrder:
        resource = item.resource
        recognised = self.recognise(resource, read_route(dosages, self.terminology))
        reasons = read_concepts(resource.get("statusReason") or [])
        return MedicationOrder(
            source=item.source,
            drugs=recognised.drugs,
            name=recognised.name,
            status=status,
            draft=draft,
            selected=selected,
            intent=code_of(resource.get("intent")) or "order",
            route=recognised.route,
            authored=read_moment(resource.get("authoredOn")) or read_moment(resource.get("dateAsserted")),
            start=course.start,
            end=course.end,
            reasons=self._kinds(reasons),
            reason_text="; ".join(words for reason in reasons if (words := reason.words)) or None,
            daily_dose_mg=read_daily_dose(dosages, self.terminology),
            daily_dose_mu=read_daily_dose(dosages, self.terminology, UnitUse.ACTIVITY),
            planned_days=course.days,
            planned_first_dose=course.first if draft else None,
            dose_text=read_dose_words(dosages),
            dosage=repr(dosages) if dosages else None,
        )

    def _kinds(self, reasons: Iterable[Concept]) -> frozenset[str]:
        kinds = (self.terminology.condition_kinds(reason.codings, reason.text) for reason in reasons)
        return frozenset[str]().union(*kinds)

    def administration(self, item: Item) -> Administration | None:
        """A dose that was given, or is being given. None for others, and where no time is stated."""
        resource = item.resource
        given = read_administered(resource)
        if not is_given(resource) or given is None:
            return None
        stated = read_route(mappings(resource.get("dosage")), self.terminology)
        recognised = self.recognise(resource, stated)
        order = reference_of(resource.get("request")) or reference_of(resource.get("prescription"))
        return Administration(
            source=item.source,
            drugs=recognised.drugs,
            name=recognised.name,
            given=given,
            route=recognised.route,
            order=order.relative if order else None,
        )

    def recognise(self, resource: Json, stated: Route) -> Recognised:
        """The drugs of a resource's medication; the stated route outweighs the one that the product implies."""
        product = self.product(resource)
        concept = product.concept
        matches = self._matches(product, stated)
        drugs = tuple(dict.fromkeys(drug for match in matches for drug in match.drugs))
        told = next((match.route for match in matches if match.route is not Route.UNKNOWN), Route.UNKNOWN)
        first = next((match.matched_text for match in matches if match.matched_text), "")
        name = concept.words or _joined(product.ingredients) or first or UNNAMED
        route = stated if stated is not Route.UNKNOWN else told
        return Recognised(drugs, route, name, matches, (concept, product.ingredients))

    def _matches(self, product: Product, stated: Route) -> tuple[DrugMatch, ...]:
        """By the product's own codes and words, else by its ingredients: together, a fixed combination is one drug."""
        concept, form = product.concept, product.form
        whole = self.terminology.match_drugs(concept.codings, concept.text, form, stated)
        if whole.known or not product.ingredients:
            return (whole,)
        codings = tuple(coding for part in product.ingredients for coding in part.codings)
        together = self.terminology.match_drugs(codings, _joined(product.ingredients), form, stated)
        return (replace(together, contradicted_by=()),) if together.known else (whole, together)

    def product(self, resource: Json) -> Product:
        """medicationCodeableConcept, medicationReference, or R5's medication with either."""
        either = mapping(resource.get("medication"))
        reference = resource.get("medicationReference") or either.get("reference")
        concept = read_concept(resource.get("medicationCodeableConcept") or either.get("concept"))
        if reference is None:
            return Product(concept)
        found = self.medications.find(reference, resource)
        if found is not None:
            return _merged(concept, self._product_of(found), _display(reference))
        shown = concept or Concept(text=_display(reference))
        return Product(shown, missing=reference_of(reference))

    def _product_of(self, medication: Json) -> Product:
        ingredients = [self._ingredient(part, medication) for part in mappings(medication.get("ingredient"))]
        form = read_concept(medication.get("form") or medication.get("doseForm")).words
        return Product(read_concept(medication.get("code")), form, tuple(part for part in ingredients if part))

    def _ingredient(self, part: Json, medication: Json) -> Concept:
        """item[x]: a concept, or a reference to another Medication or Substance."""
        item = mapping(part.get("item"))
        if concept := read_concept(part.get("itemCodeableConcept") or item.get("concept")):
            return concept
        reference = part.get("itemReference") or item.get("reference")
        found = self.medications.find(reference, medication)
        return read_concept(found.get("code")) if found else Concept(text=_display(reference))

    def named(self, item: Item) -> Recognised:
        """What an order or dose is recognised as, by the route it states."""
        resource = item.resource
        dosages = [*mappings(resource.get("dosageInstruction")), *mappings(resource.get("dosage"))]
        return self.recognise(resource, read_route(dosages, self.terminology))

    def is_unnamed(self, item: Item) -> bool:
        """True where it has a medication that no word and no known code names; a blank order has none at all."""
        return states_medication(item.resource) and self.recognise(item.resource, Route.UNKNOWN).name == UNNAMED


def problem_of(item: Item, recognised: Recognised, *, draft: bool = False) -> DataProblem | None:
    """What is wrong with the medication of an order or dose: not named, or named in two ways."""
    if recognised.name == UNNAMED:
        if draft and not states_medication(item.resource):
            return None
        return DataProblem("unnamed-medication", item.source, "The medication it is about was not sent.")
    if recognised.contradiction:
        text_of = f"Its codes and words name different drugs; named beside the first: {recognised.contradiction}."
        return DataProblem("contradictory-drug", item.source, text_of)
    return None


def _merged(stated: Concept, found: Product, display: str | None) -> Product:
    """The Medication's own codes, with the words of the order where it has none."""
    codings: tuple[Coding, ...] = (*stated.codings, *found.concept.codings)
    return Product(Concept(codings, found.concept.text or stated.text or display), found.form, found.ingredients)


def _display(reference: object) -> str | None:
    return text(mapping(reference).get("display"))


def _joined(concepts: Iterable[Concept]) -> str | None:
    return " / ".join(words for concept in concepts if (words := concept.words)) or None


def _course_of(resource: Json, draft: bool) -> Course:
    """The bounds of the dosages, else of the dispense request. The supply is the length of a draft that states none."""
    dispense = mapping(resource.get("dispenseRequest"))
    begun = None if draft else read_moment(resource.get("authoredOn"))
    course = read_course(mappings(resource.get("dosageInstruction")), dispense.get("validityPeriod"), begun)
    supply = days_in(dispense.get("expectedSupplyDuration")) if draft else None
    return replace(course, days=supply) if course.days is None else course


def states_medication(resource: Json) -> bool:
    return any(resource.get(name) is not None for name in MEDICATION_MEMBERS)


def order_status(resource: Json, draft: bool) -> str:
    """The R4 status. An order of a drug whose status says nothing may be in force, so it is read as active."""
    status = status_of(resource)
    status = NEWER_STATUSES.get(status or "", status)
    if status in ORDER_STATUSES:
        return status
    if draft:
        return "draft"
    return "active" if states_medication(resource) else "unknown"


def has_clear_status(resource: Json) -> bool:
    """False where the status had to be assumed."""
    return not states_medication(resource) or (status_of(resource) or "") in (*ORDER_STATUSES, *NEWER_STATUSES)


def is_given(resource: Json) -> bool:
    """True where a dose was at least begun."""
    return status_of(resource) in GIVEN and resource.get("notGiven") is not True


def read_administered(resource: Json) -> Moment | None:
    """effective[x]; R5 calls it occurence[x], with one r."""
    for stem in ("effective", "occurence", "occurrence"):
        if moment := read_timing_or_moment(resource, stem):
            return moment
    return read_span(resource.get("effectiveTimePeriod"))
