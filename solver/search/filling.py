"""Packings that use a dimension up to the last unit: nodes are filled exactly, one set at a time.

Where nodes hold up to six tasks all sets that fill one are listed, and an exact cover is searched
among them. Where they hold more there are too many sets, but many packings too: nodes are filled
one after the other, with the largest tasks first, which leaves the small ones, that fill anything,
for the last (Gupta and Ho 1999, "A new heuristic algorithm for the one-dimensional bin-packing
problem"; Fleszar and Hindi 2002, "New heuristics for one-dimensional bin-packing").
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any, NamedTuple

import numpy as np

from ..kernels.packing.cover import Sets, cover_all
from ..kernels.packing.fills import Halves, Target, exact_fills, fill_one, make_halves
from ..kernels.state import Facts
from ..model.exact import Array
from .settings import PACKING

__all__ = ["Filling", "is_exact", "without_overload"]

_LARGEST = 6  # tasks of a listed set
_MOST_TASKS = 2**20  # positions of tasks in a listed set have 20 bits


class _Kind(NamedTuple):
    """Nodes of equal capacity."""

    room: Array
    nodes: Array


def is_exact(facts: Facts) -> bool:
    """Whether some dimension is needed to the last unit, by tasks that all nodes may host."""
    if not facts.everywhere or facts.demand.size > PACKING.most_tasks or not facts.demand.size:
        return False
    return bool(_tight(facts).any())


def without_overload(facts: Facts) -> Facts | None:
    """The facts with compute as one more hard dimension, where no overload is the least cost.

    None where that cannot be had by exact fills: where compute is not needed to the last unit, use
    or being on has a price, or there are nodes of many capacities.
    """
    if facts.idle.any() or facts.use.any() or not facts.everywhere or not facts.demand.size:
        return None
    if facts.demand.size > PACKING.most_tasks:
        return None
    if sum(facts.demand.tolist()) != sum(facts.node_compute.tolist()):
        return None
    needs = np.column_stack((facts.needs, facts.demand))
    capacity = np.column_stack((facts.capacity, facts.node_compute))
    if len(np.unique(capacity, axis=0)) > PACKING.most_kinds:
        return None
    weight = np.append(facts.weight, 1 / max(1.0, float(facts.demand.mean())))
    return facts._replace(needs=needs, capacity=capacity, weight=weight)


def _tight(facts: Facts) -> Array:
    """(d,) bool: which dimensions are needed to the last unit."""
    tight = []
    for d in range(facts.weight.size):  # Python's integers: sums of int64 need not fit
        tight.append(sum(facts.needs[:, d].tolist()) == sum(facts.capacity[:, d].tolist()))
    return np.array(tight, dtype=bool)


class Filling:
    """A search for a packing by exact fills, a little at a time.

    Parameters
    ----------
    facts : Facts
        With `is_exact`.
    seed : int or sequence of int

    Attributes
    ----------
    node_of : (m,) int64 or None
        The packing, once one is found.
    """

    def __init__(self, facts: Facts, seed: int | list[int]) -> None:
        self.node_of: Array | None = None
        self._rng = np.random.default_rng(seed)
        self._needs, self._tight = facts.needs, _tight(facts)
        factors = self._rng.integers(0, 2**63, size=self._tight.size) * 2 + 1
        self._factors = np.where(self._tight, factors, 0)
        self._keys = (facts.needs * self._factors).sum(axis=1)
        total = np.maximum(1, facts.capacity.sum(axis=0, dtype=float))
        self._size = (facts.needs / total).sum(axis=1) * facts.node_compute.size
        rooms, kind = np.unique(facts.capacity, axis=0, return_inverse=True)
        self._kinds = [
            _Kind(room, np.flatnonzero(kind.reshape(-1) == k)) for k, room in enumerate(rooms)
        ]
        self._spaces: dict[int, Halves] = {}
        self._listed = False
        self._sets: Sets | None = None
        self._covers = self._tried = 0
        self._filled: list[tuple[int, Array]] = []
        self._left = np.arange(facts.demand.size)

    @property
    def excess(self) -> float:
        """0 once a packing is found, else infinite."""
        return float("inf") if self.node_of is None else 0.0

    @property
    def nearest(self) -> Array | None:
        """The packing; None as long as there is none."""
        return self.node_of

    @property
    def is_done(self) -> bool:
        """Whether nodes hold few tasks, and all attempts to cover them by listed sets are made."""
        nodes = sum(kind.nodes.size for kind in self._kinds)
        few = self._keys.size <= PACKING.listed_a_node * nodes
        return self._listed and few and (self._sets is None or self._covers >= PACKING.covers)

    def __getstate__(self) -> dict[str, Any]:
        """All but the space, which is made anew where it is wanted."""
        return {**self.__dict__, "_spaces": {}}

    def run(self, stopped: Callable[[], bool]) -> None:
        """List all sets when first called; after that cover by them, and fill some nodes."""
        if not self._listed:
            self._listed = True
            self._sets = self._list_all(stopped)
            return
        if self._sets is not None and self._covers < PACKING.covers and not stopped():
            self._covers += 1
            self._cover(self._sets)
        end = self._tried + PACKING.halves_a_round
        while self.node_of is None and self._tried < end and not stopped():
            self._fill_next()

    def _target(self, room: Array) -> Target:
        """A room to be filled."""
        key = np.array([(room * self._factors).sum()])
        return Target(self._needs, self._keys, room, self._tight, key)

    def _list_all(self, stopped: Callable[[], bool]) -> Sets | None:
        """All sets of up to six tasks that fill a node; None if they are too many, or too few."""
        m = self._keys.size
        nodes = sum(kind.nodes.size for kind in self._kinds)
        if m > min(PACKING.listed_tasks, PACKING.listed_a_node * nodes):
            return None
        found, kinds = [], []
        for k, kind in enumerate(self._kinds):
            fills = np.empty((PACKING.most_fills, _LARGEST), dtype=np.int64)
            count = self._list(self._target(kind.room), fills, stopped)
            if count < 0:
                return None
            found.append(fills[:count])
            kinds.append(np.full(count, k))
        sets = _sets(np.concatenate(found), np.concatenate(kinds), m, self._rng)
        return sets if (np.diff(sets.start) > 0).all() else None

    def _cover(self, sets: Sets) -> None:
        """Choose sets that hold every task once, by an attempt in another order every time."""
        sizes = np.array([kind.nodes.size for kind in self._kinds])
        chosen = np.zeros(sizes.sum(), dtype=np.int64)
        size = cover_all(sets, sizes, PACKING.cover_branches, chosen, self._rng)
        if size >= 0:
            taken = chosen[:size]
            self._filled = [
                (int(k), tasks[tasks >= 0])
                for k, tasks in zip(sets.kind[taken], sets.tasks[taken], strict=True)
            ]
            self._finish()
        elif size == -1:  # no packing has so few tasks on every node
            self._sets = None

    def _list(self, target: Target, fills: Array, stopped: Callable[[], bool]) -> int:
        """Count of the sets listed in `fills`; -1 if there are too many, or it was stopped."""
        count, m = 0, self._keys.size
        for t in range(m):  # a single task
            alone = target.needs[t] == target.room
            if (alone | (~self._tight & (target.needs[t] <= target.room))).all():
                fills[count] = -1
                fills[count, 0] = t
                count += 1
        for size in range(2, _LARGEST + 1):
            parts = 1
            while comb(m, size - size // 2) > parts * PACKING.sets_a_part:
                parts *= 2
            halves = self._space(2 * PACKING.sets_a_part)
            for part in range(parts):
                if stopped():
                    return -1
                count = exact_fills(target, size, part, parts, halves, fills, count)
                if count < 0:
                    return -1
        return count

    def _fill_next(self) -> None:
        """Fill a node with the largest task left; where that fails empty some of the last."""
        nodes = sum(kind.nodes.size for kind in self._kinds)
        if self._left.size == 0 or len(self._filled) == nodes:
            if self._left.size == 0:
                self._finish()
            else:
                self._empty_some()
            return
        order = self._left[np.argsort(-self._size[self._left], kind="stable")]
        first, rest = order[0], order[1:]
        k = self._next_kind()
        room = self._kinds[k].room - self._needs[first]
        chosen = None
        if (room >= 0).all():
            last = nodes - len(self._filled) == 1
            chosen = rest if last and self._fits(rest, room) else self._fill(rest, room)
        if chosen is None:
            self._empty_some()
            return
        tasks = np.append(chosen, first)
        self._filled.append((k, tasks))
        self._left = np.setdiff1d(self._left, tasks)
        if self._left.size == 0:
            self._finish()

    def _fits(self, tasks: Array, room: Array) -> bool:
        return bool((self._needs[tasks].sum(axis=0) <= room).all())

    def _next_kind(self) -> int:
        """The kind of node that is filled next: of those with one free, that of most room."""
        used = np.bincount([k for k, _ in self._filled], minlength=len(self._kinds))
        able = [k for k, kind in enumerate(self._kinds) if used[k] < kind.nodes.size]
        return max(able, key=lambda k: float(self._kinds[k].room.sum()))

    def _fill(self, rest: Array, room: Array) -> Array | None:
        """Tasks that fill the room: from few to ever more candidates, until some do."""
        mean = np.maximum(self._needs[rest].mean(axis=0), 1e-9)
        expected = float((room / mean)[self._tight].mean())
        most = int(np.ceil(expected / 2)) + 1
        for budget in PACKING.budgets:
            side = most
            while side < 62 and _subsets(side + 1, most) <= budget:
                side += 1
            # Larger tasks are drawn sooner (Efraimidis and Spirakis 2006).
            draw = self._rng.random(rest.size) ** (1 / np.maximum(self._size[rest], 1e-9))
            pool = self._rng.permutation(rest[np.argsort(-draw)[: 2 * side]])
            target = self._target(room)
            self._tried += budget
            halves, bits = self._space(budget), np.zeros(2, dtype=np.int64)
            one, other = pool[::2].copy(), pool[1::2].copy()
            if fill_one(target, one, other, most, self._size**2, halves, bits, self._rng):
                return np.concatenate((_members(one, bits[0]), _members(other, bits[1])))
            if pool.size == rest.size and side >= 62:
                break
        return None

    def _space(self, size: int) -> Halves:
        """Space for so many sets of either side, kept for the next time."""
        if size not in self._spaces:
            self._spaces[size] = make_halves(size)
        return self._spaces[size]

    def _empty_some(self) -> None:
        """Empty a few of the nodes filled last."""
        self._tried += PACKING.budgets[0]
        for _ in range(min(len(self._filled), int(self._rng.integers(1, PACKING.emptied + 1)))):
            self._left = np.union1d(self._left, self._filled.pop()[1])

    def _finish(self) -> None:
        """Give the sets to the nodes of their kinds."""
        node_of = np.full(self._keys.size, -1, dtype=np.int64)
        free = [kind.nodes.tolist() for kind in self._kinds]
        for k, tasks in self._filled:
            node_of[tasks] = free[k].pop()
        if (node_of >= 0).all():
            self.node_of = node_of


def _sets(tasks: Array, kind: Array, m: int, rng: np.random.Generator) -> Sets:
    """The sets in random order, and which of them hold each of m tasks."""
    order = rng.permutation(kind.size)
    tasks, kind = np.ascontiguousarray(tasks[order]), kind[order]
    number = np.repeat(np.arange(kind.size), tasks.shape[1])
    member = tasks.reshape(-1)
    number, member = number[member >= 0], member[member >= 0]
    by_task = np.argsort(member, kind="stable")
    start = np.searchsorted(member[by_task], np.arange(m + 1))
    return Sets(tasks, kind, start, number[by_task])


def _subsets(size: int, most: int) -> int:
    """How many sets of at most so many there are of `size` tasks."""
    return sum(comb(size, k) for k in range(most + 1))


def _members(tasks: Array, bits: int) -> Array:
    """The tasks whose bits are set."""
    return tasks[[place for place in range(tasks.size) if (int(bits) >> place) & 1]]
