"""Column generation: the master by GLOP, the pricing by branch and bound. In the child only."""

from __future__ import annotations

import datetime
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.math_opt.python import mathopt

from ..engines.glop import FAILURES
from ..model.exact import Array
from ..problem.table import ClassTable, Column
from ..settings import COLUMNS
from .knapsack import scaled_prices
from .master import Master, Remainder, first_prices
from .prices import Prices
from .pricing import Priced, Pricing

__all__ = ["Generation", "as_prices"]

_NOTHING = 1e-6
_LONGEST = 1e6  # seconds


class Generation:
    """The master, the columns and the best Lagrangian bound so far.

    Attributes
    ----------
    data : ClassTable
    count, nodes : int64
        Tasks and nodes of each class that are still to be dealt with; all, to begin with.
    columns : list of (node class, tasks)
    variables : list
        Of the master, one for each column.
    answer : Master or None
        The master's solution.
    best : Prices or None
        Those of the best bound.
    central : Prices or None
        From the middle of all that are optimal.
    send : callable
        Told of the prices of every better bound.
    dive_rounds : tuple of int
        Rounds after a choice of a dive, and more of them while tasks are left out.
    is_free : bool
        Whether only tasks left out have a cost, so that nothing is better than to have none.
    begins_afresh : bool
        Whether the columns known are too few for good prices in the first round.
    effort, most_effort : int
        Branches of one exact pricing, now and at most.
    most_penalty : float
        The highest price of leaving a task out.
    near : float
        How close the bound may stay below the master's value, as a share of it.
    """

    dive_rounds: tuple[int, ...] = (COLUMNS.dive_rounds,)
    is_free = False
    begins_afresh = True

    def __init__(self, data: ClassTable) -> None:
        self.data = data
        self.count, self.nodes = data.count.copy(), data.node_count.copy()
        self.columns: list[Column] = []
        self.variables: list[Any] = []
        self.limits = np.empty(0)
        self.center: Array | None = None
        self.answer: Master | None = None
        self.known: set[Column] = set()
        self.pricing = Pricing(data, self._allowed)
        self.rounds = 0
        price = data.overload_price.astype(float) + data.use_price
        dearest = price * float(data.demand.max(initial=1)) + data.idle_cost
        self.unit = max(1.0, float(dearest.max(initial=1)))
        worst = price.max(initial=0.0) * data.demand + float(data.idle_cost.max(initial=0))
        self.penalty = np.maximum(worst, self.unit / 100)
        self._build()
        self._set_penalties()
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)
        self.begin(math.inf)

    def begin(self, deadline: float, enough: float | None = None) -> None:
        """Make ready for a job on the whole problem: it ends at a time, or at a bound."""
        self.begun, self.deadline, self.enough = time.monotonic(), deadline, enough
        self.send: Callable[[Prices], None] = lambda _: None
        self.effort, self.most_effort = COLUMNS.effort, COLUMNS.most_effort
        self.coarsest = self.unit / 100
        self.most_penalty, self.near = COLUMNS.most_penalty * self.unit, 0.0
        self.central: Prices | None = None
        self.leave([])

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

    def _set_penalties(self) -> None:
        """Cost of leaving out a task: the most that its price can be."""
        for column, penalty in zip(self.left_out, self.penalty.tolist(), strict=True):
            self.model.objective.set_linear_coefficient(column, penalty / self.unit)

    def weigh(self, penalty: Array) -> None:
        """Have leaving out a task of each class cost so much."""
        self.penalty[: penalty.size] = penalty
        self._set_penalties()

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
        self.pricing.add(g, tasks)
        self._enter(column, g, tasks)
        return True

    def _enter(self, column: Any, g: int, tasks: tuple[int, ...]) -> None:
        """Coefficients of a column."""
        self.use[g].set_coefficient(column, 1.0)
        for k in set(tasks):
            self.cover[k].set_coefficient(column, float(tasks.count(k)))

    def iterate(self, most_rounds: int = sys.maxsize) -> bool:
        """Rounds of master and pricing; whether the bound met the master's value."""
        smoothing = COLUMNS.smoothing
        most_rounds += self.rounds
        if self.rounds == 0 and self.begins_afresh and not self.is_free:
            self.center = self._first_prices()
        while time.monotonic() < self.deadline:
            answer = self.answer = self._solve_master()
            if answer is None or self.rounds >= most_rounds:
                break
            if self.enough is not None and self._bound() >= self.enough:
                break
            if self.is_free and not answer.left_out.any():
                return True
            if self._close(answer.value):
                if self._raise_penalty(answer.left_out):
                    continue
                return True
            trial = answer.prices
            if self.center is not None and self.best is None:
                trial = self.center
            elif self.center is not None and smoothing > 0:
                trial = smoothing * self.center + (1 - smoothing) * answer.prices
            slack = self._slack(answer.value)
            added, complete, _ = self._price(trial, answer, slack)
            self.rounds += 1
            if added:
                smoothing = COLUMNS.smoothing
            elif trial is not answer.prices:
                smoothing = 0.0 if smoothing < 0.2 else smoothing / 2
            elif not complete and self.effort < self.most_effort:
                self.effort *= 8
            elif complete and slack > self._slack(self._bound()):
                self.coarsest = slack / 8
            elif not self._raise_penalty(answer.left_out):
                return complete
        return False

    def move_inwards(self) -> None:
        """Find prices from the middle of the optimal ones, at which fewer columns look useful.

        Where many prices are optimal, those of a basis are extreme, and at them columns look
        free that no good allocation uses. The masters with a little more and a little less to
        cover have the prices at either end of the optimal ones; as the bound is concave in the
        prices, their mean is nearly optimal too.
        """
        now = time.monotonic()
        self.deadline = min(self.deadline, 2 * now - self.begun + COLUMNS.least_inwards)
        ends = []
        for factor in (1 + COLUMNS.a_little, 1 - COLUMNS.a_little):
            self._cover(factor)
            answer = None
            for _ in range(COLUMNS.rounds_inwards):
                answer = self._solve_master()
                if answer is None or answer.left_out.any() or time.monotonic() > self.deadline:
                    break
                self.rounds += 1
                added, _, _ = self._price(answer.prices, answer, self._slack(answer.value))
                if not added:
                    break
            if answer is not None and not answer.left_out.any():
                ends.append(answer.prices)
        self._cover()
        answer = self._solve_master()
        if len(ends) == 2 and answer is not None:
            slack = self._slack(self._bound())
            _, _, self.central = self._price((ends[0] + ends[1]) / 2, answer, slack)

    def _cover(self, factor: float = 1.0) -> None:
        """Have so many times all tasks covered."""
        for row, amount in zip(self.cover, (factor * self.count).tolist(), strict=True):
            row.lower_bound = amount

    def _first_prices(self) -> Array | None:
        """Prices to begin with, where the masters of few columns have poor ones for long."""
        least, most = COLUMNS.first_cells
        if not least <= self.data.demand.size * self.data.node_count.size <= most:
            return None
        return first_prices(self.data, min(_LONGEST, max(0.01, self.deadline - time.monotonic())))

    def leave(self, fixed: list[Column]) -> None:
        """Leave only what some columns, chosen already, have not dealt with."""
        count, nodes = self.data.count.copy(), self.data.node_count.copy()
        for g, tasks in fixed:
            nodes[g] -= 1
            np.subtract.at(count, list(tasks), 1)
        self.restrict(count, nodes)

    def remainder(self) -> Remainder:
        """What more columns may take beside those that are fixed."""
        return Remainder(self.count, self.nodes, self.is_free)

    def completed(self, fixed: list[Column]) -> tuple[int | None, bool]:
        """Cost of an allocation of these columns, or None; whether nothing is left to place."""
        count = self.data.count.copy()
        for _, tasks in fixed:
            np.subtract.at(count, list(tasks), 1)
        if count.any():
            return None, False
        return sum(self.data.cost(g, list(tasks)) for g, tasks in fixed), True

    def restrict(self, count: Array, nodes: Array) -> None:
        """Leave only so many tasks and nodes of each class, for all rounds to come."""
        for g in np.flatnonzero(nodes != self.nodes).tolist():
            self.use[g].upper_bound = float(nodes[g])
        self.count, self.nodes = count.copy(), nodes.copy()
        self._cover()
        limits = np.array([
            0.0
            if not self.is_free and any(tasks.count(k) > count[k] for k in tasks)
            else math.inf
            for _, tasks in self.columns
        ])  # fmt: skip
        old = np.concatenate((self.limits, np.full(limits.size - self.limits.size, math.inf)))
        for c in np.flatnonzero(limits != old).tolist():
            self.variables[c].upper_bound = float(limits[c])
        self.limits = limits
        self.best: Prices | None = None
        self.center = None

    def _solve_master(self) -> Master | None:
        left = min(_LONGEST, max(0.01, self.deadline - time.monotonic()))
        parameters = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=left), threads=1)
        outcome = self._outcome(parameters)
        if outcome is None or not outcome.has_dual_feasible_solution():
            return None
        return Master(
            value=outcome.objective_value() * self.unit,
            prices=self._prices_of(outcome) * self.unit,
            node_prices=as_prices(-np.array(outcome.dual_values(self.use))) * self.unit,
            left_out=np.array(outcome.variable_values(self.left_out)) > _NOTHING,
            amounts=np.array(outcome.variable_values(self.variables)),
        )

    def _prices_of(self, outcome: Any) -> Array:
        """The prices in the order in which pricing takes them, in units of cost."""
        return as_prices(np.array(outcome.dual_values(self.cover)))

    def _outcome(self, parameters: mathopt.SolveParameters) -> Any | None:
        """GLOP's answer; where it ends abnormally, that of a fresh GLOP, or None."""
        for fresh in (False, True):
            try:
                if fresh:
                    self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)
                return self.solver.solve(params=parameters)
            except FAILURES:
                continue
        return None

    def _raise_penalty(self, left_out: Array) -> bool:
        """Whether tasks are left out and the price of it could be raised."""
        raised = left_out & (self.penalty < self.most_penalty)
        if not raised.any():
            return False
        self.penalty = np.where(raised, 4 * self.penalty, self.penalty)
        self._set_penalties()
        return True

    def _close(self, value: float) -> bool:
        """Whether no better integer bound than the present one can come out."""
        if self.best is None:
            return False
        least = value - max(1e-9 * max(1.0, abs(value)), self.near * abs(value))
        return math.ceil(self._bound() - 1e-9) >= math.ceil(least)

    def _bound(self) -> float:
        return -math.inf if self.best is None else self.best.bound

    def _slack(self, value: float) -> float:
        """How far a round may stay from the exact bound, for each node."""
        bound, nodes = self._bound(), max(1.0, float(self.nodes.sum()))
        if self.best is None:
            return self.coarsest
        least = max(COLUMNS.slack, COLUMNS.relative * abs(bound)) / nodes
        return max(least, min(self.coarsest, COLUMNS.gap_share * (value - bound) / nodes))

    def _price(self, trial: Array, answer: Master, slack: float) -> tuple[int, bool, Prices]:
        """Price at trial prices, keep the Lagrangian bound, add what the master lacks.

        Returns
        -------
        added : int
            Columns with negative reduced cost at the master's own prices.
        complete : bool
            Whether every pricing was solved exactly.
        prices : Prices
        """
        shift, profit = scaled_prices(self.data, trial)
        pricing = self.pricing
        seconds = min(_LONGEST, max(0.0, self.deadline - time.monotonic()))
        pricing.begin(shift, min(self.effort, int(COLUMNS.least_effort + seconds * COLUMNS.speed)))
        classes = np.flatnonzero(self.nodes > 0).tolist()
        priced: dict[int, Priced] = {}
        added = 0
        for g in classes:
            turns = min(COLUMNS.turns, int(self.nodes[g]))
            if time.monotonic() > self.deadline:
                priced[g] = pricing.bounded(g, profit)
            else:
                priced[g] = self._priced(g, profit, slack, turns)
            added += self._add_useful(g, priced[g].columns, answer)
        for g in classes:  # exact where heuristics found nothing at all
            if added == 0 and not priced[g].exact and priced[g].quick:
                if time.monotonic() > self.deadline:
                    break
                priced[g] = pricing.exactly(g, profit, slack, 0)
                added += self._add_useful(g, priced[g].columns, answer)
        total = self._worth_of_all(shift, profit)
        total -= sum(int(self.nodes[g]) * priced[g].value for g in classes)
        values = [priced[g].value for g in classes]
        prices = Prices(shift, profit, values, total, pricing.weights.copy())
        if prices.bound > self._bound():
            self.best, self.center = prices, trial
            self.send(prices)
        return added, all(one.exact for one in priced.values()), prices

    def _priced(self, g: int, profit: Array, slack: float, turns: int) -> Priced:
        """The first pricing of a class of nodes in a round."""
        if self.pricing.deep[g]:
            return self.pricing.quickly(g, profit, turns)
        return self.pricing.exactly(g, profit, slack, turns)

    def _add_useful(self, g: int, columns: list[tuple[int, ...]], answer: Master) -> int:
        """Add the columns with negative reduced cost at the master's own prices; how many."""
        return sum(
            self.add(g, tasks)
            for tasks in columns
            if self._reduced_cost(g, tasks, answer) < -1e-9 * self.unit
        )

    def _worth_of_all(self, shift: int, prices: Array) -> int:
        """What all tasks are worth at these prices, times 2**shift."""
        return sum(p * m for p, m in zip(prices.tolist(), self.count.tolist(), strict=True))

    def _reduced_cost(self, g: int, tasks: tuple[int, ...], answer: Master) -> float:
        """Of a column, at the master's own prices."""
        cost = self.data.cost(g, list(tasks)) - float(answer.prices[list(tasks)].sum())
        return cost + float(answer.node_prices[g])

    def _allowed(self, most: Array, items: Array, taken: Array) -> Array:
        """How many of each item a column may have once some tasks of each class are taken."""
        allowed: Array = np.minimum(most, self.count[items] - taken[items])
        return allowed


def as_prices(duals: Array) -> Array:
    """Dual values as prices: finite, 0 or more."""
    prices: Array = np.where(np.isfinite(duals), np.maximum(0.0, duals), 0.0)
    return prices
