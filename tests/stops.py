"""Ends that come at a chosen moment: of the time, of a lane, by Ctrl-C, or no compiled code yet.

Clocks of real seconds end a run somewhere, and somewhere else the next time. These count how often
the code looks, and end it at the look that a test names.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from solver import settings
from solver.engines.child import Child
from solver.kernels.build import ready, store
from solver.search.settings import PACKING
from solver.system.lanes import Lane, within

SOLVER = str(Path(settings.__file__).parent)
LONG = 1e6  # seconds by which a clock runs ahead once it has run out
MAIN = threading.main_thread()


def time_runs_out(at: int) -> contextlib.AbstractContextManager[None]:
    """The clock is late for everything from its so manyth look on."""
    shift = [0.0]

    def run_out() -> None:
        shift[0] = LONG

    return _clock(at, run_out, lambda: shift[0])


def ctrl_c_at_a_look(at: int) -> contextlib.AbstractContextManager[None]:
    """Ctrl-C as somebody looks at the clock."""
    return _clock(at, lambda: signal.pthread_kill(MAIN.ident or 0, signal.SIGINT), lambda: 0.0)


@contextlib.contextmanager
def _clock(at: int, act: Callable[[], None], shift: Callable[[], float]) -> Iterator[None]:
    plain, looks, over, lock = time.monotonic, [0], [False], threading.Lock()

    def look() -> float:
        with lock:  # so that nothing is sent any more once this is over
            looks[0] += 1
            if looks[0] == at and not over[0]:
                act()
        return plain() + shift()

    time.monotonic = look
    try:
        yield
    finally:
        time.monotonic = plain
        with lock:
            over[0] = True


class Flag(threading.Event):
    """Set from the so manyth look at it on."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at, self._looks = at, 0

    def is_set(self) -> bool:
        self._looks += 1
        if self._looks == self._at:
            self.set()
        return super().is_set()


def lane_is_halted(at: int) -> contextlib.AbstractContextManager[None]:
    """What runs is told to end, as what runs beside a proof is."""
    return within(Lane(Flag(at)))


def lane_is_called_off(at: int) -> contextlib.AbstractContextManager[None]:
    """The same for a step of a lane."""
    lane = Lane(threading.Event())
    lane.called_off = Flag(at)
    return within(lane)


@contextlib.contextmanager
def ctrl_c_at_a_line(at: int) -> Iterator[None]:
    """Ctrl-C before the so manyth line of the solver that this thread runs within `solve`."""
    lines = [0]

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(SOLVER) else None

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            lines[0] += 1
            if lines[0] == at:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return line

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


class _AtWork:
    """A compiler that is never done."""

    returncode = None

    def poll(self) -> None:
        return None


@contextlib.contextmanager
def code_comes_late(at: int) -> Iterator[None]:
    """Compiled code is there from the so manyth look for it on."""
    looks, plain, start = [0], store.is_complete, ready._start
    known = set(ready._known_complete)
    compiler = ready._Compiler.process, ready._Compiler.used

    def is_complete(place: Path, whole: bool = False) -> bool:
        looks[0] += 1
        return looks[0] >= at and plain(place, whole)

    ready._known_complete.clear()
    ready._Compiler.process, ready._Compiler.used = None, False
    store.is_complete, ready._start = is_complete, lambda *_: _AtWork()
    try:
        yield
    finally:
        store.is_complete, ready._start = plain, start
        ready._known_complete.update(known)
        ready._Compiler.process, ready._Compiler.used = compiler


@contextlib.contextmanager
def engine_dies(at: int) -> Iterator[None]:
    """The child that gets the so manyth job is killed as it has it."""
    plain, jobs = Child.send, [0]

    def send(child: Child, message: Any) -> None:
        plain(child, message)
        jobs[0] += 1
        if jobs[0] == at:
            child._process.kill()

    Child.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        Child.send = plain  # type: ignore[method-assign]


STOPS = {
    "time": time_runs_out,
    "halted": lane_is_halted,
    "called off": lane_is_called_off,
    "Ctrl-C at a look": ctrl_c_at_a_look,
    "Ctrl-C at a line": ctrl_c_at_a_line,
    "no code": code_comes_late,
    "no engine": engine_dies,
}

# What only large instances go through, here for small ones.
_LOW = {
    "as they are": {},
    "large": {settings.PLACING: {"large": 0, "clock_every": 1, "block": 3}},
    "beside": {settings.AUTO: {"opening_cells": 0, "least_stale": 0.02, "longest_pause": 0.01}},
    "by turns": {settings.AUTO: {"small_cells": 0}},
    "guided": {
        settings.WHOLE_SEARCH: {"guided_rows": 1},
        settings.PATTERNS: {"tasks_per_class": 0, "nodes_per_class": 0},
        settings.LINEAR: {"slow_cells": 0, "slow_cells_off": 0},
    },
    "eager": {
        settings.LOCAL_SEARCH: {"nodes_per_part": 1, "eject_after": 0, "stalled": 1},
        PACKING: {"eject_every": 2},
    },
}
LOW = tuple(_LOW)


@contextlib.contextmanager
def low(name: str) -> Iterator[None]:
    """Tuned numbers by which small instances are treated as large ones."""
    before = []
    for group, values in _LOW[name].items():
        for key, value in values.items():
            before.append((group, key, getattr(group, key)))
            object.__setattr__(group, key, value)
    try:
        yield
    finally:
        for group, key, value in before:
            object.__setattr__(group, key, value)
