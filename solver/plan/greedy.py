"""Orders one move at a time: what nothing can be in the way of first, then the largest that fits.

Where nothing fits any more, other orders are tried, and parts are put aside on nodes with room to
spare.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property

import numpy as np

from .board import Board, Effect
from .search import Step
from .settings import ORDERING
from .units import Hop, Unit, Value

__all__ = ["Demand", "Greedy", "groups_of"]


class Demand:
    """How much of each cell is still to come, and so which cells can be in anybody's way."""

    def __init__(self, board: Board, units: Sequence[Unit], values: Sequence[Value]) -> None:
        self.board = board
        self.ups: dict[int, list[Effect]] = {}
        self.cells: defaultdict[int, int] = defaultdict(int)
        for unit, value in zip(units, values, strict=True):
            self.add(unit, value)

    def add(self, unit: Unit, value: Value) -> None:
        """Count what the direct hops of a unit bring."""
        effects = [self.board.effect(hop) for hop in unit.all_direct(value)]
        self.ups[unit.number] = effects
        for effect in effects:
            for cell, amount in effect.up:
                self.cells[cell] += amount

    def drop(self, unit: Unit) -> None:
        """Count a unit no longer."""
        for effect in self.ups.pop(unit.number):
            for cell, amount in effect.up:
                self.cells[cell] -= amount

    def is_tight(self, cell: int) -> bool:
        """Whether not all can come to a cell that want to."""
        most = self.board.limit[cell]
        return most is not None and self.board.level[cell] + self.cells[cell] > most

    def is_free(self, unit: Unit) -> bool:
        """Whether nothing can be in the way of a unit, nor is it in the way of others."""
        board = self.board
        return not any(
            effect.skews
            or effect.groups
            or any(self.is_tight(cell) or cell in board.partner for cell, _ in effect.up)
            for effect in self.ups[unit.number]
        )


def groups_of(board: Board, units: Sequence[Unit], demand: Demand) -> list[list[Unit]]:
    """Units that can be in each other's way, the groups with the fewest first.

    Two are in one group if they touch the same cell and it is tight, or the same rule at the end
    of a wave; without bypasses the groups can be ordered one by one.
    """
    parent = {unit.number: unit.number for unit in units}

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    first: dict[tuple[str, int], int] = {}
    for unit in units:
        for effect in demand.ups[unit.number]:
            keys = [("rule", k) for k in effect.skews]
            for cell, _ in (*effect.up, *effect.down):
                if cell in board.partner:
                    keys.append(("cell", min(cell, board.partner[cell])))
                elif demand.is_tight(cell):
                    keys.append(("cell", cell))
            for key in keys:
                other = first.setdefault(key, unit.number)
                parent[root(unit.number)] = root(other)
    found: dict[int, list[Unit]] = {}
    for unit in units:
        found.setdefault(root(unit.number), []).append(unit)
    return sorted(found.values(), key=len)


