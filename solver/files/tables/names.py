"""What the tables of an instance call things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...errors import InstanceError
from ...model.fields import Kind, fields_of, reserved_names
from ..table import Table

__all__ = [
    "BETWEEN",
    "LABEL",
    "columns_of",
    "field_meant",
    "joined",
    "require_resource_column",
    "resource_names",
]

BETWEEN = "|"
"""Stands between the names in a cell that lists several."""
LABEL = "label_"
"""What the name of a column begins with that holds a label, followed by its key."""

_IN_NO_COLUMN = (Kind.RESOURCES, Kind.TEXTS, Kind.VARIANTS)
_NOW = ("node", "node_variant")
"""Where a task is now, and in which variant."""


def columns_of(owner: str) -> list[str]:
    """The columns of nodes or tasks that are neither resources nor labels, in their order."""
    names = [field.name for field in fields_of(owner) if field.kind not in _IN_NO_COLUMN]
    return [*names, *_NOW] if owner == "task" else names


def _reserved() -> frozenset[str]:
    return reserved_names().union(columns_of("node"), columns_of("task"))


def field_meant(name: str, fields: Iterable[str] = ()) -> str | None:
    """The field that a column such as "Overload Price" or "KIND" stands for."""
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return plain if plain in _reserved().union(fields) else None


def resource_names(table: Table, fields: Sequence[str]) -> list[str]:
    """The columns of a table that are resources: those that are no fields and no labels.

    Raises
    ------
    InstanceError
        If one would be mistaken for a field.
    """
    names = [name for name in table.columns if name not in fields]
    for name in names:
        meant = field_meant(name, fields)
        if meant is not None:
            remedy = f"name it {meant}" if meant in fields else "remove it"
            raise InstanceError(
                f"{table.where}, line 1: column {name} cannot be a resource; {remedy} "
                f"(the fields are: {', '.join(fields)})"
            )
    return names


def require_resource_column(name: str, fields: Iterable[str] = ()) -> None:
    """Require that a resource can be the name of a column.

    Raises
    ------
    InstanceError
        If it would be mistaken for a field or a label, or its spaces would be lost.
    """
    if field_meant(name, fields) is not None or name != name.strip() or name.startswith(LABEL):
        raise InstanceError(
            f"the resource {name!r} cannot be the name of a CSV column; write JSON, or rename it"
        )


def joined(names: Iterable[str] | None, field: str, of: str) -> str:
    """Several names in one cell; nothing for none.

    Parameters
    ----------
    names : iterable of str or None
    field : str
        What error messages call the column.
    of : str
        What may be renamed.

    Raises
    ------
    InstanceError
        If a name has the character that separates them.
    """
    listed = list(names or ())
    for name in listed:
        if BETWEEN in name:
            raise InstanceError(
                f"{field}: the name {name!r} has the character {BETWEEN!r}, which separates "
                f"names in CSV; write JSON, or rename the {of}"
            )
    return BETWEEN.join(listed)
