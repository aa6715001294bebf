"""What has to move: the parts that are not yet where they are to be, as units of an order.

A unit is a part of a task, or several parts of one task that can stand in for each other, or a task
that changes its variant. Its *value* says where its parts are. A *hop* changes the value: one
part goes to another node, starts or stops; or a task changes its variant, when all parts of
the old one stop and all of the new one start.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..model.instance import Instance

__all__ = ["Hop", "Placed", "Unit", "Value", "units_of"]

Value = tuple[int, tuple[int, ...]]
"""The phase, 0 before a change of the variant and 1 otherwise; and the nodes of the parts."""
Placed = tuple[tuple[int, int], ...]
"""Rows and the nodes beside them."""
Allowed = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a unit.

    Attributes
    ----------
    unit : int
    leaves, comes : tuples of (row, node)
        What is on a node no longer afterwards, and what is there then.
    value : Value
        Where the parts are afterwards.
    extra : int
        How many parts come, less how many more are now where they are to be: the moves beyond the
        fewest.
    """

    unit: int
    leaves: Placed
    comes: Placed
    value: Value
    extra: int


@dataclass(frozen=True)
class Unit:
    """Parts of one task that move.

    Attributes
    ----------
    number, task : int
    rows : pair of tuples of int
        The rows of the parts before a change of the variant, and those at the end.
    equal : pair of bool
        Whether these parts can stand in for each other; their nodes then stand in order.
    start, goal : Value
    """

    number: int
    task: int
    rows: tuple[tuple[int, ...], tuple[int, ...]]
    equal: tuple[bool, bool]
    start: Value
    goal: Value

    @property
    def changes(self) -> bool:
        """Whether the task changes its variant."""
        return self.start[0] == 0

    def placed(self, value: Value) -> Placed:
        """The rows and nodes of a value."""
        phase, nodes = value
        if self.equal[phase] or not nodes:
            return tuple((self.rows[phase][0], node) for node in nodes)
        return tuple(zip(self.rows[phase], nodes, strict=True))

    def direct(self, value: Value) -> Iterator[Hop]:
        """The hops that bring a part to where it is to be."""
        phase, here = value
        wanted = self.goal[1]
        if phase == 0:
            yield self.change(value, wanted)
        elif len(here) == 1 == len(wanted):
            if here != wanted:
                yield self._move(value, 0, wanted[0])
        elif not self.equal[1]:
            for slot, (node, target) in enumerate(zip(here, wanted, strict=True)):
                if node != target:
                    yield self._move(value, slot, target)
        else:
            goal, have = Counter(wanted), Counter(here)
            surplus = [here.index(node) for node in sorted(have - goal)]
            deficit = sorted(goal - have)
            for slot, target in itertools.product(surplus, deficit):
                yield self._move(value, slot, target)
            if len(here) < len(wanted):
                for target in deficit:
                    yield self._move(value, None, target)
            elif len(here) > len(wanted):
                for slot in surplus:
                    yield self._move(value, slot, None)

    def all_direct(self, value: Value) -> list[Hop]:
        """Direct hops of all parts that are not where they are to be, for one wave."""
        hops: list[Hop] = []
        while value != self.goal:
            hops.append(next(self.direct(value)))
            value = hops[-1].value
        return hops

    def anywhere(self, value: Value, nodes: list[int], allowed: Allowed) -> Iterator[Hop]:
        """The hops of one part to any node; and all changes of the variant.

        Parameters
        ----------
        nodes : list of int
            To where.
        allowed : callable
            Whether the part of a row may come to a node.
        """
        phase, here = value
        equal = self.equal[phase]
        slots: list[int | None] = [
            slot for slot, node in enumerate(here) if not (equal and node in here[:slot])
        ]
        if phase == 1 and len(here) < len(self.goal[1]):
            slots.append(None)
        for slot in slots:
            row = self.rows[phase][0 if equal or slot is None else slot]
            source = None if slot is None else here[slot]
            for target in nodes:
                if target != source and allowed(row, target):
                    yield self._move(value, slot, target)
            if phase == 1 and slot is not None and len(here) > len(self.goal[1]):
                yield self._move(value, slot, None)
        if phase == 0:
            yield from self._changes(value, nodes, allowed)

    def matched(self, value: Value) -> int:
        """How many parts are where they are to be."""
        phase, here = value
        if phase != self.goal[0]:
            return 0
        if len(here) == 1 == len(self.goal[1]):
            return int(here == self.goal[1])
        if self.equal[1]:
            return sum((Counter(here) & Counter(self.goal[1])).values())
        return sum(a == b for a, b in zip(here, self.goal[1], strict=True))

    def _changes(self, value: Value, nodes: list[int], allowed: Allowed) -> Iterator[Hop]:
        rows, equal = self.rows[1], self.equal[1]
        choices = [[node for node in nodes if allowed(row, node)] for row in rows]
        places: Iterable[tuple[int, ...]] = itertools.product(*choices)
        if equal:
            places = itertools.combinations_with_replacement(sorted(choices[0]), len(rows))
        for place in places:
            yield self.change(value, place)

    def _move(self, value: Value, slot: int | None, target: int | None) -> Hop:
        phase, here = value
        equal = self.equal[phase]
        row = self.rows[phase][0 if equal or slot is None else slot]
        left = list(here)
        if slot is None or target is None:
            if slot is not None:
                del left[slot]
            if target is not None:
                left.append(target)
        else:
            left[slot] = target
        to = (phase, tuple(sorted(left) if equal else left))
        leaves = () if slot is None else ((row, here[slot]),)
        comes = () if target is None else ((row, target),)
        return self.hop(leaves, comes, value, to)

    def change(self, value: Value, nodes: tuple[int, ...]) -> Hop:
        """The change of the variant, with the parts of the new one on some nodes."""
        to = (1, nodes)
        return self.hop(self.placed(value), self.placed(to), value, to)

    def hop(self, leaves: Placed, comes: Placed, value: Value, to: Value) -> Hop:
        """A hop from a value to a value."""
        extra = 0
        if comes:
            extra = len(comes) - self.matched(to) + self.matched(value)
        return Hop(self.number, leaves, comes, to, extra)


