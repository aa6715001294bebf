"""Locks on open files, which the system takes back when their holder ends, however it ends."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "hold", "lock"]

LOCK = "lock"
"""Name of the file by which a folder is locked."""

_log = logging.getLogger(__name__)

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def lock(descriptor: int, *, wait: bool = False) -> bool | None:
    """Lock an open file until it is closed, here and in every child that has inherited it.

    Parameters
    ----------
    descriptor : int
    wait : bool
        Whether to wait for another holder, or to return at once.

    Returns
    -------
    bool or None
        Whether it is locked now: True, or False where another process has it; None where the
        system or the file system knows no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return False if error.errno in _TAKEN else None
    return True


def hold(folder: Path) -> int | None:
    """Take the lock of a folder, or return None at once if another process has it.

    Returns
    -------
    int
        An open file; the lock lasts until it is closed, here and (but for Windows) in every
        child that has inherited it.

    Notes
    -----
    The file stays where it is: were it removed, two processes could hold two locks. Where the
    file system knows no locks, everybody gets one.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    locked = _lock_on_windows(handle) if os.name == "nt" else lock(handle)
    if locked is False:
        os.close(handle)
        return None
    if locked is None:
        _log.info("%s: no locks here", folder)
    return handle


def _lock_on_windows(handle: int) -> bool | None:
    import msvcrt

    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    except OSError as error:
        return False if error.errno in _TAKEN else None
    return True
