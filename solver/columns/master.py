"""What the restricted master of column generation answers, and what is left for more columns.

Also prices to begin with. In the child only.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from ..engines.glop import FAILURES
from ..model.exact import Array
from ..problem.table import ClassTable, Column

__all__ = ["Master", "Remainder", "first_prices"]


@dataclass(frozen=True)
class Master:
    """A solution of the master.

    Attributes
    ----------
    value : float
    prices, node_prices : float64
        Of a task and of a node of each class.
    left_out : (K,) bool
        Whether tasks of a class are left out.
    amounts : float64
        How often each column is used.
    """

    value: float
    prices: Array
    node_prices: Array
    left_out: Array
    amounts: Array


class Remainder:
    """Tasks and nodes of each class that are left."""

    def __init__(self, count: Array, nodes: Array, trims: bool = False) -> None:
        self.count, self.nodes = count.copy(), nodes.copy()
        self._trims = trims

    def trimmed(self, column: Column) -> Column:
        """A column without tasks that are covered already, if that costs nothing."""
        if not self._trims:
            return column
        g, tasks = column
        kept: list[int] = []
        for k in tasks:
            if kept.count(k) < self.count[k]:
                kept.append(k)
        return g, tuple(kept)

    def part_of(self, column: Column) -> Column | None:
        """What of a column there is room for, where all is too much; None if nothing."""
        return None

    def take(self, column: Column) -> bool:
        """Take a column if there is room for it."""
        g, tasks = column
        if self.nodes[g] <= 0 or any(tasks.count(k) > self.count[k] for k in tasks):
            return False
        self.nodes[g] -= 1
        np.subtract.at(self.count, list(tasks), 1)
        return True


def first_prices(data: ClassTable, seconds: float) -> Array | None:
    """Prices of the task classes from the assignment relaxation over classes, if it is solved.

        minimise   sum_g idle_g y_g + o_g l_g + sum_kg u_g D_k x_kg
        subject to sum_g x_kg >= m_k                            every class of tasks
                   sum_k q_kd x_kg <= Q_gd y_g                  every hard dimension
                   sum_k D_k x_kg <= C_g y_g + l_g
                   0 <= x_kg <= n_g most_kg,  0 <= y_g <= n_g

    Columns that are cheap at them fit together from the first round on, which they do not at the
    prices of a master that has few.
    """
    model = mathopt.Model()
    unit = max(1.0, float(data.idle_cost.max(initial=0)), float(data.overload_price.max(initial=0)))
    cover = [model.add_linear_constraint(lb=float(m)) for m in data.count.tolist()]
    for g, number in enumerate(data.node_count.tolist()):
        on = model.add_variable(lb=0.0, ub=float(number))
        above = model.add_variable(lb=0.0)
        model.objective.set_linear_coefficient(on, int(data.idle_cost[g]) / unit)
        size = max(1.0, float(data.node_compute[g]))
        model.objective.set_linear_coefficient(above, int(data.overload_price[g]) * size / unit)
        kinds = np.flatnonzero(data.most[:, g]).tolist()
        xs = [model.add_variable(lb=0.0, ub=float(number * data.most[k, g])) for k in kinds]
        for k, x in zip(kinds, xs, strict=True):
            cover[k].set_coefficient(x, 1.0)
            use = int(data.use_price[g]) * int(data.demand[k])
            model.objective.set_linear_coefficient(x, use / unit)
        rows = [(data.demand, float(data.node_compute[g]), above)]
        rows += [(data.needs[:, d], float(Q), None) for d, Q in enumerate(data.capacity[g])]
        for needs, capacity, beyond in rows:
            size = max(1.0, capacity)
            row = model.add_linear_constraint(ub=0.0)
            row.set_coefficient(on, -capacity / size)
            if beyond is not None:
                row.set_coefficient(beyond, -1.0)
            for k, x in zip(kinds, xs, strict=True):
                if needs[k]:
                    row.set_coefficient(x, float(needs[k]) / size)
    parameters = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=seconds), threads=1)
    try:
        outcome = mathopt.solve(model, mathopt.SolverType.GLOP, params=parameters)
    except FAILURES:
        return None
    if not outcome.has_dual_feasible_solution():
        return None
    duals = np.array(outcome.dual_values(cover)) * unit
    prices: Array = np.where(np.isfinite(duals), np.maximum(0.0, duals), 0.0)
    return prices if math.isfinite(float(prices.sum())) else None
