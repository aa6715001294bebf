"""Pricing of every class of nodes: heuristically, exactly, and bounded without either."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..kernels.pricing import price_out
from ..kernels.quick_sets import fill_node
from ..kernels.tables import Knapsack, Tables, make_tables, multipliers, upper_limit, useful
from ..model.exact import Array
from ..problem.table import ClassTable
from ..settings import COLUMNS
from .knapsack import knapsack_of

__all__ = ["Allowed", "Priced", "Pricing"]

Allowed = Callable[[Array, Array, Array], Array]
"""How many of each item a column may have: from most, items, and what is taken of each class."""


class Priced(NamedTuple):
    """What a pricing of one class of nodes says.

    Attributes
    ----------
    value : int
        No column is worth more.
    columns : list of tuple of int
    exact : bool
        Whether the value is that of the best column, up to the tolerance.
    quick : bool
        Whether an exact pricing was not tried for want of need.
    """

    value: int
    columns: list[tuple[int, ...]]
    exact: bool
    quick: bool


class Pricing:
    """What pricing keeps from round to round.

    Attributes
    ----------
    amounts, costs : list of G lists
        Items of the columns known of each class, and their costs beside use.
    weights : (G, 1 + d) float64
        Multipliers of the capacities, in units of the profits times 2**-shift.
    shift : int
    deep : (G,) bool
        Whether the last exact pricing took long, so that a heuristic comes first.
    work : (1,) int64
        Branches so far.
    """

    def __init__(self, data: ClassTable, allowed: Allowed) -> None:
        G = data.node_count.size
        self.data, self._allowed = data, allowed
        self.amounts: list[list[Array]] = [[] for _ in range(G)]
        self.costs: list[list[int]] = [[] for _ in range(G)]
        self.weights = np.zeros((G, 1 + data.capacity.shape[1]))
        self.shift, self._effort = 0, COLUMNS.effort
        self.deep = np.zeros(G, dtype=np.bool_)
        self.work = np.zeros(1, dtype=np.int64)

    def add(self, g: int, tasks: tuple[int, ...]) -> None:
        """Know a column: what it is worth, an exact pricing has to beat."""
        self.amounts[g].append(self.data.amounts(g, list(tasks)).astype(np.int32))
        self.costs[g].append(self.data.node_cost(g, list(tasks)))

    def begin(self, shift: int, effort: int) -> None:
        """Begin a round with profits times 2**shift, and so many branches of an exact pricing."""
        self.weights *= 2.0 ** (shift - self.shift)
        self.shift, self._effort = shift, effort

    def bounded(self, g: int, prices: Array) -> Priced:
        """What columns of class g are worth at most, by the multipliers as they are."""
        knapsack, profit, _ = self._problem(g, prices)
        value = max(0, math.ceil(upper_limit(knapsack, profit, self.weights[g].copy())))
        return Priced(value, [], value == 0, quick=False)

    def _problem(self, g: int, prices: Array) -> tuple[Knapsack, Array, Array]:
        """The knapsack, what its items bring, and their classes."""
        items, most = self.data.items(g)
        allowed = self._allowed(most, items, np.zeros_like(self.data.count))
        knapsack = knapsack_of(self.data, g, self.shift)._replace(most=allowed)
        return knapsack, self.data.profits(g, self.shift, prices), items

    def quickly(self, g: int, prices: Array, turns: int) -> Priced:
        """Columns of class g by a heuristic, each of other tasks than those before."""
        knapsack, profit, items = problem = self._problem(g, prices)
        weights = self.weights[g]
        multipliers(knapsack, profit, weights)
        value = max(0, math.ceil(upper_limit(knapsack, profit, weights)))
        columns: list[tuple[int, ...]] = []
        amount = np.zeros(items.size, dtype=np.int64)
        if value > 0 and fill_node(knapsack, profit, knapsack.most, weights, amount) > 0:
            columns.append(tuple(np.repeat(items, amount).tolist()))
            columns += self._others(g, problem, amount, turns, None)
        return Priced(value, columns, value == 0, quick=True)

    def exactly(self, g: int, prices: Array, slack: float, turns: int) -> Priced:
        """The best column of class g up to `slack` in cost, within the effort, and more columns."""
        knapsack, profit, items = problem = self._problem(g, prices)
        weights, tolerance = self.weights[g], int(slack * 2**self.shift)
        multipliers(knapsack, profit, weights)
        threshold = self._known_value(g, profit, knapsack.most)
        columns: list[tuple[int, ...]] = []
        amount = np.zeros(items.size, dtype=np.int64)
        core, is_hard = knapsack, bool(self.deep[g]) or items.size > COLUMNS.many_items
        if is_hard:
            value = int(fill_node(knapsack, profit, knapsack.most, weights, amount))
            if value > threshold:
                threshold = value
                columns.append(tuple(np.repeat(items, amount).tolist()))
            most = useful(knapsack, profit, weights, float(threshold + tolerance))
            core = knapsack._replace(most=most)
        tables, before = make_tables(core, profit, weights), int(self.work[0])
        found, best, left_out = self._searched(
            core, profit, core.most, tables, threshold, tolerance, self._effort
        )
        self.deep[g] = self.work[0] - before > COLUMNS.deep
        bound, exact = best + tolerance, left_out == -math.inf
        if not exact:
            bound = max(bound, math.ceil(left_out))
        columns += [tuple(items[row].tolist()) for row in found]
        if found:
            amount = np.bincount(found[-1], minlength=items.size)
        if found or not is_hard:
            columns += self._others(g, problem, amount, turns, None if is_hard else tables)
        return Priced(bound, columns, exact, quick=False)

    def _others(
        self,
        g: int,
        problem: tuple[Knapsack, Array, Array],
        amount: Array,
        turns: int,
        tables: Tables | None,
    ) -> list[tuple[int, ...]]:
        """Columns of other tasks than a first one and those before: by the tables, or greedily."""
        knapsack, profit, items = problem
        columns: list[tuple[int, ...]] = []
        taken, most = np.zeros_like(self.data.count), self.data.items(g)[1]
        for _ in range(turns):
            np.add.at(taken, items, amount)
            allowed, amount = self._allowed(most, items, taken), np.zeros_like(amount)
            if tables is None:
                if fill_node(knapsack, profit, allowed, self.weights[g], amount) <= 0:
                    break
                columns.append(tuple(np.repeat(items, amount).tolist()))
                continue
            branches = COLUMNS.heuristic_branches
            found, _, _ = self._searched(knapsack, profit, allowed, tables, 0, 0, branches)
            if not found:
                break
            columns += [tuple(items[row].tolist()) for row in found]
            amount = np.bincount(found[-1], minlength=items.size)
        return columns

    def _searched(
        self,
        knapsack: Knapsack,
        profit: Array,
        allowed: Array,
        tables: Tables,
        threshold: int,
        tolerance: int,
        branches: int,
    ) -> tuple[list[Array], int, float]:
        """The best sets of items, the last one the very best; and as from `price_out`."""
        found = np.full((COLUMNS.kept, COLUMNS.longest), -1, dtype=np.int32)
        count, best, left_out = price_out(
            knapsack, profit, allowed, tables, threshold, tolerance, False, branches,
            found, np.zeros(COLUMNS.kept, dtype=np.int64), self.work,
        )  # fmt: skip
        rows = [found[t % COLUMNS.kept] for t in range(max(0, count - COLUMNS.kept), count)]
        return [row[row >= 0] for row in rows], best, left_out

    def _known_value(self, g: int, profit: Array, allowed: Array) -> int:
        """The greatest value of a column of class g that is known, or 0."""
        if not self.costs[g]:
            return 0
        amounts = np.array(self.amounts[g])
        values = amounts @ profit - (np.array(self.costs[g]) << self.shift)
        values[(amounts > allowed).any(axis=1)] = 0
        return max(0, int(values.max()))
