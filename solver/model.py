"""The data of a problem: nodes, tasks and the instance that holds them.

`Node` and `Task` are records for the edge of the library; an `Instance` keeps one NumPy
array a field, so that a million tasks are a few arrays and not a million objects.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast, overload

import numpy as np

from .errors import InstanceError
from .exact import (
    Array,
    decimal_places,
    exact_column,
    exact_sum,
    fraction_of,
    scaled_integers,
)

__all__ = ["Exact", "Instance", "Node", "Number", "Task"]

Number = int | float
Labels = tuple[str, ...] | None

# A resource of such a name would be mistaken for the field in a CSV column or by `used`.
_FIELDS = frozenset(
    {"id", "compute", "storage", "price", "overload_price", "kind", "eligible", "max_load"}
)


@dataclass(frozen=True, slots=True)
class Node:
    """A place that runs tasks, such as a GPU server.

    Parameters
    ----------
    id : str
        Name, unique among the nodes.
    compute : int or float
        Compute capacity C, in the unit used for the tasks' demand.
    storage : int or float
        Hard storage capacity S; unlimited (``math.inf``) unless given.
    price : int or float, optional
        Price p of one unit of capacity, paid whether used or not. Default: `compute`.
    overload_price : int or float, optional
        Price o of one unit of load above the capacity. Default: `price`.
    kind : str, optional
        A label that tasks may name in `eligible`, such as "V100".
    resources : mapping of str to int or float
        Further hard capacities. A resource that other nodes list and this one does not is 0.
    """

    id: str
    compute: Number
    storage: Number = math.inf
    price: Number | None = None
    overload_price: Number | None = None
    kind: str | None = None
    resources: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work that runs on exactly one node.

    Parameters
    ----------
    id : str
        Name, unique among the tasks.
    compute : int or float
        Compute demand D.
    storage : int or float
        Storage need s.
    eligible : sequence of str, optional
        Ids or kinds of the nodes that may host the task, any one suffices. Default: all.
    resources : mapping of str to int or float
        Needs of further resources; each name must be one that some node lists.
    """

    id: str
    compute: Number
    storage: Number = 0
    eligible: Sequence[str] | None = None
    resources: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class Exact:
    """An instance in integers, scaled by powers of ten so that nothing is rounded.

    Attributes
    ----------
    node_compute, node_price, node_overload_price : (n,) integers
    task_compute : (m,) integers
    needs : (m, d) integers
        What each task needs of the d hard dimensions.
    capacity : (n, d) integers
        What each node has of them; an unlimited one has what all tasks need together.
    dimensions : tuple of str
        Names of the d columns: "storage" (left out where no node limits it), the resources
        in order, and "max_load" where it is set.
    scales : tuple of int
        The power of ten by which each dimension was multiplied.
    compute_scale, cost_scale : int
        The same for compute and for cost.
    """

    node_compute: Array
    node_price: Array
    node_overload_price: Array
    task_compute: Array
    needs: Array
    capacity: Array
    dimensions: tuple[str, ...]
    scales: tuple[int, ...]
    compute_scale: int
    cost_scale: int


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
        self.num_nodes = n = _length(node_compute, "node_compute")
        self.num_tasks = m = _length(task_compute, "task_compute")
        if not n:
            raise InstanceError("nodes: the list is empty; an instance needs at least one node")
        self._node_ids = _ids(node_ids, "node", n)
        self._task_ids = _ids(task_ids, "task", m)

        def node_column(values: Any, name: str, **rules: Any) -> Array:
            return _column(values, "node", self._node_ids, name, n, **rules)

        def task_column(values: Any, name: str) -> Array:
            return _column(values, "task", self._task_ids, name, m)

        self.node_compute = node_column(node_compute, "compute")
        unlimited = np.full(n, math.inf)
        self.node_storage = (
            _frozen(unlimited)
            if node_storage is None
            else node_column(node_storage, "storage", unlimited=True)
        )
        self.node_price = node_column(node_price, "price", default=self.node_compute)
        self.node_overload_price = node_column(
            node_overload_price, "overload_price", default=self.node_price
        )
        self.node_kind = _kinds(node_kind, n, self._node_ids)
        _require_resource_names(node_resources)
        self.node_resources = {
            key: node_column(node_resources[key], f"resources[{key!r}]")
            for key in sorted(node_resources)
        }
        self.task_compute = task_column(task_compute, "compute")
        zero = np.zeros(m, dtype=np.int64)
        self.task_storage = (
            _frozen(zero) if task_storage is None else task_column(task_storage, "storage")
        )
        _require_known_resources(task_resources, self.node_resources)
        self.task_resources = {
            key: task_column(task_resources[key], f"resources[{key!r}]")
            if key in task_resources
            else _frozen(zero)
            for key in self.node_resources
        }
        self.max_load = _max_load(max_load)
        if not isinstance(power_off, bool | np.bool_):
            raise InstanceError(f"power_off is {power_off!r}; it must be true or false")
        self.power_off = bool(power_off)
        if name is not None and not isinstance(name, str):
            raise InstanceError(f"name is {name!r}; it must be text")
        self.name = name
        self.task_group, self.groups = _eligibility(task_eligible, eligible_groups, m, self)

    @cached_property
    def node_ids(self) -> Array:
        """(n,) array of strings: the ids of the nodes."""
        return _named(self._node_ids, "node", self.num_nodes)

    @cached_property
    def task_ids(self) -> Array:
        """(m,) array of strings: the ids of the tasks."""
        return _named(self._task_ids, "task", self.num_tasks)

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
            compute=_plain(self.node_compute[i]),
            storage=_plain(self.node_storage[i]),
            price=_plain(self.node_price[i]),
            overload_price=_plain(self.node_overload_price[i]),
            kind=self.node_kind[i],
            resources={key: _plain(column[i]) for key, column in self.node_resources.items()},
        )

    def _task(self, j: int) -> Task:
        return Task(
            id=str(self.task_ids[j]),
            compute=_plain(self.task_compute[j]),
            storage=_plain(self.task_storage[j]),
            eligible=self.groups[self.task_group[j]],
            resources={key: _plain(column[j]) for key, column in self.task_resources.items()},
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
        return _frozen(mask)

    @cached_property
    def exact(self) -> Exact:
        """The instance in integers; see `Exact`."""
        return _exact(self)

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
                    _frozen(array)

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


def _exact(instance: Instance) -> Exact:
    compute_places = decimal_places(instance.node_compute, instance.task_compute)
    price_places = decimal_places(instance.node_price, instance.node_overload_price)
    needs: list[Array] = []
    capacity: list[Array] = []
    dimensions: list[str] = []
    scales: list[int] = []

    def add(name: str, have: Array, need: Array, places: int) -> None:
        capacity.append(have)
        needs.append(need)
        dimensions.append(name)
        scales.append(10**places)

    limited = instance.node_storage < math.inf
    if limited.any() and instance.task_storage.any():
        finite = np.where(limited, instance.node_storage, 0)
        finite = exact_column(finite.tolist()) if finite.dtype == object else exact_column(finite)
        places = decimal_places(finite, instance.task_storage)
        need = scaled_integers(instance.task_storage, places)
        have = scaled_integers(finite, places)
        total = exact_sum(need)
        if not limited.all():
            dtype = object if total > 2**62 else have.dtype
            have = np.where(limited, have.astype(dtype), total)
        add("storage", have, need, places)
    for key, column in instance.node_resources.items():
        places = decimal_places(column, instance.task_resources[key])
        need = scaled_integers(instance.task_resources[key], places)
        add(key, scaled_integers(column, places), need, places)
    node_compute = scaled_integers(instance.node_compute, compute_places)
    task_compute = scaled_integers(instance.task_compute, compute_places)
    if instance.max_load is not None:
        limit = fraction_of(instance.max_load)
        most = [int(c) * limit.numerator // limit.denominator for c in node_compute.tolist()]
        add("max_load", exact_column(most), task_compute, compute_places)
    wide = any(column.dtype == object for column in needs + capacity)
    kind = object if wide else np.int64
    shape_m, shape_n = (instance.num_tasks, 0), (instance.num_nodes, 0)
    return Exact(
        node_compute=node_compute,
        node_price=scaled_integers(instance.node_price, price_places),
        node_overload_price=scaled_integers(instance.node_overload_price, price_places),
        task_compute=task_compute,
        needs=_stack(needs, kind) if needs else np.zeros(shape_m, dtype=np.int64),
        capacity=_stack(capacity, kind) if capacity else np.zeros(shape_n, dtype=np.int64),
        dimensions=tuple(dimensions),
        scales=tuple(scales),
        compute_scale=10**compute_places,
        cost_scale=10 ** (compute_places + price_places),
    )


def _stack(columns: list[Array], kind: Any) -> Array:
    return np.stack([column.astype(kind) for column in columns], axis=1)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


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


def _length(values: Any, name: str) -> int:
    try:
        return len(values)
    except TypeError:
        raise InstanceError(f"{name} is {values!r}; it must be an array or list") from None


def _ids(ids: Any, kind: str, count: int) -> Array | None:
    """The ids as an array of strings, or None for the automatic ones."""
    if ids is None:
        return None
    items = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(items) != count:
        raise InstanceError(f"{kind}_ids has {len(items)} entries for {count} {kind}s")
    for position, item in enumerate(items):
        if not isinstance(item, str) or not item:
            raise InstanceError(
                f"{kind}s[{position}]: id is {item!r}; it must be text that is not empty"
            )
    if len(set(items)) < count:
        seen: set[str] = set()
        for position, item in enumerate(items):
            if item in seen:
                raise InstanceError(
                    f"{kind} {item!r}: the id stands twice (again at position {position}); "
                    "every id must be unique"
                )
            seen.add(item)
    try:
        return _frozen(np.array(items, dtype=np.dtypes.StringDType()))
    except UnicodeEncodeError as error:
        raise InstanceError(f"{kind}_ids: {error.object!r} is not valid Unicode text") from None


def _named(ids: Array | None, kind: str, count: int) -> Array:
    if ids is not None:
        return ids
    text = np.dtypes.StringDType()
    prefix = np.array(f"{kind}-", dtype=text)
    return _frozen(np.strings.add(prefix, np.arange(count).astype(text)))


def _column(
    values: Any,
    kind: str,
    ids: Array | None,
    name: str,
    count: int,
    *,
    unlimited: bool = False,
    default: Array | None = None,
) -> Array:
    """Validate one column; `default` fills the places where the value is None."""

    def label(position: int) -> str:
        return f"{kind} {str(ids[position]) if ids is not None else f'{kind}-{position}'!r}"

    if values is None and default is not None:
        return default
    if _length(values, f"{kind}_{name}") != count:
        raise InstanceError(f"{kind}_{name} has {len(values)} entries for {count} {kind}s")
    if default is not None and not isinstance(values, np.ndarray):
        values = [_plain(default[k]) if v is None else v for k, v in enumerate(values)]
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InstanceError(f"{kind}_{name} has shape {values.shape}; it must have one axis")
    try:
        column = exact_column(values)
    except TypeError as error:
        message, position = error.args
        raise InstanceError(f"{label(position)}: {name}: {message}") from None
    try:
        floats = column.astype(np.float64) if column.dtype == object else column
    except OverflowError:
        wide = [isinstance(v, int) and abs(v) > sys.float_info.max for v in column.tolist()]
        raise InstanceError(
            f"{label(wide.index(True))}: {name}: the number is too large; at most 1.79e308"
        ) from None
    bad = ~(floats >= 0) if unlimited else ~((floats >= 0) & (floats < math.inf))
    if bad.any():
        position = int(np.argmax(bad))
        rule = "0 or more (inf for unlimited)" if unlimited else "a finite number, 0 or more"
        raise InstanceError(
            f"{label(position)}: {name} is {_plain(column[position])!r}; it must be {rule}"
        )
    return _frozen(column)


def _kinds(
    kinds: Sequence[str | None] | None, count: int, ids: Array | None
) -> tuple[str | None, ...]:
    if kinds is None:
        return (None,) * count
    items = kinds.tolist() if isinstance(kinds, np.ndarray) else list(kinds)
    if len(items) != count:
        raise InstanceError(f"node_kind has {len(items)} entries for {count} nodes")
    for position, item in enumerate(items):
        if item is not None and (not isinstance(item, str) or not item):
            label = str(ids[position]) if ids is not None else f"node-{position}"
            raise InstanceError(f"node {label!r}: kind is {item!r}; it must be text or None")
    return tuple(items)


def _require_resource_names(names: Iterable[Any]) -> None:
    for key in names:
        if not isinstance(key, str) or not key or key in _FIELDS:
            raise InstanceError(
                f"nodes: resources[{key!r}]: the name of a resource must be text, not empty, "
                "and none of the fields of a node or a task"
            )


def _require_known_resources(needed: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key in needed:
        if key not in known:
            choices = ", ".join(map(repr, known)) or "none"
            raise InstanceError(
                f"tasks: resources[{key!r}] is a resource that no node lists "
                f"(known: {choices}); give the nodes their capacity of it"
            )


def _max_load(value: Any) -> Number | None:
    if value is None:
        return None
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InstanceError(f"max_load is {value!r}; it must be a finite number above 0, or None")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _eligibility(
    specs: Any, groups: Sequence[Sequence[str] | None] | None, count: int, instance: Instance
) -> tuple[Array, tuple[Labels, ...]]:
    """Number the distinct eligibility lists: group 0 is "all nodes", the rest as they come."""
    if specs is None and groups is not None:
        raise InstanceError("eligible_groups is given without task_eligible, which points into it")
    if specs is None:
        return _frozen(np.zeros(count, dtype=np.int32)), (None,)
    if _length(specs, "task_eligible") != count:
        raise InstanceError(f"task_eligible has {len(specs)} entries for {count} tasks")

    def label(j: int) -> str:
        name = instance._task_ids[j] if instance._task_ids is not None else f"task-{j}"
        return f"task {str(name)!r}"

    known = {kind for kind in instance.node_kind if kind is not None}
    known.update(instance.node_ids.tolist())
    number: dict[Labels, int] = {None: 0}

    def number_of(spec: Any, where: str) -> int:
        return number.setdefault(_labels(spec, where, known), len(number))

    if groups is None:
        found = [number_of(spec, label(j)) for j, spec in enumerate(specs)]
        return _frozen(np.array(found, dtype=np.int32)), tuple(number)
    positions = np.asarray(specs) if count else np.zeros(0, dtype=np.int64)
    if positions.dtype.kind not in "iu" or positions.ndim != 1:
        raise InstanceError("task_eligible must hold integer positions in eligible_groups")
    outside = (positions < 0) | (positions >= len(groups))
    if outside.any():
        j = int(np.argmax(outside))
        raise InstanceError(
            f"{label(j)}: eligible is group {positions[j]}; eligible_groups has {len(groups)}"
        )
    used, first = np.unique(positions, return_index=True)
    renumber = np.zeros(len(groups), dtype=np.int32)
    for position in used[np.argsort(first)].tolist():
        renumber[position] = number_of(groups[position], f"eligible_groups[{position}]")
    return _frozen(renumber[positions]), tuple(number)


def _labels(spec: Any, where: str, known: set[str]) -> Labels:
    if spec is None:
        return None
    if isinstance(spec, str) or not isinstance(spec, Iterable):
        raise InstanceError(f"{where}: eligible is {spec!r}; it must be a list of ids or kinds")
    items = list(spec)
    if not items:
        raise InstanceError(f"{where}: eligible is empty; name a node or a kind, or leave it out")
    for item in items:
        if not isinstance(item, str) or item not in known:
            raise InstanceError(
                f"{where}: eligible names {item!r}, which is neither a node id nor a kind"
            )
    return tuple(sorted(set(items)))
