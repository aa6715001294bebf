"""Changed copies of an instance: its columns and settings as arguments, and cut ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InstanceError
from .checking.assembly import taken
from .checking.settings import SETTINGS
from .checking.validation import (
    are_positions,
    checked_positions,
    labels_among,
    labels_of,
    plain,
)
from .exact import Array
from .fields import Field, Kind, fields_of
from .records import Labels, Variant

__all__ = [
    "changed",
    "column_of",
    "columns_of_instance",
    "cut",
    "record_values",
    "same",
    "settings_of_instance",
]

Arguments = tuple[dict[str, Any], dict[str, Any], frozenset[str]]
_NODE_NAMES = frozenset({"node_ids", "node_kind", "node_labels"})


def column_of(instance: Any, field: Field) -> Any:
    """The column of a field, as `Instance.from_arrays` takes it."""
    if field.kind is Kind.LABELS:
        return instance.task_group
    if field.kind is Kind.REPLICAS:
        return None
    if field.kind is Kind.VARIANTS:
        return _own_variants(instance)
    if field.kind is Kind.MODEL:
        return _named_models(instance)
    return getattr(instance, field.argument)


def record_values(instance: Any, owner: str, position: int) -> dict[str, Any]:
    """The fields of one node or task, by their names; a task's model and variants left out."""
    values: dict[str, Any] = {}
    for field in fields_of(owner):
        if field.kind in (Kind.REPLICAS, Kind.VARIANTS, Kind.MODEL):
            continue
        column = column_of(instance, field)
        if field.kind is Kind.ID:
            values[field.name] = str(column[position])
        elif field.kind is Kind.LABELS:
            values[field.name] = instance.groups[column[position]]
        elif field.kind is Kind.NAMES:
            values[field.name] = getattr(instance, field.sets)[column[position]]
        elif field.kind is Kind.TEXTS:
            texts = ((key, each[position]) for key, each in column.items())
            values[field.name] = {key: text for key, text in texts if text is not None}
        elif field.kind is Kind.RESOURCES:
            values[field.name] = {key: plain(each[position]) for key, each in column.items()}
        else:
            value = plain(column[position])
            values[field.name] = None if field.nullable and value == field.default else value
    return values


def _named_models(instance: Any) -> Array | None:
    if not instance.models:
        return None
    named: Array = np.where(instance.task_model < len(instance.models), instance.task_model, -1)
    return named


def _own_variants(instance: Any) -> list[Any] | None:
    own = len(instance.models)
    if len(instance.variant_sets) == own:
        return None
    sets = [*(None for _ in range(own)), *instance.variant_sets[own:], None]
    return [sets[number] for number in instance.task_model.tolist()]


def columns_of_instance(instance: Any) -> dict[str, Any]:
    """What `from_arrays` would be called with; ids as they were given."""
    columns = {f.argument: column_of(instance, f) for o in ("node", "task") for f in fields_of(o)}
    columns.update(node_ids=instance._node_ids, task_ids=instance._task_ids)
    columns["eligible_groups"] = instance.groups
    columns.update((field.sets, getattr(instance, field.sets)) for field in _fields_of_names())
    return columns


def _fields_of_names() -> list[Field]:
    return list(fields_of("task", Kind.NAMES))


def settings_of_instance(instance: Any) -> dict[str, Any]:
    """The settings, as `from_arrays` takes them."""
    return {name: getattr(instance, name) for name in SETTINGS}


