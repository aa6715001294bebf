"""Breakout: a search for less excess whose weights learn which limits are hard to keep.

Every node and hard dimension has a weight of its own. Where no exchange lowers the weighted excess,
the weights of all limits that are exceeded rise, so that no local minimum lasts (Morris 1993, "The
breakout method for escaping from local minima"; Voudouris and Tsang 1999, "Guided local search").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import inner, kernel, lean
from ..fits import may_run
from ..settings import LOOPS
from ..state import Facts, State, excess_of, move

__all__ = ["Lessons", "break_out", "make_lessons"]

_SLACK = 1e-9
_LOOKS = LOOPS.breakout_looks
_SHORTEST, _SPREAD = LOOPS.breakout_tabu, LOOPS.breakout_tabu_spread
_FORGET = LOOPS.breakout_forget


class Lessons(NamedTuple):
    """What a search has learnt, and the best allocation it has seen.

    Attributes
    ----------
    weight : (n, d) float64
        What one unit of excess counts.
    free_at : (m,) int64
        The step from which a task may move again.
    clock : (2,) int64
        Steps made, and exchanges looked at.
    best_node_of : (m,) int64
        The allocation of least excess so far.
    best : (1,) float64
        That excess, weighted by `Facts.weight` alone; 0 if all limits are kept.
    """

    weight: Array
    free_at: Array
    clock: Array
    best_node_of: Array
    best: Array


def make_lessons(facts: Facts, node_of: Array) -> Lessons:
    """Nothing learnt yet, at an allocation."""
    n, d = facts.capacity.shape
    return Lessons(
        weight=np.ones((n, d)) * facts.weight,
        free_at=np.zeros(facts.demand.size, dtype=np.int64),
        clock=np.zeros(2, dtype=np.int64),
        best_node_of=node_of.astype(np.int64),
        best=np.array([np.inf]),
    )


@lean
def _weighted(state: State, weight: Array, i: int) -> float:
    """Weighted excess of node i."""
    excess = 0.0
    for d in range(weight.shape[1]):
        if state.room[i, d] < 0:
            excess -= weight[i, d] * state.room[i, d]
    return excess


@lean
def _after(
    facts: Facts, state: State, weight: Array, i: int, j: int, t: int, s: int, most: float
) -> float:
    """Weighted excess of nodes i and j once t goes to j and s (-1: none) to i; cut short above."""
    excess = 0.0
    for d in range(weight.shape[1]):
        shift = facts.needs[t, d]
        if s >= 0:
            shift -= facts.needs[s, d]
        room = state.room[i, d] + shift
        if room < 0:
            excess -= weight[i, d] * room
        room = state.room[j, d] - shift
        if room < 0:
            excess -= weight[j, d] * room
        if excess > most:
            break
    return excess


@inner
def _best_exchange(
    facts: Facts, state: State, lessons: Lessons, i: int, rng: np.random.Generator
) -> tuple[float, int, int, int]:
    """The change of the weighted excess, and the shift or swap from node i that lowers it most."""
    step, weight, n = lessons.clock[0], lessons.weight, state.count.size
    present_i = _weighted(state, weight, i)
    best, best_t, best_s, best_j, ties = np.inf, -1, -1, -1, 0
    looked, begin = 0, int(rng.random() * n)
    for turn in range(n):
        j = (begin + turn) % n
        if j == i:
            continue
        if looked > _LOOKS:
            break
        present = present_i + _weighted(state, weight, j)
        for a in range(state.count[i]):
            t = state.slots[state.first[i] + a]
            if lessons.free_at[t] > step or not may_run(facts, t, j):
                continue
            for b in range(-1, state.count[j]):
                s = -1
                if b >= 0:
                    s = state.slots[state.first[j] + b]
                    if lessons.free_at[s] > step or not may_run(facts, s, i):
                        continue
                looked += 1
                change = _after(facts, state, weight, i, j, t, s, best + present) - present
                if change < best - _SLACK:
                    best, best_t, best_s, best_j, ties = change, t, s, j, 1
                elif change < best + _SLACK:
                    ties += 1
                    if rng.random() * ties < 1:
                        best_t, best_s, best_j = t, s, j
    lessons.clock[1] += looked
    return best, best_t, best_s, best_j


@lean
def _note(state: State, i: int, over: Array, place: Array, size: int) -> int:
    """Keep the list of overfull nodes, of some size, up to date for node i; returns the size."""
    full = False
    for d in range(state.room.shape[1]):
        full = full or state.room[i, d] < 0
    if full and place[i] < 0:
        over[size] = i
        place[i] = size
        return size + 1
    if not full and place[i] >= 0:
        last = over[size - 1]
        over[place[i]] = last
        place[last] = place[i]
        place[i] = -1
        return size - 1
    return size


@kernel
def break_out(
    facts: Facts, state: State, lessons: Lessons, steps: int, looks: int, rng: np.random.Generator
) -> bool:
    """Search for some steps, or until so many exchanges were looked at; whether all limits hold.

    Each step makes the best exchange of some overfull node with any other: a task goes there, or
    changes places with one of its tasks, unless one of them has moved just before.
    """
    n, d = state.room.shape
    over, place = np.empty(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    size = 0
    for i in range(n):
        size = _note(state, i, over, place, size)
    end = lessons.clock[1] + looks
    for _ in range(steps):
        excess = 0.0
        for at in range(size):
            excess += excess_of(facts, state, over[at])
        if excess < lessons.best[0]:
            lessons.best[0] = excess
            lessons.best_node_of[:] = state.node_of
        if size == 0 or lessons.clock[1] > end:
            break
        lessons.clock[0] += 1
        i = over[int(rng.random() * size)]
        change, t, s, j = _best_exchange(facts, state, lessons, i, rng)
        if change >= -_SLACK:
            for at in range(size):
                for k in range(d):
                    if state.room[over[at], k] < 0:
                        lessons.weight[over[at], k] += facts.weight[k]
            if rng.random() < _FORGET:
                for k in range(d):
                    lessons.weight[:, k] = 0.5 * (lessons.weight[:, k] + facts.weight[k])
        if t < 0:
            continue
        move(facts, state, t, j)
        lessons.free_at[t] = lessons.clock[0] + _SHORTEST + int(rng.random() * _SPREAD)
        if s >= 0:
            move(facts, state, s, i)
            lessons.free_at[s] = lessons.clock[0] + _SHORTEST + int(rng.random() * _SPREAD)
        size = _note(state, i, over, place, size)
        size = _note(state, j, over, place, size)
    return size == 0
