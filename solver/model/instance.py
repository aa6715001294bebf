"""The data of a problem: nodes, tasks and the instance that holds them.

`Node` and `Task` are records for the edge of the library; an `Instance` keeps one NumPy
array a field, so that a million tasks are a few arrays and not a million objects.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast, overload

import numpy as np

from ..errors import InstanceError
from .exact import Array
from .records import Labels, Node, Number, Task
from .scaled import Exact, exact_data
from .validation import (
    checked_column,
    checked_eligibility,
    checked_ids,
    checked_kinds,
    checked_max_load,
    checked_name,
    frozen,
    length_of,
    named_ids,
    plain,
    require_known_resources,
    require_resource_names,
)

__all__ = ["Exact", "Instance", "Node", "Number", "Task"]


class Instance:
    """Nodes, tasks and the rules that hold for all of them; immutable once made.

    Parameters
    ----------
    nodes : iterable of Node
    tasks : iterable of Task
    max_load : int or float, optional
        Overload limit: the load of a node may not pass `max_load` times its compute
        capacity. 1 makes the capacity hard.
    power_off : bool
        Whether an empty node is switched off and costs nothing.
    name : str, optional

    Raises
    ------
    InstanceError
        If a record breaks a rule; the message names the record and the field.

    Examples
    --------
    >>> instance = Instance(
    ...     nodes=[Node("a", compute=10, storage=64), Node("b", compute=8, storage=64)],
    ...     tasks=[Task("train", compute=9, storage=40), Task("serve", compute=5)],
    ... )
    >>> instance.num_nodes, instance.num_tasks
    (2, 2)
    """

    num_nodes: int
    num_tasks: int
    node_compute: Array
    node_storage: Array
    node_price: Array
    node_overload_price: Array
    node_kind: tuple[str | None, ...]
    node_resources: dict[str, Array]
    task_compute: Array
    task_storage: Array
    task_resources: dict[str, Array]
    task_group: Array
    groups: tuple[Labels, ...]
    max_load: Number | None
    power_off: bool
    name: str | None

    def __init__(
        self,
        nodes: Iterable[Node],
        tasks: Iterable[Task],
        max_load: Number | None = None,
        power_off: bool = False,
        name: str | None = None,
    ) -> None:
        node_list, task_list = list(nodes), list(tasks)
        _require_type(node_list, Node, "nodes")
        _require_type(task_list, Task, "tasks")
        node_ids = [node.id for node in node_list]
        task_ids = [task.id for task in task_list]
        self._build(
            node_compute=[node.compute for node in node_list],
            node_storage=[node.storage for node in node_list],
            node_price=_or_none([node.price for node in node_list]),
            node_overload_price=_or_none([node.overload_price for node in node_list]),
            node_kind=[node.kind for node in node_list],
            node_resources=_resource_columns(node_list, "node"),
            task_compute=[task.compute for task in task_list],
            task_storage=[task.storage for task in task_list],
            task_resources=_resource_columns(task_list, "task"),
            task_eligible=[task.eligible for task in task_list],
            eligible_groups=None,
            node_ids=node_ids,
            task_ids=task_ids,
            max_load=max_load,
            power_off=power_off,
            name=name,
        )

    @classmethod
    def from_arrays(
        cls,
        *,
        node_compute: Any,
        task_compute: Any,
        node_storage: Any = None,
        node_price: Any = None,
        node_overload_price: Any = None,
        node_kind: Sequence[str | None] | None = None,
        node_resources: Mapping[str, Any] | None = None,
        node_ids: Any = None,
        task_storage: Any = None,
        task_resources: Mapping[str, Any] | None = None,
        task_eligible: Any = None,
        eligible_groups: Sequence[Sequence[str] | None] | None = None,
        task_ids: Any = None,
        max_load: Number | None = None,
        power_off: bool = False,
        name: str | None = None,
    ) -> Instance:
        """Make an instance from one array a field, without an object a task.

        Parameters
        ----------
        node_compute, node_storage, node_price, node_overload_price : (n,) array-like
            As in `Node`; all but the first may be left out for the defaults.
        node_kind : sequence of n str or None, optional
        node_resources, task_resources : mapping of str to (n,) and (m,) array-like
        task_compute, task_storage : (m,) array-like
        task_eligible : optional
            Either a sequence of m label sequences (or None), or, with `eligible_groups`, an
            integer array of m positions in it.
        eligible_groups : sequence of label sequences or None, optional
            The distinct eligibility lists that `task_eligible` points into.
        node_ids, task_ids : sequence of str, optional
            Default: "node-0", "node-1", ... and "task-0", ...
        max_load, power_off, name :
            As in `Instance`.

        Raises
        ------
        InstanceError
            As in `Instance`.

        Examples
        --------
        >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 2])
        >>> instance.tasks[2].id
        'task-2'
        """
        instance = cls.__new__(cls)
        instance._build(
            node_compute=node_compute,
            node_storage=node_storage,
            node_price=node_price,
            node_overload_price=node_overload_price,
            node_kind=node_kind,
            node_resources=dict(node_resources or {}),
            task_compute=task_compute,
            task_storage=task_storage,
            task_resources=dict(task_resources or {}),
            task_eligible=task_eligible,
            eligible_groups=eligible_groups,
            node_ids=node_ids,
            task_ids=task_ids,
            max_load=max_load,
            power_off=power_off,
            name=name,
        )
        return instance

    def _build(
        self,
        *,
        node_compute: Any,
        node_storage: Any,
        node_price: Any,
        node_overload_price: Any,
        node_kind: Sequence[str | None] | None,
        node_resources: dict[str, Any],
        task_compute: Any,
        task_storage: Any,
        task_resources: dict[str, Any],
        task_eligible: Any,
        eligible_groups: Sequence[Sequence[str] | None] | None,
        node_ids: Any,
        task_ids: Any,
        max_load: Number | None,
        power_off: bool,
        name: str | None,
    ) -> None:
        self.num_nodes = n = length_of(node_compute, "node_compute")
        self.num_tasks = m = length_of(task_compute, "task_compute")
        if not n:
            raise InstanceError("nodes: the list is empty; an instance needs at least one node")
        self._node_ids = checked_ids(node_ids, "node", n)
        self._task_ids = checked_ids(task_ids, "task", m)

        def node_column(values: Any, name: str, **rules: Any) -> Array:
            return checked_column(values, "node", self._node_ids, name, n, **rules)

        def task_column(values: Any, name: str) -> Array:
            return checked_column(values, "task", self._task_ids, name, m)

        self.node_compute = node_column(node_compute, "compute")
        unlimited = np.full(n, math.inf)
        self.node_storage = (
            frozen(unlimited)
            if node_storage is None
            else node_column(node_storage, "storage", unlimited=True)
        )
        self.node_price = node_column(node_price, "price", default=self.node_compute)
        self.node_overload_price = node_column(
            node_overload_price, "overload_price", default=self.node_price
        )
        self.node_kind = checked_kinds(node_kind, n, self._node_ids)
        require_resource_names(node_resources)
        self.node_resources = {
            key: node_column(node_resources[key], f"resources[{key!r}]")
            for key in sorted(node_resources)
        }
        self.task_compute = task_column(task_compute, "compute")
        zero = np.zeros(m, dtype=np.int64)
        self.task_storage = (
            frozen(zero) if task_storage is None else task_column(task_storage, "storage")
        )
        require_known_resources(task_resources, self.node_resources)
        self.task_resources = {
            key: task_column(task_resources[key], f"resources[{key!r}]")
            if key in task_resources
            else frozen(zero)
            for key in self.node_resources
        }
        self.max_load = checked_max_load(max_load)
        if not isinstance(power_off, bool | np.bool_):
            raise InstanceError(f"power_off is {power_off!r}; it must be true or false")
        self.power_off = bool(power_off)
        self.name = checked_name(name)
        self.task_group, self.groups = checked_eligibility(
            task_eligible, eligible_groups, self._task_ids, m, self._labels()
        )

    def _labels(self) -> set[str]:
        """Everything that `eligible` may name."""
        kinds = {kind for kind in self.node_kind if kind is not None}
        return kinds.union(self.node_ids.tolist())

    @cached_property
    def node_ids(self) -> Array:
        """(n,) array of strings: the ids of the nodes."""
        return named_ids(self._node_ids, "node", self.num_nodes)

    @cached_property
    def task_ids(self) -> Array:
        """(m,) array of strings: the ids of the tasks."""
        return named_ids(self._task_ids, "task", self.num_tasks)

    @cached_property
    def nodes(self) -> Sequence[Node]:
        """The nodes as records, made one at a time when asked for."""
        return cast(Sequence[Node], _Records(self.num_nodes, self._node))

    @cached_property
    def tasks(self) -> Sequence[Task]:
        """The tasks as records, made one at a time when asked for."""
        return cast(Sequence[Task], _Records(self.num_tasks, self._task))

    def _node(self, i: int) -> Node:
        return Node(
            id=str(self.node_ids[i]),
            compute=plain(self.node_compute[i]),
            storage=plain(self.node_storage[i]),
            price=plain(self.node_price[i]),
            overload_price=plain(self.node_overload_price[i]),
            kind=self.node_kind[i],
            resources={key: plain(column[i]) for key, column in self.node_resources.items()},
        )

    def _task(self, j: int) -> Task:
        return Task(
            id=str(self.task_ids[j]),
            compute=plain(self.task_compute[j]),
            storage=plain(self.task_storage[j]),
            eligible=self.groups[self.task_group[j]],
            resources={key: plain(column[j]) for key, column in self.task_resources.items()},
        )

    @cached_property
    def eligible_nodes(self) -> Array:
        """(len(groups), n) bool: whether a task of an eligibility group may run on a node."""
        mask = np.ones((len(self.groups), self.num_nodes), dtype=bool)
        by_label: dict[str, list[int]] = {}
        for i, kind in enumerate(self.node_kind):
            if kind is not None:
                by_label.setdefault(kind, []).append(i)
        for i, label in enumerate(self.node_ids.tolist()):
            by_label.setdefault(label, []).append(i)
        for g, labels in enumerate(self.groups):
            if labels is not None:
                mask[g] = False
                for label in labels:
                    mask[g, by_label[label]] = True
        return frozen(mask)

    @cached_property
    def exact(self) -> Exact:
        """The instance in integers; see `Exact`."""
        return exact_data(
            node_compute=self.node_compute,
            node_storage=self.node_storage,
            node_price=self.node_price,
            node_overload_price=self.node_overload_price,
            node_resources=self.node_resources,
            task_compute=self.task_compute,
            task_storage=self.task_storage,
            task_resources=self.task_resources,
            max_load=self.max_load,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        mine, theirs = self.__getstate__(), other.__getstate__()
        for state, owner in ((mine, self), (theirs, other)):
            state["_node_ids"], state["_task_ids"] = owner.node_ids, owner.task_ids
        return all(_same(mine[key], theirs[key]) for key in mine)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        derived = {"node_ids", "task_ids", "nodes", "tasks", "eligible_nodes", "exact"}
        return {key: value for key, value in self.__dict__.items() if key not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            for array in value.values() if isinstance(value, dict) else (value,):
                if isinstance(array, np.ndarray):
                    frozen(array)

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        return f"<Instance {label}{self.num_nodes} nodes, {self.num_tasks} tasks>"


class _Records(Sequence[Any]):
    """A sequence whose items are made by a function of the position."""

    def __init__(self, length: int, make: Any) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Any]: ...
    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return [self._make(k) for k in range(*position.indices(self._length))]
        if not -self._length <= position < self._length:
            raise IndexError(f"position {position} of {self._length} records")
        return self._make(position % self._length)

    def __iter__(self) -> Iterator[Any]:
        return (self._make(k) for k in range(self._length))


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, np.ndarray):
        return mine.shape == theirs.shape and bool((mine == theirs).all())
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(_same(mine[k], theirs[k]) for k in mine)
    return bool(mine == theirs)


def _require_type(records: list[Any], kind: type, where: str) -> None:
    for position, record in enumerate(records):
        if not isinstance(record, kind):
            raise InstanceError(f"{where}[{position}] is {record!r}; it must be a {kind.__name__}")


def _or_none(values: list[Number | None]) -> list[Number | None] | None:
    return None if all(value is None for value in values) else values


def _resource_columns(
    records: Sequence[Node] | Sequence[Task], kind: str
) -> dict[str, list[Number]]:
    names: set[str] = set()
    for record in records:
        if not isinstance(record.resources, Mapping):
            raise InstanceError(f"{kind} {record.id!r}: resources must map names to numbers")
        names.update(record.resources)
    ordered = sorted(names, key=str)
    return {key: [record.resources.get(key, 0) for record in records] for key in ordered}
