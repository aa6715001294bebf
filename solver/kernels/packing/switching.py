"""Which nodes are on and what runs where: simulated annealing over both.

Moves of a task, exchanges of two and of all that two nodes hold (Kirkpatrick, Gelatt and Vecchi
1983). What exceeds a hard limit has a price, one for each dimension, which rises while the limit
is exceeded somewhere and falls while it is not. Of what a node costs for being on, a share counts
that grows with how full it is, so that a node is emptied, or filled, step by step; the share of
little full nodes rises until all of it counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import kernel, lean
from ..fits import may_run
from ..settings import LOOPS
from ..state import Facts

__all__ = ["Course", "Stage", "anneal", "make_course"]

_EXCHANGES, _MOVES = LOOPS.annealed_exchanges, LOOPS.annealed_moves
_NEAR, _REACH = LOOPS.annealed_near, LOOPS.annealed_reach
_SLACK = 1e-9  # of the cost, which is summed in floating point


class Course(NamedTuple):
    """Where an annealing is, and the best allocation it has seen.

    Attributes
    ----------
    place : (m,) int64
        Node of each task.
    load, held : (n,) int64
        Demand of the tasks of each node, and how many they are.
    room : (n, d) int64
        What is left of the hard dimensions, below 0 where they are exceeded.
    first : (n,), after, before : (m,) int64
        The tasks of each node as a list that is linked both ways, -1 at its ends.
    share : (n, 1 + d) float64
        What part of a node a unit of demand and of each hard dimension fills.
    over : (d,) int64
        Sum of what is exceeded.
    weight : (d,) float64
        Price of a unit of it.
    cost : (2,) float64
        The present cost, and that of the best allocation; infinite if there is none.
    best : (m,) int64
        The best allocation that keeps all limits.
    """

    place: Array
    load: Array
    held: Array
    room: Array
    first: Array
    after: Array
    before: Array
    share: Array
    over: Array
    weight: Array
    cost: Array
    best: Array


class Stage(NamedTuple):
    """A part of the schedule.

    Attributes
    ----------
    tries : int
    hot, cold : float
        First and last temperature, in units of the cost.
    steep, steeper : float
        A node as full as 1 over this, or more, costs all of its idle cost: first and last.
    control : float
        By what share the weights change at a time, 0 for not at all.
    """

    tries: int
    hot: float
    cold: float
    steep: float
    steeper: float
    control: float


def make_course(facts: Facts, node_of: Array, weight: Array) -> Course:
    """An annealing that begins at an allocation."""
    (n, d), m = facts.capacity.shape, node_of.size
    load, room = np.zeros(n, dtype=np.int64), facts.capacity.copy()
    np.add.at(load, node_of, facts.demand)
    np.subtract.at(room, node_of, facts.needs)
    held = np.bincount(node_of, minlength=n)
    first, after, before = (np.full(size, -1, dtype=np.int64) for size in (n, m, m))
    order = np.argsort(node_of, kind="stable")
    joined = node_of[order[1:]] == node_of[order[:-1]]
    after[order[:-1][joined]] = order[1:][joined]
    before[order[1:][joined]] = order[:-1][joined]
    first[node_of[order][::-1]] = order[::-1]
    sizes = np.column_stack((facts.node_compute, facts.capacity)).astype(float)
    over = np.maximum(0, -room).sum(axis=0)
    above = np.maximum(0, load - facts.node_compute).astype(float)
    cost = float((facts.price * above + facts.use * load.astype(float)).sum())
    cost += float(facts.idle[held > 0].sum(dtype=float))
    return Course(
        place=node_of.astype(np.int64),
        load=load,
        held=held.astype(np.int64),
        room=room,
        first=first,
        after=after,
        before=before,
        share=1.0 / np.maximum(1.0, sizes),
        over=over.astype(np.int64).reshape(d),
        weight=weight.astype(float),
        cost=np.array([cost, np.inf if over.any() else cost]),
        best=node_of.astype(np.int64),
    )


@lean
def _work(facts: Facts, i: int, load: int) -> float:
    """What a load of node i costs beside the node's being on."""
    above = max(0, load - facts.node_compute[i])
    cost: float = float(facts.use[i]) * load + float(facts.price[i]) * above
    return cost


@lean
def _being_on(
    facts: Facts, course: Course, i: int, held: int, load: int, more: Array, sign: int, steep: float
) -> float:
    """The part of the idle cost that counts with so many tasks and so much more of each need."""
    if held == 0 or facts.idle[i] == 0:
        return 0.0
    full = load * course.share[i, 0]
    for d in range(more.size):
        used = facts.capacity[i, d] - course.room[i, d] + sign * more[d]
        full = max(full, used * course.share[i, 1 + d])
    cost: float = float(facts.idle[i]) * min(1.0, steep * full)
    return cost


@lean
def _over(room: int, more: int) -> int:
    """By how much what is over capacity grows when so much more is taken."""
    return max(0, more - room) - max(0, -room)


@lean
def _unlink(course: Course, t: int, i: int) -> None:
    after, before = course.after[t], course.before[t]
    if before >= 0:
        course.after[before] = after
    else:
        course.first[i] = after
    if after >= 0:
        course.before[after] = before


@lean
def _link(course: Course, t: int, i: int) -> None:
    head = course.first[i]
    course.after[t], course.before[t] = head, -1
    if head >= 0:
        course.before[head] = t
    course.first[i] = t
    course.place[t] = i


