"""What a rich problem adds to the assignment model: forms, tasks left out, parts apart, moves.

With k a class of tasks, f a form of it, p a mode of the form (r_p parts of it in one task):

    sum_f y_f + z_k                      = m_k        each class
    sum_i x_pi                           = r_p y_f    each mode
    sum of x_pi over the modes of f     <= y_f        each form and node: parts apart
    e_pi                                >= x_pi - h_pi   where h_pi > 0 parts are at home
    w_p                                 >= r_p y_f - sum_i (x_pi - e_pi)   over these nodes
    sum_f loss_f y_f                    <= budget
    sum_p w_p                           <= most moves

e_pi are the parts in excess of those at home, w_p the parts of a mode that move; of a mode without
a home these are r_p y_f, and w_p is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..model.exact import Array
from ..problem.classes import group_rows
from ..problem.dealing import tasks_in_forms
from ..problem.grid import Grid, Width
from ..problem.modes import Modes
from ..problem.problem import Problem
from .domain_rules import Cells, Derived, add_rules
from .linear_model import LinearModelBuilder

__all__ = [
    "FormColumns",
    "Homes",
    "add_forms",
    "add_limits",
    "add_openings",
    "all_load",
    "homes_of",
    "most_load",
]


@dataclass(frozen=True)
class Homes:
    """Cells where parts are at home.

    Attributes
    ----------
    cell : (homes,) int64
        Position of the cell.
    count : (homes,) int64
        Parts at home there.
    can_exceed : (homes,) bool
        Whether a cell may hold more parts than are at home there.
    mode : (homes,) int64
        Which of `moving` each is of.
    moving : (modes,) int64
        The modes with a home.
    """

    cell: Array
    count: Array
    can_exceed: Array
    mode: Array
    moving: Array


@dataclass(frozen=True)
class FormColumns:
    """The columns beyond those of a plain problem, in their order.

    Attributes
    ----------
    form, left_out : (F,), (classes that may be left out,) int64
    left_out_class : as left_out
        Their classes.
    excess, moved : (homes that can be exceeded,), (modes with a home,) int64
    form_moves : (F,) int64
        Parts of a task in each form that move wherever they go.
    homes : Homes
    derived : tuple of Derived
        Those of the rules.
    spread : int
        Most that these columns and the cells can sum to in a solution.
    """

    form: Array
    left_out: Array
    left_out_class: Array
    excess: Array
    moved: Array
    form_moves: Array
    homes: Homes
    spread: int
    derived: tuple[Derived, ...] = ()

    def values(self, modes: Modes, cell_mode: Array, x: Array) -> Array:
        """Values of these columns from those of the cells."""
        parts = np.zeros(modes.mode_form.size, dtype=np.int64)
        np.add.at(parts, cell_mode, x)
        tasks_in = tasks_in_forms(modes, parts)
        assert tasks_in is not None
        left = modes.task_count.copy()
        np.subtract.at(left, modes.form_class, tasks_in)
        homes = self.homes
        moved = (modes.mode_parts * tasks_in[modes.mode_form])[homes.moving]
        np.subtract.at(moved, homes.mode, np.minimum(x[homes.cell], homes.count))
        excess = np.maximum(0, x[homes.cell] - homes.count)[homes.can_exceed]
        blocks = [tasks_in, left[self.left_out_class], excess, moved]
        return np.concatenate([*blocks, *(each.values(x) for each in self.derived)])


def homes_of(problem: Problem, cell_mode: Array, cell_node: Array, most: Array) -> Homes:
    """Where parts are at home, among the cells of a model (sorted by mode and node)."""
    modes = problem.modes
    assert modes is not None
    n = problem.instance.num_nodes
    key, wanted = cell_mode * n + cell_node, modes.home_mode * n + modes.home_node
    place = np.searchsorted(key, wanted)
    there = place < key.size
    there[there] = key[place[there]] == wanted[there]
    cell, count = place[there], modes.home_count[there]
    moving, mode = np.unique(cell_mode[cell], return_inverse=True)
    return Homes(cell, count, most[cell] > count, mode.reshape(-1), moving)


def most_load(problem: Problem, demand: Array, most: Array) -> Array:
    """(n,) most load that can be on each node: one part of each task, the largest that fits."""
    modes = problem.modes
    assert modes is not None
    largest = np.zeros((modes.task_count.size, most.shape[1]), dtype=np.int64)
    np.maximum.at(largest, modes.mode_class, np.where(most > 0, demand[:, None], 0))
    load: Array = (largest * modes.task_count[:, None]).sum(axis=0)
    return load[problem.classes.node_class]


def all_load(problem: Problem, demand: Array) -> int:
    """Most load of all nodes together, every task in its largest form."""
    modes = problem.modes
    assert modes is not None
    of_form = np.zeros(modes.form_class.size, dtype=np.int64)
    np.add.at(of_form, modes.mode_form, modes.mode_parts * demand)
    of_class = np.zeros(modes.task_count.size, dtype=np.int64)
    np.maximum.at(of_class, modes.form_class, of_form)
    return int((of_class * modes.task_count).sum())


def add_forms(
    problem: Problem, builder: LinearModelBuilder, grid: Grid, cells: Cells, homes: Homes
) -> FormColumns:
    """Add y, z, e and w, and the rows that make whole tasks of parts."""
    modes = problem.modes
    assert modes is not None
    costs = problem.mode_costs(grid)
    K, count = modes.task_count.size, modes.task_count
    must_run = np.array([cost is None for cost in modes.skip_cost], dtype=bool)
    forms = np.bincount(modes.form_class, minlength=K)
    given = ((forms == 1) & must_run)[modes.form_class]
    of_form = count[modes.form_class]
    loose = modes.counts_as_move.copy()
    loose[homes.moving] = False
    form_moves, cost = np.zeros((2, modes.form_class.size), dtype=np.int64)
    np.add.at(form_moves, modes.mode_form[loose], modes.mode_parts[loose])
    np.add.at(cost, modes.mode_form[loose], (modes.mode_parts * costs.move_cost)[loose])
    cost = _of_interest(grid, costs.form_cost + cost)
    y = builder.add_columns(modes.form_class.size, lower=of_form * given, upper=of_form, cost=cost)
    optional = np.flatnonzero(~must_run)
    cost = _of_interest(grid, costs.skip_cost[optional])
    z = builder.add_columns(optional.size, upper=count[optional], cost=cost)
    over = homes.can_exceed
    above = (cells.most[homes.cell] - homes.count)[over]
    e = builder.add_columns(above.size, upper=above, integer=False)
    most = (modes.mode_parts * of_form[modes.mode_form])[homes.moving]
    cost = _of_interest(grid, costs.move_cost[homes.moving])
    w = builder.add_columns(homes.moving.size, upper=most, cost=cost, integer=False)

    row_of = np.full(K, -1)
    chosen = ~must_run | (forms != 1)
    row_of[chosen] = builder.add_rows(int(chosen.sum()), lower=count[chosen], upper=count[chosen])
    builder.add_entries(row_of[modes.form_class[~given]], y[~given], 1)
    builder.add_entries(row_of[optional], z, 1)
    fixed = given[modes.mode_form]
    total = np.where(fixed, modes.mode_parts * of_form[modes.mode_form], 0)
    rows = builder.add_rows(modes.mode_form.size, lower=total, upper=total)
    builder.add_entries(rows[cells.mode], cells.column, 1)
    free = np.flatnonzero(~fixed)
    builder.add_entries(rows[free], y[modes.mode_form[free]], -modes.mode_parts[free])
    _keep_apart(modes, builder, cells, y, given)
    rows = builder.add_rows(e.size, upper=homes.count[over])
    builder.add_entries(rows, cells.column[homes.cell[over]], 1)
    builder.add_entries(rows, e, -1)
    rows = builder.add_rows(w.size, lower=0)
    builder.add_entries(rows, w, 1)
    builder.add_entries(rows, y[modes.mode_form[homes.moving]], -modes.mode_parts[homes.moving])
    builder.add_entries(rows[homes.mode], cells.column[homes.cell], 1)
    builder.add_entries(rows[homes.mode[over]], e, -1)
    of_class = np.zeros(K, dtype=np.int64)
    np.maximum.at(of_class, modes.form_class, _parts_of_forms(modes))
    spread = int((count * (1 + 3 * of_class)).sum())  # tasks; parts, in excess, moved
    return FormColumns(y, z, optional, e, w, form_moves, homes, spread)


def _keep_apart(
    modes: Modes, builder: LinearModelBuilder, cells: Cells, y: Array, given: Array
) -> None:
    """Rows that let no node hold more parts of a form than there are tasks in it.

    Where the tasks in a form are given, only where the cells allow for more.
    """
    several = np.flatnonzero((_parts_of_forms(modes) > 1)[modes.mode_form[cells.mode]])
    form = modes.mode_form[cells.mode[several]]
    pair, first = group_rows([form, cells.node[several]])
    form = form[first]
    held = np.zeros(form.size, dtype=np.int64)
    np.add.at(held, pair, cells.most[several])
    fixed = given[form]
    tasks = modes.task_count[modes.form_class[form]]
    wanted = ~fixed | (held > tasks)
    rows = np.full(form.size, -1)
    rows[wanted] = builder.add_rows(int(wanted.sum()), upper=np.where(fixed, tasks, 0)[wanted])
    free = wanted & ~fixed
    builder.add_entries(rows[free], y[form[free]], -1)
    mine = wanted[pair]
    builder.add_entries(rows[pair[mine]], cells.column[several[mine]], 1)


def add_openings(problem: Problem, builder: LinearModelBuilder, cells: Cells) -> None:
    """A node that is on has one part of each task at most: sum of x_pi over a class <= m_k u_i."""
    modes = problem.modes
    assert modes is not None
    if cells.on is None:
        return
    task_class = modes.mode_class[cells.mode]
    pair, first = group_rows([task_class, cells.node])
    held = np.zeros(first.size, dtype=np.int64)
    np.add.at(held, pair, cells.most)
    tasks = modes.task_count[task_class[first]]
    wanted = (held > tasks) & (np.bincount(pair, minlength=first.size) > 1)
    rows = np.full(first.size, -1)
    rows[wanted] = builder.add_rows(int(wanted.sum()), upper=0)
    mine = wanted[pair]
    builder.add_entries(rows[pair[mine]], cells.column[mine], 1)
    builder.add_entries(rows[wanted], cells.on[cells.node[first[wanted]]], -tasks[wanted])


def _parts_of_forms(modes: Modes) -> Array:
    """(F,) parts of a task in each form."""
    parts = np.zeros(modes.form_class.size, dtype=np.int64)
    np.add.at(parts, modes.mode_form, modes.mode_parts)
    return parts


def add_limits(
    problem: Problem,
    builder: LinearModelBuilder,
    cells: Cells,
    columns: FormColumns,
    width: Width,
    outer: bool,
) -> tuple[FormColumns, bool]:
    """Add the most moves, the quality budget and the rules.

    Returns
    -------
    FormColumns
        With the columns of the rules.
    bool
        Whether the budget is not rounded.
    """
    assert problem.modes is not None
    _add_most_moves(problem.modes, builder, columns)
    exact = _add_budget(problem.modes, builder, columns, width, outer)
    derived = add_rules(problem, builder, cells)
    spread = columns.spread + sum(each.most for each in derived)
    return replace(columns, derived=derived, spread=spread), exact


def _add_most_moves(modes: Modes, builder: LinearModelBuilder, columns: FormColumns) -> None:
    if modes.most_moves is None:
        return
    row = builder.add_rows(1, upper=modes.most_moves)
    builder.add_entries(row, columns.form, columns.form_moves)
    builder.add_entries(row, columns.moved, 1)


def _add_budget(
    modes: Modes, builder: LinearModelBuilder, columns: FormColumns, width: Width, outer: bool
) -> bool:
    """The quality budget as a row, if it can bind; True unless it had to be rounded.

    Parameters
    ----------
    modes : Modes
    builder : LinearModelBuilder
    columns : FormColumns
    width : Width
        How large the sum of losses may get before it is rounded.
    outer : bool
        Whether to round so that no allocation is lost, else so that none beyond the budget passes.
    """
    if modes.budget is None:
        return True
    divisor = math.gcd(*modes.form_loss) or 1
    budget, loss = modes.budget // divisor, [each // divisor for each in modes.form_loss]
    largest = [0] * modes.task_count.size
    for k, each in zip(modes.form_class.tolist(), loss, strict=True):
        largest[k] = max(largest[k], each)
    counts = modes.task_count.tolist()
    total = sum(count * each for count, each in zip(counts, largest, strict=True))
    if total <= budget:
        return True
    limit = width.value[1]
    unit = -(-16 * total // limit) if total >= limit else 1
    if outer:
        budget, loss = -(-budget // unit), [each // unit for each in loss]
    else:
        budget, loss = budget // unit, [-(-each // unit) for each in loss]
    row = builder.add_rows(1, upper=budget)
    builder.add_entries(row, columns.form, loss)
    return unit == 1


def _of_interest(grid: Grid, cost: Array) -> Array:
    """Costs with those that no allocation of interest pays cut down to just beyond them."""
    return cost if grid.most_cost is None else np.minimum(cost, grid.most_cost + 1)
