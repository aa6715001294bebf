"""The baselines of the source article: tasks dealt out in turn, or in consecutive blocks.

Both look at no demand. Where the plain order breaks a hard limit, the next node in turn that
fits is taken, which the article, ignoring storage, does not need.
"""

from __future__ import annotations

import numpy as np

from ..kernels.whole.facts import TASK
from ..model.exact import Array
from ..problem.problem import Problem
from .base import Options, Outcome
from .placing.construction import run_construction
from .placing.placement import Placement
from .placing.whole_construction import run_whole
from .placing.whole_placement import WholePlacement

__all__ = ["blocks", "round_robin"]


def round_robin(problem: Problem, options: Options) -> Outcome:
    """Deal the tasks out in turn: node i gets tasks i, i + n, i + 2n, ..."""
    if problem.modes is not None:
        return run_whole(problem, options, _Turns(), in_order=True)
    turn = np.arange(problem.instance.num_tasks) % problem.instance.num_nodes
    return _in_turn(problem, options, turn)


def blocks(problem: Problem, options: Options) -> Outcome:
    """Cut the list of tasks into n consecutive blocks of equal length, the first ones longer."""
    parts = np.array_split(np.arange(problem.instance.num_tasks), problem.instance.num_nodes)
    turn = np.repeat(np.arange(len(parts)), [part.size for part in parts])
    if problem.modes is not None:
        return run_whole(problem, options, _Turns(turn), in_order=True)
    return _in_turn(problem, options, turn)


class _Turns:
    """The node whose turn it is for a row, or the next that fits.

    Parameters
    ----------
    turn : (m,) int64, optional
        By task: so for blocks; parts that come after the first go on from there. Without it every
        part that is tried takes the node behind that of the last part placed.
    """

    def __init__(self, turn: Array | None = None) -> None:
        self._turn = turn

    def __call__(self, placement: WholePlacement, r: int, nodes: Array) -> int:
        if self._turn is None:
            due = int(placement.count.sum()) % placement.count.size
        else:
            due = int(self._turn[placement.facts.row[r, TASK]])
        return int(nodes[np.searchsorted(nodes, due) % nodes.size])


def _in_turn(problem: Problem, options: Options, turn: Array) -> Outcome:
    def choose(_placement: Placement, j: int, nodes: Array) -> int:
        following = np.searchsorted(nodes, turn[j])
        return int(nodes[following % nodes.size])

    return run_construction(problem, options, range(problem.instance.num_tasks), choose)
