"""The data of a problem: nodes, tasks and the instance that holds them.

`Node` and `Task` are records for the edge of the library; an `Instance` keeps one NumPy
array a field, so that a million tasks are a few arrays and not a million objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from ..errors import InstanceError
from .checking.assembly import checked, columns_of, taken
from .costs.energy import Energy
from .eligibility import Eligibility
from .exact import Array
from .fields import Field, Kind, fields_of
from .records import Labels, Node, Number, RecordView, Task
from .scaled import Exact, exact_data
from .checking.validation import (
    are_positions,
    checked_positions,
    frozen,
    labels_among,
    labels_of,
    named_ids,
    plain,
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
    power_off : bool or "rented" or "owned"
        Whether an empty node is switched off: True, or "rented", and it costs nothing; "owned",
        and it still costs its price, but draws no power.
    energy : Energy or mapping, optional
        What electricity costs, for nodes with watts.
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
    node_use_price: Array
    node_idle_watts: Array
    node_max_watts: Array
    node_kind: tuple[str | None, ...]
    node_resources: dict[str, Array]
    task_compute: Array
    task_storage: Array
    task_resources: dict[str, Array]
    task_group: Array
    groups: tuple[Labels, ...]
    max_load: Number | None
    power_off: bool | str
    energy: Energy | None
    name: str | None
    _node_ids: Array | None
    _task_ids: Array | None

    def __init__(
        self,
        nodes: Iterable[Node],
        tasks: Iterable[Task],
        max_load: Number | None = None,
        power_off: bool | str = False,
        name: str | None = None,
        energy: Any = None,
    ) -> None:
        columns = {**columns_of(nodes, "node", Node), **columns_of(tasks, "task", Task)}
        settings = {"max_load": max_load, "power_off": power_off, "energy": energy, "name": name}
        self.__dict__.update(checked(columns, settings))

    @classmethod
    def from_arrays(
        cls,
        *,
        node_compute: Any,
        task_compute: Any,
        node_storage: Any = None,
        node_price: Any = None,
        node_overload_price: Any = None,
        node_use_price: Any = None,
        node_idle_watts: Any = None,
        node_max_watts: Any = None,
        node_kind: Sequence[str | None] | None = None,
        node_resources: Mapping[str, Any] | None = None,
        node_ids: Any = None,
        task_storage: Any = None,
        task_resources: Mapping[str, Any] | None = None,
        task_eligible: Any = None,
        eligible_groups: Sequence[Sequence[str] | None] | None = None,
        task_ids: Any = None,
        max_load: Number | None = None,
        power_off: bool | str = False,
        name: str | None = None,
        energy: Any = None,
        **further: Any,
    ) -> Instance:
        """Make an instance from one array a field, without an object a task.

        Parameters
        ----------
        node_compute, node_storage, node_price, node_overload_price, node_use_price :
            (n,) array-like.
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
        max_load, power_off, energy, name :
            As in `Instance`.
        **further : (n,) or (m,) array-like
            Any other field of a node or a task, as `node_` or `task_` and its name.

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
        columns = {
            "node_ids": node_ids,
            "node_compute": node_compute,
            "node_storage": node_storage,
            "node_price": node_price,
            "node_overload_price": node_overload_price,
            "node_use_price": node_use_price,
            "node_idle_watts": node_idle_watts,
            "node_max_watts": node_max_watts,
            "node_kind": node_kind,
            "node_resources": node_resources,
            "task_ids": task_ids,
            "task_compute": task_compute,
            "task_storage": task_storage,
            "task_resources": task_resources,
            "task_eligible": task_eligible,
            "eligible_groups": eligible_groups,
            **further,
        }
        settings = {"max_load": max_load, "power_off": power_off, "energy": energy, "name": name}
        return cls._made(columns, settings)

    def replace(self, **changes: Any) -> Instance:
        """A copy with some columns or settings changed; what is not named stays as it is.

        Parameters
        ----------
        **changes
            Arguments of `from_arrays`. None stands for the default; a price that had been left
            out stays what it was when the compute changes. `task_eligible` alone may be lists,
            or positions in the present `groups`.

        Raises
        ------
        InstanceError
            As in `Instance`.

        Examples
        --------
        >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2])
        >>> instance.replace(task_compute=[1, 2], max_load=2).max_load
        2
        """
        columns, settings = self._columns(), self._settings()
        kept = frozenset(columns).difference(changes)
        if not kept >= {"node_ids", "node_kind", "task_eligible", "eligible_groups"}:
            kept -= {"task_eligible", "eligible_groups"}  # what it names may be gone
        if "node_resources" in changes:
            kept -= {"task_resources"}  # the tasks have those that the nodes have
        if "task_eligible" in changes and not are_positions(changes["task_eligible"]):
            changes.setdefault("eligible_groups", None)
        settings.update((key, changes.pop(key)) for key in tuple(changes) if key in settings)
        return self._made({**columns, **changes}, settings, kept)

    def restrict(self, nodes: Any, tasks: Any) -> Instance:
        """The instance of some of the nodes and tasks, in the order given.

        Parameters
        ----------
        nodes, tasks : array-like of positions
            From 0 on, each at most once.

        Raises
        ------
        InstanceError
            If something is no position or stands twice, no node is left, or a task is eligible
            for none of them.

        Examples
        --------
        >>> instance = Instance.from_arrays(node_compute=[4, 5], task_compute=[3, 2, 1])
        >>> instance.restrict([1], [0, 2]).task_ids.tolist()
        ['task-0', 'task-2']
        """
        at = {
            "node": checked_positions(nodes, "nodes", self.num_nodes),
            "task": checked_positions(tasks, "tasks", self.num_tasks),
        }
        columns = {
            field.argument: taken(self._column(field), at[field.owner])
            for owner in at
            for field in fields_of(owner)
        }
        kept = frozenset(columns).difference({"task_eligible"})
        used, group = np.unique(columns["task_eligible"], return_inverse=True)
        known = labels_of(columns["node_ids"], columns["node_kind"])
        left = [labels_among(self.groups[g], known) for g in used.tolist()]
        if () in left:
            j = at["task"][int(np.argmax(group == left.index(())))]
            raise InstanceError(
                f"task {str(self.task_ids[j])!r}: eligible names none of the nodes that are kept"
            )
        columns.update(task_eligible=group, eligible_groups=left)
        return self._made(columns, self._settings(), kept)

    @classmethod
    def _made(cls, columns: dict[str, Any], settings: dict[str, Any], *kept: Any) -> Instance:
        instance = cls.__new__(cls)
        instance.__dict__.update(checked(columns, settings, *kept))
        return instance

    def _columns(self) -> dict[str, Any]:
        """What `from_arrays` would be called with; ids as they were given."""
        columns = {f.argument: self._column(f) for o in ("node", "task") for f in fields_of(o)}
        columns.update(node_ids=self._node_ids, task_ids=self._task_ids)
        columns["eligible_groups"] = self.groups
        return columns

    def _column(self, field: Field) -> Any:
        if field.kind is Kind.LABELS:
            return self.task_group
        return getattr(self, field.argument)

    def _settings(self) -> dict[str, Any]:
        names = ("max_load", "power_off", "energy", "name")
        return {name: getattr(self, name) for name in names}

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
        return cast(Sequence[Node], RecordView(self.num_nodes, self._node))

    @cached_property
    def tasks(self) -> Sequence[Task]:
        """The tasks as records, made one at a time when asked for."""
        return cast(Sequence[Task], RecordView(self.num_tasks, self._task))

    def _node(self, i: int) -> Node:
        return Node(**self._values("node", i))

    def _task(self, j: int) -> Task:
        return Task(**self._values("task", j))

    def _values(self, owner: str, position: int) -> dict[str, Any]:
        """The fields of one record."""
        values: dict[str, Any] = {}
        for field in fields_of(owner):
            column = self._column(field)
            if field.kind is Kind.ID:
                values[field.name] = str(column[position])
            elif field.kind is Kind.LABELS:
                values[field.name] = self.groups[column[position]]
            elif field.kind is Kind.RESOURCES:
                values[field.name] = {key: plain(each[position]) for key, each in column.items()}
            else:
                values[field.name] = plain(column[position])
        return values

    @cached_property
    def eligibility(self) -> Eligibility:
        """Who may run where, without a mask of all groups and nodes."""
        return Eligibility(self.groups, self.node_ids, self.node_kind)

    @property
    def eligible_nodes(self) -> Array:
        """(len(groups), n) bool: whether a task of an eligibility group may run on a node.

        A gigabyte for 100,000 groups and 10,000 nodes; `eligibility` tells of single ones.
        """
        mask = self.eligibility.mask
        if mask is None:
            everything = np.arange(len(self.groups)), np.arange(self.num_nodes)
            mask = frozen(self.eligibility.block(*everything))
        return mask

    @cached_property
    def exact(self) -> Exact:
        """The instance in integers; see `Exact`."""
        return exact_data(
            node_compute=self.node_compute,
            node_storage=self.node_storage,
            node_price=self.node_price,
            node_overload_price=self.node_overload_price,
            node_use_price=self.node_use_price,
            node_idle_watts=self.node_idle_watts,
            node_max_watts=self.node_max_watts,
            node_resources=self.node_resources,
            task_compute=self.task_compute,
            task_storage=self.task_storage,
            task_resources=self.task_resources,
            max_load=self.max_load,
            power_off=self.power_off,
            energy=self.energy,
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
        derived = {"node_ids", "task_ids", "nodes", "tasks", "eligibility", "exact"}
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


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, np.ndarray):
        if mine.shape != theirs.shape:
            return False
        if mine.dtype != theirs.dtype and mine.dtype.kind in "if":
            return bool(mine.tolist() == theirs.tolist())  # NumPy would compare them as floats
        return bool((mine == theirs).all())
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(_same(mine[k], theirs[k]) for k in mine)
    return bool(mine == theirs)
