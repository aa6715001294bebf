"""What differs between two allocations, in groups that do not touch each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...judge.check import check
from ...judge.cost import cost_in_units, node_costs
from ...judge.moves import count_moves, moved_rows
from ...model.allocation import Allocation
from ...model.exact import Array
from ...model.instance import Instance

__all__ = ["best_of_groups", "groups_between"]

_MOST_CELLS = 50_000_000  # of the table of groups and moves


def groups_between(instance: Instance, before: Array, after: Array) -> Iterator[Array]:
    """The rows that differ, in groups that share no task and no node.

    Parameters
    ----------
    instance : Instance
    before, after : (W,) int64
        Positions of nodes, -1 for nowhere.
    """
    rows = np.flatnonzero(after != before)
    n = instance.num_nodes
    parent = list(range(n + instance.num_tasks))

    def root(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    task = instance.rows.task[rows].tolist()
    for j, *nodes in zip(task, before[rows].tolist(), after[rows].tolist(), strict=True):
        for i in nodes:
            if i >= 0:
                parent[root(n + j)] = root(i)
    roots = np.array([root(n + j) for j in task], dtype=np.int64)
    order = np.argsort(roots, kind="stable")
    starts = np.flatnonzero(np.diff(roots[order])) + 1
    if rows.size:
        yield from np.split(rows[order], starts)


def best_of_groups(instance: Instance, base: Array, other: Array, cap: int) -> Array:
    """The base, changed by the groups of the other allocation that gain the most within a cap.

    Parameters
    ----------
    instance : Instance
    base : (W,) int64
        A feasible allocation of at most `cap` moves.
    other : (W,) int64
    cap : int
        The most parts that move.

    Returns
    -------
    (W,) int64
        A feasible one that costs no more than the base: as rules over domains may need groups
        that were left out, that is checked, and the base returned where nothing better holds.

    Notes
    -----
    A knapsack of groups by dynamic programming over moves, each group worth what its nodes and
    tasks then cost less.
    """
    groups = list(groups_between(instance, base, other))
    if not groups:
        return base
    worth, moves = _figures(instance, base, other, groups)
    free = (moves <= 0) & (worth >= 0)
    room = cap - count_moves(Allocation(instance, base)) - int(moves[free].sum())
    wanted = np.flatnonzero(~free & (worth > 0) & (moves > 0) & (moves <= room))
    chosen = [
        *np.flatnonzero(free).tolist(),
        *wanted[_knapsack(worth[wanted], moves[wanted], room)],
    ]
    found = base.copy()
    for group in chosen:
        found[groups[group]] = other[groups[group]]
    is_better = cost_in_units(instance, found) < cost_in_units(instance, base)
    return found if is_better and not check(instance, found) else base


def _figures(
    instance: Instance, base: Array, other: Array, groups: list[Array]
) -> tuple[Array, Array]:
    """What each group gains, about, and how many more parts it moves."""
    n = instance.num_nodes
    number = np.full(n + 1, -1, dtype=np.int64)  # the last is that of nowhere
    of_task = np.full(instance.num_tasks, -1, dtype=np.int64)
    for g, rows in enumerate(groups):
        number[base[rows]] = number[other[rows]] = g
        of_task[instance.rows.task[rows]] = g
    number[n] = -1
    cost, moves = [], []
    for node_index in (base, other):
        allocation = Allocation(instance, node_index)
        at_nodes = np.array([float(each) for each in node_costs(allocation)])
        at_tasks = _task_costs(instance, node_index)
        cost.append(_summed(number[:n], at_nodes, groups) + _summed(of_task, at_tasks, groups))
        moved = of_task[instance.rows.task[moved_rows(allocation)]]
        moves.append(_summed(moved, np.ones(moved.size), groups))
    return cost[0] - cost[1], np.rint(moves[1] - moves[0]).astype(np.int64)


def _summed(number: Array, values: Array, groups: list[Array]) -> Array:
    kept = number >= 0
    return np.bincount(number[kept], values[kept], minlength=len(groups))


def _task_costs(instance: Instance, node_index: Array) -> Array:
    """(m,) what the variant, or leaving it out, and the moves of each task cost, about."""
    exact, rows = instance.exact, instance.rows
    choices = exact.choices
    assert choices is not None
    forms = np.unique(rows.form[node_index >= 0])
    cost = np.where(choices.skip_cost >= 0, choices.skip_cost, 0).astype(float)
    cost[rows.form_task[forms]] = choices.form_cost[forms].astype(float)
    moved = rows.task[moved_rows(Allocation(instance, node_index))]
    np.add.at(cost, moved, choices.move_cost[moved].astype(float))
    return cost / exact.cost_scale


def _knapsack(worth: Array, weight: Array, room: int) -> list[int]:
    """The positions that are worth most together and weigh no more than there is room."""
    room = min(room, int(weight.sum()))
    if room <= 0 or not worth.size:
        return []
    if worth.size * (room + 1) > _MOST_CELLS:
        order = np.argsort(-worth / weight, kind="stable")
        return list(order[np.cumsum(weight[order]) <= room].tolist())
    best = np.zeros(room + 1)
    takes = np.zeros((worth.size, room + 1), dtype=bool)
    for k, (value, heavy) in enumerate(zip(worth.tolist(), weight.tolist(), strict=True)):
        with_it = best[: room + 1 - heavy] + value
        takes[k, heavy:] = with_it > best[heavy:]
        best[heavy:] = np.maximum(best[heavy:], with_it)
    chosen = []
    for k in range(worth.size - 1, -1, -1):
        if takes[k, room]:
            chosen.append(k)
            room -= int(weight[k])
    return chosen
