"""Writing files whole or not at all."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

__all__ = ["atomic_path", "atomic_text", "write_csv"]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A scratch file beside `path` that takes its name once the block has ended.

    On any error the file that stood there before, if any, is left as it was. A device or
    pipe, such as /dev/stdout, is yielded as it is.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If the path is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: the folder {target.parent} does not exist")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; name a file")
    if target.exists() and not target.is_file():
        yield target
        return
    target = target.resolve()  # a link keeps pointing at the file
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        _sync(scratch)
        scratch.chmod(_mode_of(target))
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


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


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _mode_of(target: Path) -> int:
    """The mode of the file to be replaced, or the one a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
