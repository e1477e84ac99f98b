"""Whole answers, member by member: what changes for a clinician shows in a diff of fixtures/responses."""

from __future__ import annotations

import pytest

from tests.spec.golden import REQUESTS, RESPONSES, answer, golden_requests, read

NAMES = sorted(path.stem for path in REQUESTS.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_answers_as_kept(name: str) -> None:
    assert answer(read(REQUESTS, name)) == read(RESPONSES, name)


def test_keeps_every_demo_patient() -> None:
    assert dict(golden_requests()) == {name: read(REQUESTS, name) for name in NAMES}
