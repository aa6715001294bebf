"""The judge of plans: every wave replayed from where tasks are now to where they are to be.

Like `check` it adds up the user's own numbers and shares nothing with what orders the moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance
from ..model.plans.plan import Move, Plan, PlanStatus
from ..model.rows.rows import NOWHERE
from ..model.rules import AntiAffinity, Limit
from .capacities import decimal_of
from .domains import domain_rules
from .placed import Placed
from .places import names_of
from .plans.amounts import Amounts
from .plans.steps import Step, of_domain, of_step, rises
from .violations import Violation

__all__ = ["check_plan", "replayed"]


def check_plan(
    instance: Instance,
    allocation: Allocation,
    plan: Plan,
    *,
    max_moving: Mapping[str, int] | None = None,
    moves_per_node: int | None = None,
) -> list[Violation]:
    """Everything that is wrong with a plan from ``instance.current`` to an allocation.

    Empty if each move takes a part from where it is to where it may be, no wave breaks a rule in
    any order of its moves, or makes worse what was broken, and all is where the allocation has it
    in the end; see `order_moves` for what holds during a wave and what at its end.

    Parameters
    ----------
    instance : Instance
    allocation : Allocation
    plan : Plan
    max_moving : mapping of str to int, optional
        How many parts of a group may leave their nodes in one wave. Default: that of the instance.
    moves_per_node : int, optional
        How many moves there may be from or to one node in one wave.

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4, 4], task_compute=[3], current={"task-0": "node-0"})
    >>> plan = Plan(instance, PlanStatus.ORDERED)
    >>> [str(violation) for violation in check_plan(instance, Allocation(instance, [1]), plan)]
    ["task 'task-0' does not end where the allocation has it"]
    """
    if plan.status is not PlanStatus.ORDERED:
        return [Violation("unordered", None, None, 1)]
    caps = instance.max_moving if max_moving is None else max_moving
    before = instance.current
    if before is None:
        before = np.full(instance.rows.num_rows, -1, dtype=np.int64)
    return replayed(instance, before, allocation.node_index, plan, caps, moves_per_node)


def replayed(
    instance: Instance,
    before: Array,
    after: Array,
    plan: Plan,
    max_moving: Mapping[str, int],
    moves_per_node: int | None,
) -> list[Violation]:
    """The same of a plan between two placements, (W,) positions of nodes or -1."""
    replay = _Replay(instance, before, after, plan.during == "both", max_moving, moves_per_node)
    found: list[Violation] = []
    for number, wave in enumerate(plan.waves, 1):
        for broken in replay.wave(wave):
            found.append(_in_wave(broken, number))
    found += replay.end()
    return found


def _in_wave(broken: Violation, number: int) -> Violation:
    values = {name: getattr(broken, name) for name in Violation.__slots__}
    return Violation(**{**values, "wave": number})


class _Replay:
    """A cluster that moves are made in."""

    def __init__(
        self,
        instance: Instance,
        before: Array,
        after: Array,
        both: bool,
        max_moving: Mapping[str, int],
        moves_per_node: int | None,
    ) -> None:
        self.instance, self.both = instance, both
        self.max_moving, self.moves_per_node = max_moving, moves_per_node
        self.after = after
        self.where: Array = before.copy()
        self.node_at = {node: i for i, node in enumerate(instance.node_ids.tolist())}
        self.task_at = {task: j for j, task in enumerate(instance.task_ids.tolist())}
        self.names = names_of(instance)
        self.amounts = Amounts(instance)
        for row in np.flatnonzero(self.where >= 0).tolist():
            self.amounts.carry(row, int(self.where[row]), 1)
        self.last: dict[int, Move] = {}
        groups = {g for rule in instance.rules for g in (rule.group, getattr(rule, "with_", None))}
        self.members = {
            group: np.array([group in names for names in instance.group_sets], dtype=bool)
            for group in (*groups, *max_moving)
        }

    def _is_in(self, task: int, group: Any) -> bool:
        return bool(self.members[group][self.instance.task_groups[task]])

    # one wave

    def wave(self, moves: tuple[Move, ...]) -> Iterator[Violation]:
        """What is wrong with a wave; it is made as far as that can be done."""
        steps: list[Step] = []
        for move in moves:
            step = self._step(move)
            if isinstance(step, Violation):
                yield step
                continue
            if any(step.row == other.row for other in steps):
                yield of_step(step, "plan twice")
                continue
            steps.append(step)
        for step in steps:
            yield from self._may_be(step)
        yield from self._stops(steps)
        yield from self.amounts.crowded(steps, self.both)
        yield from self._apart(steps)
        yield from self._groups(steps)
        yield from self._caps(steps)
        before = self.where.copy()
        for step in steps:
            if step.source >= 0:
                self.amounts.carry(step.row, step.source, -1)
            if step.target >= 0:
                self.amounts.carry(step.row, step.target, 1)
            self.where[step.row] = step.target
            yield from self._follows(step)
        yield from self._at_the_end(before, steps)

    def _step(self, move: Move) -> Step | Violation:
        """A move by positions, or what is wrong with it by itself."""
        instance, rows = self.instance, self.instance.rows
        task = self.task_at.get(move.task)
        if task is None:
            return Violation("unknown task", move.task, None, 1)
        for node in (move.source, move.target):
            if node is not None and node not in self.node_at:
                return Violation("unknown node", move.task, node, 1)
        variants = [None if v is None else v.name for v in instance.variants_of(task)]
        if move.variant not in variants:
            return Violation("variant", move.task, None, 1, variant=move.variant)
        form = int(rows.task_form[task]) + variants.index(move.variant)
        first, behind = int(rows.form_start[form]), int(rows.form_start[form + 1])
        if not 1 <= move.part <= behind - first:
            return Violation("unknown part", move.task, None, 1, part=move.part)
        row = first + move.part - 1
        if move.source == move.target:
            return Violation("plan nothing", move.task, move.source, 1, part=move.part)
        if decimal_of(_plain(rows.storage[row])) != decimal_of(_plain(move.storage)):
            return Violation("plan storage", move.task, None, move.storage, part=move.part)
        source = -1 if move.source is None else self.node_at[move.source]
        target = -1 if move.target is None else self.node_at[move.target]
        if int(self.where[row]) != source:
            rule = "plan start" if source < 0 else "plan source"
            return Violation(rule, move.task, move.source, 1, part=move.part)
        return Step(move, row, task, source, target)

    def _may_be(self, step: Step) -> Iterator[Violation]:
        """Whether a part may be on the node that it comes to."""
        if step.target < 0:
            return
        instance, rows = self.instance, self.instance.rows
        labels = rows.groups[int(rows.group[step.row])]
        if labels is not None:
            pins = instance.pinned_sets[int(instance.task_pinned[step.task])]
            node = str(instance.node_ids[step.target])
            if pins is not None and node not in pins:
                yield of_step(step, "pinned")
            elif labels == NOWHERE or self.names[step.target].isdisjoint(labels):
                yield of_step(step, "eligible")
        state = instance.node_state[step.target]
        if state != "open":
            yield of_step(step, "state", state=state)
        told = set()
        for rule in instance.rules:
            if rule.domain != "node" and self._is_in(step.task, rule.group):
                lacks = self._domain(rule.domain, step.target) is None
                if lacks and (rule.group, rule.domain) not in told:
                    told.add((rule.group, rule.domain))
                    yield of_step(step, "label", group=rule.group, domain=rule.domain)

    def _domain(self, key: str, node: int) -> Any:
        """The name of the domain of a node; None if it has none."""
        if key == "node":
            return str(self.instance.node_ids[node])
        values = self.instance.node_kind if key == "kind" else self.instance.node_labels[key]
        return values[node]

    def _stops(self, steps: list[Step]) -> Iterator[Violation]:
        """Parts that stop though their task runs on as it is."""
        starts = {(s.task, self.instance.rows.form[s.row].item()) for s in steps if s.source < 0}
        start, form = self.instance.rows.task_start, self.instance.rows.form
        for step in steps:
            if step.target >= 0:
                continue
            mine = np.arange(start[step.task], start[step.task + 1])
            after = set(form[mine[self.after[mine] >= 0]].tolist())
            here = form[step.row].item()
            if here in after or (after and not any((step.task, f) in starts for f in after)):
                yield of_step(step, "plan stop")

    def _apart(self, steps: list[Step]) -> Iterator[Violation]:
        """Parts of one task on one node."""
        start = self.instance.rows.task_start
        for task in dict.fromkeys(step.task for step in steps):
            mine = self.where[start[task] : start[task + 1]]
            here = Counter(mine[mine >= 0].tolist())
            of_task = [step for step in steps if step.task == task]
            come, leave = rises(of_task, lambda _: True, lambda node: node)
            for node, rise in come.items():
                rise -= 0 if self.both else leave.get(node, 0)
                if rise > 0 and here[node] + rise > 1:
                    names = str(self.instance.task_ids[task]), str(self.instance.node_ids[node])
                    yield Violation("parts", *names, here[node] + rise - 1)

    def _groups(self, steps: list[Step]) -> Iterator[Violation]:
        """Limits and anti-affinity, while the wave goes on."""
        for rule in self.instance.rules:
            if not isinstance(rule, Limit | AntiAffinity):
                continue
            mine = self._during(steps, rule.group, rule.domain)
            if isinstance(rule, Limit):
                for domain, (count, rises) in mine.items():
                    if rises and count > rule.max:
                        yield of_domain("limit", rule, domain, count, count - rule.max)
                continue
            company = self._during(steps, rule.with_, rule.domain)
            for domain, (count, rises) in mine.items():
                others, also_rises = company.get(domain, (0, False))
                if count > 0 and others > 0 and (rises or also_rises):
                    yield of_domain("anti-affinity", rule, domain, count, others)

    def _during(self, steps: list[Step], group: str, key: str) -> dict[Any, tuple[int, bool]]:
        """Parts of a group in each domain while a wave goes on, and whether they rise."""
        if not any(self._is_in(step.task, group) for step in steps):
            come, leave = Counter[Any](), Counter[Any]()
        else:
            come, leave = rises(
                steps, lambda s: self._is_in(s.task, group), lambda i: self._domain(key, i)
            )
        used = np.flatnonzero(self.where >= 0)
        tasks = self.instance.rows.task[used]
        mine = used[self.members[group][self.instance.task_groups[tasks]]]
        here = Counter(self._domain(key, node) for node in self.where[mine].tolist())
        found = {}
        for domain in here.keys() | come.keys():
            rise = come[domain] - (0 if self.both else leave[domain])
            if domain is not None:
                found[domain] = (here[domain] + rise, rise > 0)
        return found

    def _caps(self, steps: list[Step]) -> Iterator[Violation]:
        for group, most in self.max_moving.items():
            count = sum(step.source >= 0 and self._is_in(step.task, group) for step in steps)
            if count > most:
                yield Violation("max_moving", None, None, count - most, group=group, total=count)
        if self.moves_per_node is None:
            return
        at: Counter[int] = Counter()
        stops = Counter((s.task, s.source) for s in steps if s.target < 0)
        for step in steps:
            at.update([node for node in (step.source, step.target) if node >= 0])
            if step.source < 0 and stops[step.task, step.target] > 0:  # a change where it runs
                stops[step.task, step.target] -= 1
                at[step.target] -= 1
        for node, count in at.items():
            if count > self.moves_per_node:
                name, over = str(self.instance.node_ids[node]), count - self.moves_per_node
                yield Violation("moves_per_node", None, name, over, total=count)

    def _follows(self, step: Step) -> Iterator[Violation]:
        """Whether the move before of the same part was told to be a bypass."""
        before = self.last.pop(step.row, None)
        if before is not None and not before.bypass:
            yield of_step(step, "plan bypass")
        if step.target >= 0:
            self.last[step.row] = step.move

    def _at_the_end(self, before: Array, steps: list[Step]) -> Iterator[Violation]:
        """What is worse after a wave than before: variants mixed, spread, affinity."""
        rows = self.instance.rows
        for task in dict.fromkeys(step.task for step in steps):
            first, behind = rows.task_start[task : task + 2].tolist()
            forms = np.unique(rows.form[first:behind][self.where[first:behind] >= 0])
            if forms.size > 1:
                name = str(self.instance.task_ids[task])
                yield Violation("variant", name, None, forms.size - 1, total=forms.size)
        if any(rule.name in ("spread", "affinity") for rule in self.instance.rules):
            was = {key: broken.amount for key, broken in self._uneven(before)}
            for key, broken in self._uneven(self.where):
                if broken.amount > was.get(key, 0):
                    yield broken

    def _uneven(self, where: Array) -> Iterator[tuple[Any, Violation]]:
        placed = Placed(self.instance, where)
        seen: Counter[Any] = Counter()
        for broken in domain_rules(placed):
            if broken.rule in ("spread", "affinity"):
                of_one = broken.rule == "affinity" and broken.other is not None
                domain = broken.counts[0][0] if of_one else None
                key = (broken.rule, broken.group, broken.other, broken.domain, domain)
                seen[key] += 1
                yield (*key, seen[key]), broken

    # the end

    def end(self) -> Iterator[Violation]:
        """What is not where the allocation has it, and bypasses that end."""
        rows = self.instance.rows
        differ = np.flatnonzero(self.where != self.after)
        for task in np.unique(rows.task[differ]).tolist():
            first, behind = rows.task_start[task : task + 2].tolist()
            if self._places(self.where, first, behind) != self._places(self.after, first, behind):
                yield Violation("plan end", str(self.instance.task_ids[task]), None, 1)
        for move in self.last.values():
            if move.bypass:
                yield Violation("plan bypass", move.task, move.target, 1, part=move.part)

    def _places(self, where: Array, first: int, behind: int) -> Any:
        """Where the parts of a task are; equal ones are not told apart."""
        rows = self.instance.rows
        used = [row for row in range(first, behind) if where[row] >= 0]
        found = []
        for row in used:
            form = int(rows.form[row])
            source = int(rows.form_source[form])
            equal = source >= 0 and isinstance(rows.all_variants[source].parts, int)
            found.append((form, 0 if equal else row, int(where[row])))
        return sorted(found)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
