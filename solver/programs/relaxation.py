"""The linear relaxation of the assignment model over classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..problem.problem import Problem
from .linear_model import INFINITE, LinearModel, LinearModelBuilder

__all__ = ["Multipliers", "Relaxation"]


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of the relaxed rows, one of each a node class; all finite, 0 or more.

    They are in units of a grid, which are kept beside them as integers: the exact numbers of an
    instance may be beyond what a float holds.

    Attributes
    ----------
    load : (G,) floats
        Price of a unit of load, from the overload rows.
    large : (G,) floats
        Price of the overload that tasks larger than the node bring (see `Relaxation`).
    needs : (G, d) floats
        Price of a unit of each hard dimension.
    opening : (K, G) floats or None
        With power_off: price of the rows X_kg <= b_kg U_g.
    cost_unit, compute_unit : int
    need_units : tuple of d int
        As in `Grid`.
    """

    load: Array
    large: Array
    needs: Array
    opening: Array | None
    cost_unit: int
    compute_unit: int
    need_units: tuple[int, ...]


class Relaxation:
    """The linear program, and how to read the prices off its duals.

    Columns X_kg (tasks of class k on nodes of class g), V_g (overload), and with power_off
    U_g (nodes that are on).
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        table = problem.table
        self._k, self._g = np.nonzero(problem.fits)
        g_count, nodes = table.node_count.size, table.node_count
        need, have = table.needs, table.capacity
        C, D = table.node_compute, table.demand
        b = problem.most_per_node[self._k, self._g]
        builder = LinearModelBuilder()
        room = np.minimum(table.count[self._k], _product(b, nodes[self._g]))
        cost = table.use_price[self._g] * D[self._k]
        X = builder.add_columns(self._k.size, upper=room, cost=cost)
        V = builder.add_columns(g_count, upper=INFINITE, cost=table.overload_price)
        on = problem.instance.power_off
        U = builder.add_columns(g_count, upper=nodes, cost=table.idle_cost) if on else None
        rows = builder.add_rows(table.count.size, lower=table.count, upper=table.count)
        builder.add_entries(rows[self._k], X, 1)

        def capacity_rows(have: Array) -> Array:
            if U is None:
                return builder.add_rows(g_count, upper=_product(have, nodes))
            rows = builder.add_rows(g_count, upper=0)
            builder.add_entries(rows, U, -have)
            return rows

        self._load = capacity_rows(C)
        builder.add_entries(self._load[self._g], X, D[self._k])
        builder.add_entries(self._load, V, -1)
        self._needs = np.zeros((g_count, need.shape[1]), dtype=np.int64)
        for d in range(need.shape[1]):
            self._needs[:, d] = capacity_rows(have[:, d])
            builder.add_entries(self._needs[:, d][self._g], X, need[self._k, d])
        excess = np.maximum(0, D[self._k] - C[self._g])
        self._large = builder.add_rows(g_count if excess.any() else 0, upper=0)
        if excess.any():
            # A task larger than its node overloads it by the difference at least, and the
            # differences of several such tasks add up.
            builder.add_entries(self._large[self._g], X, excess)
            builder.add_entries(self._large, V, -1)
        self._opening = builder.add_rows(self._k.size if on else 0, upper=0)
        if U is not None:
            builder.add_entries(self._opening, X, 1)
            builder.add_entries(self._opening, U[self._g], -b)
        self.model: LinearModel = builder.build()

    def prices(self, duals: Array) -> Multipliers:
        """The multipliers, as `lagrangian_bound` takes them."""
        problem, grid = self._problem, self._problem.grid
        row_price = np.where(np.isfinite(duals), np.maximum(0.0, -duals), 0.0)
        opening = None
        if self._opening.size:
            opening = np.zeros(problem.fits.shape)
            opening[self._k, self._g] = row_price[self._opening]
        no_price = np.zeros(problem.classes.num_node_classes)
        return Multipliers(
            load=row_price[self._load],
            large=row_price[self._large] if self._large.size else no_price,
            needs=row_price[self._needs],
            opening=opening,
            cost_unit=grid.cost_unit,
            compute_unit=grid.compute_unit,
            need_units=grid.need_units,
        )


def _product(have: Array, nodes: Array) -> Array:
    """have * nodes, cut at INFINITE instead of overflowing."""
    return np.array(
        [min(INFINITE, a * b) for a, b in zip(have.tolist(), nodes.tolist(), strict=True)],
        dtype=np.int64,
    )
