"""The one definition of the cost of an allocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import AllocationError
from ..model.allocation import Allocation
from ..model.exact import Array, number_of, sums_by_group
from ..model.instance import Instance, Number

__all__ = [
    "AnyAllocation",
    "as_allocation",
    "cost_in_units",
    "cost_of",
    "cost_parts",
    "in_user_units",
    "node_costs",
]

AnyAllocation = Allocation | Mapping[str, str] | Sequence[int] | Array


def cost_of(instance: Instance, allocation: AnyAllocation) -> Number:
    """Cost of an allocation: the sum over nodes of p·C + u·min(L, C) + o·max(0, L - C).

    An empty node costs p·C too, unless the instance says `power_off`: then it costs 0.

    Parameters
    ----------
    instance : Instance
    allocation : Allocation, mapping of task id to node id, or (m,) node positions

    Returns
    -------
    int or float
        An exact int where compute and prices are integers; otherwise the float nearest to
        the exact value.

    Raises
    ------
    AllocationError
        If a task is missing or unknown, or a node is unknown.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> cost_of(instance, [0, 1, 1])  # 4·4 + 4·6
    40
    """
    placed = as_allocation(instance, allocation)
    value = in_user_units(instance, cost_in_units(instance, placed.node_index))
    assert value is not None
    return value


def cost_in_units(instance: Instance, node_index: Array) -> int:
    """The cost as an exact integer multiple of 1 / `Exact.cost_scale`."""
    return sum(_node_costs_in_units(instance, node_index))


def cost_parts(instance: Instance, allocation: AnyAllocation) -> dict[str, Number]:
    """What the cost consists of, which `cost_of` sums up.

    Returns
    -------
    dict
        "idle": p·C of the nodes that are paid for, "use": u·min(L, C), "overload":
        o·max(0, L - C), each exact as in `cost_of`.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> cost_parts(instance, [0, 1, 1])
    {'idle': 32, 'use': 0, 'overload': 8}
    """
    placed = as_allocation(instance, allocation)
    scale = instance.exact.cost_scale
    parts = zip(*_node_parts_in_units(instance, placed.node_index), strict=True)
    names = ("idle", "use", "overload")
    return {name: number_of(sum(part), scale) for name, part in zip(names, parts, strict=True)}


def node_costs(allocation: Allocation) -> list[Number]:
    """(n,) cost of each node, which `cost_of` sums up; exact as there.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> node_costs(Allocation(instance, [0, 1, 1]))
    [16, 24]
    """
    instance = allocation.instance
    scale = instance.exact.cost_scale
    units = _node_costs_in_units(instance, allocation.node_index)
    return [number_of(cost, scale) for cost in units]


def _node_costs_in_units(instance: Instance, node_index: Array) -> Iterator[int]:
    return map(sum, _node_parts_in_units(instance, node_index))


def _node_parts_in_units(instance: Instance, node_index: Array) -> Iterator[tuple[int, int, int]]:
    """Cost of each node for being on, for its use and for its overload."""
    exact = instance.exact
    n = instance.num_nodes
    load = sums_by_group(exact.task_compute, node_index, n).tolist()
    empty = (np.bincount(node_index, minlength=n) == 0).tolist()
    for C, p, u, o, L, idle in zip(
        exact.node_compute.tolist(),
        exact.node_price.tolist(),
        exact.node_use_price.tolist(),
        exact.node_overload_price.tolist(),
        load,
        empty,
        strict=True,
    ):
        off = idle and instance.power_off
        yield 0 if off else p * C, u * min(L, C), o * max(0, L - C)


def in_user_units(instance: Instance, units: int | None, *, floor: bool = False) -> Number | None:
    """An exact cost in the user's own unit; see `number_of`."""
    return None if units is None else number_of(units, instance.exact.cost_scale, floor=floor)


def as_allocation(instance: Instance, allocation: AnyAllocation) -> Allocation:
    """Any accepted form of an allocation as an `Allocation` of this instance.

    Raises
    ------
    AllocationError
        If a task is missing or unknown, or a node is unknown.
    """
    if isinstance(allocation, Allocation):
        same = allocation.instance is instance or allocation.instance == instance
        if not same:
            raise AllocationError("the allocation belongs to another instance")
        return allocation
    if isinstance(allocation, Mapping):
        return Allocation(instance, _positions(instance, allocation))
    try:
        return Allocation(instance, allocation)
    except (TypeError, ValueError) as error:
        raise AllocationError(f"allocation: {error}") from None


def _positions(instance: Instance, node_of: Mapping[Any, Any]) -> list[int]:
    node_position = {node: i for i, node in enumerate(instance.node_ids.tolist())}
    tasks = instance.task_ids.tolist()
    if len(node_of) != len(tasks):
        unknown = set(node_of) - set(tasks)
        if unknown:
            raise AllocationError(f"allocation: task {min(unknown)!r} is not in the instance")
    positions = []
    for task in tasks:
        if task not in node_of:
            raise AllocationError(f"allocation: task {task!r} has no node")
        node = node_of[task]
        if node not in node_position:
            raise AllocationError(
                f"allocation: task {task!r}: node {node!r} is not in the instance"
            )
        positions.append(node_position[node])
    return positions