def units_of(instance: Instance, before: Array, after: Array) -> list[Unit]:
    """The units that lead from one placement to another.

    Parameters
    ----------
    before, after : (W,) int64
        Positions of nodes, -1 for rows that are not in use.
    """
    rows = instance.rows
    differ = np.flatnonzero(before != after)
    tasks = differ if rows.is_identity else np.unique(rows.task[differ])
    units: list[Unit] = []
    starts = rows.task_start
    first, last = starts[tasks].tolist(), starts[tasks + 1].tolist()
    for j, begin, end in zip(tasks.tolist(), first, last, strict=True):
        old = {r: int(before[r]) for r in range(begin, end) if before[r] >= 0}
        new = {r: int(after[r]) for r in range(begin, end) if after[r] >= 0}
        for made in _of_task(instance, old, new):
            units.append(Unit(len(units), j, *made))
    return units


_Made = tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[bool, bool], Value, Value]


def _of_task(instance: Instance, old: dict[int, int], new: dict[int, int]) -> Iterator[_Made]:
    rows = instance.rows
    if old and new:
        form = int(rows.form[next(iter(old))])
        if form != int(rows.form[next(iter(new))]):
            yield _change(instance, old, new)
            return
    both = old.keys() | new.keys()
    if old and new and _is_equal(instance, next(iter(both))):
        here, there = Counter(old.values()), Counter(new.values())
        start, goal = sorted((here - there).elements()), sorted((there - here).elements())
        if start or goal:
            rows_of = (tuple(_rows_that_move(old, both, here & there)),) * 2
            yield rows_of, (True, True), (1, tuple(start)), (1, tuple(goal))
        return
    if new and not old and _is_equal(instance, next(iter(new))):
        yield (tuple(new),) * 2, (True, True), (1, ()), (1, tuple(sorted(new.values())))
        return
    for row in sorted(both):
        source = (old[row],) if row in old else ()
        target = (new[row],) if row in new else ()
        if source != target:
            yield ((row,),) * 2, (True, True), (1, source), (1, target)


def _rows_that_move(old: dict[int, int], both: Iterable[int], stay: Counter[int]) -> Iterator[int]:
    """The rows of equal parts but for those that stay on a node."""
    staying = Counter(stay)
    for row in sorted(both):
        if row in old and staying[old[row]] > 0:
            staying[old[row]] -= 1
        else:
            yield row


def _change(instance: Instance, old: dict[int, int], new: dict[int, int]) -> _Made:
    equal = (_is_equal(instance, next(iter(old))), _is_equal(instance, next(iter(new))))
    nodes = [tuple(each.values()) for each in (old, new)]
    start, goal = (tuple(sorted(n)) if e else n for n, e in zip(nodes, equal, strict=True))
    return (tuple(old), tuple(new)), equal, (0, start), (1, goal)


def _is_equal(instance: Instance, row: int) -> bool:
    """Whether the parts of the form of a row can stand in for each other."""
    rows = instance.rows
    source = -1 if rows.is_identity else int(rows.form_source[rows.form[row]])
    return source < 0 or isinstance(rows.all_variants[source].parts, int)
