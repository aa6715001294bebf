"""The first tie-break: among allocations of equal cost, fewer parts that move."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...engines.limits import CP_SAT, hard_limit
from ...engines.process import EngineCrash, HardLimitReached, run_job
from ...errors import BackendUnavailableError
from ...judge.moves import count_moves
from ...model.allocation import Allocation
from ...model.exact import Array
from ...model.instance import Instance
from ...problem.dealing import deal_again
from ...problem.problem import Problem
from ...programs.assignment import AssignmentModel, assignment_model, count_cells
from ...programs.linear_model import INFINITE, LinearModel
from ...settings import PLACING
from ..base import Options, keeps_rules

__all__ = ["fewest_moves"]


def fewest_moves(problem: Problem, options: Options, node_index: Array) -> Array:
    """Lower the number of moves by the exact model, at no more than the present cost.

    Interchangeable tasks change places first.

    Parameters
    ----------
    problem : Problem
    options : Options
        The deadline, the seed and the workers count.
    node_index : (W,) int64
        A feasible allocation.

    Returns
    -------
    (W,) int64
        An allocation of at most the same cost and moves; the given one where there is no current
        allocation, or the model is too large to be built for this.
    """
    instance = problem.instance
    if problem.modes is None or instance.current is None:
        return node_index
    dealt = deal_again(problem, node_index)
    if _count(instance, dealt) < _count(instance, node_index):
        node_index = dealt
    if count_cells(problem) > PLACING.moves_cells or not options.seconds_left():
        return node_index
    built = assignment_model(problem, problem.grid)
    values = built.hint(node_index)
    if values is None:
        return node_index
    moves = _moves(built)
    present = int(moves @ values)
    if not present:
        return node_index
    seconds = options.seconds_left()
    payload = {
        "model": _at_no_more_cost(built.model, moves, values),
        "hint": values,
        "objective_lower": 0,
        "objective_upper": present,
        "time_limit": seconds,
        "seed": options.seed,
        "num_workers": options.num_workers,
        "rel_gap": 0.0,
        "deterministic_limit": None,
    }
    try:
        answer = run_job(CP_SAT, "solve_model", payload, hard_limit=hard_limit(seconds))
    except (BackendUnavailableError, EngineCrash, HardLimitReached):
        return node_index
    if answer["values"] is None or int(moves @ answer["values"]) >= present:
        return node_index
    found = built.decode(answer["values"])
    return found if found is not None and keeps_rules(problem, found) else node_index


def _count(instance: Instance, node_index: Array) -> int:
    return count_moves(Allocation(instance, node_index))


def _moves(built: AssignmentModel) -> Array:
    """(columns,) what each column counts in moves."""
    assert built.forms is not None
    moves = np.zeros(built.model.num_columns, dtype=np.int64)
    moves[built.forms.form] = built.forms.form_moves
    moves[built.forms.moved] = 1
    return moves


def _at_no_more_cost(model: LinearModel, objective: Array, values: Array) -> LinearModel:
    """The model with another objective, and its own as a row of at most the present value."""
    priced = np.flatnonzero(model.objective)
    divisor = math.gcd(*model.objective[priced].tolist()) or 1
    most = int((model.objective.astype(object) * values.astype(object)).sum()) // divisor
    return replace(
        model,
        objective=objective,
        row_start=np.append(model.row_start, model.row_start[-1] + priced.size),
        column=np.concatenate((model.column, priced)),
        coefficient=np.concatenate((model.coefficient, model.objective[priced] // divisor)),
        row_lower=np.append(model.row_lower, -INFINITE),
        row_upper=np.append(model.row_upper, most),
    )
