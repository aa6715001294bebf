"""Where a search on a whole model begins: the present places, a rounded relaxation, or built.

The relaxation says how many tasks of a class take which form, and how many parts of each mode the
nodes of a class hold; rounded to whole numbers these are dealt to the nodes one by one, which at
many parts a node loses little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...kernels.whole.facts import FIRST_ROW, MODE, ROWS_END, Facts
from ...model.exact import Array
from ...model.proofs import Proof
from ...problem.problem import Problem
from ...settings import WHOLE_SEARCH
from ..base import Options
from ..placing.whole_construction import current_forms, task_sequence

if TYPE_CHECKING:
    from ...search.whole import WholeSearch

__all__ = ["build_up", "guided_start", "rounded"]


def guided_start(
    problem: Problem, options: Options, search: Callable[[int], WholeSearch], *, known: bool
) -> WholeSearch:
    """A search that stands at the best of the starts that are tried.

    Parameters
    ----------
    search : callable
        Makes a search for a worker, at the best allocation known or with nothing placed.
    known : bool
        Whether an allocation is known.
    """
    first = search(0)
    large = first.facts.row.shape[0] >= WHOLE_SEARCH.guided_rows
    solution = _relaxed(problem, options) if large and options.seconds_left() > 0 else None
    if not known and solution is None:
        build_up(problem, first)
    if solution is None:
        return first
    other = search(0)
    other.restart(np.full(first.facts.row.shape[0], -1))
    forms, quota = rounded(problem, *solution)
    _deal(problem, other, forms, quota)
    build_up(problem, other)
    return min((first, other), key=lambda each: each.key)


def _relaxed(problem: Problem, options: Options) -> tuple[Array, Array] | None:
    """Tasks in forms and parts on classes of nodes, of the linear relaxation; its bound is told."""
    from ...bounds.modes.linear import relaxation_solution

    solution = relaxation_solution(problem, WHOLE_SEARCH.relaxation_share * options.seconds_left())
    if solution is None:
        return None
    options.on_bound(solution.bound, Proof.LINEAR)
    return solution.forms, solution.parts


def build_up(problem: Problem, search: WholeSearch) -> None:
    """Keep in their places whom it costs nothing to keep, then place the others one by one."""
    facts, current = search.facts, problem.instance.current
    order = task_sequence(facts)
    if current is not None:
        forms, owners = current_forms(facts)
        rank = np.empty(order.size, dtype=np.int64)
        rank[order] = np.arange(order.size)
        at = np.argsort(rank[owners], kind="stable")
        search.follow(owners[at], forms[at], current.astype(np.int64))
    tight = bool(facts.node[:, 3].any())
    before = -1
    while search.absent.size and search.absent.size != before:
        before = search.absent.size
        search.build(order[search.state.form_of[order] < 0], tight)
    search.build(order[search.state.form_of[order] < 0], tight)


def _deal(problem: Problem, search: WholeSearch, forms: Array, quota: Array) -> None:
    """Deal tasks in given forms, the largest parts first, to as few nodes as their sums need."""
    from ...kernels.whole.passes import Deck

    classes, facts, table = problem.classes, search.facts, problem.table
    tasks = np.flatnonzero(forms >= 0)
    needs = np.column_stack((table.demand, table.needs)).astype(float)
    have = np.column_stack((table.node_compute, table.capacity)).astype(float)
    size = (needs / np.maximum(1.0, have.mean(axis=0))).max(axis=1)
    order = tasks[
        np.argsort(-size[facts.row[facts.form[forms[tasks], FIRST_ROW], MODE]], kind="stable")
    ]
    opened = classes.node_count.astype(np.int64)
    total = quota.T.astype(float) @ needs
    needed = np.ceil((total / np.maximum(1.0, have)).max(axis=1)).astype(np.int64)
    paid = table.idle_cost > 0
    opened[paid] = np.minimum(opened, np.maximum(1, needed))[paid]
    nodes = np.argsort(classes.node_class, kind="stable").astype(np.int64)
    start = np.concatenate(([0], np.cumsum(classes.node_count))).astype(np.int64)
    wanted = _evenly(facts, forms, quota, nodes, start, opened)
    is_whole = np.minimum.reduceat(wanted, facts.form[:, FIRST_ROW]) >= 0
    order = order[np.argsort(~is_whole[forms[order]], kind="stable")]
    search.deal(order, forms[order], Deck(wanted, quota, start, nodes, opened))


def _evenly(
    facts: Facts, forms: Array, quota: Array, nodes: Array, start: Array, opened: Array
) -> Array:
    """(W,) nodes of as many parts as every open node of a class can have alike, -1 for the rest."""
    wanted = np.full(facts.row.shape[0], -1, dtype=np.int64)
    chosen = np.sort(forms[forms >= 0])
    size = facts.form[chosen, ROWS_END] - facts.form[chosen, FIRST_ROW]
    rows = np.repeat(facts.form[chosen, FIRST_ROW] - (np.cumsum(size) - size), size)
    rows += np.arange(rows.size)
    modes = facts.row[rows, MODE]
    rows = rows[np.argsort(modes, kind="stable")]
    first = np.concatenate(([0], np.cumsum(np.bincount(modes, minlength=quota.shape[0]))))
    for p, g in zip(*np.nonzero(quota // np.maximum(1, opened)), strict=True):
        many = int(quota[p, g] // opened[g] * opened[g])
        at, behind = int(first[p]), min(int(first[p]) + many, int(first[p + 1]))
        wanted[rows[at:behind]] = nodes[start[g] + np.arange(behind - at) % opened[g]]
        first[p] = behind
    return wanted


def rounded(problem: Problem, tasks_in_form: Array, parts_on: Array) -> tuple[Array, Array]:
    """A form of each task, and parts of each mode for each class of nodes, from a relaxation.

    Parameters
    ----------
    tasks_in_form : (F,) float64
    parts_on : (P, G) float64

    Returns
    -------
    forms : (T,) int64
        Numbers of forms of the instance, -1 for tasks that are left out.
    quota : (P, G) int64
        Sums to the parts that these tasks have.
    """
    modes, rows = problem.modes, problem.instance.rows
    assert modes is not None
    loss = np.array(modes.form_loss, dtype=float) * (modes.budget is not None)
    whole = np.zeros(tasks_in_form.size, dtype=np.int64)
    forms = np.full(modes.task_class.size, -1, dtype=np.int64)
    order = np.argsort(modes.task_class, kind="stable")
    start = np.concatenate(([0], np.cumsum(modes.task_count)))
    form_start = np.searchsorted(modes.form_class, np.arange(modes.task_count.size + 1))
    above = 0.0
    for k in range(modes.task_count.size):
        own = slice(form_start[k], form_start[k + 1])
        share = np.maximum(0.0, tasks_in_form[own])
        total = int(modes.task_count[k])
        out = max(0.0, total - share.sum()) if modes.skip_cost[k] is not None else 0.0
        if share.size == 0:
            continue
        if modes.skip_cost[k] is None:
            whole[own], above = _whole_numbers(share, loss[own], total, above)
        else:
            shares, losses = np.append(share, out), np.append(loss[own], 0.0)
            made, above = _whole_numbers(shares, losses, total, above)
            whole[own] = made[:-1]
        placed = np.repeat(np.arange(own.start, own.stop), whole[own])
        tasks = order[start[k] : start[k] + placed.size]
        forms[tasks] = rows.task_form[tasks] + modes.form_variant[placed]
    quota = np.zeros(parts_on.shape, dtype=np.int64)
    for p in range(parts_on.shape[0]):
        total = int(modes.mode_parts[p] * whole[modes.mode_form[p]])
        share = np.maximum(0.0, parts_on[p])
        if total and share.sum() > 0:
            share = share * (total / share.sum())
            quota[p] = np.floor(share)
            left = total - int(quota[p].sum())
            quota[p][np.argsort(quota[p] - share, kind="stable")[:left]] += 1
    return forms, quota


def _whole_numbers(share: Array, loss: Array, total: int, above: float) -> tuple[Array, float]:
    """Whole numbers near some shares, that sum to a total and keep the sum of losses down.

    Parameters
    ----------
    above : float
        By how much the losses of the numbers chosen before are above those of the shares.

    Returns
    -------
    numbers : int64
    float
        The same with these numbers.
    """
    if share.sum() <= 0:
        share = np.full(share.size, 1.0)
    share = share * (total / share.sum())
    whole = np.floor(share + 1e-9)
    rest = share - whole
    above -= float((loss * rest).sum())
    for left in range(round(total - whole.sum()), 0, -1):
        room = -above - (left - 1) * loss.min()
        order = np.argsort(-rest, kind="stable")
        fitting = order[loss[order] <= room]
        v = int(fitting[0] if fitting.size else np.argmin(loss))
        whole[v] += 1
        rest[v] -= 1.0
        above += float(loss[v])
    return whole.astype(np.int64), above
