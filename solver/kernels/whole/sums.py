"""Cost and violation of an allocation from its rows alone: what the kernels must agree with."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from .facts import (
    AFFINITY,
    ANTI_AFFINITY,
    AT_LEAST,
    BASE,
    COUNTS,
    DEMAND,
    DOMAINS,
    ENTRIES,
    ENTRIES_END,
    FIRST_FORM,
    FORM_COST,
    FORM_LOSS,
    HOMES,
    HOMES_END,
    KIND,
    KNOWN,
    LEAST,
    LIMIT,
    MODE,
    MOST,
    MOST_EXCESS,
    MOVE_COST,
    OCCUPIED,
    SKIP_COST,
    SPREAD,
    STRANDED_WEIGHT,
    TASK,
    TOGETHER,
    UNIT,
    WHERE,
    Facts,
)

__all__ = ["form_of_rows", "recomputed", "rule_tallies"]


def form_of_rows(facts: Facts, node_of: Array) -> Array:
    """(T,) the form of each task that rows are in use of, -1 for none.

    Raises
    ------
    ValueError
        If of some task not exactly the rows of one form are in use.
    """
    form_of = np.full(facts.task.shape[0], -1, dtype=np.int64)
    first, behind = facts.form[:, 0], facts.form[:, 1]
    used = np.concatenate(([0], np.cumsum(node_of >= 0)))
    held = used[behind] - used[first]
    chosen = np.flatnonzero(held)
    owner = np.searchsorted(facts.task[:, FIRST_FORM], chosen, side="right") - 1
    if (held[chosen] < (behind - first)[chosen]).any() or np.unique(owner).size < owner.size:
        raise ValueError("a task has rows in use that are not exactly those of one form")
    form_of[owner] = chosen
    return form_of


def rule_tallies(facts: Facts, node_of: Array) -> tuple[Array, Array, Array]:
    """The cells that hold parts, ascending, how many each, and the (R, 3) states of the rules."""
    rules = np.zeros((facts.rule.shape[0], 3), dtype=np.int64)
    used = np.flatnonzero(node_of >= 0)
    mode = facts.row[used, MODE]
    first = facts.mode[mode, ENTRIES]
    many = facts.mode[mode, ENTRIES_END] - first
    at = np.repeat(first - (np.cumsum(many) - many), many) + np.arange(many.sum())
    q, role = facts.entries[at, 0], facts.entries[at, 1]
    i = np.repeat(node_of[used], many)
    where = facts.rule[q, WHERE]
    d = i.copy()
    if facts.domain.shape[0]:
        d = np.where(where < 0, i, facts.domain[np.maximum(where, 0), i])
    counted = d >= 0
    cell = facts.rule[q, BASE] + role * facts.rule[q, DOMAINS] + d
    cells, index, counts = np.unique(cell[counted], return_index=True, return_counts=True)
    rule_of = q[counted][index]
    held = np.bincount(rule_of, minlength=rules.shape[0])
    spread = (facts.rule[:, KIND] == SPREAD) & (facts.rule[:, COUNTS] > 0)
    least = np.full(rules.shape[0], np.iinfo(np.int64).max)
    np.minimum.at(least, rule_of, counts)
    least[~spread | (held < facts.rule[:, COUNTS])] = 0
    rules[:, LEAST] = least
    rules[:, AT_LEAST] = np.bincount(
        rule_of, weights=counts == least[rule_of], minlength=rules.shape[0]
    )
    empty = spread & (least == 0)
    rules[empty, AT_LEAST] = (facts.rule[:, COUNTS] - held)[empty]
    rules[~spread, AT_LEAST] = 0
    together = facts.rule[:, KIND] == TOGETHER
    rules[together, OCCUPIED] = held[together]
    return cells, counts, rules


def recomputed(facts: Facts, node_of: Array) -> tuple[int, int, int, int]:
    """Cost on the grid, weighted violation, loss and moves of an allocation."""
    n = facts.node.shape[0]
    form_of = form_of_rows(facts, node_of)
    used = np.flatnonzero(node_of >= 0)
    where, mode = node_of[used], facts.row[used, MODE]
    load = np.zeros(n, dtype=np.int64)
    np.add.at(load, where, facts.mode[mode, DEMAND])
    compute, price, use, idle = facts.node[:, :4].T
    cost = int((price * np.maximum(0, load - compute) + use * load).sum())
    cost += int(idle[np.bincount(where, minlength=n) > 0].sum())
    placed = form_of >= 0
    cost += int(facts.form[form_of[placed], FORM_COST].sum())
    skip = facts.task[~placed, SKIP_COST]
    cost += int(skip[skip > 0].sum())
    moved = _moved(facts, used, where)
    cost += int(facts.mode[mode[moved], MOVE_COST].sum())
    loss, moves = int(facts.form[form_of[placed], FORM_LOSS].sum()), int(moved.sum())
    room = facts.capacity.copy()
    np.subtract.at(room, where, facts.needs[mode])
    violation = int(_over(facts.weight[: room.shape[1]], -room).sum())
    violation += STRANDED_WEIGHT * int((skip < 0).sum())
    for total, most, weight in zip((loss, moves), facts.most, facts.weight[-2:], strict=True):
        if most >= 0:
            violation += int(_over(weight, np.array([total - most])).sum())
    return cost, violation + UNIT * broken(facts, node_of), loss, moves


def _over(weight: Array, excess: Array) -> Array:
    counted = 1 + np.clip(excess * weight, 0.0, MOST_EXCESS).astype(np.int64)
    return np.where(excess > 0, counted, 0)


def _moved(facts: Facts, used: Array, where: Array) -> Array:
    """Which of the rows in use are not where a part of their task was before."""
    known = facts.task[facts.row[used, TASK], KNOWN] > 0
    first, behind = facts.row[used, HOMES], facts.row[used, HOMES_END]
    home: Array = np.zeros(used.size, dtype=bool)
    for back in range(int((behind - first)[known].max(initial=0))):
        there = known & (first + back < behind)
        home[there] |= facts.home_nodes[(first + back)[there]] == where[there]
    moved: Array = known & ~home
    return moved


def broken(facts: Facts, node_of: Array) -> int:
    """By how many parts all rules together are broken."""
    cells, counts, rules = rule_tallies(facts, node_of)
    if not cells.size:
        return 0
    q = np.searchsorted(facts.rule[:, BASE], cells, side="right") - 1
    kind, most = facts.rule[q, KIND], facts.rule[q, MOST]
    total = int(np.maximum(0, counts - most)[kind == LIMIT].sum())
    total += int(np.maximum(0, counts - rules[q, LEAST] - most)[kind == SPREAD].sum())
    total += int(np.maximum(0, rules[:, OCCUPIED] - 1).sum())
    for each in (AFFINITY, ANTI_AFFINITY):
        mine = (kind == each) & (cells - facts.rule[q, BASE] < facts.rule[q, DOMAINS])
        other = cells[mine] + facts.rule[q[mine], DOMAINS]
        at = np.minimum(np.searchsorted(cells, other), cells.size - 1)
        there = np.where(cells[at] == other, counts[at], 0)
        pairs = np.where(there == 0, counts[mine], 0)
        if each == ANTI_AFFINITY:
            pairs = np.minimum(there, counts[mine])
        total += int(pairs.sum())
    return total
