"""The one definition of the cost of an allocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..errors import AllocationError
from ..model.allocation import Allocation
from ..model.exact import Array, fraction_of, number_of, sums_by_group
from ..model.instance import Instance, Number

__all__ = [
    "AnyAllocation",
    "as_allocation",
    "cost_in_units",
    "cost_of",
    "cost_parts",
    "energy_of",
    "in_user_units",
    "node_costs",
    "node_kwh",
]

AnyAllocation = Allocation | Mapping[str, str] | Sequence[int] | Array


def cost_of(instance: Instance, allocation: AnyAllocation) -> Number:
    """Cost of an allocation: the sum over nodes of p·C + u·min(L, C) + o·max(0, L - C).

    With `energy`, what the nodes draw is added. An empty node costs p·C and its idle power too,
    unless the instance says `power_off`: then it costs 0, or p·C alone if it is "owned".

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
        o·max(0, L - C), and where there is a price of electricity "energy"; each is exact or the
        float nearest to that.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> cost_parts(instance, [0, 1, 1])
    {'idle': 32, 'use': 0, 'overload': 8}
    """
    placed = as_allocation(instance, allocation)
    parts = dict.fromkeys(("idle", "use", "overload"), Fraction(0))
    rented = instance.power_off and instance.power_off != "owned"
    for node in _loaded(placed):
        if node.is_on or not rented:
            parts["idle"] += node.price * node.compute
        parts["use"] += node.use_price * min(node.load, node.compute)
        parts["overload"] += node.overload_price * max(Fraction(0), node.load - node.compute)
    if instance.energy is not None:
        parts["energy"] = fraction_of(instance.energy.price_per_kwh) * _kwh(placed)
    return {name: number_of(part.numerator, part.denominator) for name, part in parts.items()}


def energy_of(instance: Instance, allocation: AnyAllocation) -> dict[str, Number] | None:
    """Electricity that an allocation draws; None where the instance says nothing of it.

    Returns
    -------
    dict or None
        "kwh", "grams" (of CO2 equivalent) and "cost".

    Notes
    -----
    Power is linear between no load and full load, and overload is read as running longer, as
    Cloud Carbon Footprint and others have it; measured servers draw up to a fifth less at half
    load (SPECpower).

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4], node_idle_watts=[100], node_max_watts=[300], task_compute=[2],
    ...     energy={"hours": 10, "price_per_kwh": 0.5, "grams_per_kwh": 400},
    ... )
    >>> energy_of(instance, [0])
    {'kwh': 2, 'grams': 800, 'cost': 1}
    """
    energy = instance.energy
    if energy is None:
        return None
    kwh = _kwh(as_allocation(instance, allocation))
    amounts = {
        "kwh": kwh,
        "grams": kwh * fraction_of(energy.grams_per_kwh),
        "cost": kwh * fraction_of(energy.price_per_kwh),
    }
    return {name: number_of(each.numerator, each.denominator) for name, each in amounts.items()}


class _Loaded(NamedTuple):
    """A node and its load, in the user's own numbers."""

    compute: Fraction
    price: Fraction
    use_price: Fraction
    overload_price: Fraction
    idle_watts: Fraction
    max_watts: Fraction
    load: Fraction
    is_on: bool

    def watts(self) -> Fraction:
        """Power drawn, on average."""
        if not self.is_on or not self.compute:
            return self.idle_watts if self.is_on else Fraction(0)
        share = min(self.load, self.compute) / self.compute
        above = max(Fraction(0), self.load - self.compute) / self.compute
        return self.idle_watts + (self.max_watts - self.idle_watts) * share + self.max_watts * above


def _loaded(allocation: Allocation) -> Iterator[_Loaded]:
    instance, n = allocation.instance, allocation.instance.num_nodes
    exact = instance.exact
    sums = sums_by_group(exact.task_compute, allocation.node_index, n).tolist()
    load = [Fraction(total, exact.compute_scale) for total in sums]
    used = (np.bincount(allocation.node_index, minlength=n) > 0).tolist()
    columns = (
        instance.node_compute,
        instance.node_price,
        instance.node_use_price,
        instance.node_overload_price,
        instance.node_idle_watts,
        instance.node_max_watts,
    )
    numbers = zip(*(map(fraction_of, column.tolist()) for column in columns), strict=True)
    for row, carried, on in zip(numbers, load, used, strict=True):
        C, p, u, o, idle, most = row
        yield _Loaded(C, p, u, o, idle, most, carried, on or not instance.power_off)


def node_kwh(allocation: Allocation) -> list[Fraction]:
    """(n,) electricity that each node draws, exactly; 0 where the instance says nothing of it."""
    energy = allocation.instance.energy
    if energy is None:
        return [Fraction(0)] * allocation.instance.num_nodes
    return [node.watts() * energy.kwh_per_watt for node in _loaded(allocation)]


def _kwh(allocation: Allocation) -> Fraction:
    return sum(node_kwh(allocation), Fraction(0))


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
    exact = instance.exact
    n = instance.num_nodes
    load = sums_by_group(exact.task_compute, node_index, n).tolist()
    used = (np.bincount(node_index, minlength=n) > 0).tolist()
    for C, on, off, u, o, L, is_on in zip(
        exact.node_compute.tolist(),
        exact.node_on_cost.tolist(),
        exact.node_off_cost.tolist(),
        exact.node_use_price.tolist(),
        exact.node_overload_price.tolist(),
        load,
        used,
        strict=True,
    ):
        yield on + u * min(L, C) + o * max(0, L - C) if is_on else off


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
