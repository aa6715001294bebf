"""Entry point of the command `nodewise` and of `python -m solver`.

Only what can be loaded in no time is imported before a signal is taken care of.
"""

from __future__ import annotations

import os
import sys

from .system import signals

__all__ = ["main"]


def main() -> int:
    """Run the command line with the arguments of the process and return its exit code."""
    _open_standard_streams()
    from .command.cli import run

    signals.take()
    try:
        code = run()
        signals.hold()
    except KeyboardInterrupt:
        signals.tell()
        code = signals.INTERRUPTED
    signals.ignore()
    # Where a KeyboardInterrupt once passed through `exec`, as it may within a dataclass, CPython
    # kills the process at its end, though the interrupt was handled; another `exec` clears that.
    exec("")
    return _flushed(code)


def _open_standard_streams() -> None:
    """Stand-ins for closed ones: the next file that is opened would be taken for them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _flushed(code: int) -> int:
    """The exit code, once nothing is left that the interpreter could fail to write at its end."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or (1 if stream is sys.stdout else 0)
    return code


if __name__ == "__main__":
    sys.exit(main())
