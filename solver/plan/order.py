"""The order of moves: from one placement to another in waves, each of which is safe in any order.

A greedy order is tried first, for each group of parts that can be in each other's way; then other
orders at random, an exact search over direct orders, and one over orders with bypasses, which
finds the fewest or proves that there are none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import MethodError, OptionError
from ..judge.replay import replayed
from ..model.checking.settings import checked_max_moving
from ..model.exact import Array
from ..model.instance import Instance
from ..model.plans.plan import DURING, Plan, PlanStatus
from .board import Board
from .greedy import Demand, Greedy, groups_of
from .search import Found, Step, search
from .settings import ORDERING
from .units import Unit, Value, units_of
from .waves import moves_in_waves, wave_of_each

__all__ = ["order_moves"]


def order_moves(
    instance: Instance,
    before: Any,
    after: Any,
    *,
    during: str = "both",
    max_moving: Mapping[str, int] | None = None,
    moves_per_node: int | None = None,
    time_limit: float = 10.0,
) -> Plan:
    """A safe order of the moves from one placement to another.

    Parameters
    ----------
    instance : Instance
    before, after : (W,) integers
        Positions of nodes of the rows, -1 nowhere, as in `Instance.current` and
        `Allocation.node_index`. What was before may be partial, and may break limits.
    during : str
        "both": in a wave, what leaves a node still counts there while what comes already does, so
        that nothing has to stop before it runs elsewhere. "target": all that leaves in a wave
        stops first, then all that comes starts.
    max_moving : mapping of str to int, optional
        How many parts of a group may leave their nodes in one wave; starts are none. Default:
        ``instance.max_moving``.
    moves_per_node : int, optional
        How many moves, starts and stops there may be from or to one node in one wave. A task that
        changes its variant on a node counts once there.
    time_limit : float
        Wall seconds.

    Returns
    -------
    Plan
        ORDERED: in every wave, whatever the order of its moves, storage, resources, `max_load`,
        parts of a task apart, limit and anti-affinity rules hold, and nothing comes to where it is
        not eligible or pinned, to a cordoned or drained node, or to one without a label that a
        rule of its group needs; at the end of every wave spread and affinity hold as well. What
        does not hold at the start may stay so until it is mended, and never gets worse.

        NONE: proved that there is no such order in which the parts that differ between the two
        placements move, by way of any nodes, each any number of times, and nothing else moves. New
        tasks start anywhere, tasks that are left out stop anywhere; no other part ever stops for
        more than a wave, and a task changes its variant once, all its parts in one wave.

        UNKNOWN: none was found within the limits.

    Raises
    ------
    OptionError
        If an option or a placement is out of range.
    MethodError
        If the replay of the judge finds the plan not safe: a bug in nodewise.

    Notes
    -----
    With the fewest moves where the exact search ends; its limits are in `plan.settings`. The
    number of waves is not least. A task that changes its variant stops with the parts of the old
    and starts with those of the new variant in one wave.
    """
    end = time.monotonic() + time_limit
    caps = _caps(instance, during, max_moving, moves_per_node)
    places = [
        _checked(instance, each, name) for each, name in ((before, "before"), (after, "after"))
    ]
    units = units_of(instance, *places)
    board = Board(instance, places[0], during, caps, moves_per_node)
    ordering = _Ordering(board, units, end)
    worse = ordering.why_not_there()
    if worse is not None:
        return Plan(instance, PlanStatus.NONE, during=during, reason=worse)
    steps, is_none = ordering.steps()
    if steps is None:
        status = PlanStatus.NONE if is_none else PlanStatus.UNKNOWN
        return Plan(instance, status, during=during, reason=ordering.reason(is_none))
    fresh = Board(instance, places[0], during, caps, moves_per_node)
    waves = moves_in_waves(fresh, units, steps, wave_of_each(fresh, steps))
    plan = Plan(instance, PlanStatus.ORDERED, waves, during)
    broken = replayed(instance, places[0], places[1], plan, caps, moves_per_node)
    if broken:
        raise MethodError(f"the order of {plan.num_moves:,} moves is not safe: {broken[0]}")
    return plan


def _caps(
    instance: Instance, during: str, max_moving: Any, moves_per_node: int | None
) -> dict[str, int]:
    if during not in DURING:
        raise OptionError(f"during is {during!r}; it must be one of: {', '.join(DURING)}")
    if moves_per_node is not None and (
        isinstance(moves_per_node, bool)
        or not isinstance(moves_per_node, int | np.integer)
        or moves_per_node < 1
    ):
        raise OptionError(f"moves_per_node is {moves_per_node!r}; it must be an integer, 1 or more")
    if max_moving is None:
        return instance.max_moving
    groups = {group for names in instance.group_sets for group in names}
    return checked_max_moving(max_moving, groups)


def _checked(instance: Instance, given: Any, name: str) -> Array:
    index = np.asarray(given)
    rows = instance.rows
    if index.shape != (rows.num_rows,) or (index.size and index.dtype.kind not in "iu"):
        raise OptionError(
            f"{name} has shape {index.shape} of {index.dtype}; it must be {rows.num_rows} integer "
            "positions of nodes"
        )
    index = index.astype(np.int64)
    if index.size and not (int(index.min()) >= -1 and int(index.max()) < instance.num_nodes):
        raise OptionError(f"{name} must hold positions -1..{instance.num_nodes - 1}")
    forms = np.unique(rows.form[index >= 0])
    if (np.diff(rows.form_task[forms]) == 0).any():
        raise OptionError(f"{name} has parts of a task in two variants")
    return index


class _Ordering:
    """The search for an order of some units.

    Parameters
    ----------
    board : Board
        As it is before anything moves.
    units : list of Unit
    end : float
        The reading of `time.monotonic` when the time is up.
    """

    def __init__(self, board: Board, units: list[Unit], end: float) -> None:
        self.board, self.units, self.end = board, units, end
        self.values: dict[int, Value] = {unit.number: unit.start for unit in units}
        self._stuck: list[Unit] = []

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.end

    def why_not_there(self) -> str | None:
        """Why the end itself cannot be reached from anywhere: it is worse than the start."""
        board, instance = self.board, self.board.instance
        for unit in self.units:
            old = {node for _, node in unit.placed(unit.start)} if not unit.changes else set()
            for row, node in unit.placed(unit.goal):
                if node not in old and not board.cells.allowed(row, node):
                    return (
                        f"task {str(instance.task_ids[unit.task])!r} may not come to node "
                        f"{str(instance.node_ids[node])!r}"
                    )
        return board.worse([(unit, unit.start, unit.goal) for unit in self.units])

    def steps(self) -> tuple[list[Step] | None, bool]:
        """Safe steps one after the other, or None and whether it is proved that there are none."""
        if not self.board.both:
            step = tuple(hop for unit in self.units for hop in unit.all_direct(unit.start))
            if not step or self.board.fits([self.board.effect(hop) for hop in step]):
                return ([step] if step else []), False
        demand = Demand(self.board, self.units, [unit.start for unit in self.units])
        groups = groups_of(self.board, self.units, demand) if self.board.both else [self.units]
        steps: list[Step] = []
        stuck = []
        for group in groups:
            found = self._direct(group)
            if found is None:
                stuck.append(group)
            else:
                steps += found
        if stuck and len(self.units) <= ORDERING.all_at_once:
            self._put_back(self.units)
            steps, stuck = [], [self.units]
        for group in stuck:
            found, is_none = self._by_way(group)
            if found is not None:
                steps += found
                continue
            is_done = False
            if not is_none and len(group) <= ORDERING.few:
                steps, is_done = self._before_others(group, steps)
            if is_none or not is_done:
                self._stuck = self._stuck or group
                return None, is_none
        return steps, False

    def _put_back(self, units: Sequence[Unit]) -> None:
        """Bring units back to where they start."""
        for unit in units:
            self.board.put(unit, self.values[unit.number], unit.start)
            self.values[unit.number] = unit.start

    def _before_others(self, group: Sequence[Unit], steps: list[Step]) -> tuple[list[Step], bool]:
        """The steps of a group put before those of the others; whether there are some."""
        mine = {unit.number for unit in group}
        others = [unit for unit in self.units if unit.number not in mine]
        where = dict(self.values)
        self._put_back(others)
        found = self._search(group, self._nodes(group), ORDERING.hops)
        for unit in others:
            self.board.put(unit, unit.start, where[unit.number])
            self.values[unit.number] = where[unit.number]
        return [*(found.steps or ()), *steps], found.steps is not None

    def _direct(self, group: Sequence[Unit]) -> list[Step] | None:
        """An order of a group without bypasses, as far as it is found."""
        is_small = len(group) <= ORDERING.few
        for seed in range(ORDERING.orders if is_small else 1):
            greedy = Greedy(self.board, group, self.values, seed, self.is_over)
            if greedy.run():
                return greedy.steps
            self._put_back(group)
            if self.is_over():
                return None
        return self._search(group, [], ORDERING.direct_hops).steps if is_small else None

    def _by_way(self, group: Sequence[Unit]) -> tuple[list[Step] | None, bool]:
        """An order with bypasses, after all groups that need none; or whether none is proved."""
        if len(group) <= ORDERING.few:
            found = self._search(group, self._nodes(group), ORDERING.hops)
            if found.steps is not None:
                return found.steps, False
            if found.exhausted and (len(group) == len(self.units) or self._is_none(group)):
                return None, True
        for seed in range(ORDERING.orders):
            greedy = Greedy(self.board, group, self.values, seed, self.is_over)
            if self._with_detours(greedy):
                return greedy.steps, False
            left = groups_of(self.board, greedy.left, greedy.demand)
            self._put_back(group)
            for few in left if seed == 0 else ():
                if len(few) <= ORDERING.few and self._is_alone(few) and self._is_none(few):
                    self._stuck = few
                    return None, True
            if self.is_over():
                return None, False
        return self._any_order(group), False

    def _any_order(self, group: Sequence[Unit]) -> list[Step] | None:
        """An order of a larger group by search, from where greedy ones are stuck."""
        if len(group) > ORDERING.many:
            return None
        for seed in range(ORDERING.orders):
            greedy = Greedy(self.board, group, self.values, seed, self.is_over)
            greedy.run()
            nodes = self._nodes(group)
            found = self._search(group, nodes, ORDERING.hops // ORDERING.orders, fewest=False)
            if found.steps is not None:
                return [*greedy.steps, *found.steps]
            self._put_back(group)
            if self.is_over():
                break
        return None

    def _with_detours(self, greedy: Greedy) -> bool:
        """A greedy order, and where it is stuck exact ones of few units, or parts put aside."""
        while not greedy.run():
            if self.is_over():
                return False
            left = groups_of(self.board, greedy.left, greedy.demand)
            few = [group for group in left if len(group) <= ORDERING.few]
            found = any(self._exactly(greedy, group, direct=True) for group in few)
            found = found or greedy.make_room()
            if not found and not any(self._exactly(greedy, g, direct=False) for g in few):
                return False
        return True

    def _exactly(self, greedy: Greedy, group: Sequence[Unit], *, direct: bool) -> bool:
        """Go on with the exact order of a few units from where they are, if there is one."""
        start = [self.values[unit.number] for unit in group]
        nodes = [] if direct else self._nodes(group)
        found = self._search(group, nodes, ORDERING.direct_hops)
        if found.steps is None:
            return False
        for unit, value in zip(group, start, strict=True):
            self.board.put(unit, unit.goal, value)
            self.values[unit.number] = value
        for step in found.steps:
            greedy.make(step)
        return True

    def _is_alone(self, group: Sequence[Unit]) -> bool:
        """Whether no other unit that moves counts for the rules that hold at the end of waves."""
        mine = {unit.number for unit in group}
        skews = {k for unit in group for k in self.board.cells.skews_of(unit.task)}
        return not skews or not any(
            skews.intersection(self.board.cells.skews_of(unit.task))
            for unit in self.units
            if unit.number not in mine
        )

    def _is_none(self, group: Sequence[Unit]) -> bool:
        """Whether there is no order of a group, even if the other parts that move were nowhere."""
        mine = {unit.number for unit in group}
        others = [unit for unit in self.units if unit.number not in mine]
        gone = [(unit, self.values[unit.number]) for unit in others]
        for unit, value in gone:
            self.board.put(unit, value, (value[0], ()))
        found = self._search(group, self._nodes(group), ORDERING.hops)
        if found.steps is not None:
            for unit in group:
                self.board.put(unit, unit.goal, unit.start)
                self.values[unit.number] = unit.start
        for unit, value in gone:
            self.board.put(unit, (value[0], ()), value)
        return found.steps is None and found.exhausted

    def _search(
        self, group: Sequence[Unit], nodes: list[int], most_hops: int, *, fewest: bool = True
    ) -> Found:
        start = tuple(self.values[unit.number] for unit in group)
        found = search(
            self.board,
            group,
            start,
            nodes,
            most_hops=most_hops,
            most_together=ORDERING.together,
            fewest=fewest,
            is_over=self.is_over,
        )
        if found.steps is not None:
            self.values.update((unit.number, unit.goal) for unit in group)
        return found

    def _nodes(self, group: Sequence[Unit]) -> list[int]:
        """The nodes that parts of a group may go by way of.

        Of equal ones that nobody else uses, as many are kept as can be in use at a time: where
        parts are and where they come to.
        """
        board = self.board
        own = {node for unit in group for value in (unit.start, unit.goal) for node in value[1]}
        own |= board.cells.nodes_of_tasks({unit.task for unit in group})
        parts = sum(len(unit.start[1]) + len(unit.goal[1]) for unit in group)
        rows = sorted({row for unit in group for rows in unit.rows for row in rows})
        kept: dict[Any, int] = {}
        nodes = []
        for node in range(board.instance.num_nodes):
            if node in own:
                nodes.append(node)
                continue
            key = board.cells.likeness(node, rows)
            if key is not None and kept.get(key, 0) < 2 * parts:
                kept[key] = kept.get(key, 0) + 1
                nodes.append(node)
        return nodes

    def reason(self, is_none: bool) -> str:
        """What is known of the group that has no order."""
        ids = self.board.instance.task_ids
        tasks = list(dict.fromkeys(str(ids[unit.task]) for unit in self._stuck))
        some = ", ".join(map(repr, tasks[:3])) + (", ..." if len(tasks) > 3 else "")
        if is_none:
            return f"proved: no order of the moves of {len(tasks):,} tasks ({some}) is safe"
        return f"no safe order of the moves of {len(tasks):,} tasks ({some}) was found"
