"""Listed columns, and how far a search for the cheapest choice among them has come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from .build.jit import lean
from .settings import LOOPS

__all__ = ["LEVELS", "MOST_BUDGET", "Listed", "Search", "fits", "make_search", "put"]

MOST_BUDGET = 2**34
"""Costs of columns and budgets are at most this, so that all sums stay in 64 bits."""
LEVELS = LOOPS.partition_levels


class Listed(NamedTuple):
    """The columns; each fits the tasks and nodes that there are.

    Attributes
    ----------
    tasks : (N, length) int32
        Classes of tasks, equal ones side by side, -1 behind the end; up to 200.
    node : (N,) int32
        Class of nodes.
    empty : (G,) int64
        Cost of a node of each class without tasks, at most `MOST_BUDGET` + 1.
    """

    tasks: Array
    node: Array
    empty: Array


class Search(NamedTuple):
    """Where a search is, so that it can be continued.

    Attributes
    ----------
    stack : (size,) int32
        For each depth the columns that are left, and behind them those to branch on.
    start, left, branches, branch : (depths,) int64
        Of each depth: where its columns begin, how many there are, how many to branch on, and
        how many of these were tried.
    spent : (depths,) int64
        Cost of the columns chosen, and of what the prices were moved by.
    level : (depths,) int64
        Row of `cost` that holds there.
    cost : (levels, N) int64
        Reduced costs.
    chosen, best : (depths,) int32
        Columns of the present branch, and of the last solution, -1 behind its end.
    waiting : (K,) int64
        Tasks of each class that are not covered yet.
    nodes : (G,) int64
        Nodes of each class that are left.
    banned : (N,) bool
        Columns that were tried before at a depth above.
    least, pick : (G,) int64
        The least cost of a class, and the column that has it.
    move, best_move, covered : (K,) int64
        Changes of prices, and how often the columns picked cover a task.
    now : (5,) int64
        Depth, whether it was just entered, the most that a solution may cost, work done: how
        often a column was looked at, and above how many columns the prices are moved.
    """

    stack: Array
    start: Array
    left: Array
    branches: Array
    branch: Array
    spent: Array
    level: Array
    cost: Array
    chosen: Array
    best: Array
    waiting: Array
    nodes: Array
    banned: Array
    least: Array
    pick: Array
    move: Array
    best_move: Array
    covered: Array
    now: Array


def make_search(
    cost: Array, count: Array, nodes: Array, budget: int, many: int = LOOPS.partition_list
) -> Search:
    """A search that has not begun.

    Parameters
    ----------
    cost : (N,) int64
        Reduced costs, 0 to `MOST_BUDGET`.
    count, nodes : (K,), (G,) int64
        Tasks and nodes of each class; up to 4,096 together.
    budget : int
        Most that a solution may cost, up to `MOST_BUDGET`.
    many : int
        Prices are moved where more columns than this are left.
    """
    K, G, N = count.size, nodes.size, cost.size
    depths = int(min(count.sum(), nodes.sum())) + 2
    costs = np.zeros((LEVELS, N), dtype=np.int64)
    costs[0] = cost
    room = max(LOOPS.partition_room * N, LOOPS.partition_least_room)
    stack = np.zeros(min(room, 3 * depths * N) + 1, dtype=np.int32)
    stack[:N] = np.arange(N)
    left = np.zeros(depths, dtype=np.int64)
    left[0] = N
    return Search(
        stack=stack,
        start=np.zeros(depths, dtype=np.int64),
        left=left,
        branches=np.zeros(depths, dtype=np.int64),
        branch=np.zeros(depths, dtype=np.int64),
        spent=np.zeros(depths, dtype=np.int64),
        level=np.zeros(depths, dtype=np.int64),
        cost=costs,
        chosen=np.full(depths, -1, dtype=np.int32),
        best=np.full(depths, -1, dtype=np.int32),
        waiting=count.astype(np.int64),
        nodes=nodes.astype(np.int64),
        banned=np.zeros(N, dtype=np.bool_),
        least=np.zeros(G, dtype=np.int64),
        pick=np.zeros(G, dtype=np.int64),
        move=np.zeros(K, dtype=np.int64),
        best_move=np.zeros(K, dtype=np.int64),
        covered=np.zeros(K, dtype=np.int64),
        now=np.array([0, 1, budget, 0, many]),
    )


@lean
def fits(listed: Listed, search: Search, i: int) -> bool:
    """Whether a column may still be chosen."""
    if search.banned[i] or search.nodes[listed.node[i]] == 0:
        return False
    before, times = -1, 0
    for p in range(listed.tasks.shape[1]):
        k = listed.tasks[i, p]
        if k < 0:
            break
        times = times + 1 if k == before else 1
        before = k
        if search.waiting[k] < times:
            return False
    return True


@lean
def put(listed: Listed, search: Search, i: int, times: int) -> None:
    """Choose a column, or take the choice back (-1)."""
    search.nodes[listed.node[i]] -= times
    for p in range(listed.tasks.shape[1]):
        k = listed.tasks[i, p]
        if k < 0:
            break
        search.waiting[k] -= times
