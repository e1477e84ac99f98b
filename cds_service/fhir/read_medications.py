"""Medication orders, statements and administrations as the chart has them.

A drug that is only pointed to is looked up among the Medication resources; what cannot be named is reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cds_service.clinical.chart import Administration, DataProblem, MedicationOrder, Route
from cds_service.clinical.codings import Coding
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
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
    """The drugs of a product and the route that its form implies."""

    drugs: tuple[Drug, ...]
    route: Route
    name: str
    contradiction: str | None = None


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
            planned_days=course.days,
            planned_first_dose=course.first if draft else None,
            dose_text=read_dose_words(dosages),
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
        concept, said = product.concept, product.concept.text
        match = self.terminology.match_drugs(concept.codings, said, product.form, stated)
        if not match.drugs and product.ingredients:  # by their words together: a fixed combination is a drug of its own
            match = self.terminology.match_drugs((), _joined(product.ingredients), product.form, stated)
        parts = self._parts(product, stated) if not match.drugs else ()
        route = stated if stated is not Route.UNKNOWN else match.route
        name = concept.words or _joined(product.ingredients) or match.matched_text or UNNAMED
        rivals = ", ".join(drug.ingredient for drug in match.contradicted_by) if match.conflict else None
        return Recognised(match.drugs or parts, route, name, rivals)

    def _parts(self, product: Product, stated: Route) -> tuple[Drug, ...]:
        found = [self.terminology.match_drugs(p.codings, p.text, product.form, stated) for p in product.ingredients]
        return tuple(dict.fromkeys(drug for match in found for drug in match.drugs))

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

    def is_unnamed(self, item: Item) -> bool:
        """True where it has a medication that no word and no known code names; a blank order has none at all."""
        return states_medication(item.resource) and self.recognise(item.resource, Route.UNKNOWN).name == UNNAMED

    def problems(self, item: Item, *, draft: bool = False) -> list[DataProblem]:
        """What is wrong with the medication of an order or dose: not named, or named in two ways."""
        recognised = self.recognise(item.resource, Route.UNKNOWN)
        if self.is_unnamed(item) if draft else recognised.name == UNNAMED:
            return [DataProblem("unnamed-medication", item.source, "The medication it is about was not sent.")]
        if recognised.contradiction:
            text_of = f"Its codes and words name different drugs; also named: {recognised.contradiction}."
            return [DataProblem("contradictory-drug", item.source, text_of)]
        return []


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
