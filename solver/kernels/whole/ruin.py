"""Ruin and recreate: take related tasks off, put them back one by one, keep what is no worse.

(Schrimpf et al. 2000, "Record breaking optimization results using the ruin and recreate
principle"; Christiaens and Vanden Berghe 2020, "Slack induction by string removals".) What is
taken off: all on some nodes; the tasks around one task; a group that a rule speaks of; tasks of
one class, for other forms. Emptying a node is the same with that node shut. A task that must run
and finds no place counts more every time, so that others give way to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import kernel, lean
from .facts import (
    DEMAND,
    FIRST_FORM,
    FIRST_ROW,
    FORMS_END,
    MODE,
    ROWS_END,
    SKIP_COST,
    TASK,
    Facts,
)
from .insertion import insert_task
from .ops import (
    ABSENT,
    BLINK,
    COST,
    PENALTY,
    THOROUGH,
    VIOLATION,
    State,
    begin,
    node_cost,
    take_task_off,
)
from .passes import settle

__all__ = ["MOST_ROWS", "MOST_TASKS", "Bench", "ruin"]

MOST_TASKS = 64
MOST_ROWS = 2048
_DRAWS = 4
_RETURNING = 8
_BLINK = 16
_ONE_FORM = 0.1


class Bench(NamedTuple):
    """What a ruin works with.

    Attributes
    ----------
    taken : (128,) int64
        Tasks in hand.
    key : (128,) float64
        The order in which they are put back.
    size : (2,) int64
        How many there are, and how many rows of theirs were on nodes.
    kin_start, kin : int64
        The tasks that belong together, list by list: of a class, of the groups of a rule.
    best : (W,) int64
        Nodes of the rows in the best allocation seen, where dearer ones may be gone through.
    record : (2,) int64
        Its violation and its cost.
    """

    taken: Array
    key: Array
    size: Array
    kin_start: Array
    kin: Array
    best: Array
    record: Array


@lean
def _take(facts: Facts, state: State, bench: Bench, t: int) -> bool:
    """Mark a task to be taken off; False if it is already or there are too many."""
    size, f = bench.size[0], state.form_of[t]
    for at in range(size):
        if bench.taken[at] == t:
            return False
    rows = facts.form[f, ROWS_END] - facts.form[f, FIRST_ROW] if f >= 0 else 0
    if size >= MOST_TASKS or (size > 0 and bench.size[1] + rows > MOST_ROWS):
        return False
    bench.taken[size] = t
    bench.size[0], bench.size[1] = size + 1, bench.size[1] + rows
    return True


@lean
def _take_from(
    facts: Facts, state: State, bench: Bench, i: int, most: int, share: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Mark tasks that have a part on node i: a share of them, up to a number."""
    r = state.head[i]
    while r >= 0 and most > 0:
        if share >= 1.0 or rng.random() < share:
            _take(facts, state, bench, facts.row[r, TASK])
            most -= 1
        r = state.following[r]


@lean
def _dear_node(facts: Facts, state: State, rng: np.random.Generator) -> int:
    """Of a few random nodes the one that costs most beyond being on."""
    best, most = -1, -1
    for _ in range(_DRAWS):
        i = int(rng.random() * state.load.size)
        cost = node_cost(facts, i, state.load[i], 0)
        if best < 0 or cost > most:
            best, most = i, cost
    return int(best)


@lean
def _node_of_some_part(facts: Facts, state: State, t: int, rng: np.random.Generator) -> int:
    f = state.form_of[t]
    if f < 0:
        return int(rng.random() * state.load.size)
    first = facts.form[f, FIRST_ROW]
    size = facts.form[f, ROWS_END] - first
    return int(state.node_of[first + int(rng.random() * size)])


@lean
def _take_kin(
    facts: Facts, state: State, bench: Bench, size: int, rng: np.random.Generator
) -> None:
    """Mark up to `size` tasks of one list of kin, all of it where it is no longer."""
    if bench.kin_start.size < 2:
        return
    k = int(rng.random() * (bench.kin_start.size - 1))
    first, there = bench.kin_start[k], bench.kin_start[k + 1] - bench.kin_start[k]
    for at in range(min(size, there)):
        pick = at if there <= size else int(rng.random() * there)
        _take(facts, state, bench, bench.kin[first + pick])


@lean
def _draw(facts: Facts, state: State, bench: Bench, effort: int, rng: np.random.Generator) -> None:
    """Mark what one ruin takes off."""
    how, n, tasks = rng.random(), state.load.size, state.form_of.size
    size = 1 + int(rng.random() * effort)
    if how < 0.35:
        for _ in range(min(size, 3)):
            i = _dear_node(facts, state, rng)
            _take_from(facts, state, bench, i, MOST_TASKS, 1.0, rng)
    elif how < 0.55:
        t = int(rng.random() * tasks)
        _take(facts, state, bench, t)
        for _ in range(size):
            _take(facts, state, bench, int(rng.random() * tasks))
    elif how < 0.75:
        _take_kin(facts, state, bench, 2 * size + 2, rng)
    else:
        t = int(rng.random() * tasks)
        i = _node_of_some_part(facts, state, t, rng)
        _take_from(facts, state, bench, i, 2 * size, 0.7, rng)
        _take_from(facts, state, bench, int(rng.random() * n), 2 * size, 0.7, rng)


