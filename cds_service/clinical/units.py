"""Converts a number with its unit to the canonical unit of its use: exact decimals, and a problem instead of a guess.

Knows the spellings of the unit table it is given; knows nothing of FHIR JSON or of what is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

UCUM_SYSTEMS = frozenset({"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"})
_EXACT_DIGITS = 60
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class UnitUse(StrEnum):
    """What a unit is used for; the canonical unit follows from it."""

    COUNT = "count"
    PERCENT = "percent"
    HAEMOGLOBIN = "haemoglobin"
    HAEMOGLOBIN_MOLAR = "haemoglobin-molar"
    IGG = "igg"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    PRESSURE = "pressure"
    DOSE = "dose"
    ACTIVITY = "activity"


class UnitProblem(StrEnum):
    """Why a number cannot be used."""

    MISSING = "missing-unit"
    UNKNOWN = "unknown-unit"
    AMBIGUOUS = "ambiguous-unit"
    CONTRADICTION = "contradicting-unit"
    IMPLAUSIBLE = "implausible-value"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One accepted (or refused) spelling: canonical = (value - offset) * multiplier / divisor.

    `ucum` is True for a valid UCUM code; other spellings are accepted as unit text only. `ambiguous` refuses the
    spelling. `step` is what the canonical value is rounded to, half up; None leaves it exact.
    """

    spelling: str
    use: UnitUse
    canonical: str
    ucum: bool = False
    ambiguous: bool = False
    multiplier: Decimal = Decimal(1)
    divisor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    step: Decimal | None = None

    def apply(self, value: Decimal) -> Decimal:
        with localcontext() as context:
            context.prec = _EXACT_DIGITS
            converted = (value - self.offset) * self.multiplier / self.divisor
            return converted if self.step is None else converted.quantize(self.step, rounding=ROUND_HALF_UP)

    def agrees_with(self, other: UnitRow) -> bool:
        """True where both spellings mean the same unit."""
        return not (self.ambiguous or other.ambiguous) and self._meaning == other._meaning

    @property
    def _meaning(self) -> tuple[Decimal, Decimal, Decimal]:
        return (self.multiplier, self.divisor, self.offset)


def plain_spelling(text: str) -> str:
    """The forgiving form of a unit text: case, spaces, dots, micro signs and superscripts do not tell units apart."""
    raised = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found.group().translate(_SUPERSCRIPTS), text)
    plain = raised.replace("µ", "u").replace("μ", "u").replace("×", "x").replace("°", "")
    return re.sub(r"\s+|(?<!\d)\.|\.(?!\d)", "", plain.casefold())


class UnitTable:
    """All spellings, looked up by use."""

    def __init__(self, rows: Iterable[UnitRow]) -> None:
        self.rows = tuple(rows)
        self._by_code = {(row.use, row.spelling): row for row in self.rows if row.ucum}
        self._by_text = {(row.use, row.spelling): row for row in self.rows}
        self._by_plain = _unanimous(self.rows)
        self._uses: dict[str, set[UnitUse]] = {}
        for row in self.rows:
            self._uses.setdefault(row.spelling, set()).add(row.use)
        self.canonical: Mapping[UnitUse, str] = {row.use: row.canonical for row in self.rows}

    def convert(
        self, value: Decimal, *, unit: str | None, code: str | None, system: str | None, use: UnitUse
    ) -> Decimal | UnitProblem:
        """The value in the canonical unit of `use`.

        A UCUM code decides; a unit text that means something else beside it makes the value unusable. Without a
        UCUM code the text decides. Missing: no unit at all is a problem, never an assumption.
        """
        row = self.row(unit=unit, code=code, system=system, use=use)
        return row if isinstance(row, UnitProblem) else row.apply(value)

    def row(self, *, unit: str | None, code: str | None, system: str | None, use: UnitUse) -> UnitRow | UnitProblem:
        """The row that a quantity's unit members name together."""
        text, coded = (unit or "").strip(), (code or "").strip()
        if not text and not coded:
            return UnitProblem.MISSING
        if coded and (system or "").strip() in UCUM_SYSTEMS:
            return self._by_ucum_code(coded, text, use)
        return self._by_words(text, coded, use) if text and coded else self._by_unit_text(text or coded, use)

    def _by_ucum_code(self, code: str, text: str, use: UnitUse) -> UnitRow | UnitProblem:
        row = self._by_code.get((use, code))
        if row is None:
            return self._by_alias_used_as_code(code, text, use)
        if row.ambiguous:
            return UnitProblem.AMBIGUOUS
        said = self._by_unit_text(text, use) if text else row
        if said is UnitProblem.UNKNOWN:
            return UnitProblem.CONTRADICTION if text in self._uses else row
        return row if isinstance(said, UnitRow) and said.agrees_with(row) else UnitProblem.CONTRADICTION

    def _by_alias_used_as_code(self, code: str, text: str, use: UnitUse) -> UnitRow | UnitProblem:
        """Senders put K/uL or G/L into the UCUM code, where it means kelvin or gauss: only the unit text can count."""
        said = self._by_unit_text(text, use) if text else UnitProblem.UNKNOWN
        alias = self._by_unit_text(code, use)
        if isinstance(said, UnitRow) and isinstance(alias, UnitRow):
            return said if said.agrees_with(alias) else UnitProblem.CONTRADICTION
        if UnitProblem.AMBIGUOUS in (said, alias):
            return UnitProblem.AMBIGUOUS
        return UnitProblem.CONTRADICTION if isinstance(said, UnitRow) and code in self._uses else UnitProblem.UNKNOWN

    def _by_words(self, text: str, code: str, use: UnitUse) -> UnitRow | UnitProblem:
        """A unit text beside a code of no or a foreign system: the code may confirm or contradict the text."""
        said, confirmed = self._by_unit_text(text, use), self._by_unit_text(code, use)
        if isinstance(said, UnitRow) and isinstance(confirmed, UnitRow):
            return said if said.agrees_with(confirmed) else UnitProblem.CONTRADICTION
        return said

    def _by_unit_text(self, text: str, use: UnitUse) -> UnitRow | UnitProblem:
        row = self._by_text.get((use, text))
        if row is None and text not in self._uses:
            row = self._by_plain.get((use, plain_spelling(text)))
        if row is None:
            return UnitProblem.UNKNOWN
        return UnitProblem.AMBIGUOUS if row.ambiguous else row


def _unanimous(rows: Iterable[UnitRow]) -> dict[tuple[UnitUse, str], UnitRow]:
    """The forgiving look-up; a plain form that two different units share is refused."""
    found: dict[tuple[UnitUse, str], UnitRow] = {}
    refused: set[tuple[UnitUse, str]] = set()
    for row in rows:
        key = (row.use, plain_spelling(row.spelling))
        other = found.setdefault(key, row)
        if other is not row and not (other.agrees_with(row) or (other.ambiguous and row.ambiguous)):
            refused.add(key)
    return {key: row for key, row in found.items() if key not in refused}
