"""The master over columns of modes, and the bound that its prices prove. In the child only.

A column c is a set of parts on one node; its cost holds what its moves cost. With Y_f tasks in
form f, Z_k tasks of class k left out, and the rows of rules as in `columns.modes.rows`:

    minimise   sum_c  cost_c x_c + sum_f form_f Y_f + sum_k skip_k Z_k
    subject to sum_c  a_pc x_c >= parts_p Y_f(p)         every mode p                  price pi_p
               sum_f of k  Y_f + Z_k = m_k               every class of tasks
               sum_{c of g}  x_c <= n_g                  every class of nodes
               sum_f  loss_f Y_f <= budget                                             price beta
               sum_c  moves_c x_c <= most_moves                                        price gamma
               sum_c  w_rc x_c + s_r L <= limit_r        rows of rules                 price rho_r

Any prices of at least 0 prove the bound

      sum_k m_k min(skip_k, min_{f of k} form_f + sum_{p of f} parts_p pi_p + beta loss_f)
    - sum_g n_g max_{c of g} (sum_p pi_p a_pc - gamma moves_c - sum_r rho_r w_rc - cost_c, 0)
    - beta budget - gamma most_moves - sum_r rho_r limit_r
    + sum_L  most_L min(0, sum_r rho_r s_r),

as the rows are kept by every allocation, and Y, Z and L are chosen freely within 0 <= Y, Z,
sum Y + Z = m and 0 <= L <= most_L. A rule that has no row, and all that the modes of one task on
different nodes have to do with each other, only make allocations fewer.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from ortools.math_opt.python import mathopt

from ...model.exact import Array
from ...problem.table import ClassTable, Column
from ...settings import COLUMNS
from ..generation import Generation, as_prices
from ..master import Master, Remainder
from .table import ModeTable

__all__ = ["ModeGeneration", "generation", "least_cost_of_forms"]


def least_cost_of_forms(
    data: ModeTable, shift: int, prices: Array, settled: Array, covered: Array, limit: list[int]
) -> int:
    """What the bound has beside the node classes, times 2**shift.

    Parameters
    ----------
    prices : (num_prices,) int64
    settled : (F,) int64
        Tasks that are in a form already.
    covered : (P,) int64
        Parts that are placed already.
    limit : list of int
        What is left of each row behind those of the modes.
    """
    forms, P = data.forms, data.demand.size
    pi, beside = prices[:P], prices[P:].tolist()
    value = forms.cost.astype(object) << shift
    np.add.at(value, forms.of_mode, (pi * forms.parts).astype(object))
    total = -sum(p * c for p, c in zip(pi.tolist(), covered.tolist(), strict=True))
    if data.budget_row is not None:
        beta, bits = beside[0], forms.loss_bits
        value += np.array([beta * loss >> bits for loss in forms.loss], dtype=object)
        total += -beta * limit[0] >> bits
    if data.moves_row is not None:
        at = data.moves_row - P
        total -= beside[at] * limit[at]
    first = data.first_rule_row - P
    total += data.rules.least_value(beside[first:], limit[first:])
    least: list[int | None] = [
        None if cost < 0 else cost << shift for cost in forms.skip_cost.tolist()
    ]
    left = forms.task_count.copy()
    np.subtract.at(left, forms.task_class, settled)
    usable = np.flatnonzero(forms.usable)
    for k, each, number in zip(
        forms.task_class[usable].tolist(),
        value[usable].tolist(),
        settled[usable].tolist(),
        strict=True,
    ):
        total += number * each
        known = least[k]
        least[k] = each if known is None else min(known, each)
    # A class that has no form and must run: there is no allocation, and any number is a bound.
    total += sum(m * (v or 0) for m, v in zip(left.tolist(), least, strict=True))
    return int(total)


_NOTHING, _WHOLE = np.zeros(0), 1e-6


class ModeGeneration(Generation):
    """Column generation over modes; see the top of this module.

    Attributes
    ----------
    fixed : (P,) int64
        Parts of each mode in columns that are fixed.
    settled, held : (F,) int64
        Tasks that must be in a form because of them, and most of its parts in one of them.
    limit : list of int
        What they leave of each row behind those of the modes.
    least_now : (rules,) float64
        The least counts in the master's solution.
    """

    data: ModeTable
    dive_rounds = COLUMNS.mode_dive_rounds

    def __init__(self, data: ModeTable) -> None:
        self.fixed = np.zeros_like(data.count)
        self.settled, self.held = np.zeros_like(data.forms.cost), np.zeros_like(data.forms.cost)
        self.limit = _limits(data)
        self.least_now = np.zeros(data.rules.most_least.size)
        super().__init__(data)

    def _build(self) -> None:
        data, forms = self.data, self.data.forms
        self.model = mathopt.Model()
        add_row, add_variable = self.model.add_linear_constraint, self.model.add_variable
        self.cover = [add_row(lb=0.0) for _ in range(data.demand.size)]
        self.use = [add_row(lb=-math.inf, ub=float(n)) for n in data.node_count.tolist()]
        self.tasks = [add_row(lb=float(m), ub=float(m)) for m in forms.task_count.tolist()]
        self.side = [
            add_row(lb=-math.inf, ub=limit * scale)
            for limit, scale in zip(self.limit, self._scales(), strict=True)
        ]
        self.forms = [
            add_variable(lb=0.0, ub=math.inf if usable else 0.0) for usable in forms.usable.tolist()
        ]
        for p, f in enumerate(forms.of_mode.tolist()):
            self.cover[p].set_coefficient(self.forms[f], -float(forms.parts[p]))
        for f, (k, loss) in enumerate(zip(forms.task_class.tolist(), forms.loss, strict=True)):
            self.tasks[k].set_coefficient(self.forms[f], 1.0)
            if forms.budget is not None:
                self.side[0].set_coefficient(self.forms[f], loss * self._scales()[0])
            cost = int(forms.cost[f]) / self.unit
            self.model.objective.set_linear_coefficient(self.forms[f], cost)
        self._add_least()
        self._add_left_out()

    def _scales(self) -> list[float]:
        """Factors of the rows behind those of the modes: a price of loss is for many units."""
        factors = [1.0] * len(self.limit)
        if self.data.budget_row is not None:
            factors[0] = math.ldexp(1.0, -self.data.forms.loss_bits)
        return factors

    def _add_least(self) -> None:
        """The least counts of spreads."""
        rules, first = self.data.rules, self.data.first_rule_row - self.data.demand.size
        add_variable = self.model.add_variable
        least = self.least = [add_variable(lb=0.0, ub=float(m)) for m in rules.most_least.tolist()]
        for r, (rule, size) in enumerate(
            zip(rules.row_rule.tolist(), rules.size.tolist(), strict=True)
        ):
            if size:
                self.side[first + r].set_coefficient(least[rule], float(size))

    def _add_left_out(self) -> None:
        """Tasks left out at their price; and all else that is not kept at a penalty."""
        forms = self.data.forms
        for row, skip in zip(self.tasks, forms.skip_cost.tolist(), strict=True):
            if skip >= 0:
                column = self.model.add_variable(lb=0.0)
                row.set_coefficient(column, 1.0)
                self.model.objective.set_linear_coefficient(column, skip / self.unit)
        self.left_out = []
        for row, share in [
            *((row, 1.0) for row in self.cover),
            *((row, -1.0) for row in self.side),
        ]:
            column = self.model.add_variable(lb=0.0)
            row.set_coefficient(column, share)
            self.left_out.append(column)
        at_home = self.penalty + self.data.move_cost
        self.penalty = np.append(at_home, np.full(len(self.side), self.unit))

    def _enter(self, column: Any, g: int, tasks: tuple[int, ...]) -> None:
        super()._enter(column, g, tasks)
        for r, number in _use_of_limits(self.data, (g, tasks)).items():
            self.side[r].set_coefficient(column, float(number))

    def _first_prices(self) -> Array | None:
        return None  # those of modes come with prices of the other rows

    def _cover(self, factor: float = 1.0) -> None:
        for row, m in zip(self.tasks, self.data.forms.task_count.tolist(), strict=True):
            row.upper_bound = row.lower_bound = factor * m

    def _prices_of(self, outcome: Any) -> Array:
        self.least_now = np.array(outcome.variable_values(self.least)) if self.least else _NOTHING
        beside = -np.array(outcome.dual_values(self.side)) if self.side else _NOTHING
        return as_prices(np.append(outcome.dual_values(self.cover), beside))

    def _worth_of_all(self, shift: int, prices: Array) -> int:
        return least_cost_of_forms(self.data, shift, prices, self.settled, self.fixed, self.limit)

    def _reduced_cost(self, g: int, tasks: tuple[int, ...], answer: Master) -> float:
        data, amounts = self.data, np.bincount(tasks, minlength=self.data.demand.size)
        P = amounts.size
        cost = data.cost(g, list(tasks)) - float(answer.prices[:P] @ amounts)
        if data.moves_row is not None:
            cost += float(answer.prices[data.moves_row]) * data.moves(g, list(tasks))
        charges = data.rules.charges(g, answer.prices[data.first_rule_row :], P)
        return cost + float(charges @ amounts) + float(answer.node_prices[g])

    def _allowed(self, most: Array, items: Array, taken: Array) -> Array:
        """At most what tasks are left for; those at home first."""
        P = taken.size
        left = np.minimum(self.count, _left(self.data, self.fixed + taken, self.held)[1])
        allowed = most.copy()
        allowed[P:] = np.minimum(most[P:], left[items[P:]])
        left[items[P:]] -= allowed[P:]
        allowed[:P] = np.clip(left, 0, most[:P])
        return allowed

    def leave(self, fixed: list[Column]) -> None:
        """Leave only what some columns, chosen already, have not dealt with."""
        data = self.data
        nodes, amounts, limit = data.node_count.copy(), np.zeros_like(data.count), _limits(data)
        self.held = np.zeros_like(self.held)
        for g, tasks in fixed:
            nodes[g] -= 1
            np.add.at(amounts, list(tasks), 1)
            for r, number in _use_of_limits(data, (g, tasks)).items():
                limit[r] -= number
            self.held = np.maximum(self.held, _held(data, tasks))
        settled, count = _left(data, amounts, self.held)
        self.settled = np.maximum(0, settled)
        self.fixed, self.limit = amounts, limit
        for row, placed in zip(self.cover, amounts.tolist(), strict=True):
            row.lower_bound = -float(placed)
        for column, number in zip(self.forms, self.settled.tolist(), strict=True):
            column.lower_bound = float(number)
        for row, most, scale in zip(self.side, limit, self._scales(), strict=True):
            row.upper_bound = most * scale
        self.restrict(count, nodes)

    def remainder(self) -> Remainder:
        """What more columns may take beside those that are fixed."""
        return _ModeRemainder(self)

    def completed(self, fixed: list[Column]) -> tuple[int | None, bool]:
        """Cost of an allocation of these columns, or None; whether no task is left to place."""
        data, amounts = self.data, np.zeros_like(self.data.count)
        for _, tasks in fixed:
            np.add.at(amounts, list(tasks), 1)
        tasks_in = data.forms.tasks_in(amounts)
        cost = data.forms.cost_of(tasks_in)
        if cost is not None:
            cost += sum(data.cost(g, list(tasks)) for g, tasks in fixed)
        return cost, int(tasks_in.sum()) == int(data.forms.task_count.sum())


def generation(table: ClassTable) -> Generation:
    """Column generation for a table, be it of modes or not."""
    return ModeGeneration(table) if isinstance(table, ModeTable) else Generation(table)


class _ModeRemainder(Remainder):
    """Parts, nodes, and what is left of the limits that no other column can mend."""

    def __init__(self, master: ModeGeneration) -> None:
        super().__init__(master.count, master.nodes)
        rules = master.data.rules
        # What the least makes room for; a column that takes more breaks the rule later.
        most = np.floor(-rules.size * master.least_now[rules.row_rule] + _WHOLE).astype(np.int64)
        self._data, self._limit = master.data, list(master.limit)
        self._placed, self._held = master.fixed, master.held
        self._slack = [0] * (len(self._limit) - most.size) + most.tolist()

    def take(self, column: Column) -> bool:
        """Take a column if there is room for it; another form of its tasks may then be none."""
        used = _use_of_limits(self._data, column)
        if any(number > max(0, self._limit[r] + self._slack[r]) for r, number in used.items()):
            return False
        amounts = np.bincount(column[1], minlength=self.count.size)
        if not self._data.keeps_limits(amounts):
            return False
        placed = self._placed + amounts
        held = np.maximum(self._held, _held(self._data, column[1]))
        settled, count = _left(self._data, placed, held)
        if (settled < 0).any() or not super().take(column):
            return False
        for r, number in used.items():
            self._limit[r] -= number
        self._placed, self._held = placed, held
        self.count = np.minimum(self.count, count)
        return True

    def part_of(self, column: Column) -> Column | None:
        """The parts of a column that there is room for."""
        g, modes = column
        kept: tuple[int, ...] = ()
        for p in modes:
            left = copy.copy(self)
            left.count, left.nodes = self.count.copy(), self.nodes.copy()
            left._limit = list(self._limit)
            if left.take((g, (*kept, p))):
                kept = (*kept, p)
        return (g, kept) if kept else None


def _use_of_limits(data: ModeTable, column: Column) -> dict[int, int]:
    """What a column takes of each row behind those of the modes."""
    (g, tasks), P = column, data.demand.size
    used = {}
    if data.moves_row is not None:
        used[data.moves_row - P] = data.moves(g, list(tasks))
    rows, numbers = data.rules.coefficients(g, np.bincount(tasks, minlength=P))
    rows += data.first_rule_row - P
    return used | dict(zip(rows.tolist(), numbers.tolist(), strict=True))


def _limits(data: ModeTable) -> list[int]:
    """Limits of the rows behind those of the modes."""
    scalar = [each for each in (data.forms.budget, data.forms.most_moves) if each is not None]
    return [*scalar, *data.rules.limit.tolist()]


def _held(data: ModeTable, modes: tuple[int, ...]) -> Array:
    """(F,) parts of each form in a column: as many tasks must be in the form, one part of each."""
    return np.bincount(data.forms.of_mode[list(modes)], minlength=data.forms.cost.size)


def _left(data: ModeTable, placed: Array, held: Array) -> tuple[Array, Array]:
    """How far parts that are placed settle the forms.

    Parameters
    ----------
    placed : (P,) int64
    held : (F,) int64
        Most parts of each form in one of their columns.

    Returns
    -------
    settled : (F,) int64
        Tasks that must be in each form; -1 where parts are for more tasks than the class has.
    possible : (P,) int64
        Parts of each mode that more tasks may take.
    """
    forms = data.forms
    settled = held.copy()
    np.maximum.at(settled, forms.of_mode, -(-placed // forms.parts))
    in_class = np.zeros_like(forms.task_count)
    np.add.at(in_class, forms.task_class, settled)
    too_many = in_class > forms.task_count
    settled[too_many[forms.task_class]] = -1
    in_class[too_many] = forms.task_count[too_many] - 1
    possible = (forms.task_count - in_class)[forms.task_class] + settled
    return settled, np.maximum(0, forms.parts * possible[forms.of_mode] - placed)
