"""Everything that limits moves, as counted cells, and how far each is filled.

A *cell* is the storage or another resource of a node, the number of parts of a group in a domain,
or the number of parts of one task on a node. Every hop raises and lowers some cells. A wave is
safe in any order if every cell that it raises stays within its limit with all that the wave raises
and nothing of what it lowers (`during="both"`), or with both (`during="target"`). A cell that is
above its limit is raised by nobody, so what is broken never gets worse.

Levels are Python integers of any size.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..model.exact import Array, sums_by_group
from ..model.instance import Instance
from ..model.rules import Affinity, AntiAffinity, Limit, Spread
from ..problem.domains import domains_of, hosts_by_eligibility
from .units import Hop, Unit, Value

__all__ = ["Board", "Effect"]

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a hop does.

    Attributes
    ----------
    up, down : tuples of (cell, amount)
        What it adds while it goes on, and what it takes away in the end (amounts above 0). A part
        that moves within a domain does not change its count there, nor does a task there that
        changes its variant, but by the difference.
    skews : tuple of int
        The spread and affinity rules that it matters to.
    nodes, groups : tuples of (node or group, count)
        Moves from or to a node, and parts of a group with a cap that leave a node.
    """

    up: tuple[tuple[int, int], ...]
    down: tuple[tuple[int, int], ...]
    skews: tuple[int, ...]
    nodes: tuple[tuple[int, int], ...]
    groups: tuple[tuple[str, int], ...]


