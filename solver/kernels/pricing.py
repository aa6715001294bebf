"""Pricing: the most profitable set of tasks for one node, exactly, by branch and bound.

    maximise   sum_k  pi_k a_k - idle - o max(0, sum_k D_k a_k - C)     or 0, for no task at all
    subject to sum_k  q_kd a_k <= Q_d      each hard dimension
               0 <= a_k <= b_k, integer

a knapsack with several capacities, one of which is soft. A branch is bounded by the Lagrangian
of its capacities: for any multipliers 0 <= l <= o and u >= 0,

    value + l (C - L) + sum_d u_d (room left) + sum_{k still open} b_k max(0, pi_k - l D_k - u q_k)

is no less than what the branch can reach. Profits are integers and values exact; the bound is
computed in floating point and trusted only to a margin far above its rounding error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..exact import Array
from .jit import inner, kernel

__all__ = ["Knapsack", "multipliers", "price_out"]

_MARGIN = 1e-9
_STEPS = 60


class Knapsack(NamedTuple):
    """The pricing problem of one class of nodes.

    Attributes
    ----------
    demand, most : (K,) int64
        Demand of each class of tasks, and how many of it one node may hold, 0 if none.
    needs : (K, d) int64
    capacity : int
        Compute, C.
    price, idle : int
        Overload price and cost of being on, in units of the profits.
    room : (d,) int64
    """

    demand: Array
    most: Array
    needs: Array
    capacity: int
    price: int
    idle: int
    room: Array


@inner
def _bound_at(knapsack: Knapsack, profit: Array, l: float, u: Array) -> float:  # noqa: E741
    """The Lagrangian of the whole knapsack."""
    bound = l * knapsack.capacity
    for d in range(u.size):
        bound += u[d] * knapsack.room[d]
    for k in range(profit.size):
        gain = profit[k] - l * knapsack.demand[k]
        for d in range(u.size):
            gain -= u[d] * knapsack.needs[k, d]
        if gain > 0:
            bound += knapsack.most[k] * gain
    return bound


@kernel
def multipliers(knapsack: Knapsack, profit: Array, weights: Array) -> float:
    """Find multipliers of the capacities that bound the knapsack well.

    Coordinate descent with a shrinking step: the Lagrangian is convex, and any multipliers
    in their range are valid.

    Parameters
    ----------
    profit : (K,) int64
    weights : (1 + d,) float64
        Where to begin; becomes the result: l, then u.

    Returns
    -------
    float
        The bound at the result.
    """
    dims = knapsack.room.size
    best = _bound_at(knapsack, profit, weights[0], weights[1:])
    most = 0.0
    for k in range(profit.size):
        most += float(profit[k]) * knapsack.most[k]
    steps = np.empty(1 + dims)
    for c in range(1 + dims):
        size = knapsack.capacity if c == 0 else knapsack.room[c - 1]
        steps[c] = max(weights[c] * 0.5, most / max(1.0, float(size)) * 0.05)
    for _ in range(_STEPS):
        for c in range(1 + dims):
            old = weights[c]
            for direction in (1.0, -1.0):
                trial = max(0.0, old + direction * steps[c])
                if c == 0:
                    trial = min(trial, float(knapsack.price))
                weights[c] = trial
                bound = _bound_at(knapsack, profit, weights[0], weights[1:])
                if bound < best:
                    best, old = bound, trial
                    break
                weights[c] = old
            else:
                steps[c] *= 0.5
    return best


@inner
def _sorted_items(knapsack: Knapsack, profit: Array, weights: Array) -> tuple[Array, Array]:
    """The classes that fit, by falling reduced profit, and these profits."""
    K, dims = profit.size, knapsack.room.size
    order, gain = np.empty(K, dtype=np.int64), np.empty(K)
    size = 0
    for k in range(K):
        if knapsack.most[k] == 0:
            continue
        reduced = profit[k] - weights[0] * knapsack.demand[k]
        for d in range(dims):
            reduced -= weights[1 + d] * knapsack.needs[k, d]
        at = size
        while at > 0 and gain[at - 1] < reduced:
            gain[at], order[at] = gain[at - 1], order[at - 1]
            at -= 1
        gain[at], order[at] = reduced, k
        size += 1
    return order[:size].copy(), gain[:size].copy()


@kernel
def price_out(
    knapsack: Knapsack,
    profit: Array,
    weights: Array,
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
    weights : (1 + d,) float64
        Multipliers; see `multipliers`.
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
        Branches, added to.

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
    dims, length = knapsack.room.size, found.shape[1]
    order, gain = _sorted_items(knapsack, profit, weights)
    size = order.size
    suffix = np.zeros(size + 1)
    for t in range(size - 1, -1, -1):
        suffix[t] = suffix[t + 1] + max(0.0, gain[t]) * knapsack.most[order[t]]
    base = weights[0] * knapsack.capacity - float(knapsack.idle)
    scale = abs(base) + suffix[0] + float(knapsack.idle)
    for d in range(dims):
        base += weights[1 + d] * knapsack.room[d]
        scale += weights[1 + d] * knapsack.room[d]
    margin = _MARGIN * scale + 1.0
    # Bound of a branch: what it has gained over the multipliers so far, base and suffix.
    gained = np.zeros(length + 1)
    total, load = np.zeros(length + 1, dtype=np.int64), np.zeros(length + 1, dtype=np.int64)
    item = np.zeros(length + 1, dtype=np.int64)
    item[0] = -1
    amount = np.zeros(size, dtype=np.int64)
    room = knapsack.room.copy()
    best, count, used, depth = threshold, 0, 0, 0
    left_out = -np.inf
    while True:
        item[depth] += 1
        t = item[depth]
        if t < size:
            bound = base + gained[depth] + suffix[t] - amount[t] * max(0.0, gain[t])
            if bound > best + tolerance - margin:
                k = order[t]
                fits = amount[t] < knapsack.most[k]
                for d in range(dims):
                    fits = fits and room[d] >= knapsack.needs[k, d]
                if not fits:
                    continue
                if used >= branches or depth == length or (everything and count > values.size):
                    left_out = max(left_out, bound + margin)
                    t = size  # the other items of this depth are bounded by this one
                else:
                    used += 1
                    amount[t] += 1
                    for d in range(dims):
                        room[d] -= knapsack.needs[k, d]
                    gained[depth + 1] = gained[depth] + gain[t]
                    total[depth + 1] = total[depth] + profit[k]
                    load[depth + 1] = load[depth] + knapsack.demand[k]
                    depth += 1
                    item[depth] = t - 1  # the same item may come again
                    value = total[depth] - knapsack.idle
                    value -= knapsack.price * max(0, load[depth] - knapsack.capacity)
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
