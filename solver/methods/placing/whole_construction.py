"""Placing the tasks of a whole model one by one: forms, parts, tasks left out, all rules kept."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ...errors import ModelTooLargeError
from ...kernels.whole.facts import (
    DEMAND,
    FIRST_FORM,
    FIRST_ROW,
    FORM_COST,
    HOSTS,
    IDLE,
    KNOWN,
    MODE,
    ROWS_END,
    SKIP_COST,
    USE,
    Facts,
)
from ...kernels.whole.setup import make_facts
from ...kernels.whole.sums import recomputed
from ...model.exact import Array
from ...model.result import Termination
from ...problem.problem import Problem
from ...settings import PLACING
from ..base import Options, Outcome
from .whole_placement import WholePlacement
from .whole_repair import place_stranded_tasks

__all__ = ["Chooser", "current_forms", "run_whole", "task_sequence"]

Chooser = Callable[[WholePlacement, int, Array], int]
"""Gets the placement, a row and the nodes that can take it (never empty); returns one of them."""


def run_whole(
    problem: Problem, options: Options, choose: Chooser, *, in_order: bool = False
) -> Outcome:
    """Place every task where and as it costs least, by a rule for the node; then repair.

    Tasks with a current place are put there first, where that breaks nothing.

    Parameters
    ----------
    choose : callable
    in_order : bool
        Whether the tasks come in their own order, not by falling demand.
    """
    try:
        facts = make_facts(problem)
    except ModelTooLargeError as error:
        return Outcome(Termination.FINISHED, message=str(error))
    placement = WholePlacement(facts)
    ranks = _ranks(problem, facts)
    order = np.arange(facts.task.shape[0]) if in_order else task_sequence(facts)
    _stay(problem, placement, order)
    waiting: list[int] = order[placement.form_of[order] < 0].tolist()
    stranded: list[int] = []
    while waiting:
        stranded = []
        for step, t in enumerate(waiting):
            if step % PLACING.clock_every == 0 and time.monotonic() > options.deadline:
                return Outcome(Termination.TIME_LIMIT, message="the time limit came before the end")
            if not insert(placement, t, choose, ranks) and facts.task[t, SKIP_COST] < 0:
                stranded.append(t)
        if len(stranded) == len(waiting):
            break
        waiting = stranded  # what one needs beside it may have come later
    stranded = [t for t in stranded if placement.form_of[t] < 0]
    if stranded:
        stranded = place_stranded_tasks(placement, stranded, options, ranks, insert)
    return _finish(problem, placement, stranded, options)


def _finish(
    problem: Problem, placement: WholePlacement, stranded: list[int], options: Options
) -> Outcome:
    late = time.monotonic() > options.deadline
    ended = Termination.TIME_LIMIT if late else Termination.FINISHED
    if not stranded:
        if recomputed(placement.facts, placement.node_of)[1] == 0:
            options.on_incumbent(placement.node_of)
            return Outcome(Termination.FINISHED)
        return Outcome(ended, message="the tasks could be placed, but not within all rules")
    ids = problem.instance.task_ids
    shown = ", ".join(repr(str(ids[t])) for t in stranded[:5])
    more = f" and {len(stranded) - 5:,} more" if len(stranded) > 5 else ""
    return Outcome(
        ended,
        unplaced=tuple(stranded),
        message=f"{len(stranded):,} tasks could not be placed: {shown}{more}",
    )


def task_sequence(facts: Facts) -> Array:
    """The tasks by falling demand of their least form, those that few nodes can host first."""
    demand = np.append(facts.mode[:, DEMAND], 0)
    row = facts.row[:, MODE]
    total = np.add.reduceat(demand[row], facts.form[:, FIRST_ROW]).astype(float)
    total[facts.form[:, FORM_COST] < 0] = np.inf
    least = np.minimum.reduceat(total, facts.task[:, FIRST_FORM])
    first = facts.form[:, FIRST_ROW]
    hosts_of = np.append(np.diff(facts.host_start)[facts.mode[:, HOSTS]], 0)  # the last for none
    many = np.where(facts.form[:, FORM_COST] >= 0, hosts_of[row[first]], 0)
    most = np.maximum.reduceat(many, facts.task[:, FIRST_FORM])
    few = most <= PLACING.few_hosts
    order: Array = np.lexsort((-np.where(np.isfinite(least), least, 0), ~few))
    return order


def current_forms(facts: Facts) -> tuple[Array, Array]:
    """The forms whose parts are all somewhere now, and their tasks."""
    size = facts.form[:, ROWS_END] - facts.form[:, FIRST_ROW]
    first = facts.form[:, FIRST_ROW]
    homes = facts.row[facts.form[:, ROWS_END] - 1, 3] - facts.row[first, 2]
    complete = np.flatnonzero((homes == size) & (facts.form[:, FORM_COST] >= 0))
    owner = np.searchsorted(facts.task[:, FIRST_FORM], complete, side="right") - 1
    known = facts.task[owner, KNOWN] > 0
    return complete[known], owner[known]


def _stay(problem: Problem, placement: WholePlacement, order: Array) -> None:
    """Put tasks where they are now, as far as nothing is broken by it."""
    current = problem.instance.current
    if current is None:
        return
    forms, owners = current_forms(placement.facts)
    form_of = dict(zip(owners.tolist(), forms.tolist(), strict=True))
    waiting = [t for t in order.tolist() if t in form_of]
    placed = True
    while placed:
        placed, stranded = False, []
        for t in waiting:
            if form_of[t] in placement.forms(t) and _put(placement, t, form_of[t], current):
                placed = True
            else:
                stranded.append(t)
        waiting = stranded


def _put(placement: WholePlacement, t: int, f: int, wanted: Array) -> bool:
    placement.choose(t, f)
    for r in placement.rows(f):
        if wanted[r] not in placement.fitting(r):
            placement.eject(t)
            return False
        placement.place(r, int(wanted[r]))
    return True


def _ranks(problem: Problem, facts: Facts) -> Array | None:
    """(Q,) what each form costs at least, about, where there is no time to try them all."""
    if facts.form.shape[0] * facts.node.shape[0] <= PLACING.large:
        return None
    node = facts.node.astype(float)
    unit = (node[:, USE] + node[:, IDLE] / np.maximum(1, node[:, 0])).min()
    demand = np.append(facts.mode[:, DEMAND], 0)[facts.row[:, MODE]]
    total = np.add.reduceat(demand, facts.form[:, FIRST_ROW])
    ranks: Array = facts.form[:, FORM_COST] + unit * total + 1e-6 * total
    return ranks


def insert(placement: WholePlacement, t: int, choose: Chooser, ranks: Array | None) -> bool:
    """Place a task in the form that costs least, of many the first in rank that fits.

    Returns
    -------
    bool
        Whether it is placed; it is left out where that is cheaper.
    """
    facts = placement.facts
    skip = facts.task[t, SKIP_COST]
    forms = placement.forms(t)
    if ranks is not None:
        forms.sort(key=lambda f: float(ranks[f]))
    best: tuple[int, int, list[int]] | None = None
    for f in forms:
        tried = _try(placement, t, f, choose)
        if tried is not None and (best is None or tried[0] < best[0]):
            best = tried[0], f, tried[1]
            if ranks is not None:
                break
    if best is None or (skip >= 0 and best[0] >= skip):
        return False
    placement.choose(t, best[1])
    for r, i in zip(placement.rows(best[1]), best[2], strict=True):
        placement.place(r, i)
    return True


def _try(
    placement: WholePlacement, t: int, f: int, choose: Chooser
) -> tuple[int, list[int]] | None:
    """What a form costs and the nodes of its parts; None if one fits nowhere."""
    cost, nodes = int(placement.facts.form[f, FORM_COST]), []
    placement.choose(t, f)
    for r in placement.rows(f):
        fitting = placement.fitting(r)
        if not fitting.size:
            break
        i = choose(placement, r, fitting)
        cost += int(placement.marginal_cost(r, np.array([i]))[0])
        placement.place(r, i)
        nodes.append(i)
    complete = len(nodes) == len(placement.rows(f))
    placement.eject(t)
    return (cost, nodes) if complete else None