class Board:
    """Levels and limits of the cells that the moves of an instance may touch.

    Parameters
    ----------
    instance : Instance
    before : (W,) int64
        Positions of nodes, -1 nowhere.
    during : str
        "both" or "target".
    max_moving : mapping of str to int
        The most parts of a group that leave a node in one wave.
    moves_per_node : int or None
        The most moves from or to one node in one wave.
    """

    def __init__(
        self,
        instance: Instance,
        before: Array,
        during: str,
        max_moving: Mapping[str, int],
        moves_per_node: int | None,
    ) -> None:
        self.instance, self.before = instance, before
        self.both = during == "both"
        self.max_moving, self.moves_per_node = dict(max_moving), moves_per_node
        self.level: list[int] = []
        self.limit: list[int | None] = []
        self.partner: dict[int, int] = {}
        self._cells: dict[Key, int] = {}
        self._hard_of: dict[int, tuple[tuple[int, int], ...]] = {}
        self._group_counts: dict[tuple[str, str], Array] = {}
        self._rules_of: dict[int, list[tuple[int, str]]] = {}
        self._effects: dict[tuple[Any, Any], Effect] = {}
        self._state = [state == "open" for state in instance.node_state]
        self._skew_cells: dict[int, list[int]] = {}

    # what is limited

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

    @cached_property
    def roomiest(self) -> list[int]:
        """The nodes, those first that have the largest share to spare at the start."""
        room = [
            min(
                (
                    (have[node] - used[node]) / max(1, have[node])
                    for have, used in zip(self._capacity, self._usage, strict=True)
                ),
                default=1.0,
            )
            for node in range(self.instance.num_nodes)
        ]
        return sorted(range(len(room)), key=lambda node: -room[node])

    @cached_property
    def _domains(self) -> dict[str, Array]:
        return {**domains_of(self.instance), "node": np.arange(self.instance.num_nodes)}

    @cached_property
    def _domain_lists(self) -> dict[str, list[int]]:
        return {key: numbers.tolist() for key, numbers in self._domains.items()}

    @cached_property
    def _counted(self) -> dict[int, Array]:
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
        if not self._state[node]:
            return False
        if not instance.eligibility.allows(int(instance.rows.group[row]), node):
            return False
        return all(
            side != "group" or self._domain_lists[instance.rules[k].domain][node] >= 0
            for k, side in self.rules_of(int(instance.rows.task[row]))
        )

    # what hops do

    def effect(self, hop: Hop) -> Effect:
        """What a hop does to the cells and counts against the caps."""
        key = (hop.leaves, hop.comes)
        found = self._effects.get(key)
        if found is None:
            found = self._effects[key] = self._effect(hop)
        return found

    def _effect(self, hop: Hop) -> Effect:
        up: Counter[int] = Counter()
        down: Counter[int] = Counter()
        net: Counter[int] = Counter()
        for (row, node), sign in [*((p, -1) for p in hop.leaves), *((p, 1) for p in hop.comes)]:
            for d, need in self._needs(row):
                cell = self._cell(("hard", node, d))
                if not self.both:
                    net[cell] += sign * need
                elif sign > 0:
                    up[cell] += need
                else:
                    down[cell] += need
            for cell in self._counters(row, node):
                net[cell] += sign
        for cell, amount in net.items():
            if amount > 0:
                up[cell] += amount
            elif amount < 0:
                down[cell] -= amount
        task = int(self.instance.rows.task[(hop.leaves or hop.comes)[0][0]])
        return Effect(
            tuple(up.items()),
            tuple(down.items()),
            self.skews_of(task),
            tuple(self._touched(hop).items()),
            tuple((name, len(hop.leaves)) for name in self._capped(task)) if hop.leaves else (),
        )

    def _touched(self, hop: Hop) -> Counter[int]:
        """Moves from or to each node; of a task that changes its variant there, one."""
        if self.moves_per_node is None:
            return Counter()
        leaves = Counter(node for _, node in hop.leaves)
        comes = Counter(node for _, node in hop.comes)
        return leaves | comes

    def _capped(self, task: int) -> list[str]:
        names = self.instance.group_sets[int(self.instance.task_groups[task])]
        return [name for name in names if name in self.max_moving]

    def _needs(self, row: int) -> tuple[tuple[int, int], ...]:
        found = self._hard_of.get(row)
        if found is None:
            needs = self.instance.exact.needs[row].tolist()
            found = tuple((d, need) for d, need in enumerate(needs) if need > 0)
            self._hard_of[row] = found
        return found

    def _counters(self, row: int, node: int) -> list[int]:
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
        return {k: set(domains.tolist()) for k, domains in self._counted.items()}

    # whether they are safe

    def fits(self, effects: Iterable[Effect]) -> bool:
        """Whether hops are safe in one wave, in any order, and keep the caps."""
        effects = list(effects)
        if len(effects) == 1 and not self.partner and not self.moves_per_node:
            return self._fits_alone(effects[0])
        return (
            self.crowded(effects) is None
            and self.keeps_caps(effects)
            and self._keeps_skews(effects)
        )

    def crowded(self, effects: Iterable[Effect], *, in_the_end: bool = False) -> int | None:
        """A cell that would have to be emptier for some hops to be safe in one wave.

        With `in_the_end`, for what is there after them.
        """
        only_up = self.both and not in_the_end
        totals: defaultdict[int, int] = defaultdict(int)
        for effect in effects:
            for cell, amount in effect.up:
                totals[cell] += amount
            for cell, amount in () if only_up else effect.down:
                totals[cell] -= amount
        level, limit = self.level, self.limit
        for cell, amount in totals.items():
            if amount > 0:
                most = limit[cell]
                if most is not None and level[cell] + amount > most:
                    return cell
                other = self.partner.get(cell)
                if other is not None and level[other] + totals.get(other, 0) > 0:
                    return other
        return None

    def _fits_alone(self, effect: Effect) -> bool:
        level, limit = self.level, self.limit
        for cell, amount in effect.up:
            most = limit[cell]
            if most is not None and level[cell] + amount > most:
                return False
        for name, count in effect.groups:
            if count > self.max_moving[name]:
                return False
        return not effect.skews or self._keeps_skews([effect])

    def keeps_caps(self, effects: Iterable[Effect]) -> bool:
        """Whether hops keep the caps on moves in one wave."""
        nodes: Counter[int] = Counter()
        groups: Counter[str] = Counter()
        for effect in effects:
            nodes.update(dict(effect.nodes))
            groups.update(dict(effect.groups))
        most = self.moves_per_node
        return (most is None or all(count <= most for count in nodes.values())) and all(
            count <= self.max_moving[name] for name, count in groups.items()
        )

    def _keeps_skews(self, effects: list[Effect], rules: list[int] | None = None) -> bool:
        """Whether no spread and no affinity rule is worse in the end, unless it holds."""
        if rules is None:
            rules = list(dict.fromkeys(k for effect in effects for k in effect.skews))
        if not rules:
            return True
        were = [self._broken(k) for k in rules]
        for effect in effects:
            self.apply(effect)
        are = [self._broken(k) for k in rules]
        for effect in effects:
            self.apply(effect, -1)
        return all(
            is_now <= max(0, was)
            for before, now in zip(were, are, strict=True)
            for was, is_now in zip(before, now, strict=True)
        )

    def _broken(self, k: int) -> list[int]:
        """By how much a rule is broken: a spread by its skew, an affinity by domains or parts."""
        rule = self.instance.rules[k]
        counts = self._skew_counts(k, "group")
        if isinstance(rule, Spread):
            counted = self._counted[k].tolist()
            least = min((counts[d] for d in counted), default=0)
            if len(counted) < max(1, rule.min_domains):
                least = 0
            return [max(counts, default=0) - least - rule.max_skew]
        assert isinstance(rule, Affinity)
        if rule.with_ is None:
            return [sum(count > 0 for count in counts) - 1]
        company = self._skew_counts(k, "with")
        return [0 if others else mine for mine, others in zip(counts, company, strict=True)]

    def _skew_counts(self, k: int, side: str) -> list[int]:
        at = 2 * k + (side == "with")
        cells = self._skew_cells.get(at)
        if cells is None:
            size = int(self._domains[self.instance.rules[k].domain].max(initial=-1)) + 1
            cells = [self._cell(("rule", k, side, domain)) for domain in range(size)]
            self._skew_cells[at] = cells
        level = self.level
        return [level[cell] for cell in cells]

    def apply(self, effect: Effect, sign: int = 1) -> None:
        """Make a hop, or take it back."""
        level = self.level
        for cell, amount in effect.up:
            level[cell] += sign * amount
        for cell, amount in effect.down:
            level[cell] -= sign * amount

    def is_coupled(self, unit: Unit) -> bool:
        """Whether a unit may have to move together with others."""
        return not self.both or bool(self.skews_of(unit.task))

    def worse(self, changes: list[tuple[Unit, Value, Value]]) -> str | None:
        """What some changes of values leave worse in the end than it was, and broken."""
        effects = []
        for unit, old, new in changes:
            hop = Hop(unit.number, unit.placed(old), unit.placed(new), new, 0)
            effects.append(self.effect(hop))
        cell = self.crowded(effects, in_the_end=True)
        if cell is not None:
            return f"the end itself breaks what holds at the start: {self._told(cell)}"
        rules = list(dict.fromkeys(k for effect in effects for k in effect.skews))
        bad = [k for k in rules if not self._keeps_skews(effects, [k])]
        if bad:
            rule = self.instance.rules[bad[0]]
            return (
                "the end itself breaks what holds at the start: "
                f"{rule.name} of group {rule.group!r} over {rule.domain}"
            )
        return None

    def _told(self, cell: int) -> str:
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

    def put(self, unit: Unit, old: Value, new: Value) -> None:
        """Set a unit from one value to another, whether or not that is safe."""
        if old != new:
            self.apply(self.effect(Hop(unit.number, unit.placed(old), unit.placed(new), new, 0)))
