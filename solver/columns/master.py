"""What the restricted master of column generation answers, and what is left for more columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..problem.table import Column

__all__ = ["Master", "Remainder"]


@dataclass(frozen=True)
class Master:
    """A solution of the master.

    Attributes
    ----------
    value : float
    prices, node_prices : float64
        Of a task and of a node of each class.
    left_out : (K,) bool
        Whether tasks of a class are left out.
    amounts : float64
        How often each column is used.
    """

    value: float
    prices: Array
    node_prices: Array
    left_out: Array
    amounts: Array


class Remainder:
    """Tasks and nodes of each class that are left."""

    def __init__(self, count: Array, nodes: Array) -> None:
        self.count, self.nodes = count.copy(), nodes.copy()

    def part_of(self, column: Column) -> Column | None:
        """What of a column there is room for, where all is too much; None if nothing."""
        return None

    def take(self, column: Column) -> bool:
        """Take a column if there is room for it."""
        g, tasks = column
        if self.nodes[g] <= 0 or any(tasks.count(k) > self.count[k] for k in tasks):
            return False
        self.nodes[g] -= 1
        np.subtract.at(self.count, list(tasks), 1)
        return True
