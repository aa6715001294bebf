"""The baselines of the source article: tasks dealt out in turn, or in consecutive blocks.

Both look at no demand. Where the plain order breaks a hard limit, the next node in turn that
fits is taken, which the article, ignoring storage, does not need.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from .base import Options, Outcome
from .placing.construction import run_construction
from .placing.placement import Placement

__all__ = ["blocks", "round_robin"]


def round_robin(problem: Problem, options: Options) -> Outcome:
    """Deal the tasks out in turn: node i gets tasks i, i + n, i + 2n, ..."""
    turn = np.arange(problem.instance.num_tasks) % problem.instance.num_nodes
    return _in_turn(problem, options, turn)


def blocks(problem: Problem, options: Options) -> Outcome:
    """Cut the list of tasks into n consecutive blocks of equal length, the first ones longer."""
    parts = np.array_split(np.arange(problem.instance.num_tasks), problem.instance.num_nodes)
    turn = np.repeat(np.arange(len(parts)), [part.size for part in parts])
    return _in_turn(problem, options, turn)


def _in_turn(problem: Problem, options: Options, turn: Array) -> Outcome:
    def choose(_placement: Placement, j: int, nodes: Array) -> int:
        following = np.searchsorted(nodes, turn[j])
        return int(nodes[following % nodes.size])

    return run_construction(problem, options, range(problem.instance.num_tasks), choose)
