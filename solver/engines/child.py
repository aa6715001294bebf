"""One child process, seen from its parent: start it, talk to it, end it and all it started."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..errors import NodewiseError
from .frames import read_frame, write_frame

__all__ = ["Child", "EngineCrash"]

IDLE_SECONDS = 10.0
"""A child without a job for so long ends by itself."""


class EngineCrash(NodewiseError, RuntimeError):
    """The child could not start, it died, or its job raised."""


class Child:
    """A running child.

    Parameters
    ----------
    module : str
        What it imports at once.
    on_gone : callable
        Told, in a thread of its own, when the process has ended.

    Attributes
    ----------
    frames : queue.Queue
        What it sends; the last frame is ``("gone", exit code)``.
    ready : bool
        Whether it has imported the module.
    modules : set of str
        What it has imported, or soon will have.

    Raises
    ------
    EngineCrash
        If there is no file, memory, process or thread to be had for it.
    """

    def __init__(self, module: str, on_gone: Callable[[Child], None]) -> None:
        self.owner = os.getpid()
        self.frames: queue.Queue[Any] = queue.Queue()
        self.ready = False
        self.modules = {module}
        self._on_gone = on_gone
        self._lock = threading.Lock()
        with contextlib.ExitStack() as undo:
            try:
                self._stderr = undo.enter_context(_file_for_errors())
                self._process = _start(module, self._stderr)
                undo.callback(self.stop)
                threading.Thread(target=self._read, daemon=True).start()
            except (OSError, RuntimeError, MemoryError) as error:
                reason = str(error) or type(error).__name__
                raise EngineCrash(f"{module}: the solver process did not start: {reason}") from None
            undo.pop_all()

    def send(self, message: Any) -> None:
        """Write a message; if the child is gone, its frames say so."""
        with contextlib.suppress(OSError):
            write_frame(cast(BinaryIO, self._process.stdin), message)

    def is_alive(self) -> bool:
        """Whether it is this process's and runs."""
        if self.owner != os.getpid():
            return False
        with self._lock:
            return self._process.poll() is None

    def stop(self) -> None:
        """End the child and every solver that it started."""
        if self.owner != os.getpid():
            return  # inherited through a fork: it is not ours
        self._kill()
        self._process.wait()
        for stream in (self._process.stdin, self._stderr):
            cast(Any, stream).close()

    def last_words(self) -> str:
        """The end of what the child wrote to its standard error, the last line first."""
        self._stderr.seek(0)
        text = self._stderr.read()[-2000:].decode(errors="replace").strip()
        last = text.splitlines()[-1:]
        return "\n".join([*last, text] if last != [text] else last)

    def leave_to_parent(self) -> None:
        """After a fork: keep no end of a pipe open, for the child ends when its parent does."""
        with contextlib.suppress(OSError):
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None and not stream.closed:
                    os.dup2(nothing, stream.fileno(), inheritable=False)
            os.close(nothing)
        self._process.returncode = 0  # nobody here waits for it

    def _kill(self) -> None:
        with self._lock:  # once it has been waited for, the number may be another process's
            if self._process.returncode is not None:
                return
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        stdout = cast(BinaryIO, self._process.stdout)
        try:
            while True:
                frame = read_frame(stdout)
                if frame[0] == "ready":
                    self.ready = True
                else:
                    self.frames.put(frame)
        except Exception:  # whatever it is, there is no more to come
            self._kill()  # the solvers of a child that died
        with contextlib.suppress(OSError):
            stdout.close()
        self.frames.put(("gone", self._process.returncode))
        self._on_gone(self)


def _file_for_errors() -> Any:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # no folder to write to: do without
        return open(os.devnull, "w+b")


def _start(module: str, stderr: Any) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    # Products are small here, and threads that wait for each other cost more than they bring.
    for library in ("OPENBLAS", "MKL"):
        environment.setdefault(f"{library}_NUM_THREADS", "1")
    arguments = [module, str(os.getpid()), str(IDLE_SECONDS)]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "solver.engines.host", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=0,
        env=environment,
        start_new_session=True,
    )
