"""The one definition of the cost of an allocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..errors import AllocationError
from ..model.allocation import Allocation
from ..model.exact import Array, exact_sum, fraction_of, number_of, sums_by_group
from ..model.instance import Instance, Number
from ..model.rows.placement import placement_of
from .placed import Placed

__all__ = [
    "AnyAllocation",
    "as_allocation",
    "cost_in_units",
    "cost_of",
    "cost_parts",
    "energy_of",
    "in_user_units",
    "node_cost_parts",
    "node_costs",
    "node_kwh",
]

AnyAllocation = Allocation | Mapping[str, Any] | Sequence[int] | Array


def cost_of(instance: Instance, allocation: AnyAllocation) -> Number:
    """Cost of an allocation: the sum over nodes of p·C + u·min(L, C) + o·max(0, L - C).

    With `energy`, what the nodes draw is added. An empty node costs p·C and its idle power too,
    unless the instance says `power_off`: then it costs 0, or p·C alone if it is "owned". A
    `fixed_cost` stands for p·C. To the nodes come the price and the loss of each variant chosen,
    the skip price of each task left out, and the move price of each part that moves.

    Parameters
    ----------
    instance : Instance
    allocation : Allocation, mapping of task id to place, or (W,) node positions
        As in `check`.

    Returns
    -------
    int or float
        An exact int where compute and prices are integers; otherwise the float nearest to
        the exact value.

    Raises
    ------
    AllocationError
        If a task that must run is missing, or a task, node or variant is unknown.

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
    """The cost as an exact integer multiple of 1 / `Exact.cost_scale`.

    What breaks a rule is priced as it stands; a task that must run and does not adds nothing.
    """
    if instance.is_plain:
        return sum(_node_costs_in_units(instance, node_index, instance.exact.task_compute))
    exact, placed = instance.exact, Placed(instance, node_index)
    choices = exact.choices
    assert choices is not None
    total = sum(_node_costs_in_units(instance, placed.node, exact.task_compute[placed.row]))
    total += exact_sum(choices.form_cost[placed.chosen])
    left_out = choices.skip_cost[~placed.has_part]
    total += exact_sum(left_out[left_out >= 0])
    if instance.current is not None:
        total += exact_sum(choices.move_cost[placed.task[placed.moved]])
    return total


def cost_parts(instance: Instance, allocation: AnyAllocation) -> dict[str, Number]:
    """What the cost consists of, which `cost_of` sums up.

    Returns
    -------
    dict
        "idle": p·C of the nodes that are paid for, "use": u·min(L, C), "overload":
        o·max(0, L - C), where there is a price of electricity "energy", and of an instance with
        variants, rules, skip prices or moves "forms", "left_out" and "moves"; each is exact or
        the float nearest to that.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> cost_parts(instance, [0, 1, 1])
    {'idle': 32, 'use': 0, 'overload': 8}
    """
    placed = as_allocation(instance, allocation)
    parts = {name: sum(each, Fraction(0)) for name, each in node_cost_parts(placed).items()}
    if not instance.is_plain:
        parts.update(_choices(Placed(instance, placed.node_index)))
    return {name: number_of(part.numerator, part.denominator) for name, part in parts.items()}


def node_cost_parts(allocation: Allocation) -> dict[str, list[Fraction]]:
    """What each node costs by what it is paid for, exactly.

    Returns
    -------
    dict of str to (n,) list
        "idle", "use", "overload" and "energy", as in `cost_parts`.
    """
    instance = allocation.instance
    rented = instance.power_off and instance.power_off != "owned"
    nodes, none = list(_loaded(allocation)), Fraction(0)
    parts = {
        "idle": [node.on_cost if node.is_on or not rented else none for node in nodes],
        "use": [node.use_price * min(node.load, node.compute) for node in nodes],
        "overload": [node.overload_price * max(none, node.load - node.compute) for node in nodes],
    }
    if instance.energy is not None:
        price = fraction_of(instance.energy.price_per_kwh)
        parts["energy"] = [price * kwh for kwh in node_kwh(allocation)]
    return parts


