"""Guided ejection: make room for tasks that the order of placing left stranded.

A stranded task is put where the tasks that must leave for it are the easiest to place again;
those take its place on the stack. Every failure raises the penalty of the task that found no
room, so that tasks hard to place are ejected ever less (Nagata and Bräysy 2009, "A powerful
route minimization heuristic for the vehicle routing problem with time windows").
"""

from __future__ import annotations

import time

import numpy as np

from ...model.exact import Array
from ...settings import PLACING
from ..base import Options
from .placement import Placement

__all__ = ["place_stranded"]


def place_stranded(placement: Placement, stranded: list[int], options: Options) -> list[int]:
    """Place the stranded tasks, moving others where needed.

    Returns
    -------
    list of int
        The tasks that are still without a node when the steps or the time have run out; the
        smallest set seen, to which the placement goes back. Empty if all are placed.
    """
    search = _Ejection(placement, np.random.default_rng(options.seed))
    stack = list(reversed(stranded))
    fewest, kept = list(stack), placement.node_index.copy()
    steps = PLACING.least_steps + PLACING.steps_per_task * len(stranded)
    for step in range(steps):
        if not stack:
            return []
        if step % 16 == 0 and time.monotonic() > options.deadline:
            break
        j = stack.pop()
        nodes = placement.fitting(j)
        if nodes.size:
            placement.place(j, placement.cheapest(j, nodes))
        else:
            ejected = search.make_room(j)
            if ejected is None:
                return sorted([j, *stack])  # no node can hold it even when empty
            stack.extend(ejected)
        if len(stack) < len(fewest):
            fewest, kept = list(stack), placement.node_index.copy()
    if not stack:
        return []
    placement.reset(kept)
    left = []
    for j in sorted(fewest):  # some were on the stack, not yet looked at
        nodes = placement.fitting(j)
        if nodes.size:
            placement.place(j, placement.cheapest(j, nodes))
        else:
            left.append(j)
    return left


class _Ejection:
    """The penalties, and the choice of the tasks that leave."""

    def __init__(self, placement: Placement, rng: np.random.Generator) -> None:
        self._placement = placement
        self._rng = rng
        self._penalty = np.ones(placement.problem.instance.num_tasks)

    def make_room(self, j: int) -> list[int] | None:
        """Put task j on some node and return the tasks that left it; None if none can hold it."""
        placement = self._placement
        instance, grid = placement.problem.instance, placement.problem.grid
        self._penalty[j] += 1
        able = instance.eligibility.row(int(instance.task_group[j])) & (
            grid.capacity >= grid.needs[j]
        ).all(axis=1)
        if not able.any():
            return None
        chosen = self._single(j, able)
        several = self._several(j, np.flatnonzero(able))
        if chosen is None or self._weight(several) < self._weight(chosen):
            chosen = several
        node = -1
        for t in chosen:
            node = placement.eject(t)
        placement.place(j, node)
        return chosen

    def _weight(self, tasks: list[int]) -> float:
        return float(self._penalty[tasks].sum())

    def _single(self, j: int, able: Array) -> list[int] | None:
        """The one task of least penalty whose leaving makes room, if any; best if it can move."""
        placement = self._placement
        grid = placement.problem.grid
        where = placement.node_index
        candidates = np.flatnonzero((where >= 0) & able[where])
        lack = grid.needs[j] - placement.room[where[candidates]]
        candidates = candidates[(grid.needs[candidates] >= lack).all(axis=1)]
        if not candidates.size:
            return None
        keys = self._penalty[candidates] + self._rng.random(candidates.size)
        order = candidates[np.argsort(keys, kind="stable")[: PLACING.repair_tasks]]
        for t in order.tolist():
            others = placement.fitting(t)
            if others.size and (others != where[t]).any():
                return [t]
        return [int(order[0])]

    def _several(self, j: int, able: Array) -> list[int]:
        """On a sample of nodes, the lightest set of tasks whose leaving makes room."""
        sample = able
        if able.size > PLACING.repair_nodes:
            sample = self._rng.choice(able, PLACING.repair_nodes, replace=False)
        sets = [self._lightest_on(j, i) for i in sample.tolist()]
        return min(sets, key=self._weight)

    def _lightest_on(self, j: int, i: int) -> list[int]:
        placement = self._placement
        grid = placement.problem.grid
        lack = grid.needs[j] - placement.room[i]
        on_node = np.flatnonzero(placement.node_index == i)
        useful = np.minimum(grid.needs[on_node], np.maximum(lack, 0)).astype(float)
        share = (useful / np.maximum(lack, 1)).sum(axis=1)
        order = np.argsort(self._penalty[on_node] / np.maximum(share, 1e-12), kind="stable")
        leaving: list[int] = []
        for t in on_node[order].tolist():
            if (lack <= 0).all():
                break
            leaving.append(t)
            lack = lack - grid.needs[t]
        for t in leaving[-2::-1]:  # what a later choice made superfluous may stay
            if (lack + grid.needs[t] <= 0).all():
                leaving.remove(t)
                lack = lack + grid.needs[t]
        return leaving
