"""Usage as CSV: a row a sample, a column a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
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
    names = [
        task.of(dict(zip(named, cells, strict=True)))
        for cells in zip(*(table.columns[label] for label in named), strict=True)
    ]
    for row, found in enumerate(names):
        if not found:
            raise table.error(row, named[0], "the cell is empty; name the task of every row")
    times = None if clock is None else _times(table, clock)
    labels = _labels(table, names, times)
    dropped: Counter[str] = Counter()
    made: dict[Hashable, Series] = {}
    for column, name in fields.items():
        for row, cell in enumerate(table.columns[column]):
            if not cell.strip():
                continue
            value = sample_of(cell.strip())
            if value is None:
                hint = "" if sources.fields else _HINT
                raise table.error(row, column, _PROBLEM.format(cell) + hint)
            if not isinstance(value, Decimal):
                dropped[value] += 1
                continue
            part, label = labels[row]
            key = names[row], part, label, name
            if key not in made:
                made[key] = Series(names[row], name, part, label, None if times is None else [], [])
            series = made[key]
            series.values.append(value)  # type: ignore[attr-defined]
            if times is not None:
                series.times.append(times[row])  # type: ignore[union-attr]
    return Usage(tuple(made.values()), sources.factors, dropped)


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


def _labels(
    table: Table, names: list[tuple[str, ...]], times: list[Decimal] | None
) -> list[tuple[int | None, Hashable]]:
    """The part and the series of each row."""
    rows = range(len(names))
    parts: list[int | None] = [None] * len(names)
    for row in rows if "part" in table.columns else ():
        cell = table.columns["part"][row].strip()
        if cell:
            right = cell.isascii() and cell.isdigit() and len(cell) < 10 and int(cell) > 0
            if not right:
                raise table.error(row, "part", f"{cell!r} is no part; number them from 1")
            parts[row] = int(cell)
    series = table.columns.get("series", [""] * len(names))
    if times is None:
        return [(parts[row], series[row]) for row in rows]
    seen: Counter[Hashable] = Counter()
    found: list[tuple[int | None, Hashable]] = []
    for row in rows:
        key = names[row], parts[row], series[row], times[row]
        found.append((parts[row], (series[row], seen[key])))
        seen[key] += 1
    return found
