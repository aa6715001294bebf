"""The CSV form of an instance, read: tables of nodes and of tasks."""

from __future__ import annotations

from typing import Any

from ...errors import InstanceError
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ..cells import COLUMNS
from ..eligibility import EligibleGroups
from ..table import Table
from ..text import packed
from .names import BETWEEN, field_meant

__all__ = ["instance_of_tables"]


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
    resources = {"node": _resource_names(nodes, "node"), "task": _resource_names(tasks, "task")}
    for name in resources["task"]:
        if name not in resources["node"]:
            known = ", ".join((*_columns_of("task"), *resources["node"]))
            raise InstanceError(
                f"{tasks.where}, line 1: column {name} is a resource that {nodes.where} has no "
                f"column for; add it there or remove it here (known: {known})"
            )
    columns: dict[str, Any] = {}
    for owner, table in (("node", nodes), ("task", tasks)):
        for field in fields_of(owner, *COLUMNS):
            if field.kind is Kind.RESOURCES:
                columns[field.argument] = {
                    name: table.numbers(name, empty=0) for name in resources[owner]
                }
            elif field.kind is not Kind.LABELS:
                columns[field.argument] = _column(table, field)
    if "eligible" in tasks.columns:
        groups = EligibleGroups(columns["node_ids"], columns["node_kind"] or ())
        columns["task_eligible"] = _eligible(tasks, groups)
        columns["eligible_groups"] = groups.labels
    try:
        return Instance.from_arrays(**columns, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


def _columns_of(owner: str) -> list[str]:
    """The columns that are no resources, in their order."""
    return [field.name for field in fields_of(owner, *COLUMNS) if field.kind is not Kind.RESOURCES]


def _resource_names(table: Table, owner: str) -> list[str]:
    fields = _columns_of(owner)
    table.require(*(field.name for field in fields_of(owner, *COLUMNS) if field.required))
    names = [name for name in table.columns if name not in fields]
    for name in names:
        meant = field_meant(name)
        if meant is not None:
            remedy = f"name it {meant}" if meant in fields else "remove it"
            raise InstanceError(
                f"{table.where}, line 1: column {name} cannot be a resource; {remedy} "
                f"(the fields are: {', '.join(fields)})"
            )
    return names


def _column(table: Table, field: Field) -> Any:
    """A column of ids, labels or numbers; None where the table has none."""
    if field.kind is Kind.ID:
        return table.unique(field.name)
    if field.name not in table.columns:
        return None
    if field.kind is Kind.LABEL:
        return [cell or None for cell in table.columns[field.name]] or None
    empty = None if field.required or field.same_as is not None else field.default
    return table.numbers(
        field.name, empty=empty, required=field.required, unlimited=field.unlimited
    )


def _eligible(tasks: Table, groups: EligibleGroups) -> Any:
    cells = tasks.columns["eligible"]
    number_of = {"": 0}
    for cell in dict.fromkeys(cells):
        if cell:
            try:
                number_of[cell] = groups.number_of(cell.split(BETWEEN))
            except InstanceError as error:
                raise tasks.error(cells.index(cell), "eligible", str(error)) from None
    return packed([number_of[cell] for cell in cells])
