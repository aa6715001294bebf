"""The columns of an instance: made of records, checked by the table of fields, cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import Array, exact_column
from ..fields import Field, Kind, fields_of
from ..records import Number
from ..rows.current import checked_current
from ..rows.rows import make_rows
from .names import checked_choices, checked_names, checked_texts, with_replicas
from .settings import checked_settings, with_fixed_costs
from .validation import (
    checked_column,
    checked_eligibility,
    checked_ids,
    checked_labels,
    frozen,
    labels_of,
    length_of,
    named_ids,
    require_known_resources,
    require_resource_names,
    require_use_prices,
    require_watts,
)
from .variants import checked_variants, without_own_figures

__all__ = ["checked", "columns_of", "taken"]

_OWNERS = ("node", "task")
_ELIGIBILITY = frozenset({"task_eligible", "eligible_groups"})
_SETS = frozenset({"group_sets", "pinned_sets"})


def columns_of(records: Iterable[Any], owner: str, kind: type[Any]) -> dict[str, Any]:
    """The columns of records, as `Instance.from_arrays` takes them.

    Raises
    ------
    InstanceError
        If one is of another type.
    """
    listed = list(records)
    either = [field for field in fields_of(owner) if field.unless]
    for position, record in enumerate(listed):
        if not isinstance(record, kind):
            raise InstanceError(f"{owner}s[{position}] is {record!r}; it must be a {kind.__name__}")
        for field in either:
            if all(getattr(record, name) is None for name in (field.name, *field.unless)):
                raise InstanceError(
                    f"{owner} {record.id!r}: {field.name} is missing; give it, or "
                    f"{' or '.join(field.unless)}"
                )
    return {field.argument: _column_of(listed, field) for field in fields_of(owner)}


def _column_of(records: list[Any], field: Field) -> Any:
    if field.kind is Kind.RESOURCES:
        return _resource_columns(records, field.owner)
    values = [getattr(record, field.name) for record in records]
    may_lack = field.same_as is not None or field.nullable or field.kind in _MAY_LACK
    if may_lack and values.count(None) == len(values):
        return None
    if field.name in _EMPTY and not any(values):
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


_EMPTY = ("labels", "groups")  # nothing, as it is by default
_MAY_LACK = frozenset({Kind.TEXTS, Kind.NAMES, Kind.VARIANTS, Kind.MODEL, Kind.REPLICAS})


def taken(column: Any, at: Array) -> Any:
    """A column at some positions."""
    if column is None:
        return None
    if isinstance(column, dict):
        return {key: taken(each, at) for key, each in column.items()}
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
    others = _ELIGIBILITY | _SETS
    for name in columns.keys() - known - others:
        names = ", ".join(sorted(known | others))
        raise TypeError(f"{name!r} is no column of an instance (known: {names})")
    columns = with_replicas(columns, [field.argument for field in fields_of("task")])
    columns = _with_lengths(columns)
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
    if columns.get("node_fixed_cost") is not None:
        fixed = _checked(_FIXED_COST, columns["node_fixed_cost"], n, ids["node"], made)
        prices = with_fixed_costs(columns, fixed, settings["max_load"], ids["node"])
        columns, kept = {**columns, **prices}, kept - prices.keys()
    for owner in _OWNERS:
        for field in fields_of(owner, *_PLAIN_KINDS):
            values = columns.get(field.argument)
            if field.argument not in kept or not _has_length(values, count[owner]):
                values = _checked(field, values, count[owner], ids[owner], made)
            made[field.attribute] = values
    require_use_prices(made, ids["node"])
    require_watts(made, ids["node"])
    node_names = named_ids(ids["node"], "node", n)
    labels = None
    specs, groups = columns.get("task_eligible"), columns.get("eligible_groups")
    if not (kept >= _ELIGIBILITY and _has_length(specs, m)):
        labels = labels_of(node_names, made["node_kind"], made["node_labels"])
        specs, groups = checked_eligibility(specs, groups, ids["task"], m, labels)
    made["task_group"], made["groups"] = specs, groups
    _names_of_tasks(made, columns, kept, ids["task"], node_names)
    _variants_of_tasks(made, columns, settings, labels, ids["task"], node_names)
    made.update(checked_settings(settings, made))
    made["rows"] = make_rows(made)
    made["current"] = checked_current(settings["current"], made, node_names, ids["task"])
    return made


_PLAIN_KINDS = (Kind.NUMBER, Kind.LABEL, Kind.RESOURCES, Kind.TEXTS, Kind.CHOICE)
_FIXED_COST = next(field for field in fields_of("node") if field.name == "fixed_cost")


def _with_lengths(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with those of compute filled with 0 where tasks have models instead."""
    compute = columns.get("task_compute")
    models, own = columns.get("task_model"), columns.get("task_variants")
    if models is None and own is None:
        return columns
    count = len(models if models is not None else own)  # type: ignore[arg-type]
    if compute is None:
        return {**columns, "task_compute": np.zeros(count, dtype=np.int64)}
    if isinstance(compute, np.ndarray) or len(compute) != count:
        return columns
    has = [
        (models is not None and models[j] is not None and models[j] != -1)
        or (own is not None and own[j] is not None)
        for j in range(count)
    ]
    filled = [
        0 if value is None and variants else value
        for value, variants in zip(compute, has, strict=True)
    ]
    return {**columns, "task_compute": filled}


