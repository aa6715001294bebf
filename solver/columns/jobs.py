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

import numpy as np

from ..engines.process import HardLimitReached, run_job
from ..kernels.build.ready import compile_ahead
from ..model.exact import Array
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem
from ..programs.linear_model import INFINITE, LinearModel, LinearModelBuilder
from .prices import Column, Data, Prices

__all__ = [
    "Column",
    "Generated",
    "branch_and_price",
    "class_data",
    "columns_of",
    "decode",
    "dive",
    "enumerate_columns",
    "generate_columns",
    "set_model",
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


def class_data(problem: Problem) -> Data:
    """The classes of a problem in the numbers of its outer grid, where bounds are proved."""
    grid, classes = problem.outer_grid, problem.classes
    task, node = classes.task_first, classes.node_first
    return Data(
        demand=grid.task_compute[task],
        needs=np.ascontiguousarray(grid.needs[task]),
        count=classes.task_count,
        most=problem.most_on(grid),
        node_count=classes.node_count,
        node_compute=grid.node_compute[node],
        price=grid.overload_price[node],
        idle=grid.idle_cost[node],
        room=np.ascontiguousarray(grid.capacity[node]),
    )


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
        "data": class_data(problem),
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
        "data": class_data(problem),
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
        "data": class_data(problem),
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
        "data": class_data(problem),
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


def columns_of(problem: Problem, node_index: Array) -> list[Column]:
    """The columns of an allocation, one for each node that has tasks."""
    classes = problem.classes
    order = np.lexsort((classes.task_class, node_index))
    nodes = node_index[order]
    starts = np.flatnonzero(np.concatenate(([True], nodes[1:] != nodes[:-1])))
    parts = np.split(classes.task_class[order], starts[1:])
    return [
        (int(classes.node_class[i]), tuple(part.tolist()))
        for i, part in zip(nodes[starts].tolist(), parts, strict=True)
    ]


def set_model(problem: Problem, columns: list[Column], *, exactly: bool) -> LinearModel:
    """The integer program over given columns.

    Parameters
    ----------
    exactly : bool
        Whether every task is covered exactly once, or once or more.
    """
    data = class_data(problem)
    builder = LinearModelBuilder()
    counts = data.count
    costs, uppers, rows, entries, numbers = [], [], [], [], []
    for c, (g, tasks) in enumerate(columns):
        kinds, amounts = np.unique(np.array(tasks, dtype=np.int64), return_counts=True)
        costs.append(data.cost(g, list(tasks)))
        uppers.append(min(int(data.node_count[g]), int((counts[kinds] // amounts).min())))
        rows += kinds.tolist()
        entries += [c] * kinds.size
        numbers += amounts.tolist()
    x = builder.add_columns(len(columns), upper=np.array(uppers), cost=np.array(costs))
    most = counts if exactly else INFINITE
    cover = builder.add_rows(counts.size, lower=counts, upper=most)
    use = builder.add_rows(data.node_count.size, upper=data.node_count)
    builder.add_entries(cover[rows], x[entries], numbers)
    builder.add_entries(use[[g for g, _ in columns]], x, 1)
    return builder.build()


def decode(problem: Problem, columns: list[Column], values: Array) -> Array | None:
    """An allocation from the number of times that each column is used.

    None if a task is left or nodes are wanting: a solver that is stopped may leave fractions; or
    if a limit is broken that rounding had hidden. A task that is covered more often than needed
    is placed once.
    """
    classes = problem.classes
    node_index = np.full(classes.task_class.size, -1, dtype=np.int64)
    waiting = [classes.tasks_of(k).tolist() for k in range(classes.num_task_classes)]
    nodes = [classes.nodes_of(g).tolist() for g in range(classes.num_node_classes)]
    for (g, tasks), times in zip(columns, np.rint(values).astype(int).tolist(), strict=True):
        for _ in range(times):
            if not nodes[g]:
                return None
            i = nodes[g].pop()
            for k in tasks:
                if waiting[k]:
                    node_index[waiting[k].pop()] = i
    whole = bool((node_index >= 0).all())
    if whole and not problem.outer_grid.exact_limits:
        whole = problem.keeps_limits(node_index)
    return node_index if whole else None
