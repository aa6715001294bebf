"""Exchanges for the hard limits: less excess, and free compute that tasks can use."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import lean
from ..state import Facts, State, excess_of, node_cost
from .sets import Buffers, collect, need_of, pair_cost, swap_sets

__all__ = ["feed_pair", "relieve_pair", "starvation"]

_LEAST = 1e-9


@lean
def _excess_after(
    facts: Facts, state: State, i: int, j: int, buffers: Buffers, a: int, b: int, most: float
) -> float:
    """Weighted excess of nodes i and j after an exchange; cut short once above `most`."""
    excess = 0.0
    for d in range(facts.weight.size):
        shift = need_of(facts, buffers, 0, a, d) - need_of(facts, buffers, 1, b, d)
        excess += facts.weight[d] * max(0, -state.room[i, d] - shift)
        excess += facts.weight[d] * max(0, shift - state.room[j, d])
        if excess > most:
            break
    return excess


@lean
def relieve_pair(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    pairs: bool,
    buffers: Buffers,
    rng: np.random.Generator,
) -> float:
    """Make the exchange between nodes i and j that lowers their excess most, then their cost.

    Returns
    -------
    float
        By how much the weighted excess fell, 0 if no exchange lowers it.
    """
    size_i = collect(facts, state, i, j, 0, pairs, buffers, rng)
    size_j = collect(facts, state, j, i, 1, pairs, buffers, rng)
    present = excess_of(facts, state, i) + excess_of(facts, state, j)
    best, best_cost, best_a, best_b = present - _LEAST, 0, -1, -1
    for a in range(size_i):
        for b in range(size_j):
            buffers.work[0] += 1
            excess = _excess_after(facts, state, i, j, buffers, a, b, best)
            if excess > best:
                continue
            cost = pair_cost(facts, state, i, j, buffers, a, b)
            if best_a < 0 or excess < best - _LEAST or cost < best_cost:
                best, best_cost, best_a, best_b = excess, cost, a, b
    if best_a < 0:
        return 0.0
    swap_sets(facts, state, i, j, buffers, best_a, best_b)
    return present - best


@lean
def starvation(free: int, room: Array, mean: Array) -> float:
    """Free compute that tasks of mean needs cannot use for want of a hard dimension.

    Parameters
    ----------
    free : int
        Free compute of a node.
    room : (d,) int64
        What it has left of each hard dimension.
    mean : (d,) float64
        What a task needs of it per unit of demand, on average.
    """
    worst = 0.0
    for d in range(mean.size):
        worst = max(worst, free - room[d] / mean[d])
    return worst


@lean
def _starvation_after(
    facts: Facts, state: State, i: int, j: int, mean: Array, buffers: Buffers, a: int, b: int
) -> float:
    """Starvation of nodes i and j after an exchange; infinite if it breaks a limit."""
    shift = buffers.load[0, a] - buffers.load[1, b]
    free_i = facts.node_compute[i] - state.load[i] + shift
    free_j = facts.node_compute[j] - state.load[j] - shift
    worst_i, worst_j = 0.0, 0.0
    for d in range(mean.size):
        need = need_of(facts, buffers, 0, a, d) - need_of(facts, buffers, 1, b, d)
        room_i, room_j = state.room[i, d] + need, state.room[j, d] - need
        if room_i < 0 or room_j < 0:
            return np.inf
        worst_i = max(worst_i, free_i - room_i / mean[d])
        worst_j = max(worst_j, free_j - room_j / mean[d])
    return worst_i + worst_j


@lean
def feed_pair(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    mean: Array,
    buffers: Buffers,
    rng: np.random.Generator,
) -> float:
    """Make the exchange of single tasks that makes most free compute usable, at no higher cost.

    Returns
    -------
    float
        By how much the starvation of the two nodes fell, in units of compute.
    """
    size_i = collect(facts, state, i, j, 0, False, buffers, rng)
    size_j = collect(facts, state, j, i, 1, False, buffers, rng)
    cost = node_cost(facts, i, state.load[i], state.count[i])
    cost += node_cost(facts, j, state.load[j], state.count[j])
    free_i = facts.node_compute[i] - state.load[i]
    free_j = facts.node_compute[j] - state.load[j]
    present = starvation(free_i, state.room[i], mean) + starvation(free_j, state.room[j], mean)
    best, best_a, best_b = present * (1 - 1e-6), -1, -1
    for a in range(size_i):
        for b in range(size_j):
            shift = buffers.load[0, a] - buffers.load[1, b]
            if shift > 0 and shift > free_j:
                continue
            buffers.work[0] += 1
            hunger = _starvation_after(facts, state, i, j, mean, buffers, a, b)
            if hunger < best and pair_cost(facts, state, i, j, buffers, a, b) <= cost:
                best, best_a, best_b = hunger, a, b
    if best_a < 0:
        return 0.0
    swap_sets(facts, state, i, j, buffers, best_a, best_b)
    return present - best
