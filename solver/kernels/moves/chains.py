"""Ejection chains over three nodes: a task moves in where another moves on.

(Glover 1996, "Ejection chains, reference structures and alternating path methods for
traveling salesman problems": a chain is built of moves each of which makes the next one
possible.)
"""

from __future__ import annotations

import numpy as np

from ..build.jit import lean
from ..fits import fits
from ..settings import LOOPS
from ..state import Facts, State, move, node_cost
from .sets import Buffers, collect

__all__ = ["improve_chain"]

_SAMPLE = LOOPS.chain_sample


@lean
def _holds(facts: Facts, state: State, i: int, j: int, k: int, s: int, t: int) -> bool:
    """Whether node j holds s instead of t, and node k holds t as well."""
    if not fits(facts, state.room[k], t, k):
        return False
    for d in range(facts.weight.size):
        if state.room[j, d] + facts.needs[t, d] < facts.needs[s, d]:
            return False
    return True


@lean
def improve_chain(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    k: int,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """Make the best chain: a task from node i to j, and one from j on to k.

    Returns
    -------
    int
        By how much the cost fell, 0 if no chain lowers it.
    """
    size_i = collect(facts, state, i, j, 0, False, buffers, rng)
    size_j = collect(facts, state, j, k, 1, False, buffers, rng)
    present = node_cost(facts, i, state.load[i], state.count[i])
    present += node_cost(facts, j, state.load[j], state.count[j])
    present += node_cost(facts, k, state.load[k], state.count[k])
    best, best_s, best_t = present, -1, -1
    step_i, step_j = 1 + size_i // _SAMPLE, 1 + size_j // _SAMPLE
    for a in range(1 + int(rng.random() * step_i), size_i, step_i):
        s = buffers.tasks[0, a, 0]
        for b in range(1 + int(rng.random() * step_j), size_j, step_j):
            t = buffers.tasks[1, b, 0]
            buffers.work[0] += 1
            cost = node_cost(facts, i, state.load[i] - facts.demand[s], state.count[i] - 1)
            shift = facts.demand[s] - facts.demand[t]
            cost += node_cost(facts, j, state.load[j] + shift, state.count[j])
            cost += node_cost(facts, k, state.load[k] + facts.demand[t], state.count[k] + 1)
            if cost < best and _holds(facts, state, i, j, k, s, t):
                best, best_s, best_t = cost, s, t
    if best_s < 0:
        return 0
    move(facts, state, best_t, k)
    move(facts, state, best_s, j)
    buffers.work[1] += 1
    return int(present - best)
