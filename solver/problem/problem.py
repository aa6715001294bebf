"""Classes of identical tasks and identical nodes, and the problem made ready for a method.

Real clusters have few kinds of nodes and of tasks: a model over classes is smaller than one
over single tasks by orders of magnitude, and free of their symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.exact import Array, common_ranks, sums_by_group
from ..model.instance import Instance
from .grid import Grid, Width, make_grid

__all__ = ["Classes", "Problem", "find_classes", "group_rows"]

_FIT_CHUNK = 2**24


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
        return np.argsort(self.task_class, kind="stable")

    @cached_property
    def _task_start(self) -> Array:
        return np.concatenate(([0], np.cumsum(self.task_count)))

    @cached_property
    def _node_order(self) -> Array:
        return np.argsort(self.node_class, kind="stable")

    @cached_property
    def _node_start(self) -> Array:
        return np.concatenate(([0], np.cumsum(self.node_count)))


class Problem:
    """An instance made ready: the integers solvers work on and the classes, made when needed.

    Parameters
    ----------
    instance : Instance
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    @cached_property
    def grid(self) -> Grid:
        """The instance in int64, rounded inwards: what is feasible here is feasible."""
        return make_grid(self.instance)

    @cached_property
    def outer_grid(self) -> Grid:
        """The instance in int64, rounded outwards: what is proved here is proved.

        The same as `grid` where nothing is rounded.
        """
        return self.grid if self.grid.exact else make_grid(self.instance, outer=True)

    @cached_property
    def float_grid(self) -> Grid:
        """The instance in smaller numbers, for solvers that compute in floating point."""
        return make_grid(self.instance, Width.FLOAT)

    @cached_property
    def classes(self) -> Classes:
        """Classes of identical tasks and nodes."""
        return find_classes(self.instance)

    @cached_property
    def fits(self) -> Array:
        """(K, G) bool: whether a task of class k, alone, may run on a node of class g.

        By the exact numbers: what rests on it is proved.
        """
        exact, classes = self.instance.exact, self.classes
        return self._fits(exact.needs[classes.task_first], exact.capacity[classes.node_first])

    def _fits(self, need: Array, have: Array) -> Array:
        fits = self.eligible_classes.copy()
        step = max(1, _FIT_CHUNK // max(1, have.size))
        for d in range(need.shape[1]):
            wanted, there = common_ranks(need[:, d], have[:, d])
            for start in range(0, need.shape[0], step):
                part = slice(start, start + step)
                fits[part] &= wanted[part, None] <= there[None, :]
        return fits

    @property
    def eligible_classes(self) -> Array:
        """(K, G) bool: whether a task of class k is allowed on nodes of class g."""
        classes = self.classes
        mask = self.instance.eligible_nodes[:, classes.node_first]
        return mask[self.instance.task_group[classes.task_first]]

    @cached_property
    def most_per_node(self) -> Array:
        """(K, G) int64: most tasks of class k that one node of class g can hold, exactly."""
        exact, classes = self.instance.exact, self.classes
        need, have = exact.needs[classes.task_first], exact.capacity[classes.node_first]
        return self._most(self.fits, need, have)

    def most_on(self, grid: Grid) -> Array:
        """`most_per_node` by the numbers of a given grid."""
        classes = self.classes
        if grid.exact_limits:
            return self.most_per_node
        need, have = grid.needs[classes.task_first], grid.capacity[classes.node_first]
        return self._most(self._fits(need, have), need, have)

    def _most(self, fits: Array, need: Array, have: Array) -> Array:
        most = np.where(fits, self.classes.task_count[:, None], 0)
        for d in range(need.shape[1]):
            needed = need[:, d] > 0
            room = have[None, :, d] // need[needed, d, None]
            most[needed] = np.minimum(most[needed], room).astype(np.int64)
        return most

    def keeps_limits(self, node_index: Array) -> bool:
        """Whether no hard dimension is overfull under (m,) positions of nodes, exactly."""
        exact = self.instance.exact
        return all(
            bool(
                (
                    sums_by_group(exact.needs[:, d], node_index, self.instance.num_nodes)
                    <= exact.capacity[:, d]
                ).all()
            )
            for d in range(len(exact.dimensions))
        )


def find_classes(instance: Instance) -> Classes:
    """Group tasks and nodes that no method needs to tell apart.

    Complexity: two lexicographic sorts, O(m log m + n log n).
    """
    exact = instance.exact
    mask = instance.eligible_nodes
    same_group, _ = group_rows([np.packbits(mask, axis=1)])
    task_columns = [exact.task_compute, exact.needs, same_group[instance.task_group]]
    task_class, task_first = group_rows(task_columns)
    node_class, node_first = group_rows(
        [
            exact.node_compute,
            exact.node_price,
            exact.node_overload_price,
            exact.capacity,
            np.packbits(mask, axis=0).T,
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
