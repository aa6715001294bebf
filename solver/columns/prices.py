"""What column generation works on: the classes of a problem, and prices of the task classes.

No solver library is loaded here: parent and child share these types.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..model.exact import Array

if TYPE_CHECKING:
    from ..kernels.pricing import Knapsack

__all__ = ["Column", "Data", "Prices"]

Column = tuple[int, tuple[int, ...]]
"""A class of nodes, and the classes of the tasks on one node of it, ascending."""

_PROFIT_LIMIT, _MOST_SHIFT = 2**58, 40
_MOST_WORTH = 2**62  # of all tasks together; the grid keeps costs below 2**61


@dataclass(frozen=True)
class Data:
    """The K classes of tasks and G classes of nodes, in units of the grid.

    Attributes
    ----------
    demand, count : (K,) int64
        Compute of a task, number of tasks.
    needs : (K, d) int64
    most : (K, G) int64
        How many tasks of a class one node may hold, 0 if it is not eligible.
    node_count, node_compute : (G,) int64
    price, idle : (G,) int64
        Overload price, and cost of a node being on.
    room : (G, d) int64
    apart : (K, K) or (0, 0) bool
        Which classes of tasks may not be on one node together.
    """

    demand: Array
    needs: Array
    count: Array
    most: Array
    node_count: Array
    node_compute: Array
    price: Array
    idle: Array
    room: Array
    apart: Array = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))

    def cost(self, g: int, tasks: list[int]) -> int:
        """Cost of a column beyond what is paid whatever happens."""
        load = int(self.demand[tasks].sum())
        above = max(0, load - int(self.node_compute[g]))
        return int(self.price[g]) * above + (int(self.idle[g]) if tasks else 0)

    def costs(self, g: int, table: Array) -> Array:
        """Costs of many columns of a class: rows of task classes, -1 behind the end."""
        load = np.append(self.demand, 0)[table].sum(axis=1)
        costs: Array = self.price[g] * np.maximum(0, load - self.node_compute[g]) + self.idle[g]
        return costs

    def knapsack(self, g: int, shift: int) -> Knapsack:
        """The pricing problem of class g, its costs times 2**shift."""
        from ..kernels.pricing import Knapsack  # not above: numba takes half a second

        return Knapsack(
            demand=self.demand,
            most=np.ascontiguousarray(self.most[:, g]),
            needs=self.needs,
            capacity=int(self.node_compute[g]),
            price=int(self.price[g]) << shift,
            idle=int(self.idle[g]) << shift,
            room=np.ascontiguousarray(self.room[g]),
            apart=self.apart,
        )

    def scaled(self, prices: Array) -> tuple[int, Array]:
        """Prices as integers times 2**-shift, rounded down; sums of them stay in int64.

        Prices too high for that, of tasks that hardly fit, are all lowered by the same factor:
        any prices prove a bound.
        """
        demand = float((self.demand.astype(float) * self.count).sum()) + 1.0  # a price alone fits
        costs = float(self.price.max(initial=0)) * demand + float(self.idle.max(initial=0)) + 1.0
        worth = float((prices * self.count).sum())
        if worth > _MOST_WORTH - costs:
            prices = prices * ((_MOST_WORTH - costs) / worth)
        total = min(worth, _MOST_WORTH - costs) + costs
        shift = min(_MOST_SHIFT, max(0, math.floor(math.log2(_PROFIT_LIMIT / total))))
        return shift, np.floor(prices * 2.0**shift).astype(np.int64)


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
        return [max(-_MOST_WORTH, value - gap) for value in self.values]

    def worth(self, data: Data, g: int, table: Array) -> Array:
        """Values of many columns of a class; rows of task classes, -1 behind the end."""
        profits: Array = np.append(self.profit, 0)[table].sum(axis=1)
        worth: Array = profits - (data.costs(g, table) << self.shift)
        return worth
