"""The CSV form of an instance, written: tables of nodes and of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...errors import InstanceError
from ...model.fields import Kind, fields_of
from ...model.instance import Instance
from ..cells import COLUMNS, at_default, tidy_cells, values_of
from .names import BETWEEN, field_meant

__all__ = ["node_table", "task_table"]


def node_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `nodes.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If the name of a resource cannot stand in a header.
    """
    for name in instance.node_resources:
        if field_meant(name) is not None or name != name.strip():
            raise InstanceError(
                f"the resource {name!r} cannot be the name of a CSV column; write JSON, or "
                "rename it"
            )
    return _table(instance, "node")


def task_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `tasks.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If a label in `eligible` has the character that separates labels.
    """
    return _table(instance, "task")


def _table(instance: Instance, owner: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
    columns: dict[str, Iterable[Any]] = {}
    for field in fields_of(owner, *COLUMNS):
        if field.kind is Kind.LABELS:
            if instance.groups != (None,):
                cells = [_eligible_cell(labels) for labels in instance.groups]
                columns[field.name] = [cells[group] for group in instance.task_group.tolist()]
        elif field.kind is Kind.RESOURCES:
            for name, column in getattr(instance, field.attribute).items():
                if owner == "node" or column.any():
                    columns[name] = tidy_cells(column.tolist())
        elif field.required or field.shown or not all(at_default(instance, field)):
            values = values_of(instance, field)
            columns[field.name] = ["" if value is None else value for value in values]
    return list(columns), zip(*columns.values(), strict=True)


def _eligible_cell(labels: Sequence[str] | None) -> str:
    for label in labels or ():
        if BETWEEN in label:
            raise InstanceError(
                f"eligible: the label {label!r} has the character {BETWEEN!r}, which separates "
                "labels in CSV; write JSON, or rename the node or kind"
            )
    return BETWEEN.join(labels or ())
