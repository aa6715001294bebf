"""Allocations and loads as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from ..errors import AllocationError
from ..judge.cost import node_costs, node_kwh
from ..model.allocation import Allocation
from ..model.exact import number_of
from ..model.instance import Instance
from ..system.whole_files import atomic_text, write_csv
from .instance import StrPath
from .result import _pairs
from .table import read_table
from .text import did_you_mean, read_bytes, tidy

__all__ = ["dump_allocation", "dump_loads", "read_allocation", "write_allocation", "write_loads"]


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
    if instance.energy is not None:
        columns["kwh"] = [number_of(kwh.numerator, kwh.denominator) for kwh in node_kwh(allocation)]
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
