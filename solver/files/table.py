"""CSV tables as columns; every error names the file, the line and the column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any

import numpy as np

from ..errors import NodewiseError
from ..model.instance import Number
from .text import decode, did_you_mean, packed

__all__ = ["Table", "read_table"]

_CHUNK = 65_536
_CELL_LIMIT = 2**31 - 1
_MOST_DIGITS = 300
_FLOAT_INTEGERS = 2**53
_NUMBER_CHARACTERS = frozenset("0123456789.eE+-")


@dataclass(frozen=True)
class Table:
    """The columns of a CSV file, as text.

    Attributes
    ----------
    where : str
        The file, as error messages name it.
    columns : dict of str to list of str
    fail : type of NodewiseError
        The class of every error raised here.
    """

    where: str
    columns: dict[str, list[str]]
    fail: type[NodewiseError]
    _text: str = field(repr=False)

    def error(self, row: int, column: str, problem: str) -> NodewiseError:
        """The error about a cell, naming the file, the line and the column."""
        line = _line_of(self._text, row + 1)
        return self.fail(f"{self.where}, line {line}, column {column}: {problem}")

    def require(self, *names: str) -> None:
        """Require columns.

        Raises
        ------
        NodewiseError
            Naming the first column that is missing and what there is instead.
        """
        for name in names:
            if name not in self.columns:
                found = ", ".join(self.columns)
                hint = did_you_mean(name, self.columns)
                if len(self.columns) == 1 and any(mark in found for mark in ";\t"):
                    hint = "; separate the columns by commas"
                raise self.fail(
                    f"{self.where}, line 1: column {name} is missing{hint} "
                    f"(the columns are: {found})"
                )

    def unique(self, column: str) -> list[str]:
        """The cells of a column that must be filled and differ from each other.

        Raises
        ------
        NodewiseError
            At the first cell that is empty or stands for the second time.
        """
        cells = self.columns[column]
        distinct = set(cells)
        if len(distinct) == len(cells) and "" not in distinct:
            return cells
        row_of: dict[str, int] = {}
        for row, cell in enumerate(cells):
            if not cell:
                raise self.error(row, column, "the cell is empty; every row needs an id")
            if cell in row_of:
                first = _line_of(self._text, row_of[cell] + 1)
                raise self.error(
                    row, column, f"{cell!r} stands twice (first on line {first}); ids are unique"
                )
            row_of[cell] = row
        return cells

    def whole_numbers(self, column: str) -> list[int]:
        """The cells of a column as integers, 0 or more.

        Raises
        ------
        NodewiseError
            At the first cell that is something else, an empty one too.
        """
        cells = self.columns[column]
        for row, cell in enumerate(cells):
            if not (cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS):
                raise self.error(row, column, f"{cell!r} is not a whole number, 0 or more")
        return [int(cell) for cell in cells]

    def numbers(
        self,
        column: str,
        *,
        empty: Number | None = None,
        required: bool = False,
        unlimited: bool = False,
    ) -> Any:
        """The cells of a column as numbers, 0 or more.

        Parameters
        ----------
        column : str
        empty : int, float or None
            What an empty cell stands for.
        required : bool
            Whether an empty cell is an error.
        unlimited : bool
            Whether "inf" is allowed.

        Returns
        -------
        list of numbers, or an array where its type holds each number exactly

        Raises
        ------
        NodewiseError
            At the first cell that is not such a number.
        """
        cells = self.columns[column]
        values = _plain_numbers(cells)
        if values is not None:
            return values
        values = []
        for row, cell in enumerate(cells):
            if not cell.strip():
                if required:
                    raise self.error(row, column, "the cell is empty; give a number, 0 or more")
                values.append(empty)
            else:
                values.append(self._number(row, column, cell, unlimited))
        return values

    def _number(self, row: int, column: str, cell: str, unlimited: bool) -> Number:
        value = _number(cell)
        if value is not None and 0 <= value < math.inf:
            return value
        if value is not None and value == math.inf and "inf" in cell.lower() and unlimited:
            return math.inf
        if value is not None and value != value:
            problem = "NaN is not a quantity"
        elif value is not None and value < 0:
            problem = "a quantity is not negative"
        else:
            problem = "write numbers such as 1500 or 0.5"
        also = "; leave the cell empty for unlimited" if unlimited else ""
        raise self.error(
            row, column, f"{cell!r} is not a finite number, 0 or more: {problem}{also}"
        )


def _plain_numbers(cells: list[str]) -> Any:
    """All cells at once, where they are plain integers or floats; otherwise None."""
    joined = "".join(cells)
    if not joined.isascii() or "" in cells:
        return None
    if joined.isdigit() and max(map(len, cells)) < _MOST_DIGITS:
        return packed(list(map(int, cells)))
    if not _NUMBER_CHARACTERS.issuperset(joined):
        return None
    try:
        values = np.array(list(map(float, cells)))
    except ValueError:
        return None
    # Below 2**53 a float holds every integer, so that nothing is lost by not asking for ints.
    return values if bool(((values >= 0) & (values < _FLOAT_INTEGERS)).all()) else None


def _number(cell: str) -> Number | None:
    """The number that an ASCII text without underscores stands for, or None."""
    if "_" in cell or not cell.isascii():
        return None
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return None


def read_table(data: bytes, where: str, fail: type[NodewiseError]) -> Table:
    """Read a CSV file with a header, in UTF-8.

    Parameters
    ----------
    data : bytes
        Content of the file.
    where : str
        The file, as error messages name it.
    fail : type of NodewiseError
        The class of the errors to raise.

    Raises
    ------
    NodewiseError
        If the text is not UTF-8 or not CSV, a header cell is empty or stands twice, or a row
        has too few or too many cells.
    """
    text = decode(data, where, fail)
    reader = _reader(text)
    try:
        with _cells_of_any_length():
            header = [name.strip() for name in next(row for row in reader if row)]
            _require_header(header, where, fail)
            columns = _columns(reader, text, where, len(header), fail)
    except csv.Error as error:
        raise fail(
            f"{where}, line {reader.line_num}: the file is not CSV: {error}; "
            "put text with commas, quotes or line breaks in double quotes"
        ) from None
    return Table(where, dict(zip(header, columns, strict=True)), fail, text)


def _reader(text: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), strict=True)


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """A task may name ten thousand nodes in one cell; csv stops at 131,072 characters."""
    limit = csv.field_size_limit(_CELL_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _require_header(header: Sequence[str], where: str, fail: type[NodewiseError]) -> None:
    for position, name in enumerate(header):
        if not name:
            raise fail(f"{where}, line 1: column {position + 1} has no name; name or remove it")
        if name in header[:position]:
            raise fail(f"{where}, line 1: column {name} stands twice; remove one")


def _columns(
    reader: Iterator[list[str]], text: str, where: str, width: int, fail: type[NodewiseError]
) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(width)]
    while chunk := list(islice(reader, _CHUNK)):
        rows = [row for row in chunk if row]
        for row in rows:
            if len(row) != width:
                position = len(columns[0]) + next(k for k, r in enumerate(rows) if r is row)
                line = _line_of(text, position + 1)
                raise fail(
                    f"{where}, line {line}: {len(row)} cells for {width} columns; "
                    "put text with commas in double quotes"
                )
        for k, column in enumerate(columns):
            column.extend(map(itemgetter(k), rows))
    return columns


def _line_of(text: str, row: int) -> int:
    """The line on which a row begins; row 0 is the header, blank lines are not rows."""
    reader = _reader(text)
    begins, seen = 1, -1
    with _cells_of_any_length():
        for cells in reader:
            seen += bool(cells)
            if cells and seen == row:
                return begins
            begins = reader.line_num + 1
    raise IndexError(f"row {row} of {seen + 1}")
