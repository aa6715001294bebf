"""Whole models placed by classes, without compiled code: an answer at any size within seconds.

First as the linear relaxation says, how many parts of each mode go to the nodes of each class;
where it says nothing, one class of tasks after the other, those with few hosts first, goes in its
cheapest form to as many nodes as hold it, all at once, and what is left goes in the next form.
Rules are kept while nodes are filled, as far as counts in domains tell; all of them are looked at
in the end.
"""

from __future__ import annotations

import time

import numpy as np

from ...bounds.modes.linear import relaxation_solution
from ...engines.process import EngineCrash
from ...errors import BackendUnavailableError
from ...judge.check import check
from ...model.exact import Array
from ...model.rules import Affinity, AntiAffinity, Limit, Spread
from ...problem.dealing import deal
from ...problem.domains import DomainRule
from ...problem.problem import Problem
from .start import rounded

__all__ = ["place_in_bulk"]

_TRIES = 8  # of a number of tasks that fits, each fewer than the one before
_FILLED = 0.9  # of what the relaxation puts on a class of nodes
_MORE = 1.05  # so much more than its share a node may take, where rules leave others less


def place_in_bulk(problem: Problem, seconds: float = 60.0) -> Array | None:
    """An allocation that keeps every limit and rule, or None where this is too simple to find one.

    Parameters
    ----------
    problem : Problem
    seconds : float
        For the linear relaxation.

    Returns
    -------
    (W,) int64 or None

    Notes
    -----
    Forms of different parts are not used. Complexity: O(F n d) for F forms of classes of tasks on
    n nodes, and O(W log W) for dealing.
    """
    if problem.modes is None:
        return None
    end = time.monotonic() + seconds
    for dense, even in ((False, False), (False, True), (True, True), (None, True)):
        filling = _Filling(problem, even=even)
        if dense is None:
            placed = filling.follow(_quota(problem, end - time.monotonic()))
        else:
            placed = filling.run(dense=dense)
        if not placed:
            continue
        node_index = deal(problem, *filling.cells())
        if node_index is not None and not check(problem.instance, node_index):
            return node_index
    return None


def _quota(problem: Problem, seconds: float) -> Array | None:
    """(P, G) parts of each mode on the nodes of each class, by the relaxation; None without it."""
    try:
        solution = relaxation_solution(problem, seconds) if seconds > 0 else None
    except (BackendUnavailableError, EngineCrash):
        return None
    return None if solution is None else rounded(problem, solution.forms, solution.parts)[1]


