"""Reading and writing instances, allocations and results.

An instance is one JSON file, or a folder or zip with `nodes.csv`, `tasks.csv` and, for its
name, max_load and power_off, `instance.json`. Every file is written whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from ..errors import AllocationError, InstanceError
from ..judge.cost import node_costs
from ..model.instance import Instance
from ..model.result import Allocation, Result
from ..system.scratch import naming
from ..system.whole_files import atomic_path, atomic_paths, atomic_text, write_csv
from .archive import read_members
from .instance_csv import instance_of_tables, node_table, task_table
from .instance_json import (
    instance_lines,
    load_object,
    parse_instance,
    settings_of,
    settings_to_write,
    tidy,
)
from .table import Table, read_table
from .text import did_you_mean, read_bytes

__all__ = [
    "FOLDER_FILES",
    "dump_allocation",
    "dump_loads",
    "dump_result",
    "read_allocation",
    "read_instance",
    "result_to_json",
    "write_allocation",
    "write_instance",
    "write_loads",
    "write_result",
]

StrPath = str | os.PathLike[str]

_RESULT_SCHEMA = "nodewise-result/1"
FOLDER_FILES = _NODES, _TASKS, _SETTINGS = "nodes.csv", "tasks.csv", "instance.json"
"""The files of an instance in a folder or zip."""

_FORMS = "an instance is a .json file, or a folder or .zip with nodes.csv and tasks.csv"


def read_instance(path: StrPath) -> Instance:
    """Read an instance from a JSON file, or from a folder or zip of CSV files.

    Parameters
    ----------
    path : str or path
        The files of a zip may stand in one folder inside it; together they may unpack to 512 MiB.

    Raises
    ------
    InstanceError
        If a file is missing, cannot be read or breaks a rule; the message names the file and
        the record or line.
    """
    source = Path(path)
    try:
        return _read_folder(source) if source.is_dir() else _read_file(source)
    except RecursionError:  # also by an error message that shows what was found
        raise InstanceError(f"{source}: the JSON is nested too deeply") from None


def _read_file(source: Path) -> Instance:
    data = read_bytes(source, InstanceError)
    if data.startswith(b"PK\x03\x04") or source.suffix.lower() == ".zip":
        return _read_zip(source, data)
    if source.suffix.lower() == ".csv":
        raise InstanceError(f"{source}: this is one table; {_FORMS}")
    return parse_instance(data, str(source))


def _read_folder(folder: Path) -> Instance:
    def read(name: str) -> bytes | None:
        member = folder / name
        return read_bytes(member, InstanceError) if member.exists() else None

    return _from_members(read, str(folder))


def _read_zip(path: Path, data: bytes) -> Instance:
    return _from_members(read_members(data, FOLDER_FILES, str(path)).get, str(path))


def _from_members(read: Callable[[str], bytes | None], where: str) -> Instance:
    """The instance whose files `read` gives by name, None for one that is not there."""

    def table(name: str) -> Table:
        data = read(name)
        if data is None:
            raise InstanceError(f"{where}: there is no {name} in it; {_FORMS}")
        return read_table(data, f"{where}/{name}", InstanceError)

    nodes, tasks = table(_NODES), table(_TASKS)
    data = read(_SETTINGS)
    inside = f"{where}/{_SETTINGS}"
    settings = settings_of({} if data is None else load_object(data, inside), inside)
    return instance_of_tables(nodes, tasks, settings, where)


def write_instance(instance: Instance, path: StrPath) -> None:
    """Write an instance so that `read_instance` gives it back exactly.

    Parameters
    ----------
    instance : Instance
    path : str or path
        A name that ends in .json or .zip, or else the name of a folder for CSV files.

    Raises
    ------
    InstanceError
        If a name cannot be written in that format.
    OSError
        If the place cannot be written to.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind == ".csv":
        raise InstanceError(f"{target}: one table cannot hold an instance; {_FORMS}")
    if kind == ".json":
        with atomic_text(target) as stream:
            stream.writelines(instance_lines(instance))
    elif kind == ".zip":
        _write_zip(instance, target)
    else:
        _write_folder(instance, target)


def _write_zip(instance: Instance, target: Path) -> None:
    with (
        atomic_path(target) as scratch,
        zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, write in _members(instance).items():
            entry = zipfile.ZipInfo(name)  # of a fixed date: equal instances, equal bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (
                archive.open(entry, "w", force_zip64=True) as member,
                io.TextIOWrapper(member, encoding="utf-8", newline="") as stream,
            ):
                write(stream)


def _write_folder(instance: Instance, folder: Path) -> None:
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"{folder}: the folder {folder.parent} does not exist")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder, or a .json or .zip file")
    made = not folder.exists()
    if made:
        folder.mkdir()
    members = _members(instance)
    try:
        with atomic_paths([folder / name for name in members]) as scratches:
            for (name, write), scratch in zip(members.items(), scratches, strict=True):
                with (
                    naming(folder / name, scratch),
                    scratch.open("w", encoding="utf-8", newline="") as stream,
                ):
                    write(stream)
    except BaseException:
        if made:
            with suppress(OSError):  # not empty, if it was the last file that failed
                folder.rmdir()
        raise


def _members(instance: Instance) -> dict[str, Callable[[TextIO], None]]:
    def write_settings(stream: TextIO) -> None:
        json.dump(settings_to_write(instance), stream, ensure_ascii=False)
        stream.write("\n")

    return {
        _NODES: lambda stream: write_csv(stream, *node_table(instance)),
        _TASKS: lambda stream: write_csv(stream, *task_table(instance)),
        _SETTINGS: write_settings,
    }


