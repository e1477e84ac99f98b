"""The table of pairs: each row is entered with both of its sides, and a faulty row stops the start with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.card_files.drug_tables import load_drugs
from cds_service.card_files.interaction_tables import with_interactions
from cds_service.clinical.drug_table import Risk
from cds_service.clinical.interactions import Interaction
from cds_service.errors import CardFileError
from tests.places import ROOT
from tests.unit.clinical.charts import drug

DRUGS = (drug("a"), drug("b", risk=Risk.LATE_ONSET), drug("c", risk=Risk.LATE_ONSET), drug("d"))
HEAD = "first,second,effect,source\n"


def read(directory: Path, rows: str) -> dict[str, tuple[Interaction, ...]]:
    (directory / "interactions.csv").write_text(HEAD + rows, "utf-8")
    return {one.ingredient: one.interactions for one in with_interactions(directory, DRUGS)}


def test_a_row_is_entered_with_all_drugs_of_both_sides(tmp_path: Path) -> None:
    found = read(tmp_path, "a|d,b,low counts,a label\n")
    assert found["a"] == found["d"] == (Interaction(frozenset({"b"}), "low counts", "a label"),)
    assert found["b"] == (Interaction(frozenset({"a", "d"}), "low counts", "a label"),)
    assert found["c"] == ()


def test_a_risk_class_stands_for_all_its_drugs(tmp_path: Path) -> None:
    found = read(tmp_path, "a,risk:late-onset,low counts,a label\n")
    assert [one.partners for one in found["a"]] == [frozenset({"b", "c"})]
    assert [one.partners for one in found["c"]] == [frozenset({"a"})]


def test_a_drug_may_be_of_several_rows(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b,first,x\na,c,second,y\n")
    assert [one.effect for one in found["a"]] == ["first", "second"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,z,e,s\n", "no such drug or risk class in drugs.csv: z"),
        ("a,risk:none,e,s\n", "no such drug or risk class in drugs.csv: risk:none"),
        ("a|b,b,e,s\n", "is on both sides: b"),
        ("a,,e,s\n", "second is empty"),
        (",a,e,s\n", "first is empty"),
        ("a,b,,s\n", "effect is empty"),
        ("a,b,e,\n", "source is empty"),
    ],
)
def test_rejects_a_faulty_row_with_its_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(CardFileError, match=message) as caught:
        read(tmp_path, rows)
    assert (caught.value.path, caught.value.line) == (tmp_path / "interactions.csv", 2)


@pytest.mark.parametrize("again", ["a,b,e,s\n", "b,a,e,s\n", "d|b,a,e,s\n"])
def test_rejects_a_pair_that_is_there_twice(tmp_path: Path, again: str) -> None:
    with pytest.raises(CardFileError, match="is there twice") as caught:
        read(tmp_path, "a,b,e,s\n" + again)
    assert caught.value.line == 3


def test_a_library_without_the_table_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "drugs.csv").write_bytes((ROOT / "cards" / "drugs.csv").read_bytes())
    with pytest.raises(CardFileError, match="cannot be read"):
        load_drugs(tmp_path)


def test_every_drug_of_a_shipped_pair_knows_its_partners() -> None:
    shipped = {one.ingredient: one for one in load_drugs(ROOT / "cards")}
    for name, one in shipped.items():
        for interaction in one.interactions:
            for partner in interaction.partners:
                assert any(name in back.partners for back in shipped[partner].interactions)
    assert {i.effect for i in shipped["methotrexate"].interactions} == {"pancytopenia risk; alternatives exist"}
    assert "carboplatin" in frozenset[str]().union(*(i.partners for i in shipped["clozapine"].interactions))
