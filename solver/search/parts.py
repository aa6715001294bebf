"""An instance in parts, searched side by side: balanced, merged, and cut anew every round.

The parts run through joblib: in threads here, and on the user's own cluster under
``joblib.parallel_config(backend="dask")`` or any other backend.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, NamedTuple

import numpy as np

from ..kernels.state import Facts
from ..model.exact import Array
from ..system.lanes import halted, in_same_lane
from ..system.undisturbed import load
from .backend import backend_jobs
from .rounds import Search

__all__ = ["Part", "Pool", "cut", "search_part", "take"]


class Part(NamedTuple):
    """Some nodes with the tasks on them, and what to do: all that a worker needs.

    Attributes
    ----------
    facts : Facts
    node_of : (tasks,) int64
        Positions in the part's own list of nodes.
    seed : list of int
    rounds : int
    seconds : float
        Time limit.
    begun : int
        Rounds that the search as a whole has behind it; the first ones take less effort.
    """

    facts: Facts
    node_of: Array
    seed: list[int]
    rounds: int
    seconds: float
    begun: int


def _never() -> bool:
    return False


def search_part(part: Part, interrupted: Callable[[], bool] = _never) -> Array:
    """Search on a part until its end or an interrupt; returns the (tasks,) new positions."""
    deadline = time.monotonic() + part.seconds

    def stopped() -> bool:
        return interrupted() or time.monotonic() > deadline

    search = Search(part.facts, part.node_of, part.seed, stopped)
    search.rounds = part.begun
    for _ in range(part.rounds):
        if stopped():
            break
        search.round()
    return search.state.node_of


def cut(facts: Facts, load: Array, parts: int, rng: np.random.Generator) -> list[Array]:
    """Divide the nodes into parts, alike in whom they may host and in overload.

    Parameters
    ----------
    facts : Facts
    load : (n,) int64
        Present loads; the tasks go where their nodes go.
    parts : int
    rng : numpy.random.Generator

    Returns
    -------
    list of arrays
        Positions of the nodes of each part, ascending; none is empty if parts <= n.
    """
    n = load.size
    hosts = np.packbits(facts.allowed, axis=0).T if facts.allowed.size else facts.node_labels
    signature = np.unique(hosts, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((rng.random(n), load - facts.node_compute, signature))
    # Of each run of as many neighbours as there are parts, every part gets one.
    turn = np.arange(n)
    key = turn // parts + rng.random(n)
    mixed = order[np.argsort(key, kind="stable")] if parts > 1 else order
    return [np.sort(mixed[p::parts]) for p in range(parts)]


def take(facts: Facts, node_of: Array, nodes: Array) -> tuple[Facts, Array, Array]:
    """The facts and the allocation of some nodes alone, and the positions of their tasks."""
    place = np.full(facts.node_compute.size, -1, dtype=np.int64)
    place[nodes] = np.arange(nodes.size)
    tasks = np.flatnonzero(place[node_of] >= 0)
    allowed = np.ascontiguousarray(facts.allowed[:, nodes])
    own = facts._replace(
        demand=facts.demand[tasks],
        task_class=facts.task_class[tasks],
        group=facts.group[tasks],
        needs=facts.needs[tasks],
        node_compute=facts.node_compute[nodes],
        price=facts.price[nodes],
        use=facts.use[nodes],
        idle=facts.idle[nodes],
        capacity=facts.capacity[nodes],
        node_class=facts.node_class[nodes],
        allowed=allowed,
        node_labels=np.ascontiguousarray(facts.node_labels[nodes]),
        everywhere=facts.everywhere or bool(allowed.size and allowed.all()),
    )
    return own, place[node_of[tasks]], tasks


class Pool:
    """Where the parts run: on the joblib backend that the user has chosen, else in threads.

    Parameters
    ----------
    num_workers : int
        Threads, where the user has chosen no backend.

    Attributes
    ----------
    size : int
        How many parts run at once.
    """

    def __init__(self, num_workers: int) -> None:
        joblib = load("joblib")
        self.size = num_workers
        self._interrupt = threading.Event()
        self._joblib: Any = None
        jobs = backend_jobs()
        if jobs is not None:
            self._joblib, self._jobs = joblib, jobs
            self.size = max(1, int(joblib.effective_n_jobs(self._jobs)))

    def resize(self, num_workers: int) -> None:
        """Use so many threads from now on; a backend of the user's keeps its size."""
        if self._joblib is None:
            self.size = num_workers

    def map(self, function: Callable[..., Any], items: list[Any]) -> list[Any]:
        """The results of the function for the items, in their order.

        In threads it gets a second argument: whether to end early, to be asked now and then.
        That is so after Ctrl-C, and once the lane is halted; the results are still returned, if
        all have begun, and `raise_if_interrupted` raises once they are taken care of.
        """
        if self._joblib is not None:
            run = self._joblib.delayed(function)
            return list(self._joblib.Parallel(n_jobs=self._jobs)(run(item) for item in items))
        running: list[Future[Any]] = [Future() for _ in items]
        try:
            self._start(running, function, items)
            wait(running)
        except KeyboardInterrupt:
            self._interrupt.set()
            begun = [future for future in running if not future.cancel()]
            wait(begun)
            if len(begun) < len(running):
                raise
        return [future.result() for future in running]

    def _start(
        self, running: list[Future[Any]], function: Callable[..., Any], items: list[Any]
    ) -> None:
        """A thread for each item; what gets none runs here."""
        here = []
        for future, item in zip(running, items, strict=True):
            # Not an executor's, which the interpreter waits for when it ends.
            run_one = in_same_lane(self._work)
            work = threading.Thread(target=run_one, args=(future, function, item), daemon=True)
            try:
                work.start()
            except RuntimeError:  # there are no more threads to be had
                here.append((future, item))
        for future, item in here:
            self._work(future, function, item)

    def _work(self, future: Future[Any], function: Callable[..., Any], item: Any) -> None:
        try:
            if future.set_running_or_notify_cancel():
                future.set_result(function(item, self._is_interrupted))
        except BaseException as error:  # raised where the result is asked for
            if not future.done():
                future.set_exception(error)

    def _is_interrupted(self) -> bool:
        return self._interrupt.is_set() or halted()

    def raise_if_interrupted(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C came during `map`."""
        if self._interrupt.is_set():
            self._interrupt.clear()
            raise KeyboardInterrupt
