"""The assignment model: a mixed-integer program over classes of tasks and single nodes.

    minimise    sum_i  idle_i u_i + o_i v_i
    subject to  sum_i  y_ki                       = m_k        each task class k
                sum_k  D_k y_ki - v_i            <= C_i u_i    each node i (overload)
                sum_k  q_kd y_ki                 <= Q_id u_i   each hard dimension d
                y_ki                             <= b_ki u_i   each cell, where power_off

y_ki counts the tasks of class k on node i, v_i is the load above the capacity, u_i says
whether node i is on (1 without power_off). max_load is one of the hard dimensions. The symmetry
of identical nodes is broken by leaving cells out (see `symmetry`). In a rich problem the modes take
the place of the classes, and `forms` and `domain_rules` that of the first rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ModelTooLargeError
from ..model.exact import Array
from ..problem.dealing import deal
from ..problem.grid import Grid, Width
from ..problem.problem import Problem
from ..problem.table import ClassTable
from .domain_rules import Cells
from .forms import (
    FormColumns,
    add_forms,
    add_limits,
    add_openings,
    all_load,
    homes_of,
    most_load,
)
from .linear_model import LinearModel, LinearModelBuilder
from .symmetry import first_come, in_first_come_order, switch_off_from_the_end

__all__ = [
    "MAX_VARIABLES",
    "AssignmentModel",
    "assignment_model",
    "count_cells",
    "require_buildable",
]

MAX_VARIABLES = 3_000_000


@dataclass(frozen=True)
class AssignmentModel:
    """A built model and the way between its variables and allocations.

    Attributes
    ----------
    problem : Problem
    grid : Grid
        The numbers it is built with.
    table : ClassTable
        The classes in these numbers.
    model : LinearModel
        Columns: y of each cell, then v of each node, then u of each node if power_off, then those
        of a rich problem.
    cell_class, cell_node : (cells,) int64
        Task class (of a rich problem: mode) and node of each cell.
    spread : int
        Most that the variables can sum to in a solution.
    forms : FormColumns or None
        The columns of a rich problem beyond the others.
    exact_budget : bool
        Whether the quality budget is not rounded.
    """

    problem: Problem
    grid: Grid
    table: ClassTable
    model: LinearModel
    cell_class: Array
    cell_node: Array
    spread: int
    forms: FormColumns | None = None
    exact_budget: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing at all is rounded."""
        return self.grid.exact and self.exact_budget

    def hint(self, node_index: Array | None) -> Array | None:
        """`encode`, or None without an allocation or for one that rounding makes infeasible."""
        if node_index is None or not self.grid.keeps_limits(node_index):
            return None
        return self.encode(node_index)

    def encode(self, node_index: Array) -> Array:
        """Values of all columns for an allocation, identical nodes put in order of first task."""
        problem, grid = self.problem, self.grid
        n = problem.instance.num_nodes
        used = np.flatnonzero(node_index >= 0)
        task_class = problem.classes.task_class[used]
        node = in_first_come_order(
            self.table, problem.classes.node_class, task_class, node_index[used]
        )
        load = np.zeros(n, dtype=np.int64)
        np.add.at(load, node, grid.task_compute[used])
        cells = self.cell_class * n + self.cell_node
        counts = np.zeros(self.cell_class.size, dtype=np.int64)
        np.add.at(counts, np.searchsorted(cells, task_class * n + node), 1)
        overload = np.maximum(0, load - grid.node_compute)
        parts = [counts, overload]
        if problem.instance.power_off:
            parts.append((np.bincount(node, minlength=n) > 0).astype(np.int64))
        if self.forms is not None:
            assert problem.modes is not None
            parts.append(self.forms.values(problem.modes, self.cell_class, counts))
        return np.concatenate(parts)

    def objective_of(self, node_index: Array) -> int:
        """Objective of the model at an allocation."""
        values = self.encode(node_index).astype(object)
        return int((self.model.objective.astype(object) * values).sum())

    def decode(self, values: Array) -> Array | None:
        """Node position of every row for (at least the first) values of the columns.

        None if they place too many or too few tasks, as a solver's tolerances may let them.
        """
        classes = self.problem.classes
        counts = np.maximum(0, np.rint(values[: self.cell_class.size]).astype(np.int64))
        if self.forms is not None:
            return deal(self.problem, self.cell_class, self.cell_node, counts)
        placed = np.bincount(self.cell_class, counts, classes.num_task_classes)
        if not np.array_equal(placed.astype(np.int64), classes.task_count):
            return None
        node_index = np.full(self.problem.instance.num_tasks, -1, dtype=np.int64)
        nodes = np.repeat(self.cell_node, counts)  # cells come class by class
        order = np.argsort(classes.task_class, kind="stable")
        node_index[order] = nodes
        return node_index


def count_cells(problem: Problem) -> int:
    """Number of (task class, node) cells of the assignment model."""
    classes = problem.classes
    if classes.num_task_classes * classes.num_node_classes > 10 * MAX_VARIABLES:
        return classes.num_task_classes * problem.instance.num_nodes
    return int((problem.fits.sum(axis=0) * classes.node_count).sum())


