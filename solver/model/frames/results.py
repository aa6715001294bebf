"""Tables as data frames of pandas or polars, whichever is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import BackendUnavailableError, OptionError

__all__ = ["frame_of"]

_LIBRARIES = ("pandas", "polars")


def frame_of(header: Sequence[str], rows: Iterable[Sequence[Any]], library: str) -> Any:
    """A data frame; empty cells are missing.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequences
    library : {"pandas", "polars"}

    Raises
    ------
    OptionError
        If the library is another one.
    BackendUnavailableError
        If it is not installed.
    """
    if library not in _LIBRARIES:
        raise OptionError(f"library is {library!r}; it must be one of: {', '.join(_LIBRARIES)}")
    try:
        module = importlib.import_module(library)
    except ImportError:
        raise BackendUnavailableError(
            f"a data frame needs {library}; install it: pip install {library}"
        ) from None
    columns = list(zip(*rows, strict=True)) or [() for _ in header]
    cells = {
        name: [None if cell == "" else cell for cell in column]
        for name, column in zip(header, columns, strict=True)
    }
    return module.DataFrame(cells)
