"""Loads and costs of nodes as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TextIO

from ..judge.cost import node_cost_parts, node_costs, node_kwh
from ..model.allocation import Allocation
from ..model.exact import number_of
from ..system.whole_files import atomic_text, write_csv
from .instance import StrPath
from .objects.writing import INSTANCE_SCHEMAS, schema_of
from .text import tidy

__all__ = ["dump_loads", "write_loads"]


def write_loads(allocation: Allocation, path: StrPath) -> None:
    """Write what each node carries, what it has and what it costs, one row a node.

    The columns are `node_id,tasks,load,compute,utilisation,storage_used,storage,cost`, then
    `NAME_used,NAME` for each further resource. A task in several parts counts once a part. The
    utilisation is load / compute to six digits, empty for a node without compute; storage is
    empty where it is unlimited.

    Of an instance of schema nodewise/2 the cost is also told by what it is paid for, in
    `cost_idle,cost_use,cost_overload`, and with `energy` in `cost_energy` and as `kwh`.

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
    if schema_of(instance) != INSTANCE_SCHEMAS[0]:
        for name, parts in node_cost_parts(allocation).items():
            columns[f"cost_{name}"] = _numbers(parts)
    if instance.energy is not None:
        columns["kwh"] = _numbers(node_kwh(allocation))
    header, values = list(columns), list(columns.values())
    for name, capacity in instance.node_resources.items():
        header += [f"{name}_used", name]
        values += [allocation.used(name).tolist(), capacity.tolist()]
    rows = zip(*([tidy(value) for value in column] for column in values), strict=True)
    return header, rows


def _numbers(exact: Sequence[Fraction]) -> list[Any]:
    return [number_of(value.numerator, value.denominator) for value in exact]


def _ratio(load: Any, compute: Any) -> str:
    """Decimal text, since sums of loads may pass what a float holds."""
    if not compute or not load:
        return "0" if compute else ""
    return f"{Decimal(str(load)) / Decimal(str(compute)):.6g}"
