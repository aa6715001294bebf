"""What nodes carry while moves are made, in exact fractions of the user's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ...model.instance import Instance
from ..capacities import decimal_of, times
from ..violations import Violation
from .steps import Step

__all__ = ["Amounts"]


class Amounts:
    """Storage, resources and load of the nodes; nothing is on them at first."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._columns = list(_columns(instance))
        self._used = [[Fraction(0)] * instance.num_nodes for _ in self._columns]

    def carry(self, row: int, node: int, sign: int) -> None:
        """Put a part on a node, or take it off."""
        for (_, need, _), used in zip(self._columns, self._used, strict=True):
            used[node] += sign * _fraction(need[row])

    def crowded(self, steps: list[Step], both: bool) -> Iterator[Violation]:
        """The nodes that carry too much while moves go on, and more than they did."""
        for (name, need, capacity), used in zip(self._columns, self._used, strict=True):
            come: dict[int, Fraction] = {}
            go: dict[int, Fraction] = {}
            for step in steps:
                amount = _fraction(need[step.row])
                if step.target >= 0:
                    come[step.target] = come.get(step.target, Fraction(0)) + amount
                if step.source >= 0:
                    go[step.source] = go.get(step.source, Fraction(0)) + amount
            for node, amount in come.items():
                rise = amount if both else amount - go.get(node, Fraction(0))
                most = capacity[node]
                if most is not None and rise > 0 and used[node] + rise > most:
                    over = used[node] + rise - most
                    above = int(over) if over.denominator == 1 else float(over)
                    yield Violation(name, None, str(self.instance.node_ids[node]), above)


def _columns(instance: Instance) -> Iterator[tuple[str, list[Any], list[Fraction | None]]]:
    """What is limited on nodes: its name, what rows need, what nodes have (None: unlimited)."""
    rows = instance.rows
    if (instance.node_storage < float("inf")).any():
        yield "storage", rows.storage.tolist(), _most(instance.node_storage.tolist())
    for key, capacity in instance.node_resources.items():
        yield f"resource {key}", rows.resources[key].tolist(), _most(capacity.tolist())
    if instance.max_load is not None:
        most = [times(capacity, instance.max_load) for capacity in instance.node_compute.tolist()]
        yield "max_load", rows.compute.tolist(), _most(most)


def _most(values: list[Any]) -> list[Fraction | None]:
    return [None if value == float("inf") else _fraction(value) for value in values]


def _fraction(value: Any) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(decimal_of(value))
