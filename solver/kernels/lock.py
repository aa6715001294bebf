"""A lock on a folder that the system takes back when its holder ends, however it ends."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

__all__ = ["hold"]

_log = logging.getLogger(__name__)

_NAME = "lock"
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def hold(place: Path) -> int | None:
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
    handle = os.open(place / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in _TAKEN:
            os.close(handle)
            return None
        _log.info("%s: no locks here: %s", place, error)
    return handle


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
