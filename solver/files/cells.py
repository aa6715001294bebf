"""The columns of an instance as files hold them: tidy values, and which of them are defaults."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..model.exact import Array
from ..model.fields import Field, Kind
from ..model.instance import Instance
from .text import tidy

__all__ = ["at_default", "says_nothing", "sets_of", "tidy_cells", "values_of"]


def values_of(instance: Instance, field: Field) -> list[Any]:
    """The values of a field that are one number or word; None where there is nothing to write.

    There is nothing for what is unlimited, a label or price that is not given, and the figures of
    a task that has variants.
    """
    if field.kind is Kind.MODEL:
        names = [*instance.model_names, None]  # the last is that of -1
        return [names[number] for number in instance.task_model.tolist()]
    column = getattr(instance, field.argument)
    if field.kind in (Kind.LABEL, Kind.CHOICE):
        return list(column)
    cells = tidy_cells(column.tolist())
    absent = _absent(instance, field)
    if absent is None:
        return cells
    return [None if none else value for value, none in zip(cells, absent.tolist(), strict=True)]


def _absent(instance: Instance, field: Field) -> Array | None:
    """Where there is no value to write."""
    column: Array = getattr(instance, field.argument)
    if field.unlimited:
        return np.asarray(column == math.inf, dtype=bool)
    if field.owner == "task" and field.kind is Kind.NUMBER and instance.variant_sets:
        return instance.task_model >= 0
    if field.attribute == "node_price" and _has_fixed_cost(instance).any():
        return _has_fixed_cost(instance)
    return None


def _has_fixed_cost(instance: Instance) -> Array:
    return np.asarray(instance.node_fixed_cost < math.inf, dtype=bool)


def at_default(instance: Instance, field: Field) -> list[bool]:
    """Where a number or word need not be written, because it is the default."""
    if field.kind is Kind.MODEL:
        return [name is None for name in values_of(instance, field)]
    column = getattr(instance, field.attribute)
    if field.kind is Kind.LABEL:
        return [label is None for label in column]
    if field.kind is Kind.CHOICE:
        return [word == field.choices[0] for word in column]
    if field.required:
        absent = _absent(instance, field)
        return [False] * len(column) if absent is None else list(absent.tolist())
    if field.same_as is None:
        return list((column == field.default).tolist())
    other = getattr(instance, f"{field.owner}_{field.same_as}")
    # As Python's numbers: NumPy would compare a large integer with a float as floats.
    same = [mine == its for mine, its in zip(column.tolist(), other.tolist(), strict=True)]
    fixed = _has_fixed_cost(instance) if field.attribute in _PRICES else np.zeros(0, dtype=bool)
    for i in np.flatnonzero(fixed).tolist():
        same[i] = field.name == "price" or _is_free(instance, i)
    return same


_PRICES = ("node_price", "node_overload_price")


def _is_free(instance: Instance, i: int) -> bool:
    """Whether a node of fixed cost has the price of overload that it has where none is given."""
    is_hard = instance.max_load is not None and instance.max_load <= 1
    return is_hard and bool(instance.node_overload_price[i] == instance.node_use_price[i])


def sets_of(instance: Instance, field: Field) -> tuple[tuple[str, ...] | None, ...]:
    """The distinct sets of names of a field; the first is that of nobody."""
    sets: tuple[tuple[str, ...] | None, ...] = getattr(instance, field.sets)
    return sets


def says_nothing(instance: Instance, field: Field) -> bool:
    """Whether a field that came later is the default for all nodes or tasks."""
    if field.kind is Kind.TEXTS:
        return not getattr(instance, field.attribute)
    if field.kind is Kind.NAMES:
        return len(sets_of(instance, field)) == 1
    if field.kind in (Kind.VARIANTS, Kind.MODEL):
        return not instance.variant_sets
    return field.kind is Kind.REPLICAS or all(at_default(instance, field))


def tidy_cells(column: list[Any]) -> list[Any]:
    """Numbers as a person writes them: 3 instead of 3.0."""
    return [tidy(value) for value in column] if float in set(map(type, column)) else column
