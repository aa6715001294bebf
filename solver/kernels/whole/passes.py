"""Passes over tasks and nodes: deal, put each task or part anew, exchange two parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ..build.jit import kernel, lean
from .facts import (
    CLASS,
    COMPUTE,
    DEMAND,
    FIRST_ROW,
    HOSTS,
    KIN,
    KNOWN,
    MODE,
    MOVE_COST,
    OPEN,
    ROWS_END,
    TASK,
    USE,
    Facts,
)
from .insertion import SAMPLE, best_node, insert_part, insert_task, may_enter, stamp_task
from .ops import (
    COST,
    JOURNAL,
    LOOSE,
    MOVES_MADE,
    PENALTY,
    STAMP,
    TAKEN,
    THOROUGH,
    TRIED,
    VIOLATION,
    State,
    at_home,
    begin,
    choose,
    moves_to,
    node_cost,
    put,
    take_task_off,
    undo,
)

__all__ = ["Deck", "deal", "exchange", "improve", "settle"]

_TRIES = 8
_NO_LIMIT = 1 << 62


class Deck(NamedTuple):
    """Where tasks in given forms are to go.

    Attributes
    ----------
    wanted : (W,) int64
        The node of each row, or -1.
    quota : (P, G) or (0, 0) int64
        What the others, and those whose node cannot take them, go by; without it they stay out.
        Parts of each mode that the nodes of a class should hold; used up as they are placed.
    start, nodes : int64
        The nodes, class by class.
    opened : (G,) int64
        How many of the nodes of each class are used as long as they can take what comes.
    """

    wanted: Array
    quota: Array
    start: Array
    nodes: Array
    opened: Array


@lean
def settle(facts: Facts, state: State, violation: int, penalty: int, cost: int) -> bool:
    """Keep what was done since the journal began if it is no worse, else take it back."""
    totals = state.totals
    better = totals[VIOLATION] < violation
    if totals[VIOLATION] == violation:
        better = totals[PENALTY] < penalty
        if totals[PENALTY] == penalty:
            better = totals[COST] <= cost
    if better:
        totals[JOURNAL] = 0
        totals[MOVES_MADE] += 1
    else:
        undo(facts, state, 0)
    return bool(better)


@lean
def _may_host(facts: Facts, r: int, i: int) -> bool:
    """Whether node i is a host of row r, and open to it."""
    h = facts.mode[facts.row[r, MODE], HOSTS]
    if not facts.allowed[h, facts.node[i, CLASS]]:
        return False
    return bool(facts.node[i, OPEN] > 0 or at_home(facts, r, i))


@lean
def _slack(facts: Facts, state: State, p: int, i: int) -> float:
    """What a part of mode p leaves of node i, as a share, of what it leaves least of."""
    compute = facts.node[i, COMPUTE]
    least = (compute - state.load[i] - facts.mode[p, DEMAND]) / max(1.0, compute)
    for d in range(facts.capacity.shape[1]):
        left = (state.room[i, d] - facts.needs[p, d]) / max(1.0, facts.capacity[i, d])
        least = min(least, left)
    return float(least)


@lean
def _dealt_in_class(
    facts: Facts, state: State, r: int, deck: Deck, g: int, rng: np.random.Generator
) -> int:
    """The open node of a class that row r leaves most of; another is opened where it needs one."""
    first, size = deck.start[g], deck.start[g + 1] - deck.start[g]
    p = facts.row[r, MODE]
    for turn in range(2):
        sampled = turn == 0 and deck.opened[g] > SAMPLE
        best, most, looks = -1, 0.0, SAMPLE if sampled else deck.opened[g]
        for look in range(looks):
            i = deck.nodes[first + (int(rng.random() * deck.opened[g]) if sampled else look)]
            if may_enter(facts, state, r, i):
                left = _slack(facts, state, p, i)
                if best < 0 or left > most:
                    best, most = i, left
        state.totals[TRIED] += looks
        if best >= 0:
            return int(best)
        if not sampled:
            break
    state.totals[LOOSE] = 0  # nothing will make up for what goes astray
    other = best_node(facts, state, r, True, rng)
    state.totals[LOOSE] = 1
    if other >= 0 and state.count[other] > 0:
        return other
    while deck.opened[g] < size:
        deck.opened[g] += 1
        i = deck.nodes[first + deck.opened[g] - 1]
        if may_enter(facts, state, r, i):
            return int(i)
    return other


@lean
def _dealt(facts: Facts, state: State, r: int, deck: Deck, rng: np.random.Generator) -> int:
    """The node that row r is to go to; -1 if it is none that can take it."""
    i = deck.wanted[r]
    if i >= 0 and _may_host(facts, r, i) and may_enter(facts, state, r, i):
        return int(i)
    if deck.quota.size == 0:
        return -1
    p, g, quota = facts.row[r, MODE], -1, deck.quota
    for each in range(quota.shape[1]):
        if quota[p, each] > 0 and (g < 0 or quota[p, each] > quota[p, g]):
            g = each
    i = -1
    if g >= 0 and facts.allowed[facts.mode[p, HOSTS], g]:
        i = _dealt_in_class(facts, state, r, deck, g, rng)
    return i if i >= 0 else best_node(facts, state, r, False, rng)


@kernel
def deal(
    facts: Facts, state: State, tasks: Array, forms: Array, deck: Deck, rng: np.random.Generator
) -> int:
    """Place tasks in given forms, on given nodes or by quotas, where that breaks nothing.

    Parameters
    ----------
    tasks, forms : int64
        Tasks, of which those that have a form are passed over, and a form for each.

    Returns
    -------
    int
        How many were placed; the others are left without a form.
    """
    placed, dealt = 0, deck.quota.size > 0
    state.totals[THOROUGH] = 1
    state.totals[LOOSE] = dealt  # what comes later may make up for it
    for at in range(tasks.size):
        t, f = tasks[at], forms[at]
        if state.form_of[t] >= 0:
            continue
        begin(state)
        violation = state.totals[VIOLATION]
        choose(facts, state, t, f)
        stamp_task(facts, state, -1, -1)
        done = True
        for r in range(facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]):
            i = _dealt(facts, state, r, deck, rng)
            if i < 0:
                done = False
                break
            if dealt:
                deck.quota[facts.row[r, MODE], facts.node[i, CLASS]] -= 1
            put(facts, state, r, i)
            state.stamp[i] = state.totals[STAMP]
        if done and (dealt or state.totals[VIOLATION] <= violation):
            placed += 1
        else:
            undo(facts, state, 0)
    begin(state)
    state.totals[LOOSE] = 0
    return placed


@lean
def _is_hopeless(facts: Facts, state: State, t: int) -> bool:
    """Whether a task like this one found no place, and nothing was taken off since."""
    if state.form_of[t] >= 0 or facts.task[t, KNOWN] > 0:
        return False
    return bool(state.failed[facts.task[t, KIN]] == state.totals[TAKEN] + 1)


@kernel
def improve(
    facts: Facts, state: State, items: Array, parts: bool, tight: bool, rng: np.random.Generator
) -> int:
    """Take each task, or each part, off and put it where it costs least; how many changes.

    Parameters
    ----------
    items : int64
        Tasks, which may come back in another form or, without one so far, for the first time; or,
        if `parts`, rows, of which those in use go to another node.
    tight : bool
        Whether ties go to the fullest node.
    """
    made, totals = 0, state.totals
    totals[THOROUGH] = 1
    for item in items:
        if parts and state.node_of[item] < 0:
            continue
        if not parts and _is_hopeless(facts, state, item):
            continue
        begin(state)
        violation, penalty, cost = totals[VIOLATION], totals[PENALTY], totals[COST]
        if parts:
            stamp_task(facts, state, state.form_of[facts.row[item, TASK]], -1)
            put(facts, state, item, -1)
            if not insert_part(facts, state, item, tight, rng):
                undo(facts, state, 0)
                continue
        else:
            take_task_off(facts, state, item)
            if not insert_task(facts, state, item, -1, -1, tight, rng):
                state.failed[facts.task[item, KIN]] = totals[TAKEN] + 1
        made += settle(facts, state, violation, penalty, cost)
    return made


@lean
def _swap_fits(facts: Facts, state: State, r: int, s: int, i: int, j: int) -> bool:
    """Whether the hard dimensions of two nodes allow row r of i and row s of j to change places."""
    p, q = facts.row[r, MODE], facts.row[s, MODE]
    for d in range(facts.capacity.shape[1]):
        more = facts.needs[p, d] - facts.needs[q, d]
        if more > state.room[j, d] or -more > state.room[i, d]:
            return False
    return _may_host(facts, r, j) and _may_host(facts, s, i)


@lean
def _swap_gain(facts: Facts, state: State, r: int, s: int, i: int, j: int) -> int:
    """What the cost falls by when row r of node i and row s of node j change places."""
    p, q = facts.row[r, MODE], facts.row[s, MODE]
    more = facts.mode[p, DEMAND] - facts.mode[q, DEMAND]
    gain = node_cost(facts, i, state.load[i], 1) - node_cost(facts, i, state.load[i] - more, 1)
    gain += node_cost(facts, j, state.load[j], 1) - node_cost(facts, j, state.load[j] + more, 1)
    if facts.mode[p, MOVE_COST] > 0:
        gain += facts.mode[p, MOVE_COST] * (moves_to(facts, r, i) - moves_to(facts, r, j))
    if facts.mode[q, MOVE_COST] > 0:
        gain += facts.mode[q, MOVE_COST] * (moves_to(facts, s, j) - moves_to(facts, s, i))
    return int(gain)


@lean
def _is_apart(facts: Facts, state: State, r: int, i: int) -> bool:
    """Whether no part of the task of row r is on node i."""
    f = state.form_of[facts.row[r, TASK]]
    for other in range(facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]):
        if state.node_of[other] == i:
            return False
    return True


@lean
def _exchange_with(facts: Facts, state: State, i: int, j: int) -> bool:
    """Make the best exchange of a part of node i for one of node j that lowers the cost."""
    totals, ceiling = state.totals, _NO_LIMIT
    for _ in range(_TRIES):
        best_r, best_s, best_gain = -1, -1, 0
        r = state.head[i]
        while r >= 0:
            s = state.head[j]
            while s >= 0:
                totals[TRIED] += 1
                if facts.row[r, MODE] != facts.row[s, MODE]:
                    gain = _swap_gain(facts, state, r, s, i, j)
                    if best_gain < gain < ceiling and _swap_fits(facts, state, r, s, i, j):
                        best_r, best_s, best_gain = r, s, gain
                s = state.following[s]
            r = state.following[r]
        if best_r < 0:
            return False
        if _is_apart(facts, state, best_r, j) and _is_apart(facts, state, best_s, i):
            begin(state)
            violation, penalty, cost = totals[VIOLATION], totals[PENALTY], totals[COST]
            put(facts, state, best_s, i)
            put(facts, state, best_r, j)
            if settle(facts, state, violation, penalty, cost):
                return True
        ceiling = best_gain  # what a rule forbade is passed over, and all that gain as much
    return False


@kernel
def exchange(
    facts: Facts, state: State, nodes: Array, partners: int, rng: np.random.Generator
) -> int:
    """Exchange parts of each of the nodes with random others; how many exchanges were made.

    Parameters
    ----------
    nodes : int64
        Nodes to work on; those that cost no more than being on are passed over.
    partners : int
        Tries in a row without success after which a node is left.
    """
    made, n = 0, state.load.size
    for i in nodes:
        failures = 0
        while failures < partners:
            if state.load[i] <= facts.node[i, COMPUTE] and facts.node[i, USE] == 0:
                break
            j = int(rng.random() * n)
            failures += 1
            if i != j and _exchange_with(facts, state, i, j):
                made += 1
                failures = 0
    return made