class _Filling:
    """How many parts of each mode are on each node so far.

    Parameters
    ----------
    problem : Problem
    even : bool
        Whether each class is spread over all nodes that it fits, not packed on a few: where rules
        limit the tasks of a class on a node, later ones need room everywhere.
    """

    def __init__(self, problem: Problem, *, even: bool) -> None:
        assert problem.modes is not None
        self.even = even
        self.problem, self.modes = problem, problem.modes
        grid, classes = problem.grid, problem.classes
        self.node_class = classes.node_class
        n = self.node_class.size
        self.room = grid.capacity.astype(np.int64, copy=True)
        self.free = grid.node_compute.astype(np.int64, copy=True)
        self.used = np.zeros(n, dtype=bool)
        self.loss_left = self.modes.budget
        self.rules: list[list[_Held]] = [[] for _ in range(self.modes.num_modes)]
        # Spreads come last: they share out what the others leave.
        for rule in sorted(self.modes.rules, key=lambda each: isinstance(each.rule, Spread)):
            held = _Held(rule, self.node_class)
            for p in np.union1d(rule.modes, rule.other_modes).astype(int).tolist():
                self.rules[p].append(held)
        self._cells: list[tuple[int, Array, Array]] = []
        form_mode = np.argsort(self.modes.mode_form, kind="stable")
        start = np.searchsorted(self.modes.mode_form[form_mode], np.arange(self.modes.num_forms))
        alone = np.bincount(self.modes.mode_form, minlength=self.modes.num_forms) == 1
        self.mode_of_form = np.where(alone, form_mode[np.minimum(start, form_mode.size - 1)], -1)
        self.share, self.price = self._prices()
        hosted = np.zeros((self.modes.num_classes, classes.num_node_classes), dtype=bool)
        np.logical_or.at(hosted, self.modes.mode_class, problem.fits)
        self.hosts = hosted @ classes.node_count  # of each class, in whichever form

    def _prices(self) -> tuple[Array, Array]:
        """(P,) the least share of a node that a part takes, and what that share costs."""
        table, fits = self.problem.table, self.problem.fits
        demand, compute = table.demand.astype(float)[:, None], table.node_compute.astype(float)
        share = demand / np.maximum(1.0, compute)
        for d in range(table.needs.shape[1]):
            need, have = table.needs[:, d].astype(float), table.capacity[:, d].astype(float)
            share = np.maximum(share, need[:, None] / np.maximum(1.0, have))
        price = share * table.idle_cost.astype(float) + demand * table.use_price.astype(float)
        share, price = (np.where(fits, each, np.inf) for each in (share, price))
        return share.min(axis=1, initial=np.inf), price.min(axis=1, initial=np.inf)

    def run(self, *, dense: bool) -> bool:
        """Place every class; False if tasks are left that must run.

        Parameters
        ----------
        dense : bool
            Whether forms come by the room they take, not by what they cost.
        """
        modes, costs = self.modes, self.problem.mode_costs(self.problem.grid)
        rank = np.full(modes.num_forms, np.inf)
        known = self.mode_of_form >= 0
        mode = self.mode_of_form[known]
        each = self.share[mode] if dense else self.price[mode] + 1e-9 * self.share[mode]
        rank[known] = modes.mode_parts[mode] * each
        if not dense:
            rank[known] += costs.form_cost[known]
        forms = [np.flatnonzero(modes.form_class == k) for k in range(modes.num_classes)]
        size = [rank[own].min(initial=np.inf) for own in forms]
        least_loss = [min((modes.form_loss[f] for f in own.tolist()), default=0) for own in forms]
        reserve = sum(
            int(count) * loss for count, loss in zip(modes.task_count, least_loss, strict=True)
        )
        for k in np.lexsort((-np.array(size), self.hosts)).tolist():
            left, skip = int(modes.task_count[k]), modes.skip_cost[k] is not None
            reserve -= left * least_loss[k]
            for f in forms[k][np.argsort(rank[forms[k]], kind="stable")].tolist():
                if left and np.isfinite(rank[f]):
                    kept = reserve + left * least_loss[k]
                    left -= self._place(f, self._affordable(f, left, kept, least_loss[k]))
            if left and not skip:
                return False
        return True

    def follow(self, quota: Array | None) -> bool:
        """Place so many parts of each mode on each class of nodes; False if tasks are left."""
        modes, left_over = self.modes, np.zeros(self.modes.num_classes, dtype=np.int64)
        if quota is None or (self.mode_of_form < 0).any():
            return False
        for p in np.lexsort((-self.share, self.hosts[modes.mode_class])).tolist():
            parts = int(modes.mode_parts[p])
            total = int(quota[p].sum())
            left = total
            for g in np.flatnonzero(quota[p]).tolist():
                # What fills a class of nodes to the last does not fit once tasks are whole.
                wanted = int(quota[p, g] * (1.0 if parts > 1 else _FILLED))
                nodes = np.flatnonzero(self.node_class == g)
                left -= self._put(p, nodes, wanted, total // parts)
            if left and parts > 1:
                left -= self._put(p, self._order(p), left, total // parts)
            if left and parts > 1:
                return False
            left_over[modes.mode_class[p]] += left
            if self.loss_left is not None:
                self.loss_left -= (total - left) // parts * modes.form_loss[modes.mode_form[p]]
        self.even = False  # domains may lack different numbers by now
        for k in np.flatnonzero(left_over).tolist():
            left, forms = int(left_over[k]), np.flatnonzero(modes.form_class == k)
            mode = self.mode_of_form[forms]
            room = modes.mode_parts[mode] * self.share[mode]  # what takes least room comes first
            for f in forms[np.argsort(room, kind="stable")].tolist():
                left -= self._place(f, self._affordable(f, left, 0, 0)) if left else 0
            if left and modes.skip_cost[k] is None:
                return False
        return True

    def _put(self, p: int, nodes: Array, total: int, tasks: int) -> int:
        """Put up to so many parts of a mode on some nodes, roomy ones first; how many there are."""
        nodes = nodes[np.argsort(-self._roomy(nodes), kind="stable")]
        count = np.minimum(tasks, self._most(p, nodes, total, within=True, spread=False))
        count = _first(count, total)
        self._take(p, nodes[count > 0], count[count > 0])
        return int(count.sum())

    def _affordable(self, f: int, tasks: int, kept: int, least: int) -> int:
        """How many of some tasks may take form f, if the others take the least loss."""
        extra = self.modes.form_loss[f] - least
        if self.loss_left is None or extra <= 0:
            return tasks
        return max(0, min(tasks, (self.loss_left - kept) // extra))

    def _place(self, f: int, tasks: int) -> int:
        """Put up to so many tasks in form f on the nodes; how many were placed."""
        p = int(self.mode_of_form[f])
        parts = int(self.modes.mode_parts[p])
        placed = 0
        for within in (True, False):  # without overload, and then with it
            left = tasks - placed
            order = self._order(p)
            for _ in range(_TRIES):
                if left <= 0:
                    break
                count = self._most(p, order, parts * left, within=within)
                count = np.minimum(count, left)
                fitting = int(count.sum()) // parts
                if fitting >= left:
                    count = _first(count, parts * left)
                    self._take(p, order[count > 0], count[count > 0])
                    placed += left
                    break
                left = fitting
        if self.loss_left is not None:
            self.loss_left -= placed * self.modes.form_loss[f]
        return placed

    def _order(self, p: int) -> Array:
        """The nodes that mode p fits: roomy ones first, or those in use and then the cheapest."""
        table, grid = self.problem.table, self.problem.grid
        nodes = np.flatnonzero(self.problem.fits[p][self.node_class])
        if self.even:
            return nodes[np.argsort(-self._roomy(nodes), kind="stable")]
        idle = table.idle_cost[self.node_class[nodes]].astype(float)
        worth = idle / np.maximum(1, grid.node_compute[nodes])
        order: Array = nodes[np.lexsort((worth, ~self.used[nodes]))]
        return order

    def _roomy(self, nodes: Array) -> Array:
        """(nodes,) the share of each node that is free, of what there is least of."""
        grid = self.problem.grid
        free = self.free[nodes] / np.maximum(1, grid.node_compute[nodes])
        room = self.room[nodes] / np.maximum(1, grid.capacity[nodes])
        share: Array = np.minimum(free, room.min(axis=1, initial=1.0))
        return share

    def _most(
        self, p: int, nodes: Array, total: int, *, within: bool, spread: bool = True
    ) -> Array:
        """(nodes,) how many more parts of mode p each node takes, of so many in all."""
        table = self.problem.table
        count: Array = self.problem.most_per_node[p][self.node_class[nodes]].copy()
        for d in range(table.needs.shape[1]):
            need = int(table.needs[p, d])
            if need > 0:
                count = np.minimum(count, self.room[nodes, d] // need)
        if within and table.demand[p] > 0:
            count = np.minimum(count, self.free[nodes] // int(table.demand[p]))
        count = np.maximum(0, count)
        if self.even and count.any():
            count = np.minimum(
                count, np.ceil(count * (_MORE * total / count.sum())).astype(np.int64)
            )
        for rule in self.rules[p]:
            if spread or not isinstance(rule.record, Spread):
                count = rule.clip(p, nodes, count, total)
        return count

    def _take(self, p: int, nodes: Array, count: Array) -> None:
        table = self.problem.table
        self.room[nodes] -= count[:, None] * table.needs[p]
        self.free[nodes] -= count * int(table.demand[p])
        self.used[nodes] = True
        self._cells.append((p, nodes, count))
        for rule in self.rules[p]:
            rule.take(p, nodes, count)

    def cells(self) -> tuple[Array, Array, Array]:
        """Mode, node and parts of everything that was placed, no pair of mode and node twice."""
        n = self.node_class.size
        key = np.concatenate([p * n + nodes for p, nodes, _ in self._cells] or [np.zeros(0, int)])
        count = np.concatenate([held for *_, held in self._cells] or [np.zeros(0, int)])
        cell, at = np.unique(key, return_inverse=True)
        total = np.bincount(at, count, cell.size).astype(np.int64)
        return cell // n, cell % n, total


class _Held:
    """What a rule counts in its domains so far."""

    def __init__(self, rule: DomainRule, node_class: Array) -> None:
        self.record, self.modes, self.others = rule.rule, rule.modes, rule.other_modes
        if rule.domain is None:
            self.domain = np.arange(node_class.size)
            counted = np.asarray(rule.counted, dtype=bool)
            self.counted = counted[node_class] if counted.size else np.ones_like(self.domain, bool)
        else:
            self.domain = np.asarray(rule.domain, dtype=np.int64)[node_class]
            self.counted = np.asarray(rule.counted, dtype=bool)
        size = max(1, int(self.domain.max(initial=-1)) + 1, self.counted.size)
        self.held, self.beside = np.zeros(size, np.int64), np.zeros(size, np.int64)

    def clip(self, p: int, nodes: Array, count: Array, total: int) -> Array:
        """As many of the parts of mode p as the rule leaves, the first nodes first."""
        own, other = p in self.modes, p in self.others
        domain, record = self.domain[nodes], self.record
        named = domain >= 0
        if own:
            count = np.where(named, count, 0)
        allowed = np.full(self.held.size, total, dtype=np.int64)
        if isinstance(record, Limit) and own:
            allowed = np.maximum(0, record.max - self.held)
        elif isinstance(record, Spread) and own:
            allowed = self._evenly(total)
        elif isinstance(record, AntiAffinity):
            if own:
                allowed[self.beside > 0] = 0
            if other:
                allowed[self.held > 0] = 0
        elif isinstance(record, Affinity) and own and not other:
            allowed = self._together(record, domain, count, total)
        bounded = _within(domain[named], count[named], allowed)
        count = count.copy()
        count[named] = bounded
        return count

    def _evenly(self, total: int) -> Array:
        """How many more parts each domain takes if all of them together are to hold alike many."""
        allowed = np.zeros(self.held.size, dtype=np.int64)
        counted = np.flatnonzero(self.counted)
        if counted.size:
            whole, rest = divmod(int(self.held[counted].sum()) + total, counted.size)
            fullest = counted[np.argsort(-self.held[counted], kind="stable")]
            level = np.full(counted.size, whole)
            level[:rest] += 1
            allowed[fullest] = np.maximum(0, level - self.held[fullest])
        return allowed

    def _together(self, record: Affinity, domain: Array, count: Array, total: int) -> Array:
        """One domain alone, or those where the other group is."""
        allowed = np.zeros(self.held.size, dtype=np.int64)
        if record.with_ is not None:
            allowed[self.beside > 0] = total
        elif self.held.any():
            allowed[self.held > 0] = total
        else:
            named = domain >= 0
            space = np.bincount(domain[named], count[named], self.held.size)
            allowed[int(np.argmax(space))] = total
        return allowed

    def take(self, p: int, nodes: Array, count: Array) -> None:
        """Count what was placed."""
        named = self.domain[nodes] >= 0
        for members, held in ((self.modes, self.held), (self.others, self.beside)):
            if p in members:
                np.add.at(held, self.domain[nodes][named], count[named])


def _within(domain: Array, count: Array, allowed: Array) -> Array:
    """As much of each count as is left of what its domain is allowed, in their order."""
    order = np.argsort(domain, kind="stable")
    sorted_count = count[order]
    before = np.cumsum(sorted_count) - sorted_count
    first = np.flatnonzero(np.diff(domain[order], prepend=-1))
    run = np.repeat(np.arange(first.size), np.diff(np.append(first, order.size)))
    left = allowed[domain[order]] - (before - before[first][run] if first.size else before)
    kept = np.empty_like(count)
    kept[order] = np.clip(left, 0, sorted_count)
    return kept


def _first(count: Array, total: int) -> Array:
    """As much of each count as is left of a total, in their order."""
    before = np.cumsum(count) - count
    kept: Array = np.clip(total - before, 0, count)
    return kept
