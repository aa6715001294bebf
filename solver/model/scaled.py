"""The numbers of an instance as exact integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .costs.choices import ChoicePrices, Choices
from .costs.energy import Energy
from .costs.nodes import node_costs_in_integers
from .exact import Array, decimal_places, exact_column, exact_sum, fraction_of, scaled_integers
from .records import Number

__all__ = ["Exact", "exact_data"]


@dataclass(frozen=True)
class Exact:
    """An instance in integers, scaled by powers of ten so that nothing is rounded.

    Attributes
    ----------
    node_compute, node_overload_price, node_use_price : (n,) integers
        The prices with what electricity adds to them.
    node_surcharge : (n,) integers
        Overload price less use price: what a unit of load costs more above the capacity.
    node_on_cost, node_off_cost : (n,) integers
        What a node costs without its load while on, and while off, in units of cost.
    task_compute : (W,) integers
        Of each row: of each task, or of each part of each of its variants (see `Rows`).
    needs : (W, d) integers
        What each row needs of the d hard dimensions.
    capacity : (n, d) integers
        What each node has of them; an unlimited one has what all tasks need together.
    dimensions : tuple of str
        Names of the d columns: "storage" (left out where no node limits it), the resources
        in order, and "max_load" where it is set.
    scales : tuple of int
        The power of ten by which each dimension was multiplied.
    compute_scale, cost_scale : int
        The same for compute and for cost.
    choices : Choices or None
        What choosing forms, leaving out and moving costs; None for a plain instance.
    """

    node_compute: Array
    node_overload_price: Array
    node_use_price: Array
    node_surcharge: Array
    node_on_cost: Array
    node_off_cost: Array
    task_compute: Array
    needs: Array
    capacity: Array
    dimensions: tuple[str, ...]
    scales: tuple[int, ...]
    compute_scale: int
    cost_scale: int
    choices: Choices | None = None


def exact_data(
    *,
    node_compute: Array,
    node_storage: Array,
    node_price: Array,
    node_overload_price: Array,
    node_use_price: Array,
    node_idle_watts: Array,
    node_max_watts: Array,
    node_resources: dict[str, Array],
    task_compute: Array,
    task_storage: Array,
    task_resources: dict[str, Array],
    max_load: Number | None,
    power_off: bool | str,
    energy: Energy | None,
    node_fixed_cost: Array | None = None,
    prices: ChoicePrices | None = None,
) -> Exact:
    """Scale the columns of an instance to integers, without rounding; tasks are its rows."""
    compute_places = decimal_places(node_compute, task_compute)
    capacities = scaled_integers(node_compute, compute_places)
    demands = scaled_integers(task_compute, compute_places)
    hard = _storage(node_storage, task_storage)
    for key, column in node_resources.items():
        places = decimal_places(column, task_resources[key])
        have = scaled_integers(column, places)
        hard.append(_Hard(key, have, scaled_integers(task_resources[key], places), places))
    if max_load is not None:
        limit = fraction_of(max_load)
        most = [int(c) * limit.numerator // limit.denominator for c in capacities.tolist()]
        hard.append(_Hard("max_load", exact_column(most), demands, compute_places))
    costs = node_costs_in_integers(
        compute=capacities,
        compute_scale=10**compute_places,
        price=node_price,
        overload_price=node_overload_price,
        use_price=node_use_price,
        idle_watts=node_idle_watts,
        max_watts=node_max_watts,
        energy=energy,
        power_off=power_off,
        fixed_cost=node_fixed_cost,
        least_places=0 if prices is None else max(0, prices.places - compute_places),
    )
    cost_scale = 10**compute_places * costs.price_scale
    use, overload = costs.use, costs.overload
    return Exact(
        node_compute=capacities,
        node_overload_price=overload,
        node_use_price=use,
        node_surcharge=overload - use if use.any() else overload,
        node_on_cost=costs.on,
        node_off_cost=costs.off,
        task_compute=demands,
        needs=_stack([dimension.need for dimension in hard], hard, task_compute.size),
        capacity=_stack([dimension.have for dimension in hard], hard, node_compute.size),
        dimensions=tuple(dimension.name for dimension in hard),
        scales=tuple(10**dimension.places for dimension in hard),
        compute_scale=10**compute_places,
        cost_scale=cost_scale,
        choices=None if prices is None else prices.in_integers(cost_scale),
    )


class _Hard(NamedTuple):
    """A hard dimension: what nodes have and tasks need, times a power of ten."""

    name: str
    have: Array
    need: Array
    places: int


def _storage(node_storage: Array, task_storage: Array) -> list[_Hard]:
    """Storage as a hard dimension, or nothing where it limits nothing."""
    limited = node_storage < math.inf
    if not (limited.any() and task_storage.any()):
        return []
    finite = np.where(limited, node_storage, 0)
    finite = exact_column(finite.tolist()) if finite.dtype == object else exact_column(finite)
    places = decimal_places(finite, task_storage)
    need = scaled_integers(task_storage, places)
    have = scaled_integers(finite, places)
    total = exact_sum(need)
    if not limited.all():
        dtype = object if total > 2**62 else have.dtype
        have = np.where(limited, have.astype(dtype), total)
    return [_Hard("storage", have, need, places)]


def _stack(columns: list[Array], hard: list[_Hard], rows: int) -> Array:
    """Columns side by side, in one type for needs and capacities."""
    if not columns:
        return np.zeros((rows, 0), dtype=np.int64)
    wide = any(column.dtype == object for each in hard for column in (each.have, each.need))
    return np.stack([column.astype(object if wide else np.int64) for column in columns], axis=1)
