"""Dantzig-Wolfe reformulation: whole nodes are chosen instead of single assignments.

A column is a set of tasks that fits one node of a class; it costs what that node then costs:

    minimise   sum_c  cost_c x_c
    subject to sum_c  a_kc x_c >= m_k      every task class is covered
               sum_{c of g}  x_c <= n_g    no node is used twice
               x_c >= 0, integer

Its linear relaxation is stronger than that of the assignment model, because no fraction of a
set overloads a node by a fraction. The columns are generated as needed (Gilmore and Gomory
1961; Desaulniers, Desrosiers and Solomon 2005, "Column Generation"). For any prices pi >= 0 of
the task classes

    sum_k m_k pi_k - sum_g n_g max_c of g (sum_k pi_k a_kc - cost_c, 0)

is a lower bound: it is evaluated at integer prices, in exact integers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..engines.process import HardLimitReached, run_job
from ..kernels.build.ready import compile_ahead
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem
from ..problem.table import Column
from .prices import Prices

__all__ = [
    "Column",
    "Generated",
    "branch_and_price",
    "dive",
    "enumerate_columns",
    "generate_columns",
]

ENGINE = "solver.columns.generation"
DIVING_ENGINE, ENUMERATION_ENGINE = "solver.columns.diving", "solver.columns.enumeration"
BRANCHING_ENGINE = "solver.columns.branching"
_GRACE_SECONDS = 1.0
_BRANCHES = 40_000_000


@dataclass(frozen=True)
class Generated:
    """What column generation found.

    Attributes
    ----------
    columns : list of Column
    bound : int or None
        A proven bound on the cost on the grid.
    prices : list of Prices
        For `enumerate_columns`: those behind the bound, and others.
    converged : bool
        Whether the bound is that of the linear relaxation itself.
    rounds, branches : int
        Work done.
    """

    columns: list[Column]
    bound: int | None = None
    prices: list[Prices] = field(default_factory=list)
    converged: bool = False
    rounds: int = 0
    branches: int = 0


def generate_columns(
    problem: Problem,
    start: list[Column],
    time_limit: float,
    upper: int | None = None,
    on_bound: Callable[[int], None] | None = None,
) -> Generated:
    """Solve the linear relaxation of the reformulation, or bound it until time is up.

    Parameters
    ----------
    problem : Problem
    start : list of Column
        Columns to begin with, of good allocations.
    time_limit : float
    upper : int, optional
        Cost on the grid of a known allocation; the search ends when the bound reaches it.
    on_bound : callable, optional
        Told of every better bound, in exact units of cost.
    """
    best: list[Prices] = []
    deadline = time.monotonic() + time_limit
    if not compile_ahead(lambda: time.monotonic() >= deadline):
        return Generated(start, None, [])
    time_limit = deadline - time.monotonic()

    def news(prices: Prices) -> None:
        best.append(prices)
        if on_bound is not None:
            _pass_on(problem, prices.grid_bound, on_bound)

    payload = {
        "data": problem.outer_table,
        "columns": start,
        "time_limit": time_limit,
        "enough": upper,
    }
    try:
        answer = run_job(
            ENGINE,
            "generate_columns",
            payload,
            hard_limit=time_limit + _GRACE_SECONDS,
            on_news=news,
        )
    except HardLimitReached:
        return Generated(start, _bound(best), best[-1:])
    return Generated(
        answer["columns"],
        _bound(best),
        answer["prices"],
        answer["converged"],
        answer["rounds"],
        answer["branches"],
    )


def _bound(prices: list[Prices]) -> int | None:
    return max((found.grid_bound for found in prices), default=None)


def dive(
    problem: Problem,
    start: list[Column],
    time_limit: float,
    most_dives: int,
    upper: int | None,
    enough: int,
    seed: int,
    on_allocation: Callable[[list[Column]], None],
) -> list[Column]:
    """Look for allocations by diving (`solver.columns.diving`); all columns known at the end.

    Parameters
    ----------
    problem : Problem
    start : list of Column
        Of `generate_columns`.
    time_limit : float
    most_dives : int
    upper, enough : int
        Costs on the grid: the one to beat, and the one at which to stop.
    seed : int
    on_allocation : callable
        Told the columns of every cheaper allocation.
    """
    payload = {
        "data": problem.outer_table,
        "columns": start,
        "time_limit": time_limit,
        "most_dives": most_dives,
        "upper": upper,
        "enough": enough,
        "seed": seed,
    }
    try:
        answer = run_job(
            DIVING_ENGINE,
            "dive",
            payload,
            hard_limit=time_limit + _GRACE_SECONDS,
            on_news=lambda news: on_allocation(news[2]),
        )
    except HardLimitReached:
        return start
    columns: list[Column] = answer["columns"]
    return columns


def branch_and_price(
    problem: Problem,
    start: list[Column],
    time_limit: float,
    upper: int,
    bound: int,
    on_allocation: Callable[[list[Column]], None],
    on_bound: Callable[[int], None],
) -> int:
    """Raise the bound by branching (`solver.columns.branching`); the parts looked at.

    Parameters
    ----------
    problem : Problem
    start : list of Column
        Of `generate_columns`.
    time_limit : float
    upper, bound : int
        Costs on the grid: the one to beat, and a proven bound.
    on_allocation : callable
        Told the columns of every cheaper allocation.
    on_bound : callable
        Told of every better bound, in exact units of cost.
    """

    def news(item: tuple[Any, ...]) -> None:
        if item[0] == "allocation":
            on_allocation(item[2])
        else:
            _pass_on(problem, item[1], on_bound)

    payload = {
        "data": problem.outer_table,
        "columns": start,
        "time_limit": time_limit,
        "upper": upper,
        "bound": bound,
    }
    try:
        answer = run_job(
            BRANCHING_ENGINE,
            "branch_and_price",
            payload,
            hard_limit=time_limit + _GRACE_SECONDS,
            on_news=news,
        )
    except HardLimitReached:
        return 0
    return int(answer["parts"])


def _pass_on(problem: Problem, grid_bound: int, on_bound: Callable[[int], None]) -> None:
    units = problem.outer_grid.bound_in_units(grid_bound)
    on_bound(round_up_to_attainable(problem, max(0, units)))


def enumerate_columns(
    problem: Problem, prices: list[Prices], below: int, most: int, time_limit: float
) -> tuple[list[Column], bool]:
    """All columns that an allocation of cost at most `below` may use.

    A column whose reduced cost exceeds the gap between `below` and the bound of any prices
    cannot be part of such an allocation.

    Parameters
    ----------
    prices : list of Prices
        From `Generated`.
    below : int
        A cost on the grid.
    most : int
        Give up on a class of nodes beyond this many.
    time_limit : float

    Returns
    -------
    columns : list of Column
    complete : bool
        Whether these are all.
    """
    payload = {
        "data": problem.outer_table,
        "prices": prices,
        "below": below,
        "most": most,
        "branches": _BRANCHES,
        "time_limit": time_limit,
    }
    try:
        answer = run_job(
            ENUMERATION_ENGINE, "enumerate_columns", payload, hard_limit=time_limit + _GRACE_SECONDS
        )
    except HardLimitReached:
        return [], False
    return answer["columns"], answer["complete"]
