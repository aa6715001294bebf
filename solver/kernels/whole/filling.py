"""Filling one node with many small parts: a dynamic program over the scarcest capacity.

Pricing by branch and bound (`kernels.pricing`) looks at one part after another and does not end
where a node holds dozens. Here one capacity is kept exactly, in buckets, the others are relaxed
with multipliers, and what breaks them is taken off again afterwards: a good set, not always the
best (Kellerer, Pferschy and Pisinger 2004, "Knapsack Problems", chapters 7 and 9).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, kernel
from ..tables import Knapsack

__all__ = ["Groups", "fill_node"]


class Groups(NamedTuple):
    """Items of which a node holds only so many in all, such as the modes of a class of tasks.

    Attributes
    ----------
    start : (groups + 1,) int64
    items : (K,) int64
        Every item, group by group.
    group : (K,) int64
        The group of each item.
    most : (groups,) int64
        Most items of each on one node.
    """

    start: Array
    items: Array
    group: Array
    most: Array


@inner
def _best_of_groups(
    groups: Groups, gain: Array, size: Array, most: Array, buckets: int, amounts: Array
) -> None:
    """The items of greatest gain within so many buckets, a group after the other."""
    count, deepest = groups.most.size, 0
    for c in range(count):
        deepest = max(deepest, groups.most[c])
    value = np.zeros((count + 1, buckets + 1))
    pick = np.full((count, deepest + 1, buckets + 1), -1, dtype=np.int32)
    copies = np.zeros((count, buckets + 1), dtype=np.int32)
    with_k, with_more = np.empty(buckets + 1), np.empty(buckets + 1)
    for c in range(count):
        for b in range(buckets + 1):
            with_k[b] = value[c, b]
            value[c + 1, b] = value[c, b]
        for k in range(1, groups.most[c] + 1):
            better = False
            for b in range(buckets + 1):
                with_more[b] = -np.inf
            for at in range(groups.start[c], groups.start[c + 1]):
                i = groups.items[at]
                if gain[i] <= 0 or most[i] == 0:
                    continue
                for b in range(size[i], buckets + 1):
                    reach = with_k[b - size[i]] + gain[i]
                    if reach > with_more[b]:
                        with_more[b] = reach
                        pick[c, k, b] = i
            for b in range(buckets + 1):
                if with_more[b] > value[c + 1, b]:
                    value[c + 1, b] = with_more[b]
                    copies[c, b] = k
                    better = True
                with_k[b] = with_more[b]
            if not better:
                break
    b = 0
    for other in range(buckets + 1):
        if value[count, other] > value[count, b]:
            b = other
    amounts[:] = 0
    for c in range(count - 1, -1, -1):
        k = copies[c, b]
        while k > 0:
            i = pick[c, k, b]
            amounts[i] += 1
            b -= size[i]
            k -= 1


@inner
def _take_off(
    knapsack: Knapsack, profit: Array, weights: Array, allowed: Array, amounts: Array, room: Array
) -> int:
    """Take off what a node has no room for; the load of what stays."""
    dims, load = room.size, 0
    for d in range(dims):
        room[d] = knapsack.capacity[d]
    for i in range(profit.size):
        amounts[i] = min(amounts[i], allowed[i])
        load += amounts[i] * knapsack.demand[i]
        for d in range(dims):
            room[d] -= amounts[i] * knapsack.needs[i, d]
    for d in range(dims):
        while room[d] < 0:
            worst, least = -1, np.inf
            for i in range(profit.size):
                need = knapsack.needs[i, d]
                if amounts[i] > 0 and need > 0:
                    gain = float(profit[i])
                    for e in range(dims):
                        if e != d:
                            gain -= weights[1 + e] * knapsack.needs[i, e]
                    if gain / need < least:
                        worst, least = i, gain / need
            amounts[worst] -= 1
            load -= knapsack.demand[worst]
            for e in range(dims):
                room[e] += knapsack.needs[worst, e]
    return load


@inner
def _top_up(
    knapsack: Knapsack,
    profit: Array,
    allowed: Array,
    groups: Groups,
    amounts: Array,
    room: Array,
    load: int,
) -> None:
    """Add the most profitable items that there is still room for."""
    held = np.zeros(groups.most.size, dtype=np.int64)
    for i in range(profit.size):
        held[groups.group[i]] += amounts[i]
    while True:
        best, most = -1, 0.0
        above = max(0, load - knapsack.node_compute)
        for i in range(profit.size):
            c = groups.group[i]
            if amounts[i] >= allowed[i] or held[c] >= groups.most[c]:
                continue
            fits = True
            for d in range(room.size):
                fits = fits and knapsack.needs[i, d] <= room[d]
            beyond = max(0, load + knapsack.demand[i] - knapsack.node_compute) - above
            gain = float(profit[i]) - float(knapsack.overload_price) * beyond
            if fits and gain > most:
                best, most = i, gain
        if best < 0:
            return
        amounts[best] += 1
        held[groups.group[best]] += 1
        load += knapsack.demand[best]
        for d in range(room.size):
            room[d] -= knapsack.needs[best, d]


@kernel
def fill_node(
    knapsack: Knapsack,
    profit: Array,
    allowed: Array,
    weights: Array,
    kept: int,
    most_buckets: int,
    groups: Groups,
    amounts: Array,
) -> bool:
    """Fill a node well, at given multipliers of all capacities but one.

    Parameters
    ----------
    knapsack : Knapsack
    profit : (K,) int64
    allowed : (K,) int64
        How many of each item to use.
    weights : (1 + d,) float64
        Multipliers of the compute and of each hard dimension; that of the one kept is not used.
    kept : int
        The hard dimension that is kept by the dynamic program.
    most_buckets : int
        Buckets that it is divided into, at most; sizes are rounded up to whole ones.
    groups : Groups
    amounts : (K,) int64
        Gets how many of each item the node holds; all capacities are kept, and groups are.

    Returns
    -------
    bool
        Whether the relaxed capacities had been kept before anything was taken off.

    Notes
    -----
    Complexity: O(buckets x sum over groups of items x most), plus little.
    """
    K, dims = profit.size, knapsack.capacity.size
    bucket = 1 + knapsack.capacity[kept] // (most_buckets + 1)
    gain, size = np.empty(K), np.empty(K, dtype=np.int64)
    for i in range(K):
        gain[i] = profit[i] - weights[0] * knapsack.demand[i]
        for d in range(dims):
            if d != kept:
                gain[i] -= weights[1 + d] * knapsack.needs[i, d]
        size[i] = -(-knapsack.needs[i, kept] // bucket)
    buckets = knapsack.capacity[kept] // bucket
    _best_of_groups(groups, gain, size, knapsack.most, buckets, amounts)
    room = np.empty(dims, dtype=np.int64)
    within = True
    for d in range(dims):
        room[d] = knapsack.capacity[d]
        for i in range(K):
            room[d] -= amounts[i] * knapsack.needs[i, d]
        within = within and room[d] >= 0
    load = _take_off(knapsack, profit, weights, allowed, amounts, room)
    _top_up(knapsack, profit, allowed, groups, amounts, room, load)
    return within
