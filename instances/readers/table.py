"""CSV tables as columns of text and whole numbers; every error names file, line and column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solver.errors import InstanceError

__all__ = ["Table", "read_table"]


@dataclass(frozen=True)
class Table:
    """The wanted columns of a CSV file, as text.

    Attributes
    ----------
    path : Path
    columns : dict of str to list of str
    lines : list of int
        The line of the file on which each row ends.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def where(self, row: int, column: str) -> str:
        """Where a cell stands, as error messages say it."""
        return f"{self.path}, line {self.lines[row]}, column {column}"

    def whole_numbers(self, column: str) -> list[int]:
        """The cells of a column as integers, 0 or more.

        Raises
        ------
        InstanceError
            At the first cell that is something else.
        """
        cells = self.columns[column]
        for row, cell in enumerate(cells):
            if not (cell.isascii() and cell.isdigit() and len(cell) <= 300):
                raise InstanceError(
                    f"{self.where(row, column)}: {cell!r} is not a whole number, 0 or more"
                )
        return [int(cell) for cell in cells]

    def names(self, column: str) -> list[str]:
        """The cells of a column that must be filled and differ from each other.

        Raises
        ------
        InstanceError
            At the first cell that is empty or stands for the second time.
        """
        line_of: dict[str, int] = {}
        for row, cell in enumerate(self.columns[column]):
            if not cell:
                raise InstanceError(f"{self.where(row, column)}: the name is empty")
            if cell in line_of:
                raise InstanceError(
                    f"{self.where(row, column)}: {cell!r} stands twice (first on line "
                    f"{line_of[cell]}); names must be unique"
                )
            line_of[cell] = self.lines[row]
        return self.columns[column]


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read the named columns of a CSV file with a header, in UTF-8.

    Parameters
    ----------
    path : Path
    required : sequence of str
    optional : sequence of str
        Columns that count as empty where the file lacks them.

    Raises
    ------
    InstanceError
        If the file cannot be read, lacks a column, or a row has too few or too many cells.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            numbered = [(reader.line_num, row) for row in reader if row]
    except OSError as error:
        raise InstanceError(f"{path}: the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InstanceError(
            f"{path}: the file is not UTF-8 text (byte {error.start}: {error.reason})"
        ) from error
    except csv.Error as error:
        raise InstanceError(f"{path}, line {reader.line_num}: not CSV: {error}") from error
    if not numbered:
        raise InstanceError(f"{path}: the file is empty; its first line must name the columns")
    (header_line, header), rows = numbered[0], numbered[1:]
    header = [name.strip() for name in header]
    for name in required:
        if name not in header:
            raise InstanceError(
                f"{path}, line {header_line}: column {name} is missing; "
                f"the columns are {', '.join(header)}"
            )
        if header.count(name) > 1:
            raise InstanceError(f"{path}, line {header_line}: column {name} stands twice")
    for line, row in rows:
        if len(row) != len(header):
            raise InstanceError(f"{path}, line {line}: {len(row)} cells for {len(header)} columns")
    columns = {name: [""] * len(rows) for name in optional}
    for name in (*required, *optional):
        if name in header:
            position = header.index(name)
            columns[name] = [row[position].strip() for _, row in rows]
    return Table(path, columns, [line for line, _ in rows])
