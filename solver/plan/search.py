"""Exact search for an order: the shortest path over the placements of the parts that move.

A state is the value of every unit; a step is a wave: one hop of one unit, or hops of several units
that rules make depend on each other. Single hops suffice for all others: a wave that is safe in any
order is still safe when its moves are made one after the other, as less is then on every node.
Where a spread or an affinity holds at the end of a wave only, parts of its groups may have to move
together, and so may all parts where those that leave stop before the others start.

Paths are found by the fewest moves beyond those that bring each part straight to its place
(Dijkstra 1959), so that direct orders come before those with bypasses.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .board import Board
from .units import Hop, Unit, Value

__all__ = ["Found", "State", "Step", "search"]

_PULL = 3
"""Extra moves that a part less to be moved is worth, where any order will do."""
Step = tuple[Hop, ...]
State = tuple[Value, ...]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    steps : list of Step, or None
        Safe one after the other; the board stands where they lead to. Without them the board
        stands where it was.
    exhausted : bool
        Whether all states were seen: without steps, there is no order.
    """

    steps: list[Step] | None
    exhausted: bool


@dataclass
class _Tree:
    """The states that were seen: what each costs, and by which step it was reached."""

    cost: dict[State, int] = field(default_factory=dict)
    origin: dict[State, tuple[State, Step]] = field(default_factory=dict)

    def path(self, state: State) -> list[Step]:
        steps = []
        while state in self.origin:
            state, step = self.origin[state]
            steps.append(step)
        return steps[::-1]


def search(
    board: Board,
    units: Sequence[Unit],
    start: State,
    nodes: list[int],
    *,
    most_hops: int,
    most_together: int,
    fewest: bool = True,
    is_over: Callable[[], bool],
) -> Found:
    """A shortest sequence of safe steps to where the units are to be, if there is one.

    Parameters
    ----------
    board : Board
        With the units where `start` says.
    units : sequence of k Unit
    start : tuple of k Value
    nodes : list of int
        To where parts may go besides where they are to be; none for direct orders only.
    most_hops : int
        So many hops are looked at.
    most_together : int
        So many steps of units that move together are looked at in a state; if there are more, only
        all that are direct are tried, and the search does not prove anything.
    fewest : bool
        Whether the fewest moves are wanted; otherwise the states with the fewest parts that are not
        where they are to be come first, whatever it took to get there.
    is_over : callable
        Whether the time is up.
    """
    steps = _Steps(board, units, nodes, most_together)
    goal = tuple(unit.goal for unit in units)
    tree = _Tree({start: 0})
    count = itertools.count()
    heap = [(0, 0, 0, next(count), start)]
    closed: set[State] = set()
    at, whole = start, True
    while heap:
        _, cost, missing, _, state = heapq.heappop(heap)
        if state in closed:
            continue
        steps.put(at, state)
        at = state
        if state == goal:
            return Found(tree.path(state), True)
        if steps.tried >= most_hops or is_over():
            whole = False
            break
        closed.add(state)
        for step, to in steps.of(state):
            total = cost + sum(hop.extra for hop in step)
            if to not in closed and total < tree.cost.get(to, math.inf):
                tree.cost[to] = total
                tree.origin[to] = (state, step)
                left = missing - sum(len(hop.comes) - hop.extra or 1 for hop in step)
                first = total if fewest else left * _PULL + total
                heapq.heappush(heap, (first, total, left, next(count), to))
    steps.put(at, start)
    return Found(None, whole and steps.complete)


