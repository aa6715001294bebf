"""Classes of identical tasks and identical nodes.

Real clusters have few kinds of nodes and of tasks: a model over classes is smaller than one
over single tasks by orders of magnitude, and free of their symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.eligibility import Eligibility
from ..model.exact import Array
from ..model.instance import Instance

__all__ = ["Classes", "find_classes", "group_rows", "signatures"]


@dataclass(frozen=True)
class Classes:
    """Partition of tasks into K classes and of nodes into G classes.

    Two tasks are in one class if they have the same demand, the same needs and may run on
    the same nodes; two nodes, if they have the same capacities and prices and the same tasks
    may run on them.

    Attributes
    ----------
    task_class, node_class : (m,), (n,) int64
    task_count, node_count : (K,), (G,) int64
        Size of each class.
    task_first, node_first : (K,), (G,) int64
        Position of the first member, which stands for the class.
    """

    task_class: Array
    node_class: Array
    task_count: Array
    node_count: Array
    task_first: Array
    node_first: Array

    @property
    def num_task_classes(self) -> int:
        """K, the number of classes of tasks."""
        return int(self.task_count.size)

    @property
    def num_node_classes(self) -> int:
        """G, the number of classes of nodes."""
        return int(self.node_count.size)

    def tasks_of(self, k: int) -> Array:
        """Positions of the tasks of class k, ascending."""
        return self._task_order[self._task_start[k] : self._task_start[k + 1]]

    def nodes_of(self, g: int) -> Array:
        """Positions of the nodes of class g, ascending."""
        return self._node_order[self._node_start[g] : self._node_start[g + 1]]

    @cached_property
    def _task_order(self) -> Array:
        order = np.argsort(self.task_class, kind="stable")
        return order[int(np.count_nonzero(self.task_class < 0)) :]

    @cached_property
    def _task_start(self) -> Array:
        return np.concatenate(([0], np.cumsum(self.task_count)))

    @cached_property
    def _node_order(self) -> Array:
        return np.argsort(self.node_class, kind="stable")

    @cached_property
    def _node_start(self) -> Array:
        return np.concatenate(([0], np.cumsum(self.node_count)))


def find_classes(instance: Instance) -> Classes:
    """Group tasks and nodes that no method needs to tell apart.

    Complexity: two lexicographic sorts, O(m log m + n log n).
    """
    exact = instance.exact
    same_group, hosts = signatures(instance.eligibility)
    task_columns = [exact.task_compute, exact.needs, same_group[instance.task_group]]
    task_class, task_first = group_rows(task_columns)
    node_class, node_first = group_rows(
        [
            exact.node_compute,
            exact.node_on_cost,
            exact.node_off_cost,
            exact.node_overload_price,
            exact.node_use_price,
            exact.capacity,
            hosts,
        ]
    )
    return Classes(
        task_class=task_class,
        node_class=node_class,
        task_count=np.bincount(task_class, minlength=task_first.size),
        node_count=np.bincount(node_class, minlength=node_first.size),
        task_first=task_first,
        node_first=node_first,
    )


def signatures(eligibility: Eligibility) -> tuple[Array, Array]:
    """Numbers that tell groups apart, and rows that tell nodes apart.

    Two that differ may still be alike where the mask is too large to be looked at: then there
    are more classes than need be, which nothing that is proved rests on.
    """
    mask = eligibility.mask
    if mask is None:
        return np.arange(eligibility.num_groups), eligibility.node_labels
    return group_rows([np.packbits(mask, axis=1)])[0], np.packbits(mask, axis=0).T


def group_rows(columns: list[Array]) -> tuple[Array, Array]:
    """Number the distinct rows of a table in the order in which they first appear.

    Parameters
    ----------
    columns : list of (r,) or (r, c) arrays
        Blocks of columns, side by side.

    Returns
    -------
    number : (r,) int64
        Group of each row.
    first : (groups,) int64
        Position of the first row of each group.
    """
    keys = [part for block in columns for part in (block.T if block.ndim == 2 else [block])]
    keys = [np.unique(key, return_inverse=True)[1] if key.dtype == object else key for key in keys]
    rows = columns[0].shape[0]
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if not keys:
        return np.zeros(rows, dtype=np.int64), np.zeros(1, dtype=np.int64)
    order = np.lexsort(keys[::-1])
    change = np.zeros(rows, dtype=bool)
    change[0] = True
    for key in keys:
        change[1:] |= key[order[1:]] != key[order[:-1]]
    sorted_group = np.cumsum(change) - 1
    first_sorted = order[change]  # lexsort is stable: the first of each run comes first
    rank = np.empty(first_sorted.size, dtype=np.int64)
    rank[np.argsort(first_sorted)] = np.arange(first_sorted.size)
    number = np.empty(rows, dtype=np.int64)
    number[order] = rank[sorted_group]
    return number, np.sort(first_sorted)
