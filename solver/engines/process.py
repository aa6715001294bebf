"""The parent's side: give a child a job, read its news, end it at the hard limit.

Children that have done their job are kept for the next one, for some seconds. Those of OR-Tools
run each other's jobs.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from ..errors import BackendUnavailableError
from ..system.lanes import current_lane, halted
from .child import Child, EngineCrash
from .folders import remove_all
from .frames import STOP

__all__ = [
    "EngineCrash",
    "Favourite",
    "HardLimitReached",
    "await_warm",
    "close_engines",
    "run_job",
    "warm_up",
]

_STOP_SECONDS = 2.0
_LOOK_SECONDS = 0.05  # between looks at whether the lane is halted
_LEAST_IDLE = 2
_OR_TOOLS = frozenset(
    {
        "solver.bounds.large.interior",
        "solver.columns.worker",
        "solver.engines.cp_sat",
        "solver.engines.glop",
    }
)


class HardLimitReached(TimeoutError):
    """The job did not end in time, or its lane was halted, and the child was ended."""


class _NotBegun(EngineCrash):
    """The child ended before it took the job up."""


_lock = threading.Lock()
_idle: list[Child] = []
_busy: list[Child] = []
_most_busy = 0
_left_to_parent: list[Child] = []


class Favourite:
    """The child that did the last job of a row, and gets the next one if it is free.

    It may not be: whatever it keeps from one job to the next, another may lack.
    """

    def __init__(self) -> None:
        self.child: Child | None = None

    def is_idle(self) -> bool:
        """Whether it waits for a job."""
        with _lock:
            return self.child in _idle


def close_engines() -> None:
    """End the solver processes that wait for a next job, at once.

    After a solve they wait for some ten seconds, because starting one takes half a second;
    then they end by themselves. Those of a solve that runs in another thread go on.

    Examples
    --------
    >>> from solver import Instance, close_engines, solve
    >>> result = solve(Instance.from_arrays(node_compute=[4], task_compute=[3]))
    >>> close_engines()
    """
    with _lock:
        ending = [*_idle]
        _idle.clear()
    for child in ending:
        child.stop()


def warm_up(module: str) -> None:
    """Start a child for an engine if none is idle, so that it is ready when needed."""
    with _lock:
        if any(_suits(child, module) for child in _idle):
            return
    with contextlib.suppress(EngineCrash):  # whoever needs it will hear of it
        child = Child(module, _forget)
        with _lock:
            _idle.append(child)


def await_warm(module: str, seconds: float) -> None:
    """Wait until a child that `warm_up` has started can take a job, or has ended, or time is up.

    A job's time then is the job's: under load loading an engine takes seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not halted():
        with _lock:
            suitable = [child for child in _idle if _suits(child, module)]
        if not suitable or any(child.ready for child in suitable):
            return
        time.sleep(_LOOK_SECONDS / 5)


def run_job(
    module: str,
    function: str,
    payload: Any,
    *,
    hard_limit: float,
    on_news: Callable[[Any], None] | None = None,
    stoppable: bool = False,
    favourite: Favourite | None = None,
) -> Any:
    """Run ``module.function(payload, send)`` in a child and return its result.

    Parameters
    ----------
    module, function : str
        What to run; the module is imported by the child only.
    payload : picklable
        A dict may name a "folder": the child removes it if it outlives this process.
    hard_limit : float
        Seconds after which the child is killed.
    on_news : callable, optional
        Gets everything the job sends while it runs.
    stoppable : bool
        Whether the module has a `stop` function: on Ctrl-C the job is then asked to end, and
        what it returns within two seconds goes to `on_news` as ``("stopped", result)``.
    favourite : Favourite, optional
        The child to choose where it is idle; it is set to the one that was chosen.

    Raises
    ------
    HardLimitReached
        If the limit passed; what was sent before has been delivered.
    BackendUnavailableError
        If the module cannot be imported in the child.
    EngineCrash
        If the child could not start or died, or the job raised.
    """
    deadline = time.monotonic() + hard_limit
    job = module, function, payload
    while True:
        child, is_new = _take(module, None if favourite is None else favourite.child)
        if favourite is not None:
            favourite.child = child
        try:
            return _run(child, job, deadline, on_news, stoppable)
        except _NotBegun:
            # It had been idle too long and ended just now; a new one has no such excuse.
            if is_new:
                raise