class _Steps:
    """The safe steps from each state."""

    def __init__(
        self, board: Board, units: Sequence[Unit], nodes: list[int], most_together: int
    ) -> None:
        self.board, self.units, self.nodes = board, units, nodes
        self.complete = True
        self.tried = 0
        self._most_together = most_together
        self._together = _coupled(board, units)
        self._hops: dict[tuple[int, Value], list[Hop]] = {}
        self._options: dict[tuple[int, Value], list[tuple[Hop, ...]]] = {}

    def put(self, old: State, new: State) -> None:
        """Bring the board from a state to a state."""
        for unit, was, to in zip(self.units, old, new, strict=True):
            self.board.put(unit, was, to)

    def of(self, state: State) -> Iterator[tuple[Step, State]]:
        """Steps and the states they lead to."""
        board = self.board
        for k, value in enumerate(state):
            hops = self._hops_of(k, value)
            self.tried += len(hops)
            for hop in hops:
                if board.fits((board.effect(hop),)):
                    yield (hop,), (*state[:k], hop.value, *state[k + 1 :])
        for together in self._together:
            yield from self._joint(state, together)

    def _hops_of(self, k: int, value: Value) -> list[Hop]:
        """The hops of one part of a unit, or of all where it changes its variant."""
        key = (k, value)
        if key not in self._hops:
            unit, allowed = self.units[k], self.board.cells.allowed
            if self.nodes:
                hops = list(unit.anywhere(value, self.nodes, allowed))
            elif value == unit.goal:
                hops = []
            else:
                hops = [h for h in unit.direct(value) if all(allowed(*at) for at in h.comes)]
            self._hops[key] = hops
        return self._hops[key]

    def _joint(self, state: State, together: list[int]) -> Iterator[tuple[Step, State]]:
        choices = [self._options_of(k, state[k]) for k in together]
        if math.prod(len(each) for each in choices) > self._most_together:
            self.complete = False
            choices = [self._direct_of(k, state[k]) for k in together]
            if math.prod(len(each) for each in choices) > self._most_together:
                choices = [each[-1:] for each in choices]
        self.tried += math.prod(len(each) for each in choices)
        for chosen in itertools.product(*choices):
            step = tuple(hop for hops in chosen for hop in hops)
            if len(step) > 1 and self.board.fits([self.board.effect(hop) for hop in step]):
                to = list(state)
                for k, hops in zip(together, chosen, strict=True):
                    if hops:
                        to[k] = hops[-1].value
                yield step, tuple(to)

    def _direct_of(self, k: int, value: Value) -> list[tuple[Hop, ...]]:
        """To stay, or to go straight to where the parts are to be."""
        hops = self.units[k].all_direct(value)
        allowed = self.board.cells.allowed
        if not hops or not all(allowed(*at) for hop in hops for at in hop.comes):
            return [()]
        return [(), tuple(hops)]

    def _options_of(self, k: int, value: Value) -> list[tuple[Hop, ...]]:
        """What a unit may do in one wave: nothing, or a hop of each of some of its parts."""
        key = (k, value)
        if key not in self._options:
            unit = self.units[k]
            options = [(), *((hop,) for hop in self._hops_of(k, value))]
            slots = len(value[1]) if value[0] == 0 else max(len(value[1]), len(unit.goal[1]))
            if slots > 1 and len(options) > 1:
                changes = [each for each in options if each and each[0].value[0] != value[0]]
                options = [*self._of_several(unit, value), *changes]
            self._options[key] = options
        return self._options[key]

    def _of_several(self, unit: Unit, value: Value) -> list[tuple[Hop, ...]]:
        """Hops of any of the parts of a unit, each to any node."""
        phase, here = value
        wanted = here if phase == 0 else unit.goal[1]
        equal, rows = unit.equal[phase], unit.rows[phase]
        nodes = self.nodes or sorted(set(wanted))
        more = max(0, len(wanted) - len(here))
        fewer = len(here) > len(wanted)
        choices: list[list[int | None]] = []
        for slot, node in enumerate([*here, *[-1] * more]):
            row = rows[0 if equal else slot]
            targets: list[int | None] = [
                t for t in nodes if t == node or self.board.cells.allowed(row, t)
            ]
            if not self.nodes and not equal:
                targets = [t for t in targets if t == wanted[slot]]
            choices.append([*dict.fromkeys([node, *targets]), *([None] if fewer else [])])
        if math.prod(len(each) for each in choices) > self._most_together:
            self.complete = False
            return [(), *([] if phase == 0 else [tuple(unit.all_direct(value))])]
        found = []
        for places in itertools.product(*choices):
            left = [node for node in places if node is not None and node >= 0]
            if len(left) < min(len(here), len(wanted)):
                continue
            to = (phase, tuple(sorted(left) if equal else left))
            hops = []
            for slot, (node, target) in enumerate(zip([*here, *[-1] * more], places, strict=True)):
                if node != target:
                    row = rows[0 if equal else slot]
                    leaves = () if node < 0 else ((row, node),)
                    comes = () if target is None else ((row, target),)
                    hops.append(Hop(unit.number, leaves, comes, to, 0))
            if hops:
                extra = sum(bool(hop.comes) for hop in hops) - unit.matched(to)
                hops[-1] = Hop(
                    unit.number, hops[-1].leaves, hops[-1].comes, to, extra + unit.matched(value)
                )
            found.append(tuple(hops))
        return found


def _coupled(board: Board, units: Sequence[Unit]) -> list[list[int]]:
    """Sets of units that may have to move together."""
    mine = [k for k, unit in enumerate(units) if board.is_coupled(unit)]
    if not board.both:
        return [mine] if mine else []
    label = {k: k for k in mine}
    by_rule: dict[int, list[int]] = {}
    for k in mine:
        for rule in board.cells.skews_of(units[k].task):
            by_rule.setdefault(rule, []).append(k)
    for members in by_rule.values():
        names = {label[k] for k in members}
        for k in mine:
            if label[k] in names:
                label[k] = min(names)
    sets: dict[int, list[int]] = {}
    for k in mine:
        sets.setdefault(label[k], []).append(k)
    return [
        found
        for found in sets.values()
        if len(found) > 1 or max(len(units[found[0]].goal[1]), len(units[found[0]].start[1])) > 1
    ]
