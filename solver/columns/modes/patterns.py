"""Patterns: what a node holds, used many times over, where there are many tasks of few classes.

As in cutting stock (Gilmore and Gomory 1961, 1963) the master over columns then has few rows, and
its solution uses each column on many nodes, so that rounding it down loses little. What is left
is solved again, down to a few nodes; the search places the last tasks. Prices come from the same
master as in `generation`, columns from `kernels.whole.filling`: they need only be good, as nothing
is proved here. In the child only.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ...kernels.tables import multipliers
from ...model.exact import Array
from ...problem.table import Column
from ...settings import COLUMNS, PATTERNS
from ..knapsack import knapsack_of
from ..master import Master
from ..pricing import Priced
from .domains import Merged, deal_evenly, expand
from .generation import ModeGeneration
from .table import ModeTable

if TYPE_CHECKING:
    from ...kernels.tables import Knapsack
    from ...kernels.whole.filling import Groups

__all__ = ["PatternGeneration", "deal_patterns"]

_USED, _WHOLE = 1e-6, 1e-6


class PatternGeneration(ModeGeneration):
    """Column generation with a heuristic pricing that any number of parts on a node suits.

    Attributes
    ----------
    groups : list of Groups
        The modes of each class of tasks, for each class of nodes.
    """

    def __init__(self, data: ModeTable) -> None:
        self.groups = [_groups(data, g) for g in range(data.node_count.size)]
        self._filled: dict[tuple[Any, ...], tuple[int, list[tuple[int, ...]]]] = {}
        super().__init__(data)
        self.effort = COLUMNS.most_effort  # more of it finds nothing more here

    def _price(self, trial: Array, answer: Master, slack: float) -> tuple[int, bool, Any]:
        self._filled.clear()
        return super()._price(trial, answer, slack)

    def _priced(self, g: int, profit: Array, slack: float, turns: int) -> Priced:
        """The Lagrangian's value of the knapsack, and the best of some sets that fit."""
        data, shift = self.data, self.pricing.shift
        items, most = data.items(g)
        allowed = self._allowed(most, items, np.zeros_like(self.count))
        knapsack = knapsack_of(data, g, shift)._replace(most=allowed)
        profit = data.profits(g, shift, profit)
        # Classes of nodes that differ in their domains only are often priced alike.
        alike = b"".join(each.tobytes() for each in (profit, allowed, knapsack.capacity))
        key = knapsack.node_compute, knapsack.overload_price, knapsack.idle_cost, alike
        if key not in self._filled:
            bound = multipliers(knapsack, profit, self.pricing.weights[g])
            sets = self._fill(knapsack, profit, allowed, g)
            values = {
                tasks: int((profit * amounts).sum())
                for tasks, amounts in sets.items()
                if data.keeps_limits(amounts) and self._are_together(amounts)
            }
            best = sorted(values, key=lambda tasks: -values[tasks])[: PATTERNS.kept]
            self._filled[key] = max(0, math.ceil(min(bound, 2.0**62))), best
        return Priced(*self._filled[key], exact=False, quick=False)

    def _fill(
        self, knapsack: Knapsack, profit: Array, allowed: Array, g: int
    ) -> dict[tuple[int, ...], Array]:
        """Sets of tasks at several multipliers of the capacities that are relaxed."""
        from ...kernels.whole.filling import fill_node

        weights = self.pricing.weights[g].copy()
        real = knapsack.capacity.size - self.data.num_limit_dimensions
        weights[1 + real :] = 0.0  # groups keep these
        worth = weights[1 : 1 + real] * knapsack.capacity[:real]
        found: dict[tuple[int, ...], Array] = {}
        kept, factor, step = int(np.argmax(worth)), 1.0, PATTERNS.factor_step
        for _ in range(PATTERNS.factors):
            amounts = np.zeros(profit.size, dtype=np.int64)
            within = fill_node(
                knapsack, profit, allowed, factor * weights, kept, PATTERNS.buckets,
                self.groups[g], amounts,
            )  # fmt: skip
            found[tuple(np.repeat(np.arange(amounts.size), amounts).tolist())] = amounts
            factor *= 1 - step if within else 1 + step
            step /= 2
        found.pop((), None)
        return found

    def _are_together(self, amounts: Array) -> bool:
        """Whether no two of the modes have to be on different nodes."""
        if not self.data.apart.size:
            return True
        used = np.flatnonzero(amounts)
        return not self.data.apart[np.ix_(used, used)].any()


