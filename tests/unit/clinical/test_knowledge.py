"""Known, unknown and Kleene's logic over them: not known is never "no"."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.knowledge import Answer, Known, Unknown, both, claim, either, is_true, negated
from cds_service.clinical.shared_numbers import SharedNumbers
from tests.unit.clinical.charts import NUMBERS, anc, chart

answers = st.sampled_from([Known(True), Known(False), Unknown(frozenset({"conditions"})), Unknown()])
DEGREE = {True: 2, None: 1, False: 0}


def degree(answer: Answer) -> int:
    """Kleene's order: false < unknown < true."""
    return DEGREE[bool(answer.value) if isinstance(answer, Known) else None]


@given(st.lists(answers, min_size=1, max_size=5))
def test_or_is_the_greatest_and_and_the_least(several):
    assert degree(either(*several)) == max(map(degree, several))
    assert degree(both(*several)) == min(map(degree, several))


@given(answers, answers)
def test_keeps_de_morgan_and_double_negation(first, second):
    assert degree(negated(either(first, second))) == degree(both(negated(first), negated(second)))
    assert degree(negated(negated(first))) == degree(first)


@given(st.lists(answers, max_size=5))
def test_does_not_depend_on_order(several):
    assert degree(either(*several)) == degree(either(*reversed(several)))


def test_gathers_what_is_missing():
    answer = either(Unknown(frozenset({"a"}), "first"), Known(False), Unknown(frozenset({"b"})))
    assert answer == Unknown(frozenset({"a", "b"}), "first")


def test_is_true_only_where_known_to_be_true():
    assert is_true(Known(True))
    assert not is_true(Known(False))
    assert not is_true(Unknown())
    assert not is_true(Known("yes"))


def test_claims_true_on_evidence_even_where_data_are_missing():
    found = anc("1.0")
    assert claim(chart(unavailable=("conditions",)), [found, found], "conditions") == Known(
        True, sources=(found.source,)
    )


def test_claims_false_only_where_everything_is_known():
    assert claim(chart(), [], "conditions") == Known(False)
    assert claim(chart(unavailable=("conditions",)), [], "conditions", "procedures") == Unknown(
        frozenset({"conditions"})
    )
    assert claim(chart(unavailable=("allergies",)), [], "conditions") == Known(False)


def test_the_shared_numbers_have_the_names_of_their_fields():
    names = SharedNumbers.names()
    assert {"current_days", "nadir_days", "profound_below"} <= names
    assert all(hasattr(NUMBERS, name) for name in names)
