"""A state of the search on a whole model, and the steps that all its moves are made of.

There are three: put a part on a node, take it off, and choose the form of a task. Each keeps the
cost and the weighted violation of the limits up to date and writes itself into a journal, so that
any move can be taken back. Eligibility, states of nodes and the parts of a task being apart are
never violated: nobody tries to.
"""

from __future__ import annotations

from typing import NamedTuple

from ...model.exact import Array
from ..build.jit import lean
from .facts import (
    COMPUTE,
    DEMAND,
    FIRST_ROW,
    FORM_COST,
    FORM_LOSS,
    HOMES,
    HOMES_END,
    IDLE,
    KNOWN,
    MODE,
    MOST_EXCESS,
    MOVE_COST,
    PRICE,
    ROWS_END,
    SKIP_COST,
    STRANDED_WEIGHT,
    TASK,
    UNIT,
    USE,
    Facts,
)
from .tally import count_part

__all__ = [
    "ABSENT",
    "BLINK",
    "COST",
    "FOCUS",
    "JOURNAL",
    "LOOSE",
    "LOSS",
    "MOVES",
    "MOVES_MADE",
    "PENALTY",
    "STAMP",
    "TAKEN",
    "THOROUGH",
    "TRIED",
    "VIOLATION",
    "State",
    "at_home",
    "begin",
    "choose",
    "entry_cost",
    "moves_to",
    "node_cost",
    "put",
    "room_for",
    "take_task_off",
    "undo",
]

# Columns of `State.totals`.
COST, VIOLATION, LOSS, MOVES, ABSENT, JOURNAL, PENALTY, STAMP, TRIED, MOVES_MADE = range(10)
BLINK, FOCUS, TAKEN, THOROUGH, LOOSE = range(10, 15)


class State(NamedTuple):
    """An allocation, perhaps partial; all int64.

    Attributes
    ----------
    node_of : (W,)
        Node of each row, -1 where it is not in use.
    form_of : (T,)
        Chosen form of each task, -1 for none.
    load, count : (n,)
    room : (n, d)
        What is left of each hard dimension, negative where exceeded.
    following, before : (W,), head : (n,)
        The rows on each node as a doubly linked list, -1 at its ends.
    keys, values : tallies, see `tally`; `keys` is empty where all cells are held.
    rules : (R, 3)
        Of a spread its least number of parts and how many domains have it; of an affinity within
        a group, the domains that hold parts.
    totals : (15,)
        Cost, weighted violation, loss, moves, number of tasks that must run and do not, length
        of the journal, sum of their penalties, last stamp, parts tried, moves made; of how many in
        1024 nodes it is not seen that a part could go there; the number of nodes in focus; how
        often a part was taken off; whether all nodes are looked at where no sampled one will do;
        and whether parts may break spreads for the time being.
    journal : (J, 3)
        What was done, latest last: row or task; where it was; 0 for a part, 1 for a form.
    absent, absent_at : (T,)
        The tasks that must run and do not, and where each stands among them.
    penalty : (T,)
        How often a task was left so.
    stamp : (n,)
        Nodes that hold the last stamp hold a part of the task in hand.
    chosen : (most rows of a form,)
        The best nodes found for the parts of a task.
    focus : (256,)
        The nodes that parts were taken off since the move began.
    failed : (K,)
        After how many parts taken off, and one more, a task of the class found no place.
    """

    node_of: Array
    form_of: Array
    load: Array
    count: Array  # type: ignore[assignment]
    room: Array
    following: Array
    before: Array
    head: Array
    keys: Array
    values: Array
    rules: Array
    totals: Array
    journal: Array
    absent: Array
    absent_at: Array
    penalty: Array
    stamp: Array
    chosen: Array
    focus: Array
    failed: Array


@lean
def node_cost(facts: Facts, i: int, load: int, count: int) -> int:
    """Cost of node i on the grid under a load of `count` parts."""
    cost = facts.node[i, PRICE] * max(0, load - facts.node[i, COMPUTE])
    cost += facts.node[i, USE] * load
    if count > 0:
        cost += facts.node[i, IDLE]
    return int(cost)


@lean
def over(weight: float, excess: int) -> int:
    """What an excess of a limit counts: 0 only if there is none."""
    if excess <= 0:
        return 0
    return 1 + int(min(MOST_EXCESS, excess * weight))


@lean
def node_excess(facts: Facts, state: State, i: int) -> int:
    """What the hard dimensions of node i are exceeded by."""
    excess = 0
    for d in range(facts.capacity.shape[1]):
        excess += over(facts.weight[d], -state.room[i, d])
    return excess


@lean
def at_home(facts: Facts, r: int, i: int) -> bool:
    """Whether row r, on node i, is where a part of its task was before."""
    for at in range(facts.row[r, HOMES], facts.row[r, HOMES_END]):
        if facts.home_nodes[at] == i:
            return True
    return False


@lean
def room_for(facts: Facts, state: State, p: int, i: int) -> bool:
    """Whether a part of mode p is within what is left of the hard dimensions of node i."""
    for d in range(facts.capacity.shape[1]):  # noqa: SIM110
        if facts.needs[p, d] > state.room[i, d]:
            return False
    return True


@lean
def moves_to(facts: Facts, r: int, i: int) -> int:
    """1 if row r on node i is a move, else 0."""
    if facts.task[facts.row[r, TASK], KNOWN] == 0 or at_home(facts, r, i):
        return 0
    return 1


@lean
def entry_cost(facts: Facts, state: State, r: int, i: int) -> int:
    """What the cost grows by when row r goes to node i."""
    p = facts.row[r, MODE]
    load, count = state.load[i], state.count[i]
    cost = node_cost(facts, i, load + facts.mode[p, DEMAND], count + 1)
    cost -= node_cost(facts, i, load, count)
    if facts.mode[p, MOVE_COST] > 0:
        cost += facts.mode[p, MOVE_COST] * moves_to(facts, r, i)
    return int(cost)


