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
from ...model.rules import Spread
from ...problem.problem import Problem
from ...settings import WHOLE_SEARCH
from ..base import Options
from ..placing.whole_construction import current_forms, task_sequence
from .patterns import pattern_start, suits_patterns

if TYPE_CHECKING:
    from ...bounds.modes.linear import RelaxationSolution
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
    if known and options.near_start:
        return first
    large = first.facts.row.shape[0] >= WHOLE_SEARCH.guided_rows
    solution = _relaxed(problem, options) if large and options.seconds_left() > 0 else None
    if solution is None:
        if not known:
            build_up(problem, first)
        return first
    best = first if known else None
    if suits_patterns(problem):
        best = _from_patterns(problem, options, search, best, solution.bound)
        if best is not None and best.key[0] == 0:
            return best
    return _best_deal(problem, options, search, best, solution)


def _from_patterns(
    problem: Problem,
    options: Options,
    search: Callable[[int], WholeSearch],
    best: WholeSearch | None,
    bound: int,
) -> WholeSearch | None:
    """The better one of what is known and a start from patterns."""
    if best is not None and best.key[1] <= _enough(problem, bound):
        return best
    node_of = pattern_start(problem, options, bound)
    if node_of is None:
        return best
    made = search(0)
    made.restart(node_of)
    build_up(problem, made)
    made.repair(WHOLE_SEARCH.repairs)
    return made if best is None or made.key < best.key else best


def _enough(problem: Problem, bound: int) -> int:
    """A cost on the search's grid near which patterns are not likely to help."""
    grid = problem.grid
    near = (1.0 + WHOLE_SEARCH.near) * (bound - grid.offset)
    return int(near) // grid.cost_unit


