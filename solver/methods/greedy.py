"""Greedy: largest demand first, each task where it costs least.

On equal nodes without side constraints this is LPT, whose cost is at most 13/12 of the
optimum (Dell'Olmo, Kellerer, Speranza and Tuza 1998); with node-dependent overload prices
that ratio no longer holds (Levin 2022).
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ..kernels.build.ready import is_ready, is_usable, load_kernels, prepare
from ..model.exact import Array
from ..model.result import Termination
from ..problem.problem import Problem
from ..settings import PLACING
from .base import Options, Outcome
from .placing.construction import finish, is_large, largest_first, run_construction
from .placing.placement import Placement
from .placing.plain_greedy import fill_plainly
from .placing.whole_construction import run_whole
from .placing.whole_placement import WholePlacement
from .whole.bulk import place_in_bulk
from .whole.large import build_large

__all__ = ["greedy"]


def greedy(problem: Problem, options: Options) -> Outcome:
    """Place each task, by falling demand, on the node of least marginal cost.

    Ties go to the node with the most free compute. Complexity: O(m n d); on large instances
    the nodes stand in a heap, and most tasks look at the freest ones only.
    """
    if problem.modes is not None:
        return _place_whole(problem, options)
    order = largest_first(problem)
    if not is_large(problem):
        return run_construction(problem, options, order.tolist(), Placement.cheapest)
    placement = Placement(problem)
    stranded = _fill(placement, order, options)
    if stranded is None:
        return Outcome(Termination.TIME_LIMIT, message="the time limit came before the end")
    return finish(placement, stranded, options)


def _place_whole(problem: Problem, options: Options) -> Outcome:
    if is_large(problem):
        if is_usable(options.seconds_left(), whole=True):
            return build_large(problem, options)
        prepare(whole=True)
        # One by one in plain Python, they would take minutes.
        node_index = place_in_bulk(problem, PLACING.bulk_share * options.seconds_left())
        if node_index is not None:
            options.on_incumbent(node_index)
            return Outcome(Termination.FINISHED)
    return run_whole(problem, options, WholePlacement.cheapest)


def _fill(placement: Placement, order: Array, options: Options) -> list[int] | None:
    """Place the tasks; those that fit nowhere are returned, or None if the time was up."""
    # Very many tasks take longer in plain Python than loading the compiled code does.
    if not (is_usable(options.seconds_left()) or (is_ready() and order.size > PLACING.very_many)):
        stranded = fill_plainly(placement, order, options)
        prepare()
        return stranded
    load_kernels()  # here: numba takes half a second, which small instances should not pay
    from ..kernels.greedy import fill_greedily
    from ..kernels.state import make_facts

    facts = make_facts(placement.problem, np.arange(order.size))
    hosts = placement.problem.instance.eligibility.short_lists
    for block in np.array_split(order, 1 + order.size // PLACING.block):
        if options.seconds_left() <= 0:
            return None
        fill_greedily(
            facts,
            *hosts,
            block,
            placement.node_index,
            placement.load,
            placement.count,
            placement.room,
        )
    return cast(list[int], order[placement.node_index[order] < 0].tolist())
