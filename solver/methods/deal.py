"""Greedy in rounds, for instances too large to look at every node for every task.

In a round the largest waiting tasks go to the freest nodes, one to each, as far as they fit
without overload; all pairs of a round are judged at once. What the rounds leave over is
placed one by one as greedy does.
"""

from __future__ import annotations

import numpy as np

from ..exact import Array
from ..presolve import Problem
from ..result import Termination
from .base import Options, Outcome
from .construction import largest_first, place_rest
from .placement import Placement

__all__ = ["deal"]

_LEAST_PROGRESS = 0.02
_MATCHINGS = 3


def deal(problem: Problem, options: Options) -> Outcome:
    """Deal the tasks out in rounds, largest to freest, then place the rest greedily.

    Complexity: O(m + n log n) a round, about as many rounds as the fullest node has tasks.
    """
    placement = Placement(problem)
    waiting = largest_first(problem)
    rng = np.random.default_rng(options.seed)
    while waiting.size:
        if options.seconds_left() <= 0:
            return Outcome(Termination.TIME_LIMIT, message="the time limit came before the end")
        placed = _round(placement, waiting[: problem.instance.num_nodes], rng)
        if placed.sum() <= _LEAST_PROGRESS * placed.size:
            break
        waiting = np.concatenate((waiting[: placed.size][~placed], waiting[placed.size :]))
    return place_rest(placement, options, waiting.tolist(), Placement.cheapest)


def _round(placement: Placement, tasks: Array, rng: np.random.Generator) -> Array:
    """Give each node at most one of the tasks; returns which of them are placed."""
    grid = placement.problem.grid
    free = grid.node_compute - placement.load
    nodes = np.argsort(-free, kind="stable")[: tasks.size]
    placed = np.zeros(tasks.size, dtype=bool)
    for _ in range(_MATCHINGS):  # who does not suit the node he met meets another one
        open_tasks = np.flatnonzero(~placed)
        fits = _suits(placement, tasks[open_tasks], nodes, free)
        placement.place_all(tasks[open_tasks[fits]], nodes[fits])
        placed[open_tasks[fits]] = True
        nodes = rng.permutation(nodes[~fits])
    return placed


def _suits(placement: Placement, tasks: Array, nodes: Array, free: Array) -> Array:
    """Whether each task may go to the node beside it without overload."""
    problem = placement.problem
    group = problem.instance.task_group[tasks]
    suits: Array = problem.instance.eligible_nodes[group, nodes]
    suits &= problem.grid.task_compute[tasks] <= free[nodes]
    return suits & (placement.room[nodes] >= problem.grid.needs[tasks]).all(axis=1)
