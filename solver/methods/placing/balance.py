"""The tie-break: among allocations of equal cost, a smaller greatest load per capacity."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ...problem.problem import Problem
from ...settings import PLACING
from ..base import Options
from .moves import Moves, cost_change, draw_moves, keeps_limits, loads_after, make_move
from .placement import Placement

__all__ = ["balance", "greatest_ratio_key"]


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
    if problem.modes is not None:  # relocations and swaps here know of no rules
        return node_index
    placement = Placement(problem)
    placement.fill(np.arange(node_index.size), node_index)
    rng = np.random.default_rng(options.seed)
    for _ in range(PLACING.balance_steps):
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
    everyone = np.arange(problem.instance.num_nodes)
    ratio = _ratio(problem, placement.load, everyone)
    i = int(np.argmax(ratio))
    mine = np.flatnonzero(placement.node_index == i)
    mine = mine[problem.grid.task_compute[mine] > 0]
    if not mine.size or ratio[i] == 0:
        return False
    others = np.argsort(ratio, kind="stable")[: PLACING.balance_nodes]
    others = np.union1d(
        others, rng.choice(everyone, min(everyone.size, PLACING.balance_nodes), False)
    )
    moves = draw_moves(placement, i, mine, others, rng)
    best = _best_move(placement, moves, float(ratio[i]))
    if best is None:
        return False
    make_move(placement, moves, *best)
    return True


def _best_move(placement: Placement, moves: Moves, present: float) -> tuple[int, int] | None:
    """The move (row, column) of least resulting ratio that does not raise the cost."""
    problem = placement.problem
    load_i, load_j = loads_after(placement, moves)
    after = np.maximum(
        _ratio(problem, load_i, np.full(load_i.shape, moves.node)),
        _ratio(problem, load_j, np.broadcast_to(moves.nodes, load_j.shape)),
    )
    allowed = after < present
    if not allowed.any():
        return None
    allowed &= cost_change(placement, moves, load_i, load_j) <= 0
    allowed &= keeps_limits(placement, moves)
    if not allowed.any():
        return None
    after[~allowed] = np.inf
    a, b = np.unravel_index(int(np.argmin(after)), after.shape)
    return int(a), int(b)
