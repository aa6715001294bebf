"""Which column of a table is which field, resource or label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..fields import Kind, fields_of, reserved_names
from .sources import Faults, Source
from .units import quantity_of

__all__ = ["LABEL", "Roles", "roles_of"]

LABEL = "label_"
"""What the name of a column begins with that holds a label, followed by its key."""

_NOW = ("node", "node_variant")
_IN_NO_COLUMN = (Kind.RESOURCES, Kind.TEXTS, Kind.VARIANTS)
_OWNERS = ("node", "task")


@dataclass
class Roles:
    """What the columns of the nodes and of the tasks are.

    Attributes
    ----------
    fields : dict of owner to dict of field to column
    labels : dict of key to column
        Of the nodes.
    resources : dict of owner to dict of resource to column
    notes : list of str
        What is left aside, and why.
    decimal : {".", ","}
    """

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    decimal: str = "."


def roles_of(
    sources: Mapping[str, Source],
    given: Mapping[str, Mapping[str, str]],
    ignored: Iterable[str],
    faults: Faults,
    decimal: str = ".",
) -> Roles:
    """Match columns with fields: as told, else by name.

    Parameters
    ----------
    sources : dict of owner to Source
    given : dict of "node", "task" and "both" to dict of field to column
        What is no field of either, nor begins with "label_", is a resource.
    ignored : names of columns
    faults : Faults
    decimal : {".", ","}
    """
    roles = Roles(decimal=decimal)
    told = {owner: dict(given.get(owner, {})) for owner in _OWNERS}
    for owner in _OWNERS:
        for role, column in told[owner].items():
            if column not in sources[owner].columns:
                faults.add(sources[owner], _missing(role, column, sources[owner]))
            elif not _may_have(owner, role):
                faults.add(sources[owner], f"{role} is no field of a {owner}", column)
        told[owner] = {
            role: column for role, column in told[owner].items() if column in sources[owner].columns
        }
    _tell_both(sources, given.get("both", {}), told, faults)
    skipped = _skipped(sources, ignored, faults)
    for owner in _OWNERS:
        _match(owner, sources[owner], told[owner], skipped, roles, faults)
    _resources(sources, told, skipped, roles, faults)
    return roles


def _missing(role: str, column: str, source: Source) -> str:
    return f"there is no column {column} for {role} (the columns are: {', '.join(source.columns)})"


def _tell_both(
    sources: Mapping[str, Source],
    given: Mapping[str, str],
    told: dict[str, dict[str, str]],
    faults: Faults,
) -> None:
    """A column that is named for both tables is that of each table that has it."""
    for role, column in given.items():
        owners = [owner for owner in _OWNERS if _may_have(owner, role)]
        found = [owner for owner in owners if column in sources[owner].columns]
        for owner in found:
            told[owner].setdefault(role, column)
        if not found:
            faults.add(sources[owners[0]], _missing(role, column, sources[owners[0]]))


def _may_have(owner: str, role: str) -> bool:
    if role in _names_of(owner):
        return True
    if role.startswith(LABEL):
        return owner == "node"
    return all(role not in _names_of(other) for other in _OWNERS)


def _names_of(owner: str) -> list[str]:
    names = [each.name for each in fields_of(owner) if each.kind not in _IN_NO_COLUMN]
    return [*names, *_NOW] if owner == "task" else names


def _skipped(sources: Mapping[str, Source], ignored: Iterable[str], faults: Faults) -> set[str]:
    skipped = set(ignored)
    for column in sorted(skipped):
        if not any(column in source.columns for source in sources.values()):
            faults.add(sources["node"], f"there is no column {column} to ignore in either table")
    return skipped


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _match(
    owner: str,
    source: Source,
    told: Mapping[str, str],
    skipped: set[str],
    roles: Roles,
    faults: Faults,
) -> None:
    """The fields and labels of a table: as told, by their very name, or but for case and blanks."""
    names = _names_of(owner)
    taken = set(told.values()) | skipped
    fields = {role: column for role, column in told.items() if role in names}
    free = [column for column in source.columns if column not in taken]
    for column in sorted(free, key=lambda name: name not in names):  # very names come first
        role = column if column in names else _plain(column)
        if role in names and role not in fields:
            fields[role] = column
    roles.fields[owner] = fields
    if owner == "node":
        prefixed = {column: column for column in free if column.startswith(LABEL)}
        labels = prefixed | {role: column for role, column in told.items() if _is_label(role)}
        roles.labels = {role.removeprefix(LABEL): column for role, column in labels.items()}
        if "" in roles.labels:
            faults.add(source, f"the label has no key; name it {LABEL}zone, say", LABEL)
    required = ["id"] if owner == "task" else ["id", "compute"]
    for role in required:
        if role not in fields:
            option = f"map {role}=COLUMN"
            faults.add(
                source,
                f"there is no column {role}; {option} (the columns are: "
                f"{', '.join(source.columns)})",
            )


def _is_label(role: str) -> bool:
    return role.startswith(LABEL)


def _resources(
    sources: Mapping[str, Source],
    told: Mapping[str, Mapping[str, str]],
    skipped: set[str],
    roles: Roles,
    faults: Faults,
) -> None:
    """Other columns: numbers in both tables are resources, the rest is left aside."""
    left: dict[str, dict[str, str]] = {}
    for owner in _OWNERS:
        names = _names_of(owner)
        roles.resources[owner] = {
            role: column
            for role, column in told[owner].items()
            if role not in names and not _is_label(role)
        }
        used = {*roles.fields[owner].values(), *roles.labels.values(), *skipped}
        used |= set(told[owner].values())
        left[owner] = {c: c for c in sources[owner].columns if c not in used}
    reserved = reserved_names().union(*map(_names_of, _OWNERS))
    numeric = {
        owner: [
            column for column in left[owner] if _is_numeric(sources[owner], column, roles.decimal)
        ]
        for owner in _OWNERS
    }
    for owner, other in (_OWNERS, _OWNERS[::-1]):
        for column in left[owner]:
            if column not in roles.resources[other] or column not in told[other]:
                reason = _why_aside(column, owner, sources[owner], numeric, reserved)
                if reason is not None:
                    name = sources[owner].name
                    roles.notes.append(f"{name}: column {column} left aside: {reason}")
                    continue
            roles.resources[owner].setdefault(column, column)
    for name, column in roles.resources["task"].items():
        if name not in roles.resources["node"]:
            faults.add(sources["task"], f"the nodes have no column for the resource {name}", column)


def _why_aside(
    column: str,
    owner: str,
    source: Source,
    numeric: Mapping[str, list[str]],
    reserved: frozenset[str],
) -> str | None:
    """Why a column is no resource, None where it is one."""
    if column not in numeric[owner]:
        if next(source.cells(column), None) is None:
            return "it is empty"
        hint = f"; name it {LABEL}{_plain(column)} to have a label" if owner == "node" else ""
        return f"text that means nothing here{hint}"
    if _plain(column) in reserved:
        return "the name is that of a field"
    if column not in numeric["task" if owner == "node" else "node"]:
        return "no tasks need it" if owner == "node" else "no nodes have it"
    return None


def _is_numeric(source: Source, column: str, decimal: str) -> bool:
    """Whether more than half of the cells that are filled are numbers."""
    if isinstance(source.columns[column], np.ndarray):
        return True
    cells = [cell for _, cell in source.cells(column)]
    return 2 * sum(_is_number(cell, decimal) for cell in cells) > len(cells)


def _is_number(cell: Any, decimal: str) -> bool:
    if isinstance(cell, str):
        try:
            quantity_of(cell, decimal)
        except ValueError:
            return False
        return True
    return not isinstance(cell, bool) and hasattr(cell, "__float__")
