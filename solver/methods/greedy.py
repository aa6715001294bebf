"""Greedy: largest demand first, each task where it costs least.

On equal nodes without side constraints this is LPT, whose cost is at most 13/12 of the
optimum (Dell'Olmo, Kellerer, Speranza and Tuza 1998); with node-dependent overload prices
that ratio no longer holds (Levin 2022).
"""

from __future__ import annotations

from ..presolve import Problem
from .base import Options, Outcome
from .construction import largest_first, run_construction
from .placement import Placement

__all__ = ["greedy"]


def greedy(problem: Problem, options: Options) -> Outcome:
    """Place each task, by falling demand, on the node of least marginal cost.

    Ties go to the node with the most free compute. Complexity: O(m n d).
    """
    order = largest_first(problem).tolist()
    return run_construction(problem, options, order, Placement.cheapest)
