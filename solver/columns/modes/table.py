"""The table of the modes of a problem: what pricing and the master are made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ...model.rules import AntiAffinity
from ...problem.modes import Modes
from ...problem.problem import Problem
from ...problem.table import ClassTable
from .rows import RuleRows, rule_rows

__all__ = ["Forms", "ModeTable", "column_table", "mode_table"]

_LOSS_BITS = 20
_MOST_DIMENSIONS = 6
_MOST_APART = 6_000


@dataclass(frozen=True)
class Forms:
    """What of the master does not depend on columns: how many tasks take each form.

    Attributes
    ----------
    of_mode, parts : (P,) int64
        Form of each mode, and how many parts of it a task in this form has.
    task_class, cost : (F,) int64
    usable : (F,) bool
        Whether the parts of a form have nodes enough that may hold them, each another one.
    loss : tuple of F int
    task_count, skip_cost : (K,) int64
        Tasks of each class, and the cost of leaving one out; -1 where it must run.
    budget, most_moves : int or None
    """

    of_mode: Array
    parts: Array
    task_class: Array
    cost: Array
    usable: Array
    loss: tuple[int, ...]
    task_count: Array
    skip_cost: Array
    budget: int | None
    most_moves: int | None

    @property
    def loss_bits(self) -> int:
        """A price of loss is for 2**loss_bits units: long numbers leave it no digits else."""
        return max(0, (self.budget or 0).bit_length() - _LOSS_BITS)

    def tasks_in(self, parts: Array) -> Array:
        """(F,) how many tasks are in each form, by how many parts of each mode there are.

        Where parts are there for more tasks than a class has, the cheapest forms are taken.
        """
        whole = np.full(self.cost.size, np.iinfo(np.int64).max)
        np.minimum.at(whole, self.of_mode, parts // self.parts)
        order = np.lexsort((self.cost, self.task_class))
        sorted_class = self.task_class[order]
        most = np.minimum(whole, self.task_count[self.task_class])[order]
        before = np.cumsum(most) - most
        first = np.searchsorted(sorted_class, sorted_class)
        room = self.task_count[sorted_class] - (before - before[first])
        tasks_in: Array = np.empty_like(most)
        tasks_in[order] = np.clip(room, 0, most)
        return tasks_in

    def cost_of(self, tasks_in: Array) -> int | None:
        """Cost of forms and of tasks left out; None if one of these must run."""
        left = self.task_count.copy()
        np.subtract.at(left, self.task_class, tasks_in)
        if (left[self.skip_cost < 0] > 0).any():
            return None
        cost = int((self.cost * tasks_in).sum())
        return cost + int((np.maximum(self.skip_cost, 0) * left).sum())


class NodeLimit(NamedTuple):
    """Modes of which one node holds at most `limit` parts, each counted `weights` times."""

    modes: Array
    weights: Array
    limit: int


@dataclass(frozen=True, kw_only=True)
class ModeTable(ClassTable):
    """Modes in the place of classes of tasks, with homes, forms and the rows of rules.

    A mode that is at home on a node class comes twice in its pricing: at home, for as many parts
    as each of the nodes has, and moved there, at the cost of a move. The first brings at least as
    much, so that an optimal set uses it first, and what a set is worth is never less than this
    says.

    Prices are in one array: of the modes, of the quality budget and the cap on moves where there
    are any, and of the rows of the rules.

    Attributes
    ----------
    forms : Forms
    rules : RuleRows
    homes : tuple of G pairs of arrays
        The modes at home on each node of a class, and how many parts of each.
    move_cost : (P,) int64
    is_move : (P,) bool
        Whether a part that is not at home counts as a move.
    limits : tuple of NodeLimit
        Of single nodes.
    num_limit_dimensions : int
        Pricing has a hard dimension for so many of them, the first ones; they stand last.
    """

    forms: Forms
    rules: RuleRows
    homes: tuple[tuple[Array, Array], ...]
    move_cost: Array
    is_move: Array
    limits: tuple[NodeLimit, ...]
    num_limit_dimensions: int

    @property
    def budget_row(self) -> int | None:
        """Place of the price of loss."""
        return None if self.forms.budget is None else self.demand.size

    @property
    def moves_row(self) -> int | None:
        """Place of the price of a move."""
        if self.forms.most_moves is None:
            return None
        return self.demand.size + (self.forms.budget is not None)

    @property
    def first_rule_row(self) -> int:
        """Place of the first price of a rule."""
        forms = self.forms
        return self.demand.size + (forms.budget is not None) + (forms.most_moves is not None)

    @property
    def num_prices(self) -> int:
        """Number of all prices."""
        return self.first_rule_row + self.rules.limit.size

    def items(self, g: int) -> tuple[Array, Array]:
        """The modes, moved to a node of class g; then those at home there."""
        modes, at_home = self.homes[g]
        most = self.most[:, g]
        at_home = np.minimum(at_home, most[modes])
        moved = most.copy()
        moved[modes] -= at_home
        return np.append(np.arange(most.size), modes), np.append(moved, at_home)

    def amounts(self, g: int, tasks: list[int]) -> Array:
        """How many of each item a column has: all at home that can be."""
        modes, at_home = self.homes[g]
        moved = np.bincount(tasks, minlength=self.demand.size)
        stay = np.minimum(moved[modes], at_home)
        moved[modes] -= stay
        return np.append(moved, stay)

    def moved(self, g: int, tasks: list[int]) -> Array:
        """(P,) parts of each mode that come to the node."""
        return self.amounts(g, tasks)[: self.demand.size]

    def cost(self, g: int, tasks: list[int]) -> int:
        """Cost of a column, its moves with it."""
        return super().cost(g, tasks) + int((self.moved(g, tasks) * self.move_cost).sum())

    def moves(self, g: int, tasks: list[int]) -> int:
        """How many moves a column is."""
        return int(self.moved(g, tasks)[self.is_move].sum())

    def keeps_limits(self, amounts: Array) -> bool:
        """Whether these parts of the modes may be on one node by the limits that pricing lacks."""
        return all(
            int(amounts[each.modes] @ each.weights) <= each.limit
            for each in self.limits[self.num_limit_dimensions :]
        )

    def profits(self, g: int, shift: int, prices: Array) -> Array:
        """What each item brings: the price of its mode less use, rules, and moving."""
        P = self.demand.size
        stay = prices[:P] - (int(self.use_price[g]) * self.demand << shift)
        stay -= self.rules.charges(g, prices[self.first_rule_row :], P)
        moved = stay - (self.move_cost << shift)
        if self.moves_row is not None:
            moved -= np.where(self.is_move, prices[self.moves_row], 0)
        return np.append(moved, stay[self.homes[g][0]])

    def sizes(self, prices: Array) -> tuple[float, float]:
        """As of a `ClassTable`, with all that moves, forms and rules can add to it."""
        P = self.demand.size
        worth, costs = super().sizes(prices[:P])
        beside = prices[self.first_rule_row :]
        worth += float((self.rules.dearest(beside) * self.rules.of_entry(self.count)).sum())
        worth += float(prices[P:].sum())
        if self.moves_row is not None:
            worth += float(prices[self.moves_row] * self.count[self.is_move].sum())
        costs += float((self.move_cost.astype(float) * self.count).sum())
        of_form = self.forms.cost.astype(float) * self.forms.task_count[self.forms.task_class]
        skips = np.maximum(self.forms.skip_cost, 0).astype(float) * self.forms.task_count
        return worth, costs + float(of_form.sum() + skips.sum())

    def worths(self, g: int, shift: int, prices: Array, rows: Array) -> Array:
        """As of a `ClassTable`; parts that can be at home are."""
        worths = super().worths(g, shift, prices, rows)
        profits, P = self.profits(g, shift, prices), self.demand.size
        for i, (p, most) in enumerate(zip(*(each.tolist() for each in self.homes[g]), strict=True)):
            stay = np.minimum((rows == p).sum(axis=1), most)
            worths += (profits[P + i] - profits[p]) * stay
        return worths


def column_table(problem: Problem) -> ClassTable:
    """The table for columns of a problem, rounded so that what is proved there is proved."""
    return problem.outer_table if problem.modes is None else mode_table(problem)


def mode_table(problem: Problem) -> ModeTable:
    """The table of a problem with modes."""
    modes, table, grid = problem.modes, problem.outer_table, problem.outer_grid
    assert modes is not None
    costs = problem.mode_costs(grid)
    table = replace(table, most=_most(modes, table.most))
    limits = _node_limits(modes, table.most)
    needs, capacity = _with_dimensions(table, limits[:_MOST_DIMENSIONS])
    return ModeTable(
        **{
            **vars(table),
            "needs": needs,
            "capacity": capacity,
            "apart": _apart(modes),
        },
        forms=Forms(
            of_mode=modes.mode_form,
            parts=modes.mode_parts,
            task_class=modes.form_class,
            cost=costs.form_cost,
            usable=_usable(modes, table),
            loss=modes.form_loss,
            task_count=modes.task_count,
            skip_cost=costs.skip_cost,
            budget=modes.budget,
            most_moves=modes.most_moves,
        ),
        rules=rule_rows(modes.rules, modes, table.node_count),
        homes=_homes(problem, modes),
        move_cost=costs.move_cost,
        is_move=modes.counts_as_move,
        limits=tuple(limits),
        num_limit_dimensions=min(len(limits), _MOST_DIMENSIONS),
    )


def _usable(modes: Modes, table: ClassTable) -> Array:
    """(F,) forms whose parts, each kind alone and all together, have as many nodes as they are."""
    holds = table.most > 0
    enough = modes.mode_parts <= holds @ table.node_count
    usable = np.ones(modes.num_forms, dtype=bool)
    usable[modes.mode_form[~enough]] = False
    for f in np.flatnonzero(np.bincount(modes.mode_form, minlength=usable.size) > 1).tolist():
        mine = modes.mode_form == f
        nodes = table.node_count[holds[mine].any(axis=0)].sum()
        usable[f] &= modes.mode_parts[mine].sum() <= nodes
    return usable


def _homes(problem: Problem, modes: Modes) -> tuple[tuple[Array, Array], ...]:
    """Modes at home on each class of nodes; the first node stands for all, which are alike."""
    node = modes.home_node
    order = np.lexsort((modes.home_mode, node))
    nodes, first = np.unique(node[order], return_index=True)
    runs = dict(zip(nodes.tolist(), np.split(order, first[1:]), strict=False))
    nothing = np.zeros(0, dtype=np.int64)
    found = []
    for i in problem.classes.node_first.tolist():
        mine = runs.get(i, nothing)
        found.append((modes.home_mode[mine], modes.home_count[mine]))
    return tuple(found)


def _apart(modes: Modes) -> Array:
    """Modes that no node may hold together: of one task, or of groups that shun each other.

    None of so many modes that the table of all pairs would be too large; pricing is valid so.
    """
    P = modes.num_modes
    count = modes.task_count[modes.mode_class]
    blocks = [(mine, mine) for mine in _by_class(modes) if count[mine[0]] == 1]
    for rule in modes.rules:
        if isinstance(rule.rule, AntiAffinity):
            blocks.append((rule.modes, rule.other_modes))
        elif rule.most == 1:
            blocks.append((rule.modes, rule.modes))
    if not blocks or P > _MOST_APART:
        return np.zeros((0, 0), dtype=np.bool_)
    apart = np.zeros((P, P), dtype=np.bool_)
    for some, others in blocks:
        apart[np.ix_(some, others)] = True
        apart[np.ix_(others, some)] = True
    np.fill_diagonal(apart, False)  # how many of one mode is up to `most`
    return apart if apart.any() else np.zeros((0, 0), dtype=np.bool_)


def _by_class(modes: Modes) -> list[Array]:
    """The modes of each class of tasks that has several."""
    order = np.argsort(modes.mode_class, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(modes.mode_class[order])) + 1)
    return [mine for mine in runs if mine.size > 1]


def _most(modes: Modes, most: Array) -> Array:
    """Most parts of each mode on one node; a mode of both groups that shun each other has none."""
    most = most.copy()
    for rule in modes.rules:
        if isinstance(rule.rule, AntiAffinity):
            most[np.intersect1d(rule.modes, rule.other_modes)] = 0
    return most


def _node_limits(modes: Modes, most: Array) -> list[NodeLimit]:
    """All limits of nodes that `most` and `apart` leave something of, those that bind most first.

    Of a group with a limit a node holds no more parts than that, and of a class of tasks no more
    than there are tasks, whatever their forms.
    """
    limits = [NodeLimit(r.modes, r.weights, r.most) for r in modes.rules if r.most is not None]
    for mine in _by_class(modes):
        count = int(modes.task_count[modes.mode_class[mine[0]]])
        limits.append(NodeLimit(mine, np.ones_like(mine), count))
    held = [int((most[g.modes] * g.weights[:, None]).sum(axis=0).max(initial=0)) for g in limits]
    binding = [i for i, each in enumerate(limits) if 2 <= each.limit < held[i]]
    return [limits[i] for i in sorted(binding, key=lambda i: limits[i].limit / held[i])]


def _with_dimensions(table: ClassTable, limits: list[NodeLimit]) -> tuple[Array, Array]:
    """Needs and capacities with a dimension for each limit."""
    needs, capacity = [table.needs], [table.capacity]
    for members, weights, limit in limits:
        need = np.zeros((table.demand.size, 1), dtype=np.int64)
        need[members, 0] = weights
        needs.append(need)
        capacity.append(np.full((table.capacity.shape[0], 1), limit, dtype=np.int64))
    return (
        np.ascontiguousarray(np.concatenate(needs, axis=1)),
        np.ascontiguousarray(np.concatenate(capacity, axis=1)),
    )
