"""Reads the services of discovery: hooks, words, and prefetch templates with the code lists of the tables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cds_service.application.hook_request import ServiceDescription
from cds_service.card_files.yaml_files import line_of, read_yaml
from cds_service.clinical.chart import PrefetchKey
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.errors import CardFileError

LOINC = "http://loinc.org"
CODE_LIST = re.compile(r"\{codes:(\w+)\}")
TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
LEGAL_TOKEN = re.compile(r"context\.[A-Za-z]+|user(Practitioner|PractitionerRole|Patient|RelatedPerson)Id")
CODES_FOR: Mapping[str, frozenset[Analyte]] = {
    "cellCounts": frozenset(
        {
            Analyte.ANC, Analyte.WBC, Analyte.NEUT_PCT, Analyte.SEGS_PCT, Analyte.BANDS_PCT, Analyte.ALC,
            Analyte.LYMPH_PCT, Analyte.HGB, Analyte.HGB_MOLAR, Analyte.PLT, Analyte.BLASTS_PCT, Analyte.CBC_PANEL,
        }
    ),
    "labResults": frozenset(
        {
            Analyte.SMEAR, Analyte.DUFFY, Analyte.FYA, Analyte.FYB, Analyte.FYA_GENOTYPE, Analyte.FYB_GENOTYPE,
            Analyte.B12, Analyte.FOLATE, Analyte.HIV, Analyte.HBV, Analyte.HCV, Analyte.ANA, Analyte.IGG,
            Analyte.ECOG,
        }
    ),
}  # fmt: skip
"""Which analytes a search template asks for by code; the rest of an EHR's results is none of our business."""


def load_services(cards_dir: Path, terminology: Terminology) -> tuple[ServiceDescription, ...]:
    """The services in the order of the file. Raises: CardFileError."""
    path = cards_dir / "services.yaml"
    content: Mapping[str, Any] = read_yaml(path)
    templates = {key: _template(path, key, text, terminology) for key, text in content["prefetch"].items()}
    usage = content.get("usage_requirements", "").strip() or None
    return tuple(_service(path, entry, templates, usage) for entry in content["services"])


def _service(
    path: Path, entry: Mapping[str, Any], templates: Mapping[str, str], usage: str | None
) -> ServiceDescription:
    for key in entry["prefetch"]:
        if key not in templates:
            raise CardFileError(f"{entry['id']} names prefetch key {key!r}, which has no template", path=path)
    return ServiceDescription(
        id=entry["id"],
        hook=entry["hook"],
        title=entry["title"],
        description=entry["description"].strip(),
        prefetch={key: templates[key] for key in entry["prefetch"]},
        usage_requirements=usage,
    )


def _template(path: Path, key: str, text: str, terminology: Terminology) -> str:
    """A template of CDS Hooks 2.0: only its tokens, only our keys."""
    if key not in set(PrefetchKey):
        raise CardFileError(f"{key!r} is no prefetch key of this service", path=path, line=line_of(path, key))
    for token in TOKEN.findall(text):
        if not LEGAL_TOKEN.fullmatch(token):
            raise CardFileError(f"{{{{{token}}}}} is no CDS Hooks 2.0 token", path=path, line=line_of(path, token))
    return CODE_LIST.sub(lambda match: _codes(path, match[1], terminology), text)


def _codes(path: Path, name: str, terminology: Terminology) -> str:
    if name not in CODES_FOR:
        raise CardFileError(f"{{codes:{name}}} is no code list", path=path, line=line_of(path, name))
    wanted = CODES_FOR[name]
    codes = sorted(code for code, analyte in terminology.loinc.items() if analyte in wanted)
    return ",".join(f"{LOINC}|{code}" for code in codes)
