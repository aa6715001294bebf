"""The records at the edge of the library: a node, a task, its variants and their parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

__all__ = ["Labels", "Node", "Number", "Part", "RecordView", "Task", "Variant"]

Number = int | float
Labels = tuple[str, ...] | None


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
    use_price : int or float
        Price u of one unit of load up to the capacity, on top of `price`; at most
        `overload_price`.
    kind : str, optional
        A label that tasks may name in `eligible`, such as "V100".
    resources : mapping of str to int or float
        Further hard capacities. A resource that other nodes list and this one does not is 0.
    idle_watts, max_watts : int or float
        Power drawn while on without load, and under a load of the whole capacity; linear between
        the two, and overload is read as running longer. Default of the second: the first.
    fixed_cost : int or float, optional
        What the whole node costs while on, as price lists give it; instead of `price`. Then
        `overload_price` is needed too, unless `max_load` is at most 1.
    labels : mapping of str to str
        Such as {"zone": "a"}; tasks may name "zone=a" in `eligible`, rules the domain "zone".
    state : {"open", "cordoned", "drained"}
        A cordoned node keeps the parts that are there now and takes no others; a drained one
        must end empty.
    """

    id: str
    compute: Number
    storage: Number = math.inf
    price: Number | None = None
    overload_price: Number | None = None
    kind: str | None = None
    resources: Mapping[str, Number] = field(default_factory=dict)
    use_price: Number = 0
    idle_watts: Number = 0
    max_watts: Number | None = None
    fixed_cost: Number | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    state: str = "open"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a variant, with figures of its own.

    Parameters
    ----------
    compute, storage, resources
        As in `Task`.
    eligible : sequence of str, optional
        Where this part may run. Default: where the variant may.
    """

    compute: Number
    storage: Number = 0
    resources: Mapping[str, Number] = field(default_factory=dict)
    eligible: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One form in which a task can run: quantised, pruned, or in several parts.

    Parameters
    ----------
    name : str
        Unique among the variants of a task.
    compute : int or float
        Compute demand of each part; not given where `parts` are records.
    storage, resources, eligible
        As in `Task`, of each part.
    price : int or float
        What choosing the variant costs, once a task.
    loss : int or float
        Percentage points of quality below the best variant.
    parts : int or sequence of Part
        All parts run, each on another node: so many equal ones, or parts with figures of their
        own.
    """

    name: str
    compute: Number | None = None
    storage: Number = 0
    resources: Mapping[str, Number] = field(default_factory=dict)
    eligible: Sequence[str] | None = None
    price: Number = 0
    loss: Number = 0
    parts: int | Sequence[Part] = 1


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work: on one node, or in the parts of one of its variants.

    Parameters
    ----------
    id : str
        Name, unique among the tasks.
    compute : int or float
        Compute demand D; this, `variants` or `model` is given.
    storage : int or float
        Storage need s.
    eligible : sequence of str, optional
        Ids, kinds or label values ("zone=a") of the nodes that may host the task, any one
        suffices. Default: all.
    resources : mapping of str to int or float
        Needs of further resources; each name must be one that some node lists.
    variants : sequence of Variant, optional
        The forms in which it can run; one is chosen.
    model : str, optional
        The name of such a sequence in the instance's `models`.
    replicas : int, optional
        Makes so many tasks of this one, named ``id-0``, ``id-1``, ... in the group `id`.
    groups : sequence of str
        What rules call it by.
    max_loss : int or float, optional
        Variants that lose more are not chosen.
    skip_price : int or float, optional
        The task may be left out at this price. Default: it must run.
    move_price : int or float, optional
        Price of each part that is not where it is now. Default: the instance's.
    pinned : str or sequence of str, optional
        Ids of the only nodes that its parts may run on.
    """

    id: str
    compute: Number | None = None
    storage: Number = 0
    eligible: Sequence[str] | None = None
    resources: Mapping[str, Number] = field(default_factory=dict)
    variants: Sequence[Variant] | None = None
    model: str | None = None
    replicas: int | None = None
    groups: Sequence[str] = ()
    max_loss: Number | None = None
    skip_price: Number | None = None
    move_price: Number | None = None
    pinned: str | Sequence[str] | None = None


class RecordView(Sequence[Any]):
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
