"""Sets of up to two tasks of a node, sorted by demand: what an exchange may move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import lean
from ..fits import may_run
from ..settings import LOOPS
from ..state import Facts, State, move, node_cost

__all__ = ["Buffers", "collect", "make_buffers", "need_of", "pair_cost", "swap_sets"]

_SIZE = LOOPS.sets
_SINGLES = LOOPS.singles


class Buffers(NamedTuple):
    """Space for the sets of tasks of two nodes, allocated once for a search.

    Attributes
    ----------
    load : (2, size) int64
        Demand of each set, on either side of an exchange.
    tasks : (2, size, 2) int64
        Its tasks, -1 for none.
    order : (2, size) int64
        The sets by rising demand.
    work : (2,) int64
        Exchanges and branches looked at, and changes made: deterministic counters.
    """

    load: Array
    tasks: Array
    order: Array
    work: Array


def make_buffers(size: int = _SIZE) -> Buffers:
    """Buffers for up to `size` sets on either side."""
    return Buffers(
        load=np.zeros((2, size), dtype=np.int64),
        tasks=np.full((2, size, 2), -1, dtype=np.int64),
        order=np.zeros((2, size), dtype=np.int64),
        work=np.zeros(2, dtype=np.int64),
    )


@lean
def _add(buffers: Buffers, side: int, size: int, load: int, s: int, t: int) -> int:
    """Add the set of tasks s and t (-1: none) of a given demand; returns the new size."""
    buffers.load[side, size] = load
    buffers.tasks[side, size, 0] = s
    buffers.tasks[side, size, 1] = t
    return size + 1


@lean
def collect(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    side: int,
    pairs: bool,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """List sets of tasks of node i that may go to node j; returns how many.

    The empty set, one task of each class (of a long list an evenly spread part) and, if
    wanted, sets of two: all of them where there is space, else a random part.
    """
    size = _add(buffers, side, 0, 0, -1, -1)
    first, length = state.first[i], state.count[i]
    most = min(_SINGLES, buffers.load.shape[1] // 2)
    stride = max(1, (length + most - 1) // most)
    at = 0 if stride == 1 else int(rng.random() * stride)
    last = -1
    while at < length:
        t, demand = state.slots[first + at], state.demands[first + at]
        at += stride
        if facts.repeats:
            if facts.task_class[t] == last:
                continue
            last = facts.task_class[t]
        if may_run(facts, t, j):
            size = _add(buffers, side, size, demand, t, -1)
    for k in range(size):  # the list of a node is sorted already
        buffers.order[side, k] = k
    if pairs and length > 1:
        size = _collect_pairs(facts, state, i, j, side, size, buffers, rng)
        _sort(buffers.load[side], buffers.order[side], size)
    return size


@lean
def _collect_pairs(
    facts: Facts,
    state: State,
    i: int,
    j: int,
    side: int,
    size: int,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    first, length = state.first[i], state.count[i]
    space = buffers.load.shape[1] - size
    everything = length * (length - 1) // 2 <= space
    a, b = 0, 0
    for _ in range(min(space, length * (length - 1) // 2)):
        if everything:
            b += 1
            if b == length:
                a += 1
                b = a + 1
        else:
            a = int(rng.random() * (length - 1))
            b = a + 1 + int(rng.random() * (length - 1 - a))
        s, t = state.slots[first + a], state.slots[first + b]
        if everything and facts.repeats:  # of equal pairs of classes the first
            like_s = a > 0 and facts.task_class[state.slots[first + a - 1]] == facts.task_class[s]
            like_t = (
                b > a + 1 and facts.task_class[state.slots[first + b - 1]] == facts.task_class[t]
            )
            if like_s or like_t:
                continue
        if may_run(facts, s, j) and may_run(facts, t, j):
            demand = state.demands[first + a] + state.demands[first + b]
            buffers.order[side, size] = size
            size = _add(buffers, side, size, demand, s, t)
    return size


@lean
def _sort(load: Array, order: Array, size: int) -> None:
    """Sort the first `size` entries of `order` by rising load (Shell 1959, Ciura's gaps)."""
    for gap in (301, 132, 57, 23, 10, 4, 1):
        for a in range(gap, size):
            entry = order[a]
            b = a
            while b >= gap and load[order[b - gap]] > load[entry]:
                order[b] = order[b - gap]
                b -= gap
            order[b] = entry


@lean
def need_of(facts: Facts, buffers: Buffers, side: int, k: int, d: int) -> int:
    """What set k of a side needs of hard dimension d."""
    need = 0
    for p in range(2):
        t = buffers.tasks[side, k, p]
        if t >= 0:
            need += facts.needs[t, d]
    return need


@lean
def _length(buffers: Buffers, side: int, k: int) -> int:
    return int(buffers.tasks[side, k, 0] >= 0) + int(buffers.tasks[side, k, 1] >= 0)


@lean
def pair_cost(facts: Facts, state: State, i: int, j: int, buffers: Buffers, a: int, b: int) -> int:
    """Cost of nodes i and j when set a of node i and set b of node j change sides."""
    shift = buffers.load[0, a] - buffers.load[1, b]
    moved = _length(buffers, 0, a) - _length(buffers, 1, b)
    cost = node_cost(facts, i, state.load[i] - shift, state.count[i] - moved)
    return cost + node_cost(facts, j, state.load[j] + shift, state.count[j] + moved)


@lean
def swap_sets(facts: Facts, state: State, i: int, j: int, buffers: Buffers, a: int, b: int) -> None:
    """Make set a of node i and set b of node j change sides."""
    for p in range(2):
        if buffers.tasks[0, a, p] >= 0:
            move(facts, state, buffers.tasks[0, a, p], j)
        if buffers.tasks[1, b, p] >= 0:
            move(facts, state, buffers.tasks[1, b, p], i)
    buffers.work[1] += 1
