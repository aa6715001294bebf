"""The JSON form of an instance, written: only what is not a default."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any, cast

from ...model.checking.settings import SETTINGS
from ...model.costs.energy import Energy, energy_to_write
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ...model.rules import rule_to_write
from ..cells import at_default, says_nothing, sets_of, tidy_cells, values_of
from ..places import place_to_write, places_of
from .variants import variants_to_write

__all__ = ["INSTANCE_SCHEMAS", "instance_lines", "schema_of", "settings_to_write"]

INSTANCE_SCHEMAS = ("nodewise/1", "nodewise/2")
"""What can be read; an instance is written in the first that has its fields."""

_LEFT_OUT = object()
_EMPTY = ("models", "rules", "power_off", "max_moving")
"""The settings that say nothing where they are empty."""
_FIRST = ("name", "max_load", "power_off")
"""The settings that the first schema has."""


def schema_of(instance: Instance) -> str:
    """The first schema that has all fields which the instance makes use of."""
    later = [
        field.since
        for owner in ("node", "task")
        for field in fields_of(owner)
        if field.since > 1 and not says_nothing(instance, field)
    ]
    since = 2 if instance.power_off == "owned" else 1
    settings = [2 for name in SETTINGS if name not in _FIRST and _is_told(instance, name)]
    return INSTANCE_SCHEMAS[max([since, *settings, *later]) - 1]


def _is_told(instance: Instance, name: str) -> bool:
    """Whether a setting is not the default."""
    if name == "current":
        return instance.current is not None
    value = getattr(instance, name)
    return bool(value) if name in _EMPTY else value != SETTINGS[name]


def settings_to_write(instance: Instance, *, elsewhere: Collection[str] = ()) -> dict[str, Any]:
    """The schema and the settings that are not defaults, but for those told elsewhere."""
    settings: dict[str, Any] = {"schema": schema_of(instance)}
    for name in dict.fromkeys((*_FIRST, *SETTINGS)):
        if name not in elsewhere and _is_told(instance, name):
            value = getattr(instance, name)
            write = _WRITTEN.get(name)
            settings[name] = value if write is None else write(instance)
    return settings


_WRITTEN: dict[str, Callable[[Instance], Any]] = {
    "energy": lambda instance: energy_to_write(cast(Energy, instance.energy)),
    "models": lambda instance: {
        name: variants_to_write(variants) for name, variants in instance.models.items()
    },
    "rules": lambda instance: [rule_to_write(rule) for rule in instance.rules],
    "current": lambda instance: _current(instance),
}


def _current(instance: Instance) -> dict[str, Any]:
    assert instance.current is not None
    ids = instance.task_ids.tolist()
    return {
        ids[place.task]: place_to_write(place) for place in places_of(instance, instance.current)
    }


def instance_lines(instance: Instance) -> Iterator[str]:
    """The JSON text of an instance, one line a record; only what is not a default is written."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    yield "{\n"
    yield from _of_settings(instance, encode)
    yield '"nodes": [\n'
    yield from _joined(map(encode, _records_of(instance, "node")))
    yield '],\n"tasks": [\n'
    yield from _joined(map(encode, _records_of(instance, "task")))
    yield "]\n}\n"


def _of_settings(instance: Instance, encode: Callable[[Any], str]) -> Iterator[str]:
    """The lines of the settings: one each, but one a model, a rule and a task that is placed."""
    for key, value in settings_to_write(instance).items():
        if key in ("models", "current"):
            entries = (f"{encode(name)}: {encode(each)}" for name, each in value.items())
            yield f"{encode(key)}: {{\n"
            yield from _joined(entries)
            yield "},\n"
        elif key == "rules":
            yield f"{encode(key)}: [\n"
            yield from _joined(map(encode, value))
            yield "],\n"
        else:
            yield f"{encode(key)}: {encode(value)},\n"


def _joined(records: Iterator[str]) -> Iterator[str]:
    between = "  "
    for record in records:
        yield between + record
        between = ",\n  "
    yield "\n"


def _records_of(instance: Instance, owner: str) -> Iterator[dict[str, Any]]:
    """The records of the nodes or tasks, without what is a default."""
    columns: dict[str, list[Any]] = {}
    for field in fields_of(owner):
        if field.since > 1 and says_nothing(instance, field):
            continue
        make = _COLUMNS.get(field.kind, _column)
        column = make(instance, field)
        if column:
            columns[field.name] = column
    names = list(columns)
    for row in zip(*columns.values(), strict=True):
        yield {
            name: value for name, value in zip(names, row, strict=True) if value is not _LEFT_OUT
        }


def _column(instance: Instance, field: Field) -> list[Any]:
    """The values of a field; nothing where all are defaults."""
    values = values_of(instance, field)
    if field.kind is Kind.ID:
        return values
    default = at_default(instance, field)
    if all(default):
        return []
    if any(default):
        return [_LEFT_OUT if left else v for v, left in zip(values, default, strict=True)]
    return values


def _eligible(instance: Instance, field: Field) -> list[Any]:
    labels = [_LEFT_OUT if group is None else list(group) for group in instance.groups]
    return [labels[group] for group in instance.task_group.tolist()]


def _names(instance: Instance, field: Field) -> list[Any]:
    """Lists of names; the one node that a task is pinned to as text."""
    listed: list[Any] = [list(names) if names else _LEFT_OUT for names in sets_of(instance, field)]
    if field.name == "pinned":
        listed = [
            names[0] if names is not _LEFT_OUT and len(names) == 1 else names for names in listed
        ]
    return [listed[number] for number in getattr(instance, field.attribute).tolist()]


def _variants(instance: Instance, field: Field) -> list[Any]:
    """The variants of the tasks that have some for themselves."""
    own = [
        variants_to_write(variants) if name is None else _LEFT_OUT
        for name, variants in zip(instance.model_names, instance.variant_sets, strict=True)
    ]
    if all(variants is _LEFT_OUT for variants in own):
        return []
    own.append(_LEFT_OUT)  # of -1
    return [own[number] for number in instance.task_model.tolist()]


def _labels(instance: Instance, field: Field) -> list[Any]:
    keys = list(instance.node_labels)
    rows = zip(*instance.node_labels.values(), strict=True)
    return [
        {key: value for key, value in zip(keys, row, strict=True) if value is not None} or _LEFT_OUT
        for row in rows
    ]


def _resources(instance: Instance, field: Field) -> list[Any]:
    """An object a record; of a task only what it needs, and nothing where that is nothing."""
    resources = getattr(instance, field.attribute)
    if not resources:
        return []
    rows = zip(*(tidy_cells(column.tolist()) for column in resources.values()), strict=True)
    names = list(resources)
    if field.owner == "node":
        return [dict(zip(names, row, strict=True)) for row in rows]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value} or _LEFT_OUT
        for row in rows
    ]


_COLUMNS: dict[Kind, Callable[[Instance, Field], list[Any]]] = {
    Kind.LABELS: _eligible,
    Kind.NAMES: _names,
    Kind.VARIANTS: _variants,
    Kind.TEXTS: _labels,
    Kind.RESOURCES: _resources,
}
"""How the columns are made that are not one number or word a record."""
