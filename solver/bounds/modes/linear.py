"""The linear relaxation over modes: its bound, and its solution for whoever rounds it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engines.limits import GLOP
from ...engines.process import EngineCrash, HardLimitReached, run_job
from ...model.exact import Array
from ...problem.attainable import round_up_to_attainable
from ...problem.problem import Problem
from ...programs.exact_program import ratios
from ...programs.linear_model import LinearModel
from ...programs.modes_relaxation import ModesRelaxation
from .lagrangian import exact_multipliers, program_bound, with_best_prices
from .refinement import refined

__all__ = ["RelaxationSolution", "modes_linear_bound", "relaxation_solution"]

_PROGRAM_CELLS, _MAX_CELLS = 60_000, 400_000
_LEAST_SECONDS = 0.05


@dataclass(frozen=True)
class RelaxationSolution:
    """A solution of the linear relaxation over modes, and the bound that its prices prove.

    Attributes
    ----------
    forms : (F,) floats
        Tasks in each form.
    parts : (P, G) floats
        Parts of each mode on each class of nodes.
    bound : int
        In exact cost units, evaluated in integers; the floats prove nothing.
    """

    forms: Array
    parts: Array
    bound: int


def relaxation_solution(problem: Problem, time_limit: float = 60.0) -> RelaxationSolution | None:
    """Solve the linear relaxation of a problem with modes.

    Where nodes that differ only in what is at home there make too many classes, those are taken
    together (see `places_of`), and their parts are spread evenly.

    Returns
    -------
    RelaxationSolution or None
        None if the program is too large, or GLOP finds no solution in the time.
    """
    solved = _solved(problem, time_limit)
    if solved is None:
        return None
    relaxation, bound, values = solved
    if values is None or bound is None:
        return None
    return RelaxationSolution(
        forms=relaxation.forms(values), parts=relaxation.parts(values), bound=bound
    )


def modes_linear_bound(problem: Problem, time_limit: float = 60.0) -> int | None:
    """The bound of the linear relaxation over modes, in exact cost units; None if there is none."""
    solved = _solved(problem, time_limit)
    return None if solved is None else solved[1]


def relaxation_bound(relaxation: ModesRelaxation, multipliers: Array, shift: int) -> int:
    """The better bound of the multipliers as they are and with the best prices of the classes."""
    program = relaxation.program
    as_they_are = program_bound(program, multipliers, shift)
    best = with_best_prices(relaxation, multipliers, shift)
    return max(as_they_are, program_bound(program, best, shift))


def _solved(
    problem: Problem, time_limit: float
) -> tuple[ModesRelaxation, int | None, Array | None] | None:
    """The program, its bound, and a solution in floats, as far as GLOP finds them in the time."""
    relaxation = _relaxation(problem)
    if relaxation is None or time_limit <= 0:
        return None
    program = relaxation.program
    model, cost_unit, row_unit = program.scaled()
    deadline = time.monotonic() + time_limit

    def solve(model: LinearModel) -> dict[str, Any]:
        seconds = max(_LEAST_SECONDS, deadline - time.monotonic())
        answer: dict[str, Any] = run_job(
            GLOP,
            "solve_relaxation",
            {"model": model, "time_limit": seconds},
            hard_limit=seconds + 1.0,
        )
        return answer

    bound = None
    try:
        answer = solve(model)
        duals, values = answer["duals"], answer["values"]
        if duals is not None:
            y, shift = exact_multipliers(program, duals, cost_unit, row_unit)
            bound = relaxation_bound(relaxation, y, shift)
            if values is not None:
                better = refined(program, model, row_unit, y, shift, values, solve)
                bound = max(bound, relaxation_bound(relaxation, better, shift))
    except (HardLimitReached, EngineCrash):
        if bound is None:
            return None
    if bound is not None:
        bound = round_up_to_attainable(problem, bound)
    if values is not None:
        values = values * ratios(program.unit, np.ones_like(program.unit))
    return relaxation, bound, values


def _relaxation(problem: Problem) -> ModesRelaxation | None:
    """The program over classes of nodes, or over unions of them; None if it is too large."""
    if problem.fits.size <= _PROGRAM_CELLS:
        return ModesRelaxation(problem)
    if problem.fits.size > 50 * _MAX_CELLS:
        return None
    relaxation = ModesRelaxation(problem, merged=True)
    return relaxation if relaxation.mode.size <= _MAX_CELLS else None
