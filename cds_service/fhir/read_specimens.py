"""Tells from words whether a result is of another specimen than blood, where its code does not say so."""

from __future__ import annotations

import re

from cds_service.fhir.codes import read_concept
from cds_service.fhir.json_access import Json, mapping, mappings, text

OTHER_SPECIMEN = re.compile(
    r"\b(csf|cerebrospinal|synovial|pleural|ascit\w*|peritoneal|urine|cord blood|fluid|(bone )?marrow|bronch\w*|lavage"
    r"|sputum|stool)\b",
    re.IGNORECASE,
)
BLOOD = re.compile(r"(?<!cord )\bblood\b", re.IGNORECASE)


def is_other_specimen(observation: Json) -> bool:
    """True where the specimen, the site or the name of a result is another fluid, and no word says blood."""
    return any(OTHER_SPECIMEN.search(words) and not BLOOD.search(words) for words in _words(observation))


def _words(observation: Json) -> list[str]:
    concepts = [read_concept(observation.get(name)) for name in ("code", "bodySite")]
    concepts += [read_concept(specimen.get("type")) for specimen in _specimens(observation)]
    shown = text(mapping(observation.get("specimen")).get("display"))
    texts = [concepts[0].text, *(word for concept in concepts[1:] for word in concept.all_words), shown]
    return [words for words in texts if words]


def _specimens(observation: Json) -> list[Json]:
    return [inner for inner in mappings(observation.get("contained")) if inner.get("resourceType") == "Specimen"]
