"""Instances from two tables: of nodes and of tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np

from ...errors import InstanceError
from ..fields import Kind, fields_of
from .reading import Reader, is_money
from .roles import Roles, roles_of
from .sources import Faults, Source, source_of_frame
from .units import unit_size

__all__ = ["FromFrames", "instance_of_sources"]

logger = logging.getLogger(__name__)

_BY_ITSELF = (Kind.NUMBER, Kind.LABEL, Kind.CHOICE, Kind.REPLICAS)


class FromFrames:
    """Makes instances from data frames."""

    @classmethod
    def from_frames(
        cls,
        nodes: Any,
        tasks: Any,
        *,
        columns: Mapping[str, str] | None = None,
        node_columns: Mapping[str, str] | None = None,
        task_columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        ignore: Iterable[str] = (),
        decimal: str = ".",
        notes: list[str] | None = None,
        **settings: Any,
    ) -> Self:
        """Make an instance from two data frames: a row a node, and a row a task.

        Parameters
        ----------
        nodes, tasks : data frame of pandas, polars or arrow, mapping of columns, or records
            Columns are the fields of `Node` and `Task` by name, `label_KEY`, and of tasks `node`
            (where it is now); any other column of numbers in both frames is a resource. None,
            NaN and NA are the default. Text may have units: "80GiB", "500m", "$98.32".
        columns, node_columns, task_columns : mapping of field to column, optional
            Where names differ: ``{"compute": "gpus"}``, in either frame, in that of the nodes, in
            that of the tasks. What is no field nor ``label_KEY`` is a resource.
        units : mapping of field or resource to unit, optional
            The unit of its numbers in the instance, and of numbers that have none in the frames,
            such as ``{"storage": "GiB"}``. Default: bytes, watts, hertz or FLOPS, where cells
            have units.
        ignore : iterable of str
            Columns to leave aside.
        decimal : {".", ","}
            The decimal mark in text.
        notes : list, optional
            Is told what was left aside, and why. Default: the log.
        **settings
            Those of `Instance`.

        Raises
        ------
        InstanceError
            With everything that is wrong with the frames, each with its row and column.

        Examples
        --------
        >>> from solver import Instance
        >>> nodes = {"host": ["a", "b"], "gpus": [8, 8], "mem": ["1.5TB", None]}
        >>> tasks = {"id": ["train"], "gpus": [4], "mem": ["80GB"]}
        >>> names = {"compute": "gpus", "storage": "mem", "id": "host"}
        >>> instance = Instance.from_frames(nodes, tasks, columns=names, units={"storage": "GB"})
        >>> instance.node_storage.tolist(), instance.tasks[0].storage
        ([1500.0, inf], 80)
        """
        given = {"both": columns, "node": node_columns, "task": task_columns}
        instance: Self = instance_of_sources(
            cls.from_arrays,  # type: ignore[attr-defined]
            {"node": source_of_frame(nodes, "nodes"), "task": source_of_frame(tasks, "tasks")},
            {owner: dict(names or {}) for owner, names in given.items()},
            units=units or {},
            ignore=ignore,
            decimal=decimal,
            notes=notes,
            settings=settings,
        )
        return instance


def instance_of_sources(
    make: Callable[..., Any],
    sources: Mapping[str, Source],
    given: Mapping[str, Mapping[str, str]],
    *,
    units: Mapping[str, str],
    ignore: Iterable[str],
    decimal: str,
    notes: list[str] | None,
    settings: Mapping[str, Any],
    faults: Faults | None = None,
) -> Any:
    """The instance of two tables; see `FromFrames.from_frames`.

    Parameters
    ----------
    make : callable
        `Instance.from_arrays`.
    sources : dict of "node" and "task" to Source
    given : dict of "both", "node" and "task" to dict of field to column
    units, ignore, decimal, notes, settings
        As there.
    faults : Faults, optional
        What is known to be wrong with the tables already.
    """
    _require_options(units, decimal)
    faults = Faults() if faults is None else faults
    for source in sources.values():
        if not source.length:
            faults.add(source, "there are no rows")
    roles = roles_of(sources, given, ignore, faults, decimal)
    if "model" in roles.fields["task"] and not settings.get("models"):
        column = roles.fields["task"].pop("model")
        roles.notes.append(f"{sources['task'].name}: column {column} left aside: no models given")
    reader = Reader(units, decimal, faults)
    arrays: dict[str, Any] = {}
    for owner, source in sources.items():
        arrays |= _by_themselves(reader, source, owner, roles)
    arrays |= _names(reader, sources["task"], roles.fields["task"], arrays)
    found = {
        "current": _current(reader, sources["task"], roles.fields["task"]),
        "currency": _currency(reader),
    }
    _require_compute(sources["task"], roles.fields["task"], arrays, faults)
    reader.require_units()
    faults.require_none()
    told = {**{name: value for name, value in found.items() if value}, **settings}
    try:
        instance = make(**arrays, **told)
    except InstanceError as error:
        where = ", ".join(source.name for source in sources.values())
        raise InstanceError(f"{where}: {error}") from None
    _tell(roles, sources["node"], notes)
    return instance


def _require_options(units: Mapping[str, str], decimal: str) -> None:
    if decimal not in (".", ","):
        raise InstanceError(f"decimal is {decimal!r}; it must be '.' or ','")
    for what, unit in units.items():
        try:
            unit_size(unit)
        except ValueError as error:
            raise InstanceError(f"units: {what}: {error}") from None


def _by_themselves(reader: Reader, source: Source, owner: str, roles: Roles) -> dict[str, Any]:
    """The columns that can be read without others."""
    named = roles.fields[owner]
    ids = reader.ids(source, named["id"]) if "id" in named else []
    arrays: dict[str, Any] = {f"{owner}_ids": ids}
    for each in fields_of(owner, *_BY_ITSELF):
        column = named.get(each.name)
        if column is None:
            continue
        if each.kind is Kind.NUMBER:
            arrays[each.argument] = reader.numbers(source, column, each.name, each)
        elif each.kind is Kind.LABEL:
            arrays[each.argument] = reader.texts(source, column)
        elif each.kind is Kind.CHOICE:
            arrays[each.argument] = reader.choices(source, column, each)
        else:
            arrays[each.argument] = reader.counts(source, column)
    arrays[f"{owner}_resources"] = {
        name: reader.numbers(source, column, name, None)
        for name, column in roles.resources[owner].items()
    }
    if owner == "node":
        arrays["node_labels"] = {
            key: reader.texts(source, column) for key, column in roles.labels.items()
        }
    return arrays


def _names(
    reader: Reader, tasks: Source, named: Mapping[str, str], arrays: Mapping[str, Any]
) -> dict[str, Any]:
    """The columns of tasks that name nodes, groups and models."""
    made: dict[str, Any] = {}
    ids = set(arrays["node_ids"])
    if "eligible" in named:
        labels = (f"{key}={v}" for key, column in arrays["node_labels"].items() for v in column)
        known = ids.union(labels).union(filter(None, arrays.get("node_kind") or ()))
        number: dict[Any, int] = {None: 0}
        lists = reader.lists(tasks, named["eligible"], known.__contains__)
        made["task_eligible"] = [number.setdefault(names, len(number)) for names in lists]
        made["eligible_groups"] = list(number)
    if "groups" in named:
        made["task_groups"] = reader.lists(tasks, named["groups"])
    if "pinned" in named:
        made["task_pinned"] = reader.lists(tasks, named["pinned"], ids.__contains__)
    if "model" in named:
        made["task_model"] = reader.texts(tasks, named["model"])
    return made


def _current(reader: Reader, tasks: Source, named: Mapping[str, str]) -> dict[str, Any]:
    """Where the tasks are now."""
    current: dict[str, Any] = {}
    if not {"id", "node"} <= named.keys():
        return current
    ids = reader.texts(tasks, named["id"])
    variants = reader.texts(tasks, named["node_variant"]) if "node_variant" in named else None
    replicas = reader.counts(tasks, named["replicas"]) if "replicas" in named else None
    for row, nodes in enumerate(reader.lists(tasks, named["node"])):
        if nodes is None:
            continue
        if replicas is not None and replicas[row] is not None:
            problem = "replicas are tasks of their own; give each a row to say where it is"
            reader.faults.add(tasks, problem, named["node"], row)
        place: Any = nodes[0] if len(nodes) == 1 else list(nodes)
        variant = None if variants is None else variants[row]
        current[str(ids[row])] = place if variant is None else {"node": place, "variant": variant}
    return current


def _currency(reader: Reader) -> str | None:
    """The currency of all prices."""
    found: dict[str, tuple[Source, str, int]] = {}
    for counted in reader.counted.values():
        for counts, cell in counted.items():
            if is_money(counts):
                found.setdefault(counts, cell)
    for other, (source, column, row) in list(found.items())[1:]:
        problem = f"it is in {other}, but others are in {next(iter(found))}"
        reader.faults.add(source, problem, column, row)
    return next(iter(found), None)


def _require_compute(
    tasks: Source, named: Mapping[str, str], arrays: Mapping[str, Any], faults: Faults
) -> None:
    """Every task has a compute or a model."""
    if "compute" not in named and "model" not in named:
        shown = ", ".join(tasks.columns)
        faults.add(tasks, f"there is no column compute; name one (the columns are: {shown})")
        return
    values, models = arrays.get("task_compute"), arrays.get("task_model")
    if isinstance(values, np.ndarray):
        return
    for row in range(tasks.length):
        missing = values is None or values[row] is None
        if missing and (models is None or models[row] is None):
            problem = "the cell is empty; give a number, 0 or more"
            faults.add(tasks, problem, named.get("compute", named.get("model")), row)


def _tell(roles: Roles, nodes: Source, notes: list[str] | None) -> None:
    """Say what was left aside, and how what is easily mistaken was read."""
    told = list(roles.notes)
    if "price" in roles.fields["node"]:
        told.append(
            f"{nodes.name}: column {roles.fields['node']['price']} is read as the price of a unit "
            "of compute; that of a whole node is fixed_cost"
        )
    if notes is None:
        for note in told:
            logger.info("%s", note)
    else:
        notes.extend(told)
