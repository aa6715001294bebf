"""Tables of any make, as columns of cells; and all that is wrong with them, at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import Array
from ..records import Number

__all__ = ["Faults", "Source", "is_missing", "source_of_frame"]

_MOST_SHOWN, _MOST_KEPT = 20, 2000
_MISSING_TYPES = ("NAType", "NaTType")  # pandas.NA, pandas.NaT


@dataclass(frozen=True)
class Source:
    """A table with a name.

    Attributes
    ----------
    name : str
        As messages name it: a file, or "nodes".
    columns : dict of str to list or ndarray
        All of one length; an array holds numbers.
    length : int
        The number of rows.
    place : callable
        From a row to how messages name it, such as "line 3".
    """

    name: str
    columns: dict[str, Any]
    length: int
    place: Callable[[int], str] = field(repr=False)

    def cells(self, column: str) -> Iterator[tuple[int, Any]]:
        """The rows of a column that are filled, and what is in them."""
        values = self.columns[column]
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        return ((row, cell) for row, cell in enumerate(listed) if not is_missing(cell))

    def numbers(self, column: str, empty: Number | None) -> Array | None:
        """The column as an array, where it is one of finite numbers, 0 or more.

        NaN is replaced by `empty`, if that is a number.
        """
        values = self.columns[column]
        if not isinstance(values, np.ndarray):
            return None
        missing = np.isnan(values)
        if missing.any():
            if empty is None:
                return None
            values = np.where(missing, empty, values)
        told = values[~missing]
        return values if bool((np.isfinite(told) & (told >= 0)).all()) else None


def is_missing(cell: Any) -> bool:
    """Whether a cell says nothing: None, NaN, NA, or text without a character."""
    if isinstance(cell, str):
        return not cell.strip()
    if cell is None or type(cell).__name__ in _MISSING_TYPES:
        return True
    return isinstance(cell, float) and math.isnan(cell)


class Faults:
    """All that is wrong with some tables."""

    def __init__(self) -> None:
        self._found: list[tuple[str, int, str]] = []
        self._count = 0

    def add(self, source: Source, problem: str, column: str | None = None, row: int = -1) -> None:
        """Note what is wrong with a table, with a column or with a cell."""
        self._count += 1
        if self._count > _MOST_KEPT:
            return
        place = f", {source.place(row)}" if row >= 0 else ""
        of = f", column {column}" if column is not None else ""
        self._found.append((source.name, row, f"{source.name}{place}{of}: {problem}"))

    def require_none(self) -> None:
        """Go on only where nothing is wrong.

        Raises
        ------
        InstanceError
            With all there is, or the first twenty.
        """
        if not self._count:
            return
        shown = [line for _, _, line in sorted(self._found, key=lambda each: each[:2])]
        if self._count == 1:
            raise InstanceError(shown[0])
        more = self._count - _MOST_SHOWN
        last = [f"and {more:,} more"] if more > 0 else []
        raise InstanceError("\n  ".join([f"{self._count:,} errors:", *shown[:_MOST_SHOWN], *last]))


def source_of_frame(frame: Any, name: str) -> Source:
    """The columns of a data frame of pandas, polars or arrow, of a mapping, or of records.

    Parameters
    ----------
    frame : data frame, mapping of str to sequence, or sequence of mappings
    name : str
        As messages name it.

    Raises
    ------
    InstanceError
        If it is none of them, or its columns differ in length.
    """
    columns: dict[str, Any] = {}
    for key, values in _columns_of(frame, name):
        if not isinstance(key, str):
            raise InstanceError(f"{name}: the column {key!r} has no name; give it one of text")
        try:
            columns[key] = _cells(values)
        except TypeError:
            raise InstanceError(f"{name}, column {key}: {values!r} is no column of cells") from None
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{key}: {length:,}" for key, length in list(lengths.items())[:6])
        raise InstanceError(f"{name}: the columns differ in length ({shown})")
    return Source(name, columns, max(lengths.values(), default=0), lambda row: f"row {row}")


def _columns_of(frame: Any, name: str) -> list[tuple[Any, Any]]:
    if type(frame).__name__ == "LazyFrame":  # of polars
        frame = frame.collect()
    if isinstance(frame, Mapping):
        return list(frame.items())
    names = getattr(frame, "column_names", None)  # arrow, whose `columns` are the cells
    if names is None:
        names = getattr(frame, "columns", None)
    if names is not None and hasattr(frame, "__getitem__"):
        listed = list(names)
        for key in listed:
            if listed.count(key) > 1:
                raise InstanceError(f"{name}: the column {key!r} stands twice; remove one")
        return [(key, frame[key]) for key in listed]
    if isinstance(frame, Sequence) and not isinstance(frame, str | bytes):
        return _of_records(frame, name)
    raise InstanceError(
        f"{name} is {type(frame).__name__}; give a data frame (pandas, polars, arrow), a mapping "
        "from names to columns, or a list of records"
    )


def _of_records(records: Sequence[Any], name: str) -> list[tuple[Any, Any]]:
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InstanceError(f"{name}, row {row}: {record!r} is no mapping from names to cells")
    keys = dict.fromkeys(key for record in records for key in record)
    return [(key, [record.get(key) for record in records]) for key in keys]


def _cells(values: Any) -> Any:
    """A column as an array of numbers where it is one, else as a list of Python objects."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf" and values.ndim == 1:
        return values
    if isinstance(getattr(values, "dtype", None), np.dtype) and hasattr(values, "to_numpy"):
        array = values.to_numpy()
        if array.dtype.kind in "iuf":
            return array
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    listed = [_plain(item) if isinstance(item, np.generic) else item for item in values]
    if set(map(type, listed)) in ({int}, {float}):
        array = np.array(listed)
        if array.dtype.kind in "if":
            return array
    return listed


def _plain(item: Any) -> Any:
    """A scalar of NumPy as Python's; a narrow float is the decimal that it prints as."""
    return float(str(item)) if isinstance(item, np.float16 | np.float32) else item.item()