def _names_of_tasks(
    made: dict[str, Any],
    columns: dict[str, Any],
    kept: frozenset[str],
    ids: Array | None,
    node_names: Array,
) -> None:
    """The columns of names: groups, and nodes that tasks are pinned to."""
    for field in fields_of("task", Kind.NAMES):
        values, sets = columns.get(field.argument), columns.get(field.sets)
        if not (kept >= {field.argument, field.sets} and _has_length(values, made["num_tasks"])):
            known = None if field.name == "groups" or values is None else set(node_names.tolist())
            if values is None and field.name == "pinned":
                known = set()
            values, sets = checked_names(values, sets, field, made["num_tasks"], ids, known)
        made[field.attribute], made[field.sets] = values, sets


def _variants_of_tasks(
    made: dict[str, Any],
    columns: dict[str, Any],
    settings: dict[str, Any],
    labels: set[str] | None,
    ids: Array | None,
    node_names: Array,
) -> None:
    """The sets of variants, and which of them each task has."""
    given = [columns.get("task_model"), columns.get("task_variants"), settings["models"]]
    if labels is None and any(column is not None for column in given):
        labels = labels_of(node_names, made["node_kind"], made["node_labels"])
    made["task_model"], sets = checked_variants(
        columns, settings["models"], labels or set(), made["node_resources"], made["num_tasks"], ids
    )
    made["variant_sets"], made["model_names"] = tuple(sets.sets), tuple(sets.names)
    made["models"] = {
        name: variants
        for name, variants in zip(sets.names, sets.sets, strict=True)
        if name is not None
    }
    without_own_figures(made, ids)


def _checked(field: Field, values: Any, count: int, ids: Array | None, made: dict[str, Any]) -> Any:
    """A column that keeps the rules of its field; `made` has the columns before it."""
    if field.kind is Kind.LABEL:
        return checked_labels(values, field, count, ids)
    if field.kind is Kind.RESOURCES:
        return _checked_resources(field.owner, dict(values or {}), count, ids, made)
    if field.kind is Kind.TEXTS:
        return checked_texts(values, field, count, ids)
    if field.kind is Kind.CHOICE:
        return checked_choices(values, field, count, ids)
    if field.nullable and values is not None and not isinstance(values, np.ndarray):
        values = [field.default if value is None else value for value in values]
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
    return all(column is not None and len(column) == count for column in columns)
