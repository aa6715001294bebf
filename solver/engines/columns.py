"""Column generation: the master by GLOP, the pricing by branch and bound. In the child only."""

from __future__ import annotations

import datetime
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.math_opt.python import mathopt

from ..exact import Array
from ..kernels.pricing import Knapsack, make_tables, multipliers, price_out

__all__ = ["Column", "Data", "Generation", "Master", "enumerate_columns", "generate_columns"]

Column = tuple[int, tuple[int, ...]]
"""A class of nodes, and the classes of the tasks on one node of it, ascending."""

_PROFIT_LIMIT = 2**58
_SLACK, _RELATIVE, _GAP_SHARE = 0.1, 1e-9, 0.2
_MOST_PENALTY = 1e6
_LENGTH = 200
_KEPT = 4
_HEURISTIC_BRANCHES = 100_000
_EFFORT, _MOST_EFFORT = 3_000_000, 1_000_000_000
_TURNS = 12
_SMOOTHING = 0.7
_NOTHING = 1e-6


@dataclass(frozen=True)
class Data:
    """The classes, in units of the grid; see `solver.columns.class_data`."""

    demand: Array
    needs: Array
    count: Array
    most: Array
    node_count: Array
    node_compute: Array
    price: Array
    idle: Array
    room: Array

    def cost(self, g: int, tasks: list[int]) -> int:
        """Cost of a column beyond what is paid whatever happens."""
        load = int(self.demand[tasks].sum())
        above = max(0, load - int(self.node_compute[g]))
        return int(self.price[g]) * above + (int(self.idle[g]) if tasks else 0)


def generate_columns(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any]:
    """Solve the master's linear relaxation by column generation.

    Parameters
    ----------
    payload : dict
        "data": dict of the fields of the classes; "columns": list of (node class, tasks) to
        begin with; "time_limit": seconds; "upper": int, a cost above that of some allocation,
        or None; "enough": a bound at which to stop, or None.

    Returns
    -------
    dict
        "bound": float, a lower bound of the cost on the grid in units of it, exactly
        evaluated; "scaled_bound", "shift", "profit", "values": the same bound times 2**shift,
        the prices of the task classes and the greatest value of a column of each node class;
        "columns": all columns; "converged": bool; "rounds", "branches": int.

    Notes
    -----
    Sends ``("bound", scaled_bound, shift)`` at every better bound.
    """
    search = Generation(Data(**payload["data"]), payload, send)
    return search.result(search.iterate())


@dataclass(frozen=True)
class Master:
    """A solution of the master.

    Attributes
    ----------
    value : float
    prices, node_prices : float64
        Of a task and of a node of each class.
    left_out : bool
        Whether tasks are left out.
    amounts : float64
        How often each column is used.
    """

    value: float
    prices: Array
    node_prices: Array
    left_out: bool
    amounts: Array


