"""The records at the edge of the library: one node, one task."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

__all__ = ["Labels", "Node", "Number", "RecordView", "Task"]

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
