"""Usage as CSV: a row a sample, a column a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from decimal import Decimal

from ...errors import UsageError
from ..table import Table, read_table
from .samples import Series, Usage, sample_of, time_of
from .sources import Sources, TaskName

__all__ = ["parse_table"]

_TIMES = ("time", "timestamp")
_BESIDE = frozenset({"part", "series", *_TIMES})


def parse_table(
    data: bytes,
    where: str,
    stem: str,
    sources: Sources,
    task: TaskName,
    time: str | None = None,
) -> Usage:
    """Read samples from the content of a CSV file.

    Columns: what names the task (`task_id` unless told otherwise); `time` or `timestamp`, or the
    one that the argument names (seconds, or as ISO 8601 has it), without which samples have no
    time; `part` and `series`, which tell parts and containers of a task apart; and the fields.
    Rows of one task and time that nothing tells apart are of several series, numbered as they
    stand. An empty cell is no sample.

    Raises
    ------
    UsageError
        Naming the line and the column.
    """
    table = read_table(data, where, UsageError)
    named = _task_columns(table, task)
    clock = _clock(table, time)
    fields = _fields(table, stem, sources, {*named, *_BESIDE, clock})
    times = None if clock is None else _times(table, clock)
    owner, owners = _owners(table, _names(table, named, task), times)
    dropped: Counter[str] = Counter()
    made: list[Series] = []
    for column, name in fields.items():
        listed: dict[int, Series] = {}
        for row, value in enumerate(_samples(table, column, bool(sources.fields))):
            if isinstance(value, str):
                dropped[value] += 1
            elif value is not None:
                series = listed.get(owner[row])
                if series is None:
                    names, part, label = owners[owner[row]]
                    series = Series(names, name, part, label, None if times is None else [], [])
                    listed[owner[row]] = series
                series.values.append(value)  # type: ignore[attr-defined]
                if times is not None:
                    series.times.append(times[row])  # type: ignore[union-attr]
        made += listed.values()
    return Usage(tuple(made), sources.factors, dropped)


def _samples(table: Table, column: str, is_mapped: bool) -> Iterator[Decimal | str | None]:
    """The sample of each cell, a reason where one is dropped, None where there is none."""
    known: dict[str, Decimal | str | None] = {"": None}
    for row, cell in enumerate(table.columns[column]):
        if cell not in known:
            text = cell.strip()
            value = sample_of(text) if text else None
            if text and value is None:
                raise table.error(row, column, _PROBLEM.format(cell) + ("" if is_mapped else _HINT))
            known[cell] = value
        yield known[cell]


_PROBLEM = (
    "{!r} is no sample: write numbers, 0 or more, such as 1500 or 0.5, and nothing or NaN "
    "where nothing was measured"
)
_HINT = "; where the column is no field, map those that are (FIELD=COLUMN)"


def _task_columns(table: Table, task: TaskName) -> list[str]:
    if task.rule is None:
        found = [label for label in task.labels if label in table.columns]
        if not found:
            table.require("task_id")
        return found
    table.require(*task.labels)
    return list(task.labels)


def _clock(table: Table, time: str | None) -> str | None:
    """The column that has the times."""
    if time is not None:
        table.require(time)
        return time
    return next((name for name in _TIMES if name in table.columns), None)


def _fields(table: Table, stem: str, sources: Sources, others: set[str | None]) -> dict[str, str]:
    """The field of each column that has one."""
    fields = {
        column: field
        for column in table.columns
        if (field := sources.field_of(stem, column)) is not None
        and (sources.fields or column not in others)
    }
    if not fields:
        wanted = ", ".join(sources.fields) or "a column for each field, such as compute"
        raise UsageError(
            f"{table.where}, line 1: there is no field among the columns "
            f"({', '.join(table.columns)}); wanted: {wanted}"
        )
    return fields


def _times(table: Table, column: str) -> list[Decimal]:
    known: dict[str, Decimal] = {}
    for row, cell in enumerate(table.columns[column]):
        if cell not in known:
            moment = time_of(cell)
            if moment is None:
                problem = f"{cell!r} is no time: write seconds, or 2026-01-31T12:00:00Z"
                raise table.error(row, column, problem)
            known[cell] = moment
    return [known[cell] for cell in table.columns[column]]


def _names(table: Table, named: list[str], task: TaskName) -> list[tuple[str, ...]]:
    """What the task of each row may be called."""
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = []
    for row, cells in enumerate(zip(*(table.columns[label] for label in named), strict=True)):
        if cells not in known:
            known[cells] = task.of(dict(zip(named, cells, strict=True)))
            if not known[cells]:
                raise table.error(row, named[0], "the cell is empty; name the task of every row")
        found.append(known[cells])
    return found


_Owner = tuple[tuple[str, ...], int | None, Hashable]
"""What the task may be called, the part, and what tells its series apart."""


def _owners(
    table: Table, names: list[tuple[str, ...]], times: list[Decimal] | None
) -> tuple[list[int], list[_Owner]]:
    """The number of the series that each row is of, and all series."""
    count = len(names)
    parts = table.columns.get("part", [""] * count)
    series = table.columns.get("series", [""] * count)
    numbers: dict[_Owner, int] = {}
    seen: dict[int, set[Decimal]] = {}
    again: Counter[tuple[int, Decimal]] = Counter()
    found = []
    part_of: dict[str, int | None] = {"": None}
    for row, (name, cell, label) in enumerate(zip(names, parts, series, strict=True)):
        if cell not in part_of:
            part_of[cell] = _part(table, row, cell.strip())
        number = numbers.setdefault((name, part_of[cell], (label, 0)), len(numbers))
        if times is not None:
            moment = times[row]
            if moment in seen.setdefault(number, set()):
                again[number, moment] += 1
                turn = again[number, moment]
                number = numbers.setdefault((name, part_of[cell], (label, turn)), len(numbers))
            else:
                seen[number].add(moment)
        found.append(number)
    return found, list(numbers)


def _part(table: Table, row: int, cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) < 10 and int(cell) > 0):
        raise table.error(row, "part", f"{cell!r} is no part; number them from 1")
    return int(cell)
