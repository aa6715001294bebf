"""An allocation: which task is on which node, and what follows from that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..system.whole_files import atomic_text, write_csv
from .exact import Array, decimal_places, number_of, scaled_integers, sums_by_group
from .instance import Instance

__all__ = ["Allocation"]


class _NodeOf(Mapping[str, str]):
    """Read-only view from task id to node id."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {task: j for j, task in enumerate(self._allocation.instance.task_ids.tolist())}

    def __getitem__(self, task: str) -> str:
        instance = self._allocation.instance
        return str(instance.node_ids[self._allocation.node_index[self._positions[task]]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._allocation.instance.task_ids.tolist())

    def __len__(self) -> int:
        return self._allocation.instance.num_tasks


class Allocation:
    """A node for every task.

    Parameters
    ----------
    instance : Instance
    node_index : (m,) integers
        Position of the node that hosts each task.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 2])
    >>> allocation = Allocation(instance, [0, 1, 1])
    >>> allocation.node_of["task-2"], allocation.loads().tolist()
    ('node-1', [3, 4])
    """

    def __init__(self, instance: Instance, node_index: Any) -> None:
        given = np.asarray(node_index)
        if given.size and given.dtype.kind not in "iu":
            raise ValueError(f"node_index must hold integer positions, not {given.dtype}")
        index = np.array(given, dtype=np.int64).reshape(-1)
        if index.shape != (instance.num_tasks,):
            raise ValueError(f"node_index has {index.size} entries for {instance.num_tasks} tasks")
        if index.size and not (int(index.min()) >= 0 and int(index.max()) < instance.num_nodes):
            raise ValueError(f"node_index must hold positions 0..{instance.num_nodes - 1}")
        index.flags.writeable = False
        self.instance = instance
        self.node_index: Array = index

    @cached_property
    def node_of(self) -> Mapping[str, str]:
        """Mapping from task id to the id of its node."""
        return _NodeOf(self)

    def loads(self) -> Array:
        """(n,) load of each node, in the user's unit of compute."""
        exact = self.instance.exact
        return self._per_node(exact.task_compute, exact.compute_scale)

    def tasks_per_node(self) -> Array:
        """(n,) number of tasks on each node."""
        return np.bincount(self.node_index, minlength=self.instance.num_nodes)

    def used(self, dimension: str) -> Array:
        """(n,) amount used of "storage" or of a further resource, in the user's unit."""
        instance, exact = self.instance, self.instance.exact
        if dimension in exact.dimensions:
            column = exact.dimensions.index(dimension)
            return self._per_node(exact.needs[:, column], exact.scales[column])
        if dimension != "storage":
            raise KeyError(
                f"{dimension!r} is none of: storage, {', '.join(instance.node_resources)}"
            )
        return self._per_node(*_scaled(instance.task_storage))

    def _per_node(self, amounts: Array, scale: int) -> Array:
        sums = sums_by_group(amounts, self.node_index, self.instance.num_nodes)
        if scale == 1:
            return sums
        totals = [number_of(int(total), scale) for total in sums.tolist()]
        wide = any(isinstance(total, int) for total in totals)
        return np.array(totals, dtype=object if wide else np.float64)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `task_id,node_id`, one row a task, in the order of the instance."""
        nodes = self.instance.node_ids.tolist()
        tasks = self.instance.task_ids.tolist()
        rows = zip(tasks, (nodes[i] for i in self.node_index.tolist()), strict=True)
        with atomic_text(path) as stream:
            write_csv(stream, ("task_id", "node_id"), rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Allocation):
            return NotImplemented
        same = np.array_equal(self.node_index, other.node_index)
        return same and self.instance == other.instance

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Allocation of {self.instance.num_tasks} tasks to {self.instance.num_nodes} nodes>"


def _scaled(column: Array) -> tuple[Array, int]:
    places = decimal_places(column)
    return scaled_integers(column, places), 10**places
