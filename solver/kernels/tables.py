"""The pricing problem, the multipliers of its capacities, the tables that bound its branches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from .build.jit import inner, kernel
from .settings import LOOPS

__all__ = ["Knapsack", "Tables", "make_tables", "multipliers", "upper_limit", "useful"]
_ROUNDING = 2.0**-50
_STEPS = LOOPS.multiplier_steps
_CELLS = LOOPS.table_cells
_MOST_BUCKETS, _FEWEST_BUCKETS = LOOPS.most_buckets, LOOPS.fewest_buckets


class Knapsack(NamedTuple):
    """The pricing problem of one class of nodes.

    Attributes
    ----------
    demand, most : (K,) int64
        Demand of each class of tasks, and how many of it one node may hold, 0 if none.
    needs : (K, d) int64
    node_compute : int
    overload_price, idle_cost : int
        In units of the profits.
    capacity : (d,) int64
        Of the hard dimensions.
    apart : (K, K) or (0, 0) bool
        Which classes may not be on one node together.
    """

    demand: Array
    most: Array
    needs: Array
    node_compute: int
    overload_price: int
    idle_cost: int
    capacity: Array
    apart: Array


class Tables(NamedTuple):
    """What the classes from a position on can add, for each capacity that is kept.

    Attributes
    ----------
    order : (n,) int64
        The classes that a node may hold, by falling profit reduced by all multipliers.
    gain : (1 + d, n) float64
        Profits in this order, reduced by the multipliers of the other capacities.
    value : (1 + d, n + 1, buckets + 1) float64
        Most that the classes from a position on add at a use of the capacity kept.
    base : (1 + d,) float64
        The multipliers times the other capacities, less the idle cost.
    bucket : (1 + d,) int64
        Size of a bucket.
    margin : float
        Far above what rounding can do to a bound.
    """

    order: Array
    gain: Array
    value: Array
    base: Array
    bucket: Array
    margin: float


@inner
def _bound_at(knapsack: Knapsack, profit: Array, l: float, u: Array) -> float:  # noqa: E741
    """The Lagrangian of the whole knapsack."""
    bound = l * knapsack.node_compute
    for d in range(u.size):
        bound += u[d] * knapsack.capacity[d]
    for k in range(profit.size):
        gain = profit[k] - l * knapsack.demand[k]
        for d in range(u.size):
            gain -= u[d] * knapsack.needs[k, d]
        if gain > 0:
            bound += knapsack.most[k] * gain
    return bound


@inner
def _make_valid(knapsack: Knapsack, weights: Array) -> None:
    """Move weights into the range of valid multipliers: 0 <= l <= o, u >= 0, all finite."""
    for c in range(weights.size):
        if not weights[c] >= 0.0 or weights[c] == np.inf:
            weights[c] = 0.0
    weights[0] = min(weights[0], float(knapsack.overload_price))


@kernel
def multipliers(knapsack: Knapsack, profit: Array, weights: Array) -> float:
    """Find multipliers of the capacities that bound the knapsack well.

    Coordinate descent with a shrinking step: the Lagrangian is convex, and any multipliers
    in their range are valid.

    Parameters
    ----------
    profit : (K,) int64
    weights : (1 + d,) float64
        Where to begin, in units of the profits; moved into the range of valid multipliers
        first. Becomes the result: l, then u.

    Returns
    -------
    float
        The bound at the result.
    """
    dims = knapsack.capacity.size
    _make_valid(knapsack, weights)
    best = _bound_at(knapsack, profit, weights[0], weights[1:])
    most = 0.0
    for k in range(profit.size):
        most += max(0.0, float(profit[k])) * knapsack.most[k]
    steps = np.empty(1 + dims)
    for c in range(1 + dims):
        size = knapsack.node_compute if c == 0 else knapsack.capacity[c - 1]
        steps[c] = max(weights[c] * 0.5, most / max(1.0, float(size)) * 0.05)
    for _ in range(_STEPS):
        for c in range(1 + dims):
            old = weights[c]
            for direction in (1.0, -1.0):
                trial = max(0.0, old + direction * steps[c])
                if c == 0:
                    trial = min(trial, float(knapsack.overload_price))
                weights[c] = trial
                bound = _bound_at(knapsack, profit, weights[0], weights[1:])
                if bound < best:
                    best, old = bound, trial
                    break
                weights[c] = old
            else:
                steps[c] *= 0.5
    return best


@kernel
def upper_limit(knapsack: Knapsack, profit: Array, weights: Array) -> float:
    """What no set of tasks is worth more than, by the Lagrangian at given multipliers.

    Parameters
    ----------
    profit : (K,) int64
    weights : (1 + d,) float64
        Multipliers; see `multipliers`. They are made valid here too.

    Returns
    -------
    float
        The idle cost is taken off; rounded up by more than rounding can have taken.
    """
    _make_valid(knapsack, weights)
    bound = _bound_at(knapsack, profit, weights[0], weights[1:])
    scale = float(knapsack.idle_cost) + weights[0] * knapsack.node_compute
    for d in range(knapsack.capacity.size):
        scale += weights[1 + d] * knapsack.capacity[d]
    for k in range(profit.size):
        price = weights[0] * knapsack.demand[k]
        for d in range(knapsack.capacity.size):
            price += weights[1 + d] * knapsack.needs[k, d]
        scale += (abs(float(profit[k])) + price) * knapsack.most[k]
    margin = _ROUNDING * scale * (100 + 64 * profit.size) + 1.0
    limit: float = bound - knapsack.idle_cost + margin
    return limit


@kernel
def useful(knapsack: Knapsack, profit: Array, weights: Array, least: float) -> Array:
    """How many of each class a set can have whose value is above a given one.

    A set with m tasks of a class whose reduced profit is negative is worth at least m times that
    less than the bound (Ingargiola and Korsh 1973).

    Parameters
    ----------
    profit : (K,) int64
    weights : (1 + d,) float64
        Multipliers; see `multipliers`. They are made valid here too.
    least : float

    Returns
    -------
    (K,) int64
    """
    room = upper_limit(knapsack, profit, weights) - least
    most = knapsack.most.copy()
    for k in range(profit.size):
        reduced = profit[k] - weights[0] * knapsack.demand[k]
        for d in range(knapsack.capacity.size):
            reduced -= weights[1 + d] * knapsack.needs[k, d]
        if room <= 0.0:
            most[k] = 0
        elif reduced * most[k] < -room:
            most[k] = int(room / -reduced)
    return most


@inner
def _order(knapsack: Knapsack, profit: Array, weights: Array) -> Array:
    """The classes that fit, by falling reduced profit."""
    K, dims = profit.size, knapsack.capacity.size
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
    return order[:size].copy()


@inner
def _add_class(row: Array, after: Array, gain: float, size: int, most: int, beyond: float) -> None:
    """One step of the dynamic program: up to `most` tasks of a class, in powers of two.

    `beyond` is the cost of a bucket beyond the last; infinite where that is the capacity.
    """
    top = row.size - 1
    for b in range(top + 1):  # a slice would compile numba's messages about shapes
        row[b] = after[b]
    if gain <= 0:
        return
    if size == 0:
        row += gain * most
        return
    left, times = most, 1
    while left > 0:
        times = min(times, left)
        left -= times
        step, more = size * times, gain * times
        for b in range(top + 1):
            to = b + step
            if to <= top:
                row[b] = max(row[b], row[to] + more)
            elif beyond < np.inf:
                row[b] = max(row[b], row[top] + more - beyond * (to - top))
            else:
                break
        times *= 2


@kernel
def make_tables(knapsack: Knapsack, profit: Array, weights: Array) -> Tables:
    """The bounds that `price_out` looks up.

    Parameters
    ----------
    profit : (K,) int64
    weights : (1 + d,) float64
        Multipliers; see `multipliers`. They are made valid here too: the bounds rest on it.
    """
    dims = knapsack.capacity.size
    _make_valid(knapsack, weights)
    order = _order(knapsack, profit, weights)
    n = order.size
    buckets = _CELLS // ((n + 1) * (1 + dims))
    buckets = max(_FEWEST_BUCKETS, min(_MOST_BUCKETS, buckets))
    gain = np.empty((1 + dims, n))
    value = np.zeros((1 + dims, n + 1, buckets + 1))
    base = np.full(1 + dims, -float(knapsack.idle_cost))
    bucket = np.ones(1 + dims, dtype=np.int64)
    scale = float(knapsack.idle_cost)
    for c in range(1 + dims):
        for t in range(n):
            k = order[t]
            reduced = float(profit[k])
            if c != 0:
                reduced -= weights[0] * knapsack.demand[k]
            for d in range(dims):
                if c != 1 + d:
                    reduced -= weights[1 + d] * knapsack.needs[k, d]
            gain[c, t] = reduced
        if c != 0:
            base[c] += weights[0] * knapsack.node_compute
        for d in range(dims):
            if c != 1 + d:
                base[c] += weights[1 + d] * knapsack.capacity[d]
        reach = 0.0
        for t in range(n):
            reach += max(0.0, gain[c, t]) * knapsack.most[order[t]]
        scale = max(scale, abs(base[c]) + reach + float(knapsack.idle_cost))
        if c == 0:
            range_of_loads, largest = 0.0, 0
            for t in range(n):
                largest = max(largest, knapsack.demand[order[t]])
                range_of_loads += float(knapsack.demand[order[t]]) * knapsack.most[order[t]]
            scale = max(scale, reach + float(knapsack.overload_price) * range_of_loads)
            range_of_loads = min(range_of_loads, 1.0 * knapsack.node_compute + largest)
            bucket[0] = max(1, int(range_of_loads / buckets) + 1)
            if range_of_loads <= buckets:
                bucket[0] = 1
            for b in range(buckets + 1):
                above = max(0, b * bucket[0] - knapsack.node_compute)
                value[0, n, b] = -float(knapsack.overload_price) * above
        else:
            # The last bucket begins at or below the capacity: what ends there is within it.
            bucket[c] = max(1, -(-knapsack.capacity[c - 1] // buckets))
        last = buckets if c == 0 else knapsack.capacity[c - 1] // bucket[c]
        beyond = float(knapsack.overload_price) * bucket[0] if c == 0 else np.inf
        for t in range(n - 1, -1, -1):
            k = order[t]
            size = knapsack.demand[k] if c == 0 else knapsack.needs[k, c - 1]
            _add_class(
                value[c, t, : last + 1], value[c, t + 1, : last + 1], gain[c, t],
                size // bucket[c], knapsack.most[k], beyond,
            )  # fmt: skip
    for k in range(profit.size):  # what a task costs at its use is summed as well
        scale += max(0.0, -float(profit[k])) * knapsack.most[k]
    margin = _ROUNDING * scale * (100 + 64 * n) + 1.0  # up to 64 sums for each class
    return Tables(order, gain, value, base, bucket, margin)
