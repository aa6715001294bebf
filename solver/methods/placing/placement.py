"""A partial allocation, and what each node still has room for."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ...problem.problem import Problem

__all__ = ["Placement"]


class Placement:
    """A partial allocation with what is left on every node.

    Attributes
    ----------
    node_index : (m,) int64
        Node of each task, -1 while it is not placed.
    load, count : (n,) int64
        Compute load and number of tasks of each node.
    room : (n, d) int64
        What is left of each hard dimension.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        grid, instance = problem.grid, problem.instance
        self.node_index = np.full(instance.num_tasks, -1, dtype=np.int64)
        self.load = np.zeros(instance.num_nodes, dtype=np.int64)
        self.count = np.zeros(instance.num_nodes, dtype=np.int64)
        self.room = grid.capacity.copy()

    def fitting(self, j: int) -> Array:
        """Positions of the nodes that can take task j, ascending."""
        instance = self.problem.instance
        fits = instance.eligibility.row(int(instance.task_group[j]))
        need = self.problem.grid.needs[j]
        for d in range(need.size):
            fits = fits & (self.room[:, d] >= need[d])
        return np.flatnonzero(fits)

    def marginal_cost(self, j: int, nodes: Array) -> Array:
        """What the cost grows by when task j goes to each of the nodes, in units of the grid."""
        grid = self.problem.grid
        demand, capacity = grid.task_compute[j], grid.node_compute[nodes]
        above = np.maximum(0, self.load[nodes] - capacity)
        growth = np.maximum(0, self.load[nodes] + demand - capacity) - above
        opening: Array = grid.idle_cost[nodes] * (self.count[nodes] == 0)
        opening += grid.overload_price[nodes] * growth + grid.use_price[nodes] * demand
        return opening

    def free_compute(self, nodes: Array) -> Array:
        """Capacity less load of the nodes; negative where overloaded."""
        return self.problem.grid.node_compute[nodes] - self.load[nodes]

    def place(self, j: int, i: int) -> None:
        """Put task j on node i."""
        self._change(j, i, 1)
        self.node_index[j] = i

    def fill(self, tasks: Array, nodes: Array) -> None:
        """Put each of some tasks without a node on the node beside it."""
        grid = self.problem.grid
        self.node_index[tasks] = nodes
        np.add.at(self.load, nodes, grid.task_compute[tasks])
        np.add.at(self.count, nodes, 1)
        np.subtract.at(self.room, nodes, grid.needs[tasks])

    def reset(self, node_index: Array) -> None:
        """Go back to (m,) nodes of the tasks, -1 for none."""
        placed = np.flatnonzero(node_index >= 0)
        self.node_index[:], self.load[:], self.count[:] = -1, 0, 0
        self.room[:] = self.problem.grid.capacity
        self.fill(placed, node_index[placed])

    def eject(self, j: int) -> int:
        """Take task j off its node, and return that node."""
        i = int(self.node_index[j])
        self._change(j, i, -1)
        self.node_index[j] = -1
        return i

    def _change(self, j: int, i: int, sign: int) -> None:
        self.load[i] += sign * self.problem.grid.task_compute[j]
        self.count[i] += sign
        self.room[i] -= sign * self.problem.grid.needs[j]

    def cheapest(self, j: int, nodes: Array) -> int:
        """The node of least marginal cost for task j, ties to the one with most free compute."""
        cost = self.marginal_cost(j, nodes)
        best = nodes[cost == cost.min()]
        return int(best[np.argmax(self.free_compute(best))])
