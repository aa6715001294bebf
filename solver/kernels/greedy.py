"""Greedy over a heap of the nodes by free compute: the same choices as looking at every node."""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from .build.jit import kernel, lean
from .fits import fits
from .settings import LOOPS
from .state import Facts

__all__ = ["fill_greedily"]

_LOOKS = LOOPS.greedy_looks
_SAMPLE = LOOPS.greedy_sample
_PARKED_FOR = LOOPS.parked_for


@lean
def _before(free: Array, entries: Array, a: int, b: int) -> bool:
    """Whether entry a of the heap comes before entry b: more free compute, then lower number."""
    if free[a] != free[b]:
        return bool(free[a] > free[b])
    return bool(entries[a] < entries[b])


@lean
def _swap(free: Array, entries: Array, a: int, b: int) -> None:
    free[a], free[b] = free[b], free[a]
    entries[a], entries[b] = entries[b], entries[a]


@lean
def _push(free: Array, entries: Array, size: int, key: int, node: int) -> int:
    """Add an entry to the heap of the given size; returns the new size."""
    free[size], entries[size] = key, node
    at = size
    while at > 0 and _before(free, entries, at, (at - 1) // 2):
        _swap(free, entries, at, (at - 1) // 2)
        at = (at - 1) // 2
    return size + 1


@lean
def _pop(free: Array, entries: Array, size: int) -> int:
    """Take the first entry off the heap: it comes to stand at the new size, which is returned."""
    size -= 1
    _swap(free, entries, 0, size)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return size
        if child + 1 < size and _before(free, entries, child + 1, child):
            child += 1
        if not _before(free, entries, child, at):
            return size
        _swap(free, entries, at, child)
        at = child


@lean
def _marginal_cost(facts: Facts, load: Array, count: Array, t: int, i: int) -> int:
    free = facts.node_compute[i] - load[i]
    growth = max(0, facts.demand[t] - max(0, free))
    cost = facts.price[i] * growth + facts.use[i] * facts.demand[t]
    if count[i] == 0:
        cost += facts.idle[i]
    return int(cost)


@lean
def _cheapest(facts: Facts, load: Array, count: Array, room: Array, t: int, nodes: Array) -> int:
    """The node of least marginal cost among some that can take task t; -1 if none can."""
    best, best_cost, best_free = -1, 0, 0
    for i in nodes:
        cost = _marginal_cost(facts, load, count, t, i)
        free = facts.node_compute[i] - load[i]
        if best >= 0 and (cost > best_cost or (cost == best_cost and free <= best_free)):
            continue
        if fits(facts, room[i], t, i):
            best, best_cost, best_free = i, cost, free
    return best


@lean
def _put(
    facts: Facts, node_of: Array, load: Array, count: Array, room: Array, t: int, i: int
) -> None:
    node_of[t] = i
    load[i] += facts.demand[t]
    count[i] += 1
    for d in range(facts.weight.size):
        room[i, d] -= facts.needs[t, d]


@kernel
def fill_greedily(
    facts: Facts,
    host_start: Array,
    hosts: Array,
    order: Array,
    node_of: Array,
    load: Array,
    count: Array,
    room: Array,
) -> int:
    """Place each task, in order, where the cost grows least; ties to the most free compute.

    A task that fits nowhere is left without a node.

    Parameters
    ----------
    facts : Facts
    host_start : (groups + 1,) int64
    hosts : int64
        The nodes of each group that lists few, of others none: `Eligibility.short_lists`.
    order : (r,) int64
        Tasks to place.
    node_of, load, count, room
        As in `State`, of a partial allocation (-1: no node); changed in place.

    Returns
    -------
    int
        Number of times that all nodes were looked at because the heap gave no answer.

    Notes
    -----
    O(log n) for a task that goes to one of the freest nodes, O(n d) otherwise. An entry of
    the heap counts only while it holds the present free compute of its node.
    """
    n = load.size
    everywhere = np.arange(n)
    keys = np.empty(n + order.size + 1, dtype=np.int64)
    nodes = np.empty(n + order.size + 1, dtype=np.int64)
    size = 0
    for i in range(n):
        if facts.use[i] == 0 and (count[i] > 0 or facts.idle[i] == 0):
            size = _push(keys, nodes, size, facts.node_compute[i] - load[i], i)
    aside = np.empty((_LOOKS, 2), dtype=np.int64)
    scans = 0
    for t in order:
        begin, end = host_start[facts.group[t]], host_start[facts.group[t] + 1]
        chosen, looks = -1, 0
        if end > begin:
            chosen, looks = _cheapest(facts, load, count, room, t, hosts[begin:end]), _LOOKS
        while chosen < 0 and size > 0 and looks < _LOOKS and keys[0] >= facts.demand[t]:
            size = _pop(keys, nodes, size)
            key, i = keys[size], nodes[size]
            if key != facts.node_compute[i] - load[i]:
                continue
            if fits(facts, room[i], t, i):
                chosen = i
            else:
                aside[looks, 0], aside[looks, 1] = key, i
                looks += 1
        for k in range(looks if end == begin else 0):
            size = _push(keys, nodes, size, aside[k, 0], aside[k, 1])
        popped = chosen >= 0
        if not popped and end == begin:
            scans += 1
            chosen = _cheapest(facts, load, count, room, t, everywhere)
        if chosen < 0:
            continue
        _put(facts, node_of, load, count, room, t, chosen)
        changed = popped or facts.demand[t] > 0 or (count[chosen] == 1 and facts.idle[chosen] > 0)
        if changed and facts.use[chosen] == 0:
            size = _push(keys, nodes, size, facts.node_compute[chosen] - load[chosen], chosen)
    return scans


@kernel
def fill_quickly(
    facts: Facts,
    host_start: Array,
    hosts: Array,
    order: Array,
    node_of: Array,
    load: Array,
    count: Array,
    room: Array,
    rng: np.random.Generator,
) -> int:
    """Place the tasks nearly as `fill_greedily` does, without ever looking at all nodes often.

    A node that cannot take a task is left out until some thousands of tasks later; a task for
    which the freest nodes have no compute left goes to the cheapest of some random nodes.
    What a local search will mend anyway is not worth more.

    Returns
    -------
    int
        Number of times that all nodes were looked at.
    """
    n = load.size
    everywhere = np.arange(n)
    keys = np.empty(2 * n + order.size + 1, dtype=np.int64)
    nodes = np.empty(2 * n + order.size + 1, dtype=np.int64)
    parked = np.empty(n, dtype=np.int64)
    some = np.empty(_SAMPLE, dtype=np.int64)
    size, waiting, scans = 0, 0, 0
    for i in range(n):
        if facts.use[i] == 0 and (count[i] > 0 or facts.idle[i] == 0):
            size = _push(keys, nodes, size, facts.node_compute[i] - load[i], i)
    for step in range(order.size):
        t = order[step]
        if step % _PARKED_FOR == 0:
            for k in range(waiting):
                i = parked[k]
                size = _push(keys, nodes, size, facts.node_compute[i] - load[i], i)
            waiting = 0
        begin, end = host_start[facts.group[t]], host_start[facts.group[t] + 1]
        chosen, looks = -1, 0
        if end > begin:
            chosen, looks = _cheapest(facts, load, count, room, t, hosts[begin:end]), _LOOKS
        while chosen < 0 and size > 0 and looks < _LOOKS and keys[0] >= facts.demand[t]:
            size = _pop(keys, nodes, size)
            i = nodes[size]
            if keys[size] != facts.node_compute[i] - load[i]:
                continue
            looks += 1
            if fits(facts, room[i], t, i):
                chosen = i
            elif waiting < n:
                parked[waiting] = i
                waiting += 1
        popped = chosen >= 0
        if not popped and end == begin:
            for k in range(_SAMPLE):
                some[k] = int(rng.random() * n)
            chosen = _cheapest(facts, load, count, room, t, some)
        if chosen < 0 and end == begin:
            scans += 1
            chosen = _cheapest(facts, load, count, room, t, everywhere)
        if chosen < 0:
            continue
        _put(facts, node_of, load, count, room, t, chosen)
        changed = popped or facts.demand[t] > 0 or facts.idle[chosen] > 0
        if changed and size < keys.size and facts.use[chosen] == 0:
            size = _push(keys, nodes, size, facts.node_compute[chosen] - load[chosen], chosen)
    return scans
