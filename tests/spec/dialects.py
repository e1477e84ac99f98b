"""The dialects by name: how some client would send the same facts, and, where facts are lost, what is left of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from tests.spec import dialect_charts as charts
from tests.spec import dialect_drugs as drugs
from tests.spec import dialect_keys as keys
from tests.spec import dialect_labs as labs
from tests.spec import dialect_noise as noise
from tests.spec import dialect_shapes as shapes
from tests.spec.dialect_tools import Circumstances, Json, Rewrite, copied


@dataclass(frozen=True)
class Dialect:
    """Rewrites applied one after the other.

    `same_as`: what loses the same facts in the plain encoding. Not `writable`: the orders are no valid R4, or have no
    id, so that no change of them can be offered.
    """

    rewrites: tuple[Rewrite, ...]
    same_as: tuple[Rewrite, ...] = ()
    writable: bool = True


def rewritten(
    request: Json, rewrites: tuple[Rewrite, ...], *, seed: str, now: datetime, templates: dict[str, str]
) -> Json:
    """A changed copy; the same arguments give the same request."""
    circumstances = Circumstances(now, random.Random(seed), templates)  # noqa: S311 - dice, not secrets
    request = copied(request)
    for rewrite in rewrites:
        request = rewrite(request, circumstances)
    return request


def _each_alone(module: object, *names: str, writable: bool = True) -> dict[str, Dialect]:
    return {name.replace("_", "-"): Dialect((getattr(module, name),), writable=writable) for name in names}


DIALECTS: dict[str, Dialect] = {
    **_each_alone(
        keys,
        "linked", "numbered_keys", "epic_keys", "empty_as_null", "empty_as_outcome", "bare_bundles",
        "one_batch_response", "mixed_observations_linked", "patient_elsewhere", "wrapped", "copies_and_old_versions",
    ),
    "one-flat-bundle": Dialect((keys.one_flat_bundle,), (keys.without_empty_keys,)),
    "mixed-observations": Dialect((keys.mixed_observations,), (keys.without_empty_observations,)),
    **_each_alone(
        drugs,
        "products", "bare_products", "many_codings", "product_names", "names", "displays", "precise_ingredients", "atc",
        "contained_medications", "ingredient_medications", "relative_medications", "absolute_medications",
        "urn_medications", "display_medications",
    ),
    **_each_alone(
        labs,
        "other_units", "half_units", "other_codes", "several_codes", "lone_pressure", "offsets", "bare_dates",
        "periods", "instants", "issued_later", "recorded_only", "as_components", "as_members", "as_report",
    ),
    **_each_alone(
        charts,
        "snomed_only", "icd10_only", "other_addresses", "words_only", "plain_conditions", "duffy_antigens",
        "spoken_findings", "grams", "abbreviated", "routes_in_words", "routes_in_codes", "supplied_for", "ordered_cbc",
    ),
    **_each_alone(
        noise,
        "many_results", "mistaken_results", "results_without_values", "other_patients", "drugs_that_do_not_count",
        "problems_that_do_not_count", "decorated", "broken_entries",
    ),
    **_each_alone(noise, "without_ids", writable=False),
    **_each_alone(shapes, "r5", "stu3", writable=False),
    **_each_alone(
        shapes,
        "authored_only", "validity_period", "absolute_subjects", "versioned_subjects", "urn_subjects",
        "without_subjects", "long_ids", "loose_drafts", "named_drafts", "drafts_in_prefetch", "shuffled",
    ),
}  # fmt: skip

CLIENTS: dict[str, Dialect] = {
    "epic": Dialect((
        drugs.many_codings, drugs.relative_medications, labs.other_codes, labs.half_units, charts.other_addresses,
        shapes.absolute_subjects, shapes.named_drafts, shapes.long_ids, labs.offsets, keys.epic_keys,
    )),
    "numbered": Dialect((
        drugs.bare_products, drugs.urn_medications, labs.other_units, labs.as_members, charts.icd10_only, labs.instants,
        labs.offsets, keys.numbered_keys,
    )),
    "sandbox": Dialect((
        drugs.product_names, charts.words_only, charts.spoken_findings, charts.routes_in_words, shapes.loose_drafts,
        shapes.without_subjects, labs.bare_dates, keys.bare_bundles,
    )),
    "noisy": Dialect((
        drugs.products, labs.other_codes, noise.mistaken_results, noise.other_patients, noise.drugs_that_do_not_count,
        noise.problems_that_do_not_count, labs.periods, labs.bare_dates, keys.mixed_observations_linked,
        noise.broken_entries,
    )),
    "panels": Dialect((
        labs.other_units, labs.as_components, drugs.contained_medications, noise.results_without_values,
        noise.decorated, labs.issued_later, labs.offsets, keys.one_batch_response,
    )),
    "reports": Dialect((
        labs.several_codes, labs.as_report, drugs.precise_ingredients, charts.snomed_only, shapes.versioned_subjects,
        shapes.shuffled, keys.empty_as_null, keys.wrapped,
    )),
    "bundle": Dialect(
        (
            drugs.names, charts.plain_conditions, charts.grams, charts.abbreviated, labs.recorded_only, labs.bare_dates,
            keys.copies_and_old_versions, keys.one_flat_bundle,
        ),
        same_as=(keys.without_empty_keys,),
    ),
    "r5": Dialect(
        (
            drugs.atc, shapes.r5, labs.half_units, labs.lone_pressure, charts.duffy_antigens, labs.instants,
            keys.linked, keys.patient_elsewhere,
        ),
        writable=False,
    ),
    "stu3": Dialect(
        (
            drugs.displays, shapes.stu3, labs.other_codes, shapes.validity_period, charts.supplied_for,
            charts.ordered_cbc, labs.offsets, keys.numbered_keys,
        ),
        writable=False,
    ),
}  # fmt: skip
"""What one client does at once. Codes and units come before panels, these before times, and keys come last."""