@lean
def _put_back(
    facts: Facts, state: State, bench: Bench, shut: int, tight: bool, rng: np.random.Generator
) -> None:
    """Take off what is marked, put it back, and some of those that found no place before."""
    size, absent = bench.size[0], state.totals[ABSENT]
    for at in range(size):
        take_task_off(facts, state, bench.taken[at])
    for _ in range(min(_RETURNING, absent)):
        t = state.absent[int(rng.random() * absent)]
        fresh = True
        for at in range(size):
            fresh = fresh and bench.taken[at] != t
        if fresh:
            bench.taken[size] = t
            size += 1
    by_demand = rng.random() < 0.6
    for at in range(size):
        t = bench.taken[at]
        bench.key[at] = rng.random()
        if by_demand:
            row = facts.form[facts.task[t, FIRST_FORM], FIRST_ROW]
            p = facts.row[row, MODE]
            demand = float(facts.mode[p, DEMAND]) if p >= 0 else 0.0
            bench.key[at] = demand * (0.7 + 0.3 * bench.key[at])
        bench.key[at] += state.penalty[t]
    for at in range(1, size):
        t, key, to = bench.taken[at], bench.key[at], at
        while to > 0 and bench.key[to - 1] < key:
            bench.taken[to], bench.key[to] = bench.taken[to - 1], bench.key[to - 1]
            to -= 1
        bench.taken[to], bench.key[to] = t, key
    for turn in range(2):  # what one needs beside it may come later
        for at in range(size):
            t = bench.taken[at]
            if state.form_of[t] >= 0 or (turn == 1 and facts.task[t, SKIP_COST] >= 0):
                continue
            only = -1
            if rng.random() < _ONE_FORM:
                forms = facts.task[t, FORMS_END] - facts.task[t, FIRST_FORM]
                only = int(rng.random() * forms)
            insert_task(facts, state, t, only, shut, tight, rng)


@lean
def _punish(state: State) -> None:
    """Let every task that found no place count for more, some of them if they are many."""
    totals = state.totals
    for at in range(min(totals[ABSENT], MOST_TASKS)):
        state.penalty[state.absent[at]] += 1
        totals[PENALTY] += 1


@kernel
def ruin(
    facts: Facts,
    state: State,
    bench: Bench,
    rounds: int,
    nodes: Array,
    effort: int,
    slack: float,
    tight: float,
    rng: np.random.Generator,
) -> int:
    """Ruin and recreate a number of times; how often the result was kept.

    Parameters
    ----------
    nodes : int64
        Nodes that are to be emptied and shut, one in each round; or none, for other ruins.
    effort : int
        About how many tasks are taken off at once.
    slack : float
        By how much a result may cost more than the best seen and still be gone on from; above 0
        the best is kept on the bench.
    tight : float
        How often ties go to the fullest node.
    """
    totals, made = state.totals, 0
    totals[BLINK], totals[THOROUGH] = _BLINK if nodes.size == 0 else 0, 0
    bench.record[0], bench.record[1] = totals[VIOLATION], totals[COST]
    if slack > 0.0:
        for r in range(state.node_of.size):
            bench.best[r] = state.node_of[r]
    for at in range(rounds):
        begin(state)
        violation, penalty, cost = totals[VIOLATION], totals[PENALTY], totals[COST]
        bench.size[0], bench.size[1], shut = 0, 0, -1
        if nodes.size == 0:
            _draw(facts, state, bench, effort, rng)
        else:
            shut = nodes[at]
            if 0 < state.count[shut] <= MOST_TASKS:
                _take_from(facts, state, bench, shut, MOST_TASKS, 1.0, rng)
        _put_back(facts, state, bench, shut, rng.random() < tight, rng)
        allowed = cost
        if slack > 0.0 and violation == 0:
            left = slack * (1.0 - at / rounds)
            allowed = max(cost, bench.record[1] + int(left))
        made += settle(facts, state, violation, penalty, allowed)
        if totals[ABSENT] > 0:
            _punish(state)
        better = totals[VIOLATION] < bench.record[0]
        if totals[VIOLATION] == bench.record[0]:
            better = totals[COST] < bench.record[1]
        if slack > 0.0 and better:
            bench.record[0], bench.record[1] = totals[VIOLATION], totals[COST]
            for r in range(state.node_of.size):
                bench.best[r] = state.node_of[r]
    totals[BLINK] = 0
    return made
