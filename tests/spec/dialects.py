"""The dialects by name: how some client would send the same facts, and, where facts are lost, what is left of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tests.spec import dialect_drugs as drugs
from tests.spec import dialect_keys as keys
from tests.spec import dialect_labs as labs
from tests.spec import dialect_noise as noise
from tests.spec import dialect_shapes as shapes
from tests.spec.dialect_tools import Circumstances, Json, Rewrite, copied


@dataclass(frozen=True)
class Dialect:
    """Rewrites applied one after the other. `same_as`: what loses the same facts in the plain encoding."""

    rewrites: tuple[Rewrite, ...]
    same_as: tuple[Rewrite, ...] = ()


def rewritten(request: Json, rewrites: tuple[Rewrite, ...], *, seed: str, now: datetime, templates: dict[str, str]) -> Json:
    """A changed copy; the same arguments give the same request."""
    circumstances = Circumstances(now, random.Random(seed), templates)  # noqa: S311 - dice, not secrets
    request = copied(request)
    for rewrite in rewrites:
        request = rewrite(request, circumstances)
    return request


def _each_alone(module: object, *names: str) -> dict[str, Dialect]:
    return {name.replace("_", "-"): Dialect((getattr(module, name),)) for name in names}


DIALECTS: dict[str, Dialect] = {
    **_each_alone(
        keys,
        "linked", "numbered_keys", "epic_keys", "empty_as_null", "empty_as_outcome", "bare_bundles", "one_batch_response",
        "mixed_observations_linked", "patient_elsewhere", "wrapped", "copies_and_old_versions",
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
        "other_units", "half_units", "other_codes", "several_codes", "lone_pressure", "offsets", "bare_dates", "periods",
        "instants", "issued_later", "recorded_only", "as_components", "as_members", "as_report",
    ),
    **_each_alone(
        noise,
        "many_results", "mistaken_results", "results_without_values", "other_patients", "drugs_that_do_not_count",
        "problems_that_do_not_count", "decorated", "without_ids", "broken_entries",
    ),
    **_each_alone(
        shapes,
        "r5", "stu3", "authored_only", "validity_period", "absolute_subjects", "versioned_subjects", "urn_subjects",
        "without_subjects", "long_ids", "loose_drafts", "named_drafts", "drafts_in_prefetch", "shuffled",
    ),
}  # fmt: skip
