"""Annealing over which nodes are on, in ever longer runs; see `kernels.packing.switching`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..kernels.packing.switching import Stage, anneal, make_course
from ..kernels.state import Facts, own_arrays
from ..model.exact import Array
from .parts import Pool, cut, take
from .settings import SWITCHING

__all__ = ["Annealing", "anneal_together", "may_switch", "run_annealing"]


def may_switch(facts: Facts) -> bool:
    """Whether annealing pays: nodes may be off, and there are not too many tasks."""
    n, m = facts.idle.size, facts.demand.size
    few = m <= SWITCHING.most_tasks and m <= SWITCHING.most_a_node * n
    return bool(facts.idle.any()) and n > 1 and m > 0 and few


def anneal_together(
    facts: Facts, node_of: Array, pool: Pool, seed: list[int], number: int, seconds: float
) -> Array:
    """A run for each worker: on a part of the nodes, or on all where they are few.

    Parameters
    ----------
    facts : Facts
    node_of : (m,) int64
        An allocation that keeps all limits.
    pool : Pool
    seed : list of int
    number : int
        How many runs there have been before, which were shorter.
    seconds : float
        As in `Annealing`.

    Returns
    -------
    (m,) int64
        An allocation that keeps all limits and costs no more.
    """
    n, rng = facts.idle.size, np.random.default_rng(seed)
    load = np.bincount(node_of, facts.demand, n)
    divided = n >= SWITCHING.nodes_a_part * pool.size > SWITCHING.nodes_a_part
    cuts = cut(facts, load, pool.size, rng) if divided else [np.arange(n)] * pool.size
    parts = [take(facts, node_of, nodes) for nodes in cuts]
    tries = SWITCHING.tries_a_task * SWITCHING.growth**number
    jobs = []
    for k, (own, places, tasks) in enumerate(parts):
        cost, of_part = _cost(own, places), tries * max(1, tasks.size)
        jobs.append(Annealing(own, places, cost, [*seed, k], of_part, seconds))
    best, gained, found = node_of, 0.0, node_of.copy()
    for nodes, (own, _, tasks), job, places in zip(
        cuts, parts, jobs, pool.map(run_annealing, jobs), strict=True
    ):
        gain = 0.0 if places is None else job.cost - _cost(own, places)
        if gain <= 0.0:
            continue
        if divided:
            found[tasks] = nodes[places]
            best = found
        elif gain > gained:
            best, gained = nodes[places], gain
    return best


def _cost(facts: Facts, node_of: Array) -> float:
    """Cost beyond what is paid whatever happens, on the grid, nearly."""
    n = facts.idle.size
    load = np.bincount(node_of, facts.demand, n)
    above = np.maximum(0.0, load - facts.node_compute)
    on = facts.idle[np.bincount(node_of, minlength=n) > 0].sum(dtype=float)
    return float((facts.price * above + facts.use * load).sum() + on)


class Annealing(NamedTuple):
    """A run: all that a worker needs.

    Attributes
    ----------
    facts : Facts
    node_of : (m,) int64
        Where to begin; eligibility must hold.
    cost : float
        Of that allocation, on the grid, beyond what is paid whatever happens.
    seed : list of int
    tries : int
    seconds : float
        It cools faster if it would take longer, so that it ends by then.
    """

    facts: Facts
    node_of: Array
    cost: float
    seed: list[int]
    tries: int
    seconds: float


def _never() -> bool:
    return False


def run_annealing(job: Annealing, interrupted: Callable[[], bool] = _never) -> Array | None:
    """The best allocation that keeps all limits, or None if there was none.

    With the same seed it is the same one, unless the time was too short.
    """
    facts = own_arrays(job.facts)
    needed = np.maximum(1.0, facts.needs.sum(axis=0, dtype=float))
    weight = SWITCHING.weight * job.cost / needed
    course = make_course(facts, job.node_of, weight)
    unit = max(1.0, job.cost / max(1, int(np.count_nonzero(course.held))))
    rng = np.random.default_rng(job.seed)
    tries = max(1, min(SWITCHING.tries_together, job.tries // SWITCHING.stages))
    begun, done, number = time.monotonic(), 0.0, 0
    while done < 1.0 and not interrupted():
        number += tries
        then = min(1.0, done + tries / job.tries)
        control = SWITCHING.control if done >= SWITCHING.control_from else 0.0
        hot, cold = (unit * _between(SWITCHING.heat, share) for share in (done, then))
        steep, steeper = (
            _between(SWITCHING.steep, min(1.0, share / SWITCHING.steep_until))
            for share in (done, then)
        )
        anneal(facts, course, Stage(tries, hot, cold, steep, steeper, control), rng)
        np.clip(course.weight, weight / SWITCHING.range, weight * SWITCHING.range, course.weight)
        passed = (time.monotonic() - begun) / max(1e-9, job.seconds)
        done = max(number / job.tries, passed)
    return course.best if np.isfinite(course.cost[1]) else None


def _between(ends: tuple[float, float], share: float) -> float:
    """A point between two, geometrically."""
    first, last = ends
    return float(first * (last / first) ** share)
