"""A good set of tasks for one node, quickly: greedy by what a task brings, then exchanges.

The pricing problem is that of `kernels.pricing`. Tasks are taken by falling profit over the price
of what they use, at multipliers of the capacities (Pirkul 1987, "A heuristic solution procedure
for the multiconstraint zero-one knapsack problem"); then single tasks are added, taken off or
exchanged as long as that pays.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from .build.jit import inner, kernel, lean
from .settings import LOOPS
from .tables import Knapsack

__all__ = ["fill_node"]
_PASSES = LOOPS.filling_passes


@lean
def _fits(knapsack: Knapsack, k: int, gone: int, room: Array, amount: Array, held: Array) -> bool:
    """Whether a task of class k has room, one of class `gone` (or none: -1) taken off before."""
    for d in range(room.size):
        left = room[d] - knapsack.needs[k, d]
        if gone >= 0:
            left += knapsack.needs[gone, d]
        if left < 0:
            return False
    if knapsack.apart.size > 0:
        for j in held:
            if amount[j] > (1 if j == gone else 0) and knapsack.apart[k, j]:
                return False
    return True


@lean
def _change(knapsack: Knapsack, profit: Array, k: int, gone: int, load: int) -> int:
    """By how much the value rises if one of class k comes and one of `gone` leaves; -1: none."""
    change, after = 0, load
    if k >= 0:
        change += profit[k]
        after += knapsack.demand[k]
    if gone >= 0:
        change -= profit[gone]
        after -= knapsack.demand[gone]
    above = max(0, after - knapsack.node_compute) - max(0, load - knapsack.node_compute)
    return change - knapsack.overload_price * above


@lean
def _put(knapsack: Knapsack, k: int, times: int, room: Array, amount: Array) -> int:
    """Put so many tasks of class k on the node, or take them off; how the load changes."""
    amount[k] += times
    for d in range(room.size):
        room[d] -= times * knapsack.needs[k, d]
    more: int = times * knapsack.demand[k]
    return more


@inner
def _ranked(knapsack: Knapsack, profit: Array, allowed: Array, weights: Array) -> Array:
    """The classes that may come, by falling profit over the price of what they use."""
    size, total = 0, 0.0
    for k in range(profit.size):
        if allowed[k] > 0 and profit[k] > 0:
            size += 1
            total += profit[k]
    ranked, score = np.empty(size, dtype=np.int64), np.empty(size)
    little = 1e-6 * total / max(1, size) + 1e-9
    filled = 0
    for k in range(profit.size):
        if allowed[k] > 0 and profit[k] > 0:
            price = little + weights[0] * knapsack.demand[k]
            for d in range(knapsack.capacity.size):
                price += weights[1 + d] * knapsack.needs[k, d]
            score[filled], ranked[filled] = profit[k] / price, k
            filled += 1
    gap = size // 2
    while gap > 0:  # Shell's sort: a sort of NumPy's takes numba a second to compile
        for t in range(gap, size):
            ratio, k, at = score[t], ranked[t], t
            while at >= gap and score[at - gap] < ratio:
                score[at], ranked[at] = score[at - gap], ranked[at - gap]
                at -= gap
            score[at], ranked[at] = ratio, k
        gap //= 2
    return ranked


@kernel
def fill_node(
    knapsack: Knapsack, profit: Array, allowed: Array, weights: Array, amount: Array
) -> int:
    """Fill one node greedily and improve it by exchanges.

    Parameters
    ----------
    knapsack : Knapsack
    profit : (K,) int64
    allowed : (K,) int64
        How many of each class to use at most.
    weights : (1 + d,) float64
        Multipliers of the capacities, at least 0.
    amount : (K,) int64
        Becomes how many of each class are taken.

    Returns
    -------
    int
        The value of the set, idle cost taken off; 0 for the empty one.
    """
    ranked = _ranked(knapsack, profit, allowed, weights)
    room, load, value = knapsack.capacity.copy(), 0, 0
    taken = 0
    for k in range(amount.size):
        amount[k] = 0
    for _ in range(_PASSES):
        improved = False
        for k in ranked:
            while amount[k] < allowed[k] and _fits(knapsack, k, -1, room, amount, ranked):
                change = _change(knapsack, profit, k, -1, load)
                if change <= 0:
                    break
                load += _put(knapsack, k, 1, room, amount)
                value += change
                taken += 1
                improved = True
        for t in range(ranked.size - 1, -1, -1):
            gone = ranked[t]
            if amount[gone] == 0:
                continue
            best, chosen = _change(knapsack, profit, -1, gone, load), -1
            for k in ranked:
                if k == gone or amount[k] >= allowed[k]:
                    continue
                change = _change(knapsack, profit, k, gone, load)
                if change > max(best, 0) and _fits(knapsack, k, gone, room, amount, ranked):
                    best, chosen = change, k
            if best > 0:
                load += _put(knapsack, gone, -1, room, amount)
                taken -= 1
                if chosen >= 0:
                    load += _put(knapsack, chosen, 1, room, amount)
                    taken += 1
                value += best
                improved = True
        if not improved:
            break
    return value - knapsack.idle_cost if taken > 0 else 0
