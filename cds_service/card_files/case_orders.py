"""Drugs and orders of a case: on file, given, drafted, stopped, and what else is ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cds_service.card_files.case_input import NOW, CaseInputError, Item, Sources, ago, dosed
from cds_service.clinical.chart import Administration, Allergy, MedicationOrder, Route, ServiceOrder
from cds_service.clinical.drug_table import Drug
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology


@dataclass(frozen=True, slots=True)
class CaseOrders:
    """Reads the drugs and orders of one case. Raises: CaseInputError from every method."""

    _terminology: Terminology
    _sources: Sources
    _hook: str

    def _drugs_of(self, item: Item, route: Route) -> tuple[tuple[Drug, ...], str, Route]:
        """By `ingredient`, a row of the drug table; or by `product`, words that may name no drug of the table."""
        if "product" in item:
            words = str(item.get("product"))
            match = self._terminology.match_drugs((), words, None, route)
            return match.drugs, words, match.route if route is Route.UNKNOWN else route
        name = str(item.needed("ingredient"))
        rows = [d for d in self._terminology.drugs if d.ingredient == name]
        rows = rows or [d for d in self._terminology.drugs if d.ingredient.startswith(f"{name} (")]
        if len(rows) != 1:
            raise CaseInputError(f"{name!r} is {len(rows)} rows of drugs.csv; write product: for a drug that is none")
        return (rows[0],), name, route

    def _route(self, item: Item) -> Route:
        stated = item.get("route")
        if stated is None:
            return Route.UNKNOWN
        route = self._terminology.route_of((), str(stated))
        if route is Route.UNKNOWN:
            raise CaseInputError(f"{stated!r} is no route")
        return route

    def meds(self, meds: Sequence[Any]) -> tuple[list[MedicationOrder], list[Administration]]:
        """The orders on file, and the doses given of them."""
        orders: list[MedicationOrder] = []
        doses: list[Administration] = []
        for given in meds:
            med = Item(
                given, "ingredient", "product", "status", "start_days_ago", "end_days_ago", "last_given_days_ago",
                "route", "status_reason", "daily_dose_mg", "daily_dose_mu", what="meds",
            )  # fmt: skip
            order = self._existing_med(med)
            orders.append(order)
            if (given_ago := med.number("last_given_days_ago")) is not None:
                doses.append(self._dose(order, dosed(given_ago)))
        return orders, doses

    def _existing_med(self, med: Item) -> MedicationOrder:
        start, end, given = (med.number(f"{name}_days_ago") for name in ("start", "end", "last_given"))
        ordered = next((days for days in (start, given, end) if days is not None), None)
        if ordered is None:
            raise CaseInputError("meds: needs start_days_ago, last_given_days_ago or end_days_ago")
        drugs, name, route = self._drugs_of(med, self._route(med))
        return MedicationOrder(
            source=self._sources.next("MedicationRequest"),
            drugs=drugs,
            name=name,
            status=str(med.get("status", "active")),
            route=route,
            authored=ago(days=ordered),
            start=ago(days=ordered if start is None else start),
            end=None if end is None else dosed(end),
            daily_dose_mg=med.number("daily_dose_mg"),
            daily_dose_mu=med.number("daily_dose_mu"),
            reasons=self._reasons(med),
            reason_text=med.get("status_reason"),
        )

    def _dose(self, order: MedicationOrder, given: Moment) -> Administration:
        source = self._sources.next("MedicationAdministration")
        return Administration(source, order.drugs, order.name, given, order.route, order.source)

    def _reasons(self, item: Item) -> frozenset[str]:
        reason = item.get("status_reason")
        return self._terminology.condition_kinds((), str(reason)) if reason else frozenset()

    def allergy(self, given: Any) -> Allergy:
        drugs, name, _ = self._drugs_of(Item({"ingredient": given}, "ingredient", what="allergies"), Route.UNKNOWN)
        return Allergy(self._sources.next("AllergyIntolerance"), drugs, name)

    def drafts(
        self, drafts: Sequence[Any], existing: Sequence[MedicationOrder]
    ) -> tuple[list[MedicationOrder], list[ServiceOrder], list[str]]:
        orders: list[MedicationOrder] = []
        services: list[ServiceOrder] = []
        others: list[str] = []
        if drafts and not self._hook.startswith("order-"):
            raise CaseInputError(f"{self._hook} has no draft orders")
        for given in drafts:
            draft = Item(
                given, "type", "ingredient", "product", "test", "text", "status", "new_start", "daily_dose_mg",
                "daily_dose_mu", "planned_days", "planned_hours", "route", "status_reason", "selected",
                what="draft_orders",
            )  # fmt: skip
            if "test" in draft or draft.get("type") == "ServiceRequest":
                services.append(self._draft_service(draft))
            elif "ingredient" in draft or "product" in draft:
                orders.append(self._draft_med(draft, existing))
            else:
                others.append(str(draft.needed("text")))
        return orders, services, others

    def _is_selected(self, draft: Item) -> bool:
        return self._hook == "order-select" and bool(draft.get("selected", True))

    def _draft_med(self, draft: Item, existing: Sequence[MedicationOrder]) -> MedicationOrder:
        """A new order, or the existing order of that drug with another status."""
        drugs, name, route = self._drugs_of(draft, self._route(draft))
        changed = next((o for o in existing if o.drugs == drugs), None) if "status" in draft else None
        if draft.get("new_start") and any(order.drugs == drugs for order in existing):
            raise CaseInputError(f"{name!r} is not new: there is an order of it in meds")
        planned = draft.number("planned_hours")
        first = None if planned is None else ago(hours=-planned)
        base = changed or MedicationOrder(
            source=self._sources.next("MedicationRequest"),
            drugs=drugs,
            name=name,
            status="draft",
            route=route,
            authored=Moment.at(NOW),
            start=first,
            daily_dose_mg=draft.number("daily_dose_mg"),
            daily_dose_mu=draft.number("daily_dose_mu"),
            planned_days=draft.number("planned_days"),
            planned_first_dose=first,
        )
        return replace(
            base,
            status=str(draft.get("status", "draft")),
            draft=True,
            selected=self._is_selected(draft),
            reasons=self._reasons(draft),
            reason_text=draft.get("status_reason"),
        )

    def _draft_service(self, draft: Item) -> ServiceOrder:
        """`test` is something the tables know, `text` anything else."""
        words = str(draft.get("test") or draft.needed("text"))
        kinds = self._order_kinds(words) if "test" in draft else frozenset[str]()
        return ServiceOrder(
            source=self._sources.next("ServiceRequest"),
            kinds=kinds,
            text=words,
            status=str(draft.get("status", "draft")),
            draft=True,
            selected=self._is_selected(draft),
            authored=Moment.at(NOW),
        )

    def existing_order(self, given: Any) -> ServiceOrder:
        """A name, or a name with its status and the days until it is due (21; null: undated)."""
        item = Item(
            {"name": given} if isinstance(given, str) else given, "name", "due_days", "status", what="existing_orders"
        )
        name = str(item.needed("name"))
        due = item.number("due_days") if "due_days" in item else Decimal(21)
        return ServiceOrder(
            source=self._sources.next("ServiceRequest"),
            kinds=self._order_kinds(name),
            text=name,
            status=str(item.get("status", "active")),
            due=None if due is None else ago(days=-due),
            authored=ago(days=Decimal(1)),
        )

    def _order_kinds(self, name: str) -> frozenset[str]:
        table = self._terminology.orders
        slugs = frozenset[str]().union(*table.exact.values(), *table.texts.values())
        kinds = frozenset({name}) if name in slugs else self._terminology.order_kinds((), name)
        if not kinds:
            raise CaseInputError(f"{name!r} is no kind of order; write text: for one that the rules do not know")
        return kinds
