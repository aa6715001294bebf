"""The JSON form of an instance, read: one column a field, as `Instance.from_arrays` takes it."""

from __future__ import annotations

import math
from typing import Any

from ...errors import InstanceError
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ..cells import COLUMNS
from ..eligibility import EligibleGroups
from ..text import did_you_mean, packed
from .loading import kind_of, label_of, load_object, require_keys, require_schema
from .writing import INSTANCE_SCHEMAS

__all__ = ["parse_instance", "settings_of"]

_SETTINGS = ("schema", "name", "max_load", "power_off", "energy")


def settings_of(loaded: dict[str, Any], where: str, *more: str) -> dict[str, Any]:
    """The name, max_load, power_off and energy of an object that may also have the keys `more`.

    Raises
    ------
    InstanceError
        If the schema is another one or a key is unknown.
    """
    require_schema(loaded.get("schema", INSTANCE_SCHEMAS[0]), INSTANCE_SCHEMAS, where)
    require_keys(loaded, (*_SETTINGS, *more), where)
    power_off = loaded.get("power_off")
    return {
        "name": loaded.get("name"),
        "max_load": loaded.get("max_load"),
        "power_off": False if power_off is None else power_off,
        "energy": loaded.get("energy"),
    }


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
        for field in fields_of(owner, *COLUMNS):
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
        label = label_of(f"{field.owner}s", position, records[position], where)
        raise InstanceError(
            f"{label}: {field.name} is too large a number; leave {field.name} out where it is "
            "unlimited"
        )
    return packed([field.default if value is None else value for value in values])


def _records(loaded: dict[str, Any], owner: str, where: str) -> list[dict[str, Any]]:
    name, keys = f"{owner}s", [field.name for field in fields_of(owner, *COLUMNS)]
    required = [field.name for field in fields_of(owner, *COLUMNS) if field.required]
    records = loaded.get(name)
    if not isinstance(records, list):
        found = "missing" if records is None else f"a JSON {kind_of(records)}"
        raise InstanceError(f"{where}: {name} is {found}; it must be an array of objects")
    known = set(keys)
    for position, record in enumerate(records):
        if type(record) is not dict:
            kind = kind_of(record)
            raise InstanceError(f"{where}: {name}[{position}] is a JSON {kind}, not an object")
        if not known >= record.keys():
            require_keys(record, keys, label_of(name, position, record, where))
        for key in required:
            if key not in record:
                raise InstanceError(
                    f"{label_of(name, position, record, where)}: {key} is missing"
                    f"{did_you_mean(key, record)}"
                )
    return records


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
            label = label_of(name, position, record, where)
            raise InstanceError(f"{label}: resources must be an object of names and numbers")
        for key, value in resources.items():
            if key not in columns:
                if known is not None:
                    label = label_of(name, position, record, where)
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
            label = label_of("tasks", position, task, where)
            raise InstanceError(f"{label}: eligible: {error}") from None
    return packed(numbers)
