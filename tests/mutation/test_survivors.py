"""The check after mutmut: it reads mutmut's names and outcomes, and finds what is not accounted for."""

from __future__ import annotations

import json

import pytest

from tests.mutation.survivors import function_of, outcomes, unexplained

METHOD = "cds_service.clinical.course.xǁCourseǁ_spaced__mutmut_5"
FUNCTION = "cds_service.clinical.facts.count_facts.x_anc__mutmut_12"


@pytest.mark.parametrize(
    ("mutant", "function"),
    [(METHOD, "course.Course._spaced"), (FUNCTION, "facts.count_facts.anc")],
)
def test_a_mutant_is_named_by_its_function(mutant, function):
    assert function_of(mutant) == function


def test_a_mutant_of_something_else_is_refused():
    with pytest.raises(ValueError, match="not a mutant of clinical"):
        function_of("cds_service.web.pages.x_index__mutmut_1")


def test_outcomes_are_read_from_all_files(tmp_path):
    for name, codes in {"a": {METHOD: 1}, "deep/b": {FUNCTION: None}}.items():
        path = tmp_path / f"{name}.py.meta"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"exit_code_by_key": codes}), "utf-8")
    assert outcomes(tmp_path) == {METHOD: 1, FUNCTION: None}


def test_every_survivor_must_be_explained_and_every_explanation_needed():
    accepted = {"course.Course._spaced": {"survivors": 1, "reason": "equivalent"}}
    assert unexplained([METHOD], accepted) == []
    assert unexplained([METHOD, FUNCTION], accepted) == ["facts.count_facts.anc: 1 survive, 0 explained"]
    assert unexplained([], accepted) == ["course.Course._spaced: 0 survive, 1 explained"]
