"""Sets of tasks that fill a node exactly, found by meeting in the middle.

In a dimension whose capacity is needed to the last unit every node must be filled exactly. The
needs of a set in those dimensions are summed up to one number, a linear hash: two sets fill a node
together if their numbers add up to that of the node (Horowitz and Sahni 1974, "Computing partitions
with applications to the knapsack problem"). Whatever is found is checked in exact integers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, kernel, lean

__all__ = ["Halves", "Target", "exact_fills", "fill_one", "make_halves"]

_MIX = -7046029254386353131  # 2**64 divided by the golden ratio, as int64
_SHIFT = 20
_BITS = 20  # of the position of a task in a packed set


class Target(NamedTuple):
    """A node to be filled, and the tasks that may.

    Attributes
    ----------
    needs : (m, d) int64
    keys : (m,) int64
        The linear hash of the needs, modulo 2**64.
    room : (d,) int64
        What is to be filled.
    exact : (d,) bool
        Where to the last unit.
    key : (1,) int64
        The linear hash of the room.
    """

    needs: Array
    keys: Array
    room: Array
    exact: Array
    key: Array


class Halves(NamedTuple):
    """Space for the sets of either side: a hash table of the one and a list of the other.

    Attributes
    ----------
    table_key, table_set : (power of two,) int64
        Numbers and sets; -1 where a place is free.
    list_key, list_set : (half of that,) int64
    """

    table_key: Array
    table_set: Array
    list_key: Array
    list_set: Array


def make_halves(size: int) -> Halves:
    """Space for `size` sets of either side, a power of two."""
    return Halves(
        np.zeros(2 * size, dtype=np.int64),
        np.full(2 * size, -1, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
    )


@lean
def _index(halves: Halves, size: int) -> None:
    """Put the first `size` sets of the list into the table."""
    mask = halves.table_key.size - 1
    halves.table_set[:] = -1
    for x in range(size):
        at = ((halves.list_key[x] * _MIX) >> _SHIFT) & mask
        while halves.table_set[at] >= 0:
            at = (at + 1) & mask
        halves.table_key[at] = halves.list_key[x]
        halves.table_set[at] = halves.list_set[x]


@lean
def _fits_still(target: Target, used: Array, t: int) -> bool:
    for k in range(target.room.size):  # noqa: SIM110 - numba has no all() of a generator
        if used[k] + target.needs[t, k] > target.room[k]:
            return False
    return True


@inner
def _list_small(target: Target, size: int, part: int, start: Array, halves: Halves) -> int:
    """List the sets of one to three tasks whose number is `part` modulo the number of parts.

    Returns the count, or -1 if there are too many. The first task of a set stands in its
    highest bits.

    Parameters
    ----------
    start : (parts + 1 + m,) int64
        For each rest where its tasks begin, and behind that the tasks, ascending for each rest.
    """
    m, d = target.needs.shape
    parts = start.size - m - 1
    used = np.zeros((3, d), dtype=np.int64)
    chosen, key = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    depth, count = 0, 0
    while depth >= 0:
        if depth == size - 1:
            rest = (part - key[depth]) & (parts - 1)
            packed = 0
            for at in range(depth):
                packed = (packed << _BITS) | chosen[at]
            for at in range(start[rest], start[rest + 1]):
                t = start[parts + 1 + at]
                if t < chosen[depth] or not _fits_still(target, used[depth], t):
                    continue
                if count == halves.list_key.size:
                    return -1
                halves.list_key[count] = key[depth] + target.keys[t]
                halves.list_set[count] = (packed << _BITS) | t
                count += 1
        elif chosen[depth] < m:
            t = chosen[depth]
            if not _fits_still(target, used[depth], t):
                chosen[depth] += 1
                continue
            for k in range(d):
                used[depth + 1, k] = used[depth, k] + target.needs[t, k]
            key[depth + 1] = key[depth] + target.keys[t]
            depth += 1
            chosen[depth] = t + 1
            continue
        depth -= 1
        if depth >= 0:
            chosen[depth] += 1
    return count


@inner
def _by_rest(keys: Array, parts: int) -> Array:
    """The tasks by their number modulo `parts`: where each rest begins, then the tasks."""
    start = np.zeros(parts + 1 + keys.size, dtype=np.int64)
    for t in range(keys.size):
        start[(keys[t] & (parts - 1)) + 1] += 1
    for rest in range(parts):
        start[rest + 1] += start[rest]
    fill = start[:parts].copy()
    for t in range(keys.size):
        rest = keys[t] & (parts - 1)
        start[parts + 1 + fill[rest]] = t
        fill[rest] += 1
    return start


@kernel
def exact_fills(
    target: Target, size: int, part: int, parts: int, halves: Halves, fills: Array, count: int
) -> int:
    """Add the sets of `size` tasks, two to six, that fill the target, as far as in one part.

    Parameters
    ----------
    part, parts : int
        Of the sets with the later half of the tasks, those whose number is `part` modulo `parts`, a
        power of two: each part takes little space.
    fills : (most, 6) int64
        The sets so far, -1 behind their tasks.
    count : int
        How many there are.

    Returns
    -------
    int
        How many there are now; -1 if there is no space for all, of sets or of fills.
    """
    later, start = size - size // 2, _by_rest(target.keys, parts)
    listed = _list_small(target, later, part, start, halves)
    if listed < 0:
        return -1
    _index(halves, listed)
    wanted = (target.key[0] - part) & (parts - 1)
    others = _list_small(target, size // 2, wanted, start, halves)
    if others < 0:
        return -1
    mask, low = halves.table_key.size - 1, (1 << _BITS) - 1
    for x in range(others):
        key = target.key[0] - halves.list_key[x]
        at = ((key * _MIX) >> _SHIFT) & mask
        while halves.table_set[at] >= 0:
            first = halves.table_set[at] >> (_BITS * (later - 1))
            if halves.table_key[at] == key and (halves.list_set[x] & low) < first:
                if count == fills.shape[0]:
                    return -1
                fills[count] = -1
                packed = halves.table_set[at]
                for place in range(later):
                    fills[count, size - 1 - place] = packed & low
                    packed >>= _BITS
                packed = halves.list_set[x]
                for place in range(size // 2):
                    fills[count, size // 2 - 1 - place] = packed & low
                    packed >>= _BITS
                count += _is_filled(target, fills[count], size)
            at = (at + 1) & mask
    return count


@lean
def _is_filled(target: Target, tasks: Array, size: int) -> int:
    """1 if the first `size` of the tasks fill the target, else 0."""
    for k in range(target.room.size):
        used = 0
        for at in range(size):
            used += target.needs[tasks[at], k]
        if used > target.room[k] or (target.exact[k] and used < target.room[k]):
            return 0
    return 1


@inner
def _list_masks(target: Target, tasks: Array, most: int, halves: Halves) -> int:
    """List the sets of at most so many of up to 62 tasks, as bits, as far as there is space."""
    p, d = tasks.size, target.room.size
    used = np.zeros((p + 1, d), dtype=np.int64)
    chosen = np.zeros(p + 1, dtype=np.int64)
    halves.list_key[0], halves.list_set[0] = 0, 0
    count, depth, key, bits = 1, 0, 0, 0
    while depth >= 0 and count < halves.list_key.size:
        at = chosen[depth]
        if at >= p or depth >= most:
            depth -= 1
            if depth >= 0:
                at = chosen[depth]
                key -= target.keys[tasks[at]]
                bits ^= 1 << at
                chosen[depth] += 1
            continue
        t = tasks[at]
        if not _fits_still(target, used[depth], t):
            chosen[depth] += 1
            continue
        key += target.keys[t]
        bits |= 1 << at
        halves.list_key[count], halves.list_set[count] = key, bits
        count += 1
        used[depth + 1] = used[depth] + target.needs[t]
        depth += 1
        chosen[depth] = at + 1
    return count


@kernel
def fill_one(
    target: Target,
    one: Array,
    other: Array,
    most: int,
    worth: Array,
    halves: Halves,
    found: Array,
    rng: np.random.Generator,
) -> int:
    """Fill the target with at most so many tasks of one list and of another, at most 62 each.

    Parameters
    ----------
    worth : (m,) float64
        Of all fills that of about the greatest worth in all is chosen.
    found : (2,) int64
        Gets the tasks of either list, as bits.

    Returns
    -------
    int
        How many fills there were to choose from.
    """
    _index(halves, _list_masks(target, one, most, halves))
    listed = _list_masks(target, other, most, halves)
    mask, hits, best = halves.table_key.size - 1, 0, -np.inf
    tasks = np.empty(one.size + other.size, dtype=np.int64)
    for x in range(listed):
        key = target.key[0] - halves.list_key[x]
        at = ((key * _MIX) >> _SHIFT) & mask
        while halves.table_set[at] >= 0:
            if halves.table_key[at] == key:
                size, value = 0, 0.0
                for side in range(2):
                    bits = halves.table_set[at] if side == 0 else halves.list_set[x]
                    members = one if side == 0 else other
                    for place in range(members.size):
                        if (bits >> place) & 1:
                            tasks[size] = members[place]
                            value += worth[members[place]]
                            size += 1
                value *= 0.9 + 0.1 * rng.random()
                if _is_filled(target, tasks, size):
                    hits += 1
                    if value > best:
                        best = value
                        found[0], found[1] = halves.table_set[at], halves.list_set[x]
            at = (at + 1) & mask
    return hits
