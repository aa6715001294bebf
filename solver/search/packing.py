"""Looking for any allocation that keeps all limits: breakout, and exact fills where none is spare.

The two run side by side where there are several workers, by turns where there is one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from ..kernels.packing.breakout import break_out, make_lessons
from ..kernels.state import Facts, make_state, own_arrays
from ..model.exact import Array
from .filling import Filling, is_exact
from .parts import Pool
from .settings import PACKING

__all__ = ["Breakout", "Job", "Packing", "run_attempt"]


class Breakout:
    """Breakout from an allocation, some steps at a time.

    Parameters
    ----------
    facts : Facts
    node_of : (m,) int64
        Where to begin; eligibility must hold.
    seed : int or sequence of int

    Attributes
    ----------
    lessons : Lessons
        What has been learnt, and the best allocation seen.
    """

    def __init__(self, facts: Facts, node_of: Array, seed: int | list[int]) -> None:
        self.facts, self._node_of = own_arrays(facts), node_of
        self.lessons = make_lessons(self.facts, node_of)
        self._rng = np.random.default_rng(seed)

    @property
    def excess(self) -> float:
        """The least weighted excess so far; infinite before the first round."""
        return float(self.lessons.best[0])

    @property
    def nearest(self) -> Array:
        """The allocation of that excess."""
        return self.lessons.best_node_of

    @property
    def node_of(self) -> Array | None:
        """The allocation, once one keeps all limits."""
        return self.lessons.best_node_of if self.lessons.best[0] == 0 else None

    def run(self, stopped: Callable[[], bool]) -> None:
        """The steps of a round; as many whatever the machine, unless it is stopped."""
        state = make_state(self.facts, self._node_of)
        clock = self.lessons.clock
        steps = PACKING.steps + PACKING.steps_per_task * self._node_of.size
        end, last = clock[0] + steps, clock[1] + PACKING.looks
        while clock[0] < end and clock[1] < last and not stopped():
            most = min(PACKING.steps_together, end - clock[0])
            if break_out(self.facts, state, self.lessons, most, last - clock[1], self._rng):
                break
        self._node_of = state.node_of.copy()


class Job(NamedTuple):
    """An attempt, and for how long it is to go on.

    Attributes
    ----------
    attempt : Filling or Breakout
    seconds : float
        After which no further round begins; 0 for one round.
    left : float
        Seconds after which the present one is broken off.
    """

    attempt: Filling | Breakout
    seconds: float
    left: float


def _never() -> bool:
    return False


def run_attempt(job: Job, interrupted: Callable[[], bool] = _never) -> Filling | Breakout:
    """Rounds of an attempt until it has succeeded or its time is up; it is returned."""
    begun = time.monotonic()

    def stopped() -> bool:
        return interrupted() or time.monotonic() > begun + job.left

    job.attempt.run(stopped)
    while (
        job.attempt.node_of is None
        and not stopped()
        and time.monotonic() < begun + min(job.seconds, job.left)
    ):
        job.attempt.run(stopped)
    return job.attempt


class Packing:
    """The search for a first allocation, a round at a time.

    Parameters
    ----------
    facts : Facts
    node_of : (m,) int64
        Where breakout begins.
    seed : int
    pool : Pool
        Where the attempts run; each further worker has a breakout of its own.
    """

    def __init__(self, facts: Facts, node_of: Array, seed: int, pool: Pool) -> None:
        self._pool, self._tasks = pool, node_of.size
        self._attempts: list[Filling | Breakout] = []
        if is_exact(facts):
            self._attempts.append(Filling(facts, [seed, 0]))
        for k in range(max(1, pool.size - len(self._attempts))):
            self._attempts.append(Breakout(facts, node_of, [seed, 1 + k]))

    def round(self, seconds_left: float) -> Array:
        """A round of all attempts; returns the allocation of least excess so far.

        With one worker it takes the same steps on every machine.
        """
        alone = self._pool.size == 1
        seconds = 0.0 if alone else min(PACKING.most_seconds, PACKING.seconds_a_task * self._tasks)
        jobs = [Job(attempt, seconds, seconds_left) for attempt in self._attempts]
        if alone:
            self._attempts = [found for job in jobs for found in self._pool.map(run_attempt, [job])]
        else:
            self._attempts = self._pool.map(run_attempt, jobs)
        found = [(a.excess, a.nearest) for a in self._attempts]
        # One is a breakout, which has an allocation even if it was stopped before its first step.
        return min(((e, near) for e, near in found if near is not None), key=itemgetter(0))[1]
