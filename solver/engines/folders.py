"""Folders for files of a solver that do not outlive the process that made them.

A folder holds a locked file. The lock goes with the process, however it ends, so that a later
one may take away what was left behind and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..system.locks import LOCK, hold, lock
from .child import EngineCrash

__all__ = ["remove_all", "scratch_folder"]

_PREFIX = "nodewise-"

_mine: dict[Path, int | None] = {}
"""The folders of this process, and the open files that lock them."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end.

    Raises
    ------
    EngineCrash
        If there is no place for it.
    """
    try:
        folder, held = _make()
    except OSError as error:
        raise EngineCrash(f"there is no place for the solver's files: {error}") from None
    _mine[folder] = held
    try:
        yield folder
    finally:
        _remove(folder)


def _make() -> tuple[Path, int | None]:
    place = Path(tempfile.gettempdir())
    _clear(place)
    # It gets the name by which others judge it once it is locked.
    hidden = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=place))
    held = None
    try:
        held = hold(hidden)
        return hidden.rename(place / hidden.name[1:]), held
    except BaseException:
        if held is not None:
            os.close(held)
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _clear(place: Path) -> None:
    """Remove the folders of processes that are gone."""
    for folder in place.glob(f"{_PREFIX}*"):
        if folder in _mine:
            continue
        with contextlib.suppress(OSError):
            handle = os.open(folder / LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock(handle):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


def _remove(folder: Path) -> None:
    if folder in _mine:
        held = _mine.pop(folder)
        if held is not None:
            os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


def _leave_to_parent() -> None:
    """After a fork: the folders are the parent's."""
    for held in _mine.values():
        if held is not None:
            os.close(held)
    _mine.clear()


def remove_all() -> None:
    """Remove all folders of this process, once nobody writes to them."""
    for folder in list(_mine):
        _remove(folder)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
