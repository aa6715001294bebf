"""The columns of an instance: made of records, checked by the table of fields, cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..costs.energy import checked_energy
from ..exact import Array, exact_column
from ..fields import Field, Kind, fields_of
from ..records import Number
from .validation import (
    checked_column,
    checked_eligibility,
    checked_ids,
    checked_labels,
    checked_max_load,
    checked_name,
    checked_power_off,
    frozen,
    labels_of,
    length_of,
    named_ids,
    require_known_resources,
    require_resource_names,
    require_use_prices,
    require_watts,
)

__all__ = ["checked", "columns_of", "taken"]

_OWNERS = ("node", "task")
_ELIGIBILITY = frozenset({"task_eligible", "eligible_groups"})


def columns_of(records: Iterable[Any], owner: str, kind: type) -> dict[str, Any]:
    """The columns of records, as `Instance.from_arrays` takes them.

    Raises
    ------
    InstanceError
        If one is of another type.
    """
    listed = list(records)
    for position, record in enumerate(listed):
        if not isinstance(record, kind):
            raise InstanceError(f"{owner}s[{position}] is {record!r}; it must be a {kind.__name__}")
    return {field.argument: _column_of(listed, field) for field in fields_of(owner)}


def _column_of(records: list[Any], field: Field) -> Any:
    if field.kind is Kind.RESOURCES:
        return _resource_columns(records, field.owner)
    values = [getattr(record, field.name) for record in records]
    if field.same_as is not None and all(value is None for value in values):
        return None
    return values


def _resource_columns(records: list[Any], owner: str) -> dict[str, list[Number]]:
    names: set[str] = set()
    for record in records:
        if not isinstance(record.resources, Mapping):
            raise InstanceError(f"{owner} {record.id!r}: resources must map names to numbers")
        names.update(record.resources)
    ordered = sorted(names, key=str)
    return {key: [record.resources.get(key, 0) for record in records] for key in ordered}


def taken(column: Any, at: Array) -> Any:
    """A column at some positions."""
    if isinstance(column, dict):
        return {key: frozen(each[at]) for key, each in column.items()}
    if isinstance(column, tuple):
        return tuple(column[i] for i in at.tolist())
    return frozen(column[at])


def checked(
    columns: dict[str, Any], settings: dict[str, Any], kept: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The attributes of an instance, from the arguments of `Instance.from_arrays`.

    Parameters
    ----------
    columns, settings : dict
    kept : set of str
        Columns that were checked before and are not checked again.

    Raises
    ------
    InstanceError
        Naming the record and the field.
    """
    known = {field.argument for owner in _OWNERS for field in fields_of(owner)}
    for name in columns.keys() - known - _ELIGIBILITY:
        names = ", ".join(sorted(known | _ELIGIBILITY))
        raise TypeError(f"{name!r} is no column of an instance (known: {names})")
    n = length_of(columns["node_compute"], "node_compute")
    m = length_of(columns["task_compute"], "task_compute")
    if not n:
        raise InstanceError("nodes: the list is empty; an instance needs at least one node")
    count = {"node": n, "task": m}
    made: dict[str, Any] = {"num_nodes": n, "num_tasks": m}
    ids: dict[str, Array | None] = {}
    for owner in _OWNERS:
        given = columns.get(f"{owner}_ids")
        if f"{owner}_ids" not in kept or (given is not None and len(given) != count[owner]):
            given = checked_ids(given, owner, count[owner])
        ids[owner] = made[f"_{owner}_ids"] = given
    for owner in _OWNERS:
        for field in fields_of(owner, Kind.NUMBER, Kind.LABEL, Kind.RESOURCES):
            values = columns.get(field.argument)
            if field.argument not in kept or not _has_length(values, count[owner]):
                values = _checked(field, values, count[owner], ids[owner], made)
            made[field.attribute] = values
    require_use_prices(made, ids["node"])
    require_watts(made, ids["node"])
    made["max_load"] = checked_max_load(settings["max_load"])
    made["power_off"] = checked_power_off(settings["power_off"])
    made["energy"] = checked_energy(settings["energy"])
    made["name"] = checked_name(settings["name"])
    specs, groups = columns.get("task_eligible"), columns.get("eligible_groups")
    if not (kept >= _ELIGIBILITY and _has_length(specs, m)):
        labels = labels_of(named_ids(ids["node"], "node", n), made["node_kind"])
        specs, groups = checked_eligibility(specs, groups, ids["task"], m, labels)
    made["task_group"], made["groups"] = specs, groups
    return made


def _checked(field: Field, values: Any, count: int, ids: Array | None, made: dict[str, Any]) -> Any:
    """A column that keeps the rules of its field; `made` has the columns before it."""
    if field.kind is Kind.LABEL:
        return checked_labels(values, field, count, ids)
    if field.kind is Kind.RESOURCES:
        return _checked_resources(field.owner, dict(values or {}), count, ids, made)
    default = None
    if field.same_as is not None:
        default = made[f"{field.owner}_{field.same_as}"]
    elif values is None and not field.required:
        return frozen(exact_column(np.full(count, field.default)))
    return checked_column(
        values, field.owner, ids, field.name, count, unlimited=field.unlimited, default=default
    )


def _checked_resources(
    owner: str, given: dict[str, Any], count: int, ids: Array | None, made: dict[str, Any]
) -> dict[str, Array]:
    if owner == "node":
        require_resource_names(given)
        names = sorted(given)
    else:
        names = list(made["node_resources"])
        require_known_resources(given, made["node_resources"])
    zero = np.zeros(count, dtype=np.int64)
    return {
        name: checked_column(given.get(name, zero), owner, ids, f"resources[{name!r}]", count)
        for name in names
    }


def _has_length(values: Any, count: int) -> bool:
    columns = values.values() if isinstance(values, dict) else (values,)
    return all(len(column) == count for column in columns)
