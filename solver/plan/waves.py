"""Waves: the steps of an order packed into as few waves as it allows, and told by names.

Each step goes into the earliest wave in which it is safe in any order with what is there, and from
where on no later wave is less safe than it was.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ..model.plans.plan import Move
from .board import Board, Effect
from .search import Step
from .units import Unit

__all__ = ["moves_in_waves", "wave_of_each"]


class _Timeline:
    """The level of one cell over the waves.

    Attributes
    ----------
    base : int
        Before the first wave.
    at : list of int
        The waves that change it, ascending.
    up, down : lists of int
        By how much, beside them.
    """

    __slots__ = ("at", "base", "down", "up")

    def __init__(self, base: int) -> None:
        self.base = base
        self.at: list[int] = []
        self.up: list[int] = []
        self.down: list[int] = []

    def add(self, wave: int, up: int, down: int) -> None:
        place = bisect_left(self.at, wave)
        if place == len(self.at) or self.at[place] != wave:
            self.at.insert(place, wave)
            self.up.insert(place, 0)
            self.down.insert(place, 0)
        self.up[place] += up
        self.down[place] += down

    def earliest(self, extra: int, most: int, both: bool) -> int:
        """The first wave from which on all levels with something extra are at most a number."""
        level = self.base + sum(self.up) - sum(self.down)
        first = 0 if not self.at else self.at[-1] + 1
        if level + extra > most:
            return first
        for place in range(len(self.at) - 1, -1, -1):
            # while wave at[place] goes on, and between it and the next
            peak = level + self.down[place] if both else level
            if peak + extra > most:
                return self.at[place] + 1
            level += self.down[place] - self.up[place]
            first = self.at[place]
            if level + extra > most:
                return first
        return 0


def wave_of_each(board: Board, steps: Sequence[Step]) -> list[int]:
    """The wave of each step, from 0 on.

    Parameters
    ----------
    board : Board
        As it was before the first step.
    steps : sequence of Step
        Safe one after the other.
    """
    lines: dict[int, _Timeline] = {}
    ready: defaultdict[tuple[int, int], int] = defaultdict(int)
    rules: defaultdict[int, int] = defaultdict(int)
    nodes: defaultdict[int, Counter[int]] = defaultdict(Counter)
    groups: defaultdict[int, Counter[str]] = defaultdict(Counter)
    waves = []
    last = -1

    def line(cell: int) -> _Timeline:
        if cell not in lines:
            lines[cell] = _Timeline(board.level[cell])
        return lines[cell]

    for step in steps:
        effects = [board.effect(hop) for hop in step]
        wave = max((ready[hop.unit, node] for hop in step for _, node in hop.leaves), default=0)
        wave = max([wave, *(rules[k] for effect in effects for k in effect.skews)])
        up, down = _totals(effects)
        for cell, amount in up.items():
            net = amount if board.both else amount - down[cell]
            if net <= 0:
                continue
            most = board.limit[cell]
            if most is not None:
                wave = max(wave, line(cell).earliest(net, most, board.both))
            if cell in board.partner:
                partner = board.partner[cell]
                mine = 0 if board.both else -down[partner]
                extra = up[partner] + mine
                wave = max(wave, line(partner).earliest(extra, 0, board.both))
        while wave <= last and not _keeps(board, effects, nodes[wave], groups[wave]):
            wave += 1
        last = max(last, wave)
        waves.append(wave)
        for effect in effects:
            nodes[wave].update(dict(effect.nodes))
            groups[wave].update(dict(effect.groups))
            for k in effect.skews:
                rules[k] = wave
        for cell in up.keys() | down.keys():
            line(cell).add(wave, up[cell], down[cell])
        for hop in step:
            for _, node in hop.comes:
                ready[hop.unit, node] = wave + 1
    return waves


def _totals(effects: Iterable[Effect]) -> tuple[Counter[int], Counter[int]]:
    up: Counter[int] = Counter()
    down: Counter[int] = Counter()
    for effect in effects:
        for cell, amount in effect.up:
            up[cell] += amount
        for cell, amount in effect.down:
            down[cell] += amount
    return up, down


def _keeps(board: Board, effects: list[Effect], nodes: Counter[int], groups: Counter[str]) -> bool:
    """Whether a wave keeps the caps with a step more."""
    nodes, groups = nodes.copy(), groups.copy()
    for effect in effects:
        nodes.update(dict(effect.nodes))
        groups.update(dict(effect.groups))
    most = board.moves_per_node
    return (
        most is None or all(nodes[node] <= most for e in effects for node, _ in e.nodes)
    ) and all(groups[name] <= board.max_moving[name] for e in effects for name, _ in e.groups)


def moves_in_waves(
    board: Board, units: Sequence[Unit], steps: Sequence[Step], wave_of: Sequence[int]
) -> tuple[tuple[Move, ...], ...]:
    """The waves of a plan.

    Parameters
    ----------
    units : sequence of Unit
        By their numbers.
    steps : sequence of Step
    wave_of : sequence of int
        Beside them.
    """
    made: list[tuple[int, int, int | None, int | None]] = []  # wave, row, source, target
    last_of: dict[int, int] = {}
    where: dict[int, list[tuple[int, int]]] = {}
    for unit in units:
        nodes = unit.start[1]
        where[unit.number] = list(zip(_labels(board, unit, nodes), nodes, strict=True))
    goes_on: set[int] = set()
    for step, wave in zip(steps, wave_of, strict=True):
        for hop in step:
            unit = units[hop.unit]
            here = where[hop.unit]
            changes = len(hop.leaves) and len(hop.comes) and hop.leaves[0][0] != hop.comes[0][0]
            if unit.changes and changes and _forms_differ(board, hop.leaves[0][0], hop.comes[0][0]):
                for row, node in here:
                    _note(made, last_of, goes_on, wave, row, node, None)
                here.clear()
                for k, (row, node) in enumerate(hop.comes):
                    row = unit.rows[1][k]
                    _note(made, last_of, goes_on, wave, row, None, node)
                    here.append((row, node))
                continue
            label = None
            source = hop.leaves[0][1] if hop.leaves else None
            target = hop.comes[0][1] if hop.comes else None
            if source is not None:
                of_row = None if unit.equal[hop.value[0]] else hop.leaves[0][0]
                at = next(
                    k
                    for k, (row, node) in enumerate(here)
                    if node == source and of_row in (None, row)
                )
                label = here.pop(at)[0]
            else:
                used = {row for row, _ in here}
                rows = unit.rows[hop.value[0]]
                free = [row for row in rows if row not in used]
                label = free[0] if unit.equal[hop.value[0]] else hop.comes[0][0]
            if target is not None:
                here.append((label, target))
            _note(made, last_of, goes_on, wave, label, source, target)
    return _named(board, made, goes_on)


def _forms_differ(board: Board, row: int, other: int) -> bool:
    form = board.instance.rows.form
    return bool(form[row] != form[other])


def _labels(board: Board, unit: Unit, nodes: tuple[int, ...]) -> list[int]:
    """The rows of the parts that are on some nodes at the start."""
    phase = unit.start[0]
    if not unit.equal[phase]:
        return list(unit.rows[phase])
    rows, labels = list(unit.rows[phase]), []
    for node in nodes:
        row = next(row for row in rows if board.cells.before[row] == node)
        rows.remove(row)
        labels.append(row)
    return labels


def _note(
    made: list[tuple[int, int, int | None, int | None]],
    last_of: dict[int, int],
    goes_on: set[int],
    wave: int,
    row: int,
    source: int | None,
    target: int | None,
) -> None:
    """Note a move; the one before it of the same part was a bypass."""
    if row in last_of and source is not None:
        goes_on.add(last_of[row])
    last_of[row] = len(made)
    made.append((wave, row, source, target))


def _named(
    board: Board, made: list[tuple[int, int, int | None, int | None]], goes_on: set[int]
) -> tuple[tuple[Move, ...], ...]:
    instance = board.instance
    rows = instance.rows
    nodes, tasks = instance.node_ids.tolist(), instance.task_ids
    storage = rows.storage
    waves: list[list[Move]] = [[] for _ in range(1 + max((m[0] for m in made), default=-1))]
    for number, (wave, row, source, target) in enumerate(made):
        variant = None
        if not rows.is_identity:
            at = int(rows.form_source[rows.form[row]])
            variant = None if at < 0 else rows.all_variants[at].name
        size = storage[row]
        waves[wave].append(
            Move(
                task=str(tasks[rows.task[row]]),
                part=int(rows.part[row]) + 1,
                variant=variant,
                source=None if source is None else nodes[source],
                target=None if target is None else nodes[target],
                storage=size.item() if hasattr(size, "item") else size,
                bypass=number in goes_on and target is not None,
            )
        )
    return tuple(tuple(wave) for wave in waves)
