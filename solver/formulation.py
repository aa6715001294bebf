"""The assignment model: DESIGN's mixed-integer program over classes of tasks and single nodes.

    minimise    sum_i  idle_i u_i + o_i v_i
    subject to  sum_i  y_ki                       = m_k        each task class k
                sum_k  D_k y_ki - v_i            <= C_i u_i    each node i (overload)
                sum_k  q_kd y_ki                 <= Q_id u_i   each hard dimension d
                y_ki                             <= b_ki u_i   each cell, where power_off
                load_i                           >= load_i'    consecutive identical nodes

y_ki counts the tasks of class k on node i, v_i is the load above the capacity, u_i says
whether node i is on (1 without power_off). max_load is one of the hard dimensions. The last
rows break the symmetry of identical nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import ModelTooLargeError
from .exact import Array
from .grid import Grid
from .linear_model import LinearModel, LinearModelBuilder
from .presolve import Problem

__all__ = ["MAX_VARIABLES", "AssignmentModel", "assignment_model", "count_cells"]

MAX_VARIABLES = 3_000_000


@dataclass(frozen=True)
class AssignmentModel:
    """A built model and the way between its variables and allocations.

    Attributes
    ----------
    model : LinearModel
        Columns: y of each cell, then v of each node, then u of each node if power_off.
    cell_class, cell_node : (cells,) int64
        Task class and node of each cell.
    """

    problem: Problem
    grid: Grid
    model: LinearModel
    cell_class: Array
    cell_node: Array

    def encode(self, node_index: Array) -> Array:
        """Values of all columns for an allocation, identical nodes sorted by load."""
        problem, grid = self.problem, self.grid
        n = problem.instance.num_nodes
        load = np.zeros(n, dtype=np.int64)
        np.add.at(load, node_index, grid.task_compute)
        count = np.bincount(node_index, minlength=n)
        moved = _sorted_within_classes(problem.classes.node_class, load, count)
        node_index, load = moved[node_index], _permuted(load, moved)
        cells = self.cell_class * n + self.cell_node
        counts = np.zeros(self.cell_class.size, dtype=np.int64)
        wanted = problem.classes.task_class * n + node_index
        np.add.at(counts, np.searchsorted(cells, wanted), 1)
        overload = np.maximum(0, load - grid.node_compute)
        parts = [counts, overload]
        if problem.instance.power_off:
            parts.append((np.bincount(node_index, minlength=n) > 0).astype(np.int64))
        return np.concatenate(parts)

    def objective_of(self, node_index: Array) -> int:
        """Objective of the model at an allocation."""
        values = self.encode(node_index).astype(object)
        return int((self.model.objective.astype(object) * values).sum())

    def decode(self, values: Array) -> Array:
        """Node position of every task for (at least the first) values of the columns."""
        classes = self.problem.classes
        counts = np.rint(values[: self.cell_class.size]).astype(np.int64)
        node_index = np.full(self.problem.instance.num_tasks, -1, dtype=np.int64)
        nodes = np.repeat(self.cell_node, counts)  # cells come class by class
        order = np.argsort(classes.task_class, kind="stable")
        if nodes.size != order.size:
            raise ValueError(f"the solver placed {nodes.size} of {order.size} tasks")
        node_index[order] = nodes
        return node_index


def count_cells(problem: Problem) -> int:
    """Number of (task class, node) cells of the assignment model."""
    classes = problem.classes
    if classes.num_task_classes * classes.num_node_classes > 10 * MAX_VARIABLES:
        return classes.num_task_classes * problem.instance.num_nodes
    return int((problem.fits.sum(axis=0) * classes.node_count).sum())


def assignment_model(problem: Problem, grid: Grid) -> AssignmentModel:
    """Build the model in arrays.

    Parameters
    ----------
    problem : Problem
    grid : Grid
        The numbers to build it with: ``problem.grid`` or ``problem.float_grid``.

    Raises
    ------
    ModelTooLargeError
        If it would have more than `MAX_VARIABLES` variables.
    """
    cells = count_cells(problem)
    if cells > MAX_VARIABLES:
        raise ModelTooLargeError(
            f"the exact model would have {cells:,} variables (limit {MAX_VARIABLES:,}); "
            "use method='auto', or a heuristic such as 'greedy' with lower_bound() beside it"
        )
    classes, instance = problem.classes, problem.instance
    n = instance.num_nodes
    most_per_node = problem.most_on(grid)
    cell_class, cell_node = np.nonzero(most_per_node[:, classes.node_class])
    builder = LinearModelBuilder()
    most = most_per_node[cell_class, classes.node_class[cell_node]]
    y = builder.add_columns(cell_class.size, upper=most)
    v = builder.add_columns(n, upper=_most_overload(grid), cost=grid.overload_price, integer=False)
    u = builder.add_columns(n, cost=grid.idle_cost) if instance.power_off else None

    rows = builder.add_rows(
        classes.num_task_classes, lower=classes.task_count, upper=classes.task_count
    )
    builder.add_entries(rows[cell_class], y, 1)
    demand = grid.task_compute[classes.task_first][cell_class]
    rows = builder.add_rows(n, upper=0 if u is not None else grid.node_compute)
    builder.add_entries(rows[cell_node], y, demand)
    builder.add_entries(rows, v, -1)
    if u is not None:
        builder.add_entries(rows, u, -grid.node_compute)
    for d in range(grid.needs.shape[1]):
        rows = builder.add_rows(n, upper=0 if u is not None else grid.capacity[:, d])
        builder.add_entries(rows[cell_node], y, grid.needs[classes.task_first, d][cell_class])
        if u is not None:
            builder.add_entries(rows, u, -grid.capacity[:, d])
    if u is not None:
        rows = builder.add_rows(cell_class.size, upper=0)
        builder.add_entries(rows, y, 1)
        builder.add_entries(rows, u[cell_node], -most)
    _break_symmetry(builder, problem, cell_node, y, u, demand)
    return AssignmentModel(problem, grid, builder.build(), cell_class, cell_node)


def _break_symmetry(
    builder: LinearModelBuilder,
    problem: Problem,
    cell_node: Array,
    y: Array,
    u: Array | None,
    demand: Array,
) -> None:
    """Order identical nodes by load, and switch them off from the end."""
    order = np.argsort(problem.classes.node_class, kind="stable")
    same = problem.classes.node_class[order[1:]] == problem.classes.node_class[order[:-1]]
    before, after = order[:-1][same], order[1:][same]
    rows = builder.add_rows(before.size, lower=0)
    row_as_first = np.full(problem.instance.num_nodes, -1)
    row_as_second = row_as_first.copy()
    row_as_first[before], row_as_second[after] = rows, rows
    for row_of, sign in ((row_as_first, 1), (row_as_second, -1)):
        used = row_of[cell_node] >= 0
        builder.add_entries(row_of[cell_node[used]], y[used], sign * demand[used])
    if u is not None:
        rows = builder.add_rows(before.size, lower=0)
        builder.add_entries(rows, u[before], 1)
        builder.add_entries(rows, u[after], -1)


def _most_overload(grid: Grid) -> Array:
    """(n,) the most load above capacity that each node could have."""
    most: Array = np.maximum(0, int(grid.task_compute.sum()) - grid.node_compute)
    return most


def _sorted_within_classes(node_class: Array, load: Array, count: Array) -> Array:
    """New place of each node when identical ones are sorted by load, then by task count."""
    wanted = np.lexsort((-count, -load, node_class))
    places = np.lexsort((np.arange(node_class.size), node_class))
    moved = np.empty_like(wanted)
    moved[wanted] = places
    return moved


def _permuted(values: Array, moved: Array) -> Array:
    result = np.empty_like(values)
    result[moved] = values
    return result
