"""Ctrl-C while something winds down after a Ctrl-C: noted, and not raised again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["interrupted_once", "noticed"]

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def interrupted_once() -> Iterator[Callable[[], None]]:
    """Let the signal handlers raise KeyboardInterrupt once at most within the block.

    Whoever catches it can end its work in peace. Handlers of the user's are called each time,
    and what else they raise is raised; signals without a Python handler stay as they are, and
    so do all outside the main thread. Afterwards everything is as it was.

    Yields
    ------
    callable
        From its call on nothing is raised even once: the work is done.
    """
    raised = False

    def finish() -> None:
        nonlocal raised
        raised = True

    if threading.current_thread() is not threading.main_thread():
        yield finish
        return

    def wrapped(handler: Any) -> Any:
        def handle(number: int, frame: FrameType | None) -> None:
            nonlocal raised
            try:
                handler(number, frame)
            except KeyboardInterrupt:
                if not raised:
                    raised = True
                    raise

        return handle

    with _handled(wrapped):
        yield finish


@contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """Notice signals within the block that raise KeyboardInterrupt, whoever catches it.

    Yields
    ------
    callable
        Whether one has come. Outside the main thread none is noticed.
    """
    came = False

    def wrapped(handler: Any) -> Any:
        def handle(number: int, frame: FrameType | None) -> None:
            nonlocal came
            came = True
            handler(number, frame)

        return handle

    def has_come() -> bool:
        return came

    if threading.current_thread() is not threading.main_thread():
        yield has_come
        return
    with _handled(wrapped):
        yield has_come


@contextmanager
def _handled(wrapped: Callable[[Any], Any]) -> Iterator[None]:
    """Have handlers of signals that are written in Python wrapped within the block."""
    before: dict[int, Any] = {}
    ours: dict[int, Any] = {}
    try:
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and not isinstance(handler, signal.Handlers):
                before[number], ours[number] = handler, wrapped(handler)
                signal.signal(number, ours[number])
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is ours[number]:  # else somebody has set another
                signal.signal(number, handler)
