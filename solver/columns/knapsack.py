"""From the table of the classes to the pricing problem of one class of nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..model.exact import Array
from ..problem.table import ClassTable

if TYPE_CHECKING:
    from ..kernels.tables import Knapsack

__all__ = ["MOST_WORTH", "knapsack_of", "scaled_prices"]

_PROFIT_LIMIT, _MOST_SHIFT = 2**58, 40
MOST_WORTH = 2**62
"""Most that all tasks together may be worth; the grid keeps costs below 2**61."""


def knapsack_of(table: ClassTable, g: int, shift: int) -> Knapsack:
    """The pricing problem of class g, its costs times 2**shift; its items as `ClassTable.items`."""
    from ..kernels.tables import Knapsack  # not above: numba takes half a second

    items, most = table.items(g)
    demand, needs, apart = table.demand, table.needs, table.apart
    if items.size > demand.size:
        demand, needs = demand[items], np.ascontiguousarray(needs[items])
        apart = np.ascontiguousarray(apart[np.ix_(items, items)]) if apart.size else apart
    return Knapsack(
        demand=demand,
        most=most,
        needs=needs,
        node_compute=int(table.node_compute[g]),
        overload_price=int(table.overload_price[g]) << shift,
        idle_cost=int(table.idle_cost[g]) << shift,
        capacity=np.ascontiguousarray(table.capacity[g]),
        apart=apart,
    )


def scaled_prices(table: ClassTable, prices: Array) -> tuple[int, Array]:
    """Prices as integers times 2**-shift, rounded down; sums of them stay in int64.

    Prices too high for that, of tasks that hardly fit, are all lowered by the same factor: any
    prices prove a bound.
    """
    worth, costs = table.sizes(prices)
    if worth > MOST_WORTH - costs:
        prices = prices * ((MOST_WORTH - costs) / worth)
    total = min(worth, MOST_WORTH - costs) + costs
    shift = min(_MOST_SHIFT, max(0, math.floor(math.log2(_PROFIT_LIMIT / total))))
    return shift, np.floor(prices * 2.0**shift).astype(np.int64)
