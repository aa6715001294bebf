"""The bound of the linear relaxation over classes, which sees every limit and eligibility.

GLOP solves it in floating point, but the bound is not GLOP's: its dual prices are rounded to
rationals, and the Lagrangian that they define is evaluated in exact integers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ..engines.limits import GLOP
from ..engines.process import EngineCrash, HardLimitReached, run_job
from ..problem.coarsening import coarsen
from ..problem.problem import Problem
from ..programs.relaxation import Multipliers, Relaxation
from ..settings import LINEAR
from .closed_form import closed_form_bound
from .lagrangian import PROGRAM_CELLS, lagrangian_bound
from .large.relaxation import pooled_bounds
from .modes.linear import modes_linear_bound

__all__ = ["linear_bound"]

_MAX_CELLS = 2_000_000


def linear_bound(
    problem: Problem,
    time_limit: float = 60.0,
    on_bound: Callable[[int], bool | None] = lambda _: None,
) -> int:
    """The linear relaxation over classes, in exact cost units; at least the closed form.

    On problems of many classes the prices come from a relaxation over pools of tasks, and the
    bound is that of the Lagrangian at them: valid, and a little below the linear relaxation's.

    Parameters
    ----------
    problem : Problem
    time_limit : float
        Seconds.
    on_bound : callable
        Gets every bound that is better than those before, as it comes, the closed form first,
        and says whether it is enough.
    """
    best = closed_form_bound(problem)
    if on_bound(best):
        return best
    if problem.modes is not None:
        found = modes_linear_bound(problem, time_limit)
        if found is not None and found > best:
            best = found
            on_bound(found)
        return best
    if time_limit <= 0:
        return best
    try:
        for bound in _plain_bounds(problem, best, time_limit):
            if bound > best:
                best = bound
                if on_bound(bound):
                    break
    except (HardLimitReached, EngineCrash):
        pass
    return best


def _plain_bounds(problem: Problem, known: int, time_limit: float) -> Iterator[int]:
    """Bounds of the relaxation from quick to strong; `known` is one to measure them by."""
    deadline = time.monotonic() + time_limit
    classes = problem.classes
    cells = classes.num_task_classes * classes.num_node_classes
    is_small = cells <= PROGRAM_CELLS
    slow = LINEAR.slow_cells_off if problem.instance.power_off else LINEAR.slow_cells
    pooled = False
    if not is_small or cells > slow:
        for each in pooled_bounds(problem, known, time_limit):
            pooled = True
            yield each.bound
    left = deadline - time.monotonic()
    prices = None
    if left > 0 and is_small:
        prices = _relaxation_prices(problem, left)
        if prices is None and cells <= slow:
            left = deadline - time.monotonic()
            yield from (each.bound for each in pooled_bounds(problem, known, left))
    elif left > 0 and cells <= _MAX_CELLS and (not pooled or _has_more_rows(problem)):
        prices = _coarse_prices(problem, left)
    if prices is not None:
        yield lagrangian_bound(problem, prices)


def _has_more_rows(problem: Problem) -> bool:
    """Whether the relaxation has rows that are not over pools: openings, and large tasks."""
    numbers = problem.exact_numbers
    largest = int(numbers.demand.max(initial=0))
    return bool(problem.instance.power_off) or largest > int(numbers.node_compute.min())


def _relaxation_prices(problem: Problem, time_limit: float) -> Multipliers | None:
    """The dual prices of the linear relaxation; None if GLOP finds none in the time."""
    relaxation = Relaxation(problem)
    answer = run_job(
        GLOP,
        "solve_relaxation",
        {"model": relaxation.model, "time_limit": time_limit},
        hard_limit=time_limit + 1.0,
    )
    return None if answer["duals"] is None else relaxation.prices(answer["duals"])


def _coarse_prices(problem: Problem, time_limit: float) -> Multipliers | None:
    """Prices of the coarser problem, spread over the classes of the given one."""
    coarse = coarsen(problem)
    if coarse is None:
        return None
    prices = _relaxation_prices(coarse, time_limit)
    if prices is None:
        return None
    g = coarse.classes.node_class[problem.classes.node_first]
    k = coarse.classes.task_class[problem.classes.task_first]
    opening = None if prices.opening is None else prices.opening[np.ix_(k, g)]
    return replace(
        prices,
        load=prices.load[g],
        large=prices.large[g],
        needs=prices.needs[g],
        opening=opening,
    )
