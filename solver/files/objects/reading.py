"""The JSON form of an instance, read: one column a field, as `Instance.from_arrays` takes it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from ...errors import InstanceError
from ...model.checking.settings import SETTINGS
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ...model.rules import RULES, Rule, rule_from
from ..eligibility import EligibleGroups, NameSets
from ..text import did_you_mean, packed
from .loading import kind_of, label_of, load_object, require_keys, require_schema
from .variants import VariantReader
from .writing import INSTANCE_SCHEMAS

__all__ = ["parse_instance", "settings_of"]

_KEYS = ("schema", *SETTINGS)


def settings_of(loaded: dict[str, Any], where: str, *more: str) -> dict[str, Any]:
    """The settings of an object that may also have the keys `more`; null is the default.

    Raises
    ------
    InstanceError
        If the schema is another one or a key is unknown.
    """
    require_schema(loaded.get("schema", INSTANCE_SCHEMAS[0]), INSTANCE_SCHEMAS, where)
    require_keys(loaded, (*_KEYS, *more), where)
    given = {name: loaded.get(name) for name in SETTINGS}
    settings = {
        name: default if given[name] is None else given[name] for name, default in SETTINGS.items()
    }
    settings["rules"] = _rules(given["rules"], where)
    if given["current"] is not None and type(given["current"]) is not dict:
        raise InstanceError(
            f"{where}: current is a JSON {kind_of(given['current'])}; it must be an object that "
            "has the node of each task by its id"
        )
    return settings


def _rules(given: Any, where: str) -> list[Rule]:
    if given is None:
        return []
    if type(given) is not list:
        raise InstanceError(f"{where}: rules is a JSON {kind_of(given)}; it must be an array")
    return [_rule(record, f"{where}: rules[{k}]") for k, record in enumerate(given)]


def _rule(record: Any, where: str) -> Rule:
    if type(record) is dict:
        name = record.get("rule")
        if isinstance(name, str) and name in RULES:
            keys = [field.name.removesuffix("_") for field in dataclasses.fields(RULES[name])]
            require_keys(record, ("rule", *keys), where)
            record = {key: value for key, value in record.items() if value is not None}
        elif isinstance(name, str):
            raise InstanceError(
                f"{where}: rule is {name!r}; it must be one of: {', '.join(RULES)}"
                f"{did_you_mean(name, RULES)}"
            )
    return rule_from(record, where)


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
    lists = {owner: _Records(loaded, owner, where) for owner in ("node", "task")}
    columns: dict[str, Any] = {}
    for owner, records in lists.items():
        for field in fields_of(owner, *_BY_THEMSELVES):
            if field.kind is Kind.RESOURCES:
                known = None if owner == "node" else list(columns["node_resources"])
                columns[field.argument] = records.resources(known)
            elif records.tells(field):
                columns[field.argument] = records.column(field)
            elif field.required:  # of tasks that all have models
                columns[field.argument] = None
    groups = EligibleGroups(
        columns["node_ids"],
        columns.get("node_kind") or (),
        _texts_of(columns.get("node_labels") or ()),
    )
    reader = VariantReader(groups, columns["node_resources"])
    settings["models"] = reader.models(settings["models"], where)
    tasks = lists["task"]
    columns |= tasks.names(set(filter(_is_text, columns["node_ids"])))
    columns |= tasks.variants(reader, list(settings["models"] or ()))
    columns["task_eligible"] = tasks.eligible(groups)
    columns["eligible_groups"] = groups.labels
    try:
        return Instance.from_arrays(**columns, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


_BY_THEMSELVES = (
    Kind.ID, Kind.NUMBER, Kind.LABEL, Kind.CHOICE, Kind.TEXTS, Kind.REPLICAS, Kind.RESOURCES,
)  # fmt: skip
"""The kinds of fields that can be read without the others."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _texts_of(labels: Iterable[Any]) -> dict[str, set[str]]:
    """The values of each label; what is none is refused later."""
    found: dict[str, set[str]] = {}
    for record in labels:
        for key, value in record.items() if type(record) is dict else ():
            if isinstance(value, str):
                found.setdefault(key, set()).add(value)
    return found


