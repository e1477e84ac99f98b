"""Which tests and services a suggestion stands for, each with the words a clinician reads and the orders that cover it.

Knows kinds of orders (cards/codes/kinds.csv), not their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.clinical.chart import Finding, Measurement
from cds_service.clinical.shared_numbers import days
from cds_service.clinical.situation import Situation
from cds_service.clinical.suggestions import SuggestionKind


@dataclass(frozen=True, slots=True)
class RequestedTest:
    """One order. `purpose` is what is written; an open order of any kind in `covered_by` is an order for the same.

    `part` are its words beside those of the whole suggestion; `note` goes to whoever carries it out.
    """

    purpose: str
    words: str
    covered_by: frozenset[str]
    part: str
    note: str | None = None


def _test(purpose: str, words: str, *also: str, part: str | None = None, note: str | None = None) -> RequestedTest:
    return RequestedTest(purpose, words, frozenset({purpose, *also}), part or words, note)


CBC = _test("cbc-diff", "CBC with differential")
TESTS: Mapping[SuggestionKind, tuple[RequestedTest, ...]] = {
    SuggestionKind.REPEAT_CBC: (CBC,),
    SuggestionKind.STAT_CBC: (CBC,),
    SuggestionKind.MANUAL_SMEAR: (
        _test("manual-differential", "manual differential and blood film review", "blood-film"),
    ),
    SuggestionKind.BLOOD_CULTURES: (
        _test(
            "blood-culture",
            "blood culture, first set",
            part="first set, peripheral vein",
            note="First set: peripheral vein. Do not delay the first antibiotic dose.",
        ),
        _test(
            "blood-culture",
            "blood culture, second set",
            part="second set, other site or each lumen",
            note="Second set: another site; with a central line one set from each lumen.",
        ),
    ),
    SuggestionKind.HAEMATOLOGY_REFERRAL: (_test("haematology-referral", "referral to haematology"),),
    SuggestionKind.IGG_REFERRAL: (_test("igg-replacement-referral", "referral for immunoglobulin replacement"),),
    SuggestionKind.PHARMACY_CONSULT: (_test("pharmacy-consult", "pharmacist consultation"),),
    SuggestionKind.DUFFY_PHENOTYPE: (_test("duffy-phenotype", "Duffy phenotype"),),
}
"""Kinds that always stand for the same orders. Two of one purpose are two orders."""

WORKUP: Mapping[str, RequestedTest] = {
    "B12": _test("b12", "vitamin B12"),
    "FOLATE": _test("folate", "folate"),
    "HIV": _test("hiv-antigen-antibody", "HIV antigen and antibody"),
    "HBV": _test("hbv-surface-antigen", "hepatitis B surface antigen"),
    "HCV": _test("hcv-antibody", "hepatitis C antibody"),
    "ANA": _test("ana", "antinuclear antibodies"),
}
"""The work-up by the analyte whose result makes the test needless."""

NAT_OF_ANTIBODY: Mapping[str, RequestedTest] = {
    "hiv-antibody": _test("hiv-nat", "HIV RNA (NAT)"),
    "hbv-antibody": _test("hbv-nat", "Hepatitis B virus DNA (NAT)"),
    "hcv-antibody": _test("hcv-nat", "Hepatitis C virus RNA (NAT)"),
    "hev-antibody": _test("hev-nat", "Hepatitis E virus RNA (NAT)"),
    "cmv-antibody": _test("cmv-nat", "Cytomegalovirus DNA (NAT)"),
    "ebv-antibody": _test("ebv-nat", "Epstein-Barr virus DNA (NAT)"),
    "parvovirus-b19-antibody": _test("parvovirus-b19-nat", "Parvovirus B19 DNA (NAT)"),
}
"""The test that stands in for an antibody test. Source: rule 40."""

MEMBERS: Mapping[SuggestionKind, tuple[RequestedTest, ...]] = {
    SuggestionKind.WORKUP_PANEL: tuple(WORKUP.values()),
    SuggestionKind.NAT_TEST: tuple(NAT_OF_ANTIBODY.values()),
}
"""Kinds that stand for those of several orders that the chart asks for."""


def every_test() -> tuple[RequestedTest, ...]:
    """All tests and services that can be suggested."""
    return tuple(test for tests in (*TESTS.values(), *MEMBERS.values()) for test in tests)


def asks_for_tests(kind: SuggestionKind) -> bool:
    """True for kinds that are orders of tests or services; False for drugs, changes of orders and messages."""
    return kind in TESTS or kind in MEMBERS


def requested_tests(kind: SuggestionKind, situation: Situation, order: str | None = None) -> tuple[RequestedTest, ...]:
    """What a suggestion of this kind asks for in this chart; `order` is the draft it is about, None for all of them."""
    if kind is SuggestionKind.WORKUP_PANEL:
        return _missing_workup(situation)
    if kind is SuggestionKind.NAT_TEST:
        return _instead_of_antibodies(situation, order)
    return TESTS.get(kind, ())


def _missing_workup(situation: Situation) -> tuple[RequestedTest, ...]:
    """A result on file makes its test needless only where it surely is recent: it reassures."""
    results: list[Measurement | Finding] = [*situation.chart.measurements, *situation.chart.findings]
    window = days(situation.numbers.workup_days)
    on_file = {r.analyte for r in results if r.final and r.taken.is_within(window, situation.now)}
    return tuple(test for analyte, test in WORKUP.items() if analyte not in on_file)


def _instead_of_antibodies(situation: Situation, order: str | None) -> tuple[RequestedTest, ...]:
    drafts = [draft for draft in situation.judged_services if order in (None, draft.source)]
    kinds = {kind for draft in drafts for kind in draft.kinds}
    return tuple(test for antibody, test in NAT_OF_ANTIBODY.items() if antibody in kinds)
