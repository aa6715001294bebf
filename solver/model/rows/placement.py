"""Allocations given by names: the rows that a mapping from tasks to nodes stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import AllocationError
from ..exact import Array
from ..instance import Instance
from .current import rows_of_place

__all__ = ["MEANT", "Misplaced", "placement_of", "read_placement"]

MEANT = -2
"""Stands in `read_placement` for the unknown node of a row that is in use."""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """What cannot be placed, or is missing.

    Attributes
    ----------
    rule : str
        "unknown task", "unknown node", "unassigned", "variant" or "parts".
    task : str
    message : str
        What is wrong, and the remedy.
    node, variant : str or None
        What is unknown.
    amount : int
        How many nodes there are beyond the parts, 0 where there are fewer; of other rules 1.
    """

    rule: str
    task: str
    message: str
    node: str | None = None
    variant: str | None = None
    amount: int = 1


def placement_of(instance: Instance, given: Mapping[Any, Any]) -> Array:
    """The node of every row, from a mapping of tasks to places.

    Parameters
    ----------
    instance : Instance
    given : mapping
        From task id to the id of a node, a list of one for each part,
        ``{"node": ..., "variant": ...}`` with either of them, or None for a task that is left
        out, which may also be missing. The variant may be left out where there is only one.

    Returns
    -------
    (W,) int64
        Positions of nodes, -1 for rows that are not in use.

    Raises
    ------
    AllocationError
        If a task, node or variant is unknown, a task that must run has no node, or the nodes
        are not as many as the parts.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2])
    >>> placement_of(instance, {"task-0": "node-1", "task-1": "node-0"}).tolist()
    [1, 0]
    """

    def refuse(problem: Misplaced) -> None:
        raise AllocationError(f"allocation: {problem.message}")

    return _Reader(instance, refuse).read(given)


def read_placement(instance: Instance, given: Mapping[Any, Any]) -> tuple[Array, list[Misplaced]]:
    """The same as far as it goes, and everything that is wrong with it.

    Rows in use whose node or variant is unknown are `MEANT`.
    """
    problems: list[Misplaced] = []
    return _Reader(instance, problems.append).read(given), problems


class _Reader:
    """Fills in the rows of one mapping."""

    def __init__(self, instance: Instance, problem: Callable[[Misplaced], None]) -> None:
        self.instance, self.problem = instance, problem
        self.node_at = {node: i for i, node in enumerate(instance.node_ids.tolist())}
        self.names: dict[int, list[str]] = {}
        self.node_index = np.full(instance.rows.num_rows, -1, dtype=np.int64)

    def read(self, given: Mapping[Any, Any]) -> Array:
        tasks = self.instance.task_ids.tolist()
        rows, node_at = self.instance.rows, self.node_at
        start = rows.task_start.tolist()
        must_run = (self.instance.task_skip_price == float("inf")).tolist()
        seen = 0
        for j, task in enumerate(tasks):
            place = given.get(task)
            seen += place is not None or task in given
            first = start[j]
            if start[j + 1] - first == 1 and isinstance(place, str) and place in node_at:
                self.node_index[first] = node_at[place]
                continue
            if isinstance(place, Mapping) and place.keys() <= {"node", "variant"}:
                place = None if place.get("node") is None else place
            if place is not None:
                self._put(j, task, place)
            elif must_run[j]:
                self._tell("unassigned", task, "has no node; it has no skip_price, so it must run")
        if seen < len(given):
            known = set(tasks)
            for unknown in given:
                if unknown not in known:
                    self._tell("unknown task", str(unknown), "is not in the instance")
        return self.node_index

    def _put(self, j: int, task: str, place: Any) -> None:
        rows = self.instance.rows
        nodes, variant = _place(task, place)
        names = self._names_of(int(self.instance.task_model[j]))
        form = int(rows.task_form[j])
        if variant is not None:
            if variant not in names:
                known = ", ".join(map(repr, names)) or "none"
                told = f"has no variant {variant!r} (known: {known})"
                self._lost(form, "variant", task, told, variant=variant)
                return
            form += names.index(variant)
        elif len(names) > 1:
            told = f"has several variants; say {{'node': ..., 'variant': one of {names}}}"
            self._lost(form, "variant", task, told)
            return
        first, last = int(rows.form_start[form]), int(rows.form_start[form + 1])
        many = last - first
        if len(nodes) > many:
            told = f"has {len(nodes)} nodes for {many} parts; name one for each part"
            self._tell("parts", task, told, amount=len(nodes) - many)
        for part in range(many):
            node = nodes[part] if part < len(nodes) else None
            if node is None:
                told = f"has no node for part {part + 1} of {many}; name one for each part"
                self._tell("parts", task, told, amount=0)
            elif node in self.node_at:
                self.node_index[first + part] = self.node_at[node]
            else:
                self.node_index[first + part] = MEANT
                told = f"node {node!r} is not in the instance"
                problem = Misplaced("unknown node", task, f"task {task!r}: {told}", node=node)
                self.problem(problem)

    def _names_of(self, model: int) -> list[str]:
        """The names of the variants of a set; none of own figures."""
        if model < 0:
            return []
        if model not in self.names:
            self.names[model] = [variant.name for variant in self.instance.variant_sets[model]]
        return self.names[model]

    def _tell(self, rule: str, task: str, told: str, **more: Any) -> None:
        self.problem(Misplaced(rule, task, f"task {task!r} {told}", **more))

    def _lost(self, form: int, rule: str, task: str, told: str, **more: Any) -> None:
        """Tell of a task that has a node in a variant that is not known."""
        start = self.instance.rows.form_start
        self.node_index[start[form] : start[form + 1]] = MEANT
        self._tell(rule, task, told, **more)


def _place(task: str, place: Any) -> tuple[Sequence[str | None], str | None]:
    """The nodes of the parts, and the variant, that a place names."""

    def refuse(problem: str) -> Exception:
        return AllocationError(f"allocation: task {task!r}: {problem}")

    if not isinstance(place, str | Mapping | Sequence):
        return [str(place)], None
    return rows_of_place(place, refuse)