class _Records:
    """The nodes or the tasks of a file, each an object with known keys."""

    def __init__(self, loaded: dict[str, Any], owner: str, where: str) -> None:
        self._name, self._where, self._owner = f"{owner}s", where, owner
        self._records = self._checked(loaded.get(self._name))
        self.used: set[str] = set().union(*self._records)

    def tells(self, field: Field) -> bool:
        """Whether a column of the field is needed: some record has it, or something must."""
        return field.name in self.used or (field.required and self.used.isdisjoint(field.unless))

    def _checked(self, records: Any) -> list[dict[str, Any]]:
        fields = list(fields_of(self._owner))
        keys = [field.name for field in fields]
        if not isinstance(records, list):
            found = "missing" if records is None else f"a JSON {kind_of(records)}"
            raise InstanceError(
                f"{self._where}: {self._name} is {found}; it must be an array of objects"
            )
        known = set(keys)
        required = [(field.name, field.unless) for field in fields if field.required]
        for position, record in enumerate(records):
            if type(record) is not dict:
                raise InstanceError(
                    f"{self._where}: {self._name}[{position}] is a JSON {kind_of(record)}, not an "
                    "object"
                )
            if not known >= record.keys():
                require_keys(record, keys, self._label(position, record))
            for key, unless in required:
                if key not in record and not any(other in record for other in unless):
                    label = self._label(position, record)
                    raise InstanceError(f"{label}: {key} is missing{did_you_mean(key, record)}")
        return records

    def _label(self, position: int, record: dict[str, Any] | None = None) -> str:
        record = self._records[position] if record is None else record
        return label_of(self._name, position, record, self._where)

    def _values(self, key: str) -> list[Any]:
        """One column, None where the key is absent."""
        return [record.get(key) for record in self._records]

    def column(self, field: Field) -> Any:
        """A column as `Instance.from_arrays` takes it."""
        values = self._values(field.name)
        if field.kind is not Kind.NUMBER or field.same_as is not None:
            return values
        if field.required:
            return packed(values)
        if field.unlimited and math.inf in values:  # such as 1e400
            label = self._label(values.index(math.inf))
            none = "there is none" if field.nullable else "it is unlimited"
            raise InstanceError(
                f"{label}: {field.name} is too large a number; leave {field.name} out where {none}"
            )
        return packed([field.default if value is None else value for value in values])

    def resources(self, known: list[str] | None) -> dict[str, Any]:
        """One column a resource; 0 where a record does not list it."""
        count = len(self._records)
        columns: dict[str, Any] = {key: [0] * count for key in known or ()}
        for position, record in enumerate(self._records if "resources" in self.used else ()):
            resources = record.get("resources")
            if resources is None:
                continue
            if type(resources) is not dict:
                label = self._label(position)
                raise InstanceError(f"{label}: resources must be an object of names and numbers")
            for key, value in resources.items():
                if key not in columns:
                    if known is not None:
                        raise InstanceError(
                            f"{self._label(position)}: resources[{key!r}] is a resource that no "
                            f"node lists{did_you_mean(key, known)}"
                        )
                    columns[key] = [0] * count
                columns[key][position] = value
        return {key: packed(column) for key, column in columns.items()}

    def eligible(self, groups: EligibleGroups) -> Any:
        """The number of each task's eligibility list."""
        numbers = []
        for position, given in enumerate(self._values("eligible")):
            try:
                numbers.append(0 if given is None else groups.number_of(given))
            except InstanceError as error:
                raise InstanceError(f"{self._label(position)}: eligible: {error}") from None
        return packed(numbers)

    def names(self, node_ids: set[str]) -> dict[str, Any]:
        """The columns of sets of names, each as positions in its distinct sets."""
        columns: dict[str, Any] = {}
        for field in fields_of(self._owner, Kind.NAMES):
            if field.name in self.used:
                known = node_ids if field.name == "pinned" else None
                sets = NameSets(known)
                numbers = []
                for position, given in enumerate(self._values(field.name)):
                    try:
                        numbers.append(sets.number_of(given))
                    except InstanceError as error:
                        label = self._label(position)
                        raise InstanceError(f"{label}: {field.name}: {error}") from None
                columns[field.argument] = packed(numbers)
                columns[field.sets] = sets.names
        return columns

    def variants(self, reader: VariantReader, models: list[str]) -> dict[str, Any]:
        """The model of each task by its number, and the variants that it has for itself."""
        columns: dict[str, Any] = {}
        if "model" in self.used:
            number: dict[str | None, int] = {name: k for k, name in enumerate(models)}
            number[None] = -1
            names = self._values("model")
            for position, name in enumerate(names):
                if (name is not None and type(name) is not str) or name not in number:
                    hint = did_you_mean(name, models) if isinstance(name, str) else ""
                    raise InstanceError(
                        f"{self._label(position)}: model is {name!r}, which is not in models{hint}"
                    )
            columns["task_model"] = packed([number[name] for name in names])
        if "variants" in self.used:
            columns["task_variants"] = [
                None
                if given is None
                else reader.variants(given, f"{self._label(position)}: variants")
                for position, given in enumerate(self._values("variants"))
            ]
        return columns
