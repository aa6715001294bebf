"""First fit and best fit, by falling demand: the classics of bin packing.

A task goes to a node where it causes no overload, if there is one that fits; otherwise where
it costs least. (Johnson 1973, "Near-optimal bin packing algorithms".)
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from .base import Options, Outcome
from .placing.construction import largest_first, run_construction
from .placing.placement import Placement
from .placing.whole_construction import run_whole
from .placing.whole_placement import WholePlacement

__all__ = ["best_fit", "first_fit"]


def first_fit(problem: Problem, options: Options) -> Outcome:
    """Place each task, by falling demand, on the first node with enough free compute."""
    if problem.modes is not None:
        return run_whole(problem, options, _first_of_rows)

    def choose(placement: Placement, j: int, nodes: Array) -> int:
        enough = nodes[placement.free_compute(nodes) >= problem.grid.task_compute[j]]
        return int(enough[0]) if enough.size else placement.cheapest(j, nodes)

    return run_construction(problem, options, largest_first(problem).tolist(), choose)


def best_fit(problem: Problem, options: Options) -> Outcome:
    """Place each task, by falling demand, where it leaves the least compute free."""
    if problem.modes is not None:
        return run_whole(problem, options, _best_of_rows)

    def choose(placement: Placement, j: int, nodes: Array) -> int:
        free = placement.free_compute(nodes)
        enough = free >= problem.grid.task_compute[j]
        if not enough.any():
            return placement.cheapest(j, nodes)
        return int(nodes[enough][np.argmin(free[enough])])

    return run_construction(problem, options, largest_first(problem).tolist(), choose)


def _first_of_rows(placement: WholePlacement, r: int, nodes: Array) -> int:
    enough = nodes[placement.free_compute(nodes) >= placement.demand(r)]
    return int(enough[0]) if enough.size else placement.cheapest(r, nodes)


def _best_of_rows(placement: WholePlacement, r: int, nodes: Array) -> int:
    free = placement.free_compute(nodes)
    enough = free >= placement.demand(r)
    if not enough.any():
        return placement.cheapest(r, nodes)
    return int(nodes[enough][np.argmin(free[enough])])