@lean
def _count(facts: Facts, state: State, r: int, i: int, sign: int) -> None:
    """Count row r on node i, or one less, in everything that is summed up."""
    p, totals = facts.row[r, MODE], state.totals
    totals[COST] -= node_cost(facts, i, state.load[i], state.count[i])
    totals[VIOLATION] -= node_excess(facts, state, i)
    state.load[i] += sign * facts.mode[p, DEMAND]
    state.count[i] += sign
    for d in range(facts.capacity.shape[1]):
        state.room[i, d] -= sign * facts.needs[p, d]
    totals[COST] += node_cost(facts, i, state.load[i], state.count[i])
    totals[VIOLATION] += node_excess(facts, state, i)
    totals[VIOLATION] += UNIT * count_part(facts, state.keys, state.values, state.rules, p, i, sign)
    if moves_to(facts, r, i):
        totals[COST] += sign * facts.mode[p, MOVE_COST]
        _shift(totals, MOVES, sign, facts.most[1], facts.weight[facts.weight.size - 1])


@lean
def _shift(totals: Array, which: int, by: int, most: int, weight: float) -> None:
    """Change the loss or the number of moves, and what either is above its limit."""
    if most >= 0:
        totals[VIOLATION] -= over(weight, totals[which] - most)
    totals[which] += by
    if most >= 0:
        totals[VIOLATION] += over(weight, totals[which] - most)


@lean
def begin(state: State) -> None:
    """Let a move begin: what was done before is not taken back any more."""
    state.totals[JOURNAL] = 0
    state.totals[FOCUS] = 0


@lean
def _note(state: State, what: int, where: int, kind: int) -> None:
    at = state.totals[JOURNAL]
    state.journal[at, 0], state.journal[at, 1], state.journal[at, 2] = what, where, kind
    state.totals[JOURNAL] = at + 1


@lean
def put(facts: Facts, state: State, r: int, i: int) -> None:
    """Put row r on node i, from where it is; -1 stands for nowhere."""
    totals, at = state.totals, state.node_of[r]
    if at >= 0:
        totals[TAKEN] += 1
        if totals[FOCUS] < state.focus.size:
            state.focus[totals[FOCUS]] = at
            totals[FOCUS] += 1
    _note(state, r, at, 0)
    _move(facts, state, r, i)


@lean
def _move(facts: Facts, state: State, r: int, i: int) -> None:
    """Hang row r into the list of node i, out of that of its own, and count it there."""
    at, sign = state.node_of[r], -1
    while True:
        if at >= 0 and sign < 0:
            previous, following = state.before[r], state.following[r]
            if previous >= 0:
                state.following[previous] = following
            else:
                state.head[at] = following
            if following >= 0:
                state.before[following] = previous
        elif at >= 0:
            first = state.head[at]
            state.following[r], state.before[r], state.head[at] = first, -1, r
            if first >= 0:
                state.before[first] = r
        if at >= 0:
            _count(facts, state, r, at, sign)
        if sign > 0:
            break
        at, sign = i, 1
    state.node_of[r] = i


@lean
def choose(facts: Facts, state: State, t: int, f: int) -> None:
    """Choose a form for a task none of whose parts is on a node; -1 for none."""
    _note(state, t, state.form_of[t], 1)
    _set(facts, state, t, f)


@lean
def _set(facts: Facts, state: State, t: int, f: int) -> None:
    totals, old, skip = state.totals, state.form_of[t], facts.task[t, SKIP_COST]
    weight = facts.weight[facts.weight.size - 2]
    if old >= 0:
        totals[COST] -= facts.form[old, FORM_COST]
        _shift(totals, LOSS, -facts.form[old, FORM_LOSS], facts.most[0], weight)
    elif skip >= 0:
        totals[COST] -= skip
    else:
        _strand(state, t, -1)
    state.form_of[t] = f
    if f >= 0:
        totals[COST] += facts.form[f, FORM_COST]
        _shift(totals, LOSS, facts.form[f, FORM_LOSS], facts.most[0], weight)
    elif skip >= 0:
        totals[COST] += skip
    else:
        _strand(state, t, 1)


@lean
def _strand(state: State, t: int, sign: int) -> None:
    totals = state.totals
    totals[VIOLATION] += sign * STRANDED_WEIGHT
    totals[PENALTY] += sign * state.penalty[t]
    totals[ABSENT] += sign
    size = totals[ABSENT]
    if sign > 0:
        state.absent[size - 1], state.absent_at[t] = t, size - 1
    else:
        last, at = state.absent[size], state.absent_at[t]
        state.absent[at], state.absent_at[last] = last, at
        state.absent_at[t] = -1


@lean
def take_task_off(facts: Facts, state: State, t: int) -> None:
    """Take all parts of a task off their nodes, and its form from it."""
    f = state.form_of[t]
    if f < 0:
        return
    for r in range(facts.form[f, FIRST_ROW], facts.form[f, ROWS_END]):
        put(facts, state, r, -1)
    choose(facts, state, t, -1)


@lean
def undo(facts: Facts, state: State, length: int) -> None:
    """Take back what was done, the latest first, until the journal is of a length."""
    while state.totals[JOURNAL] > length:
        at = state.totals[JOURNAL] - 1
        state.totals[JOURNAL] = at
        what, where = state.journal[at, 0], state.journal[at, 1]
        if state.journal[at, 2] == 1:
            _set(facts, state, what, where)
        else:
            _move(facts, state, what, where)
