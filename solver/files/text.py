"""What all readers of files share: bytes, text, columns, and help with misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NodewiseError

__all__ = ["decode", "did_you_mean", "packed", "read_bytes", "tidy"]

_MOST_CHOICES, _LONGEST_NAME = 20_000, 200


def read_bytes(path: Path, fail: type[NodewiseError]) -> bytes:
    """The content of a file.

    Raises
    ------
    NodewiseError
        Of class `fail`, if the file is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise fail(f"{path}: there is no such file") from None
    except OSError as error:
        raise fail(f"{path}: the file cannot be read: {error.strerror}") from None
    except ValueError as error:  # a path with a null character
        raise fail(f"{str(path)!r}: the file cannot be read: {error}") from None


def decode(data: bytes, where: str, fail: type[NodewiseError]) -> str:
    """UTF-8 text, with or without a byte order mark, that is not empty.

    Raises
    ------
    NodewiseError
        Of class `fail`, naming the file by `where`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise fail(
            f"{where}, line {line}: the file is not UTF-8 text "
            f"(byte {error.start}: {error.reason}); save it as UTF-8"
        ) from None
    if not text.strip():
        raise fail(f"{where}: the file is empty")
    return text


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint to the nearest known name, "; did you mean 'storage'?", or nothing.

    >>> did_you_mean("storge", ["compute", "storage"])
    "; did you mean 'storage'?"
    """
    choices = list(islice(known, _MOST_CHOICES + 1))
    if len(name) > _LONGEST_NAME or len(choices) > _MOST_CHOICES:
        return ""  # the comparison takes time in proportion to both
    close = difflib.get_close_matches(name, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def packed(values: list[Any]) -> Any:
    """The values as an integer or float array if they are all of that one type, else as given.

    An instance takes a million numbers in an array much faster than in a list.
    """
    types = set(map(type, values))
    if types == {int} or types == {float}:
        array = np.array(values)
        # NumPy makes floats of integers on both sides of 2**63.
        if array.dtype.kind in ("f" if types == {float} else "iu"):
            return array
    return values


def tidy(value: Any) -> Any:
    """A number as it is written: an int where it is whole, otherwise a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
