"""References between FHIR resources: relative, absolute, versioned, urn and contained ones.

Knows only how references are written, not what they point to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.fhir.json_access import Json, mapping, text

TYPED = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/\s#?|]+)(?:/_history/[^/\s]*)?$")
VERSION_OR_QUERY = re.compile(r"[?#|]")
BARE_ID = re.compile(r"[A-Za-z0-9\-._]+")
WRITABLE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-._]+")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a reference says. `written` is as sent; `type` and `id` are None where it does not name them."""

    written: str
    type: str | None = None
    id: str | None = None

    @property
    def relative(self) -> str | None:
        return f"{self.type}/{self.id}" if self.type and self.id else None

    @property
    def is_local(self) -> bool:
        """True where it points into `contained`."""
        return self.written.startswith("#")


def parse_reference(written: str) -> Reference:
    """Read the text of a reference. A bare id has no type; `urn:uuid:…` and `#…` have neither."""
    if written.startswith(("#", "urn:")):
        return Reference(written)
    if found := TYPED.search(VERSION_OR_QUERY.split(written, maxsplit=1)[0]):
        return Reference(written, found["type"], found["id"])
    return Reference(written, id=written) if BARE_ID.fullmatch(written) else Reference(written)


def reference_of(value: object) -> Reference | None:
    """The literal reference of a Reference element, else None (identifier or display only)."""
    written = text(value) or text(mapping(value).get("reference"))
    return parse_reference(written) if written else None


def source_of(resource: Json, full_url: str | None = None) -> str:
    """The relative reference by which a resource is named in facts and problems."""
    kind = text(resource.get("resourceType")) or "Resource"
    if own := text(resource.get("id")):
        return f"{kind}/{own}"
    named = parse_reference(full_url).relative if full_url else None
    return named if named and named.startswith(f"{kind}/") else kind


def is_writable(reference: str) -> bool:
    """True where a reference can stand in a resource that is written."""
    return WRITABLE.fullmatch(reference) is not None
