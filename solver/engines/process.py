"""The parent's side: start a child, give it a job, read its news, end it at the hard limit."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..errors import BackendUnavailableError, NodewiseError
from .frames import STOP, read_frame, write_frame

__all__ = ["EngineCrash", "HardLimitReached", "run_job", "warm_up"]


_STOP_SECONDS = 2.0


class EngineCrash(NodewiseError, RuntimeError):
    """The child died or its job raised."""


class HardLimitReached(TimeoutError):
    """The job did not end in time, and the child was ended."""


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    frames: queue.Queue[Any]
    stderr: Any
    owner: int = field(default_factory=os.getpid)

    def stop(self) -> None:
        """End the child and every solver that it started."""
        if self.owner != os.getpid():
            return  # inherited through a fork: it is not ours
        if hasattr(os, "killpg") and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def last_words(self) -> str:
        """The end of what the child wrote to its standard error."""
        self.stderr.seek(0)
        return cast(bytes, self.stderr.read())[-2000:].decode(errors="replace").strip()


_idle: dict[str, list[_Child]] = {}
_lock = threading.Lock()


def warm_up(module: str) -> None:
    """Start a child for an engine if none is idle, so that it is ready when needed."""
    with _lock:
        ready = any(child.owner == os.getpid() for child in _idle.get(module, ()))
    if not ready:
        _give_back(module, _start(module))


def run_job(
    module: str,
    function: str,
    payload: Any,
    *,
    hard_limit: float,
    on_news: Callable[[Any], None] | None = None,
    stoppable: bool = False,
) -> Any:
    """Run ``module.function(payload, send)`` in a child and return its result.

    Parameters
    ----------
    module, function : str
        What to run; the module is imported by the child only.
    payload : picklable
    hard_limit : float
        Seconds after which the child is killed.
    on_news : callable, optional
        Gets everything the job sends while it runs.
    stoppable : bool
        Whether the module has a `stop` function: on Ctrl-C the job is then asked to end, and
        what it returns within two seconds goes to `on_news` as ``("stopped", result)``.

    Raises
    ------
    HardLimitReached
        If the limit passed; what was sent before has been delivered.
    BackendUnavailableError
        If the module cannot be imported in the child.
    EngineCrash
        If the child died or the job raised.
    """
    deadline = time.monotonic() + hard_limit
    child = _take(module)
    try:
        with contextlib.suppress(OSError):  # if it died at once, its frames say why
            write_frame(cast(BinaryIO, child.process.stdin), (function, payload))
        result = _wait(child, module, deadline, on_news)
    except KeyboardInterrupt:
        if stoppable and on_news is not None:
            _ask_to_stop(child, module, on_news)
        child.stop()
        raise
    except BaseException:
        child.stop()
        raise
    _give_back(module, child)
    return result


def _wait(
    child: _Child, module: str, deadline: float, on_news: Callable[[Any], None] | None
) -> Any:
    while True:
        try:
            kind, content = child.frames.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise HardLimitReached(f"{module} did not stop at its time limit") from None
        if kind == "news":
            if on_news is not None:
                on_news(content)
        elif kind == "done":
            return content
        elif kind == "unavailable":
            raise BackendUnavailableError(f"{module.rpartition('.')[2]}: {content}")
        elif kind == "failed":
            raise EngineCrash(f"{module}: {content[0]}\n{content[1]}")
        else:
            code = child.process.wait()
            raise EngineCrash(f"{module}: the solver process died ({code}): {child.last_words()}")


def _ask_to_stop(child: _Child, module: str, on_news: Callable[[Any], None]) -> None:
    with contextlib.suppress(OSError, EngineCrash, HardLimitReached):
        write_frame(cast(BinaryIO, child.process.stdin), STOP)
        deadline = time.monotonic() + _STOP_SECONDS
        on_news(("stopped", _wait(child, module, deadline, on_news)))


def _take(module: str) -> _Child:
    with _lock:
        children = _idle.get(module, [])
        while children:
            child = children.pop()
            if child.owner == os.getpid() and child.process.poll() is None:
                return child
    return _start(module)


def _give_back(module: str, child: _Child) -> None:
    with _lock:
        _idle.setdefault(module, []).append(child)


def _start(module: str) -> _Child:
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "solver.engines.host", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment,
        start_new_session=True,
    )
    frames: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(process, frames), daemon=True).start()
    return _Child(process, frames, stderr)


def _read(process: subprocess.Popen[bytes], frames: queue.Queue[Any]) -> None:
    try:
        while True:
            frames.put(read_frame(cast(BinaryIO, process.stdout)))
    except (EOFError, OSError, ValueError):
        frames.put(("gone", None))


@atexit.register
def _stop_all() -> None:
    with _lock:
        for children in _idle.values():
            for child in children:
                child.stop()
        _idle.clear()