def _best_deal(
    problem: Problem,
    options: Options,
    search: Callable[[int], WholeSearch],
    known: WholeSearch | None,
    solution: RelaxationSolution,
) -> WholeSearch:
    """Deal what the relaxation says to fewer or more nodes of each class; the best that came out.

    Where a class needed more nodes than it was given, it gets some of these the next time; where
    it did not, fewer. Later one class at a time gets fewer than were enough before.
    """
    forms, quota = rounded(problem, solution.forms, solution.parts)
    best, opened = known, _needed_nodes(problem, quota)
    enough = problem.classes.node_count.astype(np.int64)
    used = np.flatnonzero(quota.any(axis=0))
    cheapest: WholeSearch | None = None
    deals = WHOLE_SEARCH.deals if used.size and (problem.table.idle_cost > 0).any() else 1
    end = options.seconds_left() * (1.0 - WHOLE_SEARCH.dealing_share)
    for left in range(deals, 0, -1):
        made = search(0)
        made.restart(np.full(made.facts.row.shape[0], -1))
        opened = np.clip(opened, 1, problem.classes.node_count)
        over = deal_out(problem, made, forms, quota.copy(), opened.copy()) - opened
        build_up(problem, made)
        if best is None or made.key < best.key:
            best = made
        if made.absent.size == 0 and (cheapest is None or made.key[1] < cheapest.key[1]):
            cheapest = made
        if options.seconds_left() <= end:
            break
        enough = np.where(over == 0, np.minimum(enough, opened), enough)
        fewer = opened - opened // WHOLE_SEARCH.dealing_steps - 1
        opened = np.where(over == 0, fewer, opened - (-over // 3))
        if deals - left >= WHOLE_SEARCH.first_deals:
            opened = enough - (np.arange(enough.size) == used[left % used.size])
        if left <= 1 + WHOLE_SEARCH.last_deals:
            opened = enough
    assert best is not None
    if cheapest is not None and cheapest.key[1] < best.key[1]:
        cheapest.repair(WHOLE_SEARCH.repairs)
        best = min((best, cheapest), key=lambda each: each.key)
    return best


def _relaxed(problem: Problem, options: Options) -> RelaxationSolution | None:
    """The linear relaxation, whose bound is told."""
    from ...bounds.modes.linear import relaxation_solution

    solution = relaxation_solution(problem, WHOLE_SEARCH.relaxation_share * options.seconds_left())
    if solution is not None:
        options.on_bound(solution.bound, Proof.LINEAR)
    return solution


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


def _needed_nodes(problem: Problem, quota: Array) -> Array:
    """(G,) how many nodes of each class its parts need by their sums, and a few more."""
    classes, (needs, have) = problem.classes, _measures(problem)
    total = quota.T.astype(float) @ needs
    needed = (total / np.maximum(1.0, have)).max(axis=1)
    opened = np.ceil((1.0 + WHOLE_SEARCH.spare_nodes) * needed).astype(np.int64)
    return np.where(problem.table.idle_cost > 0, opened, classes.node_count)


def _measures(problem: Problem) -> tuple[Array, Array]:
    """What modes need and nodes have: compute and all hard dimensions."""
    table = problem.table
    needs = np.column_stack((table.demand, table.needs)).astype(float)
    return needs, np.column_stack((table.node_compute, table.capacity)).astype(float)


def deal_out(
    problem: Problem, search: WholeSearch, forms: Array, quota: Array, opened: Array
) -> Array:
    """Deal tasks in given forms to some nodes of each class, and to more where they do not fit.

    Every node of a class gets as many parts of each mode as all of them can, what is left goes
    one by one, the largest first, to the node it leaves most of.

    Returns
    -------
    (G,) int64
        How many nodes of each class were opened.
    """
    from ...kernels.whole.passes import Deck

    classes, facts = problem.classes, search.facts
    tasks = np.flatnonzero(forms >= 0)
    needs, have = _measures(problem)
    size = (needs / np.maximum(1.0, have.mean(axis=0))).max(axis=1)
    first_mode = facts.row[facts.form[forms[tasks], FIRST_ROW], MODE]
    order = tasks[np.argsort(-size[first_mode], kind="stable")]
    nodes = np.argsort(classes.node_class, kind="stable").astype(np.int64)
    start = np.concatenate(([0], np.cumsum(classes.node_count))).astype(np.int64)
    wanted = _evenly(facts, forms, quota, nodes, start, opened)
    is_whole = np.minimum.reduceat(wanted, facts.form[:, FIRST_ROW]) >= 0
    order = order[np.argsort(~is_whole[forms[order]], kind="stable")]
    search.deal(order, forms[order], Deck(wanted, quota, start, nodes, opened))
    return opened


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
    _keep_spreads(problem, quota)
    return forms, quota


def _keep_spreads(problem: Problem, quota: Array) -> None:
    """Take parts from the fullest domain of a spread to the least full, where rounding broke it."""
    modes, fits, compute = problem.modes, problem.fits, problem.table.node_compute
    assert modes is not None
    for rule in modes.rules:
        if not isinstance(rule.rule, Spread) or rule.domain is None:
            continue
        domain, own = np.asarray(rule.domain), np.asarray(rule.modes)
        for _ in range(WHOLE_SEARCH.shifted):
            held = np.zeros(rule.num_domains, dtype=np.int64)
            np.add.at(held, domain[domain >= 0], quota[own][:, domain >= 0].sum(axis=0))
            counted = np.flatnonzero(rule.counted)
            if counted.size < max(2, rule.rule.min_domains):
                break
            most, least = int(np.argmax(held)), int(counted[np.argmin(held[counted])])
            if held[most] - held[least] <= rule.rule.max_skew:
                break
            moves = [
                (quota[p, there] == 0, p, here, there)
                for p in own.tolist()
                for here in np.flatnonzero((domain == most) & (quota[p] > 0)).tolist()
                for there in np.flatnonzero((domain == least) & fits[p]).tolist()
                if compute[here] == compute[there]
            ]
            if not moves:
                break
            _, p, here, there = min(moves)
            quota[p, here] -= 1
            quota[p, there] += 1


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
