"""The columns of an instance as files hold them: tidy numbers, and which of them are defaults."""

from __future__ import annotations

import math
from typing import Any

from ..model.fields import Field, Kind
from ..model.instance import Instance
from .text import tidy

__all__ = ["COLUMNS", "at_default", "tidy_cells", "values_of"]

COLUMNS = (Kind.ID, Kind.NUMBER, Kind.LABEL, Kind.LABELS, Kind.RESOURCES)
"""The kinds of fields that are read and written here."""


def values_of(instance: Instance, field: Field) -> list[Any]:
    """The values of an id, number or label field; None for unlimited and for no label."""
    column = getattr(instance, field.argument)
    if field.kind is Kind.LABEL:
        return list(column)
    cells = tidy_cells(column.tolist())
    if field.unlimited:
        return [None if value == math.inf else value for value in cells]
    return cells


def at_default(instance: Instance, field: Field) -> list[bool]:
    """Where a number or label need not be written, because it is the default."""
    column = getattr(instance, field.attribute)
    if field.kind is Kind.LABEL:
        return [label is None for label in column]
    if field.required:
        return [False] * len(column)
    if field.same_as is None:
        return [value == field.default for value in column.tolist()]
    other = getattr(instance, f"{field.owner}_{field.same_as}")
    # As Python's numbers: NumPy would compare a large integer with a float as floats.
    return [mine == its for mine, its in zip(column.tolist(), other.tolist(), strict=True)]


def tidy_cells(column: list[Any]) -> list[Any]:
    """Numbers as a person writes them: 3 instead of 3.0."""
    return [tidy(value) for value in column] if float in set(map(type, column)) else column
