"""What runs in the child: take a job, run it, send what it yields.

Started as ``python -m solver.engines.host MODULE``; MODULE is loaded at once, so that the
import overlaps with the work of the parent. A job is ``(function name, payload)``; the function
is called with the payload and a `send` callback, and its return value ends the job. STOP
asks the module to end the job that runs.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any, BinaryIO

from .frames import STOP, read_frame, write_frame


def _die_with_parent() -> None:
    """End this process and every solver it started."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _read_jobs(stream: BinaryIO, jobs: queue.Queue[Any]) -> None:
    try:
        while True:
            job = read_frame(stream)
            if job == STOP:
                sys.modules[sys.argv[1]].stop()
            else:
                jobs.put(job)
    except (EOFError, OSError):
        _die_with_parent()


def main() -> None:
    """Serve jobs until the parent is gone."""
    # Whatever a solver prints must not mix with the frames.
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # Stopping a solver sends SIGINT to this whole process group; this process lives on.
    signal.signal(signal.SIGINT, lambda *_: None)
    lock = threading.Lock()

    def send(kind: str, content: Any) -> None:
        with lock:
            write_frame(sink, (kind, content))

    jobs: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read_jobs, args=(source, jobs), daemon=True).start()
    try:
        module = importlib.import_module(sys.argv[1])
    except ImportError as error:
        send("unavailable", str(error))
        return
    while True:
        function, payload = jobs.get()
        try:
            send("done", getattr(module, function)(payload, lambda content: send("news", content)))
        except Exception as error:  # sent to the parent, which raises it there
            send("failed", (f"{type(error).__name__}: {error}", traceback.format_exc()))


if __name__ == "__main__":
    main()