class Generation:
    """The master, the columns and the best Lagrangian bound so far.

    Attributes
    ----------
    data : Data
    count, nodes : int64
        Tasks and nodes of each class that are still to be dealt with; all, to begin with.
    columns : list of (node class, tasks)
    variables : list
        Of the master, one for each column.
    answer : Master or None
        The master's solution.
    """

    def __init__(self, data: Data, payload: dict[str, Any], send: Callable[[Any], None]) -> None:
        self.data, self.send = data, send
        self.count, self.nodes = data.count.copy(), data.node_count.copy()
        self.deadline = time.monotonic() + payload["time_limit"]
        self.enough = payload["enough"]
        self.columns: list[Column] = []
        self.variables: list[Any] = []
        self.limits = np.empty(0)
        self.answer: Master | None = None
        self.known: set[Column] = set()
        self.amounts: list[list[Array]] = [[] for _ in range(data.node_count.size)]
        self.costs: list[list[int]] = [[] for _ in range(data.node_count.size)]
        self.weights = np.zeros((data.node_count.size, 1 + data.room.shape[1]))
        self.work = np.zeros(1, dtype=np.int64)
        self.rounds = 0
        self.effort = _EFFORT
        self.best: tuple[int, int, Array, list[int]] | None = None
        self.center: Array | None = None
        dearest = data.price.astype(float) * float(data.demand.max(initial=1)) + data.idle
        self.unit = max(1.0, float(dearest.max(initial=1)))
        self.coarsest = self.unit / 100
        self.penalty, self.most_penalty = self.unit, _MOST_PENALTY * self.unit
        self._build()
        for g, tasks in payload["columns"]:
            self.add(g, tuple(tasks))

    def _build(self) -> None:
        """Rows: cover every task of a class, use at most the nodes of a class."""
        data = self.data
        self.model = mathopt.Model()
        self.cover = [self.model.add_linear_constraint(lb=float(m)) for m in data.count.tolist()]
        self.use = [
            self.model.add_linear_constraint(lb=-math.inf, ub=float(n))
            for n in data.node_count.tolist()
        ]
        self.left_out = []  # so that the master is always feasible
        for row in self.cover:
            column = self.model.add_variable(lb=0.0)
            row.set_coefficient(column, 1.0)
            self.left_out.append(column)
        self._set_penalty(self.penalty)
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def _set_penalty(self, penalty: float) -> None:
        """Cost of leaving out one task: the most that its price can be."""
        self.penalty = penalty
        for column in self.left_out:
            self.model.objective.set_linear_coefficient(column, penalty / self.unit)

    def add(self, g: int, tasks: tuple[int, ...]) -> bool:
        """Add a column unless it is there."""
        key = (g, tuple(sorted(tasks)))
        if key in self.known or not tasks:
            return False
        self.known.add(key)
        column = self.model.add_variable(lb=0.0)
        self.columns.append(key)
        self.variables.append(column)
        cost = self.data.cost(g, list(tasks))
        self.model.objective.set_linear_coefficient(column, cost / self.unit)
        self.use[g].set_coefficient(column, 1.0)
        self.amounts[g].append(np.bincount(tasks, minlength=len(self.cover)))
        self.costs[g].append(cost)
        for k in set(tasks):
            self.cover[k].set_coefficient(column, float(tasks.count(k)))
        return True

    def iterate(self, most_rounds: int = sys.maxsize) -> bool:
        """Rounds of master and pricing; whether the bound met the master's value."""
        smoothing = _SMOOTHING
        most_rounds += self.rounds
        while time.monotonic() < self.deadline:
            answer = self.answer = self._solve_master()
            if answer is None or self.rounds >= most_rounds:
                break
            if self.enough is not None and self._bound() >= self.enough:
                break
            if self._close(answer.value):
                if self._raise_penalty(answer.left_out):
                    continue
                return True
            trial = answer.prices
            if self.center is not None and smoothing > 0:
                trial = smoothing * self.center + (1 - smoothing) * answer.prices
            slack = self._slack(answer.value)
            added, complete = self._price(trial, answer, slack)
            self.rounds += 1
            if added:
                smoothing = _SMOOTHING
            elif trial is not answer.prices:
                smoothing = 0.0 if smoothing < 0.2 else smoothing / 2
            elif not complete and self.effort < _MOST_EFFORT:
                self.effort *= 8
            elif complete and slack > self._slack(self._bound()):
                self.coarsest = slack / 8
            elif not self._raise_penalty(answer.left_out):
                return complete
        return False

    def restrict(self, count: Array, nodes: Array) -> None:
        """Leave only so many tasks and nodes of each class, for all rounds to come."""
        for k in np.flatnonzero(count != self.count).tolist():
            self.cover[k].lower_bound = float(count[k])
        for g in np.flatnonzero(nodes != self.nodes).tolist():
            self.use[g].upper_bound = float(nodes[g])
        self.count, self.nodes = count.copy(), nodes.copy()
        limits = np.array([
            0.0 if any(tasks.count(k) > count[k] for k in tasks) else math.inf
            for _, tasks in self.columns
        ])  # fmt: skip
        old = np.concatenate((self.limits, np.full(limits.size - self.limits.size, math.inf)))
        for c in np.flatnonzero(limits != old).tolist():
            self.variables[c].upper_bound = float(limits[c])
        self.limits = limits
        self.best = self.center = None

    def _solve_master(self) -> Master | None:
        left = max(0.01, self.deadline - time.monotonic())
        parameters = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=left), threads=1)
        outcome = self.solver.solve(params=parameters)
        if not outcome.has_dual_feasible_solution():
            return None
        return Master(
            value=outcome.objective_value() * self.unit,
            prices=np.maximum(0.0, np.array(outcome.dual_values(self.cover))) * self.unit,
            node_prices=np.maximum(0.0, -np.array(outcome.dual_values(self.use))) * self.unit,
            left_out=sum(outcome.variable_values(self.left_out)) > _NOTHING,
            amounts=np.array(outcome.variable_values(self.variables)),
        )

    def _raise_penalty(self, left_out: bool) -> bool:
        """Whether tasks are left out and the price of it could be raised."""
        if not left_out or self.penalty >= self.most_penalty:
            return False
        self._set_penalty(4 * self.penalty)
        return True

    def _close(self, value: float) -> bool:
        """Whether no better integer bound than the present one can come out."""
        if self.best is None:
            return False
        return math.ceil(self._bound() - 1e-9) >= math.ceil(
            value - 1e-6 * max(1.0, abs(value)) * 1e-3
        )

    def _bound(self) -> float:
        return -math.inf if self.best is None else self.best[0] / 2 ** self.best[1]

    def _slack(self, value: float) -> float:
        """How far a round may stay from the exact bound, for each node."""
        bound, nodes = self._bound(), max(1.0, float(self.nodes.sum()))
        if self.best is None:
            return self.coarsest
        least = max(_SLACK, _RELATIVE * abs(bound)) / nodes
        return max(least, min(self.coarsest, _GAP_SHARE * (value - bound) / nodes))

    def _known_value(self, g: int, profit: Array, shift: int) -> int:
        """The greatest value of a column of class g that the master has, or 0."""
        if not self.costs[g]:
            return 0
        amounts = np.array(self.amounts[g])
        values = amounts @ profit - (np.array(self.costs[g]) << shift)
        values[(amounts > self.count).any(axis=1)] = 0
        return max(0, int(values.max()))

    def _price(self, trial: Array, answer: Master, slack: float) -> tuple[int, bool]:
        """Price at trial prices, keep the Lagrangian bound, add what the master lacks.

        Returns
        -------
        added : int
            Columns with negative reduced cost at the master's own prices.
        complete : bool
            Whether every pricing was solved exactly.
        """
        data = self.data
        shift, profit = _scaled(trial, data)
        total = sum(p * m for p, m in zip(profit.tolist(), self.count.tolist(), strict=True))
        values: list[int] = []
        added, complete = 0, True
        for g in np.flatnonzero(self.nodes > 0).tolist():
            if time.monotonic() > self.deadline:
                return 0, False  # without all the values there is no bound
            value, columns, exact = self._best_columns(g, profit, shift, slack)
            complete &= exact
            values.append(value)
            total -= int(self.nodes[g]) * value
            for tasks in columns:
                reduced = data.cost(g, list(tasks)) - answer.prices[list(tasks)].sum()
                if reduced + answer.node_prices[g] < -1e-9 * self.unit:
                    added += self.add(g, tasks)
        if self.best is None or total / 2**shift > self._bound():
            self.best = (total, shift, profit, values)
            self.center = trial
            self.send(("bound", total, shift))
        return added, complete

    def _best_columns(
        self, g: int, profit: Array, shift: int, slack: float
    ) -> tuple[int, list[tuple[int, ...]], bool]:
        """An upper bound of the values of class g, some of the best columns, and if exact."""
        data = self.data
        knapsack = _knapsack(data, g, shift)
        knapsack = knapsack._replace(most=np.minimum(knapsack.most, self.count))
        multipliers(knapsack, profit, self.weights[g])
        tables = make_tables(knapsack, profit, self.weights[g])
        tolerance = int(slack * 2**shift)
        threshold = self._known_value(g, profit, shift)
        columns: list[tuple[int, ...]] = []
        allowed, left = knapsack.most, self.count.copy()
        limit = self.effort
        for _ in range(1 + min(_TURNS, int(self.nodes[g]))):
            found = np.full((_KEPT, _LENGTH), -1, dtype=np.int32)
            values = np.zeros(_KEPT, dtype=np.int64)
            count, best, left_out = price_out(
                knapsack, profit, allowed, tables, threshold, tolerance, False, limit,
                found, values, self.work,
            )  # fmt: skip
            if limit == self.effort:
                bound, exact = best + tolerance, left_out == -math.inf
                if not exact:
                    bound = max(bound, math.ceil(left_out))
            elif count == 0:
                break
            columns += [tuple(row[row >= 0].tolist()) for row in found[: min(count, _KEPT)]]
            taken = found[(count - 1) % _KEPT]
            np.subtract.at(left, taken[taken >= 0], 1)
            allowed = np.minimum(knapsack.most, left)
            threshold, limit = 0, _HEURISTIC_BRANCHES
        return bound, columns, exact

    def result(self, converged: bool) -> dict[str, Any]:
        """What `generate_columns` returns."""
        if self.best is None:
            return {"bound": None, "columns": sorted(self.known), "converged": False,
                    "rounds": self.rounds, "branches": int(self.work[0])}  # fmt: skip
        total, shift, profit, values = self.best
        return {
            "bound": self._bound(),
            "scaled_bound": total,
            "shift": shift,
            "profit": profit,
            "values": values,
            "weights": self.weights,
            "columns": sorted(self.known),
            "converged": converged,
            "rounds": self.rounds,
            "branches": int(self.work[0]),
        }


