"""A partial allocation of a whole model, task by task, with NumPy: all limits are kept always."""

from __future__ import annotations

import numpy as np

from ...kernels.whole.facts import (
    AFFINITY,
    ANTI_AFFINITY,
    COMPUTE,
    COUNTS,
    DEMAND,
    DOMAINS,
    ENTRIES,
    ENTRIES_END,
    FIRST_FORM,
    FIRST_ROW,
    FORM_COST,
    FORM_LOSS,
    FORMS_END,
    HOMES,
    HOMES_END,
    HOSTS,
    IDLE,
    KIND,
    KNOWN,
    LIMIT,
    MODE,
    MOST,
    MOVE_COST,
    OPEN,
    PRICE,
    ROWS_END,
    SPREAD,
    TASK,
    TOGETHER,
    USE,
    WHERE,
    Facts,
)
from ...model.exact import Array

__all__ = ["WholePlacement"]


class WholePlacement:
    """Which rows are where so far, and what each node, rule and limit still allows.

    Attributes
    ----------
    node_of : (W,) int64
        Node of each row, -1 while it is not in use.
    form_of : (T,) int64
        Form of each task, -1 for none.
    load, count : (n,) int64
    room : (n, d) int64
    loss, moves : int
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        n = facts.node.shape[0]
        self.node_of = np.full(facts.row.shape[0], -1, dtype=np.int64)
        self.form_of = np.full(facts.task.shape[0], -1, dtype=np.int64)
        self.load, self.count = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self.room = facts.capacity.copy()
        self.loss = self.moves = 0
        self._tallies: dict[tuple[int, int], Array] = {}
        self._rows_of_node: list[set[int]] = [set() for _ in range(n)]

    def forms(self, t: int) -> list[int]:
        """The forms of a task that are allowed and within what is left of the budget."""
        facts = self.facts
        forms = range(facts.task[t, FIRST_FORM], facts.task[t, FORMS_END])
        budget = facts.most[0]
        return [
            f
            for f in forms
            if facts.form[f, FORM_COST] >= 0
            and (budget < 0 or self.loss + facts.form[f, FORM_LOSS] <= budget)
        ]

    def rows(self, f: int) -> range:
        """The rows of a form."""
        return range(self.facts.form[f, FIRST_ROW], self.facts.form[f, ROWS_END])

    def rows_on(self, i: int) -> list[int]:
        """The rows on a node, ascending."""
        return sorted(self._rows_of_node[i])

    def hosts(self, r: int) -> Array:
        """Nodes that may take row r when empty, ascending: those not open only if it is at home."""
        facts = self.facts
        h = facts.mode[facts.row[r, MODE], HOSTS]
        nodes = facts.hosts[facts.host_start[h] : facts.host_start[h + 1]]
        closed = facts.node[nodes, OPEN] == 0
        if closed.any():
            nodes = nodes[~closed | np.isin(nodes, self.homes(r))]
        f = self.form_of[facts.row[r, TASK]]
        taken = [self.node_of[s] for s in self.rows(f)] if f >= 0 else []
        taken = [i for i in taken if i >= 0]
        return nodes[~np.isin(nodes, taken)] if taken else nodes

    def homes(self, r: int) -> Array:
        """The nodes on which row r would be no move."""
        row = self.facts.row[r]
        homes: Array = self.facts.home_nodes[row[HOMES] : row[HOMES_END]]
        return homes

    def fitting(self, r: int) -> Array:
        """Nodes that can take row r of the form in hand, ascending."""
        facts, p = self.facts, self.facts.row[r, MODE]
        nodes: Array = self.hosts(r)
        fits = (self.room[nodes] >= facts.needs[p]).all(axis=1)
        if facts.most[1] >= 0 and self.moves >= facts.most[1] and self._is_known(r):
            fits &= np.isin(nodes, self.homes(r))
        nodes = nodes[fits]
        for e in range(facts.mode[p, ENTRIES], facts.mode[p, ENTRIES_END]):
            if not nodes.size:
                break
            nodes = nodes[self.allows(int(facts.entries[e, 0]), int(facts.entries[e, 1]), nodes)]
        return nodes

    def allows(self, q: int, role: int, nodes: Array) -> Array:
        """At which of the nodes rule q takes another part."""
        facts = self.facts
        kind, most = facts.rule[q, KIND], facts.rule[q, MOST]
        domain = self.domain(q, nodes)
        free: Array = domain < 0
        if kind in (AFFINITY, ANTI_AFFINITY):
            if kind == AFFINITY and role == 1:
                return np.ones(nodes.size, dtype=bool)
            other = self.tally(q, 1 - role)[domain] > 0
            free |= other if kind == AFFINITY else ~other
            return free
        tally = self.tally(q, 0)
        held = tally[domain]
        if kind == LIMIT:
            free |= held < most
        elif kind == TOGETHER:
            free |= (held > 0) | (not tally.any())
        elif kind == SPREAD:
            free |= held + 1 - self.least(q) <= most
        return free

    def domain(self, q: int, nodes: Array) -> Array:
        """The domains of nodes in rule q, -1 for none."""
        where = self.facts.rule[q, WHERE]
        domain: Array = nodes if where < 0 else self.facts.domain[where, nodes]
        return domain

    def tally(self, q: int, role: int) -> Array:
        """Parts that rule q counts in each domain, of its group (0) or of `with` (1)."""
        made = self._tallies.get((q, role))
        if made is None:
            made = np.zeros(self.facts.rule[q, DOMAINS], dtype=np.int32)
            self._tallies[q, role] = made
        return made

    def least(self, q: int) -> int:
        """Of a spread the least number of parts in a domain that counts."""
        tally, counts = self.tally(q, 0), int(self.facts.rule[q, COUNTS])
        held = tally[tally > 0]  # others than those that count hold none
        return int(held.min()) if 0 < counts <= held.size else 0

    def marginal_cost(self, r: int, nodes: Array) -> Array:
        """What the cost grows by when row r goes to each of the nodes."""
        facts, p = self.facts, self.facts.row[r, MODE]
        node, load, demand = facts.node[nodes], self.load[nodes], facts.mode[p, DEMAND]
        capacity = node[:, COMPUTE]
        growth = np.maximum(0, load + demand - capacity) - np.maximum(0, load - capacity)
        cost: Array = node[:, PRICE] * growth + node[:, USE] * demand
        cost += np.where(self.count[nodes] == 0, node[:, IDLE], 0)
        if facts.mode[p, MOVE_COST] and self._is_known(r):
            cost += facts.mode[p, MOVE_COST] * ~np.isin(nodes, self.homes(r))
        return cost

    def demand(self, r: int) -> int:
        """Compute that row r takes."""
        return int(self.facts.mode[self.facts.row[r, MODE], DEMAND])

    def free_compute(self, nodes: Array) -> Array:
        """Capacity less load of the nodes; negative where overloaded."""
        free: Array = self.facts.node[nodes, COMPUTE] - self.load[nodes]
        return free

    def cheapest(self, r: int, nodes: Array) -> int:
        """The node of least marginal cost for row r, ties to the one with most free compute."""
        cost = self.marginal_cost(r, nodes)
        best = nodes[cost == cost.min()]
        return int(best[np.argmax(self.free_compute(best))])

    def choose(self, t: int, f: int) -> None:
        """Choose a form for a task without parts; -1 for none."""
        old = self.form_of[t]
        self.loss -= int(self.facts.form[old, FORM_LOSS]) if old >= 0 else 0
        self.loss += int(self.facts.form[f, FORM_LOSS]) if f >= 0 else 0
        self.form_of[t] = f

    def place(self, r: int, i: int) -> None:
        """Put row r on node i."""
        self._change(r, i, 1)
        self.node_of[r] = i
        self._rows_of_node[i].add(r)

    def eject(self, t: int) -> None:
        """Take all parts of a task off, and its form from it."""
        for r in self.rows(int(self.form_of[t])):
            i = int(self.node_of[r])
            if i >= 0:
                self._change(r, i, -1)
                self.node_of[r] = -1
                self._rows_of_node[i].discard(r)
        self.choose(t, -1)

    def _change(self, r: int, i: int, sign: int) -> None:
        facts, p = self.facts, self.facts.row[r, MODE]
        self.load[i] += sign * facts.mode[p, DEMAND]
        self.count[i] += sign
        self.room[i] -= sign * facts.needs[p]
        if self._is_known(r) and i not in self.homes(r):
            self.moves += sign
        for e in range(facts.mode[p, ENTRIES], facts.mode[p, ENTRIES_END]):
            q, role = int(facts.entries[e, 0]), int(facts.entries[e, 1])
            where = facts.rule[q, WHERE]
            d = i if where < 0 else int(facts.domain[where, i])
            if d >= 0:
                self.tally(q, role)[d] += sign

    def _is_known(self, r: int) -> bool:
        return bool(self.facts.task[self.facts.row[r, TASK], KNOWN])
