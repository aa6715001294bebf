"""The CSV form of an instance, written: tables of nodes and of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...errors import InstanceError
from ...model.exact import Array
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ..cells import at_default, says_nothing, sets_of, tidy_cells, values_of
from ..places import places_of
from .names import BETWEEN, LABEL, joined, require_resource_column

__all__ = ["node_table", "task_table"]

_Columns = dict[str, Iterable[Any]]


def node_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `nodes.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If the name of a resource, or the key of a label, cannot stand in a header.
    """
    for name in instance.node_resources:
        require_resource_column(name)
    for key in instance.node_labels:
        if key != key.rstrip():
            raise InstanceError(
                f"the label {key!r} cannot be the name of a CSV column; write JSON, or rename it"
            )
    columns = _columns(instance, "node")
    return list(columns), zip(*columns.values(), strict=True)


def task_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `tasks.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If a name in a cell has the character that separates names.
    """
    columns = _columns(instance, "task") | _now(instance)
    return list(columns), zip(*columns.values(), strict=True)


def _columns(instance: Instance, owner: str) -> _Columns:
    columns: _Columns = {}
    for field in fields_of(owner):
        if field.since > 1 and says_nothing(instance, field):
            continue
        if field.kind is Kind.LABELS:
            if instance.groups != (None,):
                cells = [joined(labels, field.name, _ELIGIBLE) for labels in instance.groups]
                columns[field.name] = [cells[group] for group in instance.task_group.tolist()]
        elif field.kind is Kind.RESOURCES:
            for name, column in getattr(instance, field.attribute).items():
                if owner == "node":
                    columns[name] = tidy_cells(column.tolist())
                elif column.any():
                    columns[name] = _needs(instance, column)
        elif field.kind is Kind.TEXTS:
            for key, texts in instance.node_labels.items():
                columns[f"{LABEL}{key}"] = [text or "" for text in texts]
        elif field.kind is Kind.NAMES:
            columns[field.name] = _names(instance, field)
        elif field.kind is not Kind.VARIANTS:
            values = values_of(instance, field)
            if _is_told(instance, field, values):
                columns[field.name] = ["" if value is None else value for value in values]
    return columns


def _needs(instance: Instance, column: Array) -> list[Any]:
    """What tasks need of a resource; nothing for those that have variants."""
    has_variants = (instance.task_model >= 0).tolist()
    cells = tidy_cells(column.tolist())
    return ["" if none else cell for cell, none in zip(cells, has_variants, strict=True)]


_ELIGIBLE = "node, kind or label"


def _is_told(instance: Instance, field: Field, values: list[Any]) -> bool:
    """Whether a column is written: not where all is default, nor figures that no task has."""
    if field.owner == "task" and values and all(value is None for value in values):
        return False
    return field.required or field.shown or not all(at_default(instance, field))


def _names(instance: Instance, field: Field) -> list[str]:
    of = "group" if field.name == "groups" else "node"
    cells = [joined(names, field.name, of) for names in sets_of(instance, field)]
    return [cells[number] for number in getattr(instance, field.attribute).tolist()]


def _now(instance: Instance) -> _Columns:
    """The columns of where the tasks are now, and in which variant."""
    if instance.current is None:
        return {}
    nodes, variants = [""] * instance.num_tasks, [""] * instance.num_tasks
    for place in places_of(instance, instance.current):
        names = [joined([node or ""], "node", "node") for node in place.nodes]
        while not names[-1]:
            names.pop()
        nodes[place.task] = BETWEEN.join(names)
        variants[place.task] = place.variant or ""
    return {"node": nodes, "node_variant": variants} if any(variants) else {"node": nodes}
