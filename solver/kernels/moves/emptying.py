"""Switching nodes off: all tasks of a node find places elsewhere, or on a cheaper empty node."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, lean
from ..fits import fits, may_run
from ..settings import LOOPS
from ..state import Facts, State, move, node_cost

__all__ = ["empty_node", "replace_node"]

_SAMPLE = LOOPS.emptying_sample
_MOST_TASKS = LOOPS.emptying_tasks


@lean
def _growth(facts: Facts, state: State, t: int, i: int) -> int:
    """What the cost of node i grows by when task t comes."""
    after = node_cost(facts, i, state.load[i] + facts.demand[t], state.count[i] + 1)
    return after - node_cost(facts, i, state.load[i], state.count[i])


@lean
def _move_all(facts: Facts, state: State, tasks: Array, moved: int, i: int) -> None:
    for k in range(moved):
        move(facts, state, tasks[k], i)


@inner
def empty_node(facts: Facts, state: State, i: int, work: Array, rng: np.random.Generator) -> int:
    """Move every task of node i to one of some random nodes, if that costs less than it saves.

    The largest go first, each where it costs least; nothing changes where they do not all
    find a place or the saving is eaten up.

    Returns
    -------
    int
        By how much the cost fell.
    """
    saving = node_cost(facts, i, state.load[i], state.count[i])
    length = state.count[i]
    if length == 0 or length > _MOST_TASKS or saving == 0:
        return 0
    tasks = state.slots[state.first[i] : state.first[i] + length].copy()[::-1].copy()
    n = state.load.size
    for k in range(length):
        best, best_growth, best_free = -1, 0, 0
        for _ in range(min(_SAMPLE, 2 * n)):
            j = int(rng.random() * n)
            if j == i:
                continue
            work[0] += 1
            growth = _growth(facts, state, tasks[k], j)
            free = facts.node_compute[j] - state.load[j]
            tighter = growth < best_growth or (growth == best_growth and free < best_free)
            better = best < 0 or tighter
            if better and growth < saving and fits(facts, state.room[j], tasks[k], j):
                best, best_growth, best_free = j, growth, free
        if best < 0:
            _move_all(facts, state, tasks, k, i)
            return 0
        saving -= best_growth
        move(facts, state, tasks[k], best)
    work[1] += 1
    return int(saving)


@inner
def replace_node(facts: Facts, state: State, i: int, j: int, work: Array) -> int:
    """Move all tasks of node i to the empty node j if that is cheaper and keeps all limits.

    Returns
    -------
    int
        By how much the cost fell.
    """
    length = state.count[i]
    gain = node_cost(facts, i, state.load[i], length) - node_cost(facts, j, state.load[i], length)
    if i == j or length == 0 or state.count[j] > 0 or gain <= 0:
        return 0
    for d in range(facts.weight.size):
        if facts.capacity[i, d] - state.room[i, d] > facts.capacity[j, d]:
            return 0
    tasks = state.slots[state.first[i] : state.first[i] + length].copy()
    if not facts.everywhere:
        for t in tasks:
            if not may_run(facts, t, j):
                return 0
    _move_all(facts, state, tasks, length, j)
    work[1] += 1
    return int(gain)