def enumerate_columns(payload: dict[str, Any], _send: Callable[[Any], None]) -> dict[str, Any]:
    """List all columns whose value at given prices is above a threshold of their node class.

    Parameters
    ----------
    payload : dict
        "data", "profit", "shift", "weights" as for and from `generate_columns`;
        "thresholds": list of int, times 2**shift; "most": int, columns in all;
        "branches": int, for each node class; "time_limit": seconds.

    Returns
    -------
    dict
        "columns": list of (node class, tasks); "complete": whether these are all.
    """
    data = Data(**payload["data"])
    columns: list[Column] = []
    complete = True
    work, profit = np.zeros(1, dtype=np.int64), payload["profit"]
    deadline = time.monotonic() + payload["time_limit"]
    for g, threshold in enumerate(payload["thresholds"]):
        space = payload["most"] - len(columns)
        if space <= 0 or time.monotonic() > deadline:
            return {"columns": columns, "complete": False}
        knapsack = _knapsack(data, g, payload["shift"])
        length = int(min(_LENGTH, max(1, data.most[:, g].sum())))
        found = np.full((space, length), -1, dtype=np.int32)
        count, _, left_out = price_out(
            knapsack, profit, knapsack.most, make_tables(knapsack, profit, payload["weights"][g]),
            threshold, 0, True, payload["branches"], found, np.zeros(space, dtype=np.int64), work,
        )  # fmt: skip
        complete &= left_out == -math.inf and count <= space
        columns += [(g, tuple(row[row >= 0].tolist())) for row in found[: min(count, space)]]
    return {"columns": columns, "complete": complete}


