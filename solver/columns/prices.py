"""Prices of the task classes and the bound that they prove; parent and child share this type."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..model.exact import Array
from ..problem.table import ClassTable
from .knapsack import MOST_WORTH

__all__ = ["Prices"]


@dataclass(frozen=True)
class Prices:
    """Prices of the task classes and the bound that they prove, all times 2**shift.

    Attributes
    ----------
    shift : int
    profit : (K,) int64
    values : list of int
        For each node class, an upper bound of what a column of it is worth at these prices.
    total : int
        The Lagrangian bound on the cost, ``count @ profit - node_count @ values``.
    weights : (G, 1 + d) float64
        Multipliers for the bounds of pricing.
    """

    shift: int
    profit: Array
    values: list[int]
    total: int
    weights: Array

    @property
    def bound(self) -> float:
        """The bound on the cost on the grid."""
        return math.ldexp(self.total, -self.shift)

    @property
    def grid_bound(self) -> int:
        """The bound, rounded up: costs on the grid are integers."""
        return -(-self.total >> self.shift)

    def thresholds(self, below: int) -> list[int]:
        """What a column of each node class is worth at least in an allocation of cost `below`.

        The cost of an allocation is its bound and, for each node, the value of the class less
        that of the node's own column; so no single difference exceeds the gap.
        """
        gap = (below << self.shift) - self.total
        return [max(-MOST_WORTH, value - gap) for value in self.values]

    def worth(self, data: ClassTable, g: int, rows: Array) -> Array:
        """Values of many columns of a class; rows of task classes, -1 behind the end."""
        return data.worths(g, self.shift, self.profit, rows)
