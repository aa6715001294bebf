"""The data of a problem and a complete allocation of it, in the arrays the kernels work on.

Tasks are numbered by rising demand, those of a class side by side. Each node keeps its tasks
as an ascending list of these numbers, so that a list is sorted by demand and the tasks of one
class stand together: a search over classes skips repeats, one over demands bisects.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from .build.jit import kernel, lean
from .settings import LOOPS

__all__ = [
    "Facts",
    "State",
    "costs_more",
    "excess_of",
    "make_facts",
    "make_state",
    "move",
    "node_cost",
    "own_arrays",
    "task_order",
    "total_cost",
    "total_excess",
]

_LEAST_SPACE = LOOPS.least_space


class Facts(NamedTuple):
    """What does not change during a search; all int64 unless said otherwise.

    Attributes
    ----------
    demand, task_class, group : (m,)
        Demand, class and eligibility group of each task.
    needs : (m, d)
    node_compute, price, use, idle : (n,)
        Compute, and the prices of overload, of use and of being on, in units of the grid.
    capacity : (n, d)
    node_class : (n,)
        Class of each node.
    allowed : (groups, n) or (0, n) bool
        Who may run where, if the mask is small; else the lists tell:
    list_start : (groups + 1,), list_labels, node_labels : (n, c)
        As in `Eligibility`.
    weight : (d,) float64
        What one unit of excess of each hard dimension counts: 1 / its mean need.
    repeats, everywhere : bool
        Whether there are tasks of the same class, and whether all may run on every node.
    """

    demand: Array
    task_class: Array
    group: Array
    needs: Array
    node_compute: Array
    price: Array
    use: Array
    idle: Array
    capacity: Array
    node_class: Array
    allowed: Array
    list_start: Array
    list_labels: Array
    node_labels: Array
    weight: Array
    repeats: bool
    everywhere: bool


class State(NamedTuple):
    """A complete allocation; hard limits may be exceeded.

    Attributes
    ----------
    node_of : (m,)
        Node of each task.
    load, count : (n,)
    room : (n, d)
        What is left of each hard dimension, negative where exceeded.
    slots, demands : (3 m + 16 n,)
        The nodes' lists of tasks, with space between them, and the tasks' demands beside them.
    first, space : (n,)
        Where the list of a node begins in `slots` and how long it may become there.
    tail : (1,)
        Where the unused end of `slots` begins.
    """

    node_of: Array
    load: Array
    count: Array  # type: ignore[assignment]
    room: Array
    slots: Array
    demands: Array
    first: Array
    space: Array
    tail: Array


def task_order(problem: Problem) -> Array:
    """(m,) positions of the tasks by rising demand, those of a class side by side."""
    return np.lexsort((problem.classes.task_class, problem.grid.task_compute))


def make_facts(problem: Problem, order: Array) -> Facts:
    """The facts of a problem, its tasks in the given order."""
    grid, instance, classes = problem.grid, problem.instance, problem.classes
    eligibility = instance.eligibility
    nobody = np.zeros((0, instance.num_nodes), dtype=bool)
    mean = np.maximum(1.0, grid.needs.mean(axis=0, dtype=float)) if order.size else 1.0
    return own_arrays(
        Facts(
            demand=grid.task_compute[order],
            task_class=classes.task_class[order],
            group=instance.task_group[order],
            needs=grid.needs[order],
            node_compute=grid.node_compute,
            price=grid.overload_price,
            use=grid.use_price,
            idle=grid.idle_cost,
            capacity=grid.capacity,
            node_class=classes.node_class,
            allowed=nobody if eligibility.mask is None else eligibility.mask,
            list_start=eligibility.start,
            list_labels=eligibility.labels,
            node_labels=eligibility.node_labels,
            weight=1.0 / (mean * np.ones(grid.needs.shape[1])),
            repeats=classes.num_task_classes < order.size,
            everywhere=eligibility.everywhere,
        )
    )


def own_arrays(facts: Facts) -> Facts:
    """The same with every array contiguous, writable and int64 where it is an integer one.

    A kernel is compiled for the exact types of its arguments: this keeps them the same.
    """

    def own(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return bool(value)
        kind = np.int64 if value.dtype.kind in "iu" else value.dtype
        return np.require(value, dtype=kind, requirements=["C", "W", "A"])

    return Facts(*(own(value) for value in facts))


def make_state(facts: Facts, node_of: Array) -> State:
    """The state of an allocation: (m,) nodes of the tasks, in their order in `facts`."""
    m, n = facts.demand.size, facts.node_compute.size
    state = State(
        node_of=node_of.astype(np.int64),
        load=np.zeros(n, dtype=np.int64),
        count=np.zeros(n, dtype=np.int64),
        room=facts.capacity.copy(),
        slots=np.zeros(3 * m + 4 * _LEAST_SPACE * n, dtype=np.int64),
        demands=np.zeros(3 * m + 4 * _LEAST_SPACE * n, dtype=np.int64),
        first=np.zeros(n, dtype=np.int64),
        space=np.zeros(n, dtype=np.int64),
        tail=np.zeros(1, dtype=np.int64),
    )
    np.add.at(state.load, state.node_of, facts.demand)
    np.add.at(state.count, state.node_of, 1)
    np.subtract.at(state.room, state.node_of, facts.needs)
    pack(facts, state)
    return state


@kernel
def pack(facts: Facts, state: State) -> None:
    """Lay the lists out anew, each with as much space again as it is long."""
    at = 0
    for i in range(state.count.size):
        state.first[i] = at
        state.space[i] = 2 * state.count[i] + _LEAST_SPACE
        at += state.space[i]
    state.tail[0] = at
    fill = state.first.copy()
    for t in range(state.node_of.size):
        i = state.node_of[t]
        state.slots[fill[i]] = t
        state.demands[fill[i]] = facts.demand[t]
        fill[i] += 1


@lean
def _lower_bound(state: State, i: int, t: int) -> int:
    """Position in the list of node i of its first task that is not below t."""
    low, high = state.first[i], state.first[i] + state.count[i]
    while low < high:
        middle = (low + high) // 2
        if state.slots[middle] < t:
            low = middle + 1
        else:
            high = middle
    return int(low)


@lean
def _grow(facts: Facts, state: State, i: int) -> None:
    """Move the list of node i to the tail, with twice the space."""
    size = state.count[i]
    space = 2 * size + _LEAST_SPACE
    if state.tail[0] + space > state.slots.size:
        pack(facts, state)
        return
    begin, old = state.tail[0], state.first[i]
    for at in range(size):
        state.slots[begin + at] = state.slots[old + at]
        state.demands[begin + at] = state.demands[old + at]
    state.first[i] = begin
    state.space[i] = space
    state.tail[0] += space


@lean
def move(facts: Facts, state: State, t: int, j: int) -> None:
    """Move task t to node j. Complexity: O(length of the two lists)."""
    i = state.node_of[t]
    if i == j:
        return
    if state.count[j] == state.space[j]:
        _grow(facts, state, j)
    at = _lower_bound(state, i, t)
    state.count[i] -= 1
    for s in range(at, state.first[i] + state.count[i]):
        state.slots[s] = state.slots[s + 1]
        state.demands[s] = state.demands[s + 1]
    at = _lower_bound(state, j, t)
    for s in range(state.first[j] + state.count[j], at, -1):
        state.slots[s] = state.slots[s - 1]
        state.demands[s] = state.demands[s - 1]
    state.slots[at] = t
    state.demands[at] = facts.demand[t]
    state.count[j] += 1
    state.node_of[t] = j
    state.load[i] -= facts.demand[t]
    state.load[j] += facts.demand[t]
    for d in range(facts.weight.size):
        state.room[i, d] += facts.needs[t, d]
        state.room[j, d] -= facts.needs[t, d]


@lean
def node_cost(facts: Facts, i: int, load: int, count: int) -> int:
    """Cost of node i on the grid under a load of `count` tasks."""
    cost = facts.price[i] * max(0, load - facts.node_compute[i]) + facts.use[i] * load
    if count > 0:
        cost += facts.idle[i]
    return int(cost)


@lean
def costs_more(facts: Facts, state: State, i: int) -> bool:
    """Whether node i costs more than being on: for overload, or for use dearer than elsewhere."""
    load = state.load[i]
    return bool(load > facts.node_compute[i] or (load > 0 and facts.use[i] > 0))


@lean
def excess_of(facts: Facts, state: State, i: int) -> float:
    """Weighted excess of the hard dimensions of node i."""
    excess = 0.0
    for d in range(facts.weight.size):
        if state.room[i, d] < 0:
            excess -= facts.weight[d] * state.room[i, d]
    return excess


def total_excess(facts: Facts, state: State) -> float:
    """Weighted excess of all nodes; exactly 0 if no limit is exceeded."""
    return float((np.maximum(0, -state.room) * facts.weight).sum())


def total_cost(facts: Facts, state: State) -> int:
    """Cost of the allocation on the grid."""
    above = np.maximum(0, state.load - facts.node_compute)
    cost = (facts.price * above + facts.use * state.load).sum()
    return int(cost + facts.idle[state.count > 0].sum())
