"""Two nodes' loads split in the best way, by the subset-sum dynamic program.

(Bellman 1957; Kellerer, Pferschy and Pisinger 2004, "Knapsack Problems", chapter 4.)
"""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import inner
from ..fits import may_run
from ..settings import LOOPS
from ..state import Facts, State, move, node_cost

__all__ = ["split_pair"]

_MOST_WORK = LOOPS.split_work


@inner
def _divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@inner
def _movable(facts: Facts, state: State, i: int, j: int, tasks: Array) -> int:
    """List the tasks of both nodes with a demand that may run on either; returns how many."""
    size = 0
    for node in (i, j):
        for at in range(state.first[node], state.first[node] + state.count[node]):
            t = state.slots[at]
            free = may_run(facts, t, i) and may_run(facts, t, j)
            if free and facts.demand[t] > 0:
                tasks[size] = t
                size += 1
    return size


@inner
def _keeps_limits(
    facts: Facts, state: State, i: int, j: int, tasks: Array, size: int, on_i: Array
) -> bool:
    """Whether both nodes keep their limits when the marked tasks are on i, the others on j."""
    for d in range(facts.weight.size):
        shift = 0
        for k in range(size):
            t = tasks[k]
            if state.node_of[t] == i and not on_i[k]:
                shift += facts.needs[t, d]
            elif state.node_of[t] == j and on_i[k]:
                shift -= facts.needs[t, d]
        if state.room[i, d] + shift < 0 or state.room[j, d] - shift < 0:
            return False
    return True


@inner
def split_pair(facts: Facts, state: State, i: int, j: int, work: Array) -> int:
    """Give nodes i and j the split of their tasks of least cost, if it keeps their limits.

    Nothing is done where the numbers are too large for the table: tasks times the sum of
    their demands, in units of their common divisor, above two million.

    Returns
    -------
    int
        By how much the cost fell.
    """
    tasks = np.empty(state.count[i] + state.count[j], dtype=np.int64)
    size = _movable(facts, state, i, j, tasks)
    unit, total = 0, 0
    for k in range(size):
        unit = _divisor(facts.demand[tasks[k]], unit)
        total += facts.demand[tasks[k]]
    if size < 2 or total // unit > _MOST_WORK // size:
        return 0
    work[0] += size
    highest = total // unit
    reached_by = np.full(highest + 1, -1, dtype=np.int32)  # the task that first reached a sum
    reached_by[0] = size
    reach = 0
    for k in range(size):
        demand = facts.demand[tasks[k]] // unit
        for s in range(reach, -1, -1):
            if reached_by[s] >= 0 and reached_by[s + demand] < 0:
                reached_by[s + demand] = k
        reach += demand
    fixed_i, fixed_j = state.load[i], state.load[j]
    held_i, held_j = state.count[i], state.count[j]
    for k in range(size):
        if state.node_of[tasks[k]] == i:
            fixed_i -= facts.demand[tasks[k]]
            held_i -= 1
        else:
            fixed_j -= facts.demand[tasks[k]]
            held_j -= 1
    present = node_cost(facts, i, state.load[i], state.count[i])
    present += node_cost(facts, j, state.load[j], state.count[j])
    best, best_sum = present, -1
    for s in range(highest + 1):
        if reached_by[s] >= 0:
            cost = node_cost(facts, i, fixed_i + s * unit, held_i + (s > 0))
            cost += node_cost(facts, j, fixed_j + total - s * unit, held_j + (s < highest))
            if cost < best:
                best, best_sum = cost, s
    if best_sum < 0:
        return 0
    on_i = np.zeros(size, dtype=np.bool_)
    s = best_sum
    while s > 0:
        k = reached_by[s]
        on_i[k] = True
        s -= facts.demand[tasks[k]] // unit
    if not _keeps_limits(facts, state, i, j, tasks, size, on_i):
        return 0
    for k in range(size):
        move(facts, state, tasks[k], i if on_i[k] else j)
    work[1] += 1
    return int(present - best)
