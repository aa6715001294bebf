"""The assignment model solved by a mixed-integer programming solver through PuLP."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines.folders import scratch_folder
from ..engines.limits import MIP, hard_limit
from ..engines.process import EngineCrash, HardLimitReached, run_job
from ..errors import BackendUnavailableError
from ..model.exact import Array
from ..model.proofs import mip_proof
from ..model.result import Termination
from ..problem.grid import Width
from ..problem.problem import Problem
from ..programs.assignment import assignment_model
from ..programs.linear_model import INFINITE, LinearModel
from .base import Options, Outcome, keeps_rules, outcome_of
from .cp_sat import cp_sat

__all__ = ["is_trusted", "mip", "run_program", "safe_bound"]

_ABSOLUTE, _RELATIVE, _DUAL_TOLERANCE = 1e-3, 1e-12, 1e-7
_TRUSTED_SIZE, _TRUSTED_PRICE, _TRUSTED_COST = 2**16, 2**30, 2**40
_NO_GAP = "{} calls its answer optimal, but within a gap that cannot be set from here"
_TOO_WIDE = (
    "{} has finished, but the numbers are too wide to believe what it proves in floating point; "
    "methods 'auto' and 'cp-sat' compute in integers"
)
_UNCONFIRMED = (
    "{} finds no allocation, but a floating-point solver's word for it is no proof, and there was "
    "no time to confirm it; method 'auto' may tell"
)
_PRINTED = 1e-7  # relative error of an objective that went through a solution file


def mip(problem: Problem, options: Options) -> Outcome:
    """Solve the model over task classes and nodes with ``options.mip_solver``.

    Where the numbers are too wide for floating point they are rounded, and nothing that the
    solver proves about the rounded model is taken for a proof.

    Raises
    ------
    ModelTooLargeError
        If the model would have too many variables.
    BackendUnavailableError
        If the solver is not installed.
    """
    grid = problem.float_grid
    built = assignment_model(problem, grid, Width.FLOAT)
    proof = mip_proof(options.mip_solver)
    trusted = built.exact and is_trusted(built.model)

    def on_values(values: Array) -> None:
        node_index = built.decode(values)
        # The solver's tolerances may let through what breaks a limit.
        if node_index is not None and keeps_rules(problem, node_index, grid):
            options.on_incumbent(node_index)

    def objective_of(values: Array) -> int | None:
        node_index = built.decode(values)
        return None if node_index is None else built.objective_of(node_index)

    def on_bound(grid_bound: int) -> None:
        if trusted:
            options.on_bound(grid.bound_in_units(grid_bound), proof)

    answer = run_program(
        built.model,
        options,
        hint=built.hint(options.start),
        spread=built.spread,
        on_values=on_values,
        on_bound=on_bound,
        objective_of=objective_of,
    )
    if answer is None:
        return Outcome(Termination.TIME_LIMIT)
    if answer["status"] == "optimal" and not answer["gaps_set"]:
        return Outcome(Termination.FINISHED, message=_NO_GAP.format(options.mip_solver))
    if answer["status"] == "infeasible":
        return _confirmed(problem, options)
    outcome = outcome_of(problem, options, answer["status"])
    if not trusted and outcome.termination is Termination.PROVEN:
        return Outcome(Termination.FINISHED, message=_TOO_WIDE.format(options.mip_solver))
    return outcome


def _confirmed(problem: Problem, options: Options) -> Outcome:
    """What CP-SAT makes of the claim of a MIP solver that there is no allocation.

    The claim alone is no proof, however small the numbers: the presolve of HiGHS 1.15 calls a
    model infeasible that has seven tasks, three nodes and an allocation.
    """
    try:
        outcome = cp_sat(problem, options)
    except (BackendUnavailableError, EngineCrash):
        outcome = None
    if outcome is not None and outcome.termination is not Termination.TIME_LIMIT:
        return outcome  # infeasible indeed, or an allocation that refutes the claim
    return Outcome(Termination.FINISHED, message=_UNCONFIRMED.format(options.mip_solver))


def is_trusted(model: LinearModel) -> bool:
    """Whether the numbers of a model are small enough to believe a floating-point solver.

    Beyond these limits such solvers take a column for integer, or a row for kept, that is off by
    more than one unit. Of 38,000 random models, CBC gave a wrong bound where a coefficient was
    3.4e6 or more, HiGHS from 1.2e6 on; the limits stay well below.
    """
    limits = np.concatenate((model.row_lower, model.row_upper, model.upper))
    finite = np.abs(limits[np.abs(limits) < INFINITE])
    widest = max(int(np.abs(model.coefficient).max(initial=0)), int(finite.max(initial=0)))
    dearest = int(np.abs(model.objective).max(initial=0))
    return (
        widest < _TRUSTED_SIZE
        and dearest < _TRUSTED_PRICE
        and largest_objective(model) < _TRUSTED_COST
    )


def largest_objective(model: LinearModel) -> int:
    """The objective with every column at its upper limit."""
    return int((model.objective.astype(object) * model.upper.astype(object)).sum())


def run_program(
    model: LinearModel,
    options: Options,
    *,
    hint: Array | None,
    spread: int,
    on_values: Callable[[Array], None],
    on_bound: Callable[[int], None],
    objective_of: Callable[[Array], int | None],
) -> dict[str, Any] | None:
    """Solve an integer program by `options.mip_solver`, and believe no more than is safe.

    Parameters
    ----------
    model : LinearModel
    options : Options
    hint : (columns,) int64 or None
    spread : int
        Most that the variables can sum to in a solution; see `safe_bound`.
    on_values, on_bound : callables
        Told of every solution, as floats nearly integer, and of every safe bound.
    objective_of : callable
        The exact objective of such a solution, None if it is none.

    Returns
    -------
    dict or None
        The engine's answer; None if it had to be ended at the hard limit.

    Raises
    ------
    BackendUnavailableError
        If the solver is not installed.
    """

    def news(item: tuple[str, Any]) -> None:
        kind, content = item
        if kind == "solution":
            on_values(content)
        elif kind == "bound":
            on_bound(safe_bound(content, spread))
        else:
            take(content)

    def take(answer: dict[str, Any]) -> None:
        if answer["values"] is not None:
            on_values(answer["values"])
        if answer["status"] == "infeasible":
            return
        if answer["bound"] is not None:
            on_bound(safe_bound(answer["bound"], spread))
        if answer["status"] == "optimal" and answer["gaps_set"] and not options.rel_gap:
            attained = objective_of(answer["values"])
            if (
                attained is not None
                and abs(answer["objective"] - attained) <= _ABSOLUTE + _PRINTED * attained
            ):
                # Proved within an absolute gap below 1, and the objective is an integer.
                on_bound(safe_bound(float(attained), spread))

    left = options.seconds_left()
    payload = {
        "solver": options.mip_solver,
        "model": model,
        "hint": hint,
        "time_limit": left,
        "seed": options.seed,
        "num_workers": options.num_workers,
        "rel_gap": options.rel_gap,
    }
    try:
        with scratch_folder() as folder:
            answer: dict[str, Any] = run_job(
                MIP,
                "solve_model",
                {**payload, "folder": str(folder)},
                hard_limit=hard_limit(left),
                on_news=news,
                stoppable=True,
            )
    except HardLimitReached:
        return None
    except EngineCrash as error:
        if "is not installed" in str(error):
            choices = ", ".join(run_job(MIP, "available_solvers", None, hard_limit=30.0))
            raise BackendUnavailableError(
                f"mip_solver {options.mip_solver!r} is not installed; available: {choices}"
            ) from None
        raise
    take(answer)
    return answer


def safe_bound(bound: float, spread: int) -> int:
    """A MIP solver's float bound on an integer objective, as an integer.

    Parameters
    ----------
    bound : float
    spread : int
        Most that the variables can sum to in a solution. Reduced costs may be wrong by the
        dual tolerance of 1e-7 each, so the bound by 1e-7 times this (weak duality).

    Returns
    -------
    int
        The bound, lowered by that and by 1e-3 + 1e-12 of its size, rounded up: the objective
        is an integer.
    """
    return math.ceil(bound - _ABSOLUTE - _DUAL_TOLERANCE * spread - _RELATIVE * abs(bound))
