"""The classes of a problem in one table, which every model over classes is made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..model.exact import Array, common_ranks
from ..model.scaled import Exact
from .classes import Classes
from .grid import Grid
from .modes import Modes

__all__ = [
    "ClassNumbers",
    "ClassTable",
    "Column",
    "ModeCosts",
    "fitting",
    "mode_costs",
    "most_held",
    "numbers_of_exact",
    "numbers_of_grid",
]

Column = tuple[int, tuple[int, ...]]
"""A class of nodes, and the classes of the tasks on one node of it, ascending."""

_FIT_CHUNK = 2**24


@dataclass(frozen=True)
class ClassNumbers:
    """The K classes of tasks and G classes of nodes, in units of a grid or exact.

    Attributes
    ----------
    demand, count : (K,) integers
        Compute of a task, number of tasks.
    needs : (K, d) integers
    node_count, node_compute : (G,) integers
    overload_price, use_price, idle_cost : (G,) integers
        Cost of a unit of overload beyond that of its use, of a unit of load, and of a node that
        is on; on a grid as in `Grid`.
    capacity : (G, d) integers
        Of the hard dimensions.
    """

    demand: Array
    needs: Array
    count: Array
    node_count: Array
    node_compute: Array
    overload_price: Array
    use_price: Array
    idle_cost: Array
    capacity: Array


@dataclass(frozen=True)
class ClassTable(ClassNumbers):
    """The same on a grid, and which tasks a node can hold.

    Attributes
    ----------
    most : (K, G) int64
        How many tasks of a class one node may hold, 0 if it may hold none.
    apart : (K, K) or (0, 0) bool
        Which classes of tasks may not be on one node together.
    """

    most: Array
    apart: Array = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))

    def cost(self, g: int, tasks: list[int]) -> int:
        """Cost of a column beyond what is paid whatever happens."""
        return self.node_cost(g, tasks) + int(self.use_price[g]) * int(self.demand[tasks].sum())

    def node_cost(self, g: int, tasks: list[int]) -> int:
        """Cost of a column without what each of its tasks costs for itself."""
        above = max(0, int(self.demand[tasks].sum()) - int(self.node_compute[g]))
        cost = int(self.overload_price[g]) * above
        return cost + (int(self.idle_cost[g]) if tasks else 0)

    def items(self, g: int) -> tuple[Array, Array]:
        """What pricing may put on a node of class g: classes of tasks, and how many of each.

        Every class is there in its place; some may come once more, behind the last.
        """
        return np.arange(self.demand.size), np.ascontiguousarray(self.most[:, g])

    def amounts(self, g: int, tasks: list[int]) -> Array:
        """How many of each item a column has."""
        return np.bincount(tasks, minlength=self.demand.size)

    def profits(self, g: int, shift: int, prices: Array) -> Array:
        """What each item brings on a node of class g: its price less its own cost."""
        use = int(self.use_price[g])
        return prices if use == 0 else prices - (use * self.demand << shift)

    def sizes(self, prices: Array) -> tuple[float, float]:
        """What all tasks may be worth at prices, and an upper limit of the costs of a column."""
        demand = float((self.demand.astype(float) * self.count).sum()) + 1.0  # a price alone fits
        dearest = float(self.overload_price.max(initial=0)) + float(self.use_price.max(initial=0))
        costs = dearest * demand + float(self.idle_cost.max(initial=0)) + 1.0
        return float((prices * self.count).sum()), costs

    def worths(self, g: int, shift: int, prices: Array, rows: Array) -> Array:
        """Profits less costs of many columns: rows of task classes, -1 behind the end."""
        load = np.append(self.demand, 0)[rows].sum(axis=1)
        above = np.maximum(0, load - self.node_compute[g])
        worth: Array = np.append(self.profits(g, shift, prices), 0)[rows].sum(axis=1)
        worth -= self.overload_price[g] * above + self.idle_cost[g] << shift
        return worth


def numbers_of_grid(grid: Grid, classes: Classes) -> ClassNumbers:
    """The numbers of the classes in units of a grid."""
    task, node = classes.task_first, classes.node_first
    return ClassNumbers(
        demand=grid.task_compute[task],
        needs=np.ascontiguousarray(grid.needs[task]),
        count=classes.task_count,
        node_count=classes.node_count,
        node_compute=grid.node_compute[node],
        overload_price=grid.overload_price[node],
        use_price=grid.use_price[node],
        idle_cost=grid.idle_cost[node],
        capacity=np.ascontiguousarray(grid.capacity[node]),
    )


def numbers_of_exact(exact: Exact, classes: Classes) -> ClassNumbers:
    """The numbers of the classes as `Exact` has them; idle is what switching off saves.

    Costs are Python integers, which products of the others may need.
    """
    task, node = classes.task_first, classes.node_first
    node_compute = exact.node_compute[node]
    return ClassNumbers(
        demand=exact.task_compute[task],
        needs=exact.needs[task],
        count=classes.task_count,
        node_count=classes.node_count,
        node_compute=node_compute,
        overload_price=exact.node_surcharge[node].astype(object),
        use_price=exact.node_use_price[node].astype(object),
        idle_cost=(exact.node_on_cost - exact.node_off_cost)[node],
        capacity=exact.capacity[node],
    )


def fitting(numbers: ClassNumbers, eligible: Array) -> Array:
    """(K, G) bool: where the hard needs of a task, alone, are met and it is eligible."""
    fits = eligible.copy()
    need, have = numbers.needs, numbers.capacity
    step = max(1, _FIT_CHUNK // max(1, have.size))
    for d in range(need.shape[1]):
        wanted, there = common_ranks(need[:, d], have[:, d])
        for start in range(0, need.shape[0], step):
            part = slice(start, start + step)
            fits[part] &= wanted[part, None] <= there[None, :]
    return fits


def most_held(numbers: ClassNumbers, fits: Array) -> Array:
    """(K, G) int64: most tasks of class k that one node of class g can hold."""
    most = np.where(fits, numbers.count[:, None], 0)
    need, have = numbers.needs, numbers.capacity
    for d in range(need.shape[1]):
        needed = need[:, d] > 0
        room = have[None, :, d] // need[needed, d, None]
        most[needed] = np.minimum(most[needed], room).astype(np.int64)
    return most


class ModeCosts(NamedTuple):
    """Costs of choices in units of a grid, rounded down.

    Attributes
    ----------
    form_cost : (F,) int64
        Of one task in each form.
    skip_cost : (K,) int64
        Of leaving one task out, -1 where it must run.
    move_cost : (P,) int64
        Of each part that is not at home.
    """

    form_cost: Array
    skip_cost: Array
    move_cost: Array


def mode_costs(modes: Modes, grid: Grid) -> ModeCosts:
    """The costs in units of a grid; those beyond all interest are cut to just beyond it."""

    def scaled(costs: Iterable[int | None]) -> Array:
        most = 2**62 if grid.most_cost is None else grid.most_cost + 1
        found = [-1 if cost is None else min(cost // grid.cost_unit, most) for cost in costs]
        return np.array(found, dtype=np.int64)

    return ModeCosts(scaled(modes.form_cost), scaled(modes.skip_cost), scaled(modes.move_cost))
