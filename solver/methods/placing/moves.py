"""Relocations and swaps of the tasks of one node, judged all at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ...settings import PLACING
from .placement import Placement

__all__ = ["Moves", "cost_change", "draw_moves", "keeps_limits", "loads_after", "make_move"]


class Moves(NamedTuple):
    """Every task of a node (rows) with every way to move it (columns).

    Attributes
    ----------
    node : int
        The node whose tasks move.
    mine : (rows,) int64
        Its tasks, one of each class.
    nodes : (columns,) int64
        Where they go.
    back : (columns,) int64
        The task that comes in exchange, -1 for none.
    """

    node: int
    mine: Array
    nodes: Array
    back: Array


def draw_moves(
    placement: Placement, i: int, mine: Array, others: Array, rng: np.random.Generator
) -> Moves:
    """The moves of tasks of node i to some other nodes, in exchange for one of theirs or none.

    Parameters
    ----------
    mine : int64
        Tasks of node i; one of each class counts, and of many classes a random part.
    others : int64
        Distinct nodes; node i is passed over.
    """
    classes = placement.problem.classes.task_class
    mine = mine[np.unique(classes[mine], return_index=True)[1]]
    if mine.size > PLACING.sampled_tasks:
        mine = rng.choice(mine, PLACING.sampled_tasks, replace=False)
    others = others[others != i]
    chosen = np.zeros(placement.load.size + 1, dtype=bool)  # the last is for tasks without a node
    chosen[others] = True
    theirs = np.flatnonzero(chosen[placement.node_index])
    if theirs.size > PLACING.sampled_tasks * PLACING.sampled_tasks:
        theirs = rng.choice(theirs, PLACING.sampled_tasks * PLACING.sampled_tasks, replace=False)
    back = np.concatenate((theirs, np.full(others.size, -1)))
    return Moves(i, mine, np.concatenate((placement.node_index[theirs], others)), back)


def loads_after(placement: Placement, moves: Moves) -> tuple[Array, Array]:
    """(rows, columns) loads of the node and of its partner after each move."""
    demand = placement.problem.grid.task_compute
    returned = np.where(moves.back >= 0, demand[moves.back], 0)
    shift = demand[moves.mine][:, None] - returned[None, :]
    return placement.load[moves.node] - shift, placement.load[moves.nodes][None, :] + shift


def keeps_limits(placement: Placement, moves: Moves) -> Array:
    """(rows, columns) whether each move is allowed and both nodes keep their hard limits."""
    problem = placement.problem
    grid, group = problem.grid, problem.instance.task_group
    eligibility = problem.instance.eligibility
    i, mine, nodes, back = moves
    swap = back >= 0
    allowed = eligibility.block(group[mine], nodes)
    allowed &= (~swap | eligibility.at(group[back], i))[None, :]
    for d in range(grid.needs.shape[1]):
        need = grid.needs[mine, d][:, None] - np.where(swap, grid.needs[back, d], 0)[None, :]
        allowed &= (placement.room[nodes, d][None, :] >= need) & (placement.room[i, d] >= -need)
    return allowed


def cost_change(placement: Placement, moves: Moves, load_i: Array, load_j: Array) -> Array:
    """(rows, columns) what the cost grows by, in units of the grid; loads as of `loads_after`."""
    grid = placement.problem.grid
    C, price, use, idle = grid.node_compute, grid.overload_price, grid.use_price, grid.idle_cost
    i, nodes, relocation = moves.node, moves.nodes, moves.back < 0

    def of_load(node: Array | int, load: Array) -> Array:
        cost: Array = price[node] * np.maximum(0, load - C[node]) + use[node] * load
        return cost

    change = of_load(i, load_i) - of_load(i, placement.load[i])
    change = change + of_load(nodes, load_j) - of_load(nodes, placement.load[nodes])
    change += np.where(relocation & (placement.count[nodes] == 0), idle[nodes], 0)[None, :]
    return change - np.where(relocation & (placement.count[i] == 1), idle[i], 0)[None, :]


def make_move(placement: Placement, moves: Moves, a: int, b: int) -> None:
    """Make the move of row a and column b."""
    task, back, j = int(moves.mine[a]), int(moves.back[b]), int(moves.nodes[b])
    placement.eject(task)
    if back >= 0:
        placement.eject(back)
        placement.place(back, moves.node)
    placement.place(task, j)