def deal_patterns(
    data: ModeTable, merged: Merged | None, deadline: float, bound: float
) -> tuple[list[Column], list[float]]:
    """Columns of an allocation, a node each, up to a few nodes that the last tasks are left for.

    Parameters
    ----------
    data : ModeTable
    merged : Merged or None
        The same over fewer classes of nodes, where some are alike: most of the columns are found
        there.
    deadline : float
    bound : float
        On the cost; near it, a relaxation is good enough.

    Returns
    -------
    fixed : list of Column
    amounts : list of G floats
        Nodes of each class that the relaxation of what is left uses.
    """
    fixed: list[Column] = []
    master = PatternGeneration(data)
    master.begin(deadline)
    if merged is not None:
        first = PatternGeneration(merged.table)
        first.begin(deadline)
        answer = _relaxed(first, deadline, bound)
        if answer is not None:
            used = np.flatnonzero(answer.amounts > _USED).tolist()
            for g, tasks in expand(merged, [first.columns[c] for c in used]):
                master.add(g, tasks)
            fixed = deal_evenly(merged, _chosen(first, answer))
            master.leave(fixed)
    answer = _relaxed(master, deadline, bound if not fixed else 0.0)
    while answer is not None and time.monotonic() < deadline:
        if answer.amounts.sum() <= PATTERNS.remainder or answer.left_out.any():
            break
        chosen = _chosen(master, answer)
        if not chosen:
            break
        fixed += chosen
        master.leave(fixed)
        master.iterate(PATTERNS.later_rounds)
        answer = master.answer
    amounts = np.zeros(data.node_count.size)
    if answer is not None:
        np.add.at(amounts, [g for g, _ in master.columns[: answer.amounts.size]], answer.amounts)
    return fixed, amounts.tolist()


def _relaxed(master: PatternGeneration, deadline: float, bound: float) -> Master | None:
    """The master solved, until it is near the bound, nothing is gained, or its time is up."""
    now = time.monotonic()
    master.deadline = now + PATTERNS.relaxation_share * (deadline - now)
    before = -1
    while len(master.columns) > before and time.monotonic() < master.deadline:
        before = len(master.columns)
        master.iterate(PATTERNS.rounds)
        if master.answer is not None and master.answer.value <= (1.0 + PATTERNS.near) * bound:
            break
    master.deadline = deadline
    return master.answer


def _chosen(master: PatternGeneration, answer: Master) -> list[Column]:
    """Every column as often as the master has it, rounded down; and those that come next to one.

    A share of the nodes that are left is dealt with at once.
    """
    used = np.flatnonzero(answer.amounts > _USED)
    used = used[np.argsort(-answer.amounts[used], kind="stable")]
    most = max(1, int(PATTERNS.at_once * answer.amounts.sum()))
    chosen: list[Column] = []
    remainder = master.remainder()
    for c in used.tolist():
        times = math.floor(answer.amounts[c] + _WHOLE)
        if times == 0 and len(chosen) >= most:
            break
        for _ in range(max(1, times)):
            if not remainder.take(master.columns[c]):
                break
            chosen.append(master.columns[c])
    return chosen


def _groups(data: ModeTable, g: int) -> Groups:
    """The modes of each class of tasks, and how many of these a node may hold."""
    from ...kernels.whole.filling import Groups

    forms = data.forms
    group = forms.task_class[forms.of_mode]
    items = np.argsort(group, kind="stable").astype(np.int64)
    count = forms.task_count.size
    most = np.zeros(count, dtype=np.int64)
    np.maximum.at(most, group, data.most[:, g])
    for each in data.limits:
        limited = np.unique(group[each.modes])
        own = np.bincount(group, minlength=count)[limited]
        all_of = np.bincount(group[each.modes], minlength=count)[limited] == own
        weight = max(1, int(each.weights.min(initial=1)))
        most[limited[all_of]] = np.minimum(most[limited[all_of]], each.limit // weight)
    start = np.searchsorted(group[items], np.arange(count + 1)).astype(np.int64)
    return Groups(start, items, group.astype(np.int64), most)
