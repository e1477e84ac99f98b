"""The inputs of a card as a small Markdown table: value, unit, date and age, what was found, and what is not known.

Every card shows what it rests on (invariant 2); one table, the same on every card, is read faster than sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.clinical.facts.labels import LABELS
from cds_service.clinical.facts.registry import FACTS, FactKind, FactSheet
from cds_service.clinical.fever import age_words
from cds_service.clinical.knowledge import Known
from cds_service.clinical.markdown import escape, one_line
from cds_service.clinical.templates import shown
from cds_service.clinical.verdicts import Verdict, because, missing_facts

HEAD = ("| Input | Value | Date |", "| --- | --- | --- |")
UNIT_WORDS = {"a": "years", "d": "days", "Cel": "C", "1": ""}
"""How units are read that UCUM abbreviates beyond what a clinician would."""
Row = tuple[str, str, str]


def input_table(verdicts: Sequence[Verdict], usual: Sequence[str], remarks: Iterable[str] = ()) -> str:
    """A GFM table: the inputs each rule lists (else the `usual` ones), then the other facts behind its verdict.

    `remarks` are further things that are not known, in words. Empty where there is nothing to show.
    """
    asked = [pair for verdict in verdicts for pair in _listed(verdict, usual)]
    rows = dict.fromkeys(row for name, sheet in asked if (row := _row(name, sheet)))
    rows |= dict.fromkeys(row for verdict in verdicts for row in _measured(verdict))
    whole = [*rows, *_found(verdicts), *_unknown(verdicts, asked, remarks)]
    return "" if not whole else "\n".join([*HEAD, *("| " + " | ".join(cells) + " |" for cells in whole)])


def _listed(verdict: Verdict, usual: Sequence[str]) -> Iterator[tuple[str, FactSheet]]:
    """The inputs that the rule names; of a for-each rule those of each drug it fired for."""
    sheets = [case.sheet for case in verdict.cases] or list(verdict.sheets[:1])
    for name in verdict.rule.inputs or usual:
        yield from ((name, sheet) for sheet in (sheets if FACTS[name].about_drug else sheets[:1]))


def _row(name: str, sheet: FactSheet) -> Row | None:
    """One known input; None where it is not known."""
    answer = sheet.answer(name)
    if not isinstance(answer, Known):
        return None
    drug = sheet.answer("drug.name") if FACTS[name].about_drug else None
    label = f"{LABELS[name]} ({shown(drug)})" if isinstance(drug, Known) else LABELS[name]
    return _label(label), _value(name, answer), _date(answer, sheet)


def _label(words: str) -> str:
    return escape(words[:1].upper() + words[1:])


def _value(name: str, known: Known) -> str:
    unit = UNIT_WORDS.get(FACTS[name].unit or "", FACTS[name].unit)
    return escape(one_line(shown(known))) + (f" {escape(unit)}" if unit else "")


def _date(known: Known, sheet: FactSheet) -> str:
    return escape(f"{known.at.day} ({age_words(known, sheet.situation.now)})") if known.at else ""


def _measured(verdict: Verdict) -> Iterator[Row]:
    """The numbers that the conditions compared, as far as they come from a resource."""
    sheet = verdict.cases[0].sheet if verdict.cases else verdict.sheets[0]
    for name, known in because(verdict).items():
        if name in LABELS and known.sources and FACTS[name].kind is FactKind.NUMBER and (row := _row(name, sheet)):
            yield row


def _found(verdicts: Sequence[Verdict]) -> list[Row]:
    """Claims that are true; a false claim is no finding."""
    claims = dict.fromkeys(
        LABELS[name]
        for verdict in verdicts
        for name, known in because(verdict).items()
        if name in LABELS and known.value is True and known.sources
    )
    return [("Found", escape("; ".join(claims)), "")] if claims else []


def _unknown(verdicts: Sequence[Verdict], asked: Sequence[tuple[str, FactSheet]], remarks: Iterable[str]) -> list[Row]:
    """One row for all that is not known: inputs, and what the conditions asked for in vain."""
    inputs = [LABELS[name] for name, sheet in asked if not isinstance(sheet.answer(name), Known)]
    missing = [LABELS[name] for verdict in verdicts for name in missing_facts(verdict) if name in LABELS]
    words = dict.fromkeys([*inputs, *missing, *remarks])
    return [("Not known", escape("; ".join(words)), "")] if words else []