class Greedy:
    """One greedy order of some units; the board goes with it.

    Parameters
    ----------
    board : Board
    units : sequence of Unit
    values : dict of int to Value
        Where each unit is, by its number; changed as the units move.
    seed : int
        0 takes the largest first; other orders are random.
    is_over : callable
        Whether the time is up.
    """

    def __init__(
        self,
        board: Board,
        units: Sequence[Unit],
        values: dict[int, Value],
        seed: int,
        is_over: Callable[[], bool],
    ) -> None:
        self.board, self.units, self.values, self.is_over = board, units, values, is_over
        self.demand = Demand(board, units, [values[unit.number] for unit in units])
        self.steps: list[Step] = []
        self.aside: Counter[int] = Counter()
        self._by_number = {unit.number: unit for unit in units}
        rng = np.random.default_rng(seed)
        noise = rng.random(len(units)).tolist() if seed else [0.0] * len(units)
        self._rank = {unit.number: (noise[k], -self._size(unit)) for k, unit in enumerate(units)}
        self._waiting: defaultdict[int, set[int]] = defaultdict(set)
        self._waiting_for_rules: defaultdict[int, set[int]] = defaultdict(set)
        self._heap: list[tuple[bool, float, Fraction, int]] = []
        self._queued: set[int] = set()

    @property
    def left(self) -> list[Unit]:
        """The units that are not where they are to be."""
        return [unit for unit in self.units if self.values[unit.number] != unit.goal]

    def _size(self, unit: Unit) -> Fraction:
        """The largest share of a limit that a hop of a unit takes."""
        limit = self.board.limit
        return max(
            (
                Fraction(amount, max(1, limit[cell] or 0))
                for effect in self.demand.ups[unit.number]
                for cell, amount in effect.up
                if limit[cell] is not None
            ),
            default=Fraction(0),
        )

    def run(self) -> bool:
        """Move until nothing can move; whether all are where they are to be."""
        self._push(self.left)
        while True:
            while self._heap:
                if len(self.steps) % 64 == 0 and self.is_over():
                    return not self.left
                *_, number = heapq.heappop(self._heap)
                self._queued.discard(number)
                unit = self._by_number[number]
                if self.values[number] != unit.goal:
                    self._try(unit)
            if not self._together():
                return not self.left

    def _push(self, units: Iterable[Unit]) -> None:
        for unit in units:
            if unit.number not in self._queued and self.values[unit.number] != unit.goal:
                self._queued.add(unit.number)
                tight = not self.demand.is_free(unit)
                heapq.heappush(self._heap, (tight, *self._rank[unit.number], unit.number))

    def _try(self, unit: Unit) -> None:
        """Make the first hop of a unit that fits, or let it wait for what is in its way."""
        if not self.board.both:
            self._try_with_others(unit)
            return
        board = self.board
        value = self.values[unit.number]
        blocked = []
        for hop in unit.direct(value):
            effect = board.effect(hop)
            if board.fits((effect,)):
                self.make((hop,))
                self._push((unit,))
                return
            blocked.append(effect)
        for effect in blocked:
            for cell, _ in effect.up:
                self._waiting[cell].add(unit.number)
                if cell in board.partner:
                    self._waiting[board.partner[cell]].add(unit.number)
            for rule in effect.skews:
                self._waiting_for_rules[rule].add(unit.number)

    def _try_with_others(self, unit: Unit) -> None:
        """Move a unit in one wave with those that have to make room for it."""
        board = self.board
        step: list[Hop] = [next(unit.direct(self.values[unit.number]))]
        while board.keeps_caps(effects := [board.effect(hop) for hop in step]):
            cell = board.crowded(effects)
            if cell is None:
                if board.fits(effects):
                    self.make(last_values(tuple(step)))
                    self._push(self._by_number[hop.unit] for hop in step)
                return
            other = self._leaves(cell, {hop.unit for hop in step})
            if other is None:
                break
            step.append(other)
        for effect in effects:
            for up, _ in effect.up:
                self._waiting[up].add(unit.number)

    def _leaves(self, cell: int, taken: set[int]) -> Hop | None:
        """A direct hop that takes something off a cell."""
        for number in self._leaving.get(cell, ()):
            unit = self._by_number[number]
            if number not in taken:
                for hop in unit.direct(self.values[number]):
                    if any(down == cell for down, _ in self.board.effect(hop).down):
                        return hop
        return None

    @cached_property
    def _leaving(self) -> dict[int, list[int]]:
        """The units that take something off each cell on their way, the largest first."""
        found: dict[int, list[int]] = {}
        for unit in sorted(self.left, key=lambda unit: self._rank[unit.number]):
            for hop in unit.all_direct(self.values[unit.number]):
                for cell, _ in self.board.effect(hop).down:
                    found.setdefault(cell, []).append(unit.number)
        return found

    def make(self, step: Step) -> None:
        """Make a step, and wake those that wait for it."""
        board = self.board
        self.steps.append(step)
        for hop in step:
            board.apply(board.effect(hop))
        for hop in step:
            unit = self._by_number[hop.unit]
            self.demand.drop(unit)
            self.values[hop.unit] = hop.value
            self.demand.add(unit, hop.value)
        woken: set[int] = set()
        for hop in step:
            effect = board.effect(hop)
            for cell, _ in effect.down:
                woken |= self._waiting.pop(cell, set())
            for rule in effect.skews:
                woken |= self._waiting_for_rules.pop(rule, set())
        self._push(self._by_number[number] for number in woken)

    def _together(self) -> bool:
        """Move all units of one rule over domains at once, where they cannot one by one."""
        if self.is_over():
            return False
        by_rule: dict[int, list[Unit]] = {}
        for unit in self.left:
            for rule in self.board.cells.skews_of(unit.task):
                by_rule.setdefault(rule, []).append(unit)
        for units in by_rule.values():
            step = tuple(hop for unit in units for hop in unit.all_direct(self.values[unit.number]))
            if self.board.fits([self.board.effect(hop) for hop in step]):
                self.make(last_values(step))
                return True
        return False

    # putting parts aside

    def make_room(self) -> bool:
        """Put parts aside that are in the way of the largest units, and move those; if any can."""
        leaving: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for unit in self.left:
            if not unit.changes and self.aside[unit.number] < ORDERING.detours:
                for node in set(self.values[unit.number][1]) - set(unit.goal[1]):
                    leaving[node].append((unit.number, node))
        roomiest = self.board.cells.roomiest()
        done, failed = 0, 0
        for unit in sorted(self.left, key=lambda unit: self._rank[unit.number]):
            if (done and (done + failed) * ORDERING.share >= len(roomiest)) or self.is_over():
                break
            for wanted in unit.direct(self.values[unit.number]):
                if wanted.comes and self._empty(unit, wanted, leaving, roomiest):
                    done += 1
                    break
            else:
                failed += 1
        return done > 0

    def _empty(
        self,
        unit: Unit,
        wanted: Hop,
        leaving: Mapping[int, list[tuple[int, int]]],
        roomiest: Sequence[int],
    ) -> bool:
        """Make a hop after others have left its target for somewhere else; if they can."""
        board = self.board
        effect = board.effect(wanted)
        others = [
            at
            for _, node in wanted.comes
            for at in leaving[node]
            if at[0] != unit.number and at[1] in self.values[at[0]][1]
        ]
        others.sort(key=lambda at: self._rank[at[0]], reverse=True)
        made = 0
        while not board.fits((effect,)):
            hop = None
            while others and hop is None:
                number, source = others.pop()
                hop = self._aside(self._by_number[number], source, roomiest)
            if hop is None:
                break
            self.aside[hop.unit] += 1
            self.make((hop,))
            made += 1
        if board.fits((effect,)):
            self.make((wanted,))
            self._push((unit,))
            return True
        return made > 0

    def _aside(self, unit: Unit, source: int, roomiest: Sequence[int]) -> Hop | None:
        """A hop of the part on a node to one with room to spare."""
        board = self.board
        row = unit.rows[1][0]
        value = self.values[unit.number]
        left = list(value[1])
        left.remove(source)
        tried = 0
        for node in roomiest:
            if node == source or not board.cells.allowed(row, node):
                continue
            to = (1, tuple(sorted([*left, node])))
            hop = unit.hop(((row, source),), ((row, node),), value, to)
            if board.fits((board.effect(hop),)):
                return hop
            tried += 1
            if tried >= ORDERING.tries:
                break
        return None


def last_values(step: Step) -> Step:
    """The hops with the value of their unit after all of them."""
    last = {hop.unit: hop.value for hop in step}
    return tuple(Hop(hop.unit, hop.leaves, hop.comes, last[hop.unit], hop.extra) for hop in step)
