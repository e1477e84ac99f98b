"""The shipped code tables, read once, and a reader that may ask no server."""

from __future__ import annotations

import pytest

from cds_service.card_files.library import read_numbers, shipped_cards_dir
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.client import FhirClient
from cds_service.fhir.reader import FhirChartReader


@pytest.fixture(scope="session")
def terminology() -> Terminology:
    return load_terminology(shipped_cards_dir())


@pytest.fixture(scope="session")
def reader(terminology: Terminology) -> FhirChartReader:
    return FhirChartReader(terminology, FhirClient(), read_numbers(shipped_cards_dir() / "shared.yaml"))
