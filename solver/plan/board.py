"""What hops do to the cells that limit them, and which are safe in one wave.

A wave is safe in any order if every cell that it raises stays within its limit with all that the
wave raises and nothing of what it lowers (`during="both"`), or with both (`during="target"`). A
cell that is above its limit is raised by nobody, so what is broken never gets worse.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.exact import Array
from ..model.instance import Instance
from ..model.rules import Affinity, Spread
from .cells import Cells
from .units import Hop, Unit, Value

__all__ = ["Board", "Effect"]


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
        self.instance, self.cells = instance, Cells(instance, before)
        self.both = during == "both"
        self.max_moving, self.moves_per_node = dict(max_moving), moves_per_node
        self.level, self.limit = self.cells.level, self.cells.limit
        self.partner = self.cells.partner
        self._effects: dict[tuple[Any, Any], Effect] = {}

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
            for cell, need in self.cells.hard(row, node):
                if not self.both:
                    net[cell] += sign * need
                elif sign > 0:
                    up[cell] += need
                else:
                    down[cell] += need
            for cell in self.cells.counters(row, node):
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
            self.cells.skews_of(task),
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
        counts = self.cells.counts(k, "group")
        if isinstance(rule, Spread):
            counted = self.cells.counted[k].tolist()
            least = min((counts[d] for d in counted), default=0)
            if len(counted) < max(1, rule.min_domains):
                least = 0
            return [max(counts, default=0) - least - rule.max_skew]
        assert isinstance(rule, Affinity)
        if rule.with_ is None:
            return [sum(count > 0 for count in counts) - 1]
        company = self.cells.counts(k, "with")
        return [0 if others else mine for mine, others in zip(counts, company, strict=True)]

    def apply(self, effect: Effect, sign: int = 1) -> None:
        """Make a hop, or take it back."""
        level = self.level
        for cell, amount in effect.up:
            level[cell] += sign * amount
        for cell, amount in effect.down:
            level[cell] -= sign * amount

    def is_coupled(self, unit: Unit) -> bool:
        """Whether a unit may have to move together with others."""
        return not self.both or bool(self.cells.skews_of(unit.task))

    def worse(self, changes: list[tuple[Unit, Value, Value]]) -> str | None:
        """What some changes of values leave worse in the end than it was, and broken."""
        effects = []
        for unit, old, new in changes:
            hop = Hop(unit.number, unit.placed(old), unit.placed(new), new, 0)
            effects.append(self.effect(hop))
        cell = self.crowded(effects, in_the_end=True)
        if cell is not None:
            return f"the end itself breaks what holds at the start: {self.cells.told(cell)}"
        rules = list(dict.fromkeys(k for effect in effects for k in effect.skews))
        bad = [k for k in rules if not self._keeps_skews(effects, [k])]
        if bad:
            rule = self.instance.rules[bad[0]]
            return (
                "the end itself breaks what holds at the start: "
                f"{rule.name} of group {rule.group!r} over {rule.domain}"
            )
        return None

    def put(self, unit: Unit, old: Value, new: Value) -> None:
        """Set a unit from one value to another, whether or not that is safe."""
        if old != new:
            self.apply(self.effect(Hop(unit.number, unit.placed(old), unit.placed(new), new, 0)))
