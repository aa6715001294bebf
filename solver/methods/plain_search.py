"""Local search without compiled code: what is had until that is there, or where it cannot be.

Relocations and swaps, the best of many at a time by NumPy; where none lowers the cost, a few
nodes are emptied and their tasks placed anew, and that is kept if it is no dearer (Schrimpf et
al. 2000, "Record breaking optimization results using the ruin and recreate principle").
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from ..settings import PLAIN_SEARCH
from .base import Options
from .best import Best
from .placing.moves import cost_change, draw_moves, keeps_limits, loads_after, make_move
from .placing.placement import Placement

__all__ = ["PlainSearch", "plain_search"]


def plain_search(
    problem: Problem, options: Options, best: Best, until: Callable[[], bool] = lambda: False
) -> None:
    """Search from the best allocation until nothing more is found or a limit is reached.

    Parameters
    ----------
    best : Best
        Its allocation is where to begin; without one, or for a whole model, nothing is done.
    until : callable
        Asked all the time; once it returns True the search ends.
    """
    if best.node_index is None or problem.modes is not None:
        return

    def stopped() -> bool:
        return options.seconds_left() <= 0 or best.settled() or until()

    search = PlainSearch(problem, best.node_index, options.seed, stopped)
    published, due = search.cost, 0.0
    n = problem.instance.num_nodes
    patience = min(PLAIN_SEARCH.most_patience, PLAIN_SEARCH.least_patience + 20 * n)
    idle, rounds = 0, 0
    try:
        search.descend(np.arange(n))
        while not stopped() and idle < patience and rounds != options.round_limit:
            idle = 0 if search.ruin() else idle + 1
            rounds += 1
            if search.cost < published and time.monotonic() >= due:
                begun = time.monotonic()
                best.incumbent(search.placement.node_index)
                published, now = search.cost, time.monotonic()
                due = now + (now - begun) / PLAIN_SEARCH.share_of_checks
    finally:
        if search.cost < published:
            best.incumbent(search.placement.node_index)


class PlainSearch:
    """A local search on one feasible allocation; its cost never rises.

    Attributes
    ----------
    placement : Placement
    cost : int
        Cost on the grid, kept up to date.
    looked : int
        Moves looked at so far.
    """

    def __init__(
        self,
        problem: Problem,
        node_index: Array,
        seed: int,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.placement = Placement(problem)
        self.placement.fill(np.arange(node_index.size), node_index)
        self.looked = 0
        self._rng = np.random.default_rng(seed)
        self._stopped = stopped
        self.cost = self.recomputed()

    def recomputed(self) -> int:
        """Cost on the grid, from the loads."""
        placement, grid = self.placement, self.placement.problem.grid
        above = np.maximum(0, placement.load - grid.node_compute)
        cost = (grid.overload_price * above + grid.use_price * placement.load).sum()
        return int(cost + grid.idle_cost[placement.count > 0].sum())

    def descend(self, nodes: Array) -> None:
        """Improve the nodes, the dearest first, until a pass over them finds nothing."""
        found = True
        while found:
            found = False
            avoidable = self._avoidable()[nodes]
            for i in nodes[np.argsort(-avoidable, kind="stable")][: np.count_nonzero(avoidable)]:
                while self._improve(int(i)):
                    found = True
                if self._stopped():
                    return

    def ruin(self) -> bool:
        """Empty some nodes and place their tasks anew; whether the cost fell.

        Whatever comes out dearer is taken back.
        """
        placement, before = self.placement, self.cost
        kept = self._arrays()
        nodes, tasks = self._draw()
        for j in tasks.tolist():
            placement.eject(j)
        if self._refill(tasks):
            self.cost = self.recomputed()
            self.descend(nodes)
            if self.cost <= before:
                return self.cost < before
        for array, old in zip(self._arrays(copy=False), kept, strict=True):
            array[:] = old
        self.cost = before
        return False

    def _refill(self, tasks: Array) -> bool:
        """Place tasks by falling demand, somewhat shuffled; False if one fits nowhere."""
        placement = self.placement
        demand = placement.problem.grid.task_compute[tasks]
        order = tasks[np.argsort(-demand * self._rng.uniform(0.7, 1.0, tasks.size), kind="stable")]
        for j in order.tolist():
            nodes = placement.fitting(j)
            if not nodes.size or self._stopped():
                return False
            placement.place(j, placement.cheapest(j, nodes))
        return True

    def _draw(self) -> tuple[Array, Array]:
        """A node that costs more than it must, random others, and the tasks of them all."""
        placement, n = self.placement, self.placement.load.size
        dear = np.flatnonzero(self._avoidable())
        first = int(self._rng.choice(dear if dear.size else n))
        size = min(n, int(self._rng.choice(PLAIN_SEARCH.ruined)))
        nodes = self._rng.permutation(np.union1d([first], self._rng.choice(n, size, False)))[:size]
        tasks = np.flatnonzero(np.isin(placement.node_index, nodes))
        if tasks.size > PLAIN_SEARCH.most_ruined_tasks:
            tasks = self._rng.choice(tasks, PLAIN_SEARCH.most_ruined_tasks, replace=False)
        return nodes, tasks

    def _improve(self, i: int) -> bool:
        """Make the move of a task of node i that lowers the cost most; False if none does."""
        placement = self.placement
        mine = np.flatnonzero(placement.node_index == i)
        if not mine.size:
            return False
        n = placement.load.size
        free = placement.free_compute(np.arange(n))
        others = self._rng.choice(n, min(n, PLAIN_SEARCH.sampled_nodes), replace=False)
        if n > PLAIN_SEARCH.sampled_nodes:
            freest = np.argpartition(-free, PLAIN_SEARCH.sampled_nodes)[
                : PLAIN_SEARCH.sampled_nodes
            ]
            others = np.union1d(others, freest)
        moves = draw_moves(placement, i, mine, others, self._rng)
        change = cost_change(placement, moves, *loads_after(placement, moves))
        self.looked += change.size
        change[(change < 0) & ~keeps_limits(placement, moves)] = 0
        if not change.size or change.min() >= 0:
            return False
        a, b = np.unravel_index(int(np.argmin(change)), change.shape)
        self.cost += int(change[a, b])
        make_move(placement, moves, int(a), int(b))
        return True

    def _avoidable(self) -> Array:
        """What each node costs beyond its price while idle, or in all where it can be off."""
        placement, grid = self.placement, self.placement.problem.grid
        above = np.maximum(0, placement.load - grid.node_compute)
        cost: Array = grid.overload_price * above + grid.use_price * placement.load
        return cost + np.where(placement.count > 0, grid.idle_cost, 0)

    def _arrays(self, copy: bool = True) -> tuple[Array, ...]:
        placement = self.placement
        arrays = (placement.node_index, placement.load, placement.count, placement.room)
        return tuple(array.copy() for array in arrays) if copy else arrays
