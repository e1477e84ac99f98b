"""The registry of facts: what is registered is what was said of the fact."""

from __future__ import annotations

import pytest

from cds_service.clinical.facts.registry import FACTS, FactKind, FactSpec, fact
from cds_service.clinical.knowledge import Known


@pytest.mark.parametrize("unit", ["10*9/L", None])
def test_a_fact_is_registered_with_all_that_is_said_of_it(monkeypatch, unit):
    def compute(about):
        return Known(True)

    monkeypatch.delitem(FACTS, "tried_here", raising=False)
    register = fact("tried_here", FactKind.NUMBER, meaning="What", missing="Unknown then", source="RULES 1", unit=unit)
    try:
        assert register(compute) is compute
        assert FACTS["tried_here"] == FactSpec(
            name="tried_here",
            kind=FactKind.NUMBER,
            meaning="What",
            missing="Unknown then",
            source="RULES 1",
            compute=compute,
            unit=unit,
        )
    finally:
        FACTS.pop("tried_here", None)
