"""Plans as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from ..errors import AllocationError
from ..model.instance import Instance, Number
from ..model.plans.plan import DURING, Move, Plan, PlanStatus
from ..system.whole_files import atomic_text, write_csv
from .instance import StrPath
from .table import Table, read_table
from .text import did_you_mean, read_bytes, tidy

__all__ = ["COLUMNS", "dump_plan", "read_plan", "write_plan"]

COLUMNS = ("wave", "task_id", "part", "variant", "from", "to", "storage", "bypass")
"""The columns of plan.csv."""


def write_plan(plan: Plan, path: StrPath) -> None:
    """Write the moves of a plan, one row a move, in their order.

    The columns are `wave,task_id,part,variant,from,to,storage,bypass`: waves and parts are numbered
    from 1; `variant` is empty for a task with figures of its own, `from` for a part that starts,
    `to` for one that stops; `bypass` is 1 where the part has to go on later, otherwise 0.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    with atomic_text(path) as stream:
        dump_plan(plan, stream)


def dump_plan(plan: Plan, stream: TextIO) -> None:
    """Write the table of `write_plan` to an open stream."""
    write_csv(stream, COLUMNS, _rows(plan))


def _rows(plan: Plan) -> Iterator[Sequence[Any]]:
    for number, wave in enumerate(plan.waves, 1):
        for move in wave:
            yield (
                number,
                move.task,
                move.part,
                move.variant or "",
                move.source or "",
                move.target or "",
                tidy(move.storage),
                int(move.bypass),
            )


def read_plan(instance: Instance, path: StrPath, *, during: str = "both") -> Plan:
    """Read a plan from CSV with the columns `wave`, `task_id`, `from` and `to`.

    Parameters
    ----------
    instance : Instance
    path : str or path
        `part`, `variant`, `storage` and `bypass` may be left out where a task has one part, one
        variant, or the storage that the instance tells, and where there is no bypass. Rows stand in
        the order of their waves, which are numbered from 1 without gaps. Other columns are ignored.
    during : str
        What the plan is safe for, "both" or "target"; see `Plan`.

    Raises
    ------
    AllocationError
        If the file cannot be read, or a cell names what is not in the instance; the message names
        the line and the column. Whether the moves can be made, `check_plan` tells.
    """
    if during not in DURING:
        raise AllocationError(f"during is {during!r}; it must be one of: {', '.join(DURING)}")
    source = Path(path)
    table = read_table(read_bytes(source, AllocationError), str(source), AllocationError)
    table.require("wave", "task_id", "from", "to")
    reader = _Reader(instance, table)
    waves: list[list[Move]] = []
    for row, number in enumerate(table.whole_numbers("wave")):
        if not max(1, len(waves)) <= number <= len(waves) + 1:
            due = "1" if not waves else f"{len(waves)} or {len(waves) + 1}"
            raise table.error(row, "wave", f"{number} is out of turn; the wave here is {due}")
        if number > len(waves):
            waves.append([])
        waves[-1].append(reader.move(row))
    return Plan(instance, PlanStatus.ORDERED, tuple(map(tuple, waves)), during)


class _Reader:
    """Reads the rows of a table."""

    def __init__(self, instance: Instance, table: Table) -> None:
        self._instance, self._table = instance, table
        self._tasks = {task: j for j, task in enumerate(instance.task_ids.tolist())}
        self._nodes = set(instance.node_ids.tolist())
        count = len(table.columns["wave"])
        empty = [""] * count
        self._cells = {name: table.columns.get(name, empty) for name in COLUMNS}
        self._storage = table.numbers("storage") if "storage" in table.columns else [None] * count

    def move(self, row: int) -> Move:
        """The move that a row tells of."""
        task = self._cells["task_id"][row]
        j = self._tasks.get(task)
        if j is None:
            problem = f"task {task!r} is not in the instance{did_you_mean(task, self._tasks)}"
            raise self._table.error(row, "task_id", problem)
        variant, form = self._form(row, j)
        part, place = self._part(row, form)
        nodes = [self._node(row, name) for name in ("from", "to")]
        if nodes[0] is None and nodes[1] is None:
            raise self._table.error(row, "to", "from and to are empty; name a node in one of them")
        storage = self._storage[row]
        own = self._instance.rows.storage[place]
        size: Number = own.item() if hasattr(own, "item") else own
        if storage is not None:
            size = storage.item() if hasattr(storage, "item") else storage
        return Move(task, part, variant, nodes[0], nodes[1], size, self._bypass(row))

    def _form(self, row: int, j: int) -> tuple[str | None, int]:
        name = self._cells["variant"][row]
        names = [None if v is None else v.name for v in self._instance.variants_of(j)]
        first = int(self._instance.rows.task_form[j])
        if not name and len(names) == 1:
            return names[0], first
        if name in names:
            return name, first + names.index(name)
        known = ", ".join(n for n in names if n is not None)
        task = self._cells["task_id"][row]
        if not known:
            problem = f"task {task!r} has no variants; leave the cell empty"
        elif name:
            hint = did_you_mean(name, [n for n in names if n is not None])
            problem = f"task {task!r} has no variant {name!r}{hint} (known: {known})"
        else:
            problem = f"task {task!r} has several variants; name one of: {known}"
        raise self._table.error(row, self._present("variant"), problem)

    def _part(self, row: int, form: int) -> tuple[int, int]:
        """The number of the part, and its row in the instance."""
        start = self._instance.rows.form_start
        first, behind = int(start[form]), int(start[form + 1])
        cell = self._cells["part"][row].strip()
        if not cell and behind - first == 1:
            return 1, first
        number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else 0
        if not 1 <= number <= behind - first:
            task = self._cells["task_id"][row]
            problem = f"task {task!r} has no part {cell!r}; number from 1 to {behind - first}"
            raise self._table.error(row, self._present("part"), problem)
        return number, first + number - 1

    def _node(self, row: int, column: str) -> str | None:
        node = self._cells[column][row]
        if node and node not in self._nodes:
            problem = f"node {node!r} is not in the instance{did_you_mean(node, self._nodes)}"
            raise self._table.error(row, column, problem)
        return node or None

    def _bypass(self, row: int) -> bool:
        cell = self._cells["bypass"][row].strip()
        if cell not in ("", "0", "1"):
            raise self._table.error(row, "bypass", f"{cell!r} is neither 1 nor 0 nor empty")
        return cell == "1"

    def _present(self, column: str) -> str:
        """The column, or where there is none that of the task."""
        return column if column in self._table.columns else "task_id"
