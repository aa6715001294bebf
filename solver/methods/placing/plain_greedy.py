"""Greedy on large instances without compiled code: a heap of the nodes, in plain Python."""

from __future__ import annotations

import heapq

import numpy as np

from ...model.exact import Array
from ...settings import PLACING
from ..base import Options
from .placement import Placement

__all__ = ["fill_plainly"]

_CLOCK_EVERY = 256


def fill_plainly(placement: Placement, order: Array, options: Options) -> list[int] | None:
    """Place each task, in order, on the freest node that can take it, else where it costs least.

    A node that cannot take a task is left out until some thousands of tasks later; a task for
    which the freest nodes have no compute left goes to the cheapest of some random nodes, or
    of all where none of those can take it.

    Returns
    -------
    list of int or None
        The tasks that fit nowhere; None if the time was up before the end.

    Notes
    -----
    O(log n) for most tasks, O(n d) for the others. Where nodes hold very many tasks, these are
    first dealt out by the handful, as far as they fit.
    """
    if order.size > PLACING.many_per_node * placement.load.size:
        order = _deal(placement, order, options)
    fill = _Fill(placement, options.seed)
    stranded: list[int] = []
    for step, j in enumerate(order.tolist()):
        if step % _CLOCK_EVERY == 0 and options.seconds_left() <= 0:
            return None
        if step % PLACING.plain_parked_for == 0:
            fill.bring_back()
        i = fill.freest(j)
        if i is None:
            i = fill.cheapest(j)
        if i is None:
            stranded.append(j)
        else:
            fill.place(j, i)
    return stranded


def _deal(placement: Placement, order: Array, options: Options) -> Array:
    """Give some nodes a task each, over and over; returns the tasks that this leaves.

    In the first round the freest eighth of the nodes have their turn, then random ones, for as
    long as every second task finds a place.
    """
    rng = np.random.default_rng(options.seed)
    freest, before = True, order.size + 1
    while freest or 2 * order.size < before:
        before, left = order.size, [order[:0]]
        size = max(1, placement.load.size // PLACING.hands)
        for begin in range(0, order.size, size):
            if options.seconds_left() <= 0:
                return np.concatenate((*left, order[begin:]))
            tasks = order[begin : begin + size]
            nodes = _turn(placement, tasks.size, rng, freest)
            fits = _fit(placement, tasks[: nodes.size], nodes)
            placement.fill(tasks[: nodes.size][fits], nodes[fits])
            left += [tasks[: nodes.size][~fits], tasks[nodes.size :]]
        freest, order = False, np.concatenate(left)
    return order


def _turn(placement: Placement, size: int, rng: np.random.Generator, freest: bool) -> Array:
    """Up to `size` nodes that are on or cost nothing to switch on, in the order of their turn."""
    usable = _usable(placement)
    if not freest or not usable.size:
        return rng.permutation(usable)[:size]
    free = placement.free_compute(usable)
    chosen = np.argpartition(-free, min(size, usable.size) - 1)[:size]
    return usable[chosen[np.lexsort((usable[chosen], -free[chosen]))]]


def _usable(placement: Placement) -> Array:
    """Nodes that take load within their compute at no cost beyond what is paid anyway."""
    grid = placement.problem.grid
    on = (placement.count > 0) | (grid.idle_cost == 0)
    usable: Array = np.flatnonzero(on & (grid.use_price == 0))
    return usable


def _fit(placement: Placement, tasks: Array, nodes: Array) -> Array:
    """Whether each task fits on the node beside it, and causes no overload there."""
    grid, instance = placement.problem.grid, placement.problem.instance
    fits = instance.eligibility.at(instance.task_group[tasks], nodes)
    fits = fits & (placement.free_compute(nodes) >= grid.task_compute[tasks])
    return fits & (placement.room[nodes] >= grid.needs[tasks]).all(axis=1)


class _Fill:
    """The placement in plain lists, which single numbers are read from faster than from arrays."""

    def __init__(self, placement: Placement, seed: int) -> None:
        grid, instance = placement.problem.grid, placement.problem.instance
        self._placement, self._grid = placement, grid
        self._rng = np.random.default_rng(seed)
        self._eligibility = instance.eligibility
        self._free = (grid.node_compute - placement.load).tolist()
        self._room = placement.room.tolist()
        self._demand, self._needs = grid.task_compute.tolist(), grid.needs.tolist()
        self._group = instance.task_group.tolist()
        self._everywhere = self._eligibility.everywhere
        self._parked: list[int] = []
        usable = _usable(placement)
        self._heap = [(-self._free[i], i) for i in usable.tolist()]
        heapq.heapify(self._heap)

    def bring_back(self) -> None:
        """Let the nodes that were left out take part again."""
        for i in self._parked:
            heapq.heappush(self._heap, (-self._free[i], i))
        self._parked = []

    def freest(self, j: int) -> int | None:
        """The freest node that can take task j without overload, if one of some looks is."""
        heap, free, demand = self._heap, self._free, self._demand[j]
        looks = 0
        while heap and looks < PLACING.plain_looks and -heap[0][0] >= demand:
            key, i = heap[0]
            if -key != free[i]:  # an entry counts only while it holds what is free now
                heapq.heappop(heap)
                continue
            if self._fits(j, i):
                return int(i)
            heapq.heappop(heap)
            self._parked.append(i)
            looks += 1
        return None

    def cheapest(self, j: int) -> int | None:
        """The node of least marginal cost among some random ones, or among all."""
        n, placement = len(self._free), self._placement
        if n > 2 * PLACING.plain_sample:
            some = self._rng.integers(n, size=PLACING.plain_sample)
            fits = (placement.room[some] >= self._grid.needs[j]).all(axis=1)
            fits &= self._eligibility.at(np.full(PLACING.plain_sample, self._group[j]), some)
            if fits.any():
                return placement.cheapest(j, some[fits])
        everyone = placement.fitting(j)
        return placement.cheapest(j, everyone) if everyone.size else None

    def place(self, j: int, i: int) -> None:
        """Put task j on node i."""
        placement, demand, before = self._placement, self._demand[j], self._free[i]
        self._free[i] = before - demand
        left = self._room[i]
        for d, need in enumerate(self._needs[j]):
            left[d] -= need
            placement.room[i, d] = left[d]
        placement.node_index[j] = i
        placement.count[i] += 1
        placement.load[i] += demand
        if self._grid.use_price[i] > 0:
            return
        if self._heap and self._heap[0] == (-before, i):
            heapq.heapreplace(self._heap, (demand - before, i))
        else:
            heapq.heappush(self._heap, (demand - before, i))

    def _fits(self, j: int, i: int) -> bool:
        if not (self._everywhere or self._eligibility.allows(self._group[j], i)):
            return False
        return all(need <= left for need, left in zip(self._needs[j], self._room[i], strict=True))
