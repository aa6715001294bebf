"""Putting a task where, and in the form in which, it costs least."""

from __future__ import annotations

import numpy as np

from ..build.jit import lean
from .facts import (
    CLASS,
    COMPUTE,
    FIRST_FORM,
    FIRST_ROW,
    FORM_COST,
    FORM_LOSS,
    FORMS_END,
    HOMES,
    HOMES_END,
    HOSTS,
    MODE,
    OPEN,
    ROWS_END,
    SKIP_COST,
    STRANDED_WEIGHT,
    Facts,
)
from .ops import (
    BLINK,
    COST,
    FOCUS,
    JOURNAL,
    LOOSE,
    LOSS,
    MOVES,
    STAMP,
    THOROUGH,
    TRIED,
    VIOLATION,
    State,
    at_home,
    choose,
    entry_cost,
    moves_to,
    put,
    room_for,
    undo,
)
from .tally import breaks

__all__ = ["SAMPLE", "best_node", "insert_part", "insert_task", "may_enter", "stamp_task"]

_NO_COST = 1 << 62
SAMPLE = 48
"""Random nodes that a part may go to, where no more than these can take it."""


@lean
def may_enter(facts: Facts, state: State, r: int, i: int) -> bool:
    """Whether row r may go to node i, a host of its mode, without breaking anything."""
    if state.stamp[i] == state.totals[STAMP]:
        return False
    p = facts.row[r, MODE]
    if not room_for(facts, state, p, i):
        return False
    if facts.node[i, OPEN] == 0 and not at_home(facts, r, i):
        return False
    most = facts.most[1]
    if most >= 0 and state.totals[MOVES] >= most and moves_to(facts, r, i):
        return False
    loose = state.totals[LOOSE]
    return not breaks(facts, state.keys, state.values, state.rules, p, i, loose)


@lean
def stamp_task(facts: Facts, state: State, f: int, shut: int) -> None:
    """Stamp the nodes that hold parts of a form, and one that is shut (-1: none)."""
    state.totals[STAMP] += 1
    stamp = state.totals[STAMP]
    if shut >= 0:
        state.stamp[shut] = stamp
    if f >= 0:
        for r in range(facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]):
            if state.node_of[r] >= 0:
                state.stamp[state.node_of[r]] = stamp


@lean
def best_node(facts: Facts, state: State, r: int, tight: bool, rng: np.random.Generator) -> int:
    """The node that row r costs least on, of all, or of homes, of those in focus and of a sample.

    Ties go to the node with the most free compute, or the least if `tight`. -1 stands for none.
    """
    p = facts.row[r, MODE]
    h = facts.mode[p, HOSTS]
    first = facts.host_start[h]
    size = facts.host_start[h + 1] - first
    best, best_cost, best_free = -1, 0, 0
    blink = state.totals[BLINK] / 1024.0
    homes = facts.row[r, HOMES_END] - facts.row[r, HOMES]
    known = homes + state.totals[FOCUS] if size > 2 * SAMPLE else 0
    sample = SAMPLE if size > 2 * SAMPLE else size
    for turn in range(2):
        looks = known + sample if turn == 0 else size
        for look in range(looks):
            if turn == 0 and look < known:
                if look < homes:
                    i = facts.home_nodes[facts.row[r, HOMES] + look]
                else:
                    i = state.focus[look - homes]
                if not facts.allowed[h, facts.node[i, CLASS]]:
                    continue
            elif turn == 0 and sample < size:
                i = facts.hosts[first + int(rng.random() * size)]
            else:
                i = facts.hosts[first + look]
            if blink > 0.0 and rng.random() < blink:
                continue
            if not may_enter(facts, state, r, i):
                continue
            cost = entry_cost(facts, state, r, i)
            free = facts.node[i, COMPUTE] - state.load[i]
            if tight:
                free = -free
            if best < 0 or cost < best_cost or (cost == best_cost and free > best_free):
                best, best_cost, best_free = i, cost, free
        state.totals[TRIED] += looks
        if best >= 0 or sample == size or state.totals[THOROUGH] == 0:
            break
    return int(best)


@lean
def insert_part(facts: Facts, state: State, r: int, tight: bool, rng: np.random.Generator) -> bool:
    """Put a row on its best node; False if there is none."""
    i = best_node(facts, state, r, tight, rng)
    if i < 0:
        return False
    put(facts, state, r, i)
    state.stamp[i] = state.totals[STAMP]
    return True


@lean
def _insert_form(
    facts: Facts, state: State, t: int, f: int, shut: int, tight: bool, rng: np.random.Generator
) -> bool:
    choose(facts, state, t, f)
    stamp_task(facts, state, -1, shut)
    for r in range(facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]):
        if not insert_part(facts, state, r, tight, rng):
            return False
    return True


@lean
def insert_task(
    facts: Facts,
    state: State,
    t: int,
    only: int,
    shut: int,
    tight: bool,
    rng: np.random.Generator,
) -> bool:
    """Choose form and nodes for a task that has none, or leave it out where that is cheaper.

    Parameters
    ----------
    only : int
        The one form of the task that is looked at, counted from 0, or -1 for all.
    shut : int
        A node that takes no part, or -1.

    Returns
    -------
    bool
        Whether the task is placed.
    """
    totals, start, best = state.totals, state.totals[JOURNAL], -1
    if start + state.chosen.size + 8 > state.journal.shape[0]:
        return False
    least, cost, budget = totals[VIOLATION], totals[COST], facts.most[0]
    if facts.task[t, SKIP_COST] < 0:
        least, cost = least - STRANDED_WEIGHT, _NO_COST
    for f in range(facts.task[t, FIRST_FORM], facts.task[t, FORMS_END]):
        first, behind = facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]
        if facts.form[f, FORM_COST] < 0 or 0 <= only != f - facts.task[t, FIRST_FORM]:
            continue
        if budget >= 0 and totals[LOSS] + facts.form[f, FORM_LOSS] > budget:
            continue
        if _insert_form(facts, state, t, f, shut, tight, rng):
            reached, paid = totals[VIOLATION], totals[COST]
            if reached < least or (reached == least and paid < cost):
                least, cost, best = reached, paid, f
                for r in range(first, behind):
                    state.chosen[r - first] = state.node_of[r]
        undo(facts, state, start)
    if best < 0:
        return False
    choose(facts, state, t, best)
    first = facts.form[best, FIRST_ROW]
    for r in range(first, facts.form[best, ROWS_END]):
        put(facts, state, r, state.chosen[r - first])
    return True
