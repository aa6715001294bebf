"""Greedy: largest demand first, each task where it costs least.

On equal nodes without side constraints this is LPT, whose cost is at most 13/12 of the
optimum (Dell'Olmo, Kellerer, Speranza and Tuza 1998); with node-dependent overload prices
that ratio no longer holds (Levin 2022).
"""

from __future__ import annotations

import numpy as np

from ..presolve import Problem
from ..result import Termination
from .base import Options, Outcome
from .construction import finish, is_large, largest_first, run_construction
from .placement import Placement

__all__ = ["greedy"]

_BLOCK = 10_000


def greedy(problem: Problem, options: Options) -> Outcome:
    """Place each task, by falling demand, on the node of least marginal cost.

    Ties go to the node with the most free compute. Complexity: O(m n d); on large instances
    the nodes stand in a heap, and most tasks look at the freest ones only.
    """
    order = largest_first(problem)
    if not is_large(problem):
        return run_construction(problem, options, order.tolist(), Placement.cheapest)
    # Loaded here: numba takes half a second, which small instances should not pay.
    from ..kernels.greedy import fill_greedily
    from ..kernels.ready import COMPILING, compile_ahead
    from ..kernels.state import make_facts

    if not compile_ahead(lambda: options.seconds_left() <= 0):
        return Outcome(Termination.TIME_LIMIT, message=COMPILING)
    facts = make_facts(problem, np.arange(order.size))
    placement = Placement(problem)
    for block in np.array_split(order, 1 + order.size // _BLOCK):
        if options.seconds_left() <= 0:
            return Outcome(Termination.TIME_LIMIT, message="the time limit came before the end")
        fill_greedily(
            facts, block, placement.node_index, placement.load, placement.count, placement.room
        )
    return finish(placement, order[placement.node_index[order] < 0].tolist(), options)
