"""Work that runs beside other work: told to end by a flag that all of it looks at.

A lane is what a thread works on, with all that it starts. Whoever waits for a child, or asks how
many seconds are left, asks the lane too: once it is halted, there are none.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Lane", "current_lane", "halted", "in_same_lane", "within"]


class Lane:
    """One of several that run side by side.

    Parameters
    ----------
    halt : threading.Event
        Once it is set, the work winds down.

    Attributes
    ----------
    gained : int
        By how much its work has brought cost and bound together, in exact units of cost.
    called_off : threading.Event
        Set while what the lane does just now is to end, but not the lane.
    over : bool
        Whether nobody waits for it any more: what it finds is not wanted.
    """

    def __init__(self, halt: threading.Event) -> None:
        self.halt = halt
        self.gained = 0
        self.called_off = threading.Event()
        self.over = False


_lane: contextvars.ContextVar[Lane | None] = contextvars.ContextVar("lane", default=None)


def current_lane() -> Lane | None:
    """The lane that this thread works for, if there is one."""
    return _lane.get()


def halted() -> bool:
    """Whether what this thread does in its lane is to end."""
    lane = _lane.get()
    return lane is not None and (lane.halt.is_set() or lane.called_off.is_set())


@contextmanager
def within(lane: Lane) -> Iterator[None]:
    """Work for a lane within the block."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


def in_same_lane[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """A function that works for the present lane in whatever thread it is called once."""
    context = contextvars.copy_context()

    def call(*arguments: P.args, **keywords: P.kwargs) -> R:
        return context.run(function, *arguments, **keywords)

    return call
