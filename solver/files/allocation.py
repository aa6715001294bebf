"""Allocations as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np

from ..errors import AllocationError, NodewiseError
from ..model.allocation import Allocation, allocation_rows
from ..model.exact import Array
from ..model.instance import Instance
from ..system.whole_files import write_csv
from .instance import StrPath
from .table import Table, read_table
from .text import did_you_mean, read_bytes

__all__ = ["dump_allocation", "read_allocation", "write_allocation"]


def read_allocation(instance: Instance, path: StrPath) -> Allocation:
    """Read an allocation from CSV with the columns `task_id` and `node_id`.

    Parameters
    ----------
    instance : Instance
    path : str or path
        A row a task, or a part of one. `variant` says in which of several variants a task runs,
        `part` which of its parts a row is, from 1 on; equal parts need no numbers. A task with an
        empty `node_id` is left out. Other columns are ignored; the rows may come in any order.

    Raises
    ------
    AllocationError
        If the file cannot be read; a task is missing, unknown or named twice; or a node, variant
        or part is unknown, missing or named twice. The message names the line.
    """
    source = Path(path)
    table = read_table(read_bytes(source, AllocationError), str(source), AllocationError)
    table.require("task_id", "node_id")
    at_once = _at_once(instance, table) if instance.is_plain else None
    if at_once is not None:
        return Allocation(instance, at_once)
    rows = _Rows(instance, table)
    for row in range(len(table.columns["task_id"])):
        rows.add(row)
    return Allocation(instance, rows.node_index())


_LEFT_OUT = -1


def _at_once(instance: Instance, table: Table) -> Array | None:
    """The nodes of the tasks, where nothing is wrong with the table; otherwise None."""
    tasks = {task: j for j, task in enumerate(instance.task_ids.tolist())}
    nodes = {node: i for i, node in enumerate(instance.node_ids.tolist())}
    task = [tasks.get(name, -1) for name in table.columns["task_id"]]
    if len(task) != instance.num_tasks or -1 in task:
        return None
    node_index = np.full(instance.num_tasks, -1, dtype=np.int64)
    node_index[task] = [nodes.get(name, -1) for name in table.columns["node_id"]]
    return None if (node_index < 0).any() else node_index


class _Rows:
    """The rows of the table, put one by one into those of the instance."""

    def __init__(self, instance: Instance, table: Table) -> None:
        self._instance, self._table = instance, table
        self._tasks = {task: j for j, task in enumerate(instance.task_ids.tolist())}
        self._nodes = {node: i for i, node in enumerate(instance.node_ids.tolist())}
        empty = [""] * len(table.columns["task_id"])
        names = ("task_id", "node_id", "variant", "part")
        self._columns = [table.columns.get(name, empty) for name in names]
        rows = instance.rows
        self._first_form: list[int] = rows.task_form.tolist()
        self._first_row: list[int] = rows.form_start.tolist()
        self._node_index = [-1] * rows.num_rows
        self._form: list[int | None] = [None] * instance.num_tasks
        self._without_number: dict[int, list[tuple[int, int]]] = {}

    def add(self, row: int) -> None:
        """Put one row of the table where it belongs."""
        instance = self._instance
        task, node, variant, part = (column[row] for column in self._columns)
        j, i = self._tasks.get(task), self._nodes.get(node)
        if j is None:
            problem = f"task {task!r} is not in the instance{did_you_mean(task, self._tasks)}"
            raise self._table.error(row, "task_id", problem)
        if i is None and (node or instance.is_plain):
            problem = f"node {node!r} is not in the instance{did_you_mean(node, self._nodes)}"
            if not node:
                problem = "the cell is empty; name a node (only a skip_price lets it be left out)"
            raise self._table.error(row, "node_id", f"task {task!r}: {problem}")
        form = _LEFT_OUT if i is None else self._form_of(row, j, variant)
        known = self._form[j]
        if known is None:
            self._form[j] = form
        elif known == _LEFT_OUT or form == _LEFT_OUT:
            raise self._twice(row, task)
        elif known != form:
            problem = f"task {task!r} stands in two variants; it runs in one"
            raise self._table.error(row, "variant", problem)
        if i is not None:
            self._fill(row, form, part, i)

    def _twice(self, row: int, task: str) -> NodewiseError:
        return self._table.error(row, "task_id", f"task {task!r} stands twice; remove one row")

    def _form_of(self, row: int, j: int, name: str) -> int:
        """The form of a task that the cell `variant` names, or the only one."""
        first, behind = self._first_form[j], self._first_form[j + 1]
        if not name and behind - first == 1:
            return first
        if self._instance.is_plain:  # the column is none of ours
            return first
        task = self._columns[0][row]
        names = [v.name for v in self._instance.variants_of(j) if v is not None]
        if name in names:
            return first + names.index(name)
        if not names:
            problem = f"task {task!r} has no variants; leave the cell empty"
        elif name:
            hint = did_you_mean(name, names)
            problem = f"task {task!r} has no variant {name!r}{hint} (known: {', '.join(names)})"
        else:
            problem = f"task {task!r} has several variants; name one of: {', '.join(names)}"
        column = "variant" if "variant" in self._table.columns else "task_id"
        raise self._table.error(row, column, problem)

    def _fill(self, row: int, form: int, part: str, node: int) -> None:
        """Put a node on the row of a part; one without a number has to wait for the others."""
        task = self._columns[0][row]
        first, behind = self._first_row[form], self._first_row[form + 1]
        if behind - first == 1 and (not part.strip() or self._instance.is_plain):
            part = "1"
        if not part.strip():
            if not self._has_equal_parts(form):
                column = "part" if "part" in self._table.columns else "task_id"
                problem = f"the parts of task {task!r} differ; number them from 1 to"
                raise self._table.error(row, column, f"{problem} {behind - first}")
            self._without_number.setdefault(form, []).append((row, node))
            return
        number = int(part) if part.isascii() and part.isdigit() and len(part) < 10 else 0
        if not 1 <= number <= behind - first:
            raise self._table.error(
                row,
                "part",
                f"task {task!r} has no part {part!r}; number from 1 to {behind - first}",
            )
        if self._node_index[first + number - 1] >= 0:
            if behind - first == 1:
                raise self._twice(row, task)
            raise self._table.error(
                row, "part", f"part {number} of task {task!r} stands twice; remove one row"
            )
        self._node_index[first + number - 1] = node

    def _has_equal_parts(self, form: int) -> bool:
        rows = self._instance.rows
        return isinstance(rows.all_variants[rows.form_source[form]].parts, int)

    def node_index(self) -> list[int]:
        """Position of the node of each row of the instance, -1 of those not in use.

        Raises
        ------
        AllocationError
            If a task or a part of one has no row.
        """
        tasks = list(self._tasks)
        for form, rows in self._without_number.items():
            first, behind = self._first_row[form], self._first_row[form + 1]
            free = [at for at in range(first, behind) if self._node_index[at] < 0]
            if len(rows) > len(free):
                row, _ = rows[len(free)]
                problem = f"has more rows than its {behind - first} parts; remove one row"
                task = self._columns[0][row]
                raise self._table.error(row, "task_id", f"task {task!r} {problem}")
            for at, (_, node) in zip(free, rows, strict=False):
                self._node_index[at] = node
        missing = [task for task, form in zip(tasks, self._form, strict=True) if form is None]
        if missing:
            more = f", nor have {len(missing) - 1:,} more tasks" if len(missing) > 1 else ""
            raise self._table.fail(f"{self._table.where}: task {missing[0]!r} has no row{more}")
        if not self._instance.is_plain:
            self._require_all_parts(tasks)
        return self._node_index

    def _require_all_parts(self, tasks: list[str]) -> None:
        for task, form in zip(tasks, self._form, strict=True):
            if form is None or form == _LEFT_OUT:
                continue
            nodes = self._node_index[self._first_row[form] : self._first_row[form + 1]]
            if -1 in nodes:
                has, all_of = len(nodes) - nodes.count(-1), len(nodes)
                raise self._table.fail(
                    f"{self._table.where}: task {task!r} has rows for {has} of its {all_of} parts; "
                    "name a node for each"
                )


def write_allocation(allocation: Allocation, path: StrPath) -> None:
    """Write the table of `allocation_rows`, in the order of the instance.

    With the columns `variant,part`, where some task has several variants or parts or may be left
    out: a row for each part, numbered from 1, and of a task that is left out one with an empty
    `node_id`.

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
    write_csv(stream, *allocation_rows(allocation))
