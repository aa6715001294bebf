"""Writing files whole or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from .scratch import Scratch, is_stream, naming

__all__ = ["atomic_path", "atomic_paths", "atomic_text", "write_csv"]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A scratch file beside `path` that takes its name once the block has ended.

    On any error the file that stood there before, if any, is left as it was. A device or
    pipe, such as /dev/stdout, is yielded as it is. A file that cannot be replaced, such as one
    that a container mounts by itself, is written over once the data are complete.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If the path is a folder.
    OSError
        If nothing can be written there, or the file that stands there is read-only; it names
        the path, not the scratch file.
    """
    with atomic_paths([path]) as [scratch], naming(path, scratch):
        yield scratch


@contextmanager
def atomic_paths(paths: Sequence[str | os.PathLike[str]]) -> Iterator[list[Path]]:
    """A scratch file beside each path; once all are written whole, they take their names.

    Raises as `atomic_path` does.
    """
    with ExitStack() as stack:
        ready, places = [], []
        for path in paths:
            if is_stream(path):
                places.append(Path(path))
            else:
                ready.append(stack.enter_context(Scratch(path)))
                places.append(ready[-1].path)
        yield places
        for scratch in ready:
            scratch.sync()
        for scratch in ready:
            scratch.commit()


@contextmanager
def atomic_text(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """Open a text file (UTF-8, "\\n") that takes its name only once it is written whole.

    Raises as `atomic_path` does.
    """
    with atomic_path(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def write_csv(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows as CSV with "\\n" after each, such that any text reads back."""
    writer = csv.writer(_Lines(stream), lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)


class _Lines:
    """Ends each row by a plain newline.

    `csv.writer` puts quotes around a carriage return only where its own line ending has one.
    """

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    def write(self, row: str) -> int:
        return self._write(row.removesuffix("\r\n") + "\n")