def changed(instance: Any, changes: dict[str, Any]) -> Arguments:
    """Columns, settings and what need not be checked again, of a copy with some changes."""
    columns, settings = columns_of_instance(instance), settings_of_instance(instance)
    kept = frozenset(columns).difference(changes)
    if not kept >= _NODE_NAMES | {"task_eligible", "eligible_groups"}:
        kept -= {"task_eligible", "eligible_groups"}  # what it names may be gone
    if "node_ids" in changes:
        kept -= {"task_pinned", "pinned_sets"}
    if "node_resources" in changes:
        kept -= {"task_resources"}  # the tasks have those that the nodes have
    if "task_eligible" in changes and not are_positions(changes["task_eligible"]):
        changes.setdefault("eligible_groups", None)
    for field in _fields_of_names():
        if field.argument in changes and not are_positions(changes[field.argument]):
            changes.setdefault(field.sets, None)
    if "node_fixed_cost" not in changes and instance.node_fixed_cost.size:
        _prices_beside_fixed_costs(instance, columns, changes)
    if {"models", "task_model", "task_variants"} & changes.keys():
        changes = {"task_variants": None, **changes} if "task_model" in changes else changes
    if settings["current"] is not None and not _same_places(instance, changes):
        settings["current"] = None
    settings.update((key, changes.pop(key)) for key in tuple(changes) if key in settings)
    return {**columns, **changes}, settings, kept


def _same_places(instance: Any, changes: dict[str, Any]) -> bool:
    """Whether positions of rows and nodes mean the same in the copy."""
    rows = {"task_ids", "task_model", "task_variants", "models", "task_replicas", "node_ids"}
    return not rows & changes.keys()


