"""A linear model over integers, held in arrays, that every engine translates for its solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model.exact import Array

__all__ = ["INFINITE", "LinearModel", "LinearModelBuilder"]

INFINITE = 2**62
"""Stands for no limit in the integer bounds of rows and columns."""


@dataclass(frozen=True)
class LinearModel:
    """Minimise objective·x, row_lower <= A·x <= row_upper, lower <= x <= upper.

    Attributes
    ----------
    objective, lower, upper : (columns,) int64
    integer : (columns,) bool
    row_start : (rows + 1,) int64
        Row r holds the entries row_start[r] to row_start[r + 1].
    column, coefficient : (entries,) int64
    row_lower, row_upper : (rows,) int64
        -INFINITE and INFINITE stand for no limit.
    """

    objective: Array
    lower: Array
    upper: Array
    integer: Array
    row_start: Array
    column: Array
    coefficient: Array
    row_lower: Array
    row_upper: Array

    @property
    def num_columns(self) -> int:
        """Number of variables."""
        return int(self.objective.size)

    @property
    def num_rows(self) -> int:
        """Number of constraints."""
        return int(self.row_lower.size)


class LinearModelBuilder:
    """Collects columns, rows and entries in bulk."""

    def __init__(self) -> None:
        self._columns: list[tuple[Array, ...]] = []
        self._rows: list[tuple[Array, ...]] = []
        self._entries: list[tuple[Array, ...]] = []
        self.num_columns = 0
        self.num_rows = 0

    def add_columns(
        self, count: int, *, lower: Any = 0, upper: Any = 1, cost: Any = 0, integer: bool = True
    ) -> Array:
        """Add `count` variables and return their positions; scalars apply to all of them."""
        kind = np.full(count, integer)
        self._columns.append(
            (_filled(cost, count), _filled(lower, count), _filled(upper, count), kind)
        )
        self.num_columns += count
        return np.arange(self.num_columns - count, self.num_columns)

    def add_rows(self, count: int, *, lower: Any = -INFINITE, upper: Any = INFINITE) -> Array:
        """Add `count` constraints without entries and return their positions."""
        self._rows.append((_filled(lower, count), _filled(upper, count)))
        self.num_rows += count
        return np.arange(self.num_rows - count, self.num_rows)

    def add_entries(self, rows: Any, columns: Any, coefficients: Any) -> None:
        """Add entries (rows[e], columns[e], coefficients[e]); zeros are dropped."""
        rows, columns, coefficients = np.broadcast_arrays(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.asarray(coefficients, dtype=np.int64),
        )
        keep = coefficients.ravel() != 0
        self._entries.append(
            (rows.ravel()[keep], columns.ravel()[keep], coefficients.ravel()[keep])
        )

    def build(self) -> LinearModel:
        """The model, its entries sorted by row."""
        objective, lower, upper, integer = _joined(self._columns, 4)
        row_lower, row_upper = _joined(self._rows, 2)
        rows, columns, coefficients = _joined(self._entries, 3)
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=self.num_rows)
        return LinearModel(
            objective=objective,
            lower=lower,
            upper=upper,
            integer=integer.astype(bool),
            row_start=np.concatenate(([0], np.cumsum(counts))),
            column=columns[order],
            coefficient=coefficients[order],
            row_lower=row_lower,
            row_upper=row_upper,
        )


def _filled(value: Any, count: int) -> Array:
    return np.broadcast_to(np.asarray(value, dtype=np.int64), (count,))


def _joined(parts: list[tuple[Array, ...]], width: int) -> list[Array]:
    if not parts:
        return [np.zeros(0, dtype=np.int64)] * width
    return [np.concatenate(blocks) for blocks in zip(*parts, strict=True)]
