"""Prices of a program in exact integers, by GLOP."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from ...engines.limits import GLOP
from ...engines.process import EngineCrash, HardLimitReached, run_job
from ...model.exact import Array
from ...programs.exact_program import ExactProgram, ratios
from ...programs.linear_model import LinearModel
from .lagrangian import exact_multipliers
from .refinement import refined

__all__ = ["Priced", "priced"]

_LEAST_SECONDS = 0.05


class Priced(NamedTuple):
    """What GLOP says of a program.

    Attributes
    ----------
    status : str
        As `solve_relaxation` has it.
    multipliers : list of (rows,) objects
        Integers times 2**-shift: those of GLOP, and better ones; empty if there are none.
    shift : int
    values : (columns,) floats or None
    """

    status: str
    multipliers: list[Array]
    shift: int
    values: Array | None


def priced(program: ExactProgram, time_limit: float) -> Priced:
    """Solve a program in floats, for multipliers that are good and a solution that is near."""
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

    try:
        answer = solve(model)
    except (HardLimitReached, EngineCrash):
        return Priced("failed", [], 0, None)
    status, duals, values = answer["status"], answer["duals"], answer["values"]
    multipliers, shift = [], 0
    if duals is not None:
        first, shift = exact_multipliers(program, duals, cost_unit, row_unit)
        multipliers.append(first)
        if values is not None:
            try:
                better = refined(program, model, row_unit, first, shift, values, solve)
                multipliers.append(better)
            except (HardLimitReached, EngineCrash):
                pass
    if values is not None:
        values = values * ratios(program.unit, program.unit * 0 + 1)
    return Priced(status, multipliers, shift, values)
