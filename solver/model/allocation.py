"""An allocation: which task is on which node, in which form, and what follows from that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..system.whole_files import atomic_text, write_csv
from .exact import Array, decimal_places, number_of, scaled_integers, sums_by_group
from .instance import Instance

__all__ = ["Allocation", "allocation_rows"]


class _NodeOf(Mapping[str, Any]):
    """Read-only view from task id to the ids of its nodes."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation

    def __getitem__(self, task: str) -> Any:
        allocation = self._allocation
        if allocation.instance.is_plain:
            j = allocation._task_at[task]
            return str(allocation.instance.node_ids[allocation.node_index[j]])
        return allocation._nodes_of(allocation._task_at[task])

    def __iter__(self) -> Iterator[str]:
        return iter(self._allocation.instance.task_ids.tolist())

    def __len__(self) -> int:
        return self._allocation.instance.num_tasks


class Allocation:
    """A node for every task; or for each part of the variant in which it runs.

    Parameters
    ----------
    instance : Instance
    node_index : (W,) integers
        Position of the node of each row of ``instance.rows``: of each task, where no task has
        variants. -1 stands for rows that are not in use: the other variants of a task, or a task
        that is left out; an instance without any of what needs that has a node for each.

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
        plain = instance.is_plain
        count = instance.num_tasks if plain else instance.rows.num_rows
        if index.shape != (count,):
            rows = "" if count == instance.num_tasks else f" in {count} rows"
            raise ValueError(
                f"node_index has {index.size} entries for {instance.num_tasks} tasks{rows}"
            )
        least = 0 if plain else -1
        if index.size and not (least <= int(index.min()) and int(index.max()) < instance.num_nodes):
            unused = "" if plain else ", or -1 for rows not in use"
            raise ValueError(f"node_index must hold positions 0..{instance.num_nodes - 1}{unused}")
        index.flags.writeable = False
        self.instance = instance
        self.node_index: Array = index

    @cached_property
    def node_of(self) -> Mapping[str, Any]:
        """Mapping from task id to the id of its node.

        Of a task in several parts a tuple of ids in the order of the parts, of one that is left
        out None.
        """
        return _NodeOf(self)

    def variant_of(self, task: str) -> str | None:
        """Name of the variant in which a task runs; None if it has none or is left out."""
        j = self._task_at[task]
        used = self._used_rows(j)
        if not used or self.instance.is_plain:
            return None
        rows = self.instance.rows
        source = int(rows.form_source[rows.form[used[0]]])
        return None if source < 0 else rows.all_variants[source].name

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Ids of the tasks without a node."""
        instance = self.instance
        if instance.is_plain:
            return ()
        has_node = np.zeros(instance.num_tasks, dtype=bool)
        has_node[instance.rows.task[self.node_index >= 0]] = True
        return tuple(instance.task_ids[~has_node].tolist())

    def to_mapping(self) -> dict[str, Any]:
        """The place of every task by names, as `check` and `cost_of` take it.

        A node id; a list of them for a task in several parts; ``{"node": ..., "variant": ...}``
        where there are several variants; None for a task that is left out.
        """
        if self.instance.is_plain:
            nodes, tasks = self.instance.node_ids.tolist(), self.instance.task_ids.tolist()
            return {task: nodes[i] for task, i in zip(tasks, self.node_index.tolist(), strict=True)}
        choices = np.diff(self.instance.rows.task_form).tolist()
        places: dict[str, Any] = {}
        for (task, place), many in zip(self.node_of.items(), choices, strict=True):
            place = list(place) if isinstance(place, tuple) else place
            named = many > 1 and place is not None
            places[task] = {"node": place, "variant": self.variant_of(task)} if named else place
        return places

    @cached_property
    def _task_at(self) -> dict[str, int]:
        return {task: j for j, task in enumerate(self.instance.task_ids.tolist())}

    def _used_rows(self, j: int) -> list[int]:
        """The rows of a task that are in use."""
        if self.instance.is_plain:
            return [j]
        first, last = self.instance.rows.task_start[j : j + 2].tolist()
        return [row for row in range(first, last) if self.node_index[row] >= 0]

    def _nodes_of(self, j: int) -> str | tuple[str, ...] | None:
        instance, used = self.instance, self._used_rows(j)
        if not used:
            return None
        nodes = tuple(instance.node_ids[self.node_index[used]].tolist())
        start = instance.rows.form_start
        form = int(instance.rows.form[used[0]])
        return nodes if max(len(nodes), start[form + 1] - start[form]) > 1 else nodes[0]

    def on_nodes(self, amounts: Array) -> tuple[Array, Array]:
        """Amounts of the rows in use, and their nodes: of (W,) amounts those with a node."""
        if self.instance.is_plain:
            return amounts, self.node_index
        used = np.flatnonzero(self.node_index >= 0)
        return amounts[used], self.node_index[used]

    def loads(self) -> Array:
        """(n,) load of each node, in the user's unit of compute."""
        exact = self.instance.exact
        return self._per_node(exact.task_compute, exact.compute_scale)

    def tasks_per_node(self) -> Array:
        """(n,) number of tasks on each node; one in several parts counts once a part."""
        node = self.node_index if self.instance.is_plain else self.node_index[self.node_index >= 0]
        return np.bincount(node, minlength=self.instance.num_nodes)

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
        return self._per_node(*_scaled(instance.rows.storage))

    def _per_node(self, amounts: Array, scale: int) -> Array:
        sums = sums_by_group(*self.on_nodes(amounts), self.instance.num_nodes)
        if scale == 1:
            return sums
        totals = [number_of(int(total), scale) for total in sums.tolist()]
        wide = any(isinstance(total, int) for total in totals)
        return np.array(totals, dtype=object if wide else np.float64)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table of `allocation_rows`, in the order of the instance."""
        header, rows = allocation_rows(self)
        with atomic_text(path) as stream:
            write_csv(stream, header, rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Allocation):
            return NotImplemented
        same = np.array_equal(self.node_index, other.node_index)
        return same and self.instance == other.instance

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Allocation of {self.instance.num_tasks} tasks to {self.instance.num_nodes} nodes>"


def allocation_rows(allocation: Allocation) -> tuple[tuple[str, ...], Iterator[Sequence[Any]]]:
    """The table of an allocation: its header, and a row for each task or part of one.

    The columns are `task_id,node_id`, and `variant,part` where some task has several variants or
    parts or may be left out. A task that is left out has a row without a node; `variant` is empty
    for a task with figures of its own; parts count from 1 in the order of the variant.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2])
    >>> header, rows = allocation_rows(Allocation(instance, [1, 0]))
    >>> header, list(rows)
    (('task_id', 'node_id'), [('task-0', 'node-1'), ('task-1', 'node-0')])
    """
    instance = allocation.instance
    nodes, tasks = instance.node_ids.tolist(), instance.task_ids.tolist()
    if not has_forms(instance):
        names = [*nodes, ""]  # the last one is for -1
        rows = zip(tasks, (names[i] for i in allocation.node_index.tolist()), strict=True)
        return ("task_id", "node_id"), rows
    return ("task_id", "node_id", "variant", "part"), _rows_of_parts(allocation, nodes, tasks)


def has_forms(instance: Instance) -> bool:
    """Whether some task has several variants or parts, or may be left out."""
    if instance.is_plain:
        return False
    several = instance.rows.num_rows > instance.num_tasks
    return several or bool((instance.task_skip_price < float("inf")).any())


def _rows_of_parts(
    allocation: Allocation, nodes: list[str], tasks: list[str]
) -> Iterator[Sequence[Any]]:
    rows, used = allocation.instance.rows, np.flatnonzero(allocation.node_index >= 0)
    names = [variant.name for variant in rows.all_variants] + [""]  # the last: own figures
    columns = (
        rows.task[used],
        allocation.node_index[used],
        rows.form_source[rows.form[used]],
        rows.part[used] + 1,
    )
    written = 0
    for j, i, variant, part in zip(*(column.tolist() for column in columns), strict=True):
        yield from ((task, "", "", "") for task in tasks[written:j])
        written = j + 1
        yield tasks[j], nodes[i], names[variant], part
    yield from ((task, "", "", "") for task in tasks[written:])


def _scaled(column: Array) -> tuple[Array, int]:
    places = decimal_places(column)
    return scaled_integers(column, places), 10**places
