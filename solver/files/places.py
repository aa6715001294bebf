"""Where tasks are, as files tell it: the nodes of the parts, and the variant that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model.exact import Array
from ..model.instance import Instance

__all__ = ["Place", "place_to_write", "places_of"]


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