@lean
def _all_may_run(facts: Facts, course: Course, i: int, j: int) -> bool:
    """Whether all tasks of node i may run on node j."""
    t = course.first[i]
    while t >= 0:
        if not may_run(facts, t, j):
            return False
        t = course.after[t]
    return True


@lean
def _rename(course: Course, i: int, j: int) -> None:
    """Say of all tasks in the list of node i that they are on node j."""
    t = course.first[i]
    while t >= 0:
        course.place[t] = j
        t = course.after[t]


@lean
def _go(facts: Facts, course: Course, a: int, b: int, i: int, j: int) -> None:
    """Have task a go from node i to j, and b, if any, to i; without any, all of either node."""
    if a >= 0:
        _unlink(course, a, i)
        if b >= 0:
            _unlink(course, b, j)
            _link(course, b, i)
        _link(course, a, j)
        return
    _rename(course, i, j)
    _rename(course, j, i)
    head = course.first[i]
    course.first[i] = course.first[j]
    course.first[j] = head


@lean
def _draw(facts: Facts, course: Course, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Tasks a and b, or -1 for none, and nodes i and j, as `_go` takes them; i is j for nothing."""
    m, n = facts.demand.size, facts.idle.size
    draw = rng.random()
    if draw >= _EXCHANGES + _MOVES:
        i, j = int(rng.random() * n), int(rng.random() * n)
        if facts.everywhere:
            return -1, -1, i, j
        both = _all_may_run(facts, course, i, j) and _all_may_run(facts, course, j, i)
        return -1, -1, i, j if both else i
    a, b = int(rng.random() * m), -1
    i = course.place[a]
    if draw < _EXCHANGES:
        if rng.random() < _NEAR:
            b = (a + 1 + int(rng.random() * _REACH)) % m
        else:
            b = int(rng.random() * m)
        j = course.place[b]
    else:
        j = int(rng.random() * n)
    fine = may_run(facts, a, j) and (b < 0 or may_run(facts, b, i))
    return a, b, i, j if fine else i


@lean
def _difference(
    facts: Facts, course: Course, a: int, b: int, i: int, j: int, more: Array
) -> tuple[int, int]:
    """What node j gets more of than i: in demand and in tasks, and `more` of each need."""
    if a < 0:
        for d in range(more.size):
            used = facts.capacity[i, d] - course.room[i, d]
            more[d] = used - (facts.capacity[j, d] - course.room[j, d])
        return course.load[i] - course.load[j], course.held[i] - course.held[j]
    for d in range(more.size):
        more[d] = facts.needs[a, d] - (facts.needs[b, d] if b >= 0 else 0)
    if b >= 0:
        return facts.demand[a] - facts.demand[b], 0
    return facts.demand[a], 1


@kernel
def anneal(facts: Facts, course: Course, stage: Stage, rng: np.random.Generator) -> None:
    """A part of an annealing.

    Parameters
    ----------
    facts : Facts
    course : Course
        Changed.
    stage : Stage
    rng : numpy.random.Generator
    """
    m, dims = facts.needs.shape
    more = np.zeros(dims, dtype=np.int64)
    heat, steep = stage.hot, stage.steep
    cool = (stage.cold / stage.hot) ** (1.0 / max(1, stage.tries))
    rise = (stage.steeper / stage.steep) ** (1.0 / max(1, stage.tries))
    for turn in range(stage.tries):
        heat, steep = heat * cool, steep * rise
        if stage.control > 0.0 and turn % (2 * m) == 0:
            for d in range(dims):
                factor = 1.0 + stage.control
                course.weight[d] *= factor if course.over[d] > 0 else 1.0 / factor
        a, b, i, j = _draw(facts, course, rng)
        if i == j:
            continue
        load, tasks = _difference(facts, course, a, b, i, j, more)
        held_i, held_j = course.held[i] - tasks, course.held[j] + tasks
        load_i, load_j = course.load[i] - load, course.load[j] + load
        true = _work(facts, i, load_i) - _work(facts, i, course.load[i])
        true += _work(facts, j, load_j) - _work(facts, j, course.load[j])
        change = true
        for d in range(dims):
            grows = _over(course.room[i, d], -more[d]) + _over(course.room[j, d], more[d])
            change += course.weight[d] * grows
        change += _being_on(facts, course, i, held_i, load_i, more, -1, steep)
        change += _being_on(facts, course, j, held_j, load_j, more, 1, steep)
        change -= _being_on(facts, course, i, course.held[i], course.load[i], more, 0, steep)
        change -= _being_on(facts, course, j, course.held[j], course.load[j], more, 0, steep)
        if change > 0.0 and rng.random() >= np.exp(-change / heat):
            continue
        true += float(facts.idle[i]) * ((held_i > 0) - (course.held[i] > 0))
        true += float(facts.idle[j]) * ((held_j > 0) - (course.held[j] > 0))
        exceeded = False
        for d in range(dims):
            course.over[d] += _over(course.room[i, d], -more[d])
            course.over[d] += _over(course.room[j, d], more[d])
            course.room[i, d] += more[d]
            course.room[j, d] -= more[d]
            exceeded = exceeded or course.over[d] > 0
        course.held[i], course.held[j] = held_i, held_j
        course.load[i], course.load[j] = load_i, load_j
        course.cost[0] += true
        _go(facts, course, a, b, i, j)
        if not exceeded and course.cost[0] < course.cost[1] * (1.0 - _SLACK):
            course.cost[1] = course.cost[0]
            for t in range(m):
                course.best[t] = course.place[t]
