"""The integer program over given columns, and the way from allocations to columns and back."""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from ..problem.table import Column
from ..programs.linear_model import INFINITE, LinearModel, LinearModelBuilder
from .modes.program import add_forms, deal_columns
from .modes.table import ModeTable, column_table

__all__ = ["columns_of", "decode", "most_of_others", "set_model"]


def columns_of(problem: Problem, node_index: Array) -> list[Column]:
    """The columns of an allocation, one for each node that has tasks."""
    classes = problem.classes
    order = np.lexsort((classes.task_class, node_index))
    order = order[node_index[order] >= 0]
    if not order.size:
        return []
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
    data = column_table(problem)
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
    wanted = counts if problem.modes is None else 0
    most = wanted if exactly else INFINITE
    cover = builder.add_rows(counts.size, lower=wanted, upper=most)
    use = builder.add_rows(data.node_count.size, upper=data.node_count)
    builder.add_entries(cover[rows], x[entries], numbers)
    builder.add_entries(use[[g for g, _ in columns]], x, 1)
    if isinstance(data, ModeTable):
        add_forms(builder, data, columns, x, cover)
    return builder.build()


def most_of_others(problem: Problem) -> int:
    """Most that the variables of `set_model` beside the columns can sum to."""
    data = column_table(problem)
    if not isinstance(data, ModeTable):
        return 0
    return int(data.forms.task_count.sum() + data.rules.most_least.sum())


def decode(problem: Problem, columns: list[Column], values: Array) -> Array | None:
    """An allocation from the number of times that each column is used.

    None if a task is left or nodes are wanting: a solver that is stopped may leave fractions; or
    if a limit is broken that rounding had hidden. A task that is covered more often than needed
    is placed once.
    """
    times = np.rint(values).astype(int)
    data = column_table(problem)
    if isinstance(data, ModeTable):
        return deal_columns(problem, data, columns, times)
    classes = problem.classes
    node_index = np.full(classes.task_class.size, -1, dtype=np.int64)
    waiting = [classes.tasks_of(k).tolist() for k in range(classes.num_task_classes)]
    nodes = [classes.nodes_of(g).tolist() for g in range(classes.num_node_classes)]
    for (g, tasks), number in zip(columns, times.tolist(), strict=True):
        for _ in range(number):
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
