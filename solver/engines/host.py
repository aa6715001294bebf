"""What runs in the child: take a job, run it, send what it yields.

Started as ``python -m solver.engines.host MODULE PARENT SECONDS``; MODULE is loaded at once, so
that the import overlaps with the work of the parent. A job is ``(module, function name,
payload)``; the function is called with the payload and a `send` callback, and its return value
ends the job. STOP asks the module to end the job that runs. The child ends with the process
whose number is PARENT, and once it has had no job for SECONDS.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import queue
import select
import shutil
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import Any, BinaryIO

from .frames import STOP, read_frame, write_frame

_LOOK_SECONDS = 1.0
_TRIES = 100
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl, which Linux alone has


class _Job:
    """What runs just now: its module, and the folder to remove if the parent dies."""

    module: str | None = None
    folder: str | None = None


_solvers: weakref.WeakSet[_Solver] = weakref.WeakSet()


class _Solver(subprocess.Popen[Any]):
    """A solver that this process starts: it ends with it, however that ends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        if sys.platform == "linux":
            options.setdefault("preexec_fn", _end_with_parent(os.getpid()))
        super().__init__(*arguments, **options)
        _solvers.add(self)


def _end_with_parent(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork

    def ask() -> None:
        prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def _die_with_parent() -> None:
    """End every solver this process started, remove its files, and end."""
    if _Job.folder is not None:
        for solver in list(_solvers):
            if solver.poll() is None:
                solver.kill()
        for _ in range(_TRIES):  # another thread may be writing to it
            shutil.rmtree(_Job.folder, ignore_errors=True)
            if not os.path.lexists(_Job.folder):
                break
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _read_jobs(stream: BinaryIO, parent: int, jobs: queue.Queue[Any]) -> None:
    try:
        while True:
            _await(stream, parent)
            job = read_frame(stream)
            if job == STOP:
                _stop()
                continue
            if isinstance(job[2], dict):
                _Job.folder = job[2].get("folder")
            jobs.put(job)
    except (EOFError, OSError):
        _die_with_parent()


def _await(stream: BinaryIO, parent: int) -> None:
    """Wait for a message; EOFError if the parent is gone, though others hold its end open."""
    if os.name != "posix":
        return
    while not select.select([stream], [], [], _LOOK_SECONDS)[0]:
        if os.getppid() != parent:
            raise EOFError


def _stop() -> None:
    stop = getattr(sys.modules.get(_Job.module or ""), "stop", None)
    if stop is not None:
        stop()


def main() -> None:
    """Serve jobs until the parent is gone or none comes any more."""
    module, parent, idle_seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    # Whatever a solver prints must not mix with the frames.
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # Stopping a solver sends SIGINT to this whole process group; this process lives on.
    signal.signal(signal.SIGINT, lambda *_: None)
    subprocess.Popen = _Solver  # type: ignore[misc]
    lock = threading.Lock()

    def send(kind: str, content: Any) -> None:
        with lock:
            try:
                write_frame(sink, (kind, content))
            except OSError:  # the parent is gone, and `_die_with_parent` is at work
                threading.Event().wait()

    jobs: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read_jobs, args=(source, parent, jobs), daemon=True).start()
    if _load(module, send):
        send("ready", None)
    while True:
        try:
            module, function, payload = jobs.get(timeout=idle_seconds)
        except queue.Empty:
            os._exit(0)  # a job that comes just now has not begun, and goes to another child
        _serve(module, function, payload, send)


def _load(module: str, send: Callable[[str, Any], None]) -> bool:
    """Import a module; whether that went well. What did not will be sent when it is needed."""
    try:
        importlib.import_module(module)
    except Exception:  # a job for it will try again, and tell
        return False
    return True


def _serve(module: str, function: str, payload: Any, send: Callable[[str, Any], None]) -> None:
    send("begun", None)
    _Job.module = module
    try:
        run = getattr(importlib.import_module(module), function)
    except ImportError as error:
        send("unavailable", str(error))
        return
    except Exception as error:  # such as MemoryError
        send("failed", (f"{type(error).__name__}: {error}", traceback.format_exc()))
        return
    try:
        send("done", run(payload, lambda content: send("news", content)))
    except Exception as error:  # sent to the parent, which raises it there
        send("failed", (f"{type(error).__name__}: {error}", traceback.format_exc()))
    finally:
        _Job.module = _Job.folder = None


if __name__ == "__main__":
    main()
