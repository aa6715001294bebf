"""A few nodes solved anew, exactly: depth-first branch and bound over their tasks."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, lean
from ..fits import may_run
from ..settings import LOOPS
from ..state import Facts, State, move, node_cost

__all__ = ["MOST_TASKS", "regroup"]

MOST_TASKS = LOOPS.group_tasks


@lean
def _gather(facts: Facts, state: State, nodes: Array, tasks: Array) -> int:
    """List the tasks of the nodes by falling demand; -1 if there are too many."""
    size = 0
    for i in nodes:
        for at in range(state.first[i], state.first[i] + state.count[i]):
            if size == MOST_TASKS:
                return -1
            t = state.slots[at]
            b = size - 1
            while b >= 0 and tasks[b] < t:  # numbers rise with demand
                tasks[b + 1] = tasks[b]
                b -= 1
            tasks[b + 1] = t
            size += 1
    return size


@inner
def _search(
    facts: Facts, nodes: Array, tasks: Array, size: int, limit: int, branches: int, best: Array
) -> tuple[int, int]:
    """Look for an assignment of least cost below `limit`; the best one is left in `best`.

    Returns
    -------
    cost : int
        That of the assignment in `best`, or `limit` if there is none.
    used : int
        Branches looked at, at most `branches`.
    """
    # One flat loop over local copies: calls and scattered reads would triple its time.
    g, dims = nodes.size, facts.weight.size
    compute, price, idle = facts.node_compute[nodes], facts.price[nodes], facts.idle[nodes]
    use = facts.use[nodes]
    node_class = facts.node_class[nodes]
    load, count = np.zeros(g, dtype=np.int64), np.zeros(g, dtype=np.int64)
    room = np.empty((g, dims), dtype=np.int64)
    may = np.empty((size, g), dtype=np.bool_)
    needs = np.empty((size, dims), dtype=np.int64)
    demand, task_class = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    for p in range(g):
        for d in range(dims):
            room[p, d] = facts.capacity[nodes[p], d]
    for a in range(size):
        t = tasks[a]
        demand[a], task_class[a] = facts.demand[t], facts.task_class[t]
        for d in range(dims):
            needs[a, d] = facts.needs[t, d]
        for p in range(g):
            may[a, p] = may_run(facts, t, nodes[p])
    cheapest = price[0]
    for p in range(g):
        cheapest = min(cheapest, price[p])
    left = np.zeros(size + 1, dtype=np.int64)
    for a in range(size - 1, -1, -1):
        left[a] = left[a + 1] + demand[a]
    # Cost so far and free compute, before the task of each depth is placed.
    cost, free = np.zeros(size + 1, dtype=np.int64), np.zeros(size + 1, dtype=np.int64)
    for p in range(g):
        free[0] += compute[p]
    choice = np.full(size + 1, -1, dtype=np.int64)
    used, depth = 0, 0
    while True:
        if depth < size and choice[depth] + 1 < g and used < branches:
            p = choice[depth] + 1
            if depth > 0 and task_class[depth] == task_class[depth - 1]:
                p = max(p, choice[depth - 1])  # tasks of a class in the order of nodes
            choice[depth] = p
            fits = may[depth, p]
            for d in range(dims):
                fits = fits and room[p, d] >= needs[depth, d]
            if fits and count[p] == 0:
                for q in range(p):  # of like empty nodes the first
                    fits = fits and not (count[q] == 0 and node_class[q] == node_class[p])
            if not fits:
                continue
            used += 1
            after = load[p] + demand[depth] - compute[p]
            before = load[p] - compute[p]
            above = cost[depth] + price[p] * (max(0, after) - max(0, before))
            above += use[p] * demand[depth]
            if count[p] == 0:
                above += idle[p]
            unused = free[depth] - max(0, -before) + max(0, -after)
            if above + cheapest * max(0, left[depth + 1] - unused) >= limit:
                continue
            load[p] += demand[depth]
            count[p] += 1
            for d in range(dims):
                room[p, d] -= needs[depth, d]
            depth += 1
            cost[depth], free[depth] = above, unused
            continue
        if depth == size:
            limit = cost[size]
            for a in range(size):
                best[a] = choice[a]
        choice[depth] = -1
        depth -= 1
        if depth < 0:
            return limit, used
        p = choice[depth]
        load[p] -= demand[depth]
        count[p] -= 1
        for d in range(dims):
            room[p, d] += needs[depth, d]


@inner
def regroup(
    facts: Facts, state: State, nodes: Array, branches: int, anything: bool, work: Array
) -> int:
    """Assign the tasks of some nodes to these nodes anew, at the least cost.

    Of equally cheap assignments another one than the present is taken: such sideways moves
    cross plateaus (Selman, Levesque and Mitchell 1992, "A new method for solving hard
    satisfiability problems"). The order of the nodes decides which, so it should be random.

    Parameters
    ----------
    nodes : (g,) int64
        Distinct nodes; nothing is done if they hold more than `MOST_TASKS` tasks.
    branches : int
        Limit of the search; the best assignment found until then is taken.
    anything : bool
        Whether any assignment that keeps the limits will do, at whatever cost.
    work : (2,) int64
        Branches looked at and changes made, added to.

    Returns
    -------
    int
        By how much the cost fell.

    Notes
    -----
    Tasks are branched on by falling demand. A branch ends where the cost of the loads so far,
    with the rest poured over the nodes fractionally, is no less than the best known cost.
    """
    tasks = np.empty(MOST_TASKS, dtype=np.int64)
    size = _gather(facts, state, nodes, tasks)
    if size <= 0:
        return 0
    present = 0
    for i in nodes:
        present += node_cost(facts, i, state.load[i], state.count[i])
    limit = 2**62 if anything else present + 1
    best = np.full(size, -1, dtype=np.int64)
    cost, used = _search(facts, nodes, tasks, size, limit, branches, best)
    work[0] += used
    if best[0] < 0:
        return 0
    work[1] += 1
    for a in range(size):
        move(facts, state, tasks[a], nodes[best[a]])
    return int(present - cost)
