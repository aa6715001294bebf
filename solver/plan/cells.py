"""What limits moves, as counted cells: nodes, domains of rules, and parts of one task on a node.

A *cell* is the storage or another resource of a node, the number of parts of a group in a domain,
or the number of parts of one task on a node. Cells are made when they are first asked for, with
the level that they have before anything moves. Levels are Python integers of any size.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..model.exact import Array, sums_by_group
from ..model.instance import Instance
from ..model.rules import Affinity, AntiAffinity, Limit, Spread
from ..problem.domains import domains_of, hosts_by_eligibility

__all__ = ["Cells"]

Key = tuple[Any, ...]


class Cells:
    """Levels and limits of the cells that the moves of an instance may touch.

    Parameters
    ----------
    instance : Instance
    before : (W,) int64
        Positions of nodes, -1 nowhere.

    Attributes
    ----------
    level : list of int
    limit : list of int or None
    partner : dict of int to int
        Of a cell of an anti-affinity rule the one that has to be empty if it is not.
    """

    def __init__(self, instance: Instance, before: Array) -> None:
        self.instance, self.before = instance, before
        self.level: list[int] = []
        self.limit: list[int | None] = []
        self.partner: dict[int, int] = {}
        self._cells: dict[Key, int] = {}
        self._needs: dict[int, tuple[tuple[int, int], ...]] = {}
        self._group_counts: dict[tuple[str, str], Array] = {}
        self._rules_of: dict[int, list[tuple[int, str]]] = {}
        self._skew_cells: dict[tuple[int, str], list[int]] = {}
        self._is_open = [state == "open" for state in instance.node_state]

    def hard(self, row: int, node: int) -> list[tuple[int, int]]:
        """The storage and resources that a part takes of a node: cells and amounts."""
        found = self._needs.get(row)
        if found is None:
            needs = self.instance.exact.needs[row].tolist()
            found = tuple((d, need) for d, need in enumerate(needs) if need > 0)
            self._needs[row] = found
        return [(self._cell(("hard", node, d)), need) for d, need in found]

    @cached_property
    def _usage(self) -> list[list[int]]:
        """What the nodes carry, by dimension."""
        exact = self.instance.exact
        used = np.flatnonzero(self.before >= 0)
        node = self.before[used]
        n = self.instance.num_nodes
        return [
            sums_by_group(exact.needs[used, d], node, n).tolist()
            for d in range(len(exact.dimensions))
        ]

    @cached_property
    def _capacity(self) -> list[list[int]]:
        return [column.tolist() for column in self.instance.exact.capacity.T]

    def roomiest(self) -> list[int]:
        """The nodes, those first that have the largest share of everything to spare now."""
        dims, nodes = range(len(self._capacity)), range(self.instance.num_nodes)
        room = [1.0] * len(nodes)
        for d in dims:
            have = self._capacity[d]
            for node in nodes:
                at = self._cells.get(("hard", node, d))
                used = self._usage[d][node] if at is None else self.level[at]
                room[node] = min(room[node], (have[node] - used) / max(1, have[node]))
        return sorted(nodes, key=lambda node: -room[node])

    @cached_property
    def _domains(self) -> dict[str, Array]:
        return {**domains_of(self.instance), "node": np.arange(self.instance.num_nodes)}

    @cached_property
    def _domain_lists(self) -> dict[str, list[int]]:
        return {key: numbers.tolist() for key, numbers in self._domains.items()}

    @cached_property
    def counted(self) -> dict[int, Array]:
        """Of each spread, the domains that count for its minimum."""
        rules = self.instance.rules
        spreads = [k for k, rule in enumerate(rules) if isinstance(rule, Spread)]
        found = {}
        for k, hosts in zip(spreads, hosts_by_eligibility(self.instance), strict=True):
            numbers = self._domains[rules[k].domain][hosts]
            found[k] = np.unique(numbers[numbers >= 0])
        return found

    def _count(self, group: str, domain: str) -> Array:
        """n(group, d) of every domain, before anything moves."""
        key = (group, domain)
        if key not in self._group_counts:
            instance = self.instance
            has = np.array([group in names for names in instance.group_sets], dtype=bool)
            used = np.flatnonzero(self.before >= 0)
            task = instance.rows.task[used]
            mine = used[has[instance.task_groups[task]]]
            numbers = self._domains[domain][self.before[mine]]
            size = int(self._domains[domain].max(initial=-1)) + 1
            self._group_counts[key] = np.bincount(numbers[numbers >= 0], minlength=size)
        return self._group_counts[key]

    def _cell(self, key: Key) -> int:
        """The number of a cell; made when it is first asked for, from what was before."""
        at = self._cells.get(key)
        if at is None:
            at = self._cells[key] = len(self.level)
            level, limit = self._made(key)
            self.level.append(level)
            self.limit.append(limit)
        return at

    def _made(self, key: Key) -> tuple[int, int | None]:
        kind = key[0]
        if kind == "hard":
            _, node, d = key
            return self._usage[d][node], self._capacity[d][node]
        if kind == "apart":
            _, task, node = key
            first, last = self.instance.rows.task_start[task : task + 2].tolist()
            return int(np.count_nonzero(self.before[first:last] == node)), 1
        _, k, side, domain = key
        rule = self.instance.rules[k]
        group = rule.group if side == "group" else rule.with_  # type: ignore[union-attr]
        level = int(self._count(str(group), rule.domain)[domain])
        return level, rule.max if isinstance(rule, Limit) else None

    def rules_of(self, task: int) -> list[tuple[int, str]]:
        """The rules that count a task, and on which side."""
        number = int(self.instance.task_groups[task])
        found = self._rules_of.get(number)
        if found is None:
            names = self.instance.group_sets[number]
            found = [
                (k, side)
                for k, rule in enumerate(self.instance.rules)
                for side, group in (("group", rule.group), ("with", getattr(rule, "with_", None)))
                if group in names
            ]
            self._rules_of[number] = found
        return found

    def skews_of(self, task: int) -> tuple[int, ...]:
        """The spread and affinity rules that count a task."""
        rules = self.instance.rules
        mine = [k for k, _ in self.rules_of(task) if isinstance(rules[k], Spread | Affinity)]
        return tuple(dict.fromkeys(mine))

    def allowed(self, row: int, node: int) -> bool:
        """Whether a part may come to a node, whatever else is there."""
        instance = self.instance
        if not self._is_open[node]:
            return False
        if not instance.eligibility.allows(int(instance.rows.group[row]), node):
            return False
        return all(
            side != "group" or self._domain_lists[instance.rules[k].domain][node] >= 0
            for k, side in self.rules_of(int(instance.rows.task[row]))
        )

    def counters(self, row: int, node: int) -> list[int]:
        """The cells that count a part on a node."""
        rows = self.instance.rows
        task = int(rows.task[row])
        cells = []
        if not rows.is_identity and rows.task_start[task + 1] - rows.task_start[task] > 1:
            cells.append(self._cell(("apart", task, node)))
        for k, side in self.rules_of(task):
            rule = self.instance.rules[k]
            domain = self._domain_lists[rule.domain][node]
            if domain < 0:
                continue
            cell = self._cell(("rule", k, side, domain))
            cells.append(cell)
            if isinstance(rule, AntiAffinity):
                other = self._cell(("rule", k, "with" if side == "group" else "group", domain))
                self.partner[cell], self.partner[other] = other, cell
        return cells

    def counts(self, k: int, side: str) -> list[int]:
        """n(g, d) of the group of a rule, or of the one it names in `with`, in all domains."""
        cells = self._skew_cells.get((k, side))
        if cells is None:
            size = int(self._domains[self.instance.rules[k].domain].max(initial=-1)) + 1
            cells = [self._cell(("rule", k, side, domain)) for domain in range(size)]
            self._skew_cells[k, side] = cells
        level = self.level
        return [level[cell] for cell in cells]

    def nodes_of_tasks(self, tasks: set[int]) -> set[int]:
        """The nodes that some tasks are on before anything moves."""
        start = self.instance.rows.task_start
        nodes: set[int] = set()
        for task in tasks:
            nodes.update(self.before[start[task] : start[task + 1]].tolist())
        return nodes - {-1}

    def likeness(self, node: int, rows: list[int]) -> Key | None:
        """What a node that none of some rows is on, or is to be on, has in common with its equals.

        Nodes are equal if exchanging them changes nothing for these rows; None if none of them may
        come there.
        """
        may = [self.allowed(row, node) for row in rows]
        if not any(may):
            return None
        room = [
            self._capacity[d][node] - self.level[self._cell(("hard", node, d))]
            for d in range(len(self._capacity))
        ]
        tasks = self.instance.rows.task[rows].tolist()
        told: list[Any] = []
        for k in sorted({k for task in tasks for k, _ in self.rules_of(task)}):
            rule = self.instance.rules[k]
            domain = self._domain_lists[rule.domain][node]
            told.append(domain)
            if rule.domain == "node":
                sides = ["group"] + ["with"] * (getattr(rule, "with_", None) is not None)
                told[-1] = tuple(self.level[self._cell(("rule", k, s, domain))] for s in sides)
                if isinstance(rule, Spread):
                    told.append(domain in self._counted_sets[k])
        return tuple(may), tuple(room), tuple(told)

    @cached_property
    def _counted_sets(self) -> dict[int, set[int]]:
        return {k: set(domains.tolist()) for k, domains in self.counted.items()}

    def told(self, cell: int) -> str:
        """A cell by names."""
        instance = self.instance
        kind, *key = next(key for key, number in self._cells.items() if number == cell)
        if kind == "hard":
            what = instance.exact.dimensions[key[1]]
            return f"{what} of node {str(instance.node_ids[key[0]])!r}"
        if kind == "apart":
            task, node = str(instance.task_ids[key[0]]), str(instance.node_ids[key[1]])
            return f"parts of task {task!r} on node {node!r}"
        rule = instance.rules[key[0]]
        return f"{rule.name} of group {rule.group!r} over {rule.domain}"
