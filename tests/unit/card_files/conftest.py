"""Fixtures of the tests of the card files' code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cards.small_library import SmallLibrary


@pytest.fixture
def small_library(tmp_path: Path) -> SmallLibrary:
    """A library of one rule without faults."""
    return SmallLibrary(tmp_path / "cards")
