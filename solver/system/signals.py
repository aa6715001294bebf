"""Ctrl-C, SIGTERM and SIGHUP: all three end the command line in order, and lose nothing.

This is for the command line alone. A process that imports the library keeps its own handlers,
and signals that were ignored when the process started, as under nohup, stay ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["INTERRUPTED", "hold", "ignore", "let_through", "take", "tell"]

INTERRUPTED = 130
"""The exit code of a command that a signal ended before anything was found."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_WINDING_DOWN = 10.0  # seconds; a solver that is asked to stop may take two

_let_through = True
_raised_at: float | None = None


def take() -> None:
    """From here on a signal raises KeyboardInterrupt in the main thread.

    While that takes effect, for ten seconds, further ones do nothing.
    """
    _handle_by(_interrupt)


def hold() -> None:
    """From here on signals do nothing: there is something to lose, and the end is near."""
    global _let_through
    _let_through = False


def ignore() -> None:
    """Signals do nothing until the process has ended.

    Handlers in Python would be gone before that, and the code with which the process ends, too.
    """
    _handle_by(signal.SIG_IGN)


@contextmanager
def let_through() -> Iterator[None]:
    """A stretch in which signals raise again."""
    global _let_through, _raised_at
    before, _let_through, _raised_at = _let_through, True, None
    try:
        yield
    finally:
        _let_through = before


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _raised_at
    now = time.monotonic()
    if _let_through and (_raised_at is None or now > _raised_at + _WINDING_DOWN):
        _raised_at = now
        raise KeyboardInterrupt


def tell() -> None:
    """Say on stderr that the command was interrupted."""
    with contextlib.suppress(OSError):
        os.write(2, b"error: interrupted\n")


def _leave(number: int, frame: FrameType | None) -> None:
    tell()
    os._exit(INTERRUPTED)


def _handle_by(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _is_command() -> bool:
    """Whether this process is `nodewise` or `python -m solver`."""
    argv = getattr(sys, "argv", None) or [""]  # none where Python is embedded
    module = sys.orig_argv[: len(sys.orig_argv) - len(argv) + 1][-2:]
    # A worker process may have the argv of its parent, but not what Python itself was given.
    script = argv[0] in sys.orig_argv and argv[0].replace("\\", "/").rpartition("/")[2]
    return script in ("nodewise", "nodewise.exe") or module == ["-m", "solver"]


# The package imports this module first: the rest takes a second, in which there is nothing to
# lose, and a traceback would help nobody.
if _is_command():
    with contextlib.suppress(ValueError):  # not in the main thread
        _handle_by(_leave)
