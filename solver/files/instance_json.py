"""The JSON form of an instance, schema "nodewise/1"."""

from __future__ import annotations

import gc
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import InstanceError
from ..model.costs.energy import energy_to_write
from ..model.fields import Field, Kind, fields_of
from ..model.instance import Instance
from .cells import at_default, tidy_cells, values_of
from .eligibility import EligibleGroups
from .text import decode, did_you_mean, packed

__all__ = [
    "INSTANCE_SCHEMAS",
    "instance_lines",
    "load_object",
    "parse_instance",
    "require_schema",
    "settings_of",
    "settings_to_write",
]

INSTANCE_SCHEMAS = ("nodewise/1", "nodewise/2")
"""What can be read; an instance is written in the first that has its fields."""

_SETTINGS = ("schema", "name", "max_load", "power_off", "energy")
_LIMIT = "leave storage out where it is unlimited"
_LEFT_OUT = object()


def load_object(data: bytes, where: str) -> dict[str, Any]:
    """Read JSON text that holds one object, without the liberties `json` takes.

    Raises
    ------
    InstanceError
        If the text is not UTF-8, not JSON, not an object, names a key twice in one object, or
        has NaN or Infinity.
    """
    text = decode(data, where, InstanceError)

    def refuse(token: str) -> None:
        raise InstanceError(f"{where}: {token} is not a number in JSON; {_LIMIT}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
            owner = f" of {found['id']!r}" if "id" in found else ""
            raise InstanceError(f"{where}: the key {twice!r}{owner} stands twice; remove one")
        return found

    try:
        with _collector_off():
            loaded = json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise InstanceError(
            f"{where}, line {error.lineno}, column {error.colno}: the file is not JSON, or it is "
            f"cut short: {error.msg}"
        ) from None
    except RecursionError:
        raise InstanceError(f"{where}: the JSON is nested too deeply") from None
    except InstanceError:
        raise
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InstanceError(f"{where}: a number is too large: {error}") from None
    if not isinstance(loaded, dict):
        raise InstanceError(
            f"{where}: the file holds a JSON {_kind_of(loaded)}; an instance is an object with "
            "the keys nodes and tasks"
        )
    return loaded


@contextmanager
def _collector_off() -> Iterator[None]:
    """A million new objects, none of them garbage, would be walked over again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _kind_of(value: Any) -> str:
    names = {list: "array", dict: "object", str: "string", int: "number", float: "number"}
    return names.get(type(value), "constant")


def settings_of(loaded: dict[str, Any], where: str, *more: str) -> dict[str, Any]:
    """The name, max_load, power_off and energy of an object that may also have the keys `more`.

    Raises
    ------
    InstanceError
        If the schema is another one or a key is unknown.
    """
    require_schema(loaded.get("schema", INSTANCE_SCHEMAS[0]), INSTANCE_SCHEMAS, where)
    _require_keys(loaded, (*_SETTINGS, *more), where)
    power_off = loaded.get("power_off")
    return {
        "name": loaded.get("name"),
        "max_load": loaded.get("max_load"),
        "power_off": False if power_off is None else power_off,
        "energy": loaded.get("energy"),
    }


def require_schema(found: Any, known: Sequence[str], where: str) -> None:
    """Require that a file is of a schema that this version reads.

    Raises
    ------
    InstanceError
        Naming both.
    """
    if found not in known:
        names = " and ".join(map(repr, known))
        raise InstanceError(f"{where}: schema is {found!r}; this version reads {names}")


def parse_instance(data: bytes, where: str) -> Instance:
    """Read an instance from the content of a JSON file.

    Parameters
    ----------
    data : bytes
    where : str
        The file, as error messages name it.

    Raises
    ------
    InstanceError
        Naming the file, the record and the key.
    """
    loaded = load_object(data, where)
    settings = settings_of(loaded, where, "nodes", "tasks")
    records = {owner: _records(loaded, owner, where) for owner in ("node", "task")}
    columns: dict[str, Any] = {}
    for owner, listed in records.items():
        for field in fields_of(owner):
            if field.kind is Kind.RESOURCES:
                known = None if owner == "node" else list(columns["node_resources"])
                columns[field.argument] = _resources(listed, f"{owner}s", where, known)
            elif field.kind is not Kind.LABELS:
                columns[field.argument] = _column(listed, field, where)
    groups = EligibleGroups(columns["node_ids"], columns["node_kind"])
    columns["task_eligible"] = _eligible(records["task"], groups, where)
    columns["eligible_groups"] = groups.labels
    try:
        return Instance.from_arrays(**columns, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


def _values(records: list[dict[str, Any]], key: str) -> list[Any]:
    """One column, None where the key is absent."""
    return [record.get(key) for record in records]


def _column(records: list[dict[str, Any]], field: Field, where: str) -> Any:
    """A column of ids, labels or numbers, as `Instance.from_arrays` takes it."""
    values = _values(records, field.name)
    if field.kind is not Kind.NUMBER or field.same_as is not None:
        return values
    if field.required:
        return packed(values)
    if field.unlimited and math.inf in values:  # such as 1e400
        position = values.index(math.inf)
        label = _label(f"{field.owner}s", position, records[position], where)
        raise InstanceError(
            f"{label}: {field.name} is too large a number; leave {field.name} out where it is "
            "unlimited"
        )
    return packed([field.default if value is None else value for value in values])


def _records(loaded: dict[str, Any], owner: str, where: str) -> list[dict[str, Any]]:
    name, keys = f"{owner}s", [field.name for field in fields_of(owner)]
    required = [field.name for field in fields_of(owner) if field.required]
    records = loaded.get(name)
    if not isinstance(records, list):
        found = "missing" if records is None else f"a JSON {_kind_of(records)}"
        raise InstanceError(f"{where}: {name} is {found}; it must be an array of objects")
    known = set(keys)
    for position, record in enumerate(records):
        if type(record) is not dict:
            kind = _kind_of(record)
            raise InstanceError(f"{where}: {name}[{position}] is a JSON {kind}, not an object")
        if not known >= record.keys():
            _require_keys(record, keys, _label(name, position, record, where))
        for key in required:
            if key not in record:
                raise InstanceError(
                    f"{_label(name, position, record, where)}: {key} is missing"
                    f"{did_you_mean(key, record)}"
                )
    return records


def _require_keys(record: dict[str, Any], known: Sequence[str], where: str) -> None:
    for key in record:
        if key not in known:
            raise InstanceError(
                f"{where}: the key {key!r} is unknown{did_you_mean(key, known)} "
                f"(known: {', '.join(known)})"
            )


def _label(name: str, position: int, record: dict[str, Any], where: str) -> str:
    owner = f" ({record['id']!r})" if "id" in record else ""
    return f"{where}: {name}[{position}]{owner}"


def _resources(
    records: list[dict[str, Any]], name: str, where: str, known: list[str] | None
) -> dict[str, Any]:
    """One column a resource; 0 where a record does not list it."""
    columns: dict[str, Any] = {key: [0] * len(records) for key in known or ()}
    for position, record in enumerate(records):
        resources = record.get("resources")
        if resources is None:
            continue
        if type(resources) is not dict:
            label = _label(name, position, record, where)
            raise InstanceError(f"{label}: resources must be an object of names and numbers")
        for key, value in resources.items():
            if key not in columns:
                if known is not None:
                    label = _label(name, position, record, where)
                    raise InstanceError(
                        f"{label}: resources[{key!r}] is a resource that no node lists"
                        f"{did_you_mean(key, known)}"
                    )
                columns[key] = [0] * len(records)
            columns[key][position] = value
    return {key: packed(column) for key, column in columns.items()}


def _eligible(tasks: list[dict[str, Any]], groups: EligibleGroups, where: str) -> Any:
    numbers = []
    for position, task in enumerate(tasks):
        given = task.get("eligible")
        try:
            numbers.append(0 if given is None else groups.number_of(given))
        except InstanceError as error:
            label = _label("tasks", position, task, where)
            raise InstanceError(f"{label}: eligible: {error}") from None
    return packed(numbers)


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
    for field in fields_of(owner):
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
