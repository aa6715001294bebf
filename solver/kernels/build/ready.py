"""Whether the compiled kernels are there, and having them made in the background.

They are compiled once for an installation, by a process of its own that outlives the one that
started it; only one at a time works on a folder. Those of whole models and of `packing`, which few
runs need (`whole`), are compiled when they are first wanted, after the others. Nothing here loads
numba, so that whoever only asks does not pay for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ...errors import BackendUnavailableError
from ...system.locks import hold
from ...system.undisturbed import load
from . import store

__all__ = [
    "compile_ahead",
    "is_ready",
    "is_usable",
    "load_kernels",
    "mark_used",
    "prepare",
    "warm_up",
    "why_not",
]

_log = logging.getLogger(__name__)

_COMPILER = "solver.kernels.build.compiling"
_POLL_SECONDS = 0.05
_FAILED = "failed.txt"
_RETRY_SECONDS = 3600.0
_LOADING_SECONDS = 1.5
_WITHOUT = "this run went without its compiled search"
_COMPILING = (
    f"{_WITHOUT}: it is being compiled, once for an installation, in the background, and a later "
    "run will find it done"
)
_NOWHERE = (
    f"{_WITHOUT}: no folder for compiled code can be written; name one in the environment "
    "variable NUMBA_CACHE_DIR, or run `nodewise warm-up` where one can"
)


class _Compiler:
    """The process that this one has started, if any; it is never started twice."""

    process: subprocess.Popen[bytes] | None = None
    whole = False  # whether it compiles those that few runs need, too
    reported = False
    used = False  # whether this process has loaded the code


_known_complete: set[tuple[Path, bool]] = set()


def is_ready(whole: bool = False) -> bool:
    """Whether the kernels can be called without being compiled first, or run uncompiled.

    Parameters
    ----------
    whole : bool
        Whether those of whole models and of `packing` are meant as well.
    """
    if _is_disabled():
        return True
    place = store.folder()
    if place is None:
        return False
    if (place, whole) not in _known_complete and store.is_complete(place, whole):
        _known_complete.add((place, whole))
    return (place, whole) in _known_complete


def is_usable(seconds: float, whole: bool = False) -> bool:
    """Whether the kernels are ready, and loaded or to be loaded well within some seconds."""
    return is_ready(whole) and (_Compiler.used or seconds >= _LOADING_SECONDS)


def load_kernels() -> None:
    """Load what the compiled code needs, before any of its modules is imported."""
    load("solver.kernels.build.jit")


def mark_used() -> None:
    """Say that the kernels are loaded into this process."""
    _Compiler.used = True


def prepare(whole: bool = False) -> bool:
    """Have the kernels compiled in the background, unless they are or another process is at it.

    Parameters
    ----------
    whole : bool
        As in `is_ready`.

    Returns
    -------
    bool
        Whether they are there or on their way.
    """
    if is_ready(whole):
        return True
    place = store.folder()
    if place is None:
        return False
    if _Compiler.process is not None:
        running = _is_running(_Compiler.process, place)
        if not running or _Compiler.whole or not whole or _Compiler.process.poll() is None:
            return running
    if _reason(place) is not None:
        return False
    try:
        lock = hold(place)
        if lock is None:
            return True
        try:
            if not is_ready(whole):
                _Compiler.process, _Compiler.whole = _start(place, lock, whole), whole
        finally:
            os.close(lock)
    except OSError as error:
        _log.warning("no compiler could be started: %s", error)
        return False
    return True


def compile_ahead(stopped: Callable[[], bool], whole: bool = False) -> bool:
    """Wait until the kernels are compiled; see `prepare`.

    Parameters
    ----------
    stopped : callable
        Asked all the time; once it returns True the compiler is left to finish alone.
    whole : bool
        As in `is_ready`.

    Returns
    -------
    bool
        Whether the kernels are ready.
    """
    while not is_ready(whole):
        if stopped() or not prepare(whole):
            return is_ready(whole)
        time.sleep(_POLL_SECONDS)
    return True


def why_not() -> str:
    """What to tell the user where the kernels are not ready."""
    place = store.folder()
    if place is None:
        return _NOWHERE
    reason = _reason(place)
    if reason is not None:
        return f"{_WITHOUT}: compiling it failed ({reason}); `nodewise warm-up` tries again"
    return _COMPILING


def warm_up() -> Path | None:
    """Compile the kernels now, and remove what old versions have left unused.

    Returns
    -------
    Path or None
        The folder with the compiled code; None if compilation is switched off.

    Raises
    ------
    BackendUnavailableError
        If no folder can be written, or compiling fails.
    """
    if _is_disabled():
        return None
    place = store.folder()
    if place is None:
        raise BackendUnavailableError(
            "no folder for compiled code can be written; name one that can in the environment "
            "variable NUMBA_CACHE_DIR, and keep it set for later runs"
        )
    if not is_ready(whole=True):
        with contextlib.suppress(OSError):
            (place / _FAILED).unlink(missing_ok=True)
        if not compile_ahead(lambda: False, whole=True):
            raise BackendUnavailableError(f"compiling failed: {_reason(place) or 'it was ended'}")
    store.remove_unused(place)
    return place


def mark_failed(place: Path, reason: str) -> None:
    """Note why compiling failed, so that it is not tried again at every run."""
    with contextlib.suppress(OSError):
        (place / _FAILED).write_text(reason, encoding="utf-8")


def _reason(place: Path) -> str | None:
    """The last line of why compiling failed here in the last hour; None if it did not."""
    path = place / _FAILED
    try:
        if time.time() - path.stat().st_mtime > _RETRY_SECONDS:
            return None
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "for an unknown reason"
    except OSError:
        return None


def _is_running(process: subprocess.Popen[bytes], place: Path) -> bool:
    if process.poll() is None or is_ready(_Compiler.whole):
        return True
    if not _Compiler.reported:
        _Compiler.reported = True
        reason = _reason(place) or f"exit code {process.returncode}"
        _log.warning("the search could not be compiled into %s: %s", place, reason)
    return False


def _is_disabled() -> bool:
    """Whether numba is told not to compile, and so runs the kernels as plain Python."""
    numba = sys.modules.get("numba")
    if numba is not None and hasattr(numba, "config"):
        return bool(numba.config.DISABLE_JIT)
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def _start(place: Path, lock: int, whole: bool) -> subprocess.Popen[bytes]:
    """Start the compiler; it keeps the lock, and nothing else of this process."""
    _log.info("compiling the search into %s", place)
    inherited = () if os.name == "nt" else (lock,)
    wanted = ("--whole",) if whole else ()
    flags = ("DETACHED_PROCESS", "BELOW_NORMAL_PRIORITY_CLASS")  # of Windows only
    return subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "solver.kernels.build.compiling",
            *wanted,
            *map(str, inherited),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        pass_fds=inherited,
        start_new_session=True,
        creationflags=sum(getattr(subprocess, flag, 0) for flag in flags),
    )


def child_environment() -> dict[str, str]:
    """The environment of a child that finds the same modules."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path}
