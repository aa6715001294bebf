"""Where tasks are, as files tell it: the nodes of the parts, and the variant that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AllocationError
from ..model.exact import Array
from ..model.instance import Instance
from .table import Table, read_table
from .text import read_bytes

__all__ = ["Place", "place_to_write", "places_of", "read_current"]

_MOST_DIGITS = 6  # of the number of a part


@dataclass(frozen=True, slots=True)
class Place:
    """Where one task is.

    Attributes
    ----------
    task : int
        Its position.
    nodes : list of str or None
        Of each part; None where that is not known.
    variant : str or None
        None where the task has but one form.
    """

    task: int
    nodes: list[str | None]
    variant: str | None


def places_of(instance: Instance, node_index: Array) -> Iterator[Place]:
    """The places of the tasks that are somewhere, in the order of the instance.

    Parameters
    ----------
    instance : Instance
    node_index : (W,) int64
        Position of the node of each row, -1 where it is nowhere.
    """
    names: list[str | None] = [*instance.node_ids.tolist(), None]  # the last is that of -1
    rows = instance.rows
    if rows.is_identity:
        for j in np.flatnonzero(node_index >= 0).tolist():
            yield Place(j, [names[node_index[j]]], None)
        return
    used = np.unique(rows.form[node_index >= 0])
    start, end = rows.form_start[used].tolist(), rows.form_start[used + 1].tolist()
    index = node_index.tolist()
    choices = np.diff(rows.task_form)
    tasks = rows.form_task[used]
    several = (choices[tasks] > 1).tolist()
    source = rows.form_source[used].tolist()
    for j, first, last, is_choice, number in zip(
        tasks.tolist(), start, end, several, source, strict=True
    ):
        variant = rows.all_variants[number].name if is_choice else None
        yield Place(j, [names[i] for i in index[first:last]], variant)


def place_to_write(place: Place) -> Any:
    """A place as the setting `current` has it: an id, a list of ids, or an object."""
    nodes = list(place.nodes)
    node: Any = nodes[0]
    if len(nodes) > 1:
        while nodes[-1] is None:
            nodes.pop()
        node = nodes
    return node if place.variant is None else {"node": node, "variant": place.variant}


def read_current(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read where tasks are now, as `Instance.current` takes it.

    Parameters
    ----------
    path : str or path
        CSV as of `read_allocation`. It may be partial: a task without a row or without a node is
        nowhere now, and names that are not in the instance count for nothing there.

    Raises
    ------
    AllocationError
        If the file cannot be read, a task stands in two variants, or a part twice; the message
        names the line.
    """
    source = Path(path)
    table = read_table(read_bytes(source, AllocationError), str(source), AllocationError)
    table.require("task_id", "node_id")
    places: dict[str, dict[int, str]] = {}
    variants: dict[str, str] = {}
    several = "part" in table.columns
    empty = [""] * len(table.columns["task_id"])
    columns = (table.columns.get(name, empty) for name in ("task_id", "node_id", "variant", "part"))
    for row, (task, node, variant, part) in enumerate(zip(*columns, strict=True)):
        if not node:
            continue
        if variants.setdefault(task, variant) != variant:
            problem = f"task {task!r} stands in two variants; it runs in one"
            raise table.error(row, "variant", problem)
        nodes = places.setdefault(task, {})
        number = _part(table, row, part) if part.strip() else len(nodes) + 1
        if number in nodes or (nodes and not several):
            problem = f"task {task!r} stands twice; remove one row, or number its parts"
            raise table.error(row, "task_id", problem)
        nodes[number] = node
    return {
        task: {"node": [nodes.get(k) for k in range(1, max(nodes) + 1)]}
        | ({"variant": variants[task]} if variants[task] else {})
        for task, nodes in places.items()
    }


def _part(table: Table, row: int, cell: str) -> int:
    number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS else 0
    if not number:
        raise table.error(row, "part", f"{cell!r} is no number of a part; they count from 1")
    return number
