"""Numbers of too many digits for 64-bit integers: which field has them, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..model.exact import Array, common_divisor, decimal_places, exact_column
from ..model.instance import Instance
from .problem import Problem

__all__ = ["what_to_round"]

_ELECTRICITY = (
    "electricity is paid by watts divided by node compute, which has too many digits for exact "
    "sums in 64 bits; fewer different node computes, or rounder ones, close the gap"
)


def what_to_round(problem: Problem) -> str | None:
    """A sentence that names a field whose digits do not all fit, and how many would; or None.

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[1.5, 2], node_price=[1 / 3, 0.1], task_compute=[0.123456789012345] * 999,
    ...     power_off=True,
    ... )
    >>> print(what_to_round(Problem(instance)))
    task compute has up to 15 decimals (such as 0.123456789012345), and the exact sums do not fit \
into 64 bits; round it to 8 to close the gap
    """
    grid, instance = problem.outer_grid, problem.instance
    if grid.exact:
        return None
    exact = instance.exact
    for d, unit in enumerate(grid.need_units):
        if unit > (common_divisor(exact.needs[:, d]) or 1):
            return _sentence(_limit_columns(instance, exact.dimensions[d]), unit)
    if grid.compute_unit > (common_divisor(exact.task_compute, exact.node_compute) or 1):
        return _sentence(_compute_columns(instance), grid.compute_unit)
    if (
        instance.energy is not None
        and instance.energy.cost_per_watt
        and instance.node_max_watts.any()
    ):
        return _ELECTRICITY
    return _sentence(_price_columns(instance), grid.cost_unit // grid.compute_unit)


def _limit_columns(instance: Instance, dimension: str) -> Iterator[tuple[str, Array]]:
    rows, owner = instance.rows, _owner(instance)
    if dimension == "max_load":
        yield from _compute_columns(instance)
    elif dimension == "storage":
        yield f"{owner} storage", rows.storage
        yield "node storage", instance.node_storage
    else:
        yield f"{owner} resource {dimension!r}", rows.resources[dimension]
        yield f"node resource {dimension!r}", instance.node_resources[dimension]


def _compute_columns(instance: Instance) -> Iterator[tuple[str, Array]]:
    yield f"{_owner(instance)} compute", instance.rows.compute
    yield "node compute", instance.node_compute


def _owner(instance: Instance) -> str:
    """What has the figures of the rows."""
    return "task" if instance.rows.is_identity else "task or variant"


def _price_columns(instance: Instance) -> Iterator[tuple[str, Array]]:
    yield "node price", instance.node_price
    yield "node overload_price", instance.node_overload_price
    yield "node use_price", instance.node_use_price
    variants = instance.rows.all_variants
    if instance.node_fixed_cost.size:
        yield "node fixed_cost", _given(instance.node_fixed_cost)
    yield "variant price", exact_column([variant.price for variant in variants])
    yield "variant loss", exact_column([variant.loss for variant in variants])
    yield "quality_price", exact_column([instance.quality_price])
    yield "task skip_price", _given(instance.task_skip_price)
    yield "task move_price", _given(instance.task_move_price)
    yield "move_price", exact_column([instance.move_price])


def _given(column: Array) -> Array:
    """The finite numbers of a column."""
    return exact_column([value for value in column.tolist() if value < math.inf])


def _sentence(columns: Iterator[tuple[str, Array]], unit: int) -> str:
    """About the column with the most decimals, or the largest numbers if none has any.

    `unit` is by what the integers had to be divided to fit.
    """
    field, column = max(columns, key=lambda item: (decimal_places(item[1]), _size(item[1])))
    places = decimal_places(column)
    digits = int(unit.bit_length() * math.log10(2)) + 1
    fits = "and the exact sums do not fit into 64 bits"
    if places:
        return (
            f"{field} has up to {places} decimals (such as {_longest(column)!r}), {fits}; "
            f"round it to {max(0, places - digits)} to close the gap"
        )
    return (
        f"{field} has numbers as large as {_size(column):.3g}, {fits}; "
        "measure it in a larger unit to close the gap"
    )


def _size(column: Array) -> float:
    finite = [value for value in column.tolist() if value < math.inf]
    return float(max(finite, default=0))


def _longest(column: Array) -> Any:
    values = np.unique(column[:10_000].astype(float)).tolist()
    return max(values, key=lambda value: decimal_places(np.array([value])))
