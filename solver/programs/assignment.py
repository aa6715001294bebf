"""The assignment model: a mixed-integer program over classes of tasks and single nodes.

    minimise    sum_i  idle_i u_i + o_i v_i
    subject to  sum_i  y_ki                       = m_k        each task class k
                sum_k  D_k y_ki - v_i            <= C_i u_i    each node i (overload)
                sum_k  q_kd y_ki                 <= Q_id u_i   each hard dimension d
                y_ki                             <= b_ki u_i   each cell, where power_off

y_ki counts the tasks of class k on node i, v_i is the load above the capacity, u_i says
whether node i is on (1 without power_off). max_load is one of the hard dimensions. The symmetry
of identical nodes is broken by leaving cells out (see `_first_come`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ModelTooLargeError
from ..model.exact import Array
from ..problem.grid import Grid
from ..problem.problem import Problem
from ..problem.table import ClassTable
from .linear_model import LinearModel, LinearModelBuilder

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
        Columns: y of each cell, then v of each node, then u of each node if power_off.
    cell_class, cell_node : (cells,) int64
        Task class and node of each cell.
    """

    problem: Problem
    grid: Grid
    table: ClassTable
    model: LinearModel
    cell_class: Array
    cell_node: Array

    def hint(self, node_index: Array | None) -> Array | None:
        """`encode`, or None without an allocation or for one that rounding makes infeasible."""
        if node_index is None or not self.grid.keeps_limits(node_index):
            return None
        return self.encode(node_index)

    def encode(self, node_index: Array) -> Array:
        """Values of all columns for an allocation, identical nodes put in order of first task."""
        problem, grid = self.problem, self.grid
        n = problem.instance.num_nodes
        rank = np.argsort(_class_order(self.table))
        first = np.full(n, rank.size)
        np.minimum.at(first, node_index, rank[problem.classes.task_class])
        moved = _sorted_within_classes(problem.classes.node_class, first)
        node_index = moved[node_index]
        load = np.zeros(n, dtype=np.int64)
        np.add.at(load, node_index, grid.task_compute)
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

    def decode(self, values: Array) -> Array | None:
        """Node position of every task for (at least the first) values of the columns.

        None if they place too many or too few tasks, as a solver's tolerances may let them.
        """
        classes = self.problem.classes
        counts = np.maximum(0, np.rint(values[: self.cell_class.size]).astype(np.int64))
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


def assignment_model(problem: Problem, grid: Grid) -> AssignmentModel:
    """Build the model in arrays.

    Parameters
    ----------
    problem : Problem
    grid : Grid
        The numbers to build it with.

    Raises
    ------
    ModelTooLargeError
        If it would have more than `MAX_VARIABLES` variables.
    """
    require_buildable(problem)
    classes, instance = problem.classes, problem.instance
    n = instance.num_nodes
    table = problem.table_on(grid)
    allowed = table.most[:, classes.node_class] > 0
    allowed &= _first_come(table, classes.node_class)
    cell_class, cell_node = np.nonzero(allowed)
    builder = LinearModelBuilder()
    most = table.most[cell_class, classes.node_class[cell_node]]
    cost = _use_cost(grid, grid.use_price[cell_node], table.demand[cell_class])
    y = builder.add_columns(cell_class.size, upper=most, cost=cost)
    v = builder.add_columns(n, upper=_most_overload(grid), cost=grid.overload_price, integer=False)
    u = builder.add_columns(n, cost=grid.idle_cost) if instance.power_off else None

    rows = builder.add_rows(table.count.size, lower=table.count, upper=table.count)
    builder.add_entries(rows[cell_class], y, 1)
    rows = builder.add_rows(n, upper=0 if u is not None else grid.node_compute)
    builder.add_entries(rows[cell_node], y, table.demand[cell_class])
    builder.add_entries(rows, v, -1)
    if u is not None:
        builder.add_entries(rows, u, -grid.node_compute)
        _switch_off_from_the_end(builder, classes.node_class, u)
    for d in range(grid.needs.shape[1]):
        rows = builder.add_rows(n, upper=0 if u is not None else grid.capacity[:, d])
        builder.add_entries(rows[cell_node], y, table.needs[cell_class, d])
        if u is not None:
            builder.add_entries(rows, u, -grid.capacity[:, d])
    if u is not None:
        rows = builder.add_rows(cell_class.size, upper=0)
        builder.add_entries(rows, y, 1)
        builder.add_entries(rows, u[cell_node], -most)
    return AssignmentModel(problem, grid, table, builder.build(), cell_class, cell_node)


def _use_cost(grid: Grid, price: Array, demand: Array) -> Array:
    """Cost of each demand at the price beside it; beyond all interest where it would not fit."""
    if grid.most_cost is None:
        return price * demand
    most = (grid.most_cost + 1) // np.maximum(demand, 1)
    return np.where(price > most, grid.most_cost + 1, np.minimum(price, most) * demand)


def _first_come(table: ClassTable, node_class: Array) -> Array:
    """(K, n) bool: the cells left when identical nodes are numbered by their first task.

    Take the task classes by falling demand. Any allocation can be relabelled so that, of
    identical nodes, those come first that hold the earlier tasks; then a task never goes
    beyond as many nodes as there are tasks up to it.
    """
    order = _class_order(table)
    reach = np.cumsum(table.count[order])[np.argsort(order)]
    return _place_in_class(node_class)[None, :] < reach[:, None]


def _switch_off_from_the_end(builder: LinearModelBuilder, node_class: Array, u: Array) -> None:
    """Of identical nodes, only the last ones are off."""
    order = np.argsort(node_class, kind="stable")
    same = node_class[order[1:]] == node_class[order[:-1]]
    before, after = order[:-1][same], order[1:][same]
    rows = builder.add_rows(before.size, lower=0)
    builder.add_entries(rows, u[before], 1)
    builder.add_entries(rows, u[after], -1)


def _class_order(table: ClassTable) -> Array:
    """(K,) the task classes by falling demand."""
    places = np.arange(table.demand.size)
    return np.lexsort((places, -table.needs.sum(axis=1), -table.demand))


def _place_in_class(node_class: Array) -> Array:
    """(n,) how many identical nodes stand before each node."""
    order = np.argsort(node_class, kind="stable")
    start = np.searchsorted(node_class[order], node_class[order])
    place = np.empty_like(order)
    place[order] = np.arange(order.size) - start
    return place


def _most_overload(grid: Grid) -> Array:
    """(n,) the most load above capacity of each node in an allocation that is of interest."""
    most: Array = np.maximum(0, int(grid.task_compute.sum()) - grid.node_compute)
    if grid.most_cost is not None:
        dear = grid.overload_price > 0
        most[dear] = np.minimum(most[dear], grid.most_cost // grid.overload_price[dear])
    return most


def _sorted_within_classes(node_class: Array, key: Array) -> Array:
    """New place of each node when identical ones are sorted by a key."""
    wanted = np.lexsort((key, node_class))
    places = np.lexsort((np.arange(node_class.size), node_class))
    moved = np.empty_like(wanted)
    moved[wanted] = places
    return moved
