"""Exact cover: nodes filled by sets of tasks, each task in one of them.

Knuth (2000), "Dancing links": the task that fewest of the remaining sets hold comes first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, kernel, lean

__all__ = ["Sets", "cover_all"]


class Sets(NamedTuple):
    """The sets to choose from.

    Attributes
    ----------
    tasks : (sets, most) int64
        Tasks of each, -1 behind them.
    kind : (sets,) int64
        The kind of node that each fills.
    start, holding : (m + 1,), (entries,) int64
        The sets that hold each task.
    """

    tasks: Array
    kind: Array
    start: Array
    holding: Array


class Search(NamedTuple):
    """What is still open.

    Attributes
    ----------
    gone : (sets,) int64
        1 for sets that share a task with one that is chosen.
    left : (m,) int64
        How many sets that are not gone hold each task.
    covered : (m,) bool
    free : (kinds,) int64
        Nodes of each kind that are not filled yet.
    trail : (sets,) int64
        The sets that are gone, in the order in which they went.
    end : (depths + 1,) int64
        How many were gone before the choice of each depth.
    """

    gone: Array
    left: Array
    covered: Array
    free: Array
    trail: Array
    end: Array


@lean
def _may_choose(sets: Sets, search: Search, f: int) -> bool:
    return bool(search.gone[f] == 0 and search.free[sets.kind[f]] > 0)


@lean
def _choose(sets: Sets, search: Search, f: int, depth: int) -> bool:
    """Choose set f; False if a task that is not covered has no set left."""
    fine, end = True, search.end[depth]
    search.free[sets.kind[f]] -= 1
    for at in range(sets.tasks.shape[1]):
        if sets.tasks[f, at] >= 0:
            search.covered[sets.tasks[f, at]] = True
    for at in range(sets.tasks.shape[1]):
        t = sets.tasks[f, at]
        if t < 0:
            break
        for place in range(sets.start[t], sets.start[t + 1]):
            g = sets.holding[place]
            if search.gone[g] == 0:
                search.gone[g] = 1
                search.trail[end] = g
                end += 1
                for other in range(sets.tasks.shape[1]):
                    s = sets.tasks[g, other]
                    if s >= 0:
                        search.left[s] -= 1
                        fine = fine and (search.left[s] > 0 or search.covered[s])
    search.end[depth + 1] = end
    return fine


@lean
def _take_back(sets: Sets, search: Search, f: int, depth: int) -> None:
    """Undo the choice of set f, the last one."""
    search.free[sets.kind[f]] += 1
    for at in range(sets.tasks.shape[1]):
        if sets.tasks[f, at] >= 0:
            search.covered[sets.tasks[f, at]] = False
    for place in range(search.end[depth], search.end[depth + 1]):
        g = search.trail[place]
        search.gone[g] = 0
        for other in range(sets.tasks.shape[1]):
            if sets.tasks[g, other] >= 0:
                search.left[sets.tasks[g, other]] += 1


@inner
def _scarcest(search: Search, rng: np.random.Generator) -> int:
    """The task that is not covered and has fewest sets left; -1 if all are covered."""
    best, ties = -1, 0
    for t in range(search.left.size):
        if search.covered[t]:
            continue
        if best < 0 or search.left[t] < search.left[best]:
            best, ties = t, 1
        elif search.left[t] == search.left[best]:
            ties += 1
            if rng.random() * ties < 1:
                best = t
    return best


@kernel
def cover_all(
    sets: Sets, nodes_of_kind: Array, branches: int, chosen: Array, rng: np.random.Generator
) -> int:
    """Choose sets that hold every task once, no more of a kind than there are nodes of it.

    Parameters
    ----------
    nodes_of_kind : (kinds,) int64
    branches : int
        Sets that are tried at most.
    chosen : (nodes,) int64
        Gets the positions of the sets.

    Returns
    -------
    int
        How many were chosen; -1 if there is no such choice, -2 if the branches ran out.
    """
    m, depths = sets.start.size - 1, chosen.size
    search = Search(
        gone=np.zeros(sets.kind.size, dtype=np.int64),
        left=np.diff(sets.start),
        covered=np.zeros(m, dtype=np.bool_),
        free=nodes_of_kind.copy(),
        trail=np.empty(sets.kind.size, dtype=np.int64),
        end=np.zeros(depths + 1, dtype=np.int64),
    )
    task, turn = np.zeros(depths + 1, dtype=np.int64), np.zeros(depths + 1, dtype=np.int64)
    depth, tried = 0, 0
    task[0] = _scarcest(search, rng)
    if task[0] < 0:
        return 0
    turn[0] = sets.start[task[0]]
    while True:
        stop = sets.start[task[depth] + 1]
        while turn[depth] < stop and not _may_choose(sets, search, sets.holding[turn[depth]]):
            turn[depth] += 1
        if turn[depth] == stop or depth == depths:
            if depth == 0:
                return -1
            depth -= 1
            _take_back(sets, search, chosen[depth], depth)
            continue
        if tried == branches:
            return -2
        tried += 1
        chosen[depth] = sets.holding[turn[depth]]
        turn[depth] += 1
        if not _choose(sets, search, chosen[depth], depth):
            _take_back(sets, search, chosen[depth], depth)
            continue
        depth += 1
        task[depth] = _scarcest(search, rng)
        if task[depth] < 0:
            return depth
        turn[depth] = sets.start[task[depth]]
