"""Prices of a program in exact integers, by GLOP."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...engines.limits import GLOP
from ...engines.process import EngineCrash, HardLimitReached, run_job
from ...model.exact import Array
from ...programs.exact_program import ExactProgram, ratios
from ...programs.linear_model import LinearModel
from .lagrangian import exact_multipliers
from .refinement import refined

__all__ = ["Priced", "priced"]

_LEAST_SECONDS = 0.05
_MANY_ROWS = 4_000
_TOLERANCE, _GAIN = 1e-6, 1e-6


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
    """Solve a program in floats, for multipliers that are good and a solution that is near.

    Of a program of many rows the lazy ones are entered as solutions break them; those that are
    left out have multipliers 0.
    """
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

    status, values, shift = "failed", None, 0
    multipliers: list[Array] = []
    worth = -math.inf
    entered = ~program.lazy if program.num_rows > _MANY_ROWS else np.ones_like(program.lazy)
    with contextlib.suppress(HardLimitReached, EngineCrash):
        while True:
            answer = solve(_rows_only(model, entered))
            if answer["status"] != "optimal" and multipliers:
                break  # there is nothing better in the time
            status, values = answer["status"], answer["values"]
            if answer["duals"] is None:
                break
            duals = np.zeros(program.num_rows)
            duals[entered] = answer["duals"]
            first, shift = exact_multipliers(program, duals, cost_unit, row_unit)
            multipliers = [first]
            before, worth = worth, math.nan if values is None else float(model.objective @ values)
            broken = ~entered & _broken(model, values)
            if not broken.any() or worth <= before + _GAIN * abs(worth):
                break
            entered |= broken
        if multipliers and values is not None and program.num_rows <= _MANY_ROWS:
            better = refined(program, model, row_unit, multipliers[0], shift, values, solve)
            multipliers.append(better)
    if values is not None:
        values = values * ratios(program.unit, program.unit * 0 + 1)
    return Priced(status, multipliers, shift, values)


def _rows_only(model: LinearModel, keep: Array) -> LinearModel:
    """The model of some of the rows."""
    if keep.all():
        return model
    length = np.diff(model.row_start)
    entries = np.repeat(keep, length)
    return replace(
        model,
        row_start=np.concatenate(([0], np.cumsum(length[keep]))),
        column=model.column[entries],
        coefficient=model.coefficient[entries],
        row_lower=model.row_lower[keep],
        row_upper=model.row_upper[keep],
    )


def _broken(model: LinearModel, values: Array | None) -> Array:
    """(rows,) bool: the inequalities that a solution breaks."""
    if values is None:
        return np.zeros(model.num_rows, dtype=bool)
    row_of = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    activity = np.bincount(
        row_of, weights=model.coefficient * values[model.column], minlength=model.num_rows
    )
    above: Array = activity - model.row_upper
    broken: Array = above > _TOLERANCE * np.maximum(1.0, np.abs(model.row_upper))
    return broken