def _choices(placed: Placed) -> dict[str, Fraction]:
    """What the variants chosen, the tasks left out and the moves cost."""
    instance = placed.instance
    number = placed.variant_of(placed.chosen)
    forms = Fraction(0)
    quality_price = fraction_of(instance.quality_price)
    for each, many in _counted(number[number >= 0]):
        variant = placed.variants[each]
        price, loss = fraction_of(variant.price), fraction_of(variant.loss)
        forms += many * (price + quality_price * loss)
    skip = instance.task_skip_price[~placed.has_part]
    own = instance.task_move_price[placed.task[placed.moved]]
    given = own < float("inf")
    moves = fraction_of(instance.move_price) * int(np.count_nonzero(~given))
    return {
        "forms": forms,
        "left_out": _sum_of(skip[skip < float("inf")]),
        "moves": moves + _sum_of(own[given]),
    }


def _counted(values: Array) -> Iterator[tuple[Any, int]]:
    distinct, count = np.unique(values, return_counts=True)
    return zip(distinct.tolist(), count.tolist(), strict=True)


def _sum_of(prices: Array) -> Fraction:
    return sum((fraction_of(each) * many for each, many in _counted(prices)), Fraction(0))


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
    on_cost: Fraction
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
    sums = sums_by_group(*allocation.on_nodes(exact.task_compute), n).tolist()
    load = [Fraction(total, exact.compute_scale) for total in sums]
    used = (allocation.tasks_per_node() > 0).tolist()
    columns = (
        instance.node_compute,
        instance.node_price,
        instance.node_use_price,
        instance.node_overload_price,
        instance.node_idle_watts,
        instance.node_max_watts,
    )
    numbers = zip(*(map(fraction_of, column.tolist()) for column in columns), strict=True)
    whole = instance.node_fixed_cost.tolist()
    for row, fixed, carried, on in zip(numbers, whole, load, used, strict=True):
        C, p, u, o, idle, most = row
        on_cost = p * C if fixed == float("inf") else fraction_of(fixed)
        yield _Loaded(C, on_cost, u, o, idle, most, carried, on or not instance.power_off)


def node_kwh(allocation: Allocation) -> list[Fraction]:
    """(n,) electricity that each node draws, exactly; 0 where the instance says nothing of it."""
    energy = allocation.instance.energy
    if energy is None:
        return [Fraction(0)] * allocation.instance.num_nodes
    return [node.watts() * energy.kwh_per_watt for node in _loaded(allocation)]


def _kwh(allocation: Allocation) -> Fraction:
    return sum(node_kwh(allocation), Fraction(0))


def node_costs(allocation: Allocation) -> list[Number]:
    """(n,) cost of each node, exact as in `cost_of`, which sums them up.

    What variants, tasks left out and moves cost comes to that; see `cost_parts`.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 4])
    >>> node_costs(Allocation(instance, [0, 1, 1]))
    [16, 24]
    """
    exact = allocation.instance.exact
    demand, node = allocation.on_nodes(exact.task_compute)
    units = _node_costs_in_units(allocation.instance, node, demand)
    return [number_of(cost, exact.cost_scale) for cost in units]


def _node_costs_in_units(instance: Instance, node: Array, demand: Array) -> Iterator[int]:
    """(n,) cost of each node, from the node and the demand of everything that is placed."""
    exact = instance.exact
    n = instance.num_nodes
    load = sums_by_group(demand, node, n).tolist()
    used = (np.bincount(node, minlength=n) > 0).tolist()
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
        As in `placement_of`, or if positions are no nodes.
    """
    if isinstance(allocation, Allocation):
        same = allocation.instance is instance or allocation.instance == instance
        if not same:
            raise AllocationError("the allocation belongs to another instance")
        return allocation
    if isinstance(allocation, Mapping):
        return Allocation(instance, placement_of(instance, allocation))
    try:
        return Allocation(instance, allocation)
    except (TypeError, ValueError) as error:
        raise AllocationError(f"allocation: {error}") from None
