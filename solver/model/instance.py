"""The data of a problem: nodes, tasks and the instance that holds them.

`Node` and `Task` are records for the edge of the library; an `Instance` keeps one NumPy
array a field, so that a million tasks are a few arrays and not a million objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from .checking.assembly import checked, columns_of
from .checking.settings import SETTINGS
from .checking.validation import frozen, named_ids
from .copies import changed, cut, record_values, same
from .costs.choices import ChoicePrices
from .costs.energy import Energy
from .eligibility import Eligibility
from .exact import Array
from .frames.making import FromFrames
from .records import Labels, Node, Number, RecordView, Task, Variant
from .rows.rows import Rows, make_rows
from .rules import Rule
from .scaled import Exact, exact_data

__all__ = ["Exact", "Instance", "Node", "Number", "Task"]


class Instance(FromFrames):
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
    models : mapping of str to sequence of Variant, optional
        The variants of tasks that name them.
    rules : sequence of Limit, Spread, Affinity and AntiAffinity
    quality_budget, quality_price : int or float
        The most that the losses of chosen variants may sum to, and the price of each point.
    current : mapping of task id to node id, list of node ids or {"node", "variant"}, optional
        Where tasks run now; what it does not know is nowhere.
    move_price, max_moves : int or float
        Price of each part that is not where it is now, unless its task has one, and how many may.
    max_moving : mapping of str to int, optional
        How many parts of tasks of a group may be moving at a time, by the group; for plans.
    currency : str, optional
        The unit of cost, for reports.

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
    node_fixed_cost: Array
    node_labels: dict[str, tuple[str | None, ...]]
    node_state: tuple[str, ...]
    task_model: Array
    variant_sets: tuple[tuple[Variant, ...], ...]
    model_names: tuple[str | None, ...]
    models: dict[str, tuple[Variant, ...]]
    task_groups: Array
    group_sets: tuple[tuple[str, ...], ...]
    task_pinned: Array
    pinned_sets: tuple[Labels, ...]
    task_max_loss: Array
    task_skip_price: Array
    task_move_price: Array
    rules: tuple[Rule, ...]
    quality_budget: Number | None
    quality_price: Number
    current: Array | None
    move_price: Number
    max_moves: int | None
    max_moving: dict[str, int]
    currency: str | None
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
        *,
        models: Mapping[str, Sequence[Variant]] | None = None,
        rules: Iterable[Any] = (),
        quality_budget: Number | None = None,
        quality_price: Number = 0,
        current: Any = None,
        move_price: Number = 0,
        max_moves: int | None = None,
        max_moving: Mapping[str, int] | None = None,
        currency: str | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in SETTINGS}
        columns = {**columns_of(nodes, "node", Node), **columns_of(tasks, "task", Task)}
        self.__dict__.update(checked(columns, given))

    @classmethod
    def from_arrays(
        cls,
        *,
        node_compute: Any,
        task_compute: Any = None,
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
        **further
            Any other field, as `node_` or `task_` and its name: numbers with inf for none;
            `node_labels` by key; `task_model` as m names or positions in `models`, -1 for own
            figures; `task_groups` and `task_pinned` as m lists of names, or as positions in
            `group_sets` and `pinned_sets`. And the settings of `Instance`.

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
        given = {name: value for name, value in locals().items() if name in _ARGUMENTS}
        settings = {name: further.pop(name, default) for name, default in SETTINGS.items()}
        return cls._made({**given, **further}, settings)

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
        return self._made(*changed(self, changes))

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
        return self._made(*cut(self, nodes, tasks))

    @classmethod
    def _made(cls, columns: dict[str, Any], settings: dict[str, Any], *kept: Any) -> Instance:
        instance = cls.__new__(cls)
        instance.__dict__.update(checked(columns, settings, *kept))
        return instance

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
        values = record_values(self, "node", i)
        if values["fixed_cost"] is not None:
            values["price"] = None
        return Node(**values)

    def _task(self, j: int) -> Task:
        values, number = record_values(self, "task", j), int(self.task_model[j])
        if number >= 0:
            name = self.model_names[number]
            values.update(compute=None, model=name)
            values["variants"] = self.variant_sets[number] if name is None else None
        return Task(**values)

    @cached_property
    def rows(self) -> Rows:
        """What can be placed: the parts of the variants of the tasks, or just the tasks."""
        return make_rows(self.__dict__)

    def variants_of(self, j: int) -> tuple[Variant | None, ...]:
        """The variants of the task at a position; (None,) if it has figures of its own."""
        number = int(self.task_model[j])
        return (None,) if number < 0 else self.variant_sets[number]

    @cached_property
    def is_plain(self) -> bool:
        """Whether all there is to decide is which of open nodes takes which task."""
        return (
            self.rows.is_identity
            and not self.rules
            and self.current is None
            and len(self.pinned_sets) == 1
            and self.quality_budget is None
            and all(state == "open" for state in self.node_state)
            and not bool((self.task_skip_price < np.inf).any())
        )

    @cached_property
    def eligibility(self) -> Eligibility:
        """Which rows may run where, without a mask of all groups and nodes; see `Rows.group`."""
        return Eligibility(self.rows.groups, self.node_ids, self.node_kind, self.node_labels)

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
            task_compute=self.rows.compute,
            task_storage=self.rows.storage,
            task_resources=self.rows.resources,
            max_load=self.max_load,
            power_off=self.power_off,
            energy=self.energy,
            node_fixed_cost=self.node_fixed_cost,
            prices=None if self.is_plain else ChoicePrices.of(self),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        mine, theirs = self.__getstate__(), other.__getstate__()
        for state, owner in ((mine, self), (theirs, other)):
            state["_node_ids"], state["_task_ids"] = owner.node_ids, owner.task_ids
        return all(same(mine[key], theirs[key]) for key in mine)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in _DERIVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            for array in value.values() if isinstance(value, dict) else (value,):
                if isinstance(array, np.ndarray):
                    frozen(array)

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        return f"<Instance {label}{self.num_nodes} nodes, {self.num_tasks} tasks>"


_DERIVED = frozenset(
    name for name, value in vars(Instance).items() if isinstance(value, cached_property)
)
_ARGUMENTS = frozenset(inspect.signature(Instance.from_arrays).parameters) - {"further"}
