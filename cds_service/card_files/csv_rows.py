"""Reads CSV tables row by row, each cell as what it should be; every fault names the file and the line."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar

from cds_service.errors import CardFileError

Choice = TypeVar("Choice", bound=StrEnum)
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. Every method raises CardFileError where the cell is not what it should be."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def fault(self, message: str) -> NoReturn:
        raise CardFileError(message, path=self.path, line=self.line)

    def text(self, column: str) -> str:
        return self.cells[column]

    def needed(self, column: str) -> str:
        return self.cells[column] or self.fault(f"{column} is empty")

    def number(self, column: str) -> Decimal | None:
        """A decimal number, or None where the cell is empty."""
        if not self.cells[column]:
            return None
        try:
            number = Decimal(self.cells[column])
        except InvalidOperation:
            self.fault(f"{column} is not a number: {self.cells[column]}")
        return number if number.is_finite() else self.fault(f"{column} is not a finite number: {self.cells[column]}")

    def needed_number(self, column: str) -> Decimal:
        number = self.number(column)
        return self.fault(f"{column} is empty") if number is None else number

    def flag(self, column: str) -> bool:
        if self.cells[column] not in ("Y", "N", ""):
            self.fault(f"{column} is neither Y nor N: {self.cells[column]}")
        return self.cells[column] == "Y"

    def choice(self, column: str, kind: type[Choice]) -> Choice:
        try:
            return kind(self.cells[column])
        except ValueError:
            self.fault(f"{column} is none of {', '.join(kind)}: {self.cells[column] or 'empty'}")

    def optional_choice(self, column: str, kind: type[Choice]) -> Choice | None:
        return self.choice(column, kind) if self.cells[column] else None

    def several(self, column: str) -> frozenset[str]:
        """The parts of a cell that lists several, separated by |."""
        return frozenset(part for part in self.cells[column].split("|") if part)

    def kinds(self, column: str, known: frozenset[str]) -> frozenset[str]:
        """The kinds a cell lists; each must be declared."""
        found = self.several(column)
        if unknown := found - known:
            self.fault(f"{column} has unknown kinds: {', '.join(sorted(unknown))}")
        return found


def read_table(path: Path, *columns: str) -> Iterator[Row]:
    """The rows of a CSV file that must have exactly these columns.

    Raises: CardFileError.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise CardFileError(f"cannot be read: {type(error).__name__}", path=path) from error
    reader = csv.reader(lines)
    if tuple(next(reader, ())) != columns:
        raise CardFileError(f"the columns must be {','.join(columns)}", path=path, line=1)
    for cells in reader:
        if len(cells) != len(columns):
            raise CardFileError(f"{len(cells)} cells for {len(columns)} columns", path=path, line=reader.line_num)
        yield Row(path, reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))


def put(found: dict[Key, Value], key: Key, value: Value, row: Row) -> None:
    """Enter a row's value under its key. Raises: CardFileError where the key is taken."""
    if key in found:
        row.fault(f"is there twice: {key}")
    found[key] = value
