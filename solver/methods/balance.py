"""The tie-break: among allocations of equal cost, a smaller greatest load per capacity."""

from __future__ import annotations

import numpy as np

from ..exact import Array
from ..presolve import Problem
from .base import Options
from .placement import Placement

__all__ = ["balance", "greatest_ratio_key"]

_MOST_STEPS = 1_000
_SAMPLED_NODES = 64
_SAMPLED_TASKS = 64


def balance(problem: Problem, options: Options, node_index: Array) -> Array:
    """Lower max_i L_i / C_i by relocations and swaps that leave the cost as it is.

    Steepest descent from the node of greatest ratio, towards the least loaded nodes and some
    random ones, up to a thousand steps.

    Parameters
    ----------
    problem : Problem
    options : Options
        The deadline and the seed count.
    node_index : (m,) int64
        A feasible allocation.

    Returns
    -------
    (m,) int64
        An allocation of at most the same cost and ratio.
    """
    placement = Placement(problem)
    placement.fill(np.arange(node_index.size), node_index)
    rng = np.random.default_rng(options.seed)
    for _ in range(_MOST_STEPS):
        if options.seconds_left() <= 0 or not _step(placement, rng):
            break
    return placement.node_index


def greatest_ratio_key(problem: Problem, node_index: Array) -> float:
    """max_i L_i / C_i of an allocation; infinite where a node without capacity is loaded."""
    load = np.zeros(problem.instance.num_nodes, dtype=np.int64)
    np.add.at(load, node_index, problem.grid.task_compute)
    return float(_ratio(problem, load, np.arange(load.size)).max(initial=0.0))


def _ratio(problem: Problem, load: Array, nodes: Array) -> Array:
    capacity = problem.grid.node_compute[nodes]
    ratio = np.full(load.shape, np.inf)
    np.divide(load, capacity, out=ratio, where=capacity > 0)
    ratio[load == 0] = 0.0
    return ratio


def _step(placement: Placement, rng: np.random.Generator) -> bool:
    """Make the best move off the most loaded node; False if none lowers its ratio."""
    problem = placement.problem
    grid, instance = problem.grid, problem.instance
    everyone = np.arange(instance.num_nodes)
    ratio = _ratio(problem, placement.load, everyone)
    i = int(np.argmax(ratio))
    mine = np.flatnonzero(placement.node_index == i)
    mine = mine[grid.task_compute[mine] > 0]
    if not mine.size or ratio[i] == 0:
        return False
    mine = mine[np.unique(problem.classes.task_class[mine], return_index=True)[1]]
    if mine.size > _SAMPLED_TASKS:
        mine = rng.choice(mine, _SAMPLED_TASKS, replace=False)
    others = np.argsort(ratio, kind="stable")[:_SAMPLED_NODES]
    others = np.union1d(others, rng.choice(everyone, min(everyone.size, _SAMPLED_NODES), False))
    others = others[others != i]
    theirs = np.flatnonzero(np.isin(placement.node_index, others))
    if theirs.size > _SAMPLED_TASKS * _SAMPLED_TASKS:
        theirs = rng.choice(theirs, _SAMPLED_TASKS * _SAMPLED_TASKS, replace=False)
    # One column for each partner of a swap, then one for each node to relocate to.
    back = np.concatenate((theirs, np.full(others.size, -1)))
    nodes = np.concatenate((placement.node_index[theirs], others))
    best = _best_move(placement, i, mine, nodes, back, float(ratio[i]))
    if best is None:
        return False
    a, b = best
    j = int(nodes[b])
    placement.eject(int(mine[a]))
    if back[b] >= 0:
        placement.eject(int(back[b]))
        placement.place(int(back[b]), i)
    placement.place(int(mine[a]), j)
    return True


def _best_move(
    placement: Placement, i: int, mine: Array, nodes: Array, back: Array, present: float
) -> tuple[int, int] | None:
    """The move (task of i, column) of least resulting ratio that does not raise the cost."""
    problem = placement.problem
    grid = problem.grid
    swap = back >= 0
    returned = np.where(swap, grid.task_compute[back], 0)
    shift = grid.task_compute[mine][:, None] - returned[None, :]
    load_i, load_j = placement.load[i] - shift, placement.load[nodes][None, :] + shift
    after = np.maximum(
        _ratio(problem, load_i, np.full(load_i.shape, i)),
        _ratio(problem, load_j, np.broadcast_to(nodes, load_j.shape)),
    )
    allowed = after < present
    if not allowed.any():
        return None
    allowed &= _cost_change(placement, i, nodes, swap, load_i, load_j) <= 0
    mask, group = problem.instance.eligible_nodes, problem.instance.task_group
    allowed &= mask[group[mine]][:, nodes]
    allowed &= (~swap | mask[group[back], i])[None, :]
    for d in range(grid.needs.shape[1]):
        need = grid.needs[mine, d][:, None] - np.where(swap, grid.needs[back, d], 0)[None, :]
        allowed &= (placement.room[nodes, d][None, :] >= need) & (placement.room[i, d] >= -need)
    if not allowed.any():
        return None
    after[~allowed] = np.inf
    a, b = np.unravel_index(int(np.argmin(after)), after.shape)
    return int(a), int(b)


def _cost_change(
    placement: Placement, i: int, nodes: Array, swap: Array, load_i: Array, load_j: Array
) -> Array:
    """What the cost grows by, for each move, in units of the grid."""
    grid = placement.problem.grid
    C, price, idle = grid.node_compute, grid.overload_price, grid.idle_cost

    def overload(node: Array | int, load: Array) -> Array:
        above: Array = price[node] * np.maximum(0, load - C[node])
        return above

    change = overload(i, load_i) - overload(i, placement.load[i])
    change = change + overload(nodes, load_j) - overload(nodes, placement.load[nodes])
    change += np.where(~swap & (placement.count[nodes] == 0), idle[nodes], 0)[None, :]
    return change - np.where(~swap & (placement.count[i] == 1), idle[i], 0)[None, :]
