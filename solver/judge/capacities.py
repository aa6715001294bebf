"""What a node carries of storage, resources and load, against what it has."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from ..model.exact import Array
from ..model.instance import Number
from .placed import Placed
from .violations import Violation

__all__ = ["capacities", "decimal_of", "excess", "plain_number", "times", "total_of"]

_EXACT = decimal.Context(prec=2000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_EXACT.traps[decimal.Inexact] = True


def capacities(placed: Placed) -> Iterator[Violation]:
    """The nodes that carry more than they have of anything."""
    instance, row = placed.instance, placed.row
    compute, storage, resources = (
        (instance.task_compute, instance.task_storage, instance.task_resources)
        if instance.is_plain
        else (instance.rows.compute, instance.rows.storage, instance.rows.resources)
    )
    if (instance.node_storage < float("inf")).any():
        yield from _over(placed, "storage", storage[row], instance.node_storage.tolist())
    for key, capacity in instance.node_resources.items():
        yield from _over(placed, f"resource {key}", resources[key][row], capacity.tolist())
    if instance.max_load is not None:
        most = [times(capacity, instance.max_load) for capacity in instance.node_compute.tolist()]
        yield from _over(placed, "max_load", compute[row], most)


def _over(placed: Placed, rule: str, need: Array, capacity: list[Any]) -> Iterator[Violation]:
    instance = placed.instance
    totals = _totals(need, placed.node, instance.num_nodes)
    for i, (used, most) in enumerate(zip(totals, capacity, strict=True)):
        if used > 0 and decimal_of(used) > decimal_of(most):
            yield Violation(rule, None, str(instance.node_ids[i]), excess(used, most))


def _totals(need: Array, where: Array, count: int) -> list[Any]:
    """Exact totals a node, as integers or decimals."""
    if need.dtype == np.int64 and (not need.size or int(need.max()) * need.size < 2**63):
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, where, need)
        return sums.tolist()
    totals = [Decimal(0)] * count
    for i, amount in zip(where.tolist(), need.tolist(), strict=True):
        totals[i] = _EXACT.add(totals[i], decimal_of(amount))
    return totals


def decimal_of(value: Any) -> Decimal:
    """A number as the decimal that Python prints for it, exactly."""
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def times(value: Any, factor: Any) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(decimal_of(value), decimal_of(factor))


def total_of(values: Any) -> Decimal:
    """The exact sum."""
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, decimal_of(value))
    return total


def excess(found: Any, most: Any) -> Number:
    """By how much a number is above another, as an integer or the nearest float."""
    return plain_number(_EXACT.subtract(decimal_of(found), decimal_of(most)))


def plain_number(value: Decimal) -> Number:
    """An integer where it is one, else the nearest float."""
    return int(value) if value == value.to_integral_value() else float(value)
