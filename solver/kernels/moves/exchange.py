"""The exchange of up to two tasks for up to two between a pair of nodes that saves most.

Relocation (one for none), swap (one for one) and two-for-one are all exchanges of sets. The
cost of a pair of nodes is convex and piecewise linear in the load that changes sides; so for
each set of the one node the best partner among those of the other, sorted by demand, stands
next to a known place. Bisection finds it, and the search walks away from there only past
sets that would break a hard limit.
"""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import lean
from ..settings import LOOPS
from ..state import Facts, State, node_cost
from .sets import Buffers, collect, need_of, pair_cost, swap_sets

__all__ = ["improve_pair"]

_WALK = LOOPS.walk


@lean
def _keeps_limits(
    facts: Facts, state: State, i: int, j: int, buffers: Buffers, a: int, b: int
) -> bool:
    """Whether both nodes keep their hard limits when set a of node i and b of j change sides."""
    for d in range(facts.weight.size):
        shift = need_of(facts, buffers, 0, a, d) - need_of(facts, buffers, 1, b, d)
        if state.room[i, d] + shift < 0 or state.room[j, d] - shift < 0:
            return False
    return True


@lean
def _best_shift(facts: Facts, state: State, i: int, j: int) -> int:
    """A load that should go from node i to node j for the two to cost least.

    Their cost is convex in it, with a kink where either node is just full; where it still falls
    beyond both, all of the load of one should go.
    """
    above = state.load[i] - facts.node_compute[i]
    free = facts.node_compute[j] - state.load[j]
    saved = facts.use[i] - facts.use[j]
    if saved == 0:
        if facts.price[i] == facts.price[j]:
            return int((above + free) // 2)
        return int(above if facts.price[i] > facts.price[j] else free)
    if saved > facts.price[j]:
        return int(state.load[i])
    if -saved > facts.price[i]:
        return int(-state.load[j])
    first, last = min(above, free), max(above, free)
    between = facts.price[j] - facts.price[i] if free < above else 0  # slope there, less `saved`
    return int(first if between > saved else last)


@lean
def _bisect(load: Array, order: Array, size: int, wanted: int) -> int:
    """Place in the order of the first set whose demand is at least `wanted`."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if load[order[middle]] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@lean
def improve_pair(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    pairs: bool,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """Make the exchange between nodes i and j that lowers the cost most and keeps all limits.

    Parameters
    ----------
    pairs : bool
        Whether sets of two tasks count, or single ones only.

    Returns
    -------
    int
        By how much the cost fell, 0 if no exchange lowers it.
    """
    size_i = collect(facts, state, i, j, 0, pairs, buffers, rng)
    size_j = collect(facts, state, j, i, 1, pairs, buffers, rng)
    present = node_cost(facts, i, state.load[i], state.count[i])
    present += node_cost(facts, j, state.load[j], state.count[j])
    best, best_a, best_b = present, -1, -1
    target = _best_shift(facts, state, i, j)
    # Local names for what the inner loop reads: it is where the time goes.
    load_a, order_a = buffers.load[0], buffers.order[0]
    load_b, order_b = buffers.load[1], buffers.order[1]
    above_i, above_j = state.load[i] - facts.node_compute[i], state.load[j] - facts.node_compute[j]
    price_i, price_j = facts.price[i], facts.price[j]
    saved = facts.use[i] - facts.use[j]
    used = facts.use[i] * state.load[i] + facts.use[j] * state.load[j]
    looked = 0
    for k in range(size_i):
        a = order_a[k]
        begin = _bisect(load_b, order_b, size_j, load_a[a] - target)
        for step in (1, -1):
            at = begin if step == 1 else begin - 1
            for _ in range(_WALK):
                if at < 0 or at >= size_j:
                    break
                b = order_b[at]
                at += step
                looked += 1
                shift = load_a[a] - load_b[b]
                least = price_i * max(0, above_i - shift) + price_j * max(0, above_j + shift)
                least += used - saved * shift
                if least >= best:
                    break  # further on it only grows
                cost = pair_cost(facts, state, i, j, buffers, a, b)
                if cost < best and _keeps_limits(facts, state, i, j, buffers, a, b):
                    best, best_a, best_b = cost, a, b
    buffers.work[0] += looked
    if best_a < 0:
        return 0
    swap_sets(facts, state, i, j, buffers, best_a, best_b)
    return int(present - best)