def _most(data: Data) -> int:
    """A cost above that of any allocation."""
    dearest = int(data.price.max(initial=0))
    total = sum(D * m for D, m in zip(data.demand.tolist(), data.count.tolist(), strict=True))
    return int(dearest * total) + sum(
        int(i * n) for i, n in zip(data.idle.tolist(), data.node_count.tolist(), strict=True)
    )


def _scaled(prices: Array, data: Data) -> tuple[int, Array]:
    """The prices as integers times 2**-shift, rounded down; sums of them stay in int64."""
    demand = float((data.demand.astype(float) * data.count).sum())
    total = float((prices * data.count).sum()) + float(data.price.max(initial=0)) * demand
    total += float(data.idle.max(initial=0)) + 1.0
    shift = max(0, math.floor(math.log2(_PROFIT_LIMIT / total)))
    shift = min(shift, 40)
    return shift, np.floor(prices * 2.0**shift).astype(np.int64)


def _knapsack(data: Data, g: int, shift: int) -> Knapsack:
    return Knapsack(
        demand=data.demand,
        most=np.ascontiguousarray(data.most[:, g]),
        needs=data.needs,
        capacity=int(data.node_compute[g]),
        price=int(data.price[g]) << shift,
        idle=int(data.idle[g]) << shift,
        room=np.ascontiguousarray(data.room[g]),
    )
