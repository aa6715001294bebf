"""Several pieces of work side by side in threads, and one place that hears of what they find.

The thread that calls stays free for signals: it passes on what was found, one thing after the
other, and ends the rest once cost and bound meet, time is up or something was raised.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...system.lanes import Lane, within
from ..base import Outcome
from ..best import Best

__all__ = ["Work", "run_together"]

Work = Callable[[Lane], Outcome | None]
"""What runs in a lane. An outcome that proves that there is no allocation ends the others."""

_GRACE = 0.3  # seconds after the deadline for what looks at the clock itself
_WINDING_DOWN, _LATE = 2.0, 0.7  # seconds for what was halted before the deadline, and after


def run_together(best: Best, deadline: float, works: Mapping[str, Work]) -> list[Outcome]:
    """Run some works side by side until all have ended.

    Parameters
    ----------
    best : Best
        Where all of them find and report; its callbacks are called in this thread only.
    deadline : float
        Value of ``time.monotonic()`` after which they are halted.
    works : mapping
        By the names of their threads.

    Returns
    -------
    list of Outcome
        What they returned, in the order in which they ended. A work that does not end in time
        is left alone, and what it finds is dropped.
    """
    return _Crew(best, deadline, works).run()


class _Crew:
    def __init__(self, best: Best, deadline: float, works: Mapping[str, Work]) -> None:
        self.best, self.deadline, self.works = best, deadline, works
        self.halt = threading.Event()
        self.lanes = {name: Lane(self.halt) for name in works}
        self.outcomes: list[Outcome] = []
        self.running = 0
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._caller = threading.current_thread()

    def run(self) -> list[Outcome]:
        before, self.best.relay = self.best.relay, self._relay
        try:
            for name in self.works:
                self._start(name)
            while self.running and not self.halt.is_set():
                self._hear(self.deadline + _GRACE)
            self._wind_down()
        except KeyboardInterrupt:
            self._wind_down()  # what they hold is worth having
            raise
        except BaseException:
            with contextlib.suppress(Exception):
                self._wind_down(listening=False)
            raise
        finally:
            with self.best.lock:
                for lane in self.lanes.values():
                    lane.over = True
            self.best.relay = before
        return self.outcomes

    def _start(self, name: str) -> None:
        """Start a work; where there are no more threads to be had, it runs here."""
        self.running += 1
        # A daemon: the interpreter does not wait for it when it ends.
        thread = threading.Thread(target=self._work, args=(name,), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._work(name)

    def _work(self, name: str) -> None:
        lane = self.lanes[name]
        with within(lane):
            try:
                self._news.put(("ended", self.works[name](lane)))
            except BaseException as error:  # raised again in the calling thread
                self._news.put(("raised", error))

    def _relay(self, action: Callable[[], None]) -> None:
        """Have the calling thread do something; at once if it is this one."""
        if threading.current_thread() is self._caller:
            action()
        else:
            self._news.put(("told", action))

    def _hear(self, until: float, *, listening: bool = True) -> None:
        """Wait for the next news and see to it; halt if none comes in time, or if it is the end."""
        try:
            seconds = min(threading.TIMEOUT_MAX, max(0.0, until - time.monotonic()))
            kind, content = self._news.get(timeout=seconds)
        except queue.Empty:
            self.halt.set()
            return
        if kind == "told":
            if listening:
                content()
        else:
            self.running -= 1
            if kind == "raised" and listening:
                raise content
            if isinstance(content, Outcome):
                self.outcomes.append(content)
                if content.infeasible_because is not None:
                    self.halt.set()
        if self.best.settled():
            self.halt.set()

    def _wind_down(self, *, listening: bool = True) -> None:
        """Halt what runs, and hear what it has still to say."""
        self.halt.set()
        seconds = _WINDING_DOWN if time.monotonic() < self.deadline else _LATE
        until = time.monotonic() + seconds
        while self.running and time.monotonic() < until:
            self._hear(until, listening=listening)
