"""Identical nodes: of allocations that differ by their numbers alone, one is enough.

Take the classes of tasks, or their modes, by falling demand. Any allocation can be relabelled so
that, of identical nodes, those come first that hold the earlier tasks, and the empty ones last.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from ..problem.modes import Modes
from ..problem.table import ClassNumbers
from .linear_model import LinearModelBuilder

__all__ = ["first_come", "in_first_come_order", "switch_off_from_the_end"]


def first_come(table: ClassNumbers, node_class: Array, modes: Modes | None = None) -> Array:
    """(K, n) bool: the cells left when identical nodes are numbered by their first task.

    Then a task never goes beyond as many nodes as there are tasks up to it.
    """
    order = _class_order(table)
    reach = np.cumsum(table.count[order]) if modes is None else _most_parts(modes, order)
    return _place_in_class(node_class)[None, :] < reach[np.argsort(order)][:, None]


def in_first_come_order(
    table: ClassNumbers, node_class: Array, task_class: Array, node_index: Array
) -> Array:
    """The allocation with identical nodes numbered by their first task, empty ones last."""
    n = node_class.size
    rank = np.argsort(_class_order(table))
    first = np.full(n, rank.size)
    np.minimum.at(first, node_index, rank[task_class])
    moved: Array = _sorted_within_classes(node_class, first)[node_index]
    return moved


def switch_off_from_the_end(builder: LinearModelBuilder, node_class: Array, u: Array) -> None:
    """Of identical nodes, only the last ones are off."""
    order = np.argsort(node_class, kind="stable")
    same = node_class[order[1:]] == node_class[order[:-1]]
    before, after = order[:-1][same], order[1:][same]
    rows = builder.add_rows(before.size, lower=0)
    builder.add_entries(rows, u[before], 1)
    builder.add_entries(rows, u[after], -1)


def _most_parts(modes: Modes, order: Array) -> Array:
    """Most parts of the modes up to each place of an order: a task has one form."""
    of_form = [0] * modes.form_class.size
    of_class = [0] * modes.task_count.size
    count = modes.task_count.tolist()
    most, reach = 0, []
    for p in order.tolist():
        f, k = int(modes.mode_form[p]), int(modes.mode_class[p])
        of_form[f] += int(modes.mode_parts[p])
        most += count[k] * max(0, of_form[f] - of_class[k])
        of_class[k] = max(of_class[k], of_form[f])
        reach.append(most)
    return np.array(reach, dtype=np.int64)


def _class_order(table: ClassNumbers) -> Array:
    """(K,) the task classes by falling demand."""
    places = np.arange(table.demand.size)
    return np.lexsort((places, -table.needs.sum(axis=1), -table.demand))


def _place_in_class(node_class: Array) -> Array:
    """(n,) how many identical nodes stand before each node."""
    order = np.argsort(node_class, kind="stable")
    start = np.searchsorted(node_class[order], node_class[order])
    place = np.empty_like(order)
    place[order] = np.arange(order.size) - start
    return place


def _sorted_within_classes(node_class: Array, key: Array) -> Array:
    """New place of each node when identical ones are sorted by a key."""
    wanted = np.lexsort((key, node_class))
    places = np.lexsort((np.arange(node_class.size), node_class))
    moved = np.empty_like(wanted)
    moved[wanted] = places
    return moved
