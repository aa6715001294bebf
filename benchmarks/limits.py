"""A command with limits of time and memory that hold from outside, whatever it does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import psutil

__all__ = ["Ended", "cancel_all", "run_limited"]

_POLL = 0.05
_DYING = 5.0  # seconds for the system to clear away what was killed
_LAST_CHARACTERS = 2000
_cancelled = threading.Event()


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    returncode : int
    seconds : float
        Wall time.
    peak_memory : float
        GiB: the largest sum of the resident memory of the process and all it started, sampled
        20 times a second. Memory that they share counts once for each.
    stopped : str
        "" if it ended by itself, else "timeout", "memory" or "cancelled".
    last_words : str
        The end of what it wrote on standard error.
    """

    returncode: int
    seconds: float
    peak_memory: float
    stopped: str
    last_words: str


def run_limited(
    command: Sequence[str],
    *,
    wall_seconds: float,
    memory_gib: float,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command and end it, with everything it started, when it passes a limit.

    Its standard input is a pipe that closes when this process dies, so that it can end too.
    """
    begun = time.monotonic()
    peak, stopped = 0, ""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=None if environment is None else {**os.environ, **environment},
            start_new_session=True,
        )
        try:
            watched = psutil.Process(child.pid)
            while child.poll() is None and not stopped:
                peak = max(peak, _resident(watched))
                if peak > memory_gib * 2**30:
                    stopped = "memory"
                elif time.monotonic() - begun > wall_seconds:
                    stopped = "timeout"
                elif _cancelled.is_set():
                    stopped = "cancelled"
                else:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(_POLL)
        finally:
            _end(child)
        seconds = time.monotonic() - begun
        words = _tail(errors)
    return Ended(child.returncode, seconds, peak / 2**30, stopped, words)


def cancel_all() -> None:
    """Let every command that runs in a thread of this process end as "cancelled"."""
    _cancelled.set()


def _resident(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the process, those it started, and its group."""
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(child.pid).children(recursive=True)
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    child.wait()
    psutil.wait_procs(family, timeout=_DYING)
    if child.stdin is not None:
        child.stdin.close()


def _tail(stream: IO[bytes]) -> str:
    stream.seek(0)

    return stream.read().decode("utf-8", "replace")[-_LAST_CHARACTERS:].strip()