def _prices_beside_fixed_costs(
    instance: Any, columns: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Where a node has a fixed cost, the prices it did not name are not named in the copy."""
    has = instance.node_fixed_cost < np.inf
    if "node_price" in changes or not has.any():
        return
    prices = instance.node_price.tolist()
    columns["node_price"] = [
        None if fixed else price for fixed, price in zip(has.tolist(), prices, strict=True)
    ]


def cut(instance: Any, nodes: Any, tasks: Any) -> Arguments:
    """The same of the instance of some of the nodes and tasks.

    Raises
    ------
    InstanceError
        If something is no position or stands twice, or a task may run on none of the nodes.
    """
    at = {
        "node": checked_positions(nodes, "nodes", instance.num_nodes),
        "task": checked_positions(tasks, "tasks", instance.num_tasks),
    }
    columns = {
        field.argument: taken(column_of(instance, field), at[field.owner])
        for owner in at
        for field in fields_of(owner)
        if field.kind not in (Kind.VARIANTS, Kind.NAMES)
    }
    kept = frozenset(columns).difference({"task_eligible"})
    used, group = np.unique(columns["task_eligible"], return_inverse=True)
    known = labels_of(columns["node_ids"], columns["node_kind"], columns["node_labels"])
    left = [labels_among(instance.groups[g], known) for g in used.tolist()]
    if () in left:
        raise _nowhere(instance, int(at["task"][int(np.argmax(group == left.index(())))]))
    columns.update(task_eligible=group, eligible_groups=left)
    settings = settings_of_instance(instance)
    columns.update(_cut_names(instance, at["task"], columns["node_ids"].tolist()))
    columns.update(_cut_variants(instance, at["task"], known, settings))
    _cut_settings(instance, at, columns, settings)
    domains = {rule.domain for rule in settings["rules"]}
    columns["node_labels"] = {
        key: column
        for key, column in columns["node_labels"].items()
        if any(value is not None for value in column) or key in domains
    }
    return columns, settings, kept


def _nowhere(instance: Any, j: int) -> InstanceError:
    return InstanceError(
        f"task {str(instance.task_ids[j])!r}: eligible names none of the nodes that are kept"
    )


def _cut_names(instance: Any, tasks: Array, node_ids: list[str]) -> dict[str, Any]:
    groups = [instance.group_sets[s] for s in instance.task_groups[tasks].tolist()]
    made: dict[str, Any] = {"task_groups": groups if any(groups) else None}
    if len(instance.pinned_sets) > 1:
        left = [labels_among(pins, set(node_ids)) for pins in instance.pinned_sets]
        numbers = instance.task_pinned[tasks].tolist()
        for j, number in zip(tasks.tolist(), numbers, strict=True):
            if left[number] == ():
                raise _nowhere(instance, j)
        made["task_pinned"] = [left[number] for number in numbers]
    return made


def _cut_variants(
    instance: Any, tasks: Array, known: set[str], settings: dict[str, Any]
) -> dict[str, Any]:
    """The variants that may run on the nodes that are left; all as lists of the tasks' own."""
    if not instance.variant_sets:
        return {"task_model": None, "task_variants": None}
    left = [_variants_among(variants, known) for variants in instance.variant_sets]
    numbers = instance.task_model[tasks].tolist()
    for j, number in zip(tasks.tolist(), numbers, strict=True):
        if number >= 0 and not left[number]:
            raise _nowhere(instance, j)
    named = len(instance.models)
    settings["models"] = {
        name: left[number] for number, name in enumerate(instance.models) if left[number]
    }
    at = {number: place for place, number in enumerate(n for n in range(named) if left[n])}
    own = [left[n] if n >= named else None for n in numbers]
    return {
        "task_model": [at.get(n, -1) for n in numbers],
        "task_variants": own if any(own) else None,
    }


def _variants_among(variants: tuple[Variant, ...], known: set[str]) -> tuple[Variant, ...]:
    kept = []
    for variant in variants:
        eligible = labels_among(variant.eligible, known)  # type: ignore[arg-type]
        parts: Any = variant.parts
        if not isinstance(parts, int):
            lists = [labels_among(part.eligible, known) for part in parts]
            if () in lists:
                continue
            parts = tuple(_with(part, labels) for part, labels in zip(parts, lists, strict=True))
        if eligible != ():
            kept.append(_with(variant, eligible, parts=parts))
    return tuple(kept)


def _with(record: Any, eligible: Labels, **changes: Any) -> Any:
    return replace(record, eligible=eligible, **changes)


def _cut_settings(
    instance: Any, at: dict[str, Array], columns: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Rules and caps whose groups are left, and the present places that are."""
    groups = {group for names in columns["task_groups"] or () for group in names}
    settings["rules"] = [
        rule
        for rule in instance.rules
        if rule.group in groups
        and (getattr(rule, "with_", None) is None or getattr(rule, "with_", None) in groups)
        and (rule.domain in ("node", "kind") or rule.domain in columns["node_labels"])
    ]
    settings["max_moving"] = {
        group: most for group, most in instance.max_moving.items() if group in groups
    }
    if instance.current is None:
        return
    place = np.full(instance.num_nodes + 1, -1, dtype=np.int64)
    place[at["node"]] = np.arange(at["node"].size)
    names, nodes = instance.task_ids, instance.node_ids
    rows = instance.rows
    settings["current"] = current = {}
    for j in at["task"].tolist():
        begin, end = int(rows.task_start[j]), int(rows.task_start[j + 1])
        here = begin + np.flatnonzero(instance.current[begin:end] >= 0)
        if not here.size:
            continue
        form = int(rows.form[here[0]])
        first, last = int(rows.form_start[form]), int(rows.form_start[form + 1])
        kept = place[instance.current[first:last]]
        if (kept < 0).all():
            continue
        variant = instance.variants_of(j)[int(rows.form_variant[form])]
        were = zip(instance.current[first:last].tolist(), kept.tolist(), strict=True)
        current[str(names[j])] = {
            "node": [str(nodes[i]) if k >= 0 else None for i, k in were],
            "variant": None if variant is None else variant.name,
        }


def same(mine: Any, theirs: Any) -> bool:
    """Whether two attributes of instances are equal, number for number."""
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        if mine.shape != theirs.shape:
            return False
        if mine.dtype != theirs.dtype and mine.dtype.kind in "if":
            return bool(mine.tolist() == theirs.tolist())  # NumPy would compare them as floats
        return bool((mine == theirs).all())
    if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
        return False
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(same(mine[k], theirs[k]) for k in mine)
    return bool(mine == theirs)