def require_buildable(problem: Problem) -> None:
    """Refuse a problem whose model would have more than `MAX_VARIABLES` variables."""
    cells = count_cells(problem)
    if cells > MAX_VARIABLES:
        raise ModelTooLargeError(
            f"the exact model would have {cells:,} variables (limit {MAX_VARIABLES:,}); "
            "use method='auto', or a heuristic such as 'greedy' with lower_bound() beside it"
        )


def assignment_model(
    problem: Problem, grid: Grid, width: Width = Width.INT64, *, outer: bool = False
) -> AssignmentModel:
    """Build the model in arrays.

    Parameters
    ----------
    problem : Problem
    grid : Grid
        The numbers to build it with.
    width, outer : Width, bool
        How large the losses of a quality budget may get, and how to round them beyond that: so
        that no allocation is lost, or none beyond the budget passes.

    Raises
    ------
    ModelTooLargeError
        If it would have more than `MAX_VARIABLES` variables.
    """
    require_buildable(problem)
    classes, modes, n = problem.classes, problem.modes, problem.instance.num_nodes
    table = problem.table_on(grid)
    held = table.most if modes is None else np.minimum(table.most, problem.most_per_node)
    allowed = held[:, classes.node_class] > 0
    allowed &= first_come(table, classes.node_class, modes)
    cell_class, cell_node = np.nonzero(allowed)
    builder = LinearModelBuilder()
    most = held[cell_class, classes.node_class[cell_node]]
    cost = _use_cost(grid, grid.use_price[cell_node], table.demand[cell_class])
    homes = None if modes is None else homes_of(problem, cell_class, cell_node, most)
    y = builder.add_columns(cell_class.size, upper=most, cost=cost)
    overload = _most_overload(problem, grid, table, held)
    v = builder.add_columns(n, upper=overload, cost=grid.overload_price, integer=False)
    u = builder.add_columns(n, cost=grid.idle_cost) if problem.instance.power_off else None
    cells = Cells(cell_class, cell_node, most, y, u, table.needs, grid.capacity)
    if homes is None:
        rows = builder.add_rows(table.count.size, lower=table.count, upper=table.count)
        builder.add_entries(rows[cell_class], y, 1)
        _add_capacities(builder, problem, (grid, table), cells, (v, u))
        spread = int(grid.task_compute.sum()) + problem.instance.num_tasks + n
        return AssignmentModel(problem, grid, table, builder.build(), cell_class, cell_node, spread)
    forms = add_forms(problem, builder, grid, cells, homes)
    _add_capacities(builder, problem, (grid, table), cells, (v, u))
    add_openings(problem, builder, cells)
    forms, exact_budget = add_limits(problem, builder, cells, forms, width, outer)
    spread = min(int(overload.sum()), all_load(problem, table.demand)) + n + forms.spread
    return AssignmentModel(
        problem, grid, table, builder.build(), cell_class, cell_node, spread, forms, exact_budget
    )


def _add_capacities(
    builder: LinearModelBuilder,
    problem: Problem,
    numbers: tuple[Grid, ClassTable],
    cells: Cells,
    columns: tuple[Array, Array | None],
) -> None:
    """Overload, hard dimensions and the switches of nodes."""
    (grid, table), (v, u), y = numbers, columns, cells.column
    n = problem.instance.num_nodes
    rows = builder.add_rows(n, upper=0 if u is not None else grid.node_compute)
    builder.add_entries(rows[cells.node], y, table.demand[cells.mode])
    builder.add_entries(rows, v, -1)
    if u is not None:
        builder.add_entries(rows, u, -grid.node_compute)
        switch_off_from_the_end(builder, problem.classes.node_class, u)
    for d in range(grid.needs.shape[1]):
        rows = builder.add_rows(n, upper=0 if u is not None else grid.capacity[:, d])
        builder.add_entries(rows[cells.node], y, table.needs[cells.mode, d])
        if u is not None:
            builder.add_entries(rows, u, -grid.capacity[:, d])
    if u is not None:
        rows = builder.add_rows(y.size, upper=0)
        builder.add_entries(rows, y, 1)
        builder.add_entries(rows, u[cells.node], -cells.most)


def _use_cost(grid: Grid, price: Array, demand: Array) -> Array:
    """Cost of each demand at the price beside it; beyond all interest where it would not fit."""
    if grid.most_cost is None:
        return price * demand
    most = (grid.most_cost + 1) // np.maximum(demand, 1)
    return np.where(price > most, grid.most_cost + 1, np.minimum(price, most) * demand)


def _most_overload(problem: Problem, grid: Grid, table: ClassTable, held: Array) -> Array:
    """(n,) the most load above capacity of each node in an allocation that is of interest."""
    if problem.modes is None:
        load: int | Array = int(grid.task_compute.sum())
    else:
        load = most_load(problem, table.demand, held)
    most: Array = np.maximum(0, load - grid.node_compute)
    if grid.most_cost is not None:
        dear = grid.overload_price > 0
        most[dear] = np.minimum(most[dear], grid.most_cost // grid.overload_price[dear])
    return most
