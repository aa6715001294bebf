"""States of the search on a whole model, made with NumPy from the nodes of the rows."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ..build.jit import kernel
from .facts import (
    BASE,
    DEMAND,
    DOMAINS,
    ENTRIES,
    ENTRIES_END,
    FIRST_ROW,
    KIN,
    MODE,
    ROWS_END,
    SKIP_COST,
    TASK,
    Facts,
)
from .ops import State
from .ruin import MOST_ROWS, MOST_TASKS, Bench
from .sums import form_of_rows, recomputed, rule_tallies
from .tally import slot

__all__ = ["make_bench", "make_state"]

_MOST_CELLS = 2**24


def make_state(facts: Facts, node_of: Array) -> State:
    """The state of an allocation: (W,) nodes of the rows, -1 where they are not in use."""
    n, W, T = facts.node.shape[0], facts.row.shape[0], facts.task.shape[0]
    node_of = node_of.astype(np.int64)
    used = np.flatnonzero(node_of >= 0)
    where, mode = node_of[used], facts.row[used, MODE]
    load, count, room = np.zeros(n, dtype=np.int64), np.bincount(where, minlength=n), None
    np.add.at(load, where, facts.mode[mode, DEMAND])
    room = facts.capacity.copy()
    np.subtract.at(room, where, facts.needs[mode])
    form_of = form_of_rows(facts, node_of)
    cells, counts, rules = rule_tallies(facts, node_of)
    keys, values = _tables(facts, cells, counts)
    sums = recomputed(facts, node_of)
    absent = np.flatnonzero((form_of < 0) & (facts.task[:, SKIP_COST] < 0))
    totals = np.zeros(15, dtype=np.int64)
    totals[:5] = [*sums, absent.size]
    following, before, head = _lists(where, used, W, n)
    longest = int((facts.form[:, ROWS_END] - facts.form[:, FIRST_ROW]).max(initial=1))
    journal = 4 * (MOST_ROWS + longest + MOST_TASKS) + 16 * longest + 64
    absent_list, absent_at = np.zeros(T, dtype=np.int64), np.full(T, -1, dtype=np.int64)
    absent_list[: absent.size], absent_at[absent] = absent, np.arange(absent.size)
    return State(
        node_of=node_of,
        form_of=form_of,
        load=load,
        count=count.astype(np.int64),
        room=np.require(room, dtype=np.int64, requirements=["C", "W", "A"]),
        following=following,
        before=before,
        head=head,
        keys=keys,
        values=values,
        rules=rules,
        totals=totals,
        journal=np.zeros((journal, 3), dtype=np.int64),
        absent=absent_list,
        absent_at=absent_at,
        penalty=np.zeros(T, dtype=np.int64),
        stamp=np.zeros(n, dtype=np.int64),
        chosen=np.zeros(longest, dtype=np.int64),
        focus=np.zeros(256, dtype=np.int64),
        failed=np.zeros(1 + int(facts.task[:, KIN].max(initial=0)), dtype=np.int64),
    )


def _lists(where: Array, used: Array, W: int, n: int) -> tuple[Array, Array, Array]:
    """The rows on each node, ascending, as linked lists."""
    following, before = np.full(W, -1, dtype=np.int64), np.full(W, -1, dtype=np.int64)
    head = np.full(n, -1, dtype=np.int64)
    order = used[np.argsort(where, kind="stable")]
    at = np.sort(where)
    same = at[1:] == at[:-1]
    following[order[:-1][same]] = order[1:][same]
    before[order[1:][same]] = order[:-1][same]
    first = np.append(True, ~same)[: order.size]
    head[at[first]] = order[first]
    return following, before, head


def _tables(facts: Facts, cells: Array, counts: Array) -> tuple[Array, Array]:
    """The tallies: all cells, or a table of those that hold something."""
    total = 0
    if facts.rule.shape[0]:
        q = facts.rule.shape[0] - 1
        total = int(facts.rule[q, BASE] + 2 * facts.rule[q, DOMAINS])
    if total <= _MOST_CELLS:
        values = np.zeros(total, dtype=np.int64)
        values[cells] = counts
        return np.zeros(0, dtype=np.int64), values
    entries = facts.mode[:, ENTRIES_END] - facts.mode[:, ENTRIES]
    per_row = np.append(entries, 0)[facts.row[:, MODE]]
    sums = np.concatenate(([0], np.cumsum(per_row)))
    per_form = sums[facts.form[:, ROWS_END]] - sums[facts.form[:, FIRST_ROW]]
    most = np.zeros(facts.task.shape[0], dtype=np.int64)
    np.maximum.at(most, facts.row[facts.form[:, FIRST_ROW], TASK], per_form)
    size = 1 << int(2 * most.sum() + 64).bit_length()
    keys, values = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
    fill_table(keys, values, cells.astype(np.int64), counts.astype(np.int64))
    return keys, values


@kernel
def fill_table(keys: Array, values: Array, cells: Array, counts: Array) -> None:
    """Put cells that are not there into a table."""
    for at in range(cells.size):
        to = slot(keys, cells[at])
        keys[to], values[to] = cells[at], counts[at]


def make_bench(facts: Facts, kin: list[Array]) -> Bench:
    """What ruins work with; `kin` are lists of tasks that belong together."""
    lengths = [0, *(len(each) for each in kin)]
    return Bench(
        taken=np.zeros(2 * MOST_TASKS, dtype=np.int64),
        key=np.zeros(2 * MOST_TASKS),
        size=np.zeros(2, dtype=np.int64),
        kin_start=np.cumsum(lengths).astype(np.int64),
        kin=np.concatenate([*kin, np.zeros(0)]).astype(np.int64),
        best=np.full(facts.row.shape[0], -1, dtype=np.int64),
        record=np.zeros(2, dtype=np.int64),
    )
