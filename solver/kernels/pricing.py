"""Pricing: the most profitable set of tasks for one node, exactly, by branch and bound.

    maximise   sum_k  pi_k a_k - idle - o max(0, sum_k D_k a_k - C)     or 0, for no task at all
    subject to sum_k  q_kd a_k <= Q_d      each hard dimension
               0 <= a_k <= b_k, integer

a knapsack with several capacities, one of which is soft. A branch is bounded once for each
capacity: that one is kept, in a dynamic program over its use in buckets of a fixed size, and the
others are relaxed with multipliers 0 <= l <= o for the compute and u >= 0 for the hard ones
(Lagrangian; Kellerer, Pferschy and Pisinger 2004, "Knapsack Problems", chapter 9). Sizes are
rounded down to buckets, so that the table never says less than what the branch can reach.
Profits are integers and values exact; the bounds are computed in floating point and trusted only
to a margin far above their rounding error.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from .build.jit import kernel, lean
from .tables import Knapsack, Tables

__all__ = ["price_out"]


@lean
def _bound_from(
    tables: Tables, t: int, gained: Array, at: Array, beyond: float, least: float
) -> float:
    """Most that a branch can be worth with items from t on, or a bound that is at most `least`."""
    last = tables.value.shape[2] - 1
    bound = np.inf
    for c in range(at.size):
        b = min(last, at[c])
        reach = gained[c] + tables.value[c, t, b]
        bound = min(bound, reach - beyond * (at[c] - b))
        if bound <= least:
            break
    return bound


@lean
def _may_join(knapsack: Knapsack, k: int, room: Array, order: Array, items: Array) -> bool:
    """Whether a task of class k has room beside some items, and may be with each of them."""
    for d in range(room.size):
        if room[d] < knapsack.needs[k, d]:
            return False
    if knapsack.apart.size > 0:
        for p in range(items.size):
            if knapsack.apart[k, order[items[p]]]:
                return False
    return True


@kernel
def price_out(
    knapsack: Knapsack,
    profit: Array,
    allowed: Array,
    tables: Tables,
    threshold: int,
    tolerance: int,
    everything: bool,
    branches: int,
    found: Array,
    values: Array,
    work: Array,
) -> tuple[int, int, float]:
    """Look for sets of tasks whose value is above a threshold.

    Parameters
    ----------
    knapsack : Knapsack
    profit : (K,) int64
        In units of the prices; values must stay below 2**62.
    allowed : (K,) int64
        How many of each class to use, at most ``knapsack.most``.
    tables : Tables
        Of this knapsack and these profits.
    threshold : int
    tolerance : int
        Branches that cannot exceed the threshold by more than this are not looked at.
    everything : bool
        Whether all sets above the threshold are wanted; otherwise each one found raises it.
    branches : int
        Limit of the search.
    found : (size, length) int32
        Gets the sets as lists of classes, -1 behind the end: the last ones found, or all.
        Sets of more than `length` tasks are not looked at.
    values : (size,) int64
        Gets their values.
    work : (1,) int64
        Branches looked at, added to.

    Returns
    -------
    count : int
        Sets found, of which the last `size` are kept; with `everything` the search ends once
        there are more than `size`.
    best : int
        The greatest value found, or the threshold.
    bound : float
        No set has a value above this and above ``best + tolerance``; minus infinity if
        nothing was left out.
    """
    dims, length = knapsack.capacity.size, found.shape[1]
    order, size = tables.order, tables.order.size
    beyond = float(knapsack.overload_price) * tables.bucket[0]
    gained = np.zeros((length + 1, 1 + dims))  # base and gains so far
    at = np.zeros((length + 1, 1 + dims), dtype=np.int64)  # buckets in use
    for c in range(1 + dims):
        gained[0, c] = tables.base[c]
    total, load = np.zeros(length + 1, dtype=np.int64), np.zeros(length + 1, dtype=np.int64)
    item = np.zeros(length + 1, dtype=np.int64)
    item[0] = -1
    amount = np.zeros(size, dtype=np.int64)
    room = knapsack.capacity.copy()
    best, count, used, depth = threshold, 0, 0, 0
    left_out = -np.inf
    while True:
        item[depth] += 1
        t = item[depth]
        if t < size:
            used += 1
            least = best + tolerance - tables.margin
            bound = _bound_from(tables, t, gained[depth], at[depth], beyond, least)
            if bound > least:
                k = order[t]
                if amount[t] >= allowed[k] or not _may_join(knapsack, k, room, order, item[:depth]):
                    continue
                if used >= branches or depth == length or (everything and count > values.size):
                    left_out = max(left_out, bound + tables.margin)
                    t = size  # the other items of this depth are bounded by this one
                else:
                    amount[t] += 1
                    total[depth + 1] = total[depth] + profit[k]
                    load[depth + 1] = load[depth] + knapsack.demand[k]
                    at[depth + 1, 0] = load[depth + 1] // tables.bucket[0]
                    for d in range(dims):
                        room[d] -= knapsack.needs[k, d]
                        filled = knapsack.capacity[d] - room[d]
                        at[depth + 1, 1 + d] = filled // tables.bucket[1 + d]
                    for c in range(1 + dims):
                        gained[depth + 1, c] = gained[depth, c] + tables.gain[c, t]
                    depth += 1
                    item[depth] = t - 1  # the same item may come again
                    value = total[depth] - knapsack.idle_cost
                    value -= knapsack.overload_price * max(0, load[depth] - knapsack.node_compute)
                    if value > best:
                        row = count % values.size
                        for p in range(length):
                            found[row, p] = order[item[p]] if p < depth else -1
                        values[row] = value
                        count += 1
                        if not everything:
                            best = value
                    continue
            else:
                t = size  # no later item reaches further
        if t >= size:
            depth -= 1
            if depth < 0:
                work[0] += used
                return count, best, left_out
            t = item[depth]
            amount[t] -= 1
            for d in range(dims):
                room[d] += knapsack.needs[order[t], d]
