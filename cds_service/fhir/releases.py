"""Which FHIR release a payload is of, as far as its resources betray it.

R4 and R4B are read, and what STU3 and R5 share with them; DSTU2 differs in most of what matters here and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.errors import UnsupportedRelease
from cds_service.fhir.json_access import Json, text

DSTU2_ONLY = frozenset({"MedicationOrder", "DiagnosticOrder", "DeviceUseRequest"})
STATED_RELEASE = "com.epic.cdshooks.request.fhir-version"


def check_release(resources: Iterable[Json], extension: Mapping[str, Any]) -> None:
    """Raises: UnsupportedRelease where a resource exists only in DSTU2, or the client says that it sends DSTU2."""
    stated = (text(extension.get(STATED_RELEASE)) or "").upper()
    if stated == "DSTU2" or any(is_dstu2(resource) for resource in resources):
        raise UnsupportedRelease("The data are FHIR DSTU2; this service needs R4 (4.0.1).")


def is_dstu2(resource: Json) -> bool:
    kind = text(resource.get("resourceType"))
    statement = kind == "MedicationStatement" and "patient" in resource and "subject" not in resource
    return kind in DSTU2_ONLY or statement
