"""The CSV form of an instance: tables of nodes and of tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import InstanceError
from ..model.instance import Instance
from .eligibility import EligibleGroups
from .table import Table
from .text import packed, tidy

__all__ = ["instance_of_tables", "node_table", "task_table"]

_NODE_FIELDS = ("id", "compute", "storage", "price", "overload_price", "kind")
_TASK_FIELDS = ("id", "compute", "storage", "eligible")
_BETWEEN = "|"


def instance_of_tables(
    nodes: Table, tasks: Table, settings: dict[str, Any], where: str
) -> Instance:
    """The instance that two tables describe.

    Parameters
    ----------
    nodes, tasks : Table
    settings : dict
        name, max_load and power_off.
    where : str
        The folder or zip, as error messages name it.

    Raises
    ------
    InstanceError
        Naming the file, the line and the column.
    """
    node_resources = _resource_names(nodes, _NODE_FIELDS)
    task_resources = _resource_names(tasks, _TASK_FIELDS)
    for name in task_resources:
        if name not in node_resources:
            known = ", ".join((*_TASK_FIELDS, *node_resources))
            raise InstanceError(
                f"{tasks.where}, line 1: column {name} is a resource that {nodes.where} has no "
                f"column for; add it there or remove it here (known: {known})"
            )
    kinds = [cell or None for cell in nodes.columns.get("kind", [])] or None
    node_ids = nodes.unique("id")
    groups = EligibleGroups(node_ids, kinds or ())
    fields: dict[str, Any] = {
        "node_ids": node_ids,
        "node_compute": nodes.numbers("compute", required=True),
        "node_storage": _optional(nodes, "storage", empty=math.inf, unlimited=True),
        "node_price": _optional(nodes, "price"),
        "node_overload_price": _optional(nodes, "overload_price"),
        "node_kind": kinds,
        "node_resources": {name: nodes.numbers(name, empty=0) for name in node_resources},
        "task_ids": tasks.unique("id"),
        "task_compute": tasks.numbers("compute", required=True),
        "task_storage": _optional(tasks, "storage", empty=0),
        "task_resources": {name: tasks.numbers(name, empty=0) for name in task_resources},
    }
    if "eligible" in tasks.columns:
        fields["task_eligible"] = _eligible(tasks, groups)
        fields["eligible_groups"] = groups.labels
    try:
        return Instance.from_arrays(**fields, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


def _resource_names(table: Table, fields: Sequence[str]) -> list[str]:
    table.require("id", "compute")
    names = [name for name in table.columns if name not in fields]
    for name in names:
        meant = _field_meant(name)
        if meant is not None:
            remedy = f"name it {meant}" if meant in fields else "remove it"
            raise InstanceError(
                f"{table.where}, line 1: column {name} cannot be a resource; {remedy} "
                f"(the fields are: {', '.join(fields)})"
            )
    return names


def _field_meant(name: str) -> str | None:
    """The field that a column such as "Overload Price" or "KIND" stands for."""
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    fields = {*_NODE_FIELDS, *_TASK_FIELDS, "max_load"}
    return plain if plain in fields else None


def _optional(table: Table, column: str, **rules: Any) -> Any:
    return table.numbers(column, **rules) if column in table.columns else None


def _eligible(tasks: Table, groups: EligibleGroups) -> Any:
    cells = tasks.columns["eligible"]
    number_of = {"": 0}
    for cell in dict.fromkeys(cells):
        if cell:
            try:
                number_of[cell] = groups.number_of(cell.split(_BETWEEN))
            except InstanceError as error:
                raise tasks.error(cells.index(cell), "eligible", str(error)) from None
    return packed([number_of[cell] for cell in cells])


def node_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `nodes.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If the name of a resource cannot stand in a header.
    """
    compute, price = _cells(instance.node_compute.tolist()), instance.node_price.tolist()
    overload_price = instance.node_overload_price.tolist()
    columns: dict[str, Iterable[Any]] = {
        "id": instance.node_ids.tolist(),
        "compute": compute,
        "storage": ["" if s == math.inf else tidy(s) for s in instance.node_storage.tolist()],
    }
    if price != instance.node_compute.tolist():
        columns["price"] = _cells(price)
    if overload_price != price:
        columns["overload_price"] = _cells(overload_price)
    if any(kind is not None for kind in instance.node_kind):
        columns["kind"] = [kind or "" for kind in instance.node_kind]
    for name, column in instance.node_resources.items():
        if _field_meant(name) is not None or name != name.strip():
            raise InstanceError(
                f"the resource {name!r} cannot be the name of a CSV column; write JSON, or "
                "rename it"
            )
        columns[name] = _cells(column.tolist())
    return list(columns), zip(*columns.values(), strict=True)


def task_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of `tasks.csv`; columns that hold only defaults are left out.

    Raises
    ------
    InstanceError
        If a label in `eligible` has the character that separates labels.
    """
    columns: dict[str, Iterable[Any]] = {
        "id": instance.task_ids.tolist(),
        "compute": _cells(instance.task_compute.tolist()),
        "storage": _cells(instance.task_storage.tolist()),
    }
    if instance.groups != (None,):
        cells = [_eligible_cell(labels) for labels in instance.groups]
        columns["eligible"] = [cells[group] for group in instance.task_group.tolist()]
    for name, column in instance.task_resources.items():
        if column.any():
            columns[name] = _cells(column.tolist())
    return list(columns), zip(*columns.values(), strict=True)


def _eligible_cell(labels: Sequence[str] | None) -> str:
    for label in labels or ():
        if _BETWEEN in label:
            raise InstanceError(
                f"eligible: the label {label!r} has the character {_BETWEEN!r}, which separates "
                "labels in CSV; write JSON, or rename the node or kind"
            )
    return _BETWEEN.join(labels or ())


def _cells(column: list[Any]) -> list[Any]:
    return [tidy(value) for value in column] if float in set(map(type, column)) else column
