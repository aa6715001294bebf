"""Placing tasks one at a time, in an order and by a rule: what the baselines share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from ...model.exact import Array
from ...model.result import Termination
from ...problem.problem import Problem
from ...settings import PLACING
from ..base import Options, Outcome
from .placement import Placement
from .repair import place_stranded

__all__ = ["finish", "is_large", "largest_first", "run_construction"]


def is_large(problem: Problem) -> bool:
    """Whether looking at every node for every task takes seconds, so that kernels pay."""
    return problem.instance.rows.num_rows * problem.instance.num_nodes > PLACING.large


def largest_first(problem: Problem) -> Array:
    """Positions of the tasks by falling demand; equal ones by their largest relative need."""
    grid = problem.grid
    total = np.maximum(1, grid.capacity.sum(axis=0, dtype=float))
    need = (grid.needs / total).max(axis=1, initial=0.0)
    return np.lexsort((-need, -grid.task_compute))


def run_construction(
    problem: Problem,
    options: Options,
    order: Iterable[int],
    choose: Callable[[Placement, int, Array], int],
) -> Outcome:
    """Place the tasks in order on the nodes that `choose` picks, then repair.

    Parameters
    ----------
    choose : callable
        Gets the placement, the task and the nodes that can take it (never empty), and
        returns one of them.
    """
    placement = Placement(problem)
    stranded: list[int] = []
    for step, j in enumerate(order):
        if step % PLACING.clock_every == 0 and time.monotonic() > options.deadline:
            return Outcome(Termination.TIME_LIMIT, message="the time limit came before the end")
        nodes = placement.fitting(j)
        if nodes.size:
            placement.place(j, choose(placement, j, nodes))
        else:
            stranded.append(j)
    return finish(placement, stranded, options)


def finish(placement: Placement, stranded: list[int], options: Options) -> Outcome:
    """Repair a placement that left tasks stranded, and pass it on once it is complete."""
    if stranded:
        limit = min(options.deadline, options.repair_deadline)
        unplaced = place_stranded(placement, stranded, replace(options, deadline=limit))
        if unplaced:
            options.on_partial(placement.node_index)
            return _failure(placement.problem, options, unplaced)
    options.on_incumbent(placement.node_index)
    return Outcome(Termination.FINISHED)


def _failure(problem: Problem, options: Options, unplaced: list[int]) -> Outcome:
    ids = problem.instance.task_ids
    shown = ", ".join(repr(str(ids[j])) for j in unplaced[:5])
    more = f" and {len(unplaced) - 5:,} more" if len(unplaced) > 5 else ""
    late = time.monotonic() > options.deadline
    return Outcome(
        Termination.TIME_LIMIT if late else Termination.FINISHED,
        unplaced=tuple(unplaced),
        message=f"{len(unplaced):,} tasks could not be placed: {shown}{more}",
    )