def read_allocation(instance: Instance, path: StrPath) -> Allocation:
    """Read an allocation from CSV with the columns `task_id` and `node_id`.

    Parameters
    ----------
    instance : Instance
    path : str or path
        Other columns are ignored; the rows may come in any order.

    Raises
    ------
    AllocationError
        If the file cannot be read, a task is missing, unknown or named twice, or a node is
        unknown; the message names the line.
    """
    source = Path(path)
    table = read_table(read_bytes(source, AllocationError), str(source), AllocationError)
    table.require("task_id", "node_id")
    tasks = _positions(instance.task_ids.tolist())
    nodes = _positions(instance.node_ids.tolist())
    node_index = [-1] * instance.num_tasks
    for row, (task, node) in enumerate(
        zip(table.columns["task_id"], table.columns["node_id"], strict=True)
    ):
        j, i = tasks.get(task), nodes.get(node)
        if j is None:
            problem = f"task {task!r} is not in the instance{did_you_mean(task, tasks)}"
            raise table.error(row, "task_id", problem)
        if node_index[j] >= 0:
            raise table.error(row, "task_id", f"task {task!r} stands twice; remove one row")
        if i is None:
            problem = f"node {node!r} is not in the instance{did_you_mean(node, nodes)}"
            raise table.error(row, "node_id", f"task {task!r}: {problem}")
        node_index[j] = i
    missing = [task for task, j in tasks.items() if node_index[j] < 0]
    if missing:
        more = f", nor have {len(missing) - 1:,} more tasks" if len(missing) > 1 else ""
        raise AllocationError(f"{source}: task {missing[0]!r} has no row{more}")
    return Allocation(instance, node_index)


def _positions(ids: Sequence[str]) -> Mapping[str, int]:
    return {key: position for position, key in enumerate(ids)}


def write_allocation(allocation: Allocation, path: StrPath) -> None:
    """Write `task_id,node_id`, one row a task, in the order of the instance.

    Ids are written as they are, so that they read back. A spreadsheet takes one that begins with
    "=", "+", "-" or "@" for a formula: import ids of strangers as text.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    allocation.to_csv(path)


def dump_allocation(allocation: Allocation, stream: TextIO) -> None:
    """Write the table of `write_allocation` to an open stream."""
    write_csv(stream, ("task_id", "node_id"), _pairs(allocation))


def write_loads(allocation: Allocation, path: StrPath) -> None:
    """Write what each node carries, what it has and what it costs, one row a node.

    The columns are `node_id,tasks,load,compute,utilisation,storage_used,storage,cost`, then
    `NAME_used,NAME` for each further resource. The utilisation is load / compute to six
    digits, empty for a node without compute; storage is empty where it is unlimited.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    with atomic_text(path) as stream:
        dump_loads(allocation, stream)


def dump_loads(allocation: Allocation, stream: TextIO) -> None:
    """Write the table of `write_loads` to an open stream."""
    write_csv(stream, *_loads_table(allocation))


def _loads_table(allocation: Allocation) -> tuple[list[str], Iterator[Sequence[Any]]]:
    instance = allocation.instance
    loads, compute = allocation.loads().tolist(), instance.node_compute.tolist()
    columns: dict[str, list[Any]] = {
        "node_id": instance.node_ids.tolist(),
        "tasks": allocation.tasks_per_node().tolist(),
        "load": loads,
        "compute": compute,
        "utilisation": [_ratio(L, C) for L, C in zip(loads, compute, strict=True)],
        "storage_used": allocation.used("storage").tolist(),
        "storage": [
            "" if storage == float("inf") else storage for storage in instance.node_storage.tolist()
        ],
        "cost": node_costs(allocation),
    }
    header, values = list(columns), list(columns.values())
    for name, capacity in instance.node_resources.items():
        header += [f"{name}_used", name]
        values += [allocation.used(name).tolist(), capacity.tolist()]
    rows = zip(*([tidy(value) for value in column] for column in values), strict=True)
    return header, rows


def _ratio(load: Any, compute: Any) -> str:
    """Decimal text, since sums of loads may pass what a float holds."""
    if not compute or not load:
        return "0" if compute else ""
    return f"{Decimal(str(load)) / Decimal(str(compute)):.6g}"


def result_to_json(result: Result) -> dict[str, Any]:
    """A result as JSON data of the schema "nodewise-result/1"; unknown figures are None."""
    allocation = result.allocation
    return {
        "schema": _RESULT_SCHEMA,
        "instance": result.instance.name,
        "method": result.method,
        "status": result.status.value,
        "termination": result.termination.value,
        "cost": result.cost,
        "bound": result.bound,
        "gap": result.gap,
        "seconds": result.seconds,
        "seed": result.seed,
        "num_workers": result.num_workers,
        "versions": dict(result.versions),
        "allocation": None if allocation is None else dict(_pairs(allocation)),
        "infeasible_because": result.infeasible_because,
        "proof": result.proof,
        "unplaced": list(result.unplaced),
        "message": result.message,
        "history": [
            {"seconds": point.seconds, "cost": point.cost, "bound": point.bound}
            for point in result.history
        ],
    }


def _pairs(allocation: Allocation) -> Iterator[tuple[str, str]]:
    nodes = allocation.instance.node_ids.tolist()
    tasks = allocation.instance.task_ids.tolist()
    return zip(tasks, (nodes[i] for i in allocation.node_index.tolist()), strict=True)


def write_result(result: Result, path: StrPath) -> None:
    """Write a result as JSON; see `result_to_json`.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    with atomic_text(path) as stream:
        dump_result(result, stream)


def dump_result(result: Result, stream: TextIO) -> None:
    """Write the JSON text of `result_to_json` to an open stream."""
    json.dump(result_to_json(result), stream, ensure_ascii=False, allow_nan=False, indent=1)
    stream.write("\n")