def _run(
    child: Child,
    job: tuple[str, str, Any],
    deadline: float,
    on_news: Callable[[Any], None] | None,
    stoppable: bool,
) -> Any:
    done = False
    try:
        try:
            _send(child, job)
            result = _wait(child, job[0], deadline, on_news)
        except KeyboardInterrupt:
            if stoppable and on_news is not None:
                _ask_to_stop(child, job[0], on_news)
            raise
        done = True
        return result
    finally:
        try:
            _give_back(child, fit=done)
        except KeyboardInterrupt:
            _give_back(child, fit=False)
            raise


def _send(child: Child, job: tuple[str, str, Any]) -> None:
    try:
        child.send(job)
    except MemoryError:
        raise EngineCrash(f"{job[0]}: not enough memory to hand the job over") from None


def _wait(child: Child, module: str, deadline: float, on_news: Callable[[Any], None] | None) -> Any:
    begun = False
    while True:
        left = min(threading.TIMEOUT_MAX, max(0.0, deadline - time.monotonic()))
        look = left if current_lane() is None else min(left, _LOOK_SECONDS)
        try:
            kind, content = child.frames.get(timeout=look)
        except queue.Empty:
            if look < left and not halted():
                continue
            raise HardLimitReached(f"{module} did not stop at its time limit") from None
        if kind == "begun":
            begun = True
        elif kind == "news":
            if on_news is not None:
                on_news(content)
        elif kind == "done":
            return content
        elif kind == "unavailable":
            raise BackendUnavailableError(f"{module.rpartition('.')[2]}: {content}")
        elif kind == "failed":
            raise EngineCrash(f"{module}: {content[0]}\n{content[1]}")
        else:
            kind_of_end = EngineCrash if begun else _NotBegun
            words = child.last_words()
            raise kind_of_end(f"{module}: the solver process died ({content}): {words}")


def _ask_to_stop(child: Child, module: str, on_news: Callable[[Any], None]) -> None:
    with contextlib.suppress(EngineCrash, HardLimitReached):
        child.send(STOP)
        deadline = time.monotonic() + _STOP_SECONDS
        on_news(("stopped", _wait(child, module, deadline, on_news)))


def _suits(child: Child, module: str) -> bool:
    """Whether an idle child can take a job for a module up sooner than a new one."""
    if module in child.modules:
        return True
    return child.ready and module in _OR_TOOLS and not child.modules.isdisjoint(_OR_TOOLS)


def _take(module: str, favourite: Child | None) -> tuple[Child, bool]:
    """A child for a job, the favourite if it is idle, and whether it is a new one."""
    global _most_busy
    with _lock:
        suitable = [child for child in _idle if _suits(child, module) and child.is_alive()]
        best = max(
            suitable,
            key=lambda child: (child is favourite, module in child.modules),
            default=None,
        )
        if best is not None:
            _idle.remove(best)
    child = Child(module, _forget) if best is None else best
    with _lock:
        child.modules.add(module)
        _busy.append(child)
        _most_busy = max(_most_busy, len(_busy))
    return child, best is None


def _give_back(child: Child, *, fit: bool) -> None:
    """Keep a child for the next job, up to as many as have worked side by side, or end it."""
    with _lock:
        for known in (_busy, _idle):
            if child in known:
                known.remove(child)
        if fit and child.is_alive():
            _idle.append(child)
        ending = [] if fit else [child]
        while len(_idle) > max(_LEAST_IDLE, _most_busy):
            ending.append(_idle.pop(0))
    for other in ending:
        other.stop()


def _forget(child: Child) -> None:
    """An idle child has ended by itself."""
    with _lock:
        was_idle = child in _idle
        if was_idle:
            _idle.remove(child)
    if was_idle:
        child.stop()


@atexit.register
def _end_all() -> None:
    with _lock:
        ending = [*_idle, *_busy]
        _idle.clear()
        _busy.clear()
    for child in ending:
        child.stop()
    remove_all()


def _after_fork() -> None:
    """The children stay with the parent, and so does whoever held the lock."""
    global _lock, _most_busy
    _lock = threading.Lock()
    for child in (*_idle, *_busy):
        child.leave_to_parent()
    # Kept for good: their queues and files may have been copied in the midst of an operation.
    _left_to_parent.extend((*_idle, *_busy))
    _idle.clear()
    _busy.clear()
    _most_busy = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
