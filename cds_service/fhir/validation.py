"""Checks resources before they are offered: what is written must be valid R4.

The models are those of R4B, which R4 (4.0.1) resources of the written types satisfy; they are imported on first use,
or ahead of it by `load_models`.
"""

from __future__ import annotations

import copy
import logging
from functools import cache
from importlib import import_module
from typing import Any

from cds_service.fhir.json_access import Json

logger = logging.getLogger(__name__)
WRITTEN_TYPES = {"ServiceRequest": "servicerequest", "MedicationRequest": "medicationrequest", "Task": "task"}


@cache
def _model(resource_type: str) -> Any:
    module = import_module(f"fhir.resources.R4B.{WRITTEN_TYPES[resource_type]}")
    return getattr(module, resource_type)


def load_models() -> None:
    """Import the models now: at start-up it costs a fifth of a second that the first card should not cost."""
    for resource_type in WRITTEN_TYPES:
        _model(resource_type)


def is_valid(resource: Json) -> bool:
    """True where the resource is valid R4; what is wrong is logged by member, without values."""
    kind = str(resource.get("resourceType"))
    if kind not in WRITTEN_TYPES:
        return False
    try:
        _model(kind).model_validate(copy.deepcopy(dict(resource)))
    except ValueError as error:  # pydantic's ValidationError; its text carries patient data, its places do not
        places = sorted({str(item["loc"][0]) for item in _faults(error) if item.get("loc")})
        logger.warning("suggested resource is not valid R4", extra={"resource_type": kind, "members": places})
        return False
    return True


def _faults(error: ValueError) -> list[dict[str, Any]]:
    listed = getattr(error, "errors", None)
    return list(listed()) if callable(listed) else []
