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

from .child import EngineCrash

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["remove_all", "scratch_folder"]

_PREFIX, _LOCK = "nodewise-", "lock"

_mine: dict[Path, int] = {}


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end.

    Raises
    ------
    EngineCrash
        If there is no place for it.
    """
    try:
        folder, lock = _make()
    except OSError as error:
        raise EngineCrash(f"there is no place for the solver's files: {error}") from None
    _mine[folder] = lock
    try:
        yield folder
    finally:
        _remove(folder)


def _make() -> tuple[Path, int]:
    place = Path(tempfile.gettempdir())
    _clear(place)
    # It gets the name by which others judge it once it is locked.
    hidden = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=place))
    lock = -1
    try:
        lock = os.open(hidden / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        return hidden.rename(place / hidden.name[1:]), lock
    except BaseException:
        if lock >= 0:
            os.close(lock)
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _clear(place: Path) -> None:
    """Remove the folders of processes that are gone."""
    if fcntl is None:
        return
    for folder in place.glob(f"{_PREFIX}*"):
        if folder in _mine:
            continue
        with contextlib.suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _remove(folder: Path) -> None:
    lock = _mine.pop(folder, None)
    if lock is not None:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _leave_to_parent() -> None:
    """After a fork: the folders are the parent's."""
    for lock in _mine.values():
        os.close(lock)
    _mine.clear()


def remove_all() -> None:
    """Remove all folders of this process, once nobody writes to them."""
    for folder in list(_mine):
        _remove(folder)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
