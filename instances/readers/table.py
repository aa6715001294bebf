"""Two CSV tables of anybody: of nodes and of tasks, with columns of any names and with units."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from solver.errors import InstanceError
from solver.files.text import decode, read_bytes
from solver.model.frames.making import instance_of_sources
from solver.model.frames.sources import Faults, Source
from solver.model.instance import Instance

__all__ = ["read_table_files"]

_DELIMITERS = (",", ";", "\t", "|")
_CELL_LIMIT = 2**31 - 1


def read_table_files(
    paths: Sequence[Path],
    *,
    columns: Mapping[str, str] | None = None,
    node_columns: Mapping[str, str] | None = None,
    task_columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    decimal: str = ".",
    notes: list[str] | None = None,
    **settings: Any,
) -> Instance:
    """Read a table of nodes and a table of tasks.

    Columns are separated by commas, semicolons, tabs or bars, whichever the header has most of.

    Parameters
    ----------
    paths : sequence of two Path
        The nodes, then the tasks.
    columns, node_columns, task_columns, units, ignore, decimal, notes, **settings
        As in `Instance.from_frames`.

    Raises
    ------
    InstanceError
        With everything that is wrong with the files, each with its line and column.
    """
    if len(paths) != 2:
        raise InstanceError(
            f"table: {len(paths)} files given; name two, that of the nodes and that of the tasks"
        )
    faults = Faults()
    sources = {
        owner: _read(Path(path), faults)
        for owner, path in zip(("node", "task"), paths, strict=True)
    }
    given = {"both": columns, "node": node_columns, "task": task_columns}
    name = os.fsencode(Path(paths[1]).stem).decode(errors="replace")  # a name may be any bytes
    return instance_of_sources(  # type: ignore[no-any-return]
        Instance.from_arrays,
        sources,
        {owner: dict(names or {}) for owner, names in given.items()},
        units=units or {},
        ignore=ignore,
        decimal=decimal,
        notes=notes,
        settings={"name": name, **settings},
        faults=faults,
    )


def _read(path: Path, faults: Faults) -> Source:
    """The columns of a file; rows of another width are noted and left out."""
    where = str(path)
    text = decode(read_bytes(path, InstanceError), where, InstanceError)
    lines: list[int] = []
    rows: list[list[str]] = []
    limit = csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append(cells)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InstanceError(
            f"{where}, line {reader.line_num}: the file is not CSV: {error}; put text with "
            "delimiters, quotes or line breaks in double quotes"
        ) from None
    finally:
        csv.field_size_limit(limit)
    header = _header(where, rows[0] if rows else [])
    source = Source(where, {}, 0, lambda row: f"line {lines[row + 1]}")
    kept = [0]
    for row, cells in enumerate(rows[1:], 1):
        if len(cells) == len(header):
            kept.append(row)
        else:
            problem = f"{len(cells)} cells for {len(header)} columns; put text with delimiters in "
            faults.add(source, f"{problem}double quotes", row=row - 1)
    lines[:] = [lines[row] for row in kept] if len(kept) < len(rows) else lines
    body = [rows[row] for row in kept[1:]]
    columns = {name: [cells[k] for cells in body] for k, name in enumerate(header)}
    return Source(where, columns, len(body), source.place)


def _delimiter(text: str) -> str:
    """What the header has most of, outside of quotes."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    counts = Counter(outside)
    return max(_DELIMITERS, key=lambda mark: (counts[mark], -_DELIMITERS.index(mark)))


def _header(where: str, cells: Sequence[str]) -> list[str]:
    """The names of the columns; one without a name, such as the index of a frame, is numbered."""
    header = [name.strip() or f"column {k}" for k, name in enumerate(cells, 1)]
    for name, count in Counter(header).items():
        if count > 1:
            raise InstanceError(f"{where}, line 1: column {name} stands {count} times; keep one")
    return header
