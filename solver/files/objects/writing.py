"""The JSON form of an instance, written: only what is not a default."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...model.costs.energy import energy_to_write
from ...model.fields import Kind, fields_of
from ...model.instance import Instance
from ..cells import COLUMNS, at_default, tidy_cells, values_of

__all__ = ["INSTANCE_SCHEMAS", "instance_lines", "settings_to_write"]

INSTANCE_SCHEMAS = ("nodewise/1", "nodewise/2")
"""What can be read; an instance is written in the first that has its fields."""

_LEFT_OUT = object()


def _schema_of(instance: Instance) -> str:
    """The first schema that has all fields which the instance makes use of."""
    later = [
        field.since
        for owner in ("node", "task")
        for field in fields_of(owner, Kind.NUMBER, Kind.LABEL)
        if field.since > 1 and not all(at_default(instance, field))
    ]
    settings = 2 if instance.energy is not None or instance.power_off == "owned" else 1
    return INSTANCE_SCHEMAS[max([settings, *later]) - 1]


def settings_to_write(instance: Instance) -> dict[str, Any]:
    """The schema, and of name, max_load, power_off and energy those that are not the default."""
    settings: dict[str, Any] = {"schema": _schema_of(instance)}
    if instance.name is not None:
        settings["name"] = instance.name
    if instance.max_load is not None:
        settings["max_load"] = instance.max_load
    if instance.power_off:
        settings["power_off"] = instance.power_off
    if instance.energy is not None:
        settings["energy"] = energy_to_write(instance.energy)
    return settings


def instance_lines(instance: Instance) -> Iterator[str]:
    """The JSON text of an instance, one line a record; only what is not a default is written."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    yield "{\n"
    for key, value in settings_to_write(instance).items():
        yield f"{encode(key)}: {encode(value)},\n"
    yield '"nodes": [\n'
    yield from _joined(map(encode, _records_of(instance, "node")))
    yield '],\n"tasks": [\n'
    yield from _joined(map(encode, _records_of(instance, "task")))
    yield "]\n}\n"


def _joined(records: Iterator[str]) -> Iterator[str]:
    between = "  "
    for record in records:
        yield between + record
        between = ",\n  "
    yield "\n"


def _records_of(instance: Instance, owner: str) -> Iterator[dict[str, Any]]:
    """The records of the nodes or tasks, without what is a default."""
    columns: dict[str, list[Any]] = {}
    for field in fields_of(owner, *COLUMNS):
        if field.kind is Kind.LABELS:
            labels = [_LEFT_OUT if group is None else list(group) for group in instance.groups]
            columns[field.name] = [labels[group] for group in instance.task_group.tolist()]
        elif field.kind is Kind.RESOURCES:
            listed = _resources_of(getattr(instance, field.attribute), owner)
            if listed:
                columns[field.name] = listed
        else:
            columns[field.name] = values_of(instance, field)
            if field.kind is not Kind.ID:
                default = at_default(instance, field)
                if all(default):
                    del columns[field.name]
                elif any(default):
                    columns[field.name] = [
                        _LEFT_OUT if left else value
                        for value, left in zip(columns[field.name], default, strict=True)
                    ]
    names = list(columns)
    for row in zip(*columns.values(), strict=True):
        yield {
            name: value for name, value in zip(names, row, strict=True) if value is not _LEFT_OUT
        }


def _resources_of(resources: dict[str, Any], owner: str) -> list[Any]:
    """An object a record; of a task only what it needs, and nothing where that is nothing."""
    if not resources:
        return []
    rows = zip(*(tidy_cells(column.tolist()) for column in resources.values()), strict=True)
    names = list(resources)
    if owner == "node":
        return [dict(zip(names, row, strict=True)) for row in rows]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value} or _LEFT_OUT
        for row in rows
    ]
