"""The integer program over columns of modes, and the way from columns to an allocation."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ...problem.dealing import deal
from ...problem.problem import Problem
from ...problem.table import Column
from ...programs.linear_model import LinearModelBuilder
from .table import ModeTable

__all__ = ["add_forms", "deal_columns"]

_WIDEST_LOSS = 2**40


def add_forms(
    builder: LinearModelBuilder,
    data: ModeTable,
    columns: list[Column],
    x: Array,
    cover: Array,
) -> None:
    """Add to the program over columns what depends on forms: see `columns.modes.generation`.

    Parameters
    ----------
    builder : LinearModelBuilder
        With the columns and the rows of the modes.
    data : ModeTable
    columns : list of Column
    x : (columns,) int64
        Their variables.
    cover : (P,) int64
        Rows of the modes, where the parts of the tasks in each form are taken off.
    """
    forms = data.forms
    many = forms.task_count[forms.task_class]
    y = builder.add_columns(forms.cost.size, upper=many, cost=forms.cost)
    builder.add_entries(cover, y[forms.of_mode], -forms.parts)
    skip = forms.skip_cost
    z = builder.add_columns(
        skip.size, upper=np.where(skip < 0, 0, forms.task_count), cost=np.maximum(skip, 0)
    )
    tasks = builder.add_rows(skip.size, lower=forms.task_count, upper=forms.task_count)
    builder.add_entries(tasks[forms.task_class], y, 1)
    builder.add_entries(tasks, z, 1)
    if forms.budget is not None:
        # Rounded so that no allocation is lost.
        unit = max(1, -(-forms.budget // _WIDEST_LOSS))
        budget = builder.add_rows(1, upper=-(-forms.budget // unit))
        # One task alone above the budget: any number beyond it says that.
        losses = [min(loss, forms.budget + unit) // unit for loss in forms.loss]
        builder.add_entries(np.repeat(budget, y.size), y, losses)
    if forms.most_moves is not None:
        moves = [data.moves(g, list(modes)) for g, modes in columns]
        cap = builder.add_rows(1, upper=min(forms.most_moves, int(data.count.sum())))
        builder.add_entries(np.repeat(cap, x.size), x, moves)
    _add_rules(builder, data, columns, x)


def _add_rules(
    builder: LinearModelBuilder, data: ModeTable, columns: list[Column], x: Array
) -> None:
    rules = data.rules
    least = builder.add_columns(rules.most_least.size, upper=rules.most_least)
    rows = builder.add_rows(rules.limit.size, upper=rules.limit)
    builder.add_entries(rows, least[rules.row_rule], rules.size)
    for variable, (g, modes) in zip(x.tolist(), columns, strict=True):
        entered, numbers = rules.coefficients(g, np.bincount(modes, minlength=data.demand.size))
        builder.add_entries(rows[entered], variable, numbers)


def deal_columns(
    problem: Problem, data: ModeTable, columns: list[Column], times: Array, *, whole: bool = True
) -> Array | None:
    """An allocation from the number of times that each column is used; None if it is none.

    With `whole`, it is none if a task is left that must run. Parts beyond those of whole tasks are
    left away. Which rules hold is not looked at.
    """
    nodes = [problem.classes.nodes_of(g).tolist() for g in range(data.node_count.size)]
    held: dict[tuple[int, int], int] = {}
    for (g, modes), number in zip(columns, times.tolist(), strict=True):
        for _ in range(number):
            if not nodes[g]:
                return None
            i = nodes[g].pop()
            for p in modes:
                held[p, i] = held.get((p, i), 0) + 1
    parts = np.zeros(data.demand.size, dtype=np.int64)
    for (p, _), number in held.items():
        parts[p] += number
    wanted = data.forms.tasks_in(parts)[data.forms.of_mode] * data.forms.parts
    for p in np.flatnonzero(parts > wanted).tolist():
        _leave_away(problem, data, held, p, int(parts[p] - wanted[p]))
    cells = [(p, i, number) for (p, i), number in sorted(held.items()) if number > 0]
    mode, node, count = np.array(cells, dtype=np.int64).reshape(-1, 3).T
    return deal(problem, mode, node, count, whole=whole)


def _leave_away(
    problem: Problem, data: ModeTable, held: dict[tuple[int, int], int], p: int, surplus: int
) -> None:
    """Take parts of a mode away: first where most are, then those that are not at home."""
    mine = [i for q, i in held if q == p]
    node_class = problem.classes.node_class
    at_home = {}
    for i in mine:
        modes, counts = data.homes[int(node_class[i])]
        at_home[i] = int(counts[modes == p].sum())
    for _ in range(surplus):
        i = max(mine, key=lambda i: (held[p, i], held[p, i] - at_home[i]))
        held[p, i] -= 1
