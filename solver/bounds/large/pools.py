"""Pools of alike tasks: those of one eligibility that need the dimensions in like proportions."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from ...model.exact import Array

__all__ = ["Pools", "halved", "pooled"]


@dataclass(frozen=True)
class Pools:
    """A partition of classes of tasks.

    Attributes
    ----------
    pool : (K,) int64
        Of each class; -1 for a class that needs nothing.
    count : int
        How many there are.
    shares : (K, D) floats
        What the tasks of a class need, as shares of what all need.
    directions : (K, D) floats
        The same divided by their sum.
    """

    pool: Array
    count: int
    shares: Array
    directions: Array

    @property
    def first(self) -> Array:
        """(count,) the first class of each pool."""
        found = np.full(self.count, self.pool.size, dtype=np.int64)
        used = np.flatnonzero(self.pool >= 0)
        np.minimum.at(found, self.pool[used], used)
        return found

    def sums(self, values: Array) -> Array:
        """(count,) the sum of a value of the classes over each pool."""
        used = self.pool >= 0
        return np.bincount(self.pool[used], values[used], self.count)


def pooled(shares: Array, group: Array, most: int) -> Pools | None:
    """At most about so many pools of classes of the same group.

    Parameters
    ----------
    shares : (K, D) floats
    group : (K,) int64
        Only classes of one group are pooled.
    most : int

    Returns
    -------
    Pools or None
        None if there are more groups than that.
    """
    size = shares.sum(axis=1)
    used = size > 0
    directions = shares / np.where(used, size, 1.0)[:, None]
    kinds, kind = np.unique(group[used], return_inverse=True)
    if kinds.size > most:
        return None
    pool = np.full(group.size, -1, dtype=np.int64)
    if np.count_nonzero(used) <= most:
        pool[used] = np.arange(np.count_nonzero(used))
    elif _columns(directions[used]).size <= 1:
        pool[used] = _cut(directions[used], size[used], kind, most)
    else:
        pool[used] = _halve(directions[used], size[used], kind, np.arange(kinds.size), most)
    return Pools(pool, int(pool.max(initial=-1)) + 1, shares, directions)


def halved(pools: Pools, loss: Array, most: int) -> Pools:
    """The same with those pools divided that lose most, until there are so many.

    Parameters
    ----------
    pools : Pools
    loss : (count,) floats
        What is lost by taking the classes of each pool together.
    most : int
    """
    wanted = np.argsort(-loss, kind="stable")[: max(0, most - pools.count)]
    wanted = wanted[loss[wanted] > 0]
    if not wanted.size:
        return pools
    at = np.flatnonzero(np.isin(pools.pool, wanted))
    size = pools.shares[at].sum(axis=1)
    limit = max(2 * wanted.size, most - pools.count + wanted.size)
    parts = _halve(pools.directions[at], size, pools.pool[at], wanted, limit)
    pool = pools.pool.copy()
    pool[at] = parts + pools.count
    used = pool >= 0
    pool[used] = np.unique(pool[used], return_inverse=True)[1]
    return Pools(pool, int(pool.max(initial=-1)) + 1, pools.shares, pools.directions)


def _columns(directions: Array) -> Array:
    """The columns that tell directions apart: one of two that add up to a constant is enough."""
    wide = np.flatnonzero(np.ptp(directions, axis=0) > 0)
    return wide[:-1] if wide.size == 2 else wide


def _cut(directions: Array, size: Array, kind: Array, most: int) -> Array:
    """Pools of about equal size, cut along the one ratio there is."""
    column = _columns(directions)
    ratio = directions[:, column[0]] if column.size else np.zeros(size.size)
    order = np.lexsort((ratio, kind))
    of_kind = np.bincount(kind, size)
    parts = np.maximum(1, np.floor(most * of_kind / of_kind.sum())).astype(np.int64)
    before = np.concatenate(([0.0], np.cumsum(of_kind)[:-1]))
    middle = np.cumsum(size[order]) - size[order] / 2 - before[kind[order]]
    part = (middle / of_kind[kind[order]] * parts[kind[order]]).astype(np.int64)
    part = np.clip(part, 0, parts[kind[order]] - 1)
    start = np.concatenate(([0], np.cumsum(parts)[:-1]))
    pool = np.empty(size.size, dtype=np.int64)
    pool[order] = np.unique(start[kind[order]] + part, return_inverse=True)[1]
    return pool


def _halve(directions: Array, size: Array, kind: Array, kinds: Array, most: int) -> Array:
    """The widest pool is halved at the median of its widest column until there are enough."""

    def entry(members: Array) -> tuple[float, int, Array, int]:
        spread = np.ptp(directions[members], axis=0)
        column = int(np.argmax(spread))
        return -float(spread[column] * size[members].sum()), int(members[0]), members, column

    order = np.argsort(kind, kind="stable")
    edges = np.searchsorted(kind[order], kinds), np.searchsorted(kind[order], kinds, side="right")
    heap = [entry(order[a:b]) for a, b in zip(*edges, strict=True) if b > a]
    heapq.heapify(heap)
    while heap and len(heap) < most and heap[0][0] < 0:
        _, _, members, column = heapq.heappop(heap)
        rising = members[np.argsort(directions[members, column], kind="stable")]
        weight = np.cumsum(size[rising])
        middle = int(np.searchsorted(weight, weight[-1] / 2)) + 1
        middle = min(max(1, middle), rising.size - 1)
        for half in (rising[:middle], rising[middle:]):
            heapq.heappush(heap, entry(half))
    pool = np.empty(size.size, dtype=np.int64)
    for number, (_, _, members, _) in enumerate(heap):
        pool[members] = number
    return pool
