"""A linear program in exact integers, and the same scaled to floats for a solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model.exact import Array
from .linear_model import INFINITE, LinearModel

__all__ = ["ExactProgram", "ExactProgramBuilder", "ratios"]

_INT64_BITS, _FLOAT_BITS = 62, 900


@dataclass(frozen=True)
class ExactProgram:
    """Minimise constant + cost·x, A x <= limit (= where `equal`), 0 <= x <= upper, in integers.

    Attributes
    ----------
    cost, upper, unit : (columns,) objects, Python integers
        A float solver counts a column in its `unit`, 1 or more.
    limit : (rows,) objects
    equal, lazy : (rows,) bool
        Which are equations, and which seldom matter: a solver may leave them out at first.
    row, column : (entries,) int64
        By rows, and columns in these.
    coefficient : (entries,) int64, or object where that does not hold them
    constant : int
    """

    cost: Array
    upper: Array
    unit: Array
    limit: Array
    equal: Array
    lazy: Array
    row: Array
    column: Array
    coefficient: Array
    constant: int

    @property
    def num_columns(self) -> int:
        """Number of variables."""
        return int(self.cost.size)

    @property
    def num_rows(self) -> int:
        """Number of constraints."""
        return int(self.limit.size)

    def scaled(self) -> tuple[LinearModel, int, Array]:
        """The program in floats, rounded anyhow: what it says is a hint, and no proof.

        Returns
        -------
        model : LinearModel
            Of floats; rows are divided by their largest coefficient.
        cost_unit : int
            Exact units of cost in one of the model.
        row_unit : (rows,) objects
            Exact units of a row in one of the model's.
        """
        size = self.coefficient.astype(object) * self.unit[self.column]
        row_unit = np.ones(self.num_rows, dtype=object)
        start = np.searchsorted(self.row, np.arange(self.num_rows + 1))
        used = np.flatnonzero(np.diff(start))
        if used.size:
            row_unit[used] = np.maximum.reduceat(np.abs(size), start[used])
        cost = self.cost * self.unit
        cost_unit = _middle(cost)
        upper = ratios(self.upper, self.unit)
        row_upper = np.minimum(ratios(self.limit, row_unit), float(INFINITE))
        model = LinearModel(
            objective=ratios(cost, np.full(cost.size, cost_unit, dtype=object)),
            lower=np.zeros(self.num_columns),
            upper=np.minimum(upper, float(INFINITE)),
            integer=np.zeros(self.num_columns, dtype=bool),
            row_start=start,
            column=self.column,
            coefficient=ratios(size, row_unit[self.row]),
            row_lower=np.where(self.equal, row_upper, -float(INFINITE)),
            row_upper=row_upper,
        )
        return model, cost_unit, row_unit


class ExactProgramBuilder:
    """Collects columns, rows and entries in bulk; numbers are integers of any size."""

    def __init__(self) -> None:
        self._columns: list[tuple[Array, ...]] = []
        self._rows: list[tuple[Array, ...]] = []
        self._entries: list[tuple[Array, Array, Array]] = []
        self.num_columns = 0
        self.num_rows = 0

    def add_columns(self, count: int, *, upper: Any, cost: Any = 0, unit: int = 1) -> Array:
        """Add `count` variables and return their positions; scalars apply to all of them."""
        self._columns.append((_filled(cost, count), _filled(upper, count), _filled(unit, count)))
        self.num_columns += count
        return np.arange(self.num_columns - count, self.num_columns)

    def add_rows(
        self, count: int, *, limit: Any = 0, equal: bool = False, lazy: bool = False
    ) -> Array:
        """Add `count` constraints without entries and return their positions."""
        self._rows.append((_filled(limit, count), np.full(count, equal), np.full(count, lazy)))
        self.num_rows += count
        return np.arange(self.num_rows - count, self.num_rows)

    def add_entries(self, rows: Any, columns: Any, coefficients: Any) -> None:
        """Add entries (rows[e], columns[e], coefficients[e]); those of one place add up."""
        rows, columns, coefficients = np.broadcast_arrays(rows, columns, coefficients)
        self._entries.append((rows.ravel(), columns.ravel(), coefficients.ravel()))

    def build(self, constant: int = 0) -> ExactProgram:
        """The program."""
        cost, upper, unit = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        limit, equal, lazy = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        row, column, coefficient = (
            np.concatenate(parts) for parts in zip(*self._entries, strict=True)
        )
        cell = row.astype(np.int64) * self.num_columns + column
        order = np.argsort(cell, kind="stable")
        cell, coefficient = cell[order], coefficient[order]
        if (np.diff(cell) == 0).any():  # what is entered twice adds up
            first = np.flatnonzero(np.diff(cell, prepend=-1))
            cell, coefficient = cell[first], np.add.reduceat(coefficient.astype(object), first)
        used = coefficient != 0
        cell, coefficient = cell[used], coefficient[used]
        return ExactProgram(
            cost=cost,
            upper=upper,
            unit=unit,
            limit=limit,
            equal=equal,
            lazy=lazy,
            row=cell // self.num_columns,
            column=cell % self.num_columns,
            coefficient=coefficient,
            constant=constant,
        )


def ratios(above: Array, below: Array) -> Array:
    """Quotients of integers of any size as floats; what is beyond a float's range is cut."""
    if _bits(above) <= _FLOAT_BITS and _bits(below) <= _FLOAT_BITS:
        quotients: Array = above.astype(float) / below.astype(float)
        return quotients
    return np.array([_ratio(a, b) for a, b in zip(above.tolist(), below.tolist(), strict=True)])


def _ratio(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return float(INFINITE) if above > 0 else -float(INFINITE)


def _bits(column: Array) -> int:
    return max((abs(value).bit_length() for value in column.tolist()), default=0)


def _middle(cost: Array) -> int:
    """A power of two between the least and the greatest cost that is not 0."""
    bits = [abs(value).bit_length() for value in cost.tolist() if value]
    return 1 << max(0, (min(bits) + max(bits)) // 2 - 1) if bits else 1


def _filled(value: Any, count: int) -> Array:
    """An object array of Python integers."""
    column = np.empty(count, dtype=object)
    column[:] = value.tolist() if isinstance(value, np.ndarray) else value
    return column
