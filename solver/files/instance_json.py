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
from ..model.instance import Instance, Number
from .eligibility import EligibleGroups
from .text import decode, did_you_mean, packed, tidy

__all__ = [
    "INSTANCE_SCHEMA",
    "instance_lines",
    "load_object",
    "parse_instance",
    "require_schema",
    "settings_of",
    "settings_to_write",
]

INSTANCE_SCHEMA = "nodewise/1"

_SETTINGS = ("schema", "name", "max_load", "power_off")
_NODE_KEYS = ("id", "compute", "storage", "price", "overload_price", "kind", "resources")
_TASK_KEYS = ("id", "compute", "storage", "eligible", "resources")
_LIMIT = "leave storage out where it is unlimited"


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
    """The name, max_load and power_off of an object that may also have the keys `more`.

    Raises
    ------
    InstanceError
        If the schema is another one or a key is unknown.
    """
    require_schema(loaded.get("schema", INSTANCE_SCHEMA), INSTANCE_SCHEMA, where)
    _require_keys(loaded, (*_SETTINGS, *more), where)
    power_off = loaded.get("power_off")
    return {
        "name": loaded.get("name"),
        "max_load": loaded.get("max_load"),
        "power_off": False if power_off is None else power_off,
    }


def require_schema(found: Any, wanted: str, where: str) -> None:
    """Require that a file is of the schema this version reads.

    Raises
    ------
    InstanceError
        Naming both.
    """
    if found != wanted:
        raise InstanceError(f"{where}: schema is {found!r}; this version reads {wanted!r}")


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
    nodes = _records(loaded, "nodes", _NODE_KEYS, where)
    tasks = _records(loaded, "tasks", _TASK_KEYS, where)
    node_ids, kinds = _values(nodes, "id"), _values(nodes, "kind")
    groups = EligibleGroups(node_ids, kinds)
    node_resources = _resources(nodes, "nodes", where, None)
    fields: dict[str, Any] = {
        "node_ids": node_ids,
        "node_compute": packed(_values(nodes, "compute")),
        "node_storage": _node_storage(nodes, where),
        "node_price": _values(nodes, "price"),
        "node_overload_price": _values(nodes, "overload_price"),
        "node_kind": kinds,
        "node_resources": node_resources,
        "task_ids": _values(tasks, "id"),
        "task_compute": packed(_values(tasks, "compute")),
        "task_storage": _numbers(tasks, "storage", 0),
        "task_resources": _resources(tasks, "tasks", where, list(node_resources)),
        "task_eligible": _eligible(tasks, groups, where),
        "eligible_groups": groups.labels,
    }
    try:
        return Instance.from_arrays(**fields, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


def _values(records: list[dict[str, Any]], key: str) -> list[Any]:
    """One column, None where the key is absent."""
    return [record.get(key) for record in records]


def _numbers(records: list[dict[str, Any]], key: str, default: Number) -> Any:
    """One column of numbers, with the default where the key is absent or null."""
    return packed([default if value is None else value for value in _values(records, key)])


def _records(
    loaded: dict[str, Any], name: str, keys: Sequence[str], where: str
) -> list[dict[str, Any]]:
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
        for key in ("id", "compute"):
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


def _node_storage(nodes: list[dict[str, Any]], where: str) -> Any:
    for position, node in enumerate(nodes):
        if node.get("storage") == math.inf:  # such as 1e400
            label = _label("nodes", position, node, where)
            raise InstanceError(f"{label}: storage is too large a number; {_LIMIT}")
    return _numbers(nodes, "storage", math.inf)


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


def settings_to_write(instance: Instance) -> dict[str, Any]:
    """The schema, and of name, max_load and power_off those that are not the default."""
    settings: dict[str, Any] = {"schema": INSTANCE_SCHEMA}
    if instance.name is not None:
        settings["name"] = instance.name
    if instance.max_load is not None:
        settings["max_load"] = instance.max_load
    if instance.power_off:
        settings["power_off"] = True
    return settings


def instance_lines(instance: Instance) -> Iterator[str]:
    """The JSON text of an instance, one line a record; only what is not a default is written."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    yield "{\n"
    for key, value in settings_to_write(instance).items():
        yield f"{encode(key)}: {encode(value)},\n"
    yield '"nodes": [\n'
    yield from _joined(map(encode, _node_records(instance)))
    yield '],\n"tasks": [\n'
    yield from _joined(map(encode, _task_records(instance)))
    yield "]\n}\n"


def _joined(records: Iterator[str]) -> Iterator[str]:
    between = "  "
    for record in records:
        yield between + record
        between = ",\n  "
    yield "\n"


def _node_records(instance: Instance) -> Iterator[dict[str, Any]]:
    resources = {key: column.tolist() for key, column in instance.node_resources.items()}
    for i, (key, compute, storage, price, overload_price, kind) in enumerate(
        zip(
            instance.node_ids.tolist(),
            instance.node_compute.tolist(),
            instance.node_storage.tolist(),
            instance.node_price.tolist(),
            instance.node_overload_price.tolist(),
            instance.node_kind,
            strict=True,
        )
    ):
        record = {"id": key, "compute": tidy(compute)}
        if storage < math.inf:
            record["storage"] = tidy(storage)
        if price != compute:
            record["price"] = tidy(price)
        if overload_price != price:
            record["overload_price"] = tidy(overload_price)
        if kind is not None:
            record["kind"] = kind
        if resources:
            record["resources"] = {key: tidy(column[i]) for key, column in resources.items()}
        yield record


def _task_records(instance: Instance) -> Iterator[dict[str, Any]]:
    resources = {key: column.tolist() for key, column in instance.task_resources.items()}
    labels = [None if group is None else list(group) for group in instance.groups]
    for j, (key, compute, storage, group) in enumerate(
        zip(
            instance.task_ids.tolist(),
            instance.task_compute.tolist(),
            instance.task_storage.tolist(),
            instance.task_group.tolist(),
            strict=True,
        )
    ):
        record = {"id": key, "compute": tidy(compute)}
        if storage:
            record["storage"] = tidy(storage)
        if labels[group] is not None:
            record["eligible"] = labels[group]
        needs = {key: tidy(column[j]) for key, column in resources.items() if column[j]}
        if needs:
            record["resources"] = needs
        yield record
